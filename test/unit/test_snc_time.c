/*
 * Slices in time, over sncd's API: booked, started, warned, renewed, ended; and what is free when,
 * against a count of every single instant.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define SECOND 1000LL
#define HOUR 3600000LL

/* A slice of one node with so many CPUs on a host. */
static const char *
document_of(struct fake_site *site, const char *name, int cpu, const char *host)
{
	return site_document(site->arena, name,
	    arena_format(site->arena, "node a cpu=%d : p\namap a %s\n", cpu, host));
}

static struct tenant_wish
wish_of(struct fake_site *site, const char *document, struct lease_wish wish)
{
	return (struct tenant_wish){.client = &site->developer,
	    .document = document,
	    .goal = "RUNNING",
	    .from_ms = wish.from_ms,
	    .until_ms = wish.until_ms};
}

static bool
book(struct fake_site *site, const char *document, struct lease_wish wish, const char **id,
    struct err *err)
{
	struct tenant_wish all = wish_of(site, document, wish);

	return tenant_make(site, &all, id, err);
}

static const char *
booked(struct fake_site *site, const char *document, struct lease_wish wish)
{
	struct tenant_wish all = wish_of(site, document, wish);

	return tenant_made(site, &all);
}

static bool
check(struct fake_site *site, const char *document, struct lease_wish wish)
{
	struct tenant_wish all = wish_of(site, document, wish);

	return tenant_check(site, &all).feasible;
}

static struct snc_slice_find_slot_result
find_slot(
    struct fake_site *site, const char *document, int64_t length_ms, struct lease_wish between)
{
	struct snc_slice_find_slot_args args = {{document, strlen(document)},
	    tenant_instant(length_ms), tenant_instant(between.from_ms),
	    tenant_instant(between.until_ms), NULL};
	struct snc_slice_find_slot_result result;
	struct err err;

	assert_true(snc_slice_find_slot_call(&site->developer, site->arena, &args, &result, &err));
	return result;
}

static bool
renew(struct fake_site *site, const char *slice, int64_t until_ms, struct err *err)
{
	struct snc_slice_renew_result result;

	return snc_slice_renew_call(&site->developer, site->arena,
	    &(struct snc_slice_renew_args){slice, tenant_instant(until_ms)}, &result, err);
}

static void
delete_slice(struct fake_site *site, const char *slice)
{
	struct err err;

	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){slice}, &(struct snc_slice_delete_result){}, &err));
}

static int64_t
cpu_free(struct fake_site *site)
{
	struct snc_host_list_result result;
	struct err err;

	assert_true(snc_host_list_call(
	    &site->noc, site->arena, &(struct snc_host_list_args){}, &result, &err));
	return result.hosts[0].cpu_free;
}

/* Has it been told, of the slice or (NULL) of the site? */
static bool
was_told(struct fake_site *site, const char *slice, const char *what)
{
	struct snc_events_result result;
	struct err err;

	assert_true(snc_events_call(
	    &site->noc, site->arena, &(struct snc_events_args){-1, slice, 0}, &result, &err));
	for (size_t i = 0; i < result.n_events; i++)
		if (!strcmp(result.events[i].what, what))
			return true;
	return false;
}

/* The same, waiting for it. */
static bool
is_told(struct fake_site *site, const char *slice, const char *what)
{
	for (int i = 0; i < 100; i++) {
		int64_t rung = events_rung(site->snc->events);

		if (was_told(site, slice, what))
			return true;
		(void)events_wait(site->snc->events, rung, 100);
	}
	return false;
}

/* However long it has taken so far. */
static void
pass_to(struct fake_site *site, int64_t then_ms)
{
	int64_t ahead_ms = then_ms - tenant_now_ms(site);

	if (ahead_ms > 0)
		fake_site_pass(site, ahead_ms);
}

