/*
 * Intervals: one open for each slice, closed when what it takes changes, or when it is gone.
 */
#include "snc/usage.h"

#include "lib/base/vec.h"
#include "snc/modify.h"
#include "snc/project.h"

struct span {
	int64_t from_ms, until_ms;
	struct quota_amounts amounts; /* without rate-hours */
};

/* ---- claims ---------------------------------------------------------------------------------- */

static bool
claim_put(struct txn *txn, const char *slice, bool is_next, const struct quota_amounts *amounts,
    struct err *err)
{
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO claim (slice, is_next, cpu, memory_bytes, rate_bps)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "tiiii", slice, (int64_t)is_next, amounts->of[QUOTA_CPU], amounts->of[QUOTA_MEMORY],
	    amounts->of[QUOTA_RATE]);
}

/* Of a modify under way the larger ones count. All zero but for the slice when it has none. */
static bool
claim_get(struct txn *txn, const char *slice, struct quota_amounts *amounts, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT coalesce(max(cpu), 0), coalesce(max(memory_bytes), 0),"
	    " coalesce(max(rate_bps), 0) FROM claim WHERE slice = ?",
	    "t", slice);

	if (!rows || !rows_next(rows))
		return false;
	*amounts =
	    (struct quota_amounts){{1, rows_i64(rows, 0), rows_i64(rows, 1), rows_i64(rows, 2), 0}};
	return true;
}

static bool
claim_drop(struct txn *txn, const char *slice, bool is_next, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM claim WHERE slice = ? AND is_next >= ?", "ti", slice,
	    (int64_t)is_next);
}

bool
usage_adopt(struct txn *txn, const char *slice, struct err *err)
{
	return txn_run(txn, err,
	    "UPDATE OR REPLACE claim SET is_next = 0 WHERE slice = ? AND is_next = 1", "t", slice);
}

/* ---- the interval that is open --------------------------------------------------------------- */

static bool
span_find(struct txn *txn, const char *slice, struct span *span, bool *is_there, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT from_ms, until_ms, cpu, memory_bytes, rate_bps FROM span"
	    " WHERE slice = ? AND is_open = 1",
	    "t", slice);

	if (!rows)
		return false;
	*is_there = rows_next(rows);
	if (*is_there)
		*span = (struct span){rows_i64(rows, 0), rows_i64(rows, 1),
		    {{1, rows_i64(rows, 2), rows_i64(rows, 3), rows_i64(rows, 4), 0}}};
	return true;
}

static bool
span_open(
    struct txn *txn, const struct slice_record *slice, const struct span *span, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO span (slice, from_ms, until_ms, is_open, project, owner, cpu,"
	    " memory_bytes, rate_bps) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)",
	    "tiittiii", slice->id, span->from_ms, span->until_ms, slice->project, slice->owner,
	    span->amounts.of[QUOTA_CPU], span->amounts.of[QUOTA_MEMORY],
	    span->amounts.of[QUOTA_RATE]);
}

/* What never began, or lasted no time, is no use. */
static bool
span_close(
    struct txn *txn, const char *slice, const struct span *open, int64_t now_ms, struct err *err)
{
	if (open->from_ms >= now_ms)
		return txn_run(
		    txn, err, "DELETE FROM span WHERE slice = ? AND is_open = 1", "t", slice);
	return txn_run(txn, err,
	    "UPDATE span SET until_ms = ?, is_open = 0 WHERE slice = ? AND is_open = 1", "it",
	    now_ms, slice);
}

static bool
is_same_amounts(const struct span *a, const struct span *b)
{
	for (size_t i = QUOTA_CPU; i <= QUOTA_RATE; i++)
		if (a->amounts.of[i] != b->amounts.of[i])
			return false;
	return true;
}

