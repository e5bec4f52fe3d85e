/*
 * The pipeline of a slice: the verbs in the order of life, one file each. A document is examined
 * (guard, read, defaults, check, embed), planned and admitted; from then on its rows lead
 * (lib/engine/controller), and what these verbs change are goals and attributes of rows, each in
 * one transaction. What the rows come to is told by the engine to slice_changed.
 *
 *     slice_examine -> slice_create { slice_plan, slice_admit } -> (engine) -> slice_reserve,
 *     slice_run, slice_stop, slice_modify -> slice_delete
 *
 * A slice for later is examined and planned in the same way, for its own window of time; its rows
 * rest in a booking until lease_watch admits them.
 */
#pragma once

#include "lib/model/mapping.h"
#include "lib/model/plan.h"
#include "lib/model/slice_diff.h"
#include "snc/quota.h"
#include "snc/resource.h"
#include "snc/snc.h"

/* ---- examine: bytes to a slice with its place, or all that is wrong -------------------------- */

struct slice_examination {
	const char *role; /* of who wrote the document */
	struct slice_document document;
	bool wants_place; /* also embed it into what is free then */
	struct lease_wish wish;
	const char
	    *without; /* what this slice holds or has booked does not count; NULL = nothing */
	struct quota_tenant tenant; /* whose quotas it is to be within */
	/* filled in */
	struct lease lease;           /* when placed, or not for want of capacity */
	struct slice *slice;          /* NULL = could not be read */
	const struct slice *expanded; /* what is placed: see slice_expand */
	struct substrate *substrate;  /* that the mapping points into */
	struct mapping *mapping;      /* NULL = not placed */
	double weight; /* what it asks for, when admission is by choice; 0 = nobody asks */
};

/* true when nothing is wrong. Diagnoses into found, in document order. Blocks for tncd; no
 * transaction may be open. */
bool slice_examine(struct snc *snc, struct slice_examination *examination, struct arena *arena,
    diagnoses *found) must_check;

/* It was asked for, and refused: under admission by choice that counts too. A transaction of its
 * own. */
void slice_note_refused(struct snc *snc, const struct slice_examination *examination);

/* The first fault that is no warning, as the answer; false. */
bool slice_first_fault(const diagnoses *found, struct err *err) must_check;

/* ---- place: whether, where and when it fits ------------------------------------------------- */

struct slice_placing {
	const struct slice *expanded;
	struct ledger_question question; /* its view is filled in */
	struct quota_tenant tenant;      /* whose quotas it is to be within */
	int64_t deadline_ms;             /* boot time */
	bool is_try;                     /* one of many: see quota_question */
	/* filled in */
	struct substrate *substrate;
	struct mapping *mapping; /* NULL = it does not fit */
	double weight;           /* as of struct slice_examination */
	int64_t held_ns;         /* so long the store's lock was held */
};

/*
 * The one engine of check, find-slot, create, renewal of what was booked, and of every alternative
 * that a refusal names: what is free at the worst instant of the window, and the embedding into it.
 * On the view as it is: refresh it first. Why not, into found. No transaction may be open.
 */
bool slice_place(struct snc *snc, struct slice_placing *placing, struct arena *arena,
    diagnoses *found) must_check;

/* After a try of many: lets others have the store's lock for as long as the try had it. */
void slice_place_pause(const struct slice_placing *placing);

/* The first window in which a slice fits. */
struct slice_slot {
	const struct slice *expanded;
	int64_t length_ms;           /* 0 = for ever */
	int64_t after_ms, before_ms; /* it starts and ends between them; before 0 = whenever */
	struct quota_tenant tenant;  /* whose quotas it is to be within */
	int64_t deadline_ms;         /* boot time: the search ends then */
	/* filled in */
	struct lease lease; /* as create would grant it */
	struct mapping *mapping;
	bool is_found;
	int64_t looked_until_ms; /* no start up to here fits; CALENDAR_EVER = none does */
};

/* false, with all that is wrong in found, only when it could not be looked for; and with why the
 * last start did not fit when none does. */
bool slice_find_slot(
    struct snc *snc, struct slice_slot *slot, struct arena *arena, diagnoses *found) must_check;

/* ---- plan: a mapping to rows ---------------------------------------------------------------- */

/* Where new ids come from: the engine's counter, inside a transaction. */
struct slice_ids {
	bool (*next)(void *self, uint64_t *id, struct err *err);
	void *self;
};

struct slice_plan_request {
	const char *slice_id;
	const char *tnc;                   /* "tnc@ctl": manager of the shares */
	const struct slice *slice;         /* expanded: what the mapping is of */
	const struct substrate *substrate; /* that the mapping points into */
	const struct mapping *mapping;     /* of the whole slice, or of what is new in it */
	struct slice_ids ids;
	const struct resource_port *ports; /* that have their numbers already */
	size_t n_ports;
};