/* It is warned 5.6 s before its end, and has as much of grace. */
static void
a_slice_for_later_holds_its_capacity_survives_a_restart_starts_and_ends_by_itself(void)
{
	struct fake_site *site = fake_site_new();
	const char *full = document_of(site, "later", 4, "koganei");
	const char *other = document_of(site, "other", 1, "koganei");
	int64_t now = tenant_now_ms(site);
	const char *id =
	    booked(site, full, (struct lease_wish){now + 30 * SECOND, now + 86 * SECOND});
	struct err err;

	assert_text(fake_wait(site, id, "RESERVED")->state, "RESERVED");
	assert_equal(fake_objects(site), 0);
	assert_equal(cpu_free(site), 4);
	fake_site_restart_snc(site);
	assert_true(!check(site, other, (struct lease_wish){0, 0}));
	assert_true(!book(site, other, (struct lease_wish){0, 0}, &(const char *){NULL}, &err));
	assert_equal(err.code, ERR_R01);
	assert_true(check(site, other, (struct lease_wish){0, now + 20 * SECOND}));

	pass_to(site, now + 31 * SECOND);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_equal(cpu_free(site), 0);
	assert_true(is_told(site, id, "started"));
	pass_to(site, now + 81 * SECOND);
	assert_true(is_told(site, id, "expires"));
	pass_to(site, now + 86500);
	assert_true(is_told(site, id, "expired"));
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	pass_to(site, now + 92 * SECOND);
	assert_true(is_told(site, id, "deleted"));
	assert_equal(fake_objects(site), 0);
	assert_equal(cpu_free(site), 4);
	fake_site_free(site);
}

static void
what_could_not_start_in_time_starts_when_it_can(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id = booked(site, document_of(site, "later", 4, "koganei"),
	    (struct lease_wish){now + 30 * SECOND, 0});

	fake_manager(site, "programmer@koganei")->is_away = true;
	inventory_failed(site->snc->inventory, "programmer@koganei");
	fake_site_pass(site, 31 * SECOND);
	assert_true(is_told(site, id, "waits"));
	assert_text(fake_wait(site, id, "RESERVED")->code, "O03");
	assert_equal(fake_objects(site), 0);
	fake_manager(site, "programmer@koganei")->is_away = false;
	inventory_heard(site->snc->inventory, "programmer@koganei");
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_text(fake_wait(site, id, "RUNNING")->reason, "");
	fake_site_free(site);
}

static int64_t
next_due_ms(struct fake_site *site)
{
	auto_txn struct txn *txn = store_begin(site->store);
	int64_t due_ms = 0;
	struct err err;

	assert_true(store_lease_next(txn, &due_ms, &err));
	return due_ms;
}

/* Not before then, when all that is due has been tried. */
static bool
is_due_after(struct fake_site *site, int64_t at_ms)
{
	for (int i = 0; i < 1000 && next_due_ms(site) < at_ms; i++)
		usleep(10000);
	return next_due_ms(site) >= at_ms;
}

static void
what_cannot_start_is_tried_less_often_and_holds_nobody_up(void)
{
	struct fake_site *site = fake_site_new();
	int64_t start = tenant_now_ms(site) + 30 * SECOND;
	const char *stuck[3], *id;

	for (int i = 0; i < 3; i++)
		stuck[i] = booked(site,
		    document_of(site, arena_format(site->arena, "stuck%d", i), 1, "koganei"),
		    (struct lease_wish){start, 0});
	id = booked(site, document_of(site, "later", 4, "nagoya"),
	    (struct lease_wish){start + 5 * SECOND, 0});
	fake_manager(site, "programmer@koganei")->is_away = true;
	inventory_failed(site->snc->inventory, "programmer@koganei");
	fake_site_pass(site, 36 * SECOND);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	for (int i = 0; i < 3; i++)
		assert_true(is_told(site, stuck[i], "waits"));

	fake_site_pass(site, 50 * SECOND);
	assert_true(is_due_after(site, start + 60 * SECOND));
	fake_site_pass(site, 50 * SECOND);
	assert_true(is_due_after(site, start + 120 * SECOND));
	fake_site_free(site);
}

/* A node that is on its way is there as long as the others, or not at all. */
static void
a_renewal_counts_what_a_modify_brings(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id =
	    booked(site, document_of(site, "s", 1, "koganei"), (struct lease_wish){0, now + HOUR});
	const char *more = site_document(site->arena, "s",
	    "node a cpu=1 : p\nnode b cpu=1 : p\namap a koganei\namap b nagoya\n");
	struct snc_slice_modify_args args = {.slice = id, .document = {more, strlen(more)}};
	struct snc_slice_modify_result result;
	struct err err;

	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	fake_manager(site, "programmer@nagoya")->is_blocked = true;
	assert_true(snc_slice_modify_call(&site->developer, site->arena, &args, &result, &err));
	(void)booked(
	    site, document_of(site, "other", 4, "nagoya"), (struct lease_wish){now + 2 * HOUR, 0});
	assert_true(!renew(site, id, now + 3 * HOUR, &err));
	assert_equal(err.code, ERR_R01);
	assert_true(renew(site, id, now + HOUR + HOUR / 2, &err));
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_text(fake_wait(site, id, NULL)->state, "RUNNING");
	fake_site_free(site);
}

