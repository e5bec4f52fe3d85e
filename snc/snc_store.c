/*
 * SQL of sncd. Rows of the engine (part "controller") are not touched here.
 */
#include "snc/snc_store.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"

STORE_SQL(snc_slices_sql, "schemas/sql/snc/0001_slices.sql");
STORE_SQL(snc_leases_sql, "schemas/sql/snc/0002_leases.sql");
STORE_SQL(snc_modify_sql, "schemas/sql/snc/0003_modify.sql");
STORE_SQL(snc_scale_sql, "schemas/sql/snc/0004_scale.sql");
STORE_SQL(snc_projects_sql, "schemas/sql/tenancy/0001_projects.sql");
STORE_SQL(snc_requests_sql, "schemas/sql/admission/0001_requests.sql");
STORE_SQL(snc_drains_sql, "schemas/sql/drain/0001_drains.sql");

const struct store_migration snc_migrations[] = {{"snc", 1, snc_slices_sql},
    {"snc", 2, snc_leases_sql}, {"snc", 3, snc_modify_sql}, {"snc", 4, snc_scale_sql},
    {"tenancy", 1, snc_projects_sql}, {"admission", 1, snc_requests_sql},
    {"drain", 1, snc_drains_sql}};
const size_t n_snc_migrations = sizeof(snc_migrations) / sizeof(snc_migrations[0]);

enum { EVENTS_LAST = 100, EVENTS_MAX = 256 };

#define SLICE_COLUMNS                                                                              \
	"id, name, owner, role, n_nodes, n_links, created_ms, goal, settled, engine, round, "      \
	"code, line, subject, reason, hint"
#define SLICE_READ SLICE_COLUMNS ", from_ms, until_ms, warn_ms, grace_ms, phase, due_ms, project"

/* Of rows with owner and project: those that a user may see. */
#define SEEN_BY(user)                                                                              \
	"(" user " IS NULL OR owner = " user                                                       \
	" OR project IN (SELECT project FROM member WHERE user = " user "))"

static const char *const states[] = {
    "DEFINED", "RESERVED", "RUNNING", "STOPPED", "DELETED", "FAILED"};

const char *
slice_state_text(enum slice_state state)
{
	return states[state];
}

bool
slice_state_parse(const char *text, enum slice_state *state, struct err *err)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i], text) == 0) {
			*state = (enum slice_state)i;
			return true;
		}
	}
	err_set(err, ERR_BAD_VALUE, "'%s' is no state of a slice", text);
	return err_hint(err, "DEFINED, RESERVED, RUNNING or STOPPED");
}

static const char *
engine_text(const struct slice_record *slice)
{
	return slice->has_group ? group_state_text(slice->engine) : "";
}

static void
engine_parse(const char *text, struct slice_record *slice)
{
	for (int state = GROUP_PENDING; state <= GROUP_GONE; state++) {
		if (strcmp(group_state_text((enum group_state)state), text) != 0)
			continue;
		slice->has_group = true;
		slice->engine = (enum group_state)state;
	}
}

static struct lease
read_lease(struct rows *rows, int column)
{
	return (struct lease){
	    .from_ms = rows_i64(rows, column),
	    .until_ms = rows_i64(rows, column + 1),
	    .warn_ms = rows_i64(rows, column + 2),
	    .grace_ms = rows_i64(rows, column + 3),
	    .phase = lease_phase_parse(rows_text(rows, column + 4)),
	    .due_ms = rows_i64(rows, column + 5),
	};
}

static struct slice_record
read_slice(struct rows *rows, struct arena *arena)
{
	struct slice_record slice = {
	    .id = arena_text(arena, rows_text(rows, 0)),
	    .name = arena_text(arena, rows_text(rows, 1)),
	    .owner = arena_text(arena, rows_text(rows, 2)),
	    .role = arena_text(arena, rows_text(rows, 3)),
	    .n_nodes = rows_i64(rows, 4),
	    .n_links = rows_i64(rows, 5),
	    .created_ms = rows_i64(rows, 6),
	    .round = rows_i64(rows, 10),
	    .lease = read_lease(rows, 16),
	    .project = arena_text(arena, rows_text(rows, 22)),
	};
	struct err err;

	/* Both columns have a CHECK. */
	if (!slice_state_parse(rows_text(rows, 7), &slice.goal, &err) ||
	    !slice_state_parse(rows_text(rows, 8), &slice.settled, &err))
		abort();
	engine_parse(rows_text(rows, 9), &slice);
	if (strcmp(rows_text(rows, 11), err_code_text(ERR_NONE)) == 0)
		return slice;
	(void)err_set(
	    &slice.reason, err_code_parse(rows_text(rows, 11)), "%s", rows_text(rows, 14));
	(void)err_at(&slice.reason, (unsigned)rows_i64(rows, 12), "");
	(void)err_subject(&slice.reason, "%s", rows_text(rows, 13));
	(void)err_hint(&slice.reason, "%s", rows_text(rows, 15));
	return slice;
}

