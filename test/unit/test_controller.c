/*
 * The controller against two real managers whose worlds are folders.
 */
#include "lib/engine/controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "test/support/bench.h"
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

static void
a_group_becomes_active_and_gone(void)
{
	struct bench *bench = start("happy", 4);
	uint64_t rids[N_SITES];
	auto_free char *attr = NULL;
	char wanted[60];

	bench_admit(bench, "g1", 2, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);

	assert_true(world_has(&bench->sites[0].world, rids[0]));
	snprintf(wanted, sizeof(wanted), "peer=u%s\n", id_text(rids[0]).text);
	attr = world_attr(&bench->sites[1].world, rids[1]);
	assert_text(attr, wanted);

	bench_goal(bench, "g1", ROW_RELEASED);
	await(bench, "g1", GROUP_GONE);

	assert_equal(world_count(&bench->sites[0].world), 0);
	assert_equal(world_count(&bench->sites[1].world), 0);
	assert_true(!controller_expects(bench->controller, "site@0", rids[0]));
	bench_free(bench);
}

static void
what_does_not_fit_is_refused_and_leaves_nothing(void)
{
	struct bench *bench = start("refused", 4);
	uint64_t rids[N_SITES];

	bench->sites[1].world.capacity = 1;
	bench_admit(bench, "g1", 2, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_GONE);

	assert_equal(bench->why.code, ERR_CAPACITY);
	assert_text(bench->why.text, "unit b: 2 wanted, 1 left");
	assert_text(bench->why.subject, "unit b");
	assert_equal(world_count(&bench->sites[0].world), 0);
	bench_admit(bench, "g2", 1, ROW_COMMITTED, rids);
	await(bench, "g2", GROUP_ACTIVE);
	bench_free(bench);
}

static void
a_manager_out_of_reach_fails_the_group_which_then_waits_for_it(void)
{
	struct bench *bench = start("cut", 4);
	uint64_t rids[N_SITES];
	enum group_state state;

	bench->sites[0].is_cut = true;
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	assert_true(bench_await_passing(bench, "g1", GROUP_RELEASING, 1000));

	assert_equal(bench->why.code, ERR_O03);
	assert_true(strstr(bench->why.text, "unit a: manager 'site@0' cannot be reached") != NULL);
	bench_pass_ms(bench, INT64_C(24) * 3600000);
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_RELEASING);
	bench->sites[0].is_cut = false;
	assert_true(bench_await_passing(bench, "g1", GROUP_GONE, 1000));
	bench_free(bench);
}

static void
a_row_that_cannot_be_made_takes_the_group_down(void)
{
	struct bench *bench = start("hard", 4);
	uint64_t rids[N_SITES];

	bench->sites[1].world.ensure_code = ERR_BAD_VALUE;
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_GONE);

	assert_equal(bench->why.code, ERR_BAD_VALUE);
	assert_equal(world_count(&bench->sites[0].world), 0);
	bench_free(bench);
}

static void
what_only_waits_is_waited_for(void)
{
	struct bench *bench = start("slow", 4);
	uint64_t rids[N_SITES];

	bench->sites[1].world.ensure_code = ERR_WAIT;
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_COMMITTING);
	bench->sites[1].world.ensure_code = 0;
	manager_wake(bench->sites[1].manager);

	await(bench, "g1", GROUP_ACTIVE);
	bench_free(bench);
}

static void
what_never_comes_is_given_up_at_the_deadline(void)
{
	struct bench *bench = start("never", 4);
	uint64_t rids[N_SITES];

	bench->sites[1].world.ensure_code = ERR_WAIT;
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_COMMITTING);
	assert_true(bench_await_passing(bench, "g1", GROUP_GONE, 1000));

	assert_equal(bench->why.code, ERR_TIMEOUT);
	assert_equal(world_count(&bench->sites[0].world), 0);
	bench_free(bench);
}

