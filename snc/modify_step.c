/*
 * A modify after its transaction: the engine brings the new rows about in a group of their own.
 * When that stands they become the slice's, and what is handed over changes hands (from here on
 * there is no way back); when that is real, what is left of the old leaves in a group that is
 * released. Every step is part of a transaction of the engine's, is done as a whole or not at all,
 * and looks at nothing but the tables: a restart is just the next step, and one that failed is
 * taken again (modify_mend).
 */
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "snc/modify.h"
#include "snc/usage.h"

const char *
modify_slice_of(const char *group, struct arena *arena)
{
	return arena_copy(arena, group, strcspn(group, "+-"));
}

bool
modify_refuse_between(struct txn *txn, const struct slice_record *record, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err))
		return false;
	if (!is_there)
		return true;
	err_set(err, ERR_O02, "slice '%s' is being modified", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "wait until it is done: `vnode slice watch %s`", record->name);
}

bool
modify_abandon(struct snc *snc, struct txn *txn, const struct slice_record *record, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	struct modify_parts parts;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err) ||
	    !store_modify_drop(txn, record->id, err) ||
	    !store_parts(txn, record->id, arena, &parts, err))
		return false;
	if (is_there && record->goal != SLICE_DELETED)
		events_add(snc->events, txn, record, "slice", "unmodified",
		    "given up: the slice has left the state that it was modified in");
	for (size_t i = 0; i < parts.n; i++)
		if (!controller_goal(snc->controller, txn, parts.groups[i], ROW_RELEASED, err))
			return false;
	return true;
}

/* ---- the old goes ---------------------------------------------------------------------------- */

/* Is all that was given other attributes as it should be? */
static bool
is_over(struct txn *txn, const struct slice_record *record, const struct modify_rows *rows)
{
	auto_arena struct arena *arena = arena_new();

	if (record->engine == GROUP_RESERVED) /* nothing exists yet */
		return true;
	for (size_t i = 0; i < rows->n; i++) {
		struct controller_row_state row;
		const char *group;
		struct err err;

		if (!rows->items[i].attr)
			continue;
		if (!controller_row_of(txn, rows->items[i].rid, arena, &group, &row, &err))
			return false;
		if (!controller_row_is_lost(&row) &&
		    (row.have != ROW_COMMITTED || !row.is_real || row.rev_have < row.rev))
			return false;
	}
	return true;
}

static bool
part_with(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct modify_rows *rows, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	uint64_t *rids = arena_alloc(arena, (rows->n + 1) * sizeof(rids[0]));
	struct controller_parting parting = {
	    .group = record->id,
	    .into = arena_format(arena, "%s-%lld", record->id, (long long)record->round),
	    .rids = rids,
	};

	for (size_t i = 0; i < rows->n; i++)
		if (rows->items[i].is_going)
			rids[parting.n_rids++] = rows->items[i].rid;
	return !parting.n_rids || (controller_part(snc->controller, txn, &parting, err) &&
				      store_part_add(txn, parting.into, record->id, err));
}

static bool
finish(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct modify_record *modify, const struct modify_rows *rows, struct err *err)
{
	record->round++;
	record->n_nodes = modify->n_nodes;
	record->n_links = modify->n_links;
	FAULT_POINT("snc.modify.finish");
	if (!part_with(snc, txn, record, rows, err) || !store_modify_adopt(txn, modify, err) ||
	    !store_modify_drop(txn, record->id, err) || !usage_adopt(txn, record->id, err))
		return false;
	view_stale(snc->view);
	events_add(snc->events, txn, record, "slice", "modified", "");
	return true;
}

static bool
follow(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	struct modify_rows rows;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err))
		return false;
	if (!is_there || !modify.is_switched || record->goal == SLICE_DELETED)
		return true;
	return store_modify_rows(txn, record->id, arena, &rows, err) &&
	       (!is_over(txn, record, &rows) || finish(snc, txn, record, &modify, &rows, err));
}

/* ---- the new comes --------------------------------------------------------------------------- */

bool
modify_switch(struct snc *snc, struct txn *txn, struct slice_record *record, const char *coming,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_rows rows;

	FAULT_POINT("snc.modify.switch");
	if (coming && (!controller_merge(snc->controller, txn, coming, record->id, err) ||
			  !store_part_drop(txn, coming, err)))
		return false;
	if (!store_modify_rows(txn, record->id, arena, &rows, err) ||
	    !store_modify_switched(txn, record->id, err))
		return false;
	for (size_t i = 0; i < rows.n; i++)
		if (rows.items[i].attr && !controller_set_attr(snc->controller, txn,
					      rows.items[i].rid, rows.items[i].attr, err))
			return false;
	record->round++;
	return follow(snc, txn, record, err);
}

