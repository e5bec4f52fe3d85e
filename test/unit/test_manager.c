/*
 * The manager: the table of verbs, holds, tombstones, and the loop that makes the world agree.
 */
#include "lib/engine/manager.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "test/support/suite.h"
#include "test/support/world.h"

struct bench {
	char path[200];
	struct test_clock clock;
	struct world world;
	struct store *store;
	struct manager *manager;
	struct arena *arena;
	int64_t epoch;
	uint64_t floor;
	const char *owner;
	uint64_t rid; /* asked about by the conditions below */
};

static void
bench_open(struct bench *bench)
{
	struct manager_config config = {.clock = &bench->clock.clock};
	struct manager_kind kind;
	struct err err = {0};

	bench->store = store_open(bench->path, manager_migrations, n_manager_migrations, &err);
	assert_text(err.text, "");
	config.store = bench->store;
	world_config(&bench->world, &kind, &config);
	bench->manager = manager_new(&config, &err);
	assert_text(err.text, "");
}

static void
bench_close(struct bench *bench)
{
	manager_free(bench->manager);
	store_close(bench->store);
}

static struct bench *
bench_new(const char *name, int capacity)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	char dir[200];

	snprintf(bench->path, sizeof(bench->path), "%s/%s.db", test_dir(), name);
	snprintf(dir, sizeof(dir), "%s/%s", test_dir(), name);
	world_init(&bench->world, dir, capacity);
	test_clock_init(&bench->clock);
	bench->arena = arena_new();
	bench->owner = "snc@ctl";
	bench->epoch = 1;
	bench_open(bench);
	return bench;
}

static void
bench_free(struct bench *bench)
{
	bench_close(bench);
	arena_free(bench->arena);
	free(bench);
}

static bool
call(struct bench *bench, enum verb verb, const struct row_want *want, struct row_have *have,
    size_t n, struct err *err)
{
	struct manager_call call = {.verb = verb,
	    .want = want,
	    .have = have,
	    .n = n,
	    .arena = bench->arena,
	    .caller = {.owner = bench->owner,
		.epoch = bench->epoch,
		.floor = bench->floor,
		.deadline_ms = 5000}};

	return manager_call(bench->manager, &call, err);
}

static struct row_have
reserve(struct bench *bench, uint64_t rid, const char *spec)
{
	struct row_want want = {.rid = rid, .kind = "unit", .spec = spec};
	struct row_have have;

	assert_true(call(bench, VERB_RESERVE, &want, &have, 1, NULL));
	return have;
}

static struct row_have
commit(struct bench *bench, uint64_t rid, const char *attr, int64_t rev)
{
	struct row_want want = {.rid = rid, .attr = attr, .rev = rev};
	struct row_have have;

	assert_true(call(bench, VERB_COMMIT, &want, &have, 1, NULL));
	return have;
}

static struct row_have
release(struct bench *bench, uint64_t rid)
{
	struct row_want want = {.rid = rid};
	struct row_have have;

	assert_true(call(bench, VERB_RELEASE, &want, &have, 1, NULL));
	return have;
}

/* Brings row 10 to a state of the table. */
static void
put_row(struct bench *bench, uint64_t rid, enum row_state state)
{
	if (state >= ROW_HELD)
		(void)reserve(bench, rid, "units=1");
	if (state >= ROW_COMMITTED)
		(void)commit(bench, rid, "", 1);
	if (state >= ROW_RELEASED)
		(void)release(bench, rid);
}