/* The rows that make a mapping real, in arena. Fails only when no id can be had. */
bool slice_plan(const struct slice_plan_request *request, struct arena *arena, struct plan *plan,
    struct err *err) must_check;

/* ---- create, admit -------------------------------------------------------------------------- */

struct slice_creation {
	struct snc_caller caller;
	const char *op_id; /* the same id with the same document and goal gives the same answer */
	enum slice_state goal; /* DEFINED, RESERVED or RUNNING */
	struct lease_wish wish;
	const char *project; /* NULL = the caller's: see project_choose */
	struct slice_document document;
	/* filled in, in the arena of the call */
	const char *id, *name;
};

/* Durable when it returns; the engine does the rest. The first diagnosis is the error. */
bool slice_create(struct snc *snc, struct slice_creation *creation, struct arena *arena,
    struct err *err) must_check;

/*
 * Makes the rows of an examined slice and hands them to the engine; writes engine, goal and round
 * of the record, which the caller stores. ERR_WAIT when what it was placed on has been taken
 * meanwhile: examine it again.
 */
bool slice_admit(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct slice_examination *examination, struct err *err) must_check;

/* The same for one whose lease is to start: the rows are booked, not handed over. The record must
 * be in the store. */
bool slice_book(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct slice_examination *examination, struct err *err) must_check;

/* Where a booking puts the slice. false when something of it is not there any more: embed anew. */
bool slice_booked_mapping(const struct booking_rows *rows, const struct slice *expanded,
    const struct substrate *substrate, struct arena *arena, struct mapping **mapping) must_check;

/* ---- run, stop, delete ---------------------------------------------------------------------- */

/* By name or id, if it is the caller's. Repeating is harmless. ERR_O01: not in this state; ERR_O02:
 * something else is under way. */
bool slice_reserve(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;
bool slice_run(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;
bool slice_stop(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;
bool slice_delete(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;

/* The delete of a record in the caller's transaction: wake the engine after its commit. */
bool slice_let_go(
    struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err) must_check;

/* A new end (0 = none) for a slice that has or books something; *granted is what it has now. R05
 * names the latest end that is possible. */
bool slice_renew(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    int64_t until_ms, struct lease *granted, struct err *err) must_check;

/* Switches all rows of a slice on or off: new revisions of their attributes. */
bool slice_switch(struct snc *snc, struct txn *txn, const struct slice_record *record, bool is_on,
    struct err *err) must_check;

/* ---- modify --------------------------------------------------------------------------------- */

struct slice_modification {
	struct snc_caller caller;
	const char *slice; /* name or id */
	struct slice_document document;
	bool is_plan;     /* say what would be done, and do nothing */
	bool may_restart; /* nodes of a running slice */
	/* filled in, in the arena of the call */
	const char *id, *name;
	struct slice_diff diff;
	bool is_under_way; /* something is; else it is as the document says already */
};

/*
 * The whole new document in place of the stored one. Durable when it returns; the engine does the
 * rest: what is new is reserved, all or nothing, then switched over to, then the old is given back.
 * If the new cannot be had everything stays as it was, and the slice's reason says why. Also
 * ERR_S11: another name; ERR_O01, ERR_O02; ERR_O04: a restart.
 */
bool slice_modify(struct snc *snc, struct slice_modification *modification, struct arena *arena,
    struct err *err) must_check;

/* ---- what it has come to -------------------------------------------------------------------- */

struct slice_standing {
	enum slice_state state; /* DEFINED … FAILED */
	bool is_deleting;       /* DELETING is shown */
	bool is_modifying;      /* MODIFYING is */
	const char *progress;   /* "reserve", "run", "stop", "modify", "delete", "release", "" */
	bool is_degraded;
	bool is_to_start; /* booked: nothing is under way, but will be */
	bool is_decided;  /* nothing more will come of the last request */
	const char *code, *reason, *hint;
	unsigned line;
};

/* Texts in arena. */
bool slice_stand(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct slice_standing *standing, struct err *err) must_check;

/* ---- watch ---------------------------------------------------------------------------------- */

/* The engine's callbacks; self is the struct snc. */
void slice_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why);
void slice_row_changed(
    void *self, struct txn *txn, const char *group, const struct controller_row_state *row);

/* The line of the element that a row's subject is about, from the document, into why; an error
 * that has a line keeps it. */
void slice_find_line(const struct slice_document *document, const char *subject, struct err *why);

/* A thread that starts, warns and ends slices when their leases say so. */
struct lease_watch;

struct lease_watch *lease_watch_start(struct snc *snc, struct err *err) must_check;
void lease_watch_stop(struct lease_watch *watch); /* takes NULL */

/* Looks at the clock and the leases at once: something is due earlier than it knew. */
void lease_watch_wake(struct lease_watch *watch);

/* A thread that tells hosts that come and go, and asks those that have been silent. */
struct watch;

struct watch *slice_watch_start(struct snc *snc, struct err *err) must_check;
void slice_watch_stop(struct watch *watch); /* takes NULL */
