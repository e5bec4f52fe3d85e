/*
 * Tombstones that could not be forgotten, as the store refused: they are forgotten later.
 */
#include <stdatomic.h>
#include <string.h>

#include "lib/base/log.h"
#include "test/support/stand.h"
#include "test/support/suite.h"

static void
run_sql(struct stand *stand, const char *sql)
{
	auto_txn struct txn *txn = store_begin(stand->store);
	struct err err;

	assert_true(txn_run(txn, &err, sql, "") && txn_commit(&txn, &err));
}

static void
count_failures(void *self, enum log_level level, const char *line)
{
	atomic_int *n_failures = self;

	(void)level;
	if (strstr(line, "event=forget_failed"))
		++*n_failures;
}

static bool
has_failed(void *self)
{
	atomic_int *n_failures = self;

	return *n_failures > 0;
}

static bool
is_forgotten(void *self)
{
	struct stand *stand = self;
	auto_txn struct txn *txn = store_begin(stand->store);
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT 1 FROM manager_row WHERE rid IN (10, 12)", "");

	stand->clock.ahead_ms += 1000;
	return !rows_next(rows);
}

/* One of two can be deleted: both are kept, in memory as in the store, until both can. */
static void
tombstones_that_the_store_keeps_are_forgotten_when_it_lets_go(void)
{
	struct stand *stand;
	atomic_int n_failures = 0;

	log_set_level(LOG_LEVEL_DEBUG);
	log_set_sink(count_failures, &n_failures);
	stand = stand_new("kept", 9);
	run_sql(stand, "CREATE TRIGGER kept BEFORE DELETE ON manager_row WHEN old.rid = 12"
		       " BEGIN SELECT RAISE(ABORT, 'not now'); END");
	stand_put(stand, 10, ROW_RELEASED);
	stand_put(stand, 12, ROW_RELEASED);
	stand->floor = 13;
	(void)stand_reserve(stand, 13, "units=1");
	stand_pass_ms(stand, 6000);
	assert_true(eventually(has_failed, &n_failures));
	assert_true(!is_forgotten(stand));
	assert_true(stand_release(stand, 10).is_real);

	run_sql(stand, "DROP TRIGGER kept");
	stand_pass_ms(stand, 6000);
	assert_true(eventually(is_forgotten, stand));
	stand_free(stand);
	log_set_sink(NULL, NULL);
	log_set_level(LOG_LEVEL_INFO);
}

static const struct test tests[] = {
    TEST(tombstones_that_the_store_keeps_are_forgotten_when_it_lets_go),
};

suite_main("manager_forget", tests)
