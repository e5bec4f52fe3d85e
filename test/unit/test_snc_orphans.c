/*
 * Orphans: what a manager has and no slice wants, and what a slice has and its manager does not.
 */
#include <string.h>

#include "lib/api/snc_api.h"
#include "lib/base/id.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char pair[] = "node a : p\nnode b : p\nlink l : a.p b.p\n";

static struct snc_orphans_result
list(struct fake_site *site)
{
	struct snc_orphans_result result;

	assert_true(
	    snc_orphans_call(&site->noc, site->arena, &(struct snc_orphans_args){}, &result, NULL));
	return result;
}

/* Behind the back of sncd, but in its name. */
static void
call_manager(struct fake_site *site, const char *manager, enum verb verb, uint64_t rid)
{
	struct row_want want = {.rid = rid, .kind = "hub", .spec = ""};
	struct row_have have;
	struct manager_call told = {.arena = site->arena, .caller = {.owner = "snc@ctl"}};
	struct manager_call call = {.verb = verb,
	    .want = &want,
	    .have = &have,
	    .n = 1,
	    .arena = site->arena,
	    .caller = {.owner = "snc@ctl", .deadline_ms = 5000}};

	assert_true(manager_status(fake_manager(site, manager)->manager, 0, &told, NULL));
	call.caller.epoch = told.caller.epoch;
	call.caller.life = told.caller.life;
	assert_true(manager_call(fake_manager(site, manager)->manager, &call, NULL));
	assert_equal(have.why.code, ERR_NONE);
}

/* The first row that the manager has. */
static uint64_t
first_row(struct fake_site *site, const char *manager)
{
	struct manager_call status = {.arena = site->arena, .caller = {.owner = "snc@ctl"}};

	assert_true(manager_status(fake_manager(site, manager)->manager, 0, &status, NULL));
	assert_true(status.n > 0);
	return status.have[0].rid;
}

static void
what_does_not_agree_is_told_of_both_sides(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "pair", pair), NULL);
	uint64_t stray = id_make(1, 1000000);
	struct snc_orphans_result told;

	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_equal(list(site).n_orphans, 0);

	call_manager(site, "redirector@osaka", VERB_RESERVE, stray);
	told = list(site);
	assert_equal(told.n_orphans, 1);
	assert_text(told.orphans[0].manager, "redirector@osaka");
	assert_true(strstr(told.orphans[0].line, id_text(stray).text) != NULL);
	assert_true(strstr(told.orphans[0].line, "belongs to no slice") != NULL);

	call_manager(site, "redirector@osaka", VERB_RELEASE, stray);
	call_manager(site, "tnc@ctl", VERB_RELEASE, first_row(site, "tnc@ctl"));
	told = list(site);
	assert_equal(told.n_orphans, 1);
	assert_text(told.orphans[0].manager, "tnc@ctl");
	assert_text(told.orphans[0].line, "its row of link l is missing");
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(what_does_not_agree_is_told_of_both_sides),
};

suite_main("snc_orphans", tests)
