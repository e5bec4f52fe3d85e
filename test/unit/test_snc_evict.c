/*
 * Hosts that are gone for good, as NOC staff say, and that come back after all.
 */
#include <string.h>
#include <unistd.h>

#include "test/support/fake_slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define ELSEWHERE NODES "link l1 bandwidth=100Mbps : a.p b.p\namap a koganei\namap b nagoya\n"

/* What PAIR has on osaka: a node, and an end of its link. */
enum { AT_OSAKA = 2 };

static const char *const osaka[] = {"programmer@osaka", "redirector@osaka"};

static bool
evict(struct fake_site *site, const char *host, bool is_plan, size_t *n_slices, struct err *err)
{
	struct snc_host_evict_result result = {0};
	bool is_good;

	*err = (struct err){0};
	is_good = snc_host_evict_call(
	    &site->noc, site->arena, &(struct snc_host_evict_args){host, is_plan}, &result, err);
	*n_slices = result.n_slices;
	return is_good;
}

static bool
readmit(struct fake_site *site, struct err *err)
{
	*err = (struct err){0};
	return snc_host_readmit_call(&site->noc, site->arena,
	    &(struct snc_host_readmit_args){"osaka"}, &(struct snc_host_readmit_result){}, err);
}

/* Its daemons answer no more, and sncd has noticed. */
static void
die(struct fake_site *site)
{
	struct snc_orphans_result result;
	struct err err;

	for (size_t i = 0; i < 2; i++)
		fake_manager(site, osaka[i])->is_away = true;
	assert_true(
	    snc_orphans_call(&site->noc, site->arena, &(struct snc_orphans_args){}, &result, &err));
	assert_true(result.n_orphans >= 2);
}

static void
come_back(struct fake_site *site)
{
	for (size_t i = 0; i < 2; i++)
		fake_manager(site, osaka[i])->is_away = false;
	for (size_t i = 0; i < 2; i++)
		fake_hello(site, osaka[i]);
}

static const char *
state_of(struct fake_site *site, const char *host)
{
	struct snc_host_list_result result;
	struct err err;

	assert_true(snc_host_list_call(
	    &site->noc, site->arena, &(struct snc_host_list_args){}, &result, &err));
	for (size_t i = 0; i < result.n_hosts; i++)
		if (str_equal(result.hosts[i].name, host))
			return result.hosts[i].state;
	return "";
}

static int
objects_at_osaka(struct fake_site *site)
{
	return fake_manager(site, osaka[0])->n_objects + fake_manager(site, osaka[1])->n_objects;
}

static bool
osaka_is_empty(struct fake_site *site)
{
	for (int i = 0; i < 2000 && objects_at_osaka(site); i++)
		usleep(5000);
	return objects_at_osaka(site) == 0;
}

/* The last answer may be on its way still. */
static bool
is_readmitted(struct fake_site *site)
{
	struct err err;

	for (int i = 0; i < 2000 && !readmit(site, &err); i++)
		usleep(5000);
	return readmit(site, &err) && str_equal(state_of(site, "osaka"), "up");
}

static bool
has_gone(struct fake_site *site, const char *slice)
{
	for (int i = 0; i < 10; i++)
		if (!fake_wait(site, slice, "GONE"))
			return true;
	return false;
}

static void
a_host_that_answers_is_not_evicted(void)
{
	struct scene scene = scene_start(NULL);
	size_t n_slices;
	struct err err;

	CU_ASSERT_FALSE(evict(scene.site, "osaka", true, &n_slices, &err));
	CU_ASSERT_EQUAL(err.code, ERR_CONFLICT);
	CU_ASSERT_FALSE(evict(scene.site, "sapporo", false, &n_slices, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	assert_text(state_of(scene.site, "osaka"), "up");
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
what_was_being_deleted_is_gone_and_what_the_host_held_goes_when_it_is_back(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct err err;
	size_t n_slices;

	die(site);
	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){scene.id}, &(struct snc_slice_delete_result){}, &err));
	assert_true(has_objects(site, AT_OSAKA));
	assert_text(show(&scene).slices[0].state, "DELETING");
	assert_true(evict(site, "osaka", true, &n_slices, &err));
	assert_equal(n_slices, 1);
	assert_text(show(&scene).slices[0].state, "DELETING");
	assert_true(evict(site, "osaka", false, &n_slices, &err));
	assert_true(has_gone(site, scene.id));
	assert_text(state_of(site, "osaka"), "evicted");
	nothing_orphaned(site);
	assert_equal(objects_at_osaka(site), AT_OSAKA);
	CU_ASSERT_FALSE(readmit(site, &err));
	CU_ASSERT_EQUAL(err.code, ERR_UNAVAILABLE);
	/* What is owed is not forgotten by a restart. */
	fake_site_restart_snc(site);
	assert_text(state_of(site, "osaka"), "evicted");
	come_back(site);
	assert_true(osaka_is_empty(site));
	assert_true(is_readmitted(site));
	nothing_orphaned(site);
	fake_site_free(site);
}

