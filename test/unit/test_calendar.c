/*
 * Worst instants against a count of every single instant; leases.
 */
#include <stdio.h>
#include <stdlib.h>

#include "snc/calendar.h"
#include "snc/lease.h"
#include "test/support/suite.h"

enum { INSTANTS = 40, LAST = 2 * INSTANTS, TAKINGS = 30, ROUNDS = 3000, MANY = 20000 };

struct taking {
	struct calendar_span span;
	int64_t amount;
};

static uint64_t state = 88172645463325252u;

static int
below(int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int)(state % (uint64_t)n);
}

static struct taking
some_taking(void)
{
	int64_t from_ms = below(INSTANTS);
	struct taking taking = {{from_ms, from_ms + 1 + below(INSTANTS)}, 1 + below(200)};

	if (below(4) == 0)
		taking.span.until_ms = CALENDAR_EVER;
	return taking;
}

static int64_t
taken_at(const struct taking *takings, int64_t at_ms, int64_t now_ms)
{
	int64_t sum = 0;

	for (int i = 0; i < TAKINGS; i++)
		if (takings[i].span.from_ms <= at_ms &&
		    (at_ms < takings[i].span.until_ms || takings[i].span.until_ms <= now_ms))
			sum += takings[i].amount;
	return sum;
}

static int64_t
worst_by_counting(const struct taking *takings, struct calendar_span window, int64_t now_ms)
{
	int64_t last_ms = window.until_ms < LAST ? window.until_ms : LAST + 1;
	int64_t first_ms = window.from_ms > now_ms ? window.from_ms : now_ms;
	int64_t worst = taken_at(takings, first_ms, now_ms);

	for (int64_t at_ms = first_ms; at_ms < last_ms; at_ms++)
		if (taken_at(takings, at_ms, now_ms) > worst)
			worst = taken_at(takings, at_ms, now_ms);
	return worst;
}

static void
try_windows(const struct calendar *calendar, const struct taking *takings)
{
	int64_t from_ms = below(INSTANTS);
	struct calendar_span some = {from_ms, from_ms + 1 + below(INSTANTS)};
	struct calendar_span open = {from_ms, CALENDAR_EVER};
	int64_t now_ms = below(3) ? below(LAST) : CALENDAR_ALWAYS;

	assert_equal(
	    calendar_worst(calendar, some, now_ms), worst_by_counting(takings, some, now_ms));
	assert_equal(
	    calendar_worst(calendar, open, now_ms), worst_by_counting(takings, open, now_ms));
}

static void
the_worst_instant_is_that_of_a_count_of_all_instants(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		auto_calendar struct calendar calendar = {0};
		struct taking takings[TAKINGS];

		for (int i = 0; i < TAKINGS; i++) {
			takings[i] = some_taking();
			calendar_take(&calendar, takings[i].span, takings[i].amount);
		}
		try_windows(&calendar, takings);
		for (int i = 0; i < TAKINGS / 2; i++) {
			calendar_take(&calendar, takings[i].span, -takings[i].amount);
			takings[i] = some_taking();
			calendar_take(&calendar, takings[i].span, takings[i].amount);
		}
		try_windows(&calendar, takings);
		for (int i = 0; i < TAKINGS; i++)
			calendar_take(&calendar, takings[i].span, -takings[i].amount);
		assert_true(!calendar.root);
	}
}

static void
what_ends_makes_room_for_what_begins(void)
{
	auto_calendar struct calendar calendar = {0};

	calendar_take(&calendar, (struct calendar_span){50, 90}, 4);
	calendar_take(&calendar, (struct calendar_span){10, 50}, 3);
	assert_equal(calendar_worst(&calendar, (struct calendar_span){0, 100}, 0), 4);
}

static void
what_holds_already_counts_by_the_end_that_it_has(void)
{
	auto_calendar struct calendar calendar = {0};

	calendar_take(&calendar, (struct calendar_span){CALENDAR_ALWAYS, 50}, 3);
	assert_equal(calendar_worst(&calendar, (struct calendar_span){20, 60}, 10), 0);
	assert_equal(calendar_worst(&calendar, (struct calendar_span){50, 60}, 10), -3);
	assert_equal(calendar_worst(&calendar, (struct calendar_span){50, 60}, 50), 0);
}

/* Instants in order are the worst case of a tree that is not kept flat. */
static void
many_instants_in_order_are_kept(void)
{
	auto_calendar struct calendar calendar = {0};

	for (int i = 0; i < MANY; i++)
		calendar_take(&calendar, (struct calendar_span){i, i + 10}, 1);
	assert_equal(calendar_worst(&calendar, (struct calendar_span){0, CALENDAR_EVER}, 0), 10);
	assert_equal(
	    calendar_worst(&calendar, (struct calendar_span){MANY + 5, CALENDAR_EVER}, 0), 4);
	for (int i = 0; i < MANY; i++)
		calendar_take(&calendar, (struct calendar_span){i, i + 10}, -1);
	assert_true(!calendar.root);
}

