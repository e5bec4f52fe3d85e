/*
 * The pipeline of a slice: the verbs in the order of life, one file each. A document is examined
 * (guard, read, defaults, check, embed), planned and admitted; from then on its rows lead
 * (lib/engine/controller), and what these verbs change are goals and attributes of rows, each in
 * one transaction. What the rows come to is told by the engine to slice_changed.
 *
 *     slice_examine -> slice_create { slice_plan, slice_admit } -> (engine) -> slice_run,
 *     slice_stop -> slice_delete
 */
#pragma once

#include "lib/model/mapping.h"
#include "lib/model/plan.h"
#include "snc/snc.h"

/* ---- examine: bytes to a slice with its place, or all that is wrong -------------------------- */

struct slice_examination {
	const char *role; /* of who wrote the document */
	struct slice_document document;
	bool wants_place; /* also embed it into what is free now */
	/* filled in */
	struct slice *slice;         /* NULL = could not be read */
	struct substrate *substrate; /* that the mapping points into */
	struct mapping *mapping;     /* NULL = not placed */
};

/* true when nothing is wrong. Diagnoses into found, in document order. Blocks for tncd; no
 * transaction may be open. */
bool slice_examine(struct snc *snc, struct slice_examination *examination, struct arena *arena,
    diagnoses *found) must_check;

/* ---- plan: a mapping to rows ------------------------------------------------------------------
 */

/* Where new ids come from: the engine's counter, inside a transaction. */
struct slice_ids {
	bool (*next)(void *self, uint64_t *id, struct err *err);
	void *self;
};

struct slice_plan_request {
	const char *slice_id;
	const char *tnc; /* "tnc@ctl": manager of the shares */
	const struct slice *slice;
	const struct substrate *substrate; /* that the mapping points into */
	const struct mapping *mapping;
	struct slice_ids ids;
};

/* The rows that make a mapping real, in arena. Fails only when no id can be had. */
bool slice_plan(const struct slice_plan_request *request, struct arena *arena, struct plan *plan,
    struct err *err) must_check;

/* ---- create, admit ----------------------------------------------------------------------------
 */

struct slice_creation {
	struct snc_caller caller;
	const char *op_id; /* the same id with the same document and goal gives the same answer */
	enum slice_state goal; /* DEFINED, RESERVED or RUNNING */
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

/* ---- run, stop, delete ------------------------------------------------------------------------
 */

/* By name or id, if it is the caller's. Repeating is harmless. ERR_O01: not in this state; ERR_O02:
 * something else is under way. */
bool slice_run(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;
bool slice_stop(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;
bool slice_delete(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    struct err *err) must_check;

/* Switches all rows of a slice on or off: new revisions of their attributes. */
bool slice_switch(struct snc *snc, struct txn *txn, const struct slice_record *record, bool is_on,
    struct err *err) must_check;

/* ---- what it has come to ----------------------------------------------------------------------
 */

struct slice_standing {
	enum slice_state state; /* DEFINED … FAILED */
	bool is_deleting;       /* DELETING is shown */
	const char *progress;   /* "reserve", "run", "stop", "delete", "release", "" */
	bool is_degraded;
	bool is_decided; /* nothing more will come of the last request */
	const char *code, *reason, *hint;
	unsigned line;
};

/* Texts in arena. */
bool slice_stand(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct slice_standing *standing, struct err *err) must_check;

/* ---- watch ------------------------------------------------------------------------------------
 */

/* The engine's callbacks; self is the struct snc. */
void slice_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why);
void slice_row_changed(
    void *self, struct txn *txn, const char *group, const struct controller_row_state *row);

/* A thread that tells hosts that come and go, and asks those that have been silent. */
struct watch;

struct watch *slice_watch_start(struct snc *snc, struct err *err) must_check;
void slice_watch_stop(struct watch *watch); /* takes NULL */
