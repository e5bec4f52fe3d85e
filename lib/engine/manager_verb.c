/*
 * The three verbs: RELIABILITY.md §3.3 as code. One transaction for all rows of a call, and for all
 * calls that have come while the one before was made durable; then the rows become visible to the
 * workers, then each call waits for their effect.
 */
#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/engine/manager_part.h"

/* Calls that share a transaction. */
struct batch {
	struct txn *txn;
	vec_of(struct row) book;
	vec_of(struct row) fresh; /* admitted in this transaction */
	bool has_book;
	size_t n_noted; /* how many of `fresh` are in the book */
};

/* A call on its way. */
struct step {
	struct manager *manager;
	struct batch *batch;
	struct manager_call *call;
	int64_t floor; /* the highest that this owner has sent */
	vec_rid touched;
	vec_of(struct row_change) changes;
	bool is_over, is_done; /* its changes have been tried, and made; under `write` */
	struct err err;
	struct step *next;
};

static void join(struct step *step);
static void run_batch(struct manager *manager);
static void try_step(struct step *step);
static bool change_rows(struct step *step, struct err *err);
static void take_back(struct batch *batch, size_t n_fresh);
static void finish_step(struct step *step, bool is_stored, const struct err *err);
static bool take_step(
    struct step *step, const struct row_want *want, struct row_have *have, struct err *err);
static bool step_unknown(
    struct step *step, const struct row_want *want, struct row_have *have, struct err *err);
static bool step_known(struct step *step, const struct row_want *want, const struct row *row,
    struct row_have *have, struct err *err);
static bool reserve_new(
    struct step *step, const struct row_want *want, struct row_have *have, struct err *err);
static bool admit(struct step *step, const struct row *row, struct str *result, struct err *why);
static void open_book(struct step *step);
static bool collect(struct step *step, struct err *err);
static void await_rows(const struct step *step, bool is_begin);
static void wait_for_effect(struct step *step);
static bool is_answered(const struct step *step, size_t at);
static void answer(const struct step *step, size_t at);
static void fault_before(enum verb verb);
static void fault_after(enum verb verb);

bool
manager_call(struct manager *manager, struct manager_call *call, struct err *err)
{
	struct step step = {.manager = manager, .call = call};

	if (call->n > MANAGER_ROWS_MAX)
		return err_set(
		    err, ERR_LIMIT, "%zu rows in a call, at most %d", call->n, MANAGER_ROWS_MAX);
	for (size_t i = 0; i < call->n; i++)
		call->have[i] = (struct row_have){.rid = call->want[i].rid};
	join(&step);
	/* Who comes first makes the changes of all that have come meanwhile. */
	pthread_mutex_lock(&manager->write);
	if (!step.is_over)
		run_batch(manager);
	pthread_mutex_unlock(&manager->write);
	if (step.is_done)
		wait_for_effect(&step);
	else if (err)
		*err = step.err;
	vec_done(&step.touched);
	vec_done(&step.changes);
	return step.is_done;
}

static void
join(struct step *step)
{
	struct manager *manager = step->manager;

	pthread_mutex_lock(&manager->lock);
	if (manager->step_last)
		manager->step_last->next = step;
	else
		manager->step_first = step;
	manager->step_last = step;
	pthread_mutex_unlock(&manager->lock);
}

static void
run_batch(struct manager *manager)
{
	struct txn *txn = store_begin(manager->config.store);
	struct batch batch = {.txn = txn};
	struct step *first;
	struct err err = {0};
	bool is_stored;

	pthread_mutex_lock(&manager->lock);
	first = manager->step_first;
	manager->step_first = manager->step_last = NULL;
	pthread_mutex_unlock(&manager->lock);
	for (struct step *step = first; step; step = step->next) {
		step->batch = &batch;
		try_step(step);
	}
	is_stored = txn_commit(&txn, &err);
	for (struct step *step = first; step; step = step->next)
		finish_step(step, is_stored, &err);
	vec_done(&batch.book);
	vec_done(&batch.fresh);
}

