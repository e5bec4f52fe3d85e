/*
 * The controller when something was lost: an object, a database, a manager, itself.
 */
#include "lib/engine/controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "test/support/bench.h"
#include "test/support/crash.h"
#include "test/support/suite.h"

static struct bench *
start(const char *name, int capacity)
{
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/%s", test_dir(), name);
	return bench_new(dir, capacity);
}

static void
await(struct bench *bench, const char *group, enum group_state state)
{
	assert_true(bench_await(bench, group, state));
}

static bool
is_row_real(void *self)
{
	auto_arena struct arena *arena = arena_new();

	return bench_row(self, "g1", 0, arena).is_real;
}

static bool
is_row_real_passing(void *self)
{
	bench_pass_ms(self, 500);
	return is_row_real(self);
}

static bool
is_row_unreal(void *self)
{
	return !is_row_real(self);
}

/* The manager says so until it is heard. */
static bool
is_row_unreal_by_hello(void *self)
{
	struct bench *bench = self;
	auto_arena struct arena *arena = arena_new();
	uint64_t rid = bench_row(bench, "g1", 0, arena).row.rid;

	controller_heard(
	    bench->controller, "site@0", store_uuid(bench->sites[0].store), 0, &rid, 1);
	return is_row_unreal(self);
}

static bool
is_probed(void *self)
{
	struct bench *bench = self;

	return bench->sites[0].n_calls >= 6;
}

static void
a_vanished_object_is_seen_by_hello_and_the_group_stays_active(void)
{
	struct bench *bench = start("hello", 4);
	uint64_t rids[N_SITES];
	enum group_state state;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);
	bench->sites[0].world.ensure_code = ERR_UNAVAILABLE;
	world_drop(&bench->sites[0].world, rids[0]);
	bench_pass_ms(bench, 6000); /* the manager's own look */
	assert_true(eventually(is_row_unreal_by_hello, bench));
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_ACTIVE);

	bench->sites[0].world.ensure_code = 0;
	assert_true(eventually(is_row_real_passing, bench));
	bench_free(bench);
}

static void
a_manager_that_lost_its_database_gets_its_rows_again(void)
{
	struct bench *bench = start("amnesia", 4);
	struct site *site = &bench->sites[0];
	uint64_t rids[N_SITES];
	enum group_state state;
	char path[220];

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);
	controller_heard(bench->controller, "site@0", store_uuid(site->store), 0, NULL, 0);
	site->is_cut = true;
	site_stop(site);
	assert_true(!unlink(site->path));
	snprintf(path, sizeof(path), "%s-wal", site->path);
	(void)!unlink(path);
	site_start(bench, site);
	controller_heard(bench->controller, "site@0", store_uuid(site->store), 0, NULL, 0);

	assert_true(eventually(is_row_unreal, bench));
	site->is_cut = false;
	assert_true(eventually(is_row_real_passing, bench));
	assert_true(world_has(&site->world, rids[0]));
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_ACTIVE);
	bench_free(bench);
}

static void
a_restart_goes_on_where_it_was(void)
{
	struct bench *bench = start("restart", 4);
	int64_t epoch = controller_epoch(bench->controller);
	uint64_t rids[N_SITES], more[N_SITES];

	bench->sites[1].is_cut = true;
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	bench_stop_controller(bench);
	bench->sites[1].is_cut = false;
	bench_start_controller(bench);
	await(bench, "g1", GROUP_ACTIVE);

	assert_equal(controller_epoch(bench->controller), epoch + 1);
	bench_admit(bench, "g2", 1, ROW_COMMITTED, more);
	await(bench, "g2", GROUP_ACTIVE);
	assert_equal(id_epoch(more[0]), epoch + 1);
	assert_equal(id_counter(more[0]), id_counter(rids[1]) + 1);
	assert_true(controller_expects(bench->controller, "site@0", rids[0]));
	assert_true(!controller_expects(bench->controller, "site@1", rids[0]));
	bench_free(bench);
}

static bool
has_no_tombstones(void *self)
{
	struct bench *bench = self;
	auto_arena struct arena *arena = arena_new();
	struct manager_call status = {.arena = arena, .caller = {.owner = "test@ctl"}};

	return manager_status(bench->sites[0].manager, 0, &status, NULL) && status.n == 1;
}

static void
the_floor_rises_with_the_living(void)
{
	struct bench *bench = start("floor", 4);
	uint64_t rids[N_SITES];

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);
	bench_goal(bench, "g1", ROW_RELEASED);
	await(bench, "g1", GROUP_GONE);
	bench_admit(bench, "g2", 1, ROW_COMMITTED, rids);
	await(bench, "g2", GROUP_ACTIVE);
	site_stop(&bench->sites[0]); /* the sweeper's first round forgets */
	site_start(bench, &bench->sites[0]);

	assert_true(eventually(has_no_tombstones, bench));
	bench_free(bench);
}

static void
ignore_line(void *self, enum log_level level, const char *line)
{
	(void)self, (void)level, (void)line;
}

static bool
is_called(void *self)
{
	struct bench *bench = self;

	bench_pass_ms(bench, 20);
	return bench->clock.ahead_ms > 10000;
}

