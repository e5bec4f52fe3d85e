/*
 * Days are counted by the calendar's own rule, so nothing depends on the machine's zone.
 */
#include "lib/base/when.h"

#include <stdio.h>
#include <string.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

#define LENGTH_MAX_MS (3652500LL * DAY_MS) /* ten thousand years */

static const struct unit {
	const char *name;
	int64_t ms;
} units[] = {{"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1}};

enum { N_UNITS = sizeof(units) / sizeof(units[0]) };

struct date {
	int year, month, day, hour, minute, second, ms;
};

/* Days from 1970-01-01 to the day; years begin in March, so that the leap day is the last. */
static int64_t
days_of(const struct date *date)
{
	int64_t year = date->month <= 2 ? date->year - 1 : date->year;
	int64_t era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
	int64_t month = (date->month + 9) % 12;
	int64_t of_year = (153 * month + 2) / 5 + date->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void
date_of(int64_t days, struct date *date)
{
	int64_t shifted = days + 719468, era = shifted / 146097, day = shifted - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100),
		month = (5 * of_year + 2) / 153;

	date->day = (int)(of_year - (153 * month + 2) / 5 + 1);
	date->month = (int)(month < 10 ? month + 3 : month - 9);
	date->year = (int)(year + era * 400 + (date->month <= 2));
}

struct when_text
when_text(int64_t at_ms)
{
	const int64_t last = 2932897LL * DAY_MS - 1;
	struct when_text out;
	struct date date;
	int64_t rest;

	at_ms = at_ms < 0 ? 0 : at_ms > last ? last : at_ms;
	rest = at_ms % DAY_MS;
	date_of(at_ms / DAY_MS, &date);
	snprintf(out.text, sizeof(out.text), "%04u-%02u-%02uT%02u:%02u:%02u", date.year % 10000u,
	    date.month % 100u, date.day % 100u, (unsigned)(rest / HOUR_MS) % 100,
	    (unsigned)(rest / MINUTE_MS) % 60, (unsigned)(rest / SECOND_MS) % 60);
	if (rest % SECOND_MS)
		snprintf(
		    out.text + 19, sizeof(out.text) - 19, ".%03uZ", (unsigned)(rest % SECOND_MS));
	else
		snprintf(out.text + 19, sizeof(out.text) - 19, "Z");
	return out;
}

struct when_text
when_length_text(int64_t length_ms)
{
	struct when_text out = {"0s"};
	size_t len = 0, n_said = 0;

	for (size_t i = 0; i < N_UNITS && n_said < 2; i++) {
		if (length_ms < units[i].ms) {
			n_said += n_said > 0; /* "1d" of a day and two seconds */
			continue;
		}
		len += (size_t)snprintf(out.text + len, sizeof(out.text) - len, "%lld%s",
		    (long long)(length_ms / units[i].ms), units[i].name);
		length_ms %= units[i].ms;
		n_said++;
	}
	return out;
}

static bool
refuse_length(const char *text, struct err *err)
{
	err_set(err, ERR_BAD_VALUE, "'%.60s' is no length of time", text);
	return err_hint(err, "write it as 30s, 90m, 2h30m or 3d");
}

/* One number with its unit; each unit is smaller than the one before. */
static bool
read_part(const char **at, size_t *from_unit, int64_t *sum_ms)
{
	size_t digits = strspn(*at, "0123456789"), letters;
	int64_t number = 0;

	if (!digits || digits > 12)
		return false;
	for (; digits; digits--)
		number = number * 10 + (*(*at)++ - '0');
	letters = strspn(*at, "dhms");
	for (size_t i = *from_unit; i < N_UNITS; i++) {
		if (strlen(units[i].name) != letters || strncmp(*at, units[i].name, letters) != 0)
			continue;
		*at += letters;
		*from_unit = i + 1;
		return !__builtin_mul_overflow(number, units[i].ms, &number) &&
		       !__builtin_add_overflow(*sum_ms, number, sum_ms);
	}
	return false;
}

bool
when_length_parse(const char *text, int64_t *length_ms, struct err *err)
{
	const char *at = text;
	size_t unit = 0;
	int64_t sum_ms = 0;

	do {
		if (!read_part(&at, &unit, &sum_ms))
			return refuse_length(text, err);
	} while (*at);
	if (!sum_ms)
		return refuse_length(text, err);
	if (sum_ms > LENGTH_MAX_MS)
		return err_set(err, ERR_BAD_VALUE, "'%.60s' is longer than any calendar", text);
	*length_ms = sum_ms;
	return true;
}

static int
days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && is_leap);
}

