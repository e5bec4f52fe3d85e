/*
 * The tables of a modify under way (schemas/sql/snc/0002_modify.sql).
 */
#include "snc/modify.h"

bool
store_modify_find(struct txn *txn, const char *slice, struct arena *arena,
    struct modify_record *modify, bool *is_there, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT document, n_nodes, n_links, is_switched FROM modify WHERE slice = ?", "t",
	    slice);
	const void *bytes;
	size_t size;

	if (!rows)
		return false;
	*is_there = rows_next(rows);
	if (!*is_there)
		return true;
	bytes = rows_blob(rows, 0, &size);
	*modify = (struct modify_record){
	    .slice = slice,
	    .document = {arena_copy(arena, bytes, size), size},
	    .n_nodes = rows_i64(rows, 1),
	    .n_links = rows_i64(rows, 2),
	    .is_switched = rows_i64(rows, 3) != 0,
	};
	return true;
}

bool
store_modify_add(struct txn *txn, const struct modify_record *modify, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT INTO modify(slice, document, n_nodes, n_links, is_switched)"
	    " VALUES(?, ?, ?, ?, ?)",
	    "tbiii", modify->slice, modify->document.bytes, modify->document.size, modify->n_nodes,
	    modify->n_links, (int64_t)modify->is_switched);
}

bool
store_modify_switched(struct txn *txn, const char *slice, struct err *err)
{
	return txn_run(txn, err, "UPDATE modify SET is_switched = 1 WHERE slice = ?", "t", slice);
}

bool
store_modify_drop(struct txn *txn, const char *slice, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM modify WHERE slice = ?", "t", slice) &&
	       txn_run(txn, err, "DELETE FROM modify_row WHERE slice = ?", "t", slice);
}

bool
store_modify_row_add(
    struct txn *txn, const char *slice, const struct modify_row *row, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT INTO modify_row(slice, rid, attr, is_going) VALUES(?, ?, ?, ?)", "titi", slice,
	    (int64_t)row->rid, row->attr, (int64_t)row->is_going);
}

bool
store_modify_rows(struct txn *txn, const char *slice, struct arena *arena, struct modify_rows *rows,
    struct err *err)
{
	auto_rows struct rows *query = txn_query(txn, err,
	    "SELECT rid, attr, is_going FROM modify_row WHERE slice = ? ORDER BY rid", "t", slice);
	vec_of(struct modify_row) found = {0};

	if (!query)
		return false;
	while (rows_next(query))
		vec_push(
		    &found, ((struct modify_row){(uint64_t)rows_i64(query, 0),
				arena_text(arena, rows_text(query, 1)), rows_i64(query, 2) != 0}));
	rows->n = found.n;
	rows->items = (void *)arena_copy(arena, found.items, found.n * sizeof(rows->items[0]));
	vec_done(&found);
	return true;
}

bool
store_modify_adopt(struct txn *txn, const struct modify_record *modify, struct err *err)
{
	return txn_run(txn, err, "UPDATE document SET bytes = ? WHERE slice = ?", "bt",
		   modify->document.bytes, modify->document.size, modify->slice) &&
	       txn_run(txn, err, "UPDATE slice SET n_nodes = ?, n_links = ? WHERE id = ?", "iit",
		   modify->n_nodes, modify->n_links, modify->slice);
}

bool
store_part_add(struct txn *txn, const char *group, const char *slice, struct err *err)
{
	return txn_run(txn, err, "INSERT INTO part(grp, slice) VALUES(?, ?)", "tt", group, slice);
}

bool
store_part_drop(struct txn *txn, const char *group, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM part WHERE grp = ?", "t", group);
}

bool
store_parts(struct txn *txn, const char *slice, struct arena *arena, struct modify_parts *parts,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT grp FROM part WHERE ?1 IS NULL OR slice = ?1 ORDER BY grp", "t", slice);
	vec_of(const char *) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, arena_text(arena, rows_text(rows, 0)));
	parts->n = found.n;
	parts->groups = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}
