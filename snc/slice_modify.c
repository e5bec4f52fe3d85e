/*
 * slice modify: the whole new document in place of the stored one. It is examined, compared with
 * the old one, placed as far as it is new, planned, and admitted in one transaction; the rest is in
 * modify_step.c.
 */
#include <string.h>

#include "lib/base/fault.h"
#include "lib/crypto/digest.h"
#include "snc/audit.h"
#include "snc/modify.h"
#include "snc/usage.h"

enum { ATTEMPTS = 4 };

/* What is read before anything is decided. */
struct reading {
	struct slice_document stored;
	struct slice_examination before, after;
};

static bool
next_id(void *self, uint64_t *id, struct err *err)
{
	struct modify_work *work = self;

	return controller_next_id(work->snc->controller, work->txn, id, err);
}

/* ---- examine --------------------------------------------------------------------------------- */

static bool
check_name(const struct modify_work *work, const struct slice *slice, struct err *err)
{
	if (str_equal(slice->name, work->record.name))
		return true;
	err_set(err, ERR_S11, "the document is of slice '%s', not of '%s'", slice->name,
	    work->record.name);
	err_at(err, slice->where.line, slice->where.xpath);
	return err_hint(err, "another name is another slice: `vnode slice create`");
}

/* The stored one was accepted once: what has changed around it since does not matter. */
static bool
examine(struct modify_work *work, struct reading *reading, struct err *err)
{
	diagnoses found = {0}, ignored = {0};
	bool is_good;

	reading->before =
	    (struct slice_examination){.role = work->record.role, .document = reading->stored};
	reading->after.role = work->record.role;
	is_good = slice_examine(work->snc, &reading->after, work->arena, &found) ||
		  slice_first_fault(&found, err);
	(void)!slice_examine(work->snc, &reading->before, work->arena, &ignored);
	vec_done(&found);
	vec_done(&ignored);
	if (!is_good)
		return false;
	if (!reading->before.slice)
		return err_set(err, ERR_INTERNAL, "the stored document of '%s' cannot be read",
		    work->record.name);
	return check_name(work, reading->after.slice, err);
}

/* ---- compare --------------------------------------------------------------------------------- */

static struct slice_place
place_of(const struct modify_work *work, const struct slice_node *node)
{
	const struct controller_row_state *row = modify_node_row(work, node);

	return (struct slice_place){
	    node->name, modify_host(work, node), row && controller_row_is_lost(row)};
}

static bool
has_lost(const struct modify_work *work)
{
	for (size_t i = 0; i < work->n_rows; i++)
		if (controller_row_is_lost(&work->rows[i]))
			return true;
	return false;
}

static void
compare(struct modify_work *work, const struct reading *reading)
{
	const struct slice *before = reading->before.slice;
	struct slice_place *places =
	    arena_alloc(work->arena, before->body.n_nodes * sizeof(places[0]));
	struct slice_diff_request request = {
	    .before = before,
	    .after = reading->after.slice,
	    .places = places,
	    .n_places = before->body.n_nodes,
	};

	for (size_t i = 0; i < before->body.n_nodes; i++)
		places[i] = place_of(work, &before->body.nodes[i]);
	work->old = slice_expand(before, work->arena);
	work->new = slice_expand(reading->after.slice, work->arena);
	slice_diff(&request, work->arena, &work->diff);
}

static bool
refuse_restart(const struct modify_work *work, struct err *err)
{
	for (size_t i = 0; i < work->diff.n; i++) {
		const struct slice_change *change = &work->diff.items[i];

		if (change->way != SLICE_WAY_RESTART)
			continue;
		err_set(err, ERR_O04, "%s '%s' would begin anew: %s",
		    change->is_link ? "link" : "node", change->name, change->text);
		err_at(err, change->line, NULL);
		err_subject(err, "%s '%s'", change->is_link ? "link" : "node", change->name);
	}
	return err_hint(err, "--restart allows it; `--plan` shows all that would be done");
}

