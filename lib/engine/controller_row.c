/*
 * Groups and rows of the controller in the database.
 */
#include "lib/engine/controller_row.h"

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/engine/controller_step.h"

/* The state of its group behind those of its own. */
#define ROW_COLUMNS(group_state)                                                                   \
	"rid, grp, manager, kind, subject, spec, attr, rev, rev_have, " group_state                \
	", have, is_real, refused, result, why_code, why, tries, evicted"

enum { PAGE = 512 };

static void row_fill(struct rows *rows, struct arena *arena, struct stored_row *row);

bool
stored_rows(struct txn *txn, const struct stored_rows_key *key, struct arena *arena,
    struct stored_row **found, size_t *n_found, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT " ROW_COLUMNS("?2") " FROM controller_row WHERE grp = ?1 ORDER BY rid", "ti",
	    key->group, (int64_t)key->state);
	vec_of(struct stored_row) list = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		row_fill(rows, arena, vec_add(&list));
	*found = arena_alloc(arena, list.n * sizeof(**found));
	for (size_t i = 0; i < list.n; i++)
		(*found)[i] = list.items[i];
	*n_found = list.n;
	vec_done(&list);
	return true;
}

bool
stored_row(
    struct txn *txn, uint64_t rid, struct arena *arena, struct stored_row *row, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT " ROW_COLUMNS(
		"(SELECT state FROM controller_group WHERE name = grp)") " FROM "
									 "controller_row WHERE rid "
									 "= ?",
	    "i", (int64_t)rid);

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_NOT_FOUND, "there is no row %s", id_text(rid).text);
	row_fill(rows, arena, row);
	return true;
}

bool
controller_page(struct txn *txn, uint64_t after, struct arena *arena,
    const struct controller_row_state **found, size_t *n_found, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT " ROW_COLUMNS(
		"(SELECT state FROM controller_group WHERE name = grp)") " FROM "
									 "controller_row WHERE rid "
									 "> ? ORDER BY rid LIMIT ?",
	    "ii", (int64_t)after, (int64_t)PAGE);
	struct controller_row_state *states;
	size_t n = 0;

	if (!rows)
		return false;
	states = arena_alloc(arena, PAGE * sizeof(*states));
	while (rows_next(rows)) {
		struct stored_row row;

		row_fill(rows, arena, &row);
		states[n++] = row.state;
	}
	*found = states;
	*n_found = n;
	return true;
}

bool
controller_row_of(struct txn *txn, uint64_t rid, struct arena *arena, const char **group,
    struct controller_row_state *row, struct err *err)
{
	struct stored_row found = {0};

	if (!stored_row(txn, rid, arena, &found, err))
		return false;
	*group = found.group;
	*row = found.state;
	return true;
}

bool
stored_group(struct txn *txn, const char *name, struct stored_group *group, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT state, goal, reserve_ms, commit_ms FROM controller_group WHERE name = ?", "t",
	    name);

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_NOT_FOUND, "there is no group '%s'", name);
	*group = (struct stored_group){.state = (enum group_state)rows_i64(rows, 0),
	    .goal = (enum row_state)rows_i64(rows, 1),
	    .reserve_ms = rows_i64(rows, 2),
	    .commit_ms = rows_i64(rows, 3)};
	return true;
}

bool
store_row(struct txn *txn, const struct stored_row *row, struct err *err)
{
	const struct controller_row_state *state = &row->state;

	return txn_run(txn, err,
	    "UPDATE controller_row SET rev_have = ?, have = ?, is_real = ?, refused = ?, result = "
	    "?, "
	    "why_code = ?, why = ?, tries = ? WHERE rid = ?",
	    "iiiitttii", state->rev_have, (int64_t)state->have, (int64_t)state->is_real,
	    (int64_t)row->is_refused, state->result, err_code_text(state->why.code),
	    state->why.text, (int64_t)state->tries, (int64_t)state->row.rid);
}

bool
store_group(struct txn *txn, const char *name, enum group_state state, struct err *err)
{
	return txn_run(txn, err, "UPDATE controller_meta SET change = change + 1", "") &&
	       txn_run(txn, err, "UPDATE controller_group SET state = ? WHERE name = ?", "it",
		   (int64_t)state, name);
}

bool
store_fresh_start(struct txn *txn, const char *group, struct err *err)
{
	return txn_run(
	    txn, err, "UPDATE controller_row SET refused = 0, tries = 0 WHERE grp = ?", "t", group);
}

bool
store_forget(struct txn *txn, const char *group, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM controller_row WHERE grp = ?", "t", group) &&
	       txn_run(txn, err, "DELETE FROM controller_group WHERE name = ?", "t", group);
}

bool
stored_caller(struct txn *txn, struct manager_caller *caller, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT (SELECT rid FROM controller_row WHERE evicted = 0 ORDER BY rid LIMIT 1), "
	    "next_id, change FROM controller_meta",
	    "");

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_INTERNAL, "the table controller_meta is empty");
	caller->floor = (uint64_t)rows_i64(rows, 0);
	if (!caller->floor)
		caller->floor = id_make((uint32_t)caller->epoch, (uint64_t)rows_i64(rows, 1));
	caller->change = rows_i64(rows, 2);
	return true;
}

static void
row_fill(struct rows *rows, struct arena *arena, struct stored_row *row)
{
	*row = (struct stored_row){.state = {.row = {.rid = (uint64_t)rows_i64(rows, 0),
						 .manager = arena_text(arena, rows_text(rows, 2)),
						 .kind = arena_text(arena, rows_text(rows, 3)),
						 .subject = arena_text(arena, rows_text(rows, 4)),
						 .spec = arena_text(arena, rows_text(rows, 5)),
						 .attr = arena_text(arena, rows_text(rows, 6))},
				       .rev = rows_i64(rows, 7),
				       .rev_have = rows_i64(rows, 8),
				       .want = group_want((enum group_state)rows_i64(rows, 9)),
				       .have = (enum row_state)rows_i64(rows, 10),
				       .is_real = rows_i64(rows, 11) != 0,
				       .result = arena_text(arena, rows_text(rows, 13)),
				       .tries = (int)rows_i64(rows, 16),
				       .is_evicted = rows_i64(rows, 17) != NOT_EVICTED},
	    .is_refused = rows_i64(rows, 12) != 0,
	    .eviction = (enum eviction)rows_i64(rows, 17),
	    .group = arena_text(arena, rows_text(rows, 1))};
	if (!str_equal(rows_text(rows, 14), err_code_text(ERR_NONE)))
		(void)err_set(&row->state.why, err_code_parse(rows_text(rows, 14)), "%s",
		    rows_text(rows, 15));
}