static const struct verb_case {
	enum verb verb;
	enum row_state before, after;
	bool is_real;
	enum err_code why;
} verb_cases[] = {
    {VERB_RESERVE, ROW_NONE, ROW_HELD, false, ERR_NONE},
    {VERB_RESERVE, ROW_HELD, ROW_HELD, false, ERR_NONE},
    {VERB_RESERVE, ROW_COMMITTED, ROW_COMMITTED, true, ERR_NONE},
    {VERB_RESERVE, ROW_RELEASED, ROW_RELEASED, true, ERR_GONE},
    {VERB_COMMIT, ROW_NONE, ROW_NONE, false, ERR_NOT_FOUND},
    {VERB_COMMIT, ROW_HELD, ROW_COMMITTED, true, ERR_NONE},
    {VERB_COMMIT, ROW_COMMITTED, ROW_COMMITTED, true, ERR_NONE},
    {VERB_COMMIT, ROW_RELEASED, ROW_RELEASED, true, ERR_GONE},
    {VERB_RELEASE, ROW_NONE, ROW_RELEASED, true, ERR_NONE},
    {VERB_RELEASE, ROW_HELD, ROW_RELEASED, true, ERR_NONE},
    {VERB_RELEASE, ROW_COMMITTED, ROW_RELEASED, true, ERR_NONE},
    {VERB_RELEASE, ROW_RELEASED, ROW_RELEASED, true, ERR_NONE},
};

static void
verbs_do_what_the_table_says(void)
{
	struct bench *bench = bench_new("table", 100);

	for (size_t i = 0; i < sizeof(verb_cases) / sizeof(verb_cases[0]); i++) {
		const struct verb_case *at = &verb_cases[i];
		uint64_t rid = 10 + i;
		struct row_have have;

		put_row(bench, rid, at->before);
		have = at->verb == VERB_RESERVE  ? reserve(bench, rid, "units=1")
		       : at->verb == VERB_COMMIT ? commit(bench, rid, "", 1)
						 : release(bench, rid);
		CU_ASSERT_EQUAL(have.state, at->after);
		CU_ASSERT_EQUAL(have.is_real, at->is_real);
		CU_ASSERT_EQUAL(have.why.code, at->why);
		CU_ASSERT_EQUAL(world_has(&bench->world, rid), at->after == ROW_COMMITTED);
	}
	bench_free(bench);
}

static void
a_reserve_with_another_spec_is_a_mismatch(void)
{
	struct bench *bench = bench_new("mismatch", 9);
	struct row_have have;

	(void)reserve(bench, 10, "units=1");
	have = reserve(bench, 10, "units=2");

	assert_equal(have.why.code, ERR_OP_MISMATCH);
	assert_equal(have.state, ROW_HELD);
	bench_free(bench);
}

static void
a_row_of_somebody_else_is_not_found(void)
{
	struct bench *bench = bench_new("owner", 9);
	struct row_have have;

	(void)reserve(bench, 10, "units=1");
	bench->owner = "snc@other";
	have = release(bench, 10);

	assert_equal(have.why.code, ERR_NOT_FOUND);
	assert_equal(have.state, ROW_NONE);
	assert_true(manager_has(bench->manager, 10));
	bench_free(bench);
}

static void
an_older_controller_is_refused(void)
{
	struct bench *bench = bench_new("epoch", 9);
	struct row_want want = {.rid = 11, .kind = "unit", .spec = "units=1"};
	struct row_have have;
	struct err err = {0};

	bench->epoch = 5;
	(void)reserve(bench, 10, "units=1");
	bench->epoch = 4;

	assert_true(!call(bench, VERB_RESERVE, &want, &have, 1, &err));
	assert_equal(err.code, ERR_STALE_EPOCH);
	assert_true(!manager_has(bench->manager, 11));
	bench_free(bench);
}