static void
a_reservation_is_kept_alive_and_then_run(void)
{
	struct bench *bench = start("reserved", 4);
	uint64_t rids[N_SITES];
	enum group_state state;

	bench_admit(bench, "g1", 1, ROW_HELD, rids);
	await(bench, "g1", GROUP_RESERVED);
	for (int i = 0; i < 20; i++) { /* ten minutes; every other step may find a call out */
		int n_calls = bench->sites[1].n_calls;

		bench_pass_ms(bench, 31000);
		for (int look = 0; look < 100 && bench->sites[1].n_calls == n_calls; look++)
			usleep(1000);
	}
	assert_true(bench->sites[1].n_calls > 10);
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_RESERVED);
	assert_equal(world_count(&bench->sites[0].world), 0);

	bench_goal(bench, "g1", ROW_COMMITTED);
	await(bench, "g1", GROUP_ACTIVE);
	bench_free(bench);
}

static bool
was_called(void *self)
{
	struct bench *bench = self;

	return bench->sites[0].n_calls > 0 && bench->sites[1].n_calls > 0;
}

static void
a_controller_that_restarts_often_keeps_its_reservations(void)
{
	struct bench *bench = start("restarts", 4);
	uint64_t rids[N_SITES];
	enum group_state state;

	bench_admit(bench, "g1", 1, ROW_HELD, rids);
	await(bench, "g1", GROUP_RESERVED);
	for (int i = 0; i < 10; i++) { /* always sooner than the next renewal would be due */
		bench_stop_controller(bench);
		bench->clock.ahead_ms += 25000;
		for (int k = 0; k < N_SITES; k++)
			manager_wake(bench->sites[k].manager);
		bench->sites[0].n_calls = bench->sites[1].n_calls = 0;
		bench_start_controller(bench);
		assert_true(eventually(was_called, bench));
	}
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_RESERVED);
	for (int i = 0; i < N_SITES; i++)
		assert_true(manager_has(bench->sites[i].manager, rids[i]));
	bench_free(bench);
}

static bool
is_hold_over(void *self)
{
	struct bench *bench = self;
	auto_arena struct arena *arena = arena_new();

	return !manager_has(bench->sites[0].manager, bench_row(bench, "g1", 0, arena).row.rid);
}

static void
a_lost_reservation_is_released(void)
{
	struct bench *bench = start("lost", 4);
	uint64_t rids[N_SITES];

	bench_admit(bench, "g1", 1, ROW_HELD, rids);
	await(bench, "g1", GROUP_RESERVED);
	bench->sites[0].is_cut = true;
	bench_pass_ms(bench, 121000);
	assert_true(eventually(is_hold_over, bench));
	bench->sites[0].is_cut = false;

	assert_true(bench_await_passing(bench, "g1", GROUP_GONE, 1000));
	assert_equal(bench->why.code, ERR_GONE);
	bench_free(bench);
}

static bool
has_new_rate(void *self)
{
	struct bench *bench = self;
	auto_arena struct arena *arena = arena_new();
	struct controller_row_state row = bench_row(bench, "g1", 0, arena);
	auto_free char *attr = world_attr(&bench->sites[0].world, row.row.rid);

	return row.rev_have == 2 && !strcmp(attr, "rate=5\n");
}

static void
a_new_attribute_reaches_the_object(void)
{
	struct bench *bench = start("attr", 4);
	uint64_t rids[N_SITES];
	struct txn *txn;
	enum group_state state;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);
	txn = store_begin(bench->store);
	assert_true(controller_set_attr(bench->controller, txn, rids[0], "rate=5\n", NULL));
	assert_true(txn_commit(&txn, NULL));
	controller_wake(bench->controller);

	assert_true(eventually(has_new_rate, bench));
	assert_true(controller_group(bench->controller, NULL, "g1", &state));
	assert_equal(state, GROUP_ACTIVE);
	bench_free(bench);
}