/* Its changes, or none of them. */
static void
try_step(struct step *step)
{
	struct batch *batch = step->batch;
	size_t n_fresh = batch->fresh.n;

	step->is_done = txn_run(batch->txn, &step->err, "SAVEPOINT call", "");
	if (!step->is_done)
		return;
	step->is_done = change_rows(step, &step->err);
	if (!step->is_done) {
		take_back(batch, n_fresh);
		/* When that fails the transaction is lost, and its end says so to all. */
		if (!txn_run(batch->txn, NULL, "ROLLBACK TO call", ""))
			return;
	}
	if (!txn_run(batch->txn, &step->err, "RELEASE call", ""))
		step->is_done = false;
	if (step->is_done)
		fault_before(step->call->verb);
}

static bool
change_rows(struct step *step, struct err *err)
{
	struct manager_call *call = step->call;

	if (!owner_meet(step->batch->txn, &call->caller, &step->floor, err))
		return false;
	for (size_t i = 0; i < call->n; i++)
		if (!take_step(step, &call->want[i], &call->have[i], err))
			return err_in(err, "row %s", id_text(call->want[i].rid).text);
	return collect(step, err);
}

static void
take_back(struct batch *batch, size_t n_fresh)
{
	if (batch->n_noted > n_fresh) {
		batch->book.n -= batch->n_noted - n_fresh;
		batch->n_noted = n_fresh;
	}
	batch->fresh.n = n_fresh;
}

static void
finish_step(struct step *step, bool is_stored, const struct err *err)
{
	if (step->is_done && !is_stored) {
		step->is_done = false;
		step->err = *err;
	}
	if (step->is_done) {
		fault_after(step->call->verb);
		pthread_mutex_lock(&step->manager->lock);
		await_rows(step, true);
		pthread_mutex_unlock(&step->manager->lock);
		vec_each (change, &step->changes)
			row_apply(step->manager, change);
	}
	step->is_over = true;
}

static bool
take_step(struct step *step, const struct row_want *want, struct row_have *have, struct err *err)
{
	struct row *row;
	int64_t hold_ms;

	if (!row_read(step->batch->txn, want->rid, step->call->arena, &row, &hold_ms, err))
		return false;
	if (!row)
		return step_unknown(step, want, have, err);
	if (!str_equal(row->owner, step->call->caller.owner)) {
		(void)err_set(&have->why, ERR_NOT_FOUND, "row %s is not of '%s'",
		    id_text(want->rid).text, step->call->caller.owner);
		return true;
	}
	return step_known(step, want, row, have, err);
}

static bool
step_unknown(struct step *step, const struct row_want *want, struct row_have *have, struct err *err)
{
	bool is_past = (int64_t)want->rid < step->floor;

	if (step->call->verb == VERB_RELEASE) {
		if (is_past)
			return true;
		/* The tombstone: a reserve that is still on its way must find the door shut. */
		have->state = ROW_RELEASED;
		vec_push(&step->touched, want->rid);
		return txn_run(step->batch->txn, err,
		    "INSERT INTO manager_row(rid, owner, kind, spec, state, eff) "
		    "VALUES(?, ?, '', '', 3, 0)",
		    "it", (int64_t)want->rid, step->call->caller.owner);
	}
	if (is_past) {
		(void)err_set(
		    &have->why, ERR_GONE, "row %s has been released", id_text(want->rid).text);
		return true;
	}
	if (step->call->verb == VERB_RESERVE)
		return reserve_new(step, want, have, err);
	(void)err_set(
	    &have->why, ERR_NOT_FOUND, "row %s is not held here", id_text(want->rid).text);
	return true;
}

static bool
step_known(struct step *step, const struct row_want *want, const struct row *row,
    struct row_have *have, struct err *err)
{
	bool is_released = row->state == ROW_RELEASED;