static void
capacity_is_charged_until_the_object_is_gone(void)
{
	struct bench *bench = bench_new("capacity", 2);
	struct row_have have;

	(void)reserve(bench, 10, "units=2");
	assert_equal(reserve(bench, 11, "units=1").why.code, ERR_CAPACITY);
	(void)commit(bench, 10, "", 1);
	assert_equal(reserve(bench, 12, "units=1").why.code, ERR_CAPACITY);
	bench->world.remove_code = ERR_INTERNAL;
	{
		struct row_want want = {.rid = 10};
		struct manager_call quick = {.verb = VERB_RELEASE,
		    .want = &want,
		    .have = &have,
		    .n = 1,
		    .arena = bench->arena,
		    .caller = {.owner = bench->owner, .epoch = 1, .deadline_ms = 10}};

		assert_true(manager_call(bench->manager, &quick, NULL));
	}
	assert_equal(have.state, ROW_RELEASED);
	assert_true(!have.is_real);
	assert_equal(reserve(bench, 13, "units=1").why.code, ERR_CAPACITY);
	bench->world.remove_code = 0;
	assert_true(release(bench, 10).is_real);
	assert_equal(reserve(bench, 14, "units=2").state, ROW_HELD);
	bench_free(bench);
}

static void
rows_of_one_call_share_the_capacity(void)
{
	struct bench *bench = bench_new("share", 2);
	struct row_want want[4] = {{.rid = 10, .kind = "unit", .spec = "units=1"},
	    {.rid = 11, .kind = "unit", .spec = "units=2"},
	    {.rid = 10, .kind = "unit", .spec = "units=1"},
	    {.rid = 12, .kind = "unit", .spec = "units=1"}};
	struct row_have have[4];

	assert_true(call(bench, VERB_RESERVE, want, have, 4, NULL));

	assert_equal(have[0].state, ROW_HELD);
	assert_text(have[0].result, "name=u000000000000k\nunits=1\n");
	assert_equal(have[1].why.code, ERR_CAPACITY);
	assert_equal(have[1].state, ROW_NONE);
	assert_equal(have[2].state, ROW_HELD);
	assert_equal(have[3].state, ROW_HELD);
	bench_free(bench);
}

static void
too_many_rows_are_refused(void)
{
	struct bench *bench = bench_new("many", 9);
	struct row_want want[MANAGER_ROWS_MAX + 1] = {{.rid = 1}};
	struct row_have have[MANAGER_ROWS_MAX + 1];
	struct err err = {0};

	assert_true(!call(bench, VERB_RELEASE, want, have, MANAGER_ROWS_MAX + 1, &err));
	assert_equal(err.code, ERR_LIMIT);
	bench_free(bench);
}

static void
an_unknown_kind_is_refused(void)
{
	struct bench *bench = bench_new("kind", 9);
	struct row_want want = {.rid = 10, .kind = "moon", .spec = ""};
	struct row_have have;

	assert_true(call(bench, VERB_RESERVE, &want, &have, 1, NULL));
	assert_equal(have.why.code, ERR_BAD_VALUE);
	assert_equal(have.state, ROW_NONE);
	bench_free(bench);
}

static void
attributes_follow_their_revision(void)
{
	struct bench *bench = bench_new("revision", 9);
	struct row_have have;
	auto_free char *attr = NULL;

	(void)reserve(bench, 10, "units=1");
	(void)commit(bench, 10, "rate=1\n", 1);
	have = commit(bench, 10, "rate=3\n", 3);
	assert_equal(have.rev, 3);
	have = commit(bench, 10, "rate=2\n", 2); /* late */

	assert_equal(have.rev, 3);
	assert_true(have.is_real);
	attr = world_attr(&bench->world, 10);
	assert_text(attr, "rate=3\n");
	bench_free(bench);
}

static void
a_hard_failure_is_answered_at_once(void)
{
	struct bench *bench = bench_new("hard", 9);
	struct row_have have;

	bench->world.ensure_code = ERR_BAD_VALUE;
	(void)reserve(bench, 10, "units=1");
	have = commit(bench, 10, "", 1);

	assert_equal(have.state, ROW_COMMITTED);
	assert_true(!have.is_real);
	assert_equal(have.why.code, ERR_BAD_VALUE);
	bench_free(bench);
}

static bool
is_real(void *self)
{
	struct bench *bench = self;

	return world_has(&bench->world, bench->rid);
}

static bool
is_absent(void *self)
{
	return !is_real(self);
}