static void
a_reference_to_nothing_is_refused(void)
{
	struct bench *bench = start("reference", 4);
	struct controller_row row = {.manager = "site@0",
	    .kind = "unit",
	    .subject = "unit x",
	    .spec = "units=1",
	    .attr = "peer=${0000000000000.name}\n"};
	struct controller_admission admission = {
	    .group = "g1", .rows = &row, .n_rows = 1, .goal = ROW_COMMITTED};
	struct txn *txn = store_begin(bench->store);

	assert_true(controller_next_id(bench->controller, txn, &row.rid, NULL));
	assert_true(controller_admit(bench->controller, txn, &admission, NULL));
	assert_true(txn_commit(&txn, NULL));
	controller_wake(bench->controller);

	await(bench, "g1", GROUP_GONE);
	assert_text(bench->why.subject, "unit x");
	bench_free(bench);
}

static void
a_rolled_back_admission_leaves_nothing(void)
{
	struct bench *bench = start("rollback", 4);
	struct controller_admission admission = {.group = "g1", .goal = ROW_COMMITTED};
	struct txn *txn = store_begin(bench->store);
	enum group_state state;
	uint64_t rids[N_SITES];

	assert_true(controller_admit(bench->controller, txn, &admission, NULL));
	txn_cancel(txn);
	controller_wake(bench->controller);

	assert_true(!controller_group(bench->controller, NULL, "g1", &state));
	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);
	bench_free(bench);
}

static void
a_name_is_given_to_one_living_group(void)
{
	struct bench *bench = start("twice", 4);
	struct controller_admission admission = {.group = "g1", .goal = ROW_COMMITTED};
	struct txn *txn;
	uint64_t rids[N_SITES];
	struct err err = {0};

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	txn = store_begin(bench->store);
	assert_true(!controller_admit(bench->controller, txn, &admission, &err));
	txn_cancel(txn);

	assert_equal(err.code, ERR_CONFLICT);
	bench_free(bench);
}

static void
a_goal_of_nothing_is_not_found_and_goals_do_not_fall(void)
{
	struct bench *bench = start("goal", 4);
	struct txn *txn;
	uint64_t rids[N_SITES];
	struct err err = {0};

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	bench->sites[0].is_cut = true;
	bench_goal(bench, "g1", ROW_RELEASED);
	bench_goal(bench, "g1", ROW_COMMITTED);
	txn = store_begin(bench->store);
	assert_true(!controller_goal(bench->controller, txn, "g9", ROW_RELEASED, &err));
	txn_cancel(txn);
	assert_equal(err.code, ERR_NOT_FOUND);

	bench->sites[0].is_cut = false;
	controller_heard(
	    bench->controller, "site@0", store_uuid(bench->sites[0].store), 0, NULL, 0);
	await(bench, "g1", GROUP_GONE);
	bench_free(bench);
}

static void
a_group_gets_other_rows_in_place_of_its_own(void)
{
	struct bench *bench = start("replace", 4);
	struct controller_parting parting = {.group = "g1", .into = "g3", .n_rids = N_SITES};
	uint64_t old[N_SITES], new[N_SITES];
	auto_arena struct arena *arena = arena_new();
	struct txn *txn;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, old);
	bench_admit(bench, "g2", 2, ROW_COMMITTED, new);
	await(bench, "g1", GROUP_ACTIVE);
	await(bench, "g2", GROUP_ACTIVE);
	parting.rids = old;
	txn = store_begin(bench->store);
	assert_true(controller_part(bench->controller, txn, &parting, NULL) &&
		    controller_merge(bench->controller, txn, "g2", "g1", NULL) &&
		    txn_commit(&txn, NULL));

	await(bench, "g3", GROUP_GONE);
	await(bench, "g2", GROUP_GONE);
	assert_equal(bench_row(bench, "g1", 0, arena).row.rid, new[0]);
	assert_true(!world_has(&bench->sites[0].world, old[0]));
	assert_true(world_has(&bench->sites[0].world, new[0]));
	bench_goal(bench, "g1", ROW_RELEASED);
	await(bench, "g1", GROUP_GONE);
	assert_true(!world_has(&bench->sites[0].world, new[0]));
	bench_free(bench);
}

