/*
 * The manager's loop: the world follows the rows, holds end, tombstones are forgotten.
 */
#include "lib/engine/manager.h"

#include <string.h>

#include "test/support/stand.h"
#include "test/support/suite.h"

static bool
is_real(void *self)
{
	struct stand *stand = self;

	return world_has(&stand->world, stand->rid);
}

static bool
is_absent(void *self)
{
	return !is_real(self);
}

static bool
is_not_held(void *self)
{
	struct stand *stand = self;

	return !manager_has(stand->manager, stand->rid);
}

static void
what_waits_is_made_when_woken(void)
{
	struct stand *stand = stand_new("waits", 9);
	struct row_want want = {.rid = 10};
	struct row_have have = {0};
	struct manager_call quick = {.verb = VERB_COMMIT,
	    .want = &want,
	    .have = &have,
	    .n = 1,
	    .arena = stand->arena,
	    .caller = {.owner = stand->owner, .epoch = 1, .deadline_ms = 20}};

	stand->rid = 10;
	stand->world.ensure_code = ERR_WAIT;
	(void)stand_reserve(stand, 10, "units=1");
	assert_true(manager_call(stand->manager, &quick, NULL));
	assert_equal(have.why.code, ERR_WAIT);
	assert_true(!have.is_real);

	stand->world.ensure_code = 0;
	manager_wake(stand->manager);
	assert_true(eventually(is_real, stand));
	stand_free(stand);
}

static void
a_vanished_object_is_made_again(void)
{
	struct stand *stand = stand_new("vanished", 9);

	stand->rid = 10;
	stand_put(stand, 10, ROW_COMMITTED);
	world_drop(&stand->world, 10);
	stand_pass_ms(stand, 6000);

	assert_true(eventually(is_real, stand));
	stand_free(stand);
}

static bool
has_said_so(void *self)
{
	struct stand *stand = self;

	return stand->world.n_changed > 0;
}

static void
what_a_call_answers_is_not_said_again(void)
{
	struct stand *stand = stand_new("said", 9);

	stand_put(stand, 10, ROW_COMMITTED);
	assert_equal(stand->world.n_changed, 0);

	stand->world.ensure_code = ERR_UNAVAILABLE;
	world_drop(&stand->world, 10);
	stand_pass_ms(stand, 6000);
	assert_true(eventually(has_said_so, stand));
	stand_free(stand);
}

/* Notes so far. */
static size_t
count_notes(struct stand *stand)
{
	const struct manager_note *notes;

	return manager_notes(stand->manager, 0, 100, stand->arena, &notes);
}

static bool
has_notes(void *self)
{
	struct stand *stand = self;

	return count_notes(stand) >= stand->n_wanted;
}

/* Takes the object away and waits until it is back. */
static void
lose(struct stand *stand, uint64_t rid)
{
	stand->rid = rid;
	world_drop(&stand->world, rid);
	stand_pass_ms(stand, 6000);
	assert_true(eventually(is_real, stand));
}

static void
what_was_put_right_is_noted(void)
{
	struct stand *stand = stand_new("noted", 9);
	const struct manager_note *notes;

	stand_put(stand, 10, ROW_COMMITTED);
	stand_put(stand, 11, ROW_COMMITTED);
	assert_equal(count_notes(stand), 0);
	lose(stand, 11);
	stand->n_wanted = 1;
	assert_true(eventually(has_notes, stand));

	assert_equal(manager_notes(stand->manager, 0, 100, stand->arena, &notes), 1);
	assert_equal(notes[0].seq, 1);
	assert_equal(notes[0].rid, 11);
	assert_text(notes[0].kind, "unit");
	assert_text(notes[0].what, "repaired");
	assert_text(notes[0].text, "no such object");
	assert_equal(manager_notes(stand->manager, 1, 100, stand->arena, &notes), 0);
	stand_free(stand);
}

/* Whoever is told of every change hears of the repair itself, too. */
static void
what_stirs_while_it_is_put_right_is_noted(void)
{
	struct stand *stand = stand_new("stirs", 9);
	const struct manager_note *notes;

	stand_put(stand, 10, ROW_COMMITTED);
	stand->world.told = stand->manager;
	lose(stand, 10);
	stand->n_wanted = 1;
	assert_true(eventually(has_notes, stand));

	assert_equal(manager_notes(stand->manager, 0, 100, stand->arena, &notes), 1);
	assert_text(notes[0].text, "no such object");
	stand_free(stand);
}

