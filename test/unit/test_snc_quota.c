/*
 * Quotas and usage over sncd's API: how much of what at every instant, the same for check,
 * find-slot, create, run, modify and renew; what was used, over restarts.
 */
#include <stdlib.h>

#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define HOUR 3600000LL

/* ---- quotas ---------------------------------------------------------------------------------- */

static void
each_user_has_a_share_and_the_site_a_default(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish mine = {.client = &site->developer,
			       .document = tenant_document(site, "one", 1)},
			   theirs = {.client = &site->other,
			       .document = tenant_document(site, "theirs", 1)};
	const char *first;
	struct err err;

	tenant_project(site, "ring", "dev1");
	tenant_joined(site, "ring", "dev2", "member");
	tenant_limit(site, NULL, "each", "slices", 1);
	first = tenant_made(site, &mine);
	mine.document = tenant_document(site, "two", 1);
	mine.goal = "DEFINED";
	err = tenant_refused(site, &mine);
	assert_equal(ERR_A03, err.code);
	assert_text("quota of 'dev1' in project 'ring'", err.subject);
	tenant_made(site, &theirs);
	tenant_limit(site, "ring", "each", "slices", -1);
	tenant_made(site, &mine);
	tenant_limit(site, "ring", "each", "slices", -2);
	mine.document = tenant_document(site, "three", 1);
	assert_equal(ERR_A03, tenant_refused(site, &mine).code);
	tenant_delete(site, first);
	assert_equal(ERR_A03, tenant_refused(site, &mine).code); /* `two` is still there */
	fake_site_free(site);
}

/* What is found can be made, and nothing before it. */
static void
check_find_slot_and_create_count_alike_in_time(void)
{
	struct fake_site *site = fake_site_new();
	int64_t start_ms = tenant_now_ms(site) + HOUR;
	struct tenant_wish wish = {.client = &site->developer,
	    .document = tenant_document(site, "first", 2),
	    .from_ms = start_ms,
	    .until_ms = start_ms + HOUR};
	struct snc_slice_find_slot_args search = {
	    .duration_ms = tenant_instant(HOUR), .after_ms = tenant_instant(start_ms)};
	struct snc_slice_find_slot_result slot;
	struct err err;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "cpu", 3);
	tenant_made(site, &wish);
	wish.document = tenant_document(site, "second", 2);
	assert_equal(ERR_A03, tenant_refused(site, &wish).code);
	assert_true(!tenant_check(site, &wish).feasible);
	search.document = (struct rpc_blob){wish.document, strlen(wish.document)};
	assert_true(snc_slice_find_slot_call(&site->developer, site->arena, &search, &slot, &err));
	assert_true(slot.found && slot.from_ms > start_ms + HOUR);
	wish.from_ms = slot.from_ms - 1000;
	wish.until_ms = slot.until_ms - 1000;
	assert_equal(ERR_A03, tenant_refused(site, &wish).code);
	wish.from_ms = slot.from_ms;
	wish.until_ms = slot.until_ms;
	assert_true(tenant_check(site, &wish).feasible);
	tenant_made(site, &wish);
	fake_site_free(site);
}

static int64_t
used(struct fake_site *site, const char *what)
{
	struct snc_project_show_result shown;
	struct err err;

	assert_true(snc_project_show_call(
	    &site->developer, site->arena, &(struct snc_project_show_args){"ring"}, &shown, &err));
	for (size_t i = 0; i < shown.n_limits; i++)
		if (!strcmp(shown.limits[i].what, what) &&
		    !strcmp(shown.limits[i].scope, "project"))
			return shown.limits[i].used;
	return -1;
}

/* The same, waiting for it. */
static bool
is_used(struct fake_site *site, const char *what, int64_t wanted)
{
	for (int i = 0; i < 100; i++) {
		int64_t rung = events_rung(site->snc->events);

		if (used(site, what) == wanted)
			return true;
		(void)events_wait(site->snc->events, rung, 100);
	}
	return false;
}

static void
run_and_modify_are_within_the_quota_too(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {.client = &site->developer,
	    .document = tenant_pair(site, "pair", "40Mbps"),
	    .goal = "DEFINED"};
	const char *id;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "rate", 30000000);
	id = tenant_made(site, &wish);
	assert_equal(0, used(site, "rate"));
	assert_equal(ERR_A03, tenant_run(site, &site->developer, id));
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_pair(site, "pair", "20Mbps")));
	assert_equal(ERR_NONE, tenant_run(site, &site->developer, id));
	assert_text("RUNNING", fake_wait(site, id, "RUNNING")->state);
	assert_equal(20000000, used(site, "rate"));
	assert_equal(ERR_A03, tenant_modify(site, id, tenant_pair(site, "pair", "31Mbps")));
	assert_equal(20000000, used(site, "rate"));
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_pair(site, "pair", "30Mbps")));
	assert_text("RUNNING", fake_wait(site, id, NULL)->state);
	assert_true(is_used(site, "rate", 30000000));
	tenant_limit(
	    site, "ring", "project", "rate", 10000000); /* what is there stays, and may shrink */
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_pair(site, "pair", "25Mbps")));
	assert_text("RUNNING", fake_wait(site, id, NULL)->state);
	assert_true(is_used(site, "rate", 25000000));
	fake_site_free(site);
}