static bool
check_restart(
    const struct modify_work *work, const struct slice_modification *modification, struct err *err)
{
	return modification->may_restart || modification->is_plan ||
	       work->record.settled != SLICE_RUNNING ||
	       slice_diff_way(&work->diff) != SLICE_WAY_RESTART || refuse_restart(work, err);
}

/* ---- in which state -------------------------------------------------------------------------- */

static bool
refuse_state(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O02, "something is under way with slice '%s'", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "`vnode slice show %s` says what", record->name);
}

static bool
refuse_booked(const struct slice_record *record, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' is booked for later", record->name);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "delete it and book the other one");
}

static bool
check_state(struct txn *txn, const struct slice_record *record, struct err *err)
{
	bool is_booked = record->lease.phase == LEASE_BOOKED;
	bool is_at_rest = record->goal == record->settled &&
			  (record->engine == GROUP_ACTIVE || record->engine == GROUP_RESERVED);

	if (!modify_refuse_between(txn, record, err))
		return false;
	if (record->goal != SLICE_DELETED && !is_booked && (!record->has_group || is_at_rest))
		return true;
	if (is_booked)
		return refuse_booked(record, err);
	return refuse_state(record, err);
}

static bool
read_rows(struct modify_work *work, struct txn *txn, struct err *err)
{
	return controller_rows(work->snc->controller, txn, work->record.id, work->arena,
		   &work->rows, &work->n_rows) ||
	       err_set(err, ERR_INTERNAL, "rows of slice '%s' cannot be read", work->record.name);
}

bool
modify_read(struct modify_work *work, const struct slice_modification *modification,
    struct slice_document *stored, struct err *err)
{
	auto_txn struct txn *txn = store_begin(work->snc->store);

	if (!snc_find_slice(
		&modification->caller, txn, modification->slice, work->arena, &work->record, err) ||
	    !check_state(txn, &work->record, err) ||
	    !store_slice_document(txn, work->record.id, work->arena, stored, err))
		return false;
	return read_rows(work, txn, err);
}

/* The same once more, in the transaction that writes. ERR_WAIT: it has become another slice. */
static bool
read_again(struct modify_work *work, struct txn *txn, struct err *err)
{
	int64_t round = work->record.round;
	bool had_group = work->record.has_group;

	work->txn = txn;
	if (!store_slice_by_id(txn, work->record.id, work->arena, &work->record, err) ||
	    !check_state(txn, &work->record, err))
		return false;
	if (work->record.round != round || work->record.has_group != had_group)
		return err_set(err, ERR_WAIT, "look again");
	return read_rows(work, txn, err);
}

/* ---- admit ----------------------------------------------------------------------------------- */

static bool
hand_over(struct modify_work *work, struct txn *txn, struct err *err)
{
	size_t n = work->coming.n;
	struct controller_row *rows = arena_alloc(work->arena, n * sizeof(rows[0]));
	struct controller_admission admission = {
	    .group = arena_format(
		work->arena, "%s+%lld", work->record.id, (long long)work->record.round),
	    .rows = rows,
	    .n_rows = n,
	    .goal = work->record.engine == GROUP_RESERVED ? ROW_HELD : ROW_COMMITTED,
	};

	if (!n)
		return modify_switch(work->snc, txn, &work->record, NULL, err);
	for (size_t i = 0; i < n; i++) {
		const struct plan_row *row = &work->coming.items[i];

		rows[i] = (struct controller_row){
		    row->rid, row->manager, row->kind, row->subject, row->spec, row->attr};
	}
	return store_part_add(txn, admission.group, work->record.id, err) &&
	       controller_admit(work->snc->controller, txn, &admission, err);
}

static bool
admit(
    struct modify_work *work, struct txn *txn, const struct modify_record *modify, struct err *err)
{
	struct slice_record *record = &work->record;

