/*
 * Steps of a modify that fail, and slices that leave their state while they are modified: nothing
 * is left half done, and the owner is told.
 */
#include <string.h>
#include <unistd.h>

#include "test/support/fake_slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static bool
was_told(const struct scene *scene, const char *what)
{
	struct fake_site *site = scene->site;
	struct snc_events_result result;
	struct err err;

	assert_true(snc_events_call(
	    &site->noc, site->arena, &(struct snc_events_args){-1, scene->id, 0}, &result, &err));
	for (size_t i = 0; i < result.n_events; i++)
		if (!strcmp(result.events[i].what, what))
			return true;
	return false;
}

static bool
is_told(const struct scene *scene, const char *what)
{
	for (int i = 0; i < 2000 && !was_told(scene, what); i++)
		usleep(5000);
	return was_told(scene, what);
}

static void
run_sql(struct fake_site *site, const char *sql)
{
	auto_txn struct txn *txn = store_begin(site->store);
	struct err err;

	assert_true(txn_run(txn, &err, sql, "") && txn_commit(&txn, &err));
}

/* One more node, which does not come to be as long as nagoya waits. */
static void
modify_and_wait(const struct scene *scene)
{
	struct snc_slice_modify_result result;
	struct err err;

	fake_manager(scene->site, "programmer@nagoya")->is_blocked = true;
	assert_true(modify(scene,
	    NODES "node c : p\nlink l1 bandwidth=200Mbps : a.p b.p\n" PLACES "amap c nagoya\n",
	    (struct snc_slice_modify_args){}, &result, &err));
	assert_text(show(scene).slices[0].state, "MODIFYING");
}

static void
a_step_that_fails_is_taken_again(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;

	run_sql(site, "CREATE TRIGGER no_switch BEFORE UPDATE ON modify WHEN NEW.is_switched = 1"
		      " BEGIN SELECT RAISE(ABORT, 'not now'); END");
	modify_and_wait(&scene);
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_true(is_told(&scene, "waits"));
	assert_text(show(&scene).slices[0].state, "MODIFYING");
	assert_equal(show(&scene).links[0].rate_ab_bps, 100000000);

	run_sql(site, "DROP TRIGGER no_switch");
	assert_text(fake_wait(site, scene.id, NULL)->state, "RUNNING");
	assert_equal(show(&scene).n_nodes, 3);
	assert_equal(show(&scene).links[0].rate_ab_bps, 200000000);
	assert_true(has_objects(site, NODE_ROWS + 1 + LINK_ROWS));
	nothing_orphaned(site);
	fake_site_free(site);
}

static void
the_last_step_that_fails_is_taken_again(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;

	run_sql(site, "CREATE TRIGGER no_end BEFORE DELETE ON modify"
		      " BEGIN SELECT RAISE(ABORT, 'not now'); END");
	modify_and_wait(&scene);
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_true(is_told(&scene, "waits"));
	run_sql(site, "DROP TRIGGER no_end");
	assert_text(fake_wait(site, scene.id, NULL)->state, "RUNNING");
	assert_equal(show(&scene).n_nodes, 3);
	assert_true(has_objects(site, NODE_ROWS + 1 + LINK_ROWS));
	fake_site_free(site);
}

static void
a_slice_that_is_lost_meanwhile_says_that_it_was_not_modified(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct txn *txn;
	struct err err;

	modify_and_wait(&scene);
	txn = store_begin(site->store);
	assert_true(controller_goal(site->snc->controller, txn, scene.id, ROW_RELEASED, &err) &&
		    txn_commit(&txn, &err));
	controller_wake(site->snc->controller);
	assert_true(is_told(&scene, "unmodified"));
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_true(has_objects(site, 0));
	fake_site_free(site);
}

static void
a_slice_that_left_its_state_meanwhile_says_that_it_was_not_modified(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;

	modify_and_wait(&scene);
	run_sql(site, "UPDATE slice SET engine = 'COMMITTING'");
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_true(is_told(&scene, "unmodified"));
	assert_text(show(&scene).slices[0].code, "O01");
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_step_that_fails_is_taken_again),
    TEST(the_last_step_that_fails_is_taken_again),
    TEST(a_slice_that_is_lost_meanwhile_says_that_it_was_not_modified),
    TEST(a_slice_that_left_its_state_meanwhile_says_that_it_was_not_modified),
};

suite_main("modify_mend", tests)