static void
what_is_over_before_sncd_is_back_never_starts(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id = booked(site, document_of(site, "later", 4, "koganei"),
	    (struct lease_wish){now + 10 * SECOND, now + 20 * SECOND});

	site->wall_ahead_ms += HOUR;
	fake_site_restart_snc(site);
	assert_true(is_told(site, id, "deleted"));
	assert_true(!was_told(site, id, "started"));
	assert_equal(cpu_free(site), 4);
	fake_site_free(site);
}

static void
find_slot_check_and_create_agree_to_the_millisecond(void)
{
	struct fake_site *site = fake_site_new();
	const char *document = document_of(site, "b", 2, "koganei");
	int64_t now = tenant_now_ms(site), free_ms = now + 200 * SECOND + 10 * SECOND;
	struct snc_slice_find_slot_result slot;
	struct lease_wish wish;

	(void)booked(site, document_of(site, "a", 3, "koganei"),
	    (struct lease_wish){now + 100 * SECOND, now + 200 * SECOND});
	slot = find_slot(site, document, 50 * SECOND, (struct lease_wish){0, 0});
	assert_true(slot.found);
	assert_equal(slot.from_ms, 0);
	slot = find_slot(site, document, 150 * SECOND, (struct lease_wish){0, 0});
	assert_true(slot.found);
	assert_equal(slot.from_ms, free_ms);
	assert_equal(slot.until_ms, free_ms + 150 * SECOND);
	assert_text(slot.nodes[0].host, "koganei");
	wish = (struct lease_wish){slot.from_ms, slot.until_ms};
	assert_true(!check(site, document, (struct lease_wish){wish.from_ms - 1, wish.until_ms}));
	assert_true(check(site, document, wish));
	(void)booked(site, document, wish);
	slot = find_slot(site, document, 0, (struct lease_wish){now + 150 * SECOND, 0});
	assert_true(slot.found);
	assert_equal(slot.from_ms, free_ms);
	assert_equal(slot.until_ms, 0);
	slot =
	    find_slot(site, document, 150 * SECOND, (struct lease_wish){now, now + 300 * SECOND});
	assert_true(!slot.found);
	assert_equal(slot.looked_until_ms, 0);
	assert_text(slot.diagnoses[0].code, "R01");
	fake_site_free(site);
}

static void
a_renewal_is_granted_as_far_as_there_is_room_and_says_how_far(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id = booked(
	    site, document_of(site, "b", 2, "koganei"), (struct lease_wish){0, now + 50 * SECOND});
	const char *later = booked(site, document_of(site, "a", 3, "koganei"),
	    (struct lease_wish){now + 110 * SECOND, now + 900 * SECOND});
	struct err err;

	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_true(renew(site, id, now + 80 * SECOND, &err));
	assert_true(!renew(site, id, now + 150 * SECOND, &err));
	assert_equal(err.code, ERR_R01);
	assert_true(strstr(err.hint, "is the latest end that is possible"));
	assert_true(!renew(site, id, 0, &err));
	assert_true(renew(site, later, now + 2 * HOUR, &err));
	assert_true(!renew(site, later, now - SECOND, &err));
	assert_equal(err.code, ERR_R05);
	delete_slice(site, later);
	assert_true(renew(site, id, 0, &err));
	assert_equal(fake_wait(site, id, "RUNNING")->until_ms, 0);
	delete_slice(site, id);
	assert_true(fake_wait(site, id, "GONE") == NULL || !renew(site, id, 0, &err));
	fake_site_free(site);
}

static void
a_clock_that_jumps_ends_nothing_until_it_is_right_again(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id = booked(
	    site, document_of(site, "b", 2, "koganei"), (struct lease_wish){0, now + 50 * SECOND});

	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	fake_site_pass(site, HOUR);
	assert_true(is_told(site, NULL, "jumped"));
	fake_site_pass(site, HOUR);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	fake_site_pass(site, -2 * HOUR);
	assert_true(is_told(site, NULL, "right"));
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	fake_site_pass(site, 56 * SECOND);
	assert_true(is_told(site, id, "deleted"));
	fake_site_free(site);
}