static void
the_same_of_one_row_is_noted_once_in_a_while(void)
{
	struct stand *stand = stand_new("quiet", 9);
	const struct manager_note *notes;

	stand_put(stand, 10, ROW_COMMITTED);
	stand_put(stand, 11, ROW_COMMITTED);
	lose(stand, 10);
	lose(stand, 10);
	lose(stand, 11);
	stand->n_wanted = 2;
	assert_true(eventually(has_notes, stand));
	assert_equal(manager_notes(stand->manager, 0, 100, stand->arena, &notes), 2);
	assert_equal(notes[1].rid, 11);

	stand_pass_ms(stand, 10000);
	lose(stand, 10);
	stand->n_wanted = 3;
	assert_true(eventually(has_notes, stand));
	stand_free(stand);
}

/* As many rows as are wanted have tried in vain. */
static bool
are_waiting(void *self)
{
	struct stand *stand = self;
	auto_str struct str lines = {0};
	const char *at;
	size_t n = 0;

	if (!manager_orphans(stand->manager, &lines, NULL))
		return false;
	for (at = str_text(&lines); (at = strstr(at, "told to fail")) != NULL; at++)
		n++;
	return n >= stand->n_wanted;
}

static void
a_repair_is_noted_however_long_it_takes(void)
{
	struct stand *stand = stand_new("long", 9);
	const struct manager_note *notes;

	stand_put(stand, 10, ROW_COMMITTED);
	stand->world.ensure_code = ERR_WAIT;
	world_drop(&stand->world, 10);
	stand_pass_ms(stand, 6000);
	stand->n_wanted = 1;
	assert_true(eventually(are_waiting, stand));
	assert_equal(count_notes(stand), 0);
	stand->world.ensure_code = 0;
	manager_wake(stand->manager);
	assert_true(eventually(has_notes, stand));

	(void)manager_notes(stand->manager, 0, 100, stand->arena, &notes);
	assert_text(notes[0].text, "no such object");
	stand_free(stand);
}

/* What was lost and then asked to be otherwise has not been put right, it has been changed. */
static void
what_is_changed_meanwhile_is_not_noted(void)
{
	struct stand *stand = stand_new("changed", 9);

	stand_put(stand, 10, ROW_COMMITTED);
	stand_put(stand, 11, ROW_COMMITTED);
	stand->world.ensure_code = ERR_WAIT;
	world_drop(&stand->world, 10);
	world_drop(&stand->world, 11);
	stand_pass_ms(stand, 6000);
	stand->n_wanted = 2;
	assert_true(eventually(are_waiting, stand));
	stand->deadline_ms = 50;
	assert_true(!stand_commit(stand, 10, "rate=2\n", 2).is_real);
	stand->deadline_ms = 5000;
	assert_true(stand_release(stand, 11).is_real);
	stand->world.ensure_code = 0;
	manager_wake(stand->manager);
	stand->rid = 10;
	assert_true(eventually(is_real, stand));

	assert_equal(count_notes(stand), 0);
	stand_free(stand);
}

static void
an_object_without_row_is_swept(void)
{
	struct stand *stand = stand_new("stray", 9);

	stand_put(stand, 11, ROW_COMMITTED);
	stand_close(stand);
	stand->rid = 77;
	world_put(&stand->world, 77, "");
	stand_open(stand);

	assert_true(eventually(is_absent, stand));
	assert_true(world_has(&stand->world, 11));
	stand_free(stand);
}

static void
a_hold_that_nobody_renews_ends(void)
{
	struct stand *stand = stand_new("hold", 1);

	stand->rid = 10;
	(void)stand_reserve(stand, 10, "units=1");
	stand_pass_ms(stand, 100000);
	(void)stand_reserve(stand, 10, "units=1"); /* the countdown starts again */
	stand_pass_ms(stand, 100000);
	assert_equal(stand_reserve(stand, 11, "units=1").why.code, ERR_CAPACITY);
	assert_true(manager_has(stand->manager, 10));
	stand_pass_ms(stand, 21000);

	assert_true(eventually(is_not_held, stand));
	assert_equal(stand_commit(stand, 10, "", 1).why.code, ERR_GONE);
	assert_true(stand_release(stand, 10).is_real);
	assert_equal(stand_reserve(stand, 12, "units=1").state, ROW_HELD);
	stand_free(stand);
}

static bool
hold_is_stored(void *self)
{
	struct stand *stand = self;
	auto_txn struct txn *txn = store_begin(stand->store);
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT hold_ms FROM manager_row WHERE rid = 10", "");

	assert_true(rows_next(rows));
	return rows_i64(rows, 0) <= 60000;
}

