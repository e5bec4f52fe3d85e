/*
 * What managers answer, into the rows: have := max(have, acked), and why not.
 */
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/controller_restore.h"

/* The row that an answer is about. */
struct answered {
	uint64_t rid;
	enum verb verb;
	struct track *track;      /* NULL = it needs no call any more */
	struct known *known;      /* its group; NULL: not known */
	struct stored_row *there; /* in `known`, or `read` */
	struct stored_row read;
};

static bool find_row(struct controller *controller, struct txn *txn, struct flight *flight,
    struct answered *answered, struct err *err);
static bool answer_store(struct controller *controller, struct txn *txn, struct answered *answered,
    const struct row_have *have, struct err *err);
static bool row_update(struct controller *controller, struct txn *txn, struct answered *answered,
    const struct stored_row *row, struct err *err);
static void learn(struct stored_row *row, enum verb verb, const struct row_have *have);
static bool is_same(const struct stored_row *a, const struct stored_row *b);
static bool has_progress(const struct stored_row *old, const struct stored_row *new);
static bool has_new_answer(const struct stored_row *old, const struct stored_row *new);
static bool bump_referring(struct txn *txn, const struct stored_row *row, struct err *err);
static struct row_have no_answer(const struct flight *flight, uint64_t rid);
static bool is_soft(enum err_code code);

bool
answers_store(
    struct controller *controller, struct txn *txn, struct flight *flight, struct err *err)
{
	if (!flight->is_answered && flight->err.code == ERR_STALE_EPOCH &&
	    !quarantine_begin(controller, txn, flight, err))
		return false;
	for (size_t i = 0; i < flight->call.n; i++) {
		struct row_have have = flight->call.have[i];
		struct answered answered = {
		    .rid = flight->call.want[i].rid, .verb = flight->call.verb};
		struct err why = {0};

		if (!find_row(controller, txn, flight, &answered, &why)) {
			if (why.code == ERR_NOT_FOUND)
				continue; /* its group is gone: a late answer */
			*err = why;
			return false;
		}
		if (answered.track && answered.track->is_void)
			continue;
		if (!flight->is_answered)
			have = no_answer(flight, answered.rid);
		if (!answer_store(controller, txn, &answered, &have, err))
			return false;
	}
	return true;
}

static bool
find_row(struct controller *controller, struct txn *txn, struct flight *flight,
    struct answered *answered, struct err *err)
{
	answered->track = map_get_id(controller->tracks, answered->rid);
	if (answered->track)
		answered->known = known_find(controller, answered->track->group);
	if (answered->known)
		answered->there = known_row(answered->known, answered->rid);
	if (answered->there)
		return true;
	answered->known = NULL;
	answered->there = &answered->read;
	return stored_row(txn, answered->rid, flight->arena, &answered->read, err);
}

static bool
answer_store(struct controller *controller, struct txn *txn, struct answered *answered,
    const struct row_have *have, struct err *err)
{
	const struct stored_row *old = answered->there;
	struct stored_row row = *old;
	struct track *track = answered->track;

	learn(&row, answered->verb, have);
	if (has_progress(old, &row)) {
		row.state.tries = 0;
		if (track)
			track->failures = 0;
	} else if (row.state.why.code != ERR_NONE) {
		row.state.tries++;
	}
	/* A hold that was renewed changes nothing, and they are many. */
	if (is_same(old, &row) && track && track->is_renewal)
		return true;
	mark_dirty(controller, row.group);
	return is_same(old, &row) || row_update(controller, txn, answered, &row, err);
}

static bool
row_update(struct controller *controller, struct txn *txn, struct answered *answered,
    const struct stored_row *row, struct err *err)
{
	bool is_new = has_new_answer(answered->there, row);

	if (!store_row(txn, row, err) || (is_new && !bump_referring(txn, row, err)))
		return false;
	if (is_new || !answered->known)
		mark_altered(
		    controller, row->group); /* other rows of it, too; or by another name */
	if (answered->known) {
		const char *result = answered->there->state.result;

		*answered->there = *row;
		if (!str_equal(result, row->state.result))
			result = arena_text(answered->known->arena, row->state.result);
		answered->there->state.result = result;
	}
	if (controller->config.row_changed && row->eviction == NOT_EVICTED)
		controller->config.row_changed(
		    controller->config.self, txn, row->group, &row->state);
	known_renew(controller);
	return true;
}

static void
learn(struct stored_row *row, enum verb verb, const struct row_have *have)
{
	struct controller_row_state *state = &row->state;

	if (row->eviction == NOT_EVICTED) /* else it stays what it is */
		state->why = (struct err){0};
	if (have->why.code != ERR_NONE &&
	    row->eviction == NOT_EVICTED) /* of it no more than what is stored */
		(void)err_set(&state->why, have->why.code, "%s", have->why.text);
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

/* Another answer than before: of a manager that had lost its database. */
static bool
has_new_answer(const struct stored_row *old, const struct stored_row *new)
{
	return old->state.result && !str_equal(old->state.result, new->state.result);
}

/* Who refers to it must hear it. */
static bool
bump_referring(struct txn *txn, const struct stored_row *row, struct err *err)
{
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
is_soft(enum err_code code)
{
	return code == ERR_NONE || code == ERR_WAIT || code == ERR_UNAVAILABLE ||
	       code == ERR_TIMEOUT;
}