static void
modify_that_is_rolled_back_gives_its_claim_back(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {.client = &site->developer,
	    .document = tenant_pair(site, "pair", "20Mbps"),
	    .goal = "RUNNING"};
	const char *id;

	tenant_project(site, "ring", "dev1");
	id = tenant_made(site, &wish);
	assert_text("RUNNING", fake_wait(site, id, "RUNNING")->state);
	fake_manager(site, "tnc@ctl")->refuse_code = ERR_R03;
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_pair(site, "pair", "90Mbps")));
	assert_text("R03", fake_wait(site, id, NULL)->code);
	fake_manager(site, "tnc@ctl")->refuse_code = 0;
	assert_true(is_used(site, "rate", 20000000));
	fake_site_free(site);
}

static void
slice_that_could_not_be_had_is_not_counted(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {.client = &site->developer,
	    .document = tenant_pair(site, "pair", "20Mbps"),
	    .goal = "RUNNING"};
	const char *id;

	tenant_project(site, "ring", "dev1");
	fake_manager(site, "tnc@ctl")->refuse_code = ERR_R03;
	id = tenant_made(site, &wish);
	assert_text("DEFINED", fake_wait(site, id, NULL)->state);
	assert_true(is_used(site, "rate", 0));
	assert_equal(0, used(site, "cpu"));
	assert_equal(1, used(site, "slices"));
	fake_site_free(site);
}

static bool
renew(struct fake_site *site, const char *slice, int64_t until_ms, struct err *err)
{
	return snc_slice_renew_call(&site->developer, site->arena,
	    &(struct snc_slice_renew_args){slice, tenant_instant(until_ms)},
	    &(struct snc_slice_renew_result){}, err);
}

/* 100 Mbps for 2 h are 200 Mbps x h, grace included. */
static void
hours_are_promised_to_the_end_of_a_lease(void)
{
	struct fake_site *site = fake_site_new();
	int64_t start_ms = tenant_now_ms(site) + HOUR;
	struct tenant_wish wish = {.client = &site->developer,
	    .document = tenant_pair(site, "pair", "100Mbps"),
	    .from_ms = start_ms};
	struct err err;
	const char *id;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "rate-hours", 200000000);
	err = tenant_refused(site, &wish);
	assert_equal(ERR_A03, err.code);
	assert_true(strstr(err.text, "without an end") && strstr(err.hint, "--until "));
	wish.until_ms = start_ms + 2 * HOUR; /* its grace is too much */
	err = tenant_refused(site, &wish);
	assert_equal(ERR_A03, err.code);
	wish.until_ms = start_ms + HOUR;
	id = tenant_made(site, &wish);
	assert_true(used(site, "rate-hours") >= 100000000);
	assert_true(used(site, "rate-hours") <= 120000000);
	assert_true(!renew(site, id, start_ms + 3 * HOUR, &err));
	assert_equal(ERR_A03, err.code);
	assert_true(!renew(site, id, 0, &err));
	assert_equal(ERR_A03, err.code);
	assert_true(renew(site, id, start_ms + 3 * HOUR / 2, &err));
	assert_true(used(site, "rate-hours") >= 150000000);
	wish.document = tenant_pair(site, "more", "100Mbps");
	assert_equal(ERR_A03, tenant_refused(site, &wish).code);
	tenant_delete(site, id); /* it never began */
	assert_equal(0, used(site, "rate-hours"));
	tenant_made(site, &wish);
	fake_site_free(site);
}

/* ---- usage ----------------------------------------------------------------------------------- */

static struct snc_usage
usage_of(struct fake_site *site, const struct rpc_client *client, const char *user,
    struct lease_wish period)
{
	struct snc_usage_args args = {
	    NULL, user, tenant_instant(period.from_ms), tenant_instant(period.until_ms)};
	struct snc_usage_result result;
	struct err err;

	assert_true(snc_usage_call(client, site->arena, &args, &result, &err));
	return result.n_usage ? result.usage[0] : (struct snc_usage){.project = "", .user = ""};
}

static bool
is_about(int64_t value, int64_t wanted)
{
	return value >= wanted && value <= wanted + wanted / 10;
}