static void
a_booked_slice_can_be_deleted_but_not_run(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *id =
	    booked(site, document_of(site, "a", 4, "koganei"), (struct lease_wish){now + HOUR, 0});
	struct err err;

	assert_true(!snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){id}, &(struct snc_slice_run_result){}, &err));
	assert_equal(err.code, ERR_O01);
	delete_slice(site, id);
	assert_true(check(site, document_of(site, "b", 4, "koganei"), (struct lease_wish){0, 0}));
	fake_site_free(site);
}

/* ---- against a count of every instant -------------------------------------------------------- */

enum { HOSTS = 3, REQUESTS = 120, SECONDS = 400, CPUS = 4 };

static const char *const host_names[HOSTS] = {"koganei", "nagoya", "osaka"};
static uint64_t state = 362436069;

static int
below(int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int)(state % (uint64_t)n);
}

/* CPUs taken in each second from `base` on; the last one stands for all that come after. */
struct count {
	int64_t base_ms;
	int taken[HOSTS][SECONDS + 1];
};

/* Seconds that are touched by a length with its grace, from the start on. */
static int
seconds_of(int length)
{
	return length ? length + (length + 9) / 10 : SECONDS + 1;
}

static bool
fits_by_counting(const struct count *count, int host, int from, int length, int cpu)
{
	for (int at = from; at <= SECONDS && at < from + seconds_of(length); at++)
		if (count->taken[host][at] + cpu > CPUS)
			return false;
	return true;
}

static void
take_by_counting(struct count *count, int host, int from, int length, int cpu)
{
	for (int at = from; at <= SECONDS && at < from + seconds_of(length); at++)
		count->taken[host][at] += cpu;
}

/* Lengths in tens of seconds, so that a grace is whole seconds too. */
static void
try_request(struct fake_site *site, struct count *count, int number)
{
	int host = below(HOSTS), cpu = 1 + below(3), from = below(SECONDS / 2);
	int length = below(8) ? 10 * (1 + below(10)) : 0, first = from;
	const char *document =
	    document_of(site, arena_format(site->arena, "s%d", number), cpu, host_names[host]);
	struct lease_wish wish = {
	    count->base_ms + from * SECOND, length ? count->base_ms + (from + length) * SECOND : 0};
	bool fits = fits_by_counting(count, host, from, length, cpu);
	struct snc_slice_find_slot_result slot;
	const char *id;
	struct err err;

	while (first <= SECONDS && !fits_by_counting(count, host, first, length, cpu))
		first++;
	slot = find_slot(site, document, length * SECOND, (struct lease_wish){wish.from_ms, 0});
	assert_equal(slot.found, first <= SECONDS);
	assert_true(!slot.found || slot.from_ms == count->base_ms + first * SECOND);
	assert_equal(check(site, document, wish), fits);
	assert_equal(book(site, document, wish, &id, &err), fits);
	if (fits)
		take_by_counting(count, host, from, length, cpu);
}

static void
random_bookings_are_what_a_count_of_every_second_says(void)
{
	struct fake_site *site = fake_site_new();
	struct count count = {.base_ms = (tenant_now_ms(site) / SECOND + 3600) * SECOND};

	for (int i = 0; i < REQUESTS; i++)
		try_request(site, &count, i);
	fake_site_restart_snc(site);
	for (int i = 0; i < REQUESTS / 4; i++)
		try_request(site, &count, REQUESTS + i);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_slice_for_later_holds_its_capacity_survives_a_restart_starts_and_ends_by_itself),
    TEST(what_could_not_start_in_time_starts_when_it_can),
    TEST(what_cannot_start_is_tried_less_often_and_holds_nobody_up),
    TEST(a_renewal_counts_what_a_modify_brings),
    TEST(what_is_over_before_sncd_is_back_never_starts),
    TEST(find_slot_check_and_create_agree_to_the_millisecond),
    TEST(a_renewal_is_granted_as_far_as_there_is_room_and_says_how_far),
    TEST(a_clock_that_jumps_ends_nothing_until_it_is_right_again),
    TEST(a_booked_slice_can_be_deleted_but_not_run),
    TEST(random_bookings_are_what_a_count_of_every_second_says),
};

suite_main("snc_time", tests)
