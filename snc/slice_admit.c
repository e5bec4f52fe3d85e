/*
 * Admission: plan and rows in one transaction, after capacity was tested once more against the
 * ledger inside it; two who race for the last of something find only one admitted.
 */
#include <string.h>

#include "lib/base/id.h"
#include "snc/drain.h"
#include "snc/resource.h"
#include "snc/slice.h"

struct id_source {
	struct controller *controller;
	struct txn *txn;
};

static bool
next_id(void *self, uint64_t *id, struct err *err)
{
	struct id_source *source = self;

	return controller_next_id(source->controller, source->txn, id, err);
}

static bool
hand_over(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct plan *plan, struct arena *arena, struct err *err)
{
	struct controller_row *rows = arena_alloc(arena, plan->n_rows * sizeof(rows[0]));
	struct controller_admission admission = {
	    .group = record->id,
	    .rows = rows,
	    .n_rows = plan->n_rows,
	    .goal = record->goal == SLICE_RESERVED ? ROW_HELD : ROW_COMMITTED,
	};

	for (size_t i = 0; i < plan->n_rows; i++) {
		const struct plan_row *row = &plan->rows[i];

		rows[i] = (struct controller_row){
		    row->rid, row->manager, row->kind, row->subject, row->spec, row->attr};
	}
	return controller_admit(snc->controller, txn, &admission, err);
}

/* Who wants the rows, and where their numbers come from. */
struct planning {
	struct snc *snc;
	struct txn *txn;
	const struct slice_record *record;
	const struct slice_examination *examination;
	struct slice_ids ids;
	struct arena *arena;
};

/* Would the plan fit into what is free as the transaction sees it? */
static bool
still_fits(const struct planning *planning, const struct plan *plan,
    const struct ledger_question *question, struct err *err)
{
	const struct slice_examination *examination = planning->examination;
	struct arena *arena = planning->arena;
	struct substrate *substrate;
	struct resource_charge charge;
	struct err why;

	if (!snc_substrate(planning->snc, planning->txn, question, arena, &substrate, err) ||
	    !drain_allows(examination->mapping, examination->substrate, substrate, err))
		return false;
	for (size_t i = 0; i < plan->n_rows; i++) {
		const struct plan_row *row = &plan->rows[i];

		if (!resource_charge(row->manager, row->kind, row->spec, arena, &charge, err))
			return false;
		if (!resource_take(substrate, &charge, &why))
			return err_set(err, ERR_WAIT, "%s: %s", row->subject, why.text);
	}
	return true;
}

/* Under admission by choice all that ask are counted. */
static bool
note(const struct planning *planning, struct err *err)
{
	struct admission_asker asker = {planning->record->owner, planning->record->name};
	double weight = planning->examination->weight;

	return weight <= 0 || admission_note(planning->txn, &asker, weight, err);
}

/* The rows, if they still fit into the window that the lease grants, without the slice's own
 * booking. */
static bool
plan_what_fits(const struct planning *planning, struct plan *plan, struct err *err)
{
	const struct slice_examination *examination = planning->examination;
	struct slice_plan_request request = {
	    .slice_id = planning->record->id,
	    .tnc = planning->snc->tnc,
	    .slice = examination->expanded,
	    .substrate = examination->substrate,
	    .mapping = examination->mapping,
	    .ids = planning->ids,
	};
	struct ledger_question question = {
	    .window = lease_span(&examination->lease, clock_wall_ms(planning->snc->clock)),
	    .without = planning->record->id,
	};

	return slice_plan(&request, planning->arena, plan, err) &&
	       still_fits(planning, plan, &question, err) && note(planning, err);
}

bool
slice_admit(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct slice_examination *examination, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct id_source source = {snc->controller, txn};
	struct planning planning = {snc, txn, record, examination, {next_id, &source}, arena};
	struct plan plan;

	if (!plan_what_fits(&planning, &plan, err))
		return false;
	record->has_group = true;
	record->engine = GROUP_PENDING;
	record->settled = SLICE_DEFINED;
	record->round++;
	record->reason = (struct err){0};
	return hand_over(snc, txn, record, &plan, arena, err);
}

/* Numbers that stand for those that are given at the start. */
static bool
next_placeholder(void *self, uint64_t *id, struct err *err)
{
	uint64_t *last = self;

	(void)err;
	*id = ++*last;
	return true;
}

bool
slice_book(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct slice_examination *examination, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	uint64_t last = 0;
	struct planning planning = {
	    snc, txn, record, examination, {next_placeholder, &last}, arena};
	struct booking_rows rows;
	struct plan plan;

	if (!plan_what_fits(&planning, &plan, err))
		return false;
	rows.n = plan.n_rows;
	rows.items = arena_alloc(arena, rows.n * sizeof(rows.items[0]));
	for (size_t i = 0; i < rows.n; i++)
		rows.items[i] = (struct booking_row){
		    plan.rows[i].manager, plan.rows[i].kind, plan.rows[i].spec};
	record->settled = SLICE_RESERVED;
	return store_booking_add(txn, record->id, &rows, err);
}