static bool
check_date(const char *text, const struct date *date, struct err *err)
{
	if (date->year < 1970)
		return err_set(err, ERR_BAD_VALUE, "'%.60s' is before 1970", text);
	if (date->month < 1 || date->month > 12)
		return err_set(
		    err, ERR_BAD_VALUE, "'%.60s': there is no month %d", text, date->month);
	if (date->day < 1 || date->day > days_in(date->year, date->month)) {
		err_set(err, ERR_BAD_VALUE, "'%.60s': there is no such day", text);
		return err_hint(err, "that month of %d has %d days", date->year,
		    days_in(date->year, date->month));
	}
	if (date->second == 60) {
		err_set(err, ERR_BAD_VALUE, "'%.60s' is a leap second, which no clock here counts",
		    text);
		return err_hint(err, "take second 59, or 00 of the next minute");
	}
	if (date->hour > 23 || date->minute > 59 || date->second > 59)
		return err_set(err, ERR_BAD_VALUE, "'%.60s': there is no such time of day", text);
	return true;
}

/* Exactly n digits. */
static bool
read_number(const char **at, int n, int *number)
{
	*number = 0;
	for (; n; n--, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	return true;
}

static bool
read_literal(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

/* .N to .NNN */
static bool
read_fraction(const char **at, int *ms)
{
	int scale = 100, digit;

	for (*ms = 0; scale && **at >= '0' && **at <= '9'; scale /= 10) {
		if (!read_number(at, 1, &digit))
			return false;
		*ms += digit * scale;
	}
	return scale < 100;
}

/* YYYY-MM-DDTHH:MM[:SS[.NNN]] */
static bool
read_date(const char **at, struct date *date)
{
	date->second = date->ms = 0;
	return read_number(at, 4, &date->year) && read_literal(at, '-') &&
	       read_number(at, 2, &date->month) && read_literal(at, '-') &&
	       read_number(at, 2, &date->day) && (read_literal(at, 'T') || read_literal(at, ' ')) &&
	       read_number(at, 2, &date->hour) && read_literal(at, ':') &&
	       read_number(at, 2, &date->minute) &&
	       (!read_literal(at, ':') ||
		   (read_number(at, 2, &date->second) &&
		       (!read_literal(at, '.') || read_fraction(at, &date->ms))));
}

/* Z, +HH:MM or -HH:MM, and nothing behind. */
static bool
read_zone(const char *at, int64_t *ahead_ms)
{
	int sign = *at == '-' ? -1 : 1, hours, minutes;

	*ahead_ms = 0;
	if (!strcmp(at, "Z"))
		return true;
	if ((*at != '+' && *at != '-') || !(at++, read_number(&at, 2, &hours)) ||
	    !read_literal(&at, ':') || !read_number(&at, 2, &minutes) || *at || hours > 14 ||
	    minutes > 59)
		return false;
	*ahead_ms = sign * ((int64_t)hours * HOUR_MS + (int64_t)minutes * MINUTE_MS);
	return true;
}

bool
when_parse(const char *text, int64_t now_ms, int64_t *at_ms, struct err *err)
{
	const char *at = text;
	struct date date;
	int64_t ahead_ms = 0;

	if (*text == '+') {
		if (!when_length_parse(text + 1, &ahead_ms, err))
			return false;
		*at_ms = now_ms + ahead_ms;
		return true;
	}
	if (!read_date(&at, &date)) {
		err_set(err, ERR_BAD_VALUE, "'%.60s' is no date and time", text);
		return err_hint(err, "write it as 2026-11-22T08:00Z, or as +90m from now");
	}
	if (!check_date(text, &date, err))
		return false;
	if (!read_zone(at, &ahead_ms)) {
		err_set(err, ERR_BAD_VALUE, "'%.60s' does not say in which zone", text);
		return err_hint(err, "add Z for UTC, or what the zone is ahead of it: +09:00");
	}
	*at_ms = days_of(&date) * DAY_MS + (int64_t)date.hour * HOUR_MS +
		 (int64_t)date.minute * MINUTE_MS + (int64_t)date.second * SECOND_MS + date.ms -
		 ahead_ms;
	return true;
}