static bool
is_not_held(void *self)
{
	struct bench *bench = self;

	return !manager_has(bench->manager, bench->rid);
}

/* Moves the clock ahead and has the loop notice. */
static void
pass_ms(struct bench *bench, int64_t ms)
{
	bench->clock.ahead_ms += ms;
	manager_wake(bench->manager);
}

static void
what_waits_is_made_when_woken(void)
{
	struct bench *bench = bench_new("waits", 9);
	struct row_want want = {.rid = 10};
	struct row_have have;
	struct manager_call quick = {.verb = VERB_COMMIT,
	    .want = &want,
	    .have = &have,
	    .n = 1,
	    .arena = bench->arena,
	    .caller = {.owner = bench->owner, .epoch = 1, .deadline_ms = 20}};

	bench->rid = 10;
	bench->world.ensure_code = ERR_WAIT;
	(void)reserve(bench, 10, "units=1");
	assert_true(manager_call(bench->manager, &quick, NULL));
	assert_equal(have.why.code, ERR_WAIT);
	assert_true(!have.is_real);

	bench->world.ensure_code = 0;
	manager_wake(bench->manager);
	assert_true(eventually(is_real, bench));
	bench_free(bench);
}

static void
a_vanished_object_is_made_again(void)
{
	struct bench *bench = bench_new("vanished", 9);

	bench->rid = 10;
	put_row(bench, 10, ROW_COMMITTED);
	world_drop(&bench->world, 10);
	pass_ms(bench, 6000);

	assert_true(eventually(is_real, bench));
	bench_free(bench);
}

static void
an_object_without_row_is_swept(void)
{
	struct bench *bench = bench_new("stray", 9);

	put_row(bench, 11, ROW_COMMITTED);
	bench_close(bench);
	bench->rid = 77;
	world_put(&bench->world, 77, "");
	bench_open(bench);

	assert_true(eventually(is_absent, bench));
	assert_true(world_has(&bench->world, 11));
	bench_free(bench);
}

static void
a_hold_that_nobody_renews_ends(void)
{
	struct bench *bench = bench_new("hold", 1);

	bench->rid = 10;
	(void)reserve(bench, 10, "units=1");
	pass_ms(bench, 100 * 1000);
	(void)reserve(bench, 10, "units=1"); /* the countdown starts again */
	pass_ms(bench, 100 * 1000);
	assert_equal(reserve(bench, 11, "units=1").why.code, ERR_CAPACITY);
	assert_true(manager_has(bench->manager, 10));
	pass_ms(bench, 21 * 1000);

	assert_true(eventually(is_not_held, bench));
	assert_equal(commit(bench, 10, "", 1).why.code, ERR_GONE);
	assert_true(release(bench, 10).is_real);
	assert_equal(reserve(bench, 12, "units=1").state, ROW_HELD);
	bench_free(bench);
}

static bool
hold_is_stored(void *self)
{
	struct bench *bench = self;
	auto_txn struct txn *txn = store_begin(bench->store);
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT hold_ms FROM manager_row WHERE rid = 10", "");

	assert_true(rows_next(rows));
	return rows_i64(rows, 0) <= 60 * 1000;
}

static void
a_hold_counts_on_where_it_was_after_a_restart(void)
{
	struct bench *bench = bench_new("hold_restart", 1);

	bench->rid = 10;
	(void)reserve(bench, 10, "units=1");
	pass_ms(bench, 61 * 1000);
	assert_true(eventually(hold_is_stored, bench));
	bench_close(bench);
	bench_open(bench);
	assert_true(manager_has(bench->manager, 10));
	pass_ms(bench, 60 * 1000);

	assert_true(eventually(is_not_held, bench));
	bench_free(bench);
}

static void
a_committed_row_never_ends_by_the_clock(void)
{
	struct bench *bench = bench_new("committed", 1);

	put_row(bench, 10, ROW_COMMITTED);
	pass_ms(bench, INT64_C(365) * 24 * 3600 * 1000);
	bench_close(bench);
	bench_open(bench);

	assert_true(commit(bench, 10, "", 1).is_real);
	bench_free(bench);
}