static void
only_groups_that_stand_alike_are_merged(void)
{
	struct bench *bench = start("alike", 4);
	uint64_t rids[N_SITES];
	struct err err = {0};
	struct txn *txn;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, rids);
	bench_admit(bench, "g2", 1, ROW_HELD, rids);
	await(bench, "g1", GROUP_ACTIVE);
	await(bench, "g2", GROUP_RESERVED);
	txn = store_begin(bench->store);
	assert_true(!controller_merge(bench->controller, txn, "g2", "g1", &err));
	assert_equal(err.code, ERR_CONFLICT);
	assert_true(!controller_merge(bench->controller, txn, "g3", "g1", &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	txn_cancel(txn);
	bench_free(bench);
}

/* The commit that reaches site 0 with the most rows, and how long it may wait. */
static struct {
	size_t n;
	int deadline_ms;
} largest;

static bool
note_commit(struct bench *bench, struct site *site, struct manager_call *call, struct err *err)
{
	if (site == &bench->sites[0] && call->verb == VERB_COMMIT && call->n > largest.n) {
		largest.n = call->n;
		largest.deadline_ms = call->caller.deadline_ms;
	}
	return bench_deliver(site, call, err);
}

/* All of them in one transaction. */
static void
admit_together(struct bench *bench, int n)
{
	struct txn *txn = store_begin(bench->store);

	for (int i = 0; i < n; i++) {
		struct controller_row row = {
		    .manager = "site@0", .kind = "unit", .subject = "unit", .spec = "units=1"};
		struct controller_admission admission = {
		    .rows = &row, .n_rows = 1, .goal = ROW_COMMITTED};
		char group[20];

		snprintf(group, sizeof(group), "g%d", i);
		admission.group = group;
		assert_true(controller_next_id(bench->controller, txn, &row.rid, NULL) &&
			    controller_admit(bench->controller, txn, &admission, NULL));
	}
	assert_true(txn_commit(&txn, NULL));
	controller_wake(bench->controller);
}

static void
groups_that_are_sent_together_share_a_call_that_does_not_wait(void)
{
	struct bench *bench = start("shared", 5);

	largest.n = 0;
	bench->transport = note_commit;
	admit_together(bench, 1);
	await(bench, "g0", GROUP_ACTIVE);
	assert_equal(largest.n, 1);
	assert_true(largest.deadline_ms > 1000);
	bench_goal(bench, "g0", ROW_RELEASED);
	await(bench, "g0", GROUP_GONE);

	admit_together(bench, 5);
	await(bench, "g4", GROUP_ACTIVE);

	assert_equal(largest.n, 5);
	assert_true(largest.deadline_ms < 1000);
	bench_free(bench);
}

static void
many_groups_come_into_being_in_several_transactions(void)
{
	enum { MANY = 300 };
	struct bench *bench = start("many", MANY);

	admit_together(bench, MANY);
	for (int i = 0; i < MANY; i++) {
		char group[20];

		snprintf(group, sizeof(group), "g%d", i);
		await(bench, group, GROUP_ACTIVE);
	}

	assert_equal(world_count(&bench->sites[0].world), MANY);
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(a_group_becomes_active_and_gone),
    TEST(what_does_not_fit_is_refused_and_leaves_nothing),
    TEST(a_manager_out_of_reach_fails_the_group_which_then_waits_for_it),
    TEST(a_row_that_cannot_be_made_takes_the_group_down),
    TEST(what_only_waits_is_waited_for),
    TEST(what_never_comes_is_given_up_at_the_deadline),
    TEST(a_reservation_is_kept_alive_and_then_run),
    TEST(a_controller_that_restarts_often_keeps_its_reservations),
    TEST(a_lost_reservation_is_released),
    TEST(a_new_attribute_reaches_the_object),
    TEST(a_reference_to_nothing_is_refused),
    TEST(a_rolled_back_admission_leaves_nothing),
    TEST(a_name_is_given_to_one_living_group),
    TEST(a_goal_of_nothing_is_not_found_and_goals_do_not_fall),
    TEST(a_group_gets_other_rows_in_place_of_its_own),
    TEST(only_groups_that_stand_alike_are_merged),
    TEST(groups_that_are_sent_together_share_a_call_that_does_not_wait),
    TEST(many_groups_come_into_being_in_several_transactions),
};

suite_main("controller", tests)
