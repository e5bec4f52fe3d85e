/*
 * What the files of modify share: the slice as its rows stand, what is to become of it, and the
 * tables of a modify under way. Nobody else includes this but slice_watch, ledger, optimise.h and
 * those who must not come between.
 *
 *     slice_modify.c    the verb: examine, compare, plan, admit
 *     modify_standing.c rows of the slice by element
 *     modify_place.c    places of what is new; what stays keeps its own
 *     modify_plan.c     the rows that come, go and change
 *     modify_admission.c whether the site wants it, where it chooses
 *     modify_step.c     what follows when the engine has brought the new rows about
 *     modify_mend.c     steps that failed, once more
 */
#pragma once

#include "lib/base/vec.h"
#include "lib/model/slice_diff.h"
#include "lib/model/spec_types.h"
#include "snc/resource.h"
#include "snc/slice.h"

/* ---- tables (modify_store.c) ----------------------------------------------------------------- */

struct modify_record {
	const char *slice;
	struct slice_document document;
	int64_t n_nodes, n_links;
	bool is_switched;
};

/* What becomes of a row when it is switched over. */
struct modify_row {
	uint64_t rid;
	const char *attr; /* NULL = as it is */
	bool is_going;
};

struct modify_rows {
	struct modify_row *items;
	size_t n;
};

/* *is_there: a modify of the slice is under way. */
bool store_modify_find(struct txn *txn, const char *slice, struct arena *arena,
    struct modify_record *modify, bool *is_there, struct err *err) must_check;
bool store_modify_add(
    struct txn *txn, const struct modify_record *modify, struct err *err) must_check;
bool store_modify_switched(struct txn *txn, const char *slice, struct err *err) must_check;
bool store_modify_drop(struct txn *txn, const char *slice, struct err *err) must_check;
bool store_modify_row_add(
    struct txn *txn, const char *slice, const struct modify_row *row, struct err *err) must_check;

/* Slices with a modify under way. */
bool store_modify_list(
    struct txn *txn, struct arena *arena, struct slice_names *slices, struct err *err) must_check;
bool store_modify_rows(struct txn *txn, const char *slice, struct arena *arena,
    struct modify_rows *rows, struct err *err) must_check;

/* The new document becomes the slice's. */
bool store_modify_adopt(
    struct txn *txn, const struct modify_record *modify, struct err *err) must_check;

/* Groups beside the slice's own: ID+N comes, ID-N goes. Of all slices with NULL. */
struct modify_parts {
	const char **groups;
	size_t n;
};

bool store_part_add(
    struct txn *txn, const char *group, const char *slice, struct err *err) must_check;
bool store_part_drop(struct txn *txn, const char *group, struct err *err) must_check;
bool store_parts(struct txn *txn, const char *slice, struct arena *arena,
    struct modify_parts *parts, struct err *err) must_check;

/* ---- the work -------------------------------------------------------------------------------- */

struct modify_work {
	struct snc *snc;
	struct arena *arena;
	struct slice_record record;
	const struct controller_row_state *rows; /* of the slice's own group */
	size_t n_rows;
	const struct slice *old, *new; /* expanded */
	struct txn *txn;               /* that writes, while it is open */
	struct slice_diff diff;
	bool is_move;                       /* no new document: what was set since stays */
	struct substrate *substrate;        /* what is free now */
	struct mapping mapping;             /* of what is new: nodes and links of `new` */
	vec_of(struct resource_port) ports; /* that stay, by their nodes in `new` */
	vec_of(struct plan_row) coming;
	vec_of(struct modify_row) changing; /* in the order of writing */
};

void modify_done(struct modify_work *work);

/* What is free, as long as the slice holds what it has. */
bool modify_substrate(struct modify_work *work, struct txn *txn, struct substrate **substrate,
    struct err *err) must_check;

/* A row of the slice's own group; NULL: it has none of that rid. */
const struct controller_row_state *modify_row_of(const struct modify_work *work, uint64_t rid);

/* ---- the verb, for who modifies without a new document (slice_optimise.c) ----------------------
 */

/* The record, the stored document and the rows of a slice, as they stand. ERR_NOT_FOUND, ERR_O01,
 * ERR_O02. */
bool modify_read(struct modify_work *work, const struct slice_modification *modification,
    struct slice_document *stored, struct err *err) must_check;