/* The first row as a slice, if there is one. */
static bool
one_slice(struct rows *rows, struct arena *arena, struct slice_record *slice)
{
	if (!rows_next(rows))
		return false;
	*slice = read_slice(rows, arena);
	return true;
}

bool
store_slice_add(struct txn *txn, const struct slice_record *slice,
    const struct slice_document *document, struct err *err)
{
	auto_rows struct rows *same = txn_query(txn, err,
	    "SELECT id FROM slice WHERE owner = ? AND name = ?", "tt", slice->owner, slice->name);

	if (!same)
		return false;
	if (rows_next(same)) {
		err_set(err, ERR_S11, "'%s' has a slice '%s' already", slice->owner, slice->name);
		err_subject(err, "slice '%s'", slice->name);
		return err_hint(err, "delete that slice first, or choose another name");
	}
	return txn_run(txn, err,
		   "INSERT INTO slice (" SLICE_COLUMNS ", project)"
		   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		   "ttttiiitttititttt", slice->id, slice->name, slice->owner, slice->role,
		   slice->n_nodes, slice->n_links, slice->created_ms, slice_state_text(slice->goal),
		   slice_state_text(slice->settled), engine_text(slice), slice->round,
		   err_code_text(slice->reason.code), (int64_t)slice->reason.line,
		   slice->reason.subject, slice->reason.text, slice->reason.hint, slice->project) &&
	       txn_run(txn, err, "INSERT INTO document (slice, bytes) VALUES (?, ?)", "tb",
		   slice->id, document->bytes, document->size);
}

bool
store_slice_save(struct txn *txn, const struct slice_record *slice, struct err *err)
{
	return txn_run(txn, err,
	    "UPDATE slice SET goal = ?, settled = ?, engine = ?, round = ?, code = ?, line = ?,"
	    " subject = ?, reason = ?, hint = ? WHERE id = ?",
	    "tttititttt", slice_state_text(slice->goal), slice_state_text(slice->settled),
	    engine_text(slice), slice->round, err_code_text(slice->reason.code),
	    (int64_t)slice->reason.line, slice->reason.subject, slice->reason.text,
	    slice->reason.hint, slice->id);
}

bool
store_slice_by_id(struct txn *txn, const char *id, struct arena *arena, struct slice_record *slice,
    struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT " SLICE_READ " FROM slice WHERE id = ?", "t", id);

	if (!rows)
		return false;
	return one_slice(rows, arena, slice) ||
	       err_set(err, ERR_NOT_FOUND, "there is no slice '%s'", id);
}

/* The owner's own before those of others; a name before an id. */
bool
store_slice_find(struct txn *txn, const struct store_slice_key *key, struct arena *arena,
    struct slice_record *slice, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT " SLICE_READ " FROM slice WHERE (name = ?1 OR id = ?1)"
	    " AND " SEEN_BY("?2") " ORDER BY owner = ?3 DESC, name = ?1 DESC, owner",
	    "ttt", key->name_or_id, key->seer, key->preferred);
	struct slice_record other;

	if (!rows)
		return false;
	if (!one_slice(rows, arena, slice)) {
		err_set(err, ERR_NOT_FOUND, "there is no slice '%s'", key->name_or_id);
		return err_hint(err, "`vnode slice list` lists them");
	}
	if (str_equal(slice->owner, key->preferred) || !one_slice(rows, arena, &other))
		return true;
	err_set(err, ERR_CONFLICT, "'%s' and '%s' both have a slice '%s'", slice->owner,
	    other.owner, key->name_or_id);
	return err_hint(err, "use the slice's id, which `vnode slice list` shows");
}

bool
store_slice_list(struct txn *txn, const char *seer, struct arena *arena,
    struct slice_records *slices, struct err *err)
{
	struct store_slice_page all = {seer, "", "", -1};

	return store_slice_page(txn, &all, arena, slices, err);
}

bool
store_slice_page(struct txn *txn, const struct store_slice_page *page, struct arena *arena,
    struct slice_records *slices, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT " SLICE_READ " FROM slice WHERE " SEEN_BY(
		"?1") " AND (name, owner) > (?2, ?3) ORDER BY name, owner LIMIT ?4",
	    "ttti", page->seer, page->after_name, page->after_owner, page->most);
	vec_of(struct slice_record) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, read_slice(rows, arena));
	slices->n = found.n;
	slices->items = (void *)arena_copy(arena, found.items, found.n * sizeof(slices->items[0]));
	vec_done(&found);
	return true;
}

bool
store_slice_document(struct txn *txn, const char *id, struct arena *arena,
    struct slice_document *document, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT bytes FROM document WHERE slice = ?", "t", id);
	const void *bytes;

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_NOT_FOUND, "there is no slice '%s'", id);
	bytes = rows_blob(rows, 0, &document->size);
	document->bytes = arena_copy(arena, bytes, document->size);
	return true;
}