/* From what is open to what is to be. */
static bool
span_put(struct txn *txn, const struct slice_record *slice, const struct span *wanted,
    int64_t now_ms, struct err *err)
{
	struct span open;
	bool is_there;

	if (!span_find(txn, slice->id, &open, &is_there, err))
		return false;
	if (!is_there)
		return span_open(txn, slice, wanted, err);
	if (is_same_amounts(&open, wanted) &&
	    (open.from_ms <= now_ms) == (wanted->from_ms <= now_ms))
		return open.until_ms == wanted->until_ms ||
		       txn_run(txn, err,
			   "UPDATE span SET until_ms = ? WHERE slice = ? AND is_open = 1", "it",
			   wanted->until_ms, slice->id);
	return span_close(txn, slice->id, &open, now_ms, err) && span_open(txn, slice, wanted, err);
}

/* ---- following a slice ----------------------------------------------------------------------- */

/* Does it hold anything, or is it to? */
static bool
holds(struct txn *txn, const struct slice_record *slice, bool *is, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;

	*is = slice->has_group || slice->lease.phase == LEASE_BOOKED;
	if (*is)
		return true;
	if (!store_parts(txn, slice->id, arena, &parts, err))
		return false;
	*is = parts.n > 0;
	return true;
}

/* What is being given back has no end that anybody knows. */
static struct span
span_of(const struct slice_record *slice, bool is_holding, int64_t now_ms)
{
	struct calendar_span held = lease_span(&slice->lease, now_ms);
	bool is_going =
	    slice->goal == SLICE_DELETED || (slice->has_group && slice->engine >= GROUP_RELEASING);

	if (!is_holding)
		return (struct span){now_ms, CALENDAR_EVER, {{1}}};
	return (struct span){held.from_ms > now_ms ? held.from_ms : now_ms,
	    is_going || held.until_ms <= now_ms ? CALENDAR_EVER : held.until_ms, {{1}}};
}

static bool
follow(struct snc *snc, struct txn *txn, const struct slice_record *slice, struct err *err)
{
	int64_t now_ms = clock_wall_ms(snc->clock);
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	struct span wanted;
	bool is_holding, is_modified;

	if (!holds(txn, slice, &is_holding, err) ||
	    !store_modify_find(txn, slice->id, arena, &modify, &is_modified, err) ||
	    (!is_modified && !claim_drop(txn, slice->id, true, err)))
		return false;
	wanted = span_of(slice, is_holding, now_ms);
	return (!is_holding || claim_get(txn, slice->id, &wanted.amounts, err)) &&
	       span_put(txn, slice, &wanted, now_ms, err);
}

static bool
forget(struct snc *snc, struct txn *txn, const char *slice, struct err *err)
{
	struct span open;
	bool is_there;

	return span_find(txn, slice, &open, &is_there, err) &&
	       (!is_there || span_close(txn, slice, &open, clock_wall_ms(snc->clock), err)) &&
	       claim_drop(txn, slice, false, err);
}

bool
usage_follow(struct snc *snc, struct txn *txn, const char *slice, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_record record;
	struct err why;

	if (store_slice_by_id(txn, slice, arena, &record, &why))
		return follow(snc, txn, &record, err);
	if (why.code == ERR_NOT_FOUND)
		return forget(snc, txn, slice, err);
	*err = why;
	return false;
}

/* ---- admission ------------------------------------------------------------------------------- */

static bool
first_of(diagnoses *found, bool is_good, struct err *err)
{
	if (!is_good)
		*err = found->items[0];
	vec_done(found);
	return is_good;
}

static bool
ask(struct snc *snc, struct txn *txn, struct quota_question *question,
    const struct slice_record *record, struct err *err)
{
	diagnoses found = {0};

	question->tenant = (struct quota_tenant){record->project, record->owner};
	question->slice = record->id;
	return first_of(&found, quota_fits(txn, question, clock_wall_ms(snc->clock), &found), err);
}

bool
usage_admit(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct slice *expanded, struct err *err)
{
	struct snc_caller owner = {record->role, record->owner};
	struct quota_question question = {.wanted = {{1}}};

	question.window = lease_span(&record->lease, clock_wall_ms(snc->clock));
	if (expanded)
		question.wanted = quota_amounts_of(expanded);
	return project_may_use(txn, &owner, record->project, err) &&
	       ask(snc, txn, &question, record, err) &&
	       (!expanded || claim_put(txn, record->id, false, &question.wanted, err));
}