static void
what_runs_goes_on_without_and_is_made_anew_elsewhere(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_slice_modify_result result;
	struct snc_slice_show_result shown;
	struct err err;
	size_t n_slices;

	die(site);
	assert_true(evict(site, "osaka", false, &n_slices, &err));
	shown = show(&scene);
	assert_text(shown.slices[0].state, "RUNNING");
	assert_true(shown.slices[0].degraded);
	assert_true(strstr(shown.slices[0].reason, "evicted") != NULL);
	assert_text(shown.nodes[0].state, "running");
	assert_text(shown.nodes[1].state, "failed");
	/* It is not a place any more. */
	CU_ASSERT_FALSE(
	    modify(&scene, PAIR, (struct snc_slice_modify_args){.restart = true}, &result, &err));
	assert_true(modify(
	    &scene, ELSEWHERE, (struct snc_slice_modify_args){.restart = true}, &result, &err));
	for (int i = 0; i < 2000 && !str_equal(show(&scene).nodes[1].state, "running"); i++)
		usleep(5000);
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS + AT_OSAKA));
	shown = show(&scene);
	CU_ASSERT_FALSE(shown.slices[0].degraded);
	assert_text(shown.nodes[1].host, "nagoya");
	/* Old rows go when it is back, new ones do not. */
	come_back(site);
	assert_true(osaka_is_empty(site));
	assert_true(is_readmitted(site));
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	assert_text(show(&scene).slices[0].state, "RUNNING");
	nothing_orphaned(site);
	fake_create(site, site_document(site->arena, "t", PAIR), NULL);
	assert_text(fake_wait(site, "t", "RUNNING")->state, "RUNNING");
	assert_equal(objects_at_osaka(site), AT_OSAKA);
	fake_site_free(site);
}

static void
what_is_under_way_with_it_is_refused(void)
{
	struct fake_site *site = fake_site_new();
	struct fake_manager *programmer = fake_manager(site, "programmer@osaka");
	const struct snc_slice *slice;
	const char *id;
	struct err err;
	size_t n_slices;

	programmer->is_blocked = true;
	id = fake_create(site, site_document(site->arena, "s", PAIR), NULL);
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS - 1));
	die(site);
	assert_true(evict(site, "osaka", false, &n_slices, &err));
	assert_equal(n_slices, 1);
	slice = fake_wait(site, id, "RUNNING");
	assert_text(slice->state, "DEFINED");
	assert_true(strstr(slice->reason, "evicted") != NULL);
	come_back(site);
	assert_true(has_objects(site, 0));
	assert_true(is_readmitted(site));
	nothing_orphaned(site);
	fake_site_free(site);
}

static bool
retry(
    struct fake_site *site, const char *host, struct snc_host_retry_result *result, struct err *err)
{
	*err = (struct err){0};
	return snc_host_retry_call(
	    &site->noc, site->arena, &(struct snc_host_retry_args){host}, result, err);
}

static void
all_daemons_of_a_host_are_told_to_try_again(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_host_retry_result result;
	struct snc_audit_list_result audit;
	struct err err;

	assert_true(retry(site, "osaka", &result, &err));
	assert_equal(result.n, 0);
	assert_true(retry(site, "ctl", &result, &err)); /* tncd says three */
	assert_equal(result.n, 3);
	CU_ASSERT_FALSE(retry(site, "sapporo", &result, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	fake_manager(site, osaka[1])->is_away = true;
	CU_ASSERT_FALSE(retry(site, "osaka", &result, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	assert_true(snc_audit_list_call(
	    &site->noc, site->arena, &(struct snc_audit_list_args){}, &audit, &err));
	assert_true(audit.n_records >= 2);
	CU_ASSERT_FALSE(snc_host_retry_call(
	    &site->developer, site->arena, &(struct snc_host_retry_args){"osaka"}, &result, &err));
	assert_equal(err.code, ERR_FORBIDDEN);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_host_that_answers_is_not_evicted),
    TEST(all_daemons_of_a_host_are_told_to_try_again),
    TEST(what_was_being_deleted_is_gone_and_what_the_host_held_goes_when_it_is_back),
    TEST(what_runs_goes_on_without_and_is_made_anew_elsewhere),
    TEST(what_is_under_way_with_it_is_refused),
};

suite_main("snc_evict", tests)