static void
a_replaced_controller_falls_silent(void)
{
	struct bench *bench = start("stale", 4);
	auto_arena struct arena *arena = arena_new();
	struct manager_call newer = {
	    .verb = VERB_RESERVE, .arena = arena, .caller = {.owner = "test@ctl", .epoch = 99}};
	uint64_t rids[N_SITES];
	int n_calls;

	log_set_sink(ignore_line, NULL);
	assert_true(manager_call(bench->sites[0].manager, &newer, NULL));
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	assert_true(eventually(is_called, bench));
	bench_stop_controller(bench);
	n_calls = bench->sites[0].n_calls;
	log_set_sink(NULL, NULL);

	assert_true(n_calls <= 2);
	assert_equal(world_count(&bench->sites[0].world), 0);
	bench_start_controller(bench);
	bench_free(bench);
}

static void
a_silent_manager_is_probed_and_then_gets_all_at_once(void)
{
	struct bench *bench = start("probe", 400);
	uint64_t rids[N_SITES];
	char name[20];

	bench->sites[0].is_cut = true;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		bench_admit(bench, name, 1, ROW_COMMITTED, rids);
	}
	assert_true(eventually(is_probed, bench));
	bench->sites[0].is_cut = false;
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		assert_true(bench_await_passing(bench, name, GROUP_ACTIVE, 10));
	}
	bench_free(bench);
}

static bool
is_refused(struct bench *bench, enum err_code code)
{
	uint64_t rids[N_SITES];
	struct err err = {0};

	return !bench_try_admit(bench, "g2", 1, ROW_COMMITTED, rids, &err) && err.code == code;
}

/* In the child: a disk of 4 MiB, which does not have the ballast. */
static void
live_on_a_full_disk(void)
{
	enum { BALLAST = 8 << 20 };

	const char *dir = test_dir();
	struct bench *bench;
	uint64_t rids[N_SITES];

	child_must(test_own_disk(dir, "4m"), "a disk of its own");
	bench = bench_new(dir, 4);
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	child_must(bench_await(bench, "g1", GROUP_ACTIVE), "it stands");

	child_must(store_keep_ballast(bench->sites[0].store, BALLAST, NULL), "a full site");
	bench_admit(bench, "g2", 1, ROW_COMMITTED, rids);
	child_must(bench_await(bench, "g2", GROUP_GONE), "the site refuses");
	child_must(bench->why.code == ERR_CAPACITY, bench->why.text);
	child_must(store_keep_ballast(bench->store, BALLAST, NULL), "a full controller");
	child_must(is_refused(bench, ERR_UNAVAILABLE), "so does the controller");

	/* What stands is kept, and can be given back. */
	child_must(bench_await(bench, "g1", GROUP_ACTIVE), "it stands still");
	bench_goal(bench, "g1", ROW_RELEASED);
	child_must(bench_await(bench, "g1", GROUP_GONE), "it is gone");
	bench_free(bench);
	_exit(0);
}

static void
on_a_full_disk_things_are_given_back_and_none_are_taken(void)
{
	CU_ASSERT_EQUAL(test_die_at(NULL, live_on_a_full_disk), 0);
}

struct changed_row {
	struct bench *bench;
	uint64_t rid;
};

static bool
has_rate(void *self)
{
	struct changed_row *row = self;
	auto_free char *attr = world_attr(&row->bench->sites[0].world, row->rid);

	return str_equal(attr, "rate=7\n");
}

/* The controller dies before it has looked at what was asked for. */
static void
what_was_only_asked_for_is_done_after_a_restart(void)
{
	struct bench *bench = start("asked", 4);
	uint64_t released[N_SITES], changed[N_SITES];
	struct txn *txn;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, released);
	bench_admit(bench, "g2", 1, ROW_COMMITTED, changed);
	assert_true(bench_await(bench, "g1", GROUP_ACTIVE));
	assert_true(bench_await(bench, "g2", GROUP_ACTIVE));
	txn = store_begin(bench->store);
	assert_true(controller_goal(bench->controller, txn, "g1", ROW_RELEASED, NULL) &&
		    controller_set_attr(bench->controller, txn, changed[0], "rate=7\n", NULL) &&
		    txn_commit(&txn, NULL));
	bench_stop_controller(bench);
	bench_start_controller(bench);

	assert_true(bench_await(bench, "g1", GROUP_GONE));
	assert_true(eventually(has_rate, &(struct changed_row){bench, changed[0]}));
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(a_vanished_object_is_seen_by_hello_and_the_group_stays_active),
    TEST(a_manager_that_lost_its_database_gets_its_rows_again),
    TEST(a_restart_goes_on_where_it_was),
    TEST(the_floor_rises_with_the_living),
    TEST(a_replaced_controller_falls_silent),
    TEST(a_silent_manager_is_probed_and_then_gets_all_at_once),
    TEST(on_a_full_disk_things_are_given_back_and_none_are_taken),
    TEST(what_was_only_asked_for_is_done_after_a_restart),
};

suite_main("controller_faults", tests)
