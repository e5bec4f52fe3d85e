/*
 * slice run: on from wherever the slice rests. DEFINED is placed anew, RESERVED is committed,
 * STOPPED is switched on. And slice reserve, which goes half of the way.
 */
#include "lib/base/fault.h"
#include "lib/base/when.h"
#include "snc/audit.h"
#include "snc/modify.h"
#include "snc/usage.h"

enum { ATTEMPTS = 4 };

/* By whom, what, how far. */
struct going {
	const struct snc_caller *caller;
	const char *name_or_id;
	enum slice_state goal; /* RESERVED or RUNNING */
};

static bool go_now(struct snc *snc, struct txn **txn, struct slice_record *record,
    const struct slice_examination *examination, const struct going *going, struct err *err);

/* The record and its document, read in one transaction. */
struct found {
	struct slice_record record;
	struct slice_document document;
};

static bool
find(struct snc *snc, const struct going *going, struct arena *arena, struct found *found,
    struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);

	return snc_find_slice(going->caller, txn, going->name_or_id, arena, &found->record, err) &&
	       store_slice_document(txn, found->record.id, arena, &found->document, err);
}

static bool
examine(
    struct snc *snc, struct slice_examination *examination, struct arena *arena, struct err *err)
{
	diagnoses found = {0};
	bool is_good = slice_examine(snc, examination, arena, &found);

	for (size_t i = 0; !is_good && i < found.n; i++) {
		if (found.items[i].is_warning)
			continue;
		*err = found.items[i];
		break;
	}
	vec_done(&found);
	if (!is_good)
		slice_note_refused(snc, examination);
	return is_good;
}

static bool
try_going(struct snc *snc, const struct going *going, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_examination examination = {.wants_place = true};
	struct slice_record now;
	struct found found;
	struct txn *txn;
	bool is_good;

	if (!find(snc, going, arena, &found, err))
		return false;
	examination.role = found.record.role;
	examination.document = found.document;
	examination.wish.until_ms = found.record.lease.until_ms;
	examination.tenant = (struct quota_tenant){found.record.project, found.record.owner};
	examination.without = found.record.id;
	if (!found.record.has_group && found.record.lease.phase != LEASE_BOOKED &&
	    !examine(snc, &examination, arena, err))
		return false;
	txn = store_begin(snc->store);
	is_good = store_slice_by_id(txn, found.record.id, arena, &now, err) &&
		  go_now(snc, &txn, &now, &examination, going, err);
	txn_cancel(txn);
	return is_good;
}

static bool
commit(struct snc *snc, struct txn **txn, const struct slice_record *record,
    const struct going *going, struct err *err)
{
	struct audit_entry entry = {
	    going->goal == SLICE_RUNNING ? "slice_run" : "slice_reserve", record->name, NULL};

	if (!store_slice_save(*txn, record, err) || !usage_follow(snc, *txn, record->id, err) ||
	    !audit_add(snc->audit, *txn, going->caller, &entry, err))
		return false;
	events_add(snc->events, *txn, record, "slice",
	    record->goal == SLICE_RUNNING ? "run" : "reserve", "");
	FAULT_POINT("snc.run.before");
	if (!txn_commit(txn, err))
		return false;
	FAULT_POINT("snc.run.after");
	controller_wake(snc->controller);
	return true;
}

static bool
refuse_busy(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O02, "slice '%s' is still giving back what it had", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "wait until it is done: `vnode slice watch %s`", record->name);
}

static bool
refuse_booked(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' is booked for later and starts by itself at %s",
	    record->name, when_text(record->lease.from_ms).text);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "to have it now, delete it and create it without a start");
}

static bool
run_now(struct snc *snc, struct txn **txn, struct slice_record *record, const struct going *going,
    struct err *err)
{
	if (record->goal == SLICE_RUNNING)
		return true;
	record->goal = SLICE_RUNNING;
	if (record->engine == GROUP_ACTIVE)
		return slice_switch(snc, *txn, record, true, err) &&
		       commit(snc, txn, record, going, err);
	return controller_goal(snc->controller, *txn, record->id, ROW_COMMITTED, err) &&
	       commit(snc, txn, record, going, err);
}

static bool
refuse_state(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' has been running: what it has is reserved", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "`vnode slice show %s` says how it stands", record->name);
}

static bool
go_now(struct snc *snc, struct txn **txn, struct slice_record *record,
    const struct slice_examination *examination, const struct going *going, struct err *err)
{
	if (record->goal == SLICE_DELETED ||
	    (record->has_group && record->engine >= GROUP_RELEASING))
		return refuse_busy(record, err);
	if (record->lease.phase == LEASE_BOOKED)
		return refuse_booked(record, err);
	if (!modify_refuse_between(*txn, record, err))
		return false;
	if (!record->has_group) {
		record->goal = going->goal;
		if (!examination->mapping) /* it has come to rest since it was looked at */
			return err_set(err, ERR_WAIT, "look again");
		return usage_admit(snc, *txn, record, examination->expanded, err) &&
		       slice_admit(snc, *txn, record, examination, err) &&
		       commit(snc, txn, record, going, err);
	}
	if (going->goal == SLICE_RUNNING)
		return run_now(snc, txn, record, going, err);
	return record->goal == SLICE_RESERVED || refuse_state(record, err);
}

static bool
go(struct snc *snc, const struct going *going, struct err *err)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (try_going(snc, going, err))
			return true;
		if (err->code != ERR_WAIT)
			return false;
	}
	err_set(err, ERR_CAPACITY, "what was free was taken by others %d times", ATTEMPTS);
	return err_hint(err, "try again");
}

bool
slice_reserve(
    struct snc *snc, const struct snc_caller *caller, const char *name_or_id, struct err *err)
{
	return go(snc, &(struct going){caller, name_or_id, SLICE_RESERVED}, err);
}

bool
slice_run(struct snc *snc, const struct snc_caller *caller, const char *name_or_id, struct err *err)
{
	return go(snc, &(struct going){caller, name_or_id, SLICE_RUNNING}, err);
}