/*
 * Plans what the diff and the mapping say, and hands it to the engine unless it is a plan alone:
 * slice is the modification's document, not expanded. ERR_WAIT: the slice, or what is free, is not
 * as it was read any more.
 */
bool modify_admit(struct modify_work *work, struct slice_modification *modification,
    const struct slice *slice, struct err *err) must_check;

/* ---- standing -------------------------------------------------------------------------------- */

/* A link of `old`, or a spoke, as its rows have it. */
struct modify_link {
	const struct controller_row_state *ends[2], *share; /* share NULL = local */
	struct link_end_spec specs[2];
};

/* The row of a node, or of a hub; NULL. */
const struct controller_row_state *modify_node_row(
    const struct modify_work *work, const struct slice_node *node);
const char *modify_host(const struct modify_work *work, const struct slice_node *node);

/* Ids of its ports, as its row has them, into work->ports; named as `node`, which is of `new`. */
bool modify_ports(
    struct modify_work *work, const struct slice_node *node, struct err *err) must_check;

/* The number of a port of a node that stands; 0 = it has none. */
uint64_t modify_port_id(
    const struct modify_work *work, const struct slice_node *node, const char *vport);

/* Of a link of `old`. ERR_INTERNAL when it has no rows. */
bool modify_link_rows(struct modify_work *work, const struct slice_link *link,
    struct modify_link *found, struct err *err) must_check;

/* The node or link of a slice that is the same element as one of another slice; NULL. */
const struct slice_node *modify_same_node(const struct slice *slice, const struct slice_node *node);
const struct slice_link *modify_same_link(const struct slice *slice, const struct slice_link *link);

/* Has the element no rows yet, or none that can stay? */
bool modify_is_new_node(const struct modify_work *work, const struct slice_node *node);
bool modify_is_new_link(const struct modify_work *work, const struct slice_link *link);

/* The change of the element of the document that the node or link is of. */
const struct slice_change *modify_change_of_link(
    const struct modify_work *work, const struct slice_link *link);

/* ---- place, plan ----------------------------------------------------------------------------- */

/* Fills mapping. A link whose ends stay keeps its way where the difference fits. */
bool modify_place(struct modify_work *work, diagnoses *found) must_check;

/* Fills coming and changing; ids from the source. ERR_WAIT: what it was placed on is taken. */
bool modify_plan(struct modify_work *work, struct txn *txn, const struct slice_ids *ids,
    struct err *err) must_check;

/* Does the site admit what is planned, if it chooses ([snc] admission)? R06. */
bool modify_admitted(struct modify_work *work, struct txn *txn, struct err *err) must_check;

/* What a row takes beside the row that it takes the place of. */
void modify_charge_less(struct resource_charge *charge, const struct resource_charge *before);

/* The same of a row that is stored; *is_less: the other one is still there. */
bool modify_charge(struct txn *txn, const struct booking_row *row, struct arena *arena,
    struct resource_charge *charge, bool *is_less, struct err *err) must_check;

/* ---- steps ----------------------------------------------------------------------------------- */

/* The slice's id in the name of a group of its. In arena. */
const char *modify_slice_of(const char *group, struct arena *arena);

/* A group beside the slice's own has changed. */
struct modify_news {
	const char *group;
	enum group_state state;
	const struct err *why;
};

/*
 * Inside the engine's transaction, as the two below; the caller stores the record. A step that
 * fails changes nothing but for an event, and is taken again by modify_mend; false: not even that.
 */
bool modify_part_changed(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct modify_news *news, struct err *err) must_check;

/* A row has changed: finishes when all that was switched over is real. */
bool modify_follow(
    struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err) must_check;

/* The new rows, if any (coming: their group), become the slice's; then as above. A failure leaves
 * part of it done: the caller rolls back. */
bool modify_switch(struct snc *snc, struct txn *txn, struct slice_record *record,
    const char *coming, struct err *err) must_check;

/* The slice goes, or has gone by itself: what is on its way goes too, which is told when it was
 * not wanted. */
bool modify_abandon(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct err *err) must_check;

/* Takes the steps that are to be taken and were not, in transactions of its own. Any thread. */
void modify_mend(struct snc *snc);

/* ERR_O02 when a modify is under way. */
bool modify_refuse_between(
    struct txn *txn, const struct slice_record *record, struct err *err) must_check;