static void
a_hold_counts_on_where_it_was_after_a_restart(void)
{
	struct stand *stand = stand_new("hold_restart", 1);

	stand->rid = 10;
	(void)stand_reserve(stand, 10, "units=1");
	stand_pass_ms(stand, 61000);
	assert_true(eventually(hold_is_stored, stand));
	stand_close(stand);
	stand_open(stand);
	assert_true(manager_has(stand->manager, 10));
	stand_pass_ms(stand, 60000);

	assert_true(eventually(is_not_held, stand));
	stand_free(stand);
}

static void
a_committed_row_never_ends_by_the_clock(void)
{
	struct stand *stand = stand_new("committed", 1);

	stand_put(stand, 10, ROW_COMMITTED);
	stand_pass_ms(stand, INT64_C(365) * 24 * 3600000);
	stand_close(stand);
	stand_open(stand);

	assert_true(stand_commit(stand, 10, "", 1).is_real);
	stand_free(stand);
}

static bool
tombstone_is_forgotten(void *self)
{
	struct stand *stand = self;
	auto_txn struct txn *txn = store_begin(stand->store);
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT 1 FROM manager_row WHERE rid = 10", "");

	return !rows_next(rows);
}

static void
tombstones_below_the_floor_are_forgotten_and_stay_released(void)
{
	struct stand *stand = stand_new("floor", 9);

	stand_put(stand, 10, ROW_RELEASED);
	stand->floor = 11;
	(void)stand_reserve(stand, 11, "units=1");
	stand_pass_ms(stand, 6000);
	stand_close(stand); /* the sweeper's round comes at the start, too */
	stand_open(stand);
	assert_true(eventually(tombstone_is_forgotten, stand));

	assert_equal(stand_reserve(stand, 10, "units=1").why.code, ERR_GONE);
	assert_equal(stand_reserve(stand, 10, "units=1").state, ROW_RELEASED);
	assert_true(stand_release(stand, 10).is_real);
	stand_free(stand);
}

static void
status_lists_the_callers_rows_in_order(void)
{
	struct stand *stand = stand_new("status", 9);
	struct manager_call status = {.arena = stand->arena, .caller = {.owner = "snc@ctl"}};

	stand_put(stand, 12, ROW_COMMITTED);
	stand_put(stand, 10, ROW_HELD);
	stand->owner = "snc@other";
	stand_put(stand, 11, ROW_HELD);

	assert_true(manager_status(stand->manager, 0, &status, NULL));
	assert_equal(status.n, 2);
	assert_equal(status.want[0].rid, 10);
	assert_text(status.want[0].spec, "units=1");
	assert_equal(status.have[0].state, ROW_HELD);
	assert_equal(status.have[1].rid, 12);
	assert_true(status.have[1].is_real);
	assert_true(manager_status(stand->manager, 10, &status, NULL));
	assert_equal(status.n, 1);
	stand_free(stand);
}

static void
orphans_name_what_does_not_agree(void)
{
	struct stand *stand = stand_new("orphans", 9);
	auto_str struct str out = {0};

	stand_put(stand, 10, ROW_COMMITTED);
	stand_put(stand, 11, ROW_RELEASED);
	assert_true(manager_orphans(stand->manager, &out, NULL));
	assert_text(str_text(&out), "");

	stand->world.ensure_code = ERR_UNAVAILABLE;
	world_drop(&stand->world, 10);
	world_put(&stand->world, 12, "");
	assert_true(manager_orphans(stand->manager, &out, NULL));
	assert_true(strstr(str_text(&out), "unit 000000000000k is committed, but") != NULL);
	assert_true(strstr(str_text(&out), "object 000000000000o has no row") != NULL);
	stand_free(stand);
}

static const struct test tests[] = {
    TEST(what_waits_is_made_when_woken),
    TEST(a_vanished_object_is_made_again),
    TEST(what_a_call_answers_is_not_said_again),
    TEST(what_was_put_right_is_noted),
    TEST(what_stirs_while_it_is_put_right_is_noted),
    TEST(the_same_of_one_row_is_noted_once_in_a_while),
    TEST(a_repair_is_noted_however_long_it_takes),
    TEST(what_is_changed_meanwhile_is_not_noted),
    TEST(an_object_without_row_is_swept),
    TEST(a_hold_that_nobody_renews_ends),
    TEST(a_hold_counts_on_where_it_was_after_a_restart),
    TEST(a_committed_row_never_ends_by_the_clock),
    TEST(tombstones_below_the_floor_are_forgotten_and_stay_released),
    TEST(status_lists_the_callers_rows_in_order),
    TEST(orphans_name_what_does_not_agree),
};

suite_main("manager_loop", tests)