static bool
tombstone_is_forgotten(void *self)
{
	struct bench *bench = self;
	auto_txn struct txn *txn = store_begin(bench->store);
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT 1 FROM manager_row WHERE rid = 10", "");

	return !rows_next(rows);
}

static void
tombstones_below_the_floor_are_forgotten_and_stay_released(void)
{
	struct bench *bench = bench_new("floor", 9);

	put_row(bench, 10, ROW_RELEASED);
	bench->floor = 11;
	(void)reserve(bench, 11, "units=1");
	pass_ms(bench, 6000);
	bench_close(bench); /* the sweeper's round comes at the start, too */
	bench_open(bench);
	assert_true(eventually(tombstone_is_forgotten, bench));

	assert_equal(reserve(bench, 10, "units=1").why.code, ERR_GONE);
	assert_equal(reserve(bench, 10, "units=1").state, ROW_RELEASED);
	assert_true(release(bench, 10).is_real);
	bench_free(bench);
}

static void
status_lists_the_callers_rows_in_order(void)
{
	struct bench *bench = bench_new("status", 9);
	struct manager_call status = {.arena = bench->arena, .caller = {.owner = "snc@ctl"}};

	put_row(bench, 12, ROW_COMMITTED);
	put_row(bench, 10, ROW_HELD);
	bench->owner = "snc@other";
	put_row(bench, 11, ROW_HELD);

	assert_true(manager_status(bench->manager, 0, &status, NULL));
	assert_equal(status.n, 2);
	assert_equal(status.want[0].rid, 10);
	assert_text(status.want[0].spec, "units=1");
	assert_equal(status.have[0].state, ROW_HELD);
	assert_equal(status.have[1].rid, 12);
	assert_true(status.have[1].is_real);
	assert_true(manager_status(bench->manager, 10, &status, NULL));
	assert_equal(status.n, 1);
	bench_free(bench);
}

static void
orphans_name_what_does_not_agree(void)
{
	struct bench *bench = bench_new("orphans", 9);
	auto_str struct str out = {0};

	put_row(bench, 10, ROW_COMMITTED);
	put_row(bench, 11, ROW_RELEASED);
	assert_true(manager_orphans(bench->manager, &out, NULL));
	assert_text(str_text(&out), "");

	bench->world.ensure_code = ERR_UNAVAILABLE;
	world_drop(&bench->world, 10);
	world_put(&bench->world, 12, "");
	assert_true(manager_orphans(bench->manager, &out, NULL));
	assert_true(strstr(str_text(&out), "unit 000000000000k is committed, but") != NULL);
	assert_true(strstr(str_text(&out), "object 000000000000o has no row") != NULL);
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(verbs_do_what_the_table_says),
    TEST(a_reserve_with_another_spec_is_a_mismatch),
    TEST(a_row_of_somebody_else_is_not_found),
    TEST(an_older_controller_is_refused),
    TEST(capacity_is_charged_until_the_object_is_gone),
    TEST(rows_of_one_call_share_the_capacity),
    TEST(too_many_rows_are_refused),
    TEST(an_unknown_kind_is_refused),
    TEST(attributes_follow_their_revision),
    TEST(a_hard_failure_is_answered_at_once),
    TEST(what_waits_is_made_when_woken),
    TEST(a_vanished_object_is_made_again),
    TEST(an_object_without_row_is_swept),
    TEST(a_hold_that_nobody_renews_ends),
    TEST(a_hold_counts_on_where_it_was_after_a_restart),
    TEST(a_committed_row_never_ends_by_the_clock),
    TEST(tombstones_below_the_floor_are_forgotten_and_stay_released),
    TEST(status_lists_the_callers_rows_in_order),
    TEST(orphans_name_what_does_not_agree),
};

suite_main("manager", tests)
