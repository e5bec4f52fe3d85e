/*
 * slice stop: nodes off, links closed; all stays reserved. And the switch that run uses too.
 */
#include "lib/base/fault.h"
#include "snc/audit.h"
#include "snc/modify.h"

bool
slice_switch(struct snc *snc, struct txn *txn, const struct slice_record *record, bool is_on,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	size_t n_rows;

	if (!controller_rows(snc->controller, txn, record->id, arena, &rows, &n_rows))
		return err_set(
		    err, ERR_INTERNAL, "rows of slice '%s' cannot be read", record->name);
	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row *row = &rows[i].row;
		const char *attr = "";

		if (!resource_switch(row->kind, row->attr, is_on, arena, &attr, err))
			return err_in(err, "%s", row->subject);
		if (str_equal(attr, row->attr))
			continue;
		if (!controller_set_attr(snc->controller, txn, row->rid, attr, err))
			return false;
	}
	return true;
}

static bool
refuse_state(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' is not running", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "`vnode slice show %s` says how it stands", record->name);
}

bool
slice_stop(
    struct snc *snc, const struct snc_caller *caller, const char *name_or_id, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record;

	if (!snc_find_slice(caller, txn, name_or_id, arena, &record, err))
		return false;
	if (!record.has_group || record.engine != GROUP_ACTIVE || record.goal == SLICE_DELETED)
		return refuse_state(&record, err);
	if (record.goal == SLICE_STOPPED)
		return true;
	if (!modify_refuse_between(txn, &record, err))
		return false;
	record.goal = SLICE_STOPPED;
	if (!slice_switch(snc, txn, &record, false, err) || !store_slice_save(txn, &record, err) ||
	    !audit_add(snc->audit, txn, caller,
		&(struct audit_entry){"slice_stop", record.name, NULL}, err))
		return false;
	events_add(snc->events, txn, &record, "slice", "stop", "");
	FAULT_POINT("snc.stop.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.stop.after");
	controller_wake(snc->controller);
	return true;
}