static void
usage_is_what_was_held_for_how_long(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {
	    .client = &site->developer, .document = tenant_pair(site, "pair", "50Mbps")};
	int64_t start_ms = tenant_now_ms(site);
	struct snc_usage usage;
	const char *id = tenant_made(site, &wish);

	assert_text("RESERVED", fake_wait(site, id, "RESERVED")->state);
	fake_site_pass(site, 2 * HOUR);
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_pair(site, "pair", "100Mbps")));
	assert_text("RESERVED", fake_wait(site, id, NULL)->state);
	fake_site_restart_snc(site);
	fake_site_pass(site, HOUR);
	usage = usage_of(site, &site->developer, NULL, (struct lease_wish){0});
	assert_text("default", usage.project);
	assert_text("dev1", usage.user);
	assert_equal(1, usage.n_slices);
	assert_true(is_about(usage.slice_seconds, 3 * 3600LL));
	assert_true(is_about(usage.cpu_seconds, 6 * 3600LL));
	assert_true(is_about(usage.rate_bps_hours, 200000000));
	usage = usage_of(site, &site->noc, "dev1", (struct lease_wish){start_ms, start_ms + HOUR});
	assert_true(usage.rate_bps_hours <= 50000000 && usage.rate_bps_hours > 45000000);
	assert_equal(0, usage_of(site, &site->other, NULL, (struct lease_wish){0}).n_slices);
	tenant_delete(site, id);
	fake_site_pass(site, 5 * HOUR);
	fake_site_restart_snc(site);
	usage = usage_of(site, &site->viewer, "dev1", (struct lease_wish){0});
	assert_true(is_about(usage.slice_seconds, 3 * 3600LL));
	fake_site_free(site);
}

static void
project_sees_the_usage_of_all_in_it(void)
{
	struct fake_site *site = fake_site_new();

	tenant_project(site, "ring", "dev1");
	tenant_made(site, &(struct tenant_wish){.client = &site->developer,
			      .document = tenant_document(site, "mine", 3)});
	fake_site_pass(site, HOUR);
	assert_equal(0, usage_of(site, &site->other, NULL, (struct lease_wish){0}).n_slices);
	tenant_joined(site, "ring", "dev2", "viewer");
	assert_true(is_about(
	    usage_of(site, &site->other, "dev1", (struct lease_wish){0}).cpu_seconds, 3 * 3600LL));
	fake_site_free(site);
}

/* ---- against a count of every instant -------------------------------------------------------- */

struct booked {
	int64_t from_ms, until_ms;
	int cpu;
};

/* The most CPUs that are booked at one instant of a window: demand only grows at starts. */
static int
most_at_once(const struct booked *booked, size_t n, struct calendar_span window)
{
	int most = 0;

	for (size_t i = 0; i <= n; i++) {
		int64_t at_ms = i < n ? booked[i].from_ms : window.from_ms;
		int now = 0;

		if (at_ms < window.from_ms)
			at_ms = window.from_ms;
		if (at_ms >= window.until_ms)
			continue;
		for (size_t k = 0; k < n; k++)
			if (booked[k].from_ms <= at_ms && booked[k].until_ms > at_ms)
				now += booked[k].cpu;
		most = now > most ? now : most;
	}
	return most;
}

static void
quota_is_never_exceeded_at_any_instant(void)
{
	enum { ROUNDS = 40, ALLOWED = 4 };
	struct fake_site *site = fake_site_new();
	int64_t base_ms = (tenant_now_ms(site) / 1000 + 3600) * 1000;
	struct booked booked[ROUNDS];
	unsigned seed = 7;
	size_t n = 0;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "cpu", ALLOWED);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t from_ms = base_ms + rand_r(&seed) % 30 * 60000LL;
		int64_t until_ms = from_ms + (1 + rand_r(&seed) % 10) * 60000LL;
		int cpu = 1 + rand_r(&seed) % 3;
		/* its grace is a tenth of its time */
		struct calendar_span window = {from_ms, until_ms + (until_ms - from_ms) / 10};
		bool should_fit = most_at_once(booked, n, window) + cpu <= ALLOWED;
		struct tenant_wish wish = {.client = &site->developer,
		    .document = tenant_document(site, arena_format(site->arena, "s%d", i), cpu),
		    .from_ms = from_ms,
		    .until_ms = until_ms};
		struct err err = {0};
		const char *id;

		assert_equal(should_fit, tenant_check(site, &wish).feasible);
		assert_equal(should_fit, tenant_make(site, &wish, &id, &err));
		assert_equal(should_fit ? ERR_NONE : ERR_A03, err.code);
		if (should_fit)
			booked[n++] = (struct booked){window.from_ms, window.until_ms, cpu};
	}
	assert_true(n > 3 && n < ROUNDS);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(each_user_has_a_share_and_the_site_a_default),
    TEST(check_find_slot_and_create_count_alike_in_time),
    TEST(run_and_modify_are_within_the_quota_too),
    TEST(modify_that_is_rolled_back_gives_its_claim_back),
    TEST(slice_that_could_not_be_had_is_not_counted),
    TEST(hours_are_promised_to_the_end_of_a_lease),
    TEST(usage_is_what_was_held_for_how_long),
    TEST(project_sees_the_usage_of_all_in_it),
    TEST(quota_is_never_exceeded_at_any_instant),
};

suite_main("snc_quota", tests)
