/*
 * sncd on a database that was put back to an older state.
 */
#include <string.h>
#include <unistd.h>

#include "test/support/fake_slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static bool
restore(struct fake_site *site, bool confirm, struct snc_restore_result *result, struct err *err)
{
	*err = (struct err){0};
	return snc_restore_call(
	    &site->noc, site->arena, &(struct snc_restore_args){confirm}, result, err);
}

/* The first call to a manager, or its first hello, tells. */
static struct snc_restore_result
await_quarantine(struct fake_site *site)
{
	struct snc_restore_result result = {0};
	struct err err;

	for (int i = 0; i < 2000; i++, usleep(5000)) {
		assert_true(restore(site, false, &result, &err));
		if (result.why[0])
			return result;
	}
	CU_FAIL("nobody has noticed");
	return result;
}

static void
books_that_are_not_older_are_trusted(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_restore_result result;
	struct err err;

	fake_site_restart_snc(scene.site);
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	assert_true(restore(scene.site, false, &result, &err));
	assert_text(result.why, "");
	CU_ASSERT_FALSE(restore(scene.site, true, &result, &err));
	assert_equal(err.code, ERR_CONFLICT);
	fake_site_free(scene.site);
}

static void
nothing_is_taken_away_before_older_books_are_confirmed(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_restore_result result;
	struct snc_orphans_result orphans;
	struct err err;

	fake_site_back_up(site);
	fake_create(site, site_document(site->arena, "t", PAIR), NULL);
	assert_text(fake_wait(site, "t", "RUNNING")->state, "RUNNING");
	fake_site_restore(site);
	result = await_quarantine(site);
	assert_equal(result.n_unknown, NODE_ROWS + LINK_ROWS);
	err = fake_create_refused(site, site_document(site->arena, "u", PAIR));
	assert_equal(err.code, ERR_UNAVAILABLE);
	CU_ASSERT_FALSE(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){"s"}, &(struct snc_slice_delete_result){}, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	assert_true(snc_orphans_call(
	    &site->noc, site->arena, &(struct snc_orphans_args){}, &orphans, &err));
	assert_true(orphans.n_orphans > NODE_ROWS + LINK_ROWS);
	/* It is not forgotten by a restart, nor by one epoch more. */
	fake_site_restart_snc(site);
	assert_true(await_quarantine(site).why[0]);
	assert_equal(fake_objects(site), 2 * (NODE_ROWS + LINK_ROWS));

	assert_true(restore(site, true, &result, &err));
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	assert_text(fake_wait(site, "s", "RUNNING")->state, "RUNNING");
	for (int i = 0; i < 2000 && show(&scene).slices[0].degraded; i++)
		usleep(5000);
	CU_ASSERT_FALSE(show(&scene).slices[0].degraded);
	nothing_orphaned(site);
	fake_create(site, site_document(site->arena, "u", PAIR), NULL);
	assert_text(fake_wait(site, "u", "RUNNING")->state, "RUNNING");
	assert_true(restore(site, false, &result, &err));
	assert_text(result.why, "");
	fake_site_free(site);
}

static void
what_was_deleted_since_is_shown_as_lost_and_can_be_made_anew(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_restore_result result;
	struct snc_slice_modify_result modified;
	struct err err;

	fake_site_back_up(site);
	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){"s"}, &(struct snc_slice_delete_result){}, &err));
	for (int i = 0; i < 10 && fake_wait(site, "s", "GONE"); i++)
		;
	assert_true(has_objects(site, 0));
	fake_site_restore(site);
	result = await_quarantine(site);
	assert_equal(result.n_unknown, 0);
	assert_true(restore(site, true, &result, &err));
	for (int i = 0; i < 2000 && !str_equal(show(&scene).nodes[1].state, "failed"); i++)
		usleep(5000);
	assert_text(show(&scene).nodes[0].state, "failed");
	assert_true(show(&scene).slices[0].degraded);
	assert_true(
	    modify(&scene, PAIR, (struct snc_slice_modify_args){.restart = true}, &modified, &err));
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	for (int i = 0; i < 2000 && !str_equal(show(&scene).nodes[1].state, "running"); i++)
		usleep(5000);
	assert_text(show(&scene).nodes[1].state, "running");
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(books_that_are_not_older_are_trusted),
    TEST(nothing_is_taken_away_before_older_books_are_confirmed),
    TEST(what_was_deleted_since_is_shown_as_lost_and_can_be_made_anew),
};

suite_main("snc_restore", tests)
