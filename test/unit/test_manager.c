/*
 * The manager's verbs: the table of RELIABILITY.md §3.3, refusals, capacity, revisions.
 */
#include "lib/engine/manager.h"

#include <pthread.h>

#include "test/support/stand.h"
#include "test/support/suite.h"

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
	struct stand *stand = stand_new("table", 100);

	for (size_t i = 0; i < sizeof(verb_cases) / sizeof(verb_cases[0]); i++) {
		const struct verb_case *at = &verb_cases[i];
		uint64_t rid = 10 + i;
		struct row_have have;

		stand_put(stand, rid, at->before);
		have = at->verb == VERB_RESERVE  ? stand_reserve(stand, rid, "units=1")
		       : at->verb == VERB_COMMIT ? stand_commit(stand, rid, "", 1)
						 : stand_release(stand, rid);
		CU_ASSERT_EQUAL(have.state, at->after);
		CU_ASSERT_EQUAL(have.is_real, at->is_real);
		CU_ASSERT_EQUAL(have.why.code, at->why);
		CU_ASSERT_EQUAL(world_has(&stand->world, rid), at->after == ROW_COMMITTED);
	}
	stand_free(stand);
}

static void
a_reserve_with_another_spec_is_a_mismatch(void)
{
	struct stand *stand = stand_new("mismatch", 9);
	struct row_have have;

	(void)stand_reserve(stand, 10, "units=1");
	have = stand_reserve(stand, 10, "units=2");

	assert_equal(have.why.code, ERR_OP_MISMATCH);
	assert_equal(have.state, ROW_HELD);
	stand_free(stand);
}

static void
a_row_of_somebody_else_is_not_found(void)
{
	struct stand *stand = stand_new("owner", 9);
	struct row_have have;

	(void)stand_reserve(stand, 10, "units=1");
	stand->owner = "snc@other";
	have = stand_release(stand, 10);

	assert_equal(have.why.code, ERR_NOT_FOUND);
	assert_equal(have.state, ROW_NONE);
	assert_true(manager_has(stand->manager, 10));
	stand_free(stand);
}

static void
an_older_controller_is_refused(void)
{
	struct stand *stand = stand_new("epoch", 9);
	struct row_want want = {.rid = 11, .kind = "unit", .spec = "units=1"};
	struct row_have have;
	struct err err = {0};

	stand->epoch = 5;
	(void)stand_reserve(stand, 10, "units=1");
	stand->epoch = 4;

	assert_true(!stand_call(stand, VERB_RESERVE, &want, &have, 1, &err));
	assert_equal(err.code, ERR_STALE_EPOCH);
	assert_true(!manager_has(stand->manager, 11));
	stand_free(stand);
}

static void
capacity_is_charged_until_the_object_is_gone(void)
{
	struct stand *stand = stand_new("capacity", 2);
	struct row_have have;

	(void)stand_reserve(stand, 10, "units=2");
	assert_equal(stand_reserve(stand, 11, "units=1").why.code, ERR_CAPACITY);
	(void)stand_commit(stand, 10, "", 1);
	assert_equal(stand_reserve(stand, 12, "units=1").why.code, ERR_CAPACITY);
	stand->world.remove_code = ERR_INTERNAL;
	{
		struct row_want want = {.rid = 10};
		struct manager_call quick = {.verb = VERB_RELEASE,
		    .want = &want,
		    .have = &have,
		    .n = 1,
		    .arena = stand->arena,
		    .caller = {.owner = stand->owner, .epoch = 1, .deadline_ms = 10}};

		assert_true(manager_call(stand->manager, &quick, NULL));
	}
	assert_equal(have.state, ROW_RELEASED);
	assert_true(!have.is_real);
	assert_equal(stand_reserve(stand, 13, "units=1").why.code, ERR_CAPACITY);
	stand->world.remove_code = 0;
	assert_true(stand_release(stand, 10).is_real);
	assert_equal(stand_reserve(stand, 14, "units=2").state, ROW_HELD);
	stand_free(stand);
}

static void
rows_of_one_call_share_the_capacity(void)
{
	struct stand *stand = stand_new("share", 2);
	struct row_want want[4] = {{.rid = 10, .kind = "unit", .spec = "units=1"},
	    {.rid = 11, .kind = "unit", .spec = "units=2"},
	    {.rid = 10, .kind = "unit", .spec = "units=1"},
	    {.rid = 12, .kind = "unit", .spec = "units=1"}};
	struct row_have have[4];

	assert_true(stand_call(stand, VERB_RESERVE, want, have, 4, NULL));

	assert_equal(have[0].state, ROW_HELD);
	assert_text(have[0].result, "name=u000000000000k\nunits=1\n");
	assert_equal(have[1].why.code, ERR_CAPACITY);
	assert_equal(have[1].state, ROW_NONE);
	assert_equal(have[2].state, ROW_HELD);
	assert_equal(have[3].state, ROW_HELD);
	stand_free(stand);
}