	record->round++;
	record->reason = (struct err){0};
	events_add(work->snc->events, txn, record, "slice", "modify",
	    slice_way_text(slice_diff_way(&work->diff)));
	if (!work->coming.n && !work->changing.n) {
		record->n_nodes = modify->n_nodes;
		record->n_links = modify->n_links;
		return store_modify_adopt(txn, modify, err) && store_slice_save(txn, record, err);
	}
	if (!store_modify_add(txn, modify, err))
		return false;
	vec_each (row, &work->changing)
		if (!store_modify_row_add(txn, record->id, row, err))
			return false;
	return hand_over(work, txn, err) && store_slice_save(txn, record, err);
}

static bool
note(struct modify_work *work, struct txn *txn, const struct slice_modification *modification,
    struct err *err)
{
	struct digest_part document = {modification->document.bytes, modification->document.size};
	struct audit_entry entry = {"slice_modify", work->record.name,
	    arena_format(work->arena, "%s document=sha256:%s",
		slice_way_text(slice_diff_way(&work->diff)), digest_parts(&document, 1).text)};

	return audit_add(work->snc->audit, txn, &modification->caller, &entry, err);
}

/* Plans inside the transaction, where the ids come from; a plan alone is rolled back. */
bool
modify_admit(struct modify_work *work, struct slice_modification *modification,
    const struct slice *slice, struct err *err)
{
	auto_txn struct txn *txn = store_begin(work->snc->store);
	struct slice_ids ids = {next_id, work};
	struct modify_record modify = {
	    .document = modification->document,
	    .n_nodes = (int64_t)slice->body.n_nodes,
	    .n_links = (int64_t)slice->body.n_links,
	};

	if (!read_again(work, txn, err) ||
	    (work->record.has_group &&
		(!modify_plan(work, txn, &ids, err) || !modify_admitted(work, txn, err) ||
		    !usage_modify(work->snc, txn, &work->record, work->new, err))))
		return false;
	modification->is_under_way = work->coming.n || work->changing.n;
	modify.slice = work->record.id;
	if (modification->is_plan)
		return true;
	if (!admit(work, txn, &modify, err) ||
	    !usage_follow(work->snc, txn, work->record.id, err) ||
	    !note(work, txn, modification, err))
		return false;
	FAULT_POINT("snc.modify.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.modify.after");
	controller_wake(work->snc->controller);
	return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool
place(struct modify_work *work, struct err *err)
{
	diagnoses found = {0};
	struct txn *txn;
	bool is_good;

	snc_refresh_view(work->snc);
	txn = store_begin(work->snc->store);
	is_good = modify_substrate(work, txn, &work->substrate, err);
	txn_cancel(txn);
	is_good = is_good && (modify_place(work, &found) || slice_first_fault(&found, err));
	vec_done(&found);
	return is_good;
}

static bool
is_same_document(const struct slice_document *a, const struct slice_document *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

static bool
attempt(struct modify_work *work, struct slice_modification *modification, struct err *err)
{
	struct reading reading = {.after = {.document = modification->document}};

	if (!modify_read(work, modification, &reading.stored, err) || !examine(work, &reading, err))
		return false;
	compare(work, &reading);
	modification->id = work->record.id;
	modification->name = work->record.name;
	modification->diff = work->diff;
	if (is_same_document(&reading.stored, &modification->document) && !has_lost(work))
		return true;
	return check_restart(work, modification, err) &&
	       (!work->record.has_group || place(work, err)) &&
	       modify_admit(work, modification, reading.after.slice, err);
}

bool
slice_modify(
    struct snc *snc, struct slice_modification *modification, struct arena *arena, struct err *err)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		struct modify_work work = {.snc = snc, .arena = arena};
		bool is_good = attempt(&work, modification, err);

		modify_done(&work);
		if (is_good || err->code != ERR_WAIT)
			return is_good;
	}
	err_set(err, ERR_CAPACITY, "what was free was taken by others %d times", ATTEMPTS);
	return err_hint(err, "try again");
}
