/*
 * How a slice stands: the states that users see, from its record, its group and its rows.
 */
#include "snc/modify.h"

static const char *
progress_of(const struct slice_record *record)
{
	if (record->goal == SLICE_DELETED)
		return "delete";
	if (!record->has_group)
		return "";
	switch (record->engine) {
	case GROUP_PENDING:
		return "reserve";
	case GROUP_RESERVED:
		return record->goal == SLICE_RUNNING ? "run" : "";
	case GROUP_COMMITTING:
		return "run";
	case GROUP_ACTIVE:
		if (record->settled == record->goal)
			return "";
		return record->goal == SLICE_STOPPED ? "stop" : "run";
	case GROUP_RELEASING:
	case GROUP_GONE:
		break;
	}
	return "release";
}

/* The first row that keeps it from what is wanted, and why. */
static const struct controller_row_state *
blocking_row(const struct controller_row_state *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].why.code != ERR_NONE &&
		    (controller_row_is_lost(&rows[i]) ||
			!(rows[i].have >= rows[i].want && rows[i].is_real)))
			return &rows[i];
	return NULL;
}

static void
say_reason(const struct err *why, const char *subject, struct arena *arena,
    struct slice_standing *standing)
{
	standing->code = err_code_text(why->code);
	standing->line = why->line;
	standing->hint = arena_text(arena, why->hint);
	standing->reason = arena_format(
	    arena, "%s: %s%s%s", standing->code, subject, subject[0] ? ": " : "", why->text);
}

/* Of a modify, whom it waits for: first those that come, then those that are switched over. */
static bool
say_coming(struct snc *snc, struct txn *txn, const struct slice_record *record, struct arena *arena,
    struct slice_standing *standing)
{
	const struct controller_row_state *rows, *blocking = NULL;
	struct modify_parts parts;
	struct err err;
	size_t n_rows;

	if (!store_parts(txn, record->id, arena, &parts, &err))
		return false;
	for (size_t i = 0; i <= parts.n && !blocking; i++) {
		const char *group = i < parts.n ? parts.groups[i] : record->id;

		if (!controller_rows(snc->controller, txn, group, arena, &rows, &n_rows))
			return false;
		blocking = blocking_row(rows, n_rows);
	}
	if (blocking)
		say_reason(&blocking->why, blocking->row.subject, arena, standing);
	return true;
}

/* While something is under way or missing, whom it waits for. */
static bool
say_rows(struct snc *snc, struct txn *txn, const struct slice_record *record, struct arena *arena,
    struct slice_standing *standing)
{
	const struct controller_row_state *rows, *blocking;
	size_t n_rows;

	if (!controller_rows(snc->controller, txn, record->id, arena, &rows, &n_rows))
		return false;
	if (standing->is_modifying)
		return say_coming(snc, txn, record, arena, standing);
	for (size_t i = 0; i < n_rows && record->engine == GROUP_ACTIVE; i++)
		standing->is_degraded = standing->is_degraded ||
					(record->settled == record->goal &&
					    (!rows[i].is_real || controller_row_is_lost(&rows[i])));
	blocking = blocking_row(rows, n_rows);
	if (blocking && (standing->progress[0] || standing->is_degraded) &&
	    record->reason.code == ERR_NONE)
		say_reason(&blocking->why, blocking->row.subject, arena, standing);
	return true;
}

bool
slice_stand(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct slice_standing *standing, struct err *err)
{
	struct modify_record modify;
	bool is_modifying;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_modifying, err))
		return false;
	*standing = (struct slice_standing){
	    .state = record->settled,
	    .is_modifying = is_modifying,
	    .is_deleting = record->goal == SLICE_DELETED,
	    .progress = is_modifying ? "modify" : progress_of(record),
	    .is_to_start = record->lease.phase == LEASE_BOOKED,
	    .code = "",
	    .reason = "",
	    .hint = "",
	};
	standing->is_decided = !standing->progress[0] || str_equal(standing->progress, "release");
	if (record->reason.code != ERR_NONE)
		say_reason(&record->reason, "", arena, standing);
	if (record->has_group && !say_rows(snc, txn, record, arena, standing))
		return err_set(
		    err, ERR_INTERNAL, "rows of slice '%s' cannot be read", record->name);
	return true;
}