static void
too_many_rows_are_refused(void)
{
	struct stand *stand = stand_new("many", 9);
	struct row_want want[MANAGER_ROWS_MAX + 1] = {{.rid = 1}};
	struct row_have have[MANAGER_ROWS_MAX + 1];
	struct err err = {0};

	assert_true(!stand_call(stand, VERB_RELEASE, want, have, MANAGER_ROWS_MAX + 1, &err));
	assert_equal(err.code, ERR_LIMIT);
	stand_free(stand);
}

static void
an_unknown_kind_is_refused(void)
{
	struct stand *stand = stand_new("kind", 9);
	struct row_want want = {.rid = 10, .kind = "moon", .spec = ""};
	struct row_have have;

	assert_true(stand_call(stand, VERB_RESERVE, &want, &have, 1, NULL));
	assert_equal(have.why.code, ERR_BAD_VALUE);
	assert_equal(have.state, ROW_NONE);
	stand_free(stand);
}

static void
attributes_follow_their_revision(void)
{
	struct stand *stand = stand_new("revision", 9);
	struct row_have have;
	auto_free char *attr = NULL;

	(void)stand_reserve(stand, 10, "units=1");
	(void)stand_commit(stand, 10, "rate=1\n", 1);
	have = stand_commit(stand, 10, "rate=3\n", 3);
	assert_equal(have.rev, 3);
	have = stand_commit(stand, 10, "rate=2\n", 2); /* late */

	assert_equal(have.rev, 3);
	assert_true(have.is_real);
	attr = world_attr(&stand->world, 10);
	assert_text(attr, "rate=3\n");
	stand_free(stand);
}

static void
a_hard_failure_is_answered_at_once(void)
{
	struct stand *stand = stand_new("hard", 9);
	struct row_have have;

	stand->world.ensure_code = ERR_BAD_VALUE;
	(void)stand_reserve(stand, 10, "units=1");
	have = stand_commit(stand, 10, "", 1);

	assert_equal(have.state, ROW_COMMITTED);
	assert_true(!have.is_real);
	assert_equal(have.why.code, ERR_BAD_VALUE);
	stand_free(stand);
}

/* A caller among many. */
struct caller {
	struct stand *stand;
	uint64_t rid;
	int64_t epoch;
	bool is_done;
	struct err err;
	struct row_have have;
};

static void *
reserve_one(void *self)
{
	struct caller *caller = self;
	auto_arena struct arena *arena = arena_new();
	struct row_want want = {.rid = caller->rid, .kind = "unit", .spec = "units=1"};
	struct manager_call call = {.verb = VERB_RESERVE,
	    .want = &want,
	    .have = &caller->have,
	    .n = 1,
	    .arena = arena,
	    .caller = {.owner = "snc@ctl", .epoch = caller->epoch}};

	caller->is_done = manager_call(caller->stand->manager, &call, &caller->err);
	return NULL;
}

/* Each third one is of an older controller: only its own call is refused. */
static void
calls_of_the_same_moment_share_the_capacity_and_no_refusal(void)
{
	enum { CALLERS = 24, CAPACITY = 5 };
	struct stand *stand = stand_new("moment", CAPACITY);
	struct caller callers[CALLERS] = {0};
	pthread_t threads[CALLERS];
	int n_held = 0, n_full = 0, n_stale = 0;

	stand->epoch = 7;
	stand_put(stand, 10, ROW_RELEASED);
	for (int i = 0; i < CALLERS; i++) {
		callers[i].stand = stand;
		callers[i].rid = 100 + (uint64_t)i;
		callers[i].epoch = i % 3 ? 7 : 6;
		assert_true(!pthread_create(&threads[i], NULL, reserve_one, &callers[i]));
	}
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);

	for (int i = 0; i < CALLERS; i++) {
		n_stale += callers[i].err.code == ERR_STALE_EPOCH;
		n_held += callers[i].is_done && callers[i].have.state == ROW_HELD;
		n_full += callers[i].is_done && callers[i].have.why.code == ERR_CAPACITY;
		assert_equal(manager_has(stand->manager, callers[i].rid),
		    callers[i].is_done && callers[i].have.state == ROW_HELD);
	}
	assert_equal(n_stale, CALLERS / 3);
	assert_equal(n_held, CAPACITY);
	assert_equal(n_full, CALLERS - CALLERS / 3 - CAPACITY);
	stand_free(stand);
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
    TEST(calls_of_the_same_moment_share_the_capacity_and_no_refusal),
};

suite_main("manager", tests)
