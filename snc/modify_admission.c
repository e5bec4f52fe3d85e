/*
 * Admission by choice of a slice that is to become another: one that takes more of anything is
 * asked about as a whole, as if it were new, so that nobody gets by steps what he would not get at
 * once. What it has it keeps.
 */
#include "snc/modify.h"

/* Takes the rows of the slice from what would be free without it: those that it has, or will. */
static bool
take_rows(struct modify_work *work, struct substrate *left, bool is_next, struct err *err)
{
	struct resource_charge charge;
	struct err over;

	for (size_t i = 0; i < work->n_rows; i++) {
		const struct controller_row *row = &work->rows[i].row;
		bool is_going = false;

		vec_each (change, &work->changing)
			is_going = is_going || (change->is_going && change->rid == row->rid);
		if (is_next && is_going)
			continue;
		if (!resource_charge(row->manager, row->kind, row->spec, work->arena, &charge, err))
			return false;
		(void)resource_take(left, &charge, &over);
	}
	for (size_t i = 0; is_next && i < work->coming.n; i++) {
		const struct plan_row *row = &work->coming.items[i];

		if (!resource_charge(row->manager, row->kind, row->spec, work->arena, &charge, err))
			return false;
		(void)resource_take(left, &charge, &over);
	}
	return true;
}

static bool
ask(struct modify_work *work, struct txn *txn, bool is_next, struct admission_case *asked,
    struct err *err)
{
	struct ledger_question question = {
	    .window = lease_span(&work->record.lease, clock_wall_ms(work->snc->clock)),
	    .without = work->record.id,
	};
	struct substrate *left;

	if (!snc_substrate(work->snc, txn, &question, work->arena, &left, err))
		return false;
	admission_window(question.window, asked);
	admission_load(left, asked);
	if (!take_rows(work, left, is_next, err))
		return false;
	admission_taken(left, asked);
	return true;
}

static bool
is_more(const struct admission_amounts *than, const struct admission_amounts *before)
{
	for (size_t i = 0; i < ADMISSION_THINGS; i++)
		if (than->of[i] > before->of[i])
			return true;
	return false;
}

bool
modify_admitted(struct modify_work *work, struct txn *txn, struct err *err)
{
	struct admission_asker asker = {work->record.owner, work->record.name};
	struct admission_case had = {0}, asked = {0};

	if (work->snc->admission == ADMISSION_ALL || work->is_move)
		return true;
	if (!ask(work, txn, false, &had, err) || !ask(work, txn, true, &asked, err))
		return false;
	if (!is_more(&asked.takes, &had.takes))
		return true;
	return admission_others(txn, &asker, &asked, err) &&
	       (admission_admits(&asked,
		    lease_span(&work->record.lease, clock_wall_ms(work->snc->clock)), err) ||
		   err_subject(err, "slice '%s'", work->record.name));
}
