/*
 * Numbers with units.
 */
#include <stdint.h>
#include <string.h>

#include "lib/model/units.h"
#include "test/support/suite.h"

typedef bool unit_reader(const char *text, int64_t *value, struct err *err);

struct reading {
	unit_reader *read;
	const char *text;
	int64_t value;
};

static void
good_texts_are_read_exactly(void)
{
	static const struct reading cases[] = {
	    {unit_rate, "200Mbps", 200000000},
	    {unit_rate, "1.5Gbps", 1500000000},
	    {unit_rate, "64kbps", 64000},
	    {unit_rate, "0.1kbps", 100},
	    {unit_rate, "10000Gbps", 10000000000000},
	    {unit_rate, "0.000001Gbps", 1000},
	    {unit_size, "64KiB", 65536},
	    {unit_size, "2GiB", 2147483648},
	    {unit_size, "1.5GiB", 1610612736},
	    {unit_size, "0.1KiB", 102},
	    {unit_time, "20ms", 20000},
	    {unit_time, "1.5s", 1500000},
	    {unit_time, "7us", 7},
	    {unit_ratio, "0", 0},
	    {unit_ratio, "1", 1000000},
	    {unit_ratio, "0.01", 10000},
	    {unit_ratio, "1%", 10000},
	    {unit_ratio, "12.5%", 125000},
	    {unit_ratio, "100%", 1000000},
	    {unit_count, "2", 2},
	    {unit_count, "2147483647", 2147483647},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t value = -1;

		CU_ASSERT_TRUE(cases[i].read(cases[i].text, &value, &err));
		CU_ASSERT_EQUAL(value, cases[i].value);
	}
}

static void
bad_texts_are_refused_and_leave_the_value(void)
{
	static const struct reading cases[] = {
	    {unit_rate, "200", 0},
	    {unit_rate, "200 Mbps", 0},
	    {unit_rate, "200mbps", 0},
	    {unit_rate, "Mbps", 0},
	    {unit_rate, "", 0},
	    {unit_rate, "0Mbps", 0},
	    {unit_rate, "-1Mbps", 0},
	    {unit_rate, "+1Mbps", 0},
	    {unit_rate, ".5Mbps", 0},
	    {unit_rate, "5.Mbps", 0},
	    {unit_rate, "1.2.3Mbps", 0},
	    {unit_rate, "1e3Mbps", 0},
	    {unit_rate, "0x10Mbps", 0},
	    {unit_rate, "1.0000000001Mbps", 0},
	    {unit_rate, "10001Gbps", 0},
	    {unit_rate, "99999999999999999999Gbps", 0},
	    {unit_rate, "9223372036854775807Gbps", 0},
	    {unit_rate, "200MbpsX", 0},
	    {unit_size, "2GB", 0},
	    {unit_size, "2G", 0},
	    {unit_size, "1125899906842625GiB", 0},
	    {unit_time, "20", 0},
	    {unit_time, "20 ms", 0},
	    {unit_time, "0us", 0},
	    {unit_time, "1min", 0},
	    {unit_ratio, "1.1", 0},
	    {unit_ratio, "101%", 0},
	    {unit_ratio, "%", 0},
	    {unit_ratio, "", 0},
	    {unit_ratio, "-0.1", 0},
	    {unit_ratio, "1%%", 0},
	    {unit_count, "0", 0},
	    {unit_count, "-1", 0},
	    {unit_count, "1.0", 0},
	    {unit_count, "2cores", 0},
	    {unit_count, "", 0},
	    {unit_count, "2147483648", 0},
	    {unit_count, "99999999999999999999", 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = {0};
		int64_t value = -7;

		CU_ASSERT_FALSE(cases[i].read(cases[i].text, &value, &err));
		CU_ASSERT_EQUAL(err.code, ERR_S08);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, cases[i].text));
		CU_ASSERT_EQUAL(value, -7);
	}
}

static void
values_are_shown_in_the_largest_unit(void)
{
	CU_ASSERT_STRING_EQUAL(rate_text(200000000).text, "200 Mbps");
	CU_ASSERT_STRING_EQUAL(rate_text(1500000000).text, "1.5 Gbps");
	CU_ASSERT_STRING_EQUAL(rate_text(1234567).text, "1.23 Mbps");
	CU_ASSERT_STRING_EQUAL(rate_text(1050000).text, "1.05 Mbps");
	CU_ASSERT_STRING_EQUAL(rate_text(999).text, "999 bps");
	CU_ASSERT_STRING_EQUAL(rate_text(0).text, "0 bps");
	CU_ASSERT_STRING_EQUAL(rate_text(INT64_MAX).text, "9223372036.85 Gbps");
	CU_ASSERT_STRING_EQUAL(size_text(2147483648).text, "2 GiB");
	CU_ASSERT_STRING_EQUAL(size_text(65536).text, "64 KiB");
	CU_ASSERT_STRING_EQUAL(size_text(100).text, "100 B");
	CU_ASSERT_STRING_EQUAL(time_text(20000).text, "20 ms");
	CU_ASSERT_STRING_EQUAL(time_text(1500000).text, "1.5 s");
	CU_ASSERT_STRING_EQUAL(time_text(7).text, "7 us");
}

static void
the_wire_rate_carries_full_frames_and_is_rounded_up(void)
{
	/* 1514 bytes of the slice are 1556 on the wire */
	CU_ASSERT_EQUAL(rate_on_wire(1514, 1500, 42), 1556);
	CU_ASSERT_EQUAL(rate_on_wire(100000000, 1500, 42), 102774109);
	CU_ASSERT_EQUAL(rate_on_wire(1, 1500, 42), 2);
	CU_ASSERT_EQUAL(rate_on_wire(0, 1500, 42), 0);
	CU_ASSERT_EQUAL(rate_on_wire(10000000000000, 68, 42), 15121951219513);
	CU_ASSERT_EQUAL(rate_on_wire(INT64_MAX, 1500, 42), INT64_MAX);
	for (int64_t rate = 1; rate < 1000000000; rate = rate * 3 + 1)
		for (int64_t mtu = 68; mtu <= 9000; mtu += 509) {
			__int128 exact = (__int128)rate * (mtu + 56);
			__int128 wire = (__int128)rate_on_wire(rate, mtu, 42) * (mtu + 14);

			CU_ASSERT_TRUE(wire >= exact && wire - exact < mtu + 14);
			CU_ASSERT_EQUAL(rate_from_wire(rate_on_wire(rate, mtu, 42), mtu, 42), rate);
		}
}

static const struct test tests[] = {
    TEST(good_texts_are_read_exactly),
    TEST(bad_texts_are_refused_and_leave_the_value),
    TEST(values_are_shown_in_the_largest_unit),
    TEST(the_wire_rate_carries_full_frames_and_is_rounded_up),
};

suite_main("units", tests)
