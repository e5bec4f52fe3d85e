/*
 * SQL of the ledger's marks (schemas/sql/snc/0004_scale.sql).
 */
#include "lib/base/vec.h"
#include "snc/snc_store.h"

enum { CHANGES_KEPT = 200000 };

bool
store_marks_begin(struct txn *txn, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM ledger_mark", "") &&
	       txn_run(txn, err, "INSERT INTO ledger_mark VALUES (total_changes(), '')", "");
}

bool
store_mark_add(struct txn *txn, const char *group, struct err *err)
{
	return txn_run(txn, err, "INSERT OR IGNORE INTO ledger_mark VALUES (total_changes(), ?)",
		   "t", group) &&
	       txn_run(txn, err, "DELETE FROM ledger_mark WHERE stamp < total_changes() - ?", "i",
		   (int64_t)CHANGES_KEPT);
}

static bool
last_valid(struct txn *txn, int64_t seen, int64_t *valid, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT coalesce(max(stamp), -1) FROM ledger_mark WHERE stamp <= ?", "i", seen);

	if (!rows)
		return false;
	*valid = rows_next(rows) ? rows_i64(rows, 0) : -1;
	return true;
}

bool
store_marks_after(
    struct txn *txn, int64_t seen, struct arena *arena, struct store_marks *marks, struct err *err)
{
	auto_rows struct rows *rows = NULL;
	vec_of(struct store_mark) found = {0};

	if (!last_valid(txn, seen, &marks->valid, err))
		return false;
	rows = txn_query(txn, err,
	    "SELECT max(stamp), grp FROM ledger_mark WHERE stamp > ? GROUP BY grp ORDER BY 1", "i",
	    seen);
	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct store_mark){
				     rows_i64(rows, 0), arena_text(arena, rows_text(rows, 1))}));
	marks->n = found.n;
	marks->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}
