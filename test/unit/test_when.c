/*
 * Instants and lengths of time as people write them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/when.h"
#include "test/support/suite.h"

static int64_t
parsed(const char *text)
{
	struct err err = {0};
	int64_t at_ms = -1;

	if (!when_parse(text, 1000, &at_ms, &err))
		printf("\n%s", err.text);
	return at_ms;
}

static void
refused(const char *text, const char *because)
{
	struct err err = {0};
	int64_t at_ms;

	assert_true(!when_parse(text, 1000, &at_ms, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	if (!strstr(err.text, because))
		printf("\n%s: %s\n", text, err.text);
	assert_true(strstr(err.text, because) != NULL);
}

static void
instants_are_read_with_their_zone(void)
{
	assert_equal(parsed("1970-01-01T00:00Z"), 0);
	assert_equal(parsed("2026-11-22T08:00:00Z"), 1795334400000);
	assert_equal(parsed("2026-11-22 08:00:00Z"), 1795334400000);
	assert_equal(parsed("2026-11-22T17:00+09:00"), 1795334400000);
	assert_equal(parsed("2026-11-22T03:30:00-04:30"), 1795334400000);
	assert_equal(parsed("2028-02-29T00:00Z"), 1835395200000);
	assert_equal(parsed("2026-11-22T08:00:00.25Z"), 1795334400250);
	assert_equal(parsed("2026-11-22T08:00:00.007Z"), 1795334400007);
	assert_equal(parsed("+90m"), 1000 + 90 * 60000);
}

static void
what_is_no_instant_is_refused_with_what_is_wrong(void)
{
	refused("", "no date");
	refused("tomorrow", "no date");
	refused("2026-11-22", "no date");
	refused("2026-11-22T08:00:00.Z", "no date");
	refused("2026-11-22T08:00:00.1234Z", "zone");
	refused("2026-11-22T08:00", "zone");
	refused("2026-11-22T08:00z", "zone");
	refused("2026-11-22T08:00+15:00", "zone");
	refused("2026-11-22T08:00Z ", "zone");
	refused("2026-02-29T00:00Z", "no such day");
	refused("2100-02-29T00:00Z", "no such day");
	refused("2026-04-31T00:00Z", "no such day");
	refused("2026-00-10T00:00Z", "no month 0");
	refused("2026-13-10T00:00Z", "no month 13");
	refused("2026-11-22T24:00Z", "time of day");
	refused("2026-11-22T08:60Z", "time of day");
	refused("2016-12-31T23:59:60Z", "leap second");
	refused("1969-12-31T23:59Z", "before 1970");
	refused("+0s", "no length");
	refused("+1h1h", "no length");
	refused("+5", "no length");
	refused("+-5m", "no length");
	refused("+999999999999d", "no length");
	refused("+99999999999h", "longer than any calendar");
}

static void
every_day_of_two_centuries_is_told_as_it_was_read(void)
{
	for (int64_t at_ms = 0; at_ms < 200LL * 366 * 86400000; at_ms += 86399000) {
		time_t seconds = (time_t)(at_ms / 1000);
		char expected[32];
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_text(when_text(at_ms).text, expected);
		assert_equal(parsed(expected), at_ms);
	}
	assert_text(when_text(1795334400250).text, "2026-11-22T08:00:00.250Z");
	assert_text(when_text(INT64_MAX).text, "9999-12-31T23:59:59.999Z");
	assert_text(when_text(INT64_MIN).text, "1970-01-01T00:00:00Z");
}

static void
lengths_are_told_in_their_two_largest_units(void)
{
	assert_text(when_length_text(0).text, "0s");
	assert_text(when_length_text(250).text, "250ms");
	assert_text(when_length_text(5400000).text, "1h30m");
	assert_text(when_length_text(86400000 + 5000).text, "1d");
	assert_text(when_length_text(3 * 86400000 + 7200000 + 60000).text, "3d2h");
}

static const struct test tests[] = {
    TEST(instants_are_read_with_their_zone),
    TEST(what_is_no_instant_is_refused_with_what_is_wrong),
    TEST(every_day_of_two_centuries_is_told_as_it_was_read),
    TEST(lengths_are_told_in_their_two_largest_units),
};

suite_main("when", tests)