	have->state = row->state;
	if (step->call->verb == VERB_RELEASE) {
		if (is_released)
			return true;
		vec_push(&step->touched, row->rid);
		return txn_run(step->batch->txn, err,
		    "UPDATE manager_row SET state = 3 WHERE rid = ?", "i", (int64_t)row->rid);
	}
	if (is_released) {
		(void)err_set(
		    &have->why, ERR_GONE, "row %s has been released", id_text(row->rid).text);
		return true;
	}
	if (step->call->verb == VERB_COMMIT) {
		if (row->state == ROW_COMMITTED && want->rev <= row->rev)
			return true;
		vec_push(&step->touched, row->rid);
		return txn_run(step->batch->txn, err,
		    "UPDATE manager_row SET state = 2, attr = ?, rev = ? WHERE rid = ?", "tii",
		    want->attr ? want->attr : "", want->rev, (int64_t)row->rid);
	}
	if (!str_equal(row->kind, want->kind) || !str_equal(row->spec, want->spec)) {
		(void)err_set(&have->why, ERR_OP_MISMATCH, "row %s was reserved as something else",
		    id_text(row->rid).text);
		return true;
	}
	if (row->state != ROW_HELD)
		return true;
	vec_push(&step->touched, row->rid);
	return txn_run(step->batch->txn, err, "UPDATE manager_row SET hold_ms = ? WHERE rid = ?",
	    "ii", (int64_t)HOLD_MS, (int64_t)row->rid);
}

static bool
reserve_new(struct step *step, const struct row_want *want, struct row_have *have, struct err *err)
{
	auto_str struct str result = {0};
	/* has_effect from now on: what admit has stored is to be removed even if the row is never
	 * committed, so a hold that ends goes through remove too. */
	struct row row = {.rid = want->rid,
	    .owner = step->call->caller.owner,
	    .kind = want->kind ? want->kind : "",
	    .spec = want->spec ? want->spec : "",
	    .attr = "",
	    .state = ROW_HELD,
	    .has_effect = true};

	if (!store_has_room(step->manager->config.store)) {
		(void)err_set(&have->why, ERR_CAPACITY,
		    "the manager's disk is full: nothing new is accepted until there is room");
		return true;
	}
	if (!txn_run(step->batch->txn, err, "SAVEPOINT admit", ""))
		return false;
	if (!admit(step, &row, &result, &have->why))
		return txn_run(step->batch->txn, err, "ROLLBACK TO admit", "") &&
		       txn_run(step->batch->txn, err, "RELEASE admit", "");
	have->state = ROW_HELD;
	row.result = result.text ? arena_text(step->call->arena, result.text) : NULL;
	vec_push(&step->batch->fresh, row);
	vec_push(&step->touched, row.rid);
	return txn_run(step->batch->txn, err, "RELEASE admit", "") &&
	       txn_run(step->batch->txn, err,
		   "INSERT INTO manager_row(rid, owner, kind, spec, state, eff, hold_ms, result) "
		   "VALUES(?, ?, ?, ?, 1, 1, ?, ?)",
		   "itttit", (int64_t)row.rid, row.owner, row.kind, row.spec, (int64_t)HOLD_MS,
		   row.result);
}

static bool
admit(struct step *step, const struct row *row, struct str *result, struct err *why)
{
	const struct manager_kind *kind = kind_find(step->manager, row->kind);
	struct batch *batch = step->batch;
	struct manager_book book;
	struct row_trial trial;
	bool is_good;

	if (!kind)
		return err_set(why, ERR_BAD_VALUE, "there is no kind '%s' here", row->kind);
	if (!kind->admit)
		return true;
	if (!kind->heard)
		open_book(step);
	book = kind->heard ? (struct manager_book){batch->fresh.items, batch->fresh.n}
			   : (struct manager_book){batch->book.items, batch->book.n};
	if (!row_trial_begin(step->manager, row, ROW_HELD, &trial, why))
		return false;
	is_good = kind->admit(kind->self, batch->txn, row, &book, result, why);
	if (!is_good && why->code == ERR_NONE)
		(void)err_set(why, ERR_INTERNAL, "kind '%s' refused without a reason", row->kind);
	row_trial_end(step->manager, &trial, is_good, why);
	return is_good;
}

/* All that is charged, read once a transaction. Texts stay: only the holder of `write` changes
 * rows.
 */