/* Something of the new could not be had: everything is as before. */
static bool
roll_back(struct snc *snc, struct txn *txn, struct slice_record *record, const struct err *why,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err))
		return false;
	if (!is_there || record->goal == SLICE_DELETED)
		return true;
	record->reason = *why;
	if (why->code == ERR_UNAVAILABLE || why->code == ERR_TIMEOUT)
		record->reason.code = ERR_O03;
	slice_find_line(&modify.document, why->subject, &record->reason);
	events_add(snc->events, txn, record, "slice", "refused",
	    arena_format(arena, "%s: %s", err_code_text(record->reason.code), why->text));
	return store_modify_drop(txn, record->id, err);
}

/* The last part of a slice that is to be deleted takes the record along. */
static bool
part_gone(struct snc *snc, struct txn *txn, struct slice_record *record, const char *group,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;

	view_stale(snc->view);
	record->round++;
	if (!store_part_drop(txn, group, err) || !store_parts(txn, record->id, arena, &parts, err))
		return false;
	if (parts.n || record->has_group || record->goal != SLICE_DELETED)
		return true;
	events_add(snc->events, txn, record, "slice", "deleted", "");
	return store_slice_drop(txn, record->id, err);
}

/* It went, or came, while the new was on its way: the new does not fit it any more. */
static bool
has_left(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	if (record->goal != SLICE_DELETED && record->reason.code == ERR_NONE) {
		err_set(&record->reason, ERR_O01,
		    "slice '%s' has left the state that it was modified in", record->name);
		(void)err_hint(&record->reason, "modify it again");
	}
	return modify_abandon(snc, txn, record, err);
}

static bool
part_changed(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct modify_news *news, struct err *err)
{
	bool is_coming = strchr(news->group, '+') != NULL;

	switch (news->state) {
	case GROUP_RESERVED:
	case GROUP_ACTIVE:
		if (!is_coming)
			return true;
		if (record->has_group && record->engine == news->state)
			return modify_switch(snc, txn, record, news->group, err);
		return has_left(snc, txn, record, err);
	case GROUP_RELEASING:
		return !is_coming || roll_back(snc, txn, record, news->why, err);
	case GROUP_GONE:
		return part_gone(snc, txn, record, news->group, err);
	case GROUP_PENDING:
	case GROUP_COMMITTING:
		break;
	}
	return true;
}

/* ---- as a whole or not at all ---------------------------------------------------------------- */

/* A step that failed has not been taken; the slice's owner is told what it waits for. */
static bool
end_step(struct snc *snc, struct txn *txn, const struct slice_record *record, const struct err *why,
    struct err *err)
{
	if (why->code == ERR_NONE)
		return txn_run(txn, err, "RELEASE modify", "");
	log_error("snc", "event=step_failed slice=%s why=\"%s\"", record->id, why->text);
	if (!txn_run(txn, err, "ROLLBACK TO modify", "") ||
	    !txn_run(txn, err, "RELEASE modify", ""))
		return false;
	events_add(snc->events, txn, record, "slice", "waits", why->text);
	return true;
}

bool
modify_part_changed(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct modify_news *news, struct err *err)
{
	const struct slice_record before = *record;
	struct err why = {0};

	if (!txn_run(txn, err, "SAVEPOINT modify", ""))
		return false;
	if (!part_changed(snc, txn, record, news, &why))
		*record = before;
	else
		why = (struct err){0};
	return end_step(snc, txn, record, &why, err);
}

/* Told of every row of every slice: most have nothing to follow. */
static bool
is_to_follow(struct txn *txn, const struct slice_record *record, bool *is_switched, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err))
		return false;
	*is_switched = is_there && modify.is_switched;
	return true;
}

bool
modify_follow(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	const struct slice_record before = *record;
	struct err why = {0};
	bool is_switched;

	if (!is_to_follow(txn, record, &is_switched, err))
		return false;
	if (!is_switched)
		return true;
	if (!txn_run(txn, err, "SAVEPOINT modify", ""))
		return false;
	if (!follow(snc, txn, record, &why))
		*record = before;
	else
		why = (struct err){0};
	return end_step(snc, txn, record, &why, err);
}
