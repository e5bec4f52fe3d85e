/*
 * What managers answer, into the rows: have := max(have, acked), and why not.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/controller_part.h"

static bool answer_store(struct controller *controller, struct txn *txn, struct stored_row *row,
    enum verb verb, const struct row_have *have, struct err *err);
static void learn(struct stored_row *row, enum verb verb, const struct row_have *have);
static bool is_same(const struct stored_row *a, const struct stored_row *b);
static bool has_progress(const struct stored_row *old, const struct stored_row *new);
static bool bump_referring(
    struct txn *txn, const struct stored_row *row, const char *result, struct err *err);
static struct row_have no_answer(const struct flight *flight, uint64_t rid);
static bool is_void(const struct controller *controller, uint64_t rid);
static bool is_soft(enum err_code code);

bool
answers_store(
    struct controller *controller, struct txn *txn, struct flight *flight, struct err *err)
{
	if (!flight->is_answered && flight->err.code == ERR_STALE_EPOCH && !controller->is_stale) {
		controller->is_stale = true;
		log_error("engine", "event=stale_epoch manager=%s epoch=%lld why=\"%s\"",
		    flight->peer->name, (long long)controller->epoch, flight->err.text);
	}
	for (size_t i = 0; i < flight->call.n; i++) {
		struct row_have have = flight->call.have[i];
		struct err why = {0};
		struct stored_row row;

		if (!stored_row(txn, flight->call.want[i].rid, flight->arena, &row, &why)) {
			if (why.code == ERR_NOT_FOUND)
				continue; /* its group is gone: a late answer */
			*err = why;
			return false;
		}
		if (is_void(controller, row.state.row.rid))
			continue;
		if (!flight->is_answered)
			have = no_answer(flight, row.state.row.rid);
		if (!answer_store(controller, txn, &row, flight->call.verb, &have, err))
			return false;
	}
	return true;
}

static bool
answer_store(struct controller *controller, struct txn *txn, struct stored_row *row, enum verb verb,
    const struct row_have *have, struct err *err)
{
	struct stored_row old = *row;
	struct track *track = map_get_id(controller->tracks, row->state.row.rid);

	learn(row, verb, have);
	if (has_progress(&old, row)) {
		row->state.tries = 0;
		if (track)
			track->failures = 0;
	} else if (row->state.why.code != ERR_NONE) {
		row->state.tries++;
	}
	if (is_same(&old, row)) {
		/* A hold that was renewed changes nothing, and they are many. */
		if (!track || !track->is_renewal)
			mark_dirty(controller, row->group);
		return true;
	}
	mark_dirty(controller, row->group);
	if (!bump_referring(txn, &old, row->state.result, err) || !store_row(txn, row, err))
		return false;
	if (controller->config.row_changed)
		controller->config.row_changed(
		    controller->config.self, txn, row->group, &row->state);
	return true;
}

static void
learn(struct stored_row *row, enum verb verb, const struct row_have *have)
{
	struct controller_row_state *state = &row->state;

	state->why = have->why;
	row->is_refused = verb != VERB_RELEASE && !is_soft(have->why.code);
	/* The manager has never heard of what it had held: it lost its database. The row starts
	 * again from reserve. */
	if (verb == VERB_COMMIT && have->state == ROW_NONE && have->why.code == ERR_NOT_FOUND) {
		state->have = ROW_NONE;
		state->is_real = false;
	}
	if (have->state < state->have || have->state == ROW_NONE)
		return;
	state->have = have->state;
	state->is_real = have->state != ROW_HELD && have->is_real;
	if (have->state == ROW_COMMITTED && have->is_real)
		state->rev_have = have->rev;
	if (have->result)
		state->result = have->result;
}

static bool
is_same(const struct stored_row *a, const struct stored_row *b)
{
	return a->is_refused == b->is_refused && a->state.have == b->state.have &&
	       a->state.is_real == b->state.is_real && a->state.rev_have == b->state.rev_have &&
	       a->state.tries == b->state.tries && a->state.why.code == b->state.why.code &&
	       !strcmp(a->state.why.text, b->state.why.text) &&
	       str_equal(a->state.result, b->state.result);
}

static bool
has_progress(const struct stored_row *old, const struct stored_row *new)
{
	return new->state.have != old->state.have || (new->state.is_real && !old->state.is_real) ||
	       new->state.rev_have != old->state.rev_have;
}

/* Another answer than before (a manager that had lost its database): who refers to it must hear it.
 */
static bool
bump_referring(struct txn *txn, const struct stored_row *row, const char *result, struct err *err)
{
	if (!row->state.result || str_equal(row->state.result, result))
		return true;
	return txn_run(txn, err,
	    "UPDATE controller_row SET rev = rev + 1 WHERE grp = ? AND instr(attr, '${' || ? || "
	    "'.')",
	    "tt", row->group, id_text(row->state.row.rid).text);
}

/* A call that failed as a whole says the same of each of its rows. */
static struct row_have
no_answer(const struct flight *flight, uint64_t rid)
{
	struct row_have have = {.rid = rid};

	(void)err_set(
	    &have.why, flight->err.code, "manager '%s': %s", flight->peer->name, flight->err.text);
	if (flight->err.code == ERR_STALE_EPOCH || flight->err.code == ERR_NOT_FOUND)
		have.why.code = ERR_UNAVAILABLE; /* not about the row */
	return have;
}

static bool
is_void(const struct controller *controller, uint64_t rid)
{
	const struct track *track = map_get_id(controller->tracks, rid);

	return track && track->is_void;
}

static bool
is_soft(enum err_code code)
{
	return code == ERR_NONE || code == ERR_WAIT || code == ERR_UNAVAILABLE ||
	       code == ERR_TIMEOUT;
}
