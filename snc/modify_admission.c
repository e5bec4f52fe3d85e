/*
 * Admission by choice of a slice that is to become another: one whose document asks for more of
 * anything is asked about as a whole, as if it were new, so that nobody gets by steps what he would
 * not get at once. What it has it keeps, also where it has to go elsewhere.
 */
#include "snc/modify.h"

static bool
is_going(const struct modify_work *work, uint64_t rid)
{
	vec_each (change, &work->changing)
		if (change->is_going && change->rid == rid)
			return true;
	return false;
}

static bool
take_row(struct modify_work *work, const struct booking_row *row, struct substrate *left,
    struct err *err)
{
	struct resource_charge charge;
	struct err over;

	if (!resource_charge(row->manager, row->kind, row->spec, work->arena, &charge, err))
		return false;
	(void)resource_take(left, &charge, &over);
	return true;
}

/* What it will have, from what would be free without it. */
static bool
take_rows(struct modify_work *work, struct substrate *left, struct err *err)
{
	for (size_t i = 0; i < work->n_rows; i++) {
		const struct controller_row *row = &work->rows[i].row;

		if (!is_going(work, row->rid) &&
		    !take_row(
			work, &(struct booking_row){row->manager, row->kind, row->spec}, left, err))
			return false;
	}
	vec_each (row, &work->coming)
		if (!take_row(
			work, &(struct booking_row){row->manager, row->kind, row->spec}, left, err))
			return false;
	return true;
}

static bool
is_more(const struct modify_work *work)
{
	struct admission_case before = {0}, after = {0};

	admission_asked(work->old, &before);
	admission_asked(work->new, &after);
	for (size_t i = 0; i < ADMISSION_THINGS; i++)
		if (after.asked.of[i] > before.asked.of[i])
			return true;
	return false;
}

bool
modify_admitted(struct modify_work *work, struct txn *txn, struct err *err)
{
	struct admission_asker asker = {work->record.owner, work->record.name};
	struct ledger_question question = {
	    .window = lease_span(&work->record.lease, clock_wall_ms(work->snc->clock)),
	    .without = work->record.id,
	};
	struct admission_case asked = {0};
	struct substrate *left;

	if (work->snc->admission == ADMISSION_ALL || work->is_move || !is_more(work))
		return true;
	if (!snc_substrate(work->snc, txn, &question, work->arena, &left, err))
		return false;
	admission_window(question.window, &asked);
	admission_load(left, &asked);
	if (!take_rows(work, left, err))
		return false;
	admission_taken(left, &asked);
	return admission_others(txn, &asker, &asked, err) &&
	       (admission_admits(&asked, question.window, err) ||
		   err_subject(err, "slice '%s'", work->record.name));
}