static void
open_book(struct step *step)
{
	struct manager *manager = step->manager;
	struct batch *batch = step->batch;
	struct item *item;

	if (!batch->has_book) {
		pthread_mutex_lock(&manager->lock);
		for (size_t at = 0; (item = map_next(manager->items, &at));)
			if (item->row.state != ROW_RELEASED || item->row.has_effect)
				vec_push(&batch->book, item->row);
		pthread_mutex_unlock(&manager->lock);
	}
	batch->has_book = true;
	for (; batch->n_noted < batch->fresh.n; batch->n_noted++)
		vec_push(&batch->book, batch->fresh.items[batch->n_noted]);
}

/* The rows as they will stand, read before the commit so that nothing can fail after it. */
static bool
collect(struct step *step, struct err *err)
{
	vec_each (rid, &step->touched) {
		struct row_change change;
		struct row *row;

		if (!row_read(
			step->batch->txn, *rid, step->call->arena, &row, &change.hold_ms, err))
			return false;
		if (!row)
			continue;
		change.row = *row;
		vec_push(&step->changes, change);
	}
	return true;
}

/* What happens to them from now on is answered; or not any more, in the same moment as it is.
 * Should the answer be lost, the call comes again. Under `lock`. */
static void
await_rows(const struct step *step, bool is_begin)
{
	for (size_t i = 0; i < step->call->n; i++) {
		struct item *item = map_get_id(step->manager->items, step->call->want[i].rid);

		if (!item || step->call->have[i].why.code != ERR_NONE)
			continue;
		if (is_begin)
			item->n_awaiting++;
		else if (item->n_awaiting) /* it may have been made since */
			item->n_awaiting--;
	}
}

static void
wait_for_effect(struct step *step)
{
	struct manager *manager = step->manager;
	const struct clock *clock = manager->config.clock;
	int64_t end_ms = clock_boot_ms(clock) + step->call->caller.deadline_ms;

	pthread_mutex_lock(&manager->lock);
	for (size_t i = 0; i < step->call->n;) {
		int64_t left_ms = end_ms - clock_boot_ms(clock);

		if (is_answered(step, i) || left_ms <= 0 || manager->is_stopping)
			i++;
		else
			wait_ms(&manager->settled, &manager->lock, left_ms);
	}
	await_rows(step, false);
	for (size_t i = 0; i < step->call->n; i++)
		answer(step, i);
	pthread_mutex_unlock(&manager->lock);
}

static bool
is_answered(const struct step *step, size_t at)
{
	struct item *item = map_get_id(step->manager->items, step->call->want[at].rid);

	if (!item || step->call->have[at].why.code != ERR_NONE)
		return true;
	return item_is_settled(item) ||
	       (item->row.state == ROW_COMMITTED && why_is_hard(item->why.code));
}

static void
answer(const struct step *step, size_t at)
{
	struct row_have *have = &step->call->have[at];
	struct item *item = map_get_id(step->manager->items, have->rid);

	if (!item) { /* one that was there a moment ago has been released and forgotten since */
		have->is_real = have->state != ROW_NONE || (int64_t)have->rid < step->floor;
		have->state = have->is_real ? ROW_RELEASED : ROW_NONE;
		return;
	}
	if (!str_equal(item->row.owner, step->call->caller.owner))
		return;
	item_answer(item, step->call->arena, have);
}

static void
fault_before(enum verb verb)
{
	switch (verb) {
	case VERB_RESERVE:
		FAULT_POINT("manager.reserve.before");
		break;
	case VERB_COMMIT:
		FAULT_POINT("manager.commit.before");
		break;
	case VERB_RELEASE:
	default:
		FAULT_POINT("manager.release.before");
		break;
	}
}

static void
fault_after(enum verb verb)
{
	switch (verb) {
	case VERB_RESERVE:
		FAULT_POINT("manager.reserve.after");
		break;
	case VERB_COMMIT:
		FAULT_POINT("manager.commit.after");
		break;
	case VERB_RELEASE:
	default:
		FAULT_POINT("manager.release.after");
		break;
	}
}
