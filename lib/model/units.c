/*
 * Numbers with units: exact, by integers alone, so that 1.5Gbps is 1500000000 and nothing else.
 */
#include "lib/model/units.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { PPM = 1000000, ETHERNET_BYTES = 14 };

/* Beyond any machine, and small enough that thousands of them can be added up. */
#define RATE_MAX_BPS 10000000000000 /* 10 Tbit/s */
#define SIZE_MAX_BYTES ((int64_t)1 << 50)
#define TIME_MAX_US 86400000000 /* a day */
#define COUNT_MAX INT32_MAX

struct unit {
	const char *suffix;
	int64_t factor;
};

struct quantity {
	const char *wanted;
	int64_t max;
	struct unit units[4]; /* ended by an empty one */
};

static const struct quantity rate = {"a rate: a number with kbps, Mbps or Gbps, as in 200Mbps",
    RATE_MAX_BPS, {{"kbps", 1000}, {"Mbps", 1000000}, {"Gbps", 1000000000}}};
static const struct quantity size = {"a size: a number with KiB, MiB or GiB, as in 2GiB",
    SIZE_MAX_BYTES, {{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
static const struct quantity duration = {"a time: a number with us, ms or s, as in 20ms",
    TIME_MAX_US, {{"us", 1}, {"ms", 1000}, {"s", 1000000}}};

static bool read_quantity(
    const char *text, const struct quantity *quantity, int64_t *value, struct err *err);
static bool read_decimal(const char **text, int64_t factor, int64_t *value);
static struct unit_text text_of(int64_t value, const struct unit *units, const char *bare);

bool
unit_rate(const char *text, int64_t *bps, struct err *err)
{
	return read_quantity(text, &rate, bps, err);
}

bool
unit_size(const char *text, int64_t *bytes, struct err *err)
{
	return read_quantity(text, &size, bytes, err);
}

bool
unit_time(const char *text, int64_t *us, struct err *err)
{
	return read_quantity(text, &duration, us, err);
}

bool
unit_ratio(const char *text, int64_t *ppm, struct err *err)
{
	const char *end = text;
	bool is_percent = text[0] && text[strlen(text) - 1] == '%';

	int64_t value;

	if (!read_decimal(&end, is_percent ? PPM / 100 : PPM, &value) ||
	    strcmp(end, is_percent ? "%" : "") != 0 || value > PPM)
		return err_set(err, ERR_S08,
		    "'%.60s' is not a ratio: a number from 0 to 1, or a percentage, as in 0.01 or "
		    "1%%",
		    text);
	*ppm = value;
	return true;
}

bool
unit_count(const char *text, int64_t *count, struct err *err)
{
	const char *end = text;
	int64_t value;

	if (strchr(text, '.') || !read_decimal(&end, 1, &value) || *end || value <= 0 ||
	    value > COUNT_MAX)
		return err_set(err, ERR_S08,
		    "'%.60s' is not a count: a whole number above 0 without a unit, as in 2", text);
	*count = value;
	return true;
}

struct unit_text
rate_text(int64_t bps)
{
	static const struct unit spaced[] = {
	    {" Gbps", 1000000000}, {" Mbps", 1000000}, {" kbps", 1000}, {0}};

	return text_of(bps, spaced, " bps");
}

struct unit_text
size_text(int64_t bytes)
{
	static const struct unit spaced[] = {
	    {" GiB", 1 << 30}, {" MiB", 1 << 20}, {" KiB", 1 << 10}, {0}};

	return text_of(bytes, spaced, " B");
}

struct unit_text
time_text(int64_t us)
{
	static const struct unit spaced[] = {{" s", 1000000}, {" ms", 1000}, {0}};

	return text_of(us, spaced, " us");
}

int64_t
rate_on_wire(int64_t rate_bps, int64_t mtu, int64_t overhead)
{
	int64_t frame = mtu + ETHERNET_BYTES, wire = frame + overhead;
	int64_t whole, rest;

	assert(mtu > 0 && mtu <= UINT16_MAX && rate_bps >= 0 && overhead >= 0);
	/* rate = whole x frame + rest: no product is larger than the result */
	whole = rate_bps / frame;
	rest = rate_bps % frame;
	if (whole > (INT64_MAX - wire) / wire)
		return INT64_MAX;
	return whole * wire + (rest * wire + frame - 1) / frame;
}

int64_t
rate_from_wire(int64_t wire_bps, int64_t mtu, int64_t overhead)
{
	int64_t frame = mtu + ETHERNET_BYTES, wire = frame + overhead;

	assert(mtu > 0 && mtu <= UINT16_MAX && wire_bps >= 0);
	return wire_bps / wire * frame + wire_bps % wire * frame / wire;
}

static bool
read_quantity(const char *text, const struct quantity *quantity, int64_t *value, struct err *err)
{
	size_t digits = strspn(text, "0123456789.");
	int64_t number;

	for (const struct unit *unit = quantity->units; unit->suffix; unit++) {
		const char *end = text;

		if (strcmp(text + digits, unit->suffix) != 0)
			continue;
		if (!read_decimal(&end, unit->factor, &number) || end != text + digits ||
		    number <= 0)
			break;
		if (number > quantity->max)
			return err_set(err, ERR_S08, "'%.60s' is beyond all bounds", text);
		*value = number;
		return true;
	}
	return err_set(err, ERR_S08, "'%.60s' is not %s", text, quantity->wanted);
}

/* Digits into a whole number, which they extend; false when it would be too large. */
static bool
read_digits(const char **at, int64_t *number)
{
	for (; isdigit((unsigned char)**at); (*at)++)
		if (__builtin_mul_overflow(*number, 10, number) ||
		    __builtin_add_overflow(*number, **at - '0', number))
			return false;
	return true;
}

/* DIGITS or DIGITS.DIGITS (nine decimals at most) times the factor, rounded down. */
static bool
read_decimal(const char **text, int64_t factor, int64_t *value)
{
	const char *at = *text, *decimals;
	int64_t whole = 0, part = 0, scale = 1;

	if (!isdigit((unsigned char)*at) || !read_digits(&at, &whole) ||
	    __builtin_mul_overflow(whole, factor, &whole))
		return false;
	if (*at == '.') {
		decimals = ++at;
		if (!isdigit((unsigned char)*at) || !read_digits(&at, &part) || at - decimals > 9)
			return false;
		for (; decimals < at; decimals++)
			scale *= 10;
		part = (int64_t)((__int128)part * factor / scale);
	}
	if (__builtin_add_overflow(whole, part, &whole))
		return false;
	*text = at;
	*value = whole;
	return true;
}

/* The largest unit that leaves a number of at least 1; two decimals at most. */
static struct unit_text
text_of(int64_t value, const struct unit *units, const char *bare)
{
	struct unit_text out;

	for (; units->suffix; units++) {
		int64_t hundredths;

		if (value < units->factor)
			continue;
		hundredths = (int64_t)(((__int128)value * 100 + units->factor / 2) / units->factor);
		if (hundredths % 100 == 0)
			snprintf(out.text, sizeof(out.text), "%lld%s",
			    (long long)(hundredths / 100), units->suffix);
		else
			snprintf(out.text, sizeof(out.text), "%lld.%0*lld%s",
			    (long long)(hundredths / 100), hundredths % 10 ? 2 : 1,
			    (long long)(hundredths % 10 ? hundredths % 100 : hundredths % 100 / 10),
			    units->suffix);
		return out;
	}
	snprintf(out.text, sizeof(out.text), "%lld%s", (long long)value, bare);
	return out;
}