bool
usage_modify(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct slice *expanded, struct err *err)
{
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct quota_question question = {
	    .wanted = quota_amounts_of(expanded), .window = lease_span(&record->lease, now_ms)};

	return claim_get(txn, record->id, &question.had, err) &&
	       ask(snc, txn, &question, record, err) &&
	       claim_put(txn, record->id, true, &question.wanted, err);
}

bool
usage_renew(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct calendar_span window, struct err *err)
{
	struct quota_question question = {.window = window};

	return claim_get(txn, record->id, &question.wanted, err) &&
	       ask(snc, txn, &question, record, err) && follow(snc, txn, record, err);
}

/* ---- slices of before ------------------------------------------------------------------------ */

static bool
unknown_slices(struct txn *txn, struct arena *arena, struct slice_names *names, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT id FROM slice WHERE id NOT IN (SELECT slice FROM span WHERE is_open = 1)", "");
	vec_of(const char *) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, arena_text(arena, rows_text(rows, 0)));
	names->n = found.n;
	names->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}

static bool
claim_from_document(struct txn *txn, const char *slice, struct arena *arena, struct err *err)
{
	struct slice_document document;
	struct quota_amounts amounts;
	struct slice *read;
	diagnoses found = {0};
	bool is_good;

	if (!store_slice_document(txn, slice, arena, &document, err))
		return false;
	is_good = slice_read(document.bytes, document.size, arena, &read, &found) &&
		  slice_defaults(read, arena, &found);
	vec_done(&found);
	if (!is_good)
		return true; /* accepted by another version: it counts as a slice alone */
	amounts = quota_amounts_of(slice_expand(read, arena));
	return claim_put(txn, slice, false, &amounts, err);
}

bool
usage_begin(struct snc *snc, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_names names;

	if (!unknown_slices(txn, arena, &names, err))
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (!claim_from_document(txn, names.items[i], arena, err) ||
		    !usage_follow(snc, txn, names.items[i], err))
			return false;
	return !names.n || txn_commit(&txn, err);
}

/* ---- report ---------------------------------------------------------------------------------- */

bool
usage_report(struct txn *txn, const struct usage_query *query, struct arena *arena,
    struct usage_records *records, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT project, owner, count(DISTINCT slice), CAST(sum(length) / 1000 AS INTEGER),"
	    " CAST(sum(length * cpu) / 1000 AS INTEGER),"
	    " CAST(sum(length * memory_bytes) / 3600000 AS INTEGER),"
	    " CAST(sum(length * rate_bps) / 3600000 AS INTEGER)"
	    " FROM (SELECT *, 1.0 * ((CASE WHEN is_open = 1 THEN ?5 ELSE min(until_ms, ?5) END)"
	    "   - max(from_ms, ?4)) AS length FROM span"
	    "  WHERE (?1 IS NULL OR project = ?1)"
	    "  AND (?2 IS NULL OR owner = ?2) AND (?3 IS NULL OR owner = ?3"
	    "   OR project IN (SELECT project FROM member WHERE user = ?3)))"
	    " WHERE length > 0 GROUP BY project, owner ORDER BY project, owner",
	    "tttii", query->project, query->user, query->seer, query->from_ms, query->until_ms);
	vec_of(struct usage_record) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found,
		    ((struct usage_record){arena_text(arena, rows_text(rows, 0)),
			arena_text(arena, rows_text(rows, 1)), rows_i64(rows, 2), rows_i64(rows, 3),
			rows_i64(rows, 4), rows_i64(rows, 5), rows_i64(rows, 6)}));
	records->n = found.n;
	records->items =
	    (void *)arena_copy(arena, found.items, found.n * sizeof(records->items[0]));
	vec_done(&found);
	return true;
}