/* ---- leases ---------------------------------------------------------------------------------- */

#define NOW 1795334400000LL
#define HOUR 3600000LL

static struct err
refused(int64_t from_ms, int64_t until_ms)
{
	struct lease_wish wish = {from_ms, until_ms};
	struct lease lease;
	struct err err = {0};

	assert_true(!lease_grant(&wish, NOW, &lease, &err));
	assert_equal(err.code, ERR_R05);
	assert_true(err.hint[0] != '\0');
	return err;
}

static void
absurd_times_are_refused_with_a_remedy(void)
{
	assert_true(
	    strstr(refused(NOW - HOUR, 0).text, "start 2026-11-22T07:00:00Z is in the past"));
	assert_true(
	    strstr(refused(0, NOW - 1).text, "end 2026-11-22T07:59:59.999Z is in the past"));
	assert_true(strstr(refused(NOW + 2 * HOUR, NOW + HOUR).text, "not after the start"));
	assert_true(strstr(refused(NOW + HOUR, NOW + HOUR).text, "not after the start"));
	assert_true(strstr(refused(0, NOW + 999).text, "too short"));
	assert_true(strstr(refused(INT64_MAX, 0).text, "ten years"));
	assert_true(strstr(refused(0, INT64_MAX).text, "ten years"));
	assert_true(strstr(refused(INT64_MIN, 0).text, "in the past"));
	assert_true(strstr(refused(0, INT64_MIN).text, "in the past"));
}

static void
a_lease_is_due_for_its_start_its_warning_its_end_and_the_end_of_its_grace(void)
{
	struct lease_wish wish = {NOW + HOUR, NOW + 2 * HOUR};
	struct calendar_span span;
	struct lease lease;
	struct err err;

	assert_true(lease_grant(&wish, NOW, &lease, &err));
	assert_equal(lease.phase, LEASE_BOOKED);
	assert_equal(lease.due_ms, NOW + HOUR);
	span = lease_span(&lease, NOW);
	assert_equal(span.from_ms, NOW + HOUR);
	assert_equal(span.until_ms, NOW + 2 * HOUR + HOUR / 10);
	lease.phase = LEASE_HELD;
	lease_schedule(&lease);
	assert_equal(lease.due_ms, NOW + 2 * HOUR - HOUR / 10);
	lease.phase = LEASE_WARNED;
	lease_schedule(&lease);
	assert_equal(lease.due_ms, NOW + 2 * HOUR);
	lease.phase = LEASE_OVER;
	lease_schedule(&lease);
	assert_equal(lease.due_ms, NOW + 2 * HOUR + HOUR / 10);
	assert_text(
	    lease_text(&lease).text, "from 2026-11-22T09:00:00Z until 2026-11-22T10:00:00Z");
}

static void
without_times_nothing_is_due(void)
{
	struct lease_wish wish = {NOW - 1000, 0};
	struct lease lease;
	struct err err;

	assert_true(lease_grant(&wish, NOW, &lease, &err));
	assert_equal(lease.from_ms, 0);
	assert_equal(lease.due_ms, 0);
	assert_equal(lease_span(&lease, NOW).until_ms, CALENDAR_EVER);
	assert_text(lease_text(&lease).text, "");
}

static void
the_latest_end_leaves_its_grace_before_what_comes_next(void)
{
	for (int64_t gone_ms = NOW + 10000; gone_ms < NOW + 100 * HOUR; gone_ms += 1234567) {
		struct lease_wish wish = {0, lease_latest_end(NOW, gone_ms)}, later = wish;
		struct lease lease;
		struct err err;

		assert_true(lease_grant(&wish, NOW, &lease, &err));
		assert_true(lease_span(&lease, NOW).until_ms <= gone_ms);
		later.until_ms += 1001;
		assert_true(lease_grant(&later, NOW, &lease, &err));
		assert_true(lease_span(&lease, NOW).until_ms > gone_ms);
	}
}

static const struct test tests[] = {
    TEST(the_worst_instant_is_that_of_a_count_of_all_instants),
    TEST(what_ends_makes_room_for_what_begins),
    TEST(what_holds_already_counts_by_the_end_that_it_has),
    TEST(many_instants_in_order_are_kept),
    TEST(absurd_times_are_refused_with_a_remedy),
    TEST(a_lease_is_due_for_its_start_its_warning_its_end_and_the_end_of_its_grace),
    TEST(without_times_nothing_is_due),
    TEST(the_latest_end_leaves_its_grace_before_what_comes_next),
};

suite_main("calendar", tests)