bool
store_slice_drop(struct txn *txn, const char *id, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM slice WHERE id = ?", "t", id);
}

bool
store_op_find(struct txn *txn, const char *caller, const char *op_id, struct arena *arena,
    struct op_record *op, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT digest, slice, name, at_ms FROM op WHERE caller = ? AND op_id = ?", "tt",
	    caller, op_id);

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_NOT_FOUND, "there is no operation '%s'", op_id);
	*op = (struct op_record){
	    .caller = caller,
	    .op_id = op_id,
	    .digest = arena_text(arena, rows_text(rows, 0)),
	    .slice = arena_text(arena, rows_text(rows, 1)),
	    .name = arena_text(arena, rows_text(rows, 2)),
	    .at_ms = rows_i64(rows, 3),
	};
	return true;
}

bool
store_op_add(struct txn *txn, const struct op_record *op, int64_t old_ms, struct err *err)
{
	return txn_run(txn, err,
		   "DELETE FROM op WHERE at_ms < ? AND slice NOT IN (SELECT id FROM slice)", "i",
		   old_ms) &&
	       txn_run(txn, err,
		   "INSERT INTO op (caller, op_id, digest, slice, name, at_ms)"
		   " VALUES (?, ?, ?, ?, ?, ?)",
		   "ttttti", op->caller, op->op_id, op->digest, op->slice, op->name, op->at_ms);
}

/* What was said last of the same is not said again. */
bool
store_event_add(struct txn *txn, const struct event_record *event, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT INTO event (at_ms, slice_id, slice, owner, project, subject, what, text)"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE NOT EXISTS"
	    " (SELECT 1 FROM (SELECT what, text, at_ms FROM event"
	    "   WHERE slice_id = ?2 AND subject = ?6 ORDER BY seq DESC LIMIT 1)"
	    "  WHERE what = ?7 AND text = ?8 AND (?9 = 0 OR ?1 - at_ms < ?9))",
	    "ittttttti", event->at_ms, event->slice_id, event->slice, event->owner, event->project,
	    event->subject, event->what, event->text, event->again_ms);
}

static struct event_record
read_event(struct rows *rows, struct arena *arena)
{
	return (struct event_record){
	    .seq = rows_i64(rows, 0),
	    .at_ms = rows_i64(rows, 1),
	    .slice_id = arena_text(arena, rows_text(rows, 2)),
	    .slice = arena_text(arena, rows_text(rows, 3)),
	    .owner = arena_text(arena, rows_text(rows, 4)),
	    .subject = arena_text(arena, rows_text(rows, 5)),
	    .what = arena_text(arena, rows_text(rows, 6)),
	    .text = arena_text(arena, rows_text(rows, 7)),
	};
}

/* The newest ones are read backwards and turned round. */
bool
store_event_list(struct txn *txn, const struct store_event_query *query, struct arena *arena,
    struct event_records *events, struct err *err)
{
	bool is_last = query->after < 0;
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT seq, at_ms, slice_id, slice, owner, subject, what, text FROM event"
	    " WHERE seq > ?1 AND (owner = '' OR " SEEN_BY(
		"?2") ")"
		      " AND (?3 IS NULL OR slice_id = ?3)"
		      " ORDER BY CASE WHEN ?4 THEN -seq ELSE seq END LIMIT ?5",
	    "ittii", query->after, query->seer, query->slice_id, (int64_t)is_last,
	    (int64_t)(is_last ? EVENTS_LAST : EVENTS_MAX));
	vec_of(struct event_record) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, read_event(rows, arena));
	for (size_t i = 0; is_last && i < found.n / 2; i++) {
		struct event_record first = found.items[i];

		found.items[i] = found.items[found.n - 1 - i];
		found.items[found.n - 1 - i] = first;
	}
	events->n = found.n;
	events->items = (void *)arena_copy(arena, found.items, found.n * sizeof(events->items[0]));
	vec_done(&found);
	return true;
}

bool
store_daemon_put(struct txn *txn, const struct daemon_record *daemon, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO daemon (manager, version, db_uuid, capacity)"
	    " VALUES (?, ?, ?, ?)",
	    "tttt", daemon->manager, daemon->version, daemon->db_uuid, daemon->capacity);
}

bool
store_daemon_list(
    struct txn *txn, struct arena *arena, struct daemon_records *daemons, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT manager, version, db_uuid, capacity FROM daemon ORDER BY manager", "");
	vec_of(struct daemon_record) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct daemon_record){arena_text(arena, rows_text(rows, 0)),
				     arena_text(arena, rows_text(rows, 1)),
				     arena_text(arena, rows_text(rows, 2)),
				     arena_text(arena, rows_text(rows, 3))}));
	daemons->n = found.n;
	daemons->items =
	    (void *)arena_copy(arena, found.items, found.n * sizeof(daemons->items[0]));
	vec_done(&found);
	return true;
}
