/*
 * slice delete: every row goes for RELEASED, in any state and as often as asked. The record goes
 * when the last row is really gone (slice_changed), or at once where there is none.
 */
#include "lib/base/fault.h"
#include "snc/audit.h"
#include "snc/modify.h"
#include "snc/usage.h"

bool
slice_let_go(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;

	if (!store_parts(txn, record->id, arena, &parts, err) ||
	    !modify_abandon(snc, txn, record->id, err))
		return false;
	if (!record->has_group && !parts.n) {
		events_add(snc->events, txn, record, "slice", "deleted", "");
		return store_slice_drop(txn, record->id, err) &&
		       usage_follow(snc, txn, record->id, err);
	}
	if (record->goal == SLICE_DELETED)
		return true;
	record->goal = SLICE_DELETED;
	record->reason = (struct err){0};
	events_add(snc->events, txn, record, "slice", "DELETING", "");
	if (!store_slice_save(txn, record, err))
		return false;
	return !record->has_group ||
	       controller_goal(snc->controller, txn, record->id, ROW_RELEASED, err);
}

bool
slice_delete(
    struct snc *snc, const struct snc_caller *caller, const char *name_or_id, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record;

	if (!snc_find_slice(caller, txn, name_or_id, arena, &record, err) ||
	    !slice_let_go(snc, txn, &record, err) ||
	    !audit_add(snc->audit, txn, caller,
		&(struct audit_entry){"slice_delete", record.name, record.id}, err))
		return false;
	FAULT_POINT("snc.delete.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.delete.after");
	controller_wake(snc->controller);
	return true;
}
