/*
 * One group: from its rows the state that follows, from the state what its rows need.
 */
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/engine/controller_restore.h"
#include "lib/engine/controller_track.h"

static bool refresh(struct controller *controller, struct txn *txn, const struct trial_of *of,
    bool *rests, struct err *err);
static bool give_up(struct txn *txn, const char *name, struct known *known, struct err *err);
static bool is_late(struct controller *controller, const char *name, enum group_state state);
static enum group_state next_state(const struct known *known, bool is_group_late);
static bool step(struct controller *controller, struct txn *txn, const char *name,
    struct known *known, enum group_state to, struct err *err);
static bool store_step(
    struct txn *txn, const char *name, struct known *known, enum group_state to, struct err *err);
static void say_why(const struct known *known, enum row_state wanted, struct err *why);
static void say_lost(const struct controller_row_state *state, struct err *why);
static void say_late(const struct controller_row_state *state, struct err *why);
static void watch_update(
    struct controller *controller, const char *name, const struct stored_group *group);
static void watch_drop(struct controller *controller, const char *name);
static bool track_rows(struct controller *controller, const struct known *known);
static bool verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb);

bool
group_refresh(struct controller *controller, struct txn *txn, const char *name, struct err *err)
{
	struct trial_of of = {.name = name, .version = STEPPED};
	bool is_good, rests = false;

	if (!trial_begin(controller->trial, &of, NULL)) {
		of.version = GIVEN_UP;
		if (!trial_begin(controller->trial, &of, NULL))
			return true;
	}
	is_good = refresh(controller, txn, &of, &rests, err);
	/* Its next step may be the one that kills. */
	trial_end(controller->trial, &of, is_good && rests);
	return is_good;
}

static bool
refresh(struct controller *controller, struct txn *txn, const struct trial_of *of, bool *rests,
    struct err *err)
{
	const char *name = of->name;
	struct known *known;
	enum group_state next;

	for (;;) {
		struct err why = {0};

		if (!known_read(controller, txn, name, &known, &why)) {
			if (why.code != ERR_NOT_FOUND)
				*err = why;
			watch_drop(controller, name);
			return why.code == ERR_NOT_FOUND; /* gone, or never committed */
		}
		if (of->version == GIVEN_UP && known->group.goal != ROW_RELEASED &&
		    !give_up(txn, name, known, err))
			return false;
		next = next_state(known, is_late(controller, name, known->group.state));
		if (next == known->group.state)
			break;
		if (!step(controller, txn, name, known, next, err))
			return false;
	}
	watch_update(controller, name, &known->group);
	*rests = !track_rows(controller, known);
	if (*rests)
		known_drop(controller, name);
	if (next != GROUP_GONE)
		return true;
	if (of->version == GIVEN_UP)
		trial_forget_one(controller->trial, name);
	return keep_owed(controller, txn, name, err) && store_forget(txn, name, err);
}

static bool
give_up(struct txn *txn, const char *name, struct known *known, struct err *err)
{
	known->is_given_up = true;
	known->group.goal = ROW_RELEASED;
	return count_change(txn, err) &&
	       txn_run(txn, err, "UPDATE controller_group SET goal = 3 WHERE name = ?", "t", name);
}

static bool
is_late(struct controller *controller, const char *name, enum group_state state)
{
	const struct watch *watch = map_get(controller->watches, name);

	return watch && watch->state == state &&
	       watch->due.at_ms <= clock_boot_ms(controller->config.clock);
}

static enum group_state
next_state(const struct known *known, bool is_group_late)
{
	const struct stored_group *group = &known->group;
	struct step_row *steps = xcalloc(known->n_rows, sizeof(*steps));
	enum group_state next;

	for (size_t i = 0; i < known->n_rows; i++) {
		const struct controller_row_state *state = &known->rows[i].state;
		bool is_newest = state->have != ROW_COMMITTED || state->rev_have >= state->rev;

		steps[i] = (struct step_row){.have = state->have,
		    .is_real = state->is_real && is_newest,
		    .is_refused = known->rows[i].is_refused};
		if (known->rows[i].eviction == EVICTED)
			steps[i] = (struct step_row){.have = ROW_RELEASED, .is_real = true};
	}
	next = group_step(group->state, group->goal, steps, known->n_rows, is_group_late);
	free(steps);
	return next;
}

/* What is known of it may be gone afterwards: who is told may change it. */
static bool
step(struct controller *controller, struct txn *txn, const char *name, struct known *known,
    enum group_state to, struct err *err)
{
	struct err why = {0};

	if (known->is_given_up)
		(void)err_set(&why, ERR_O07,
		    "the controller died %d times when it came to it: it is given up", TRIAL_ALONE);
	else if (to == GROUP_RELEASING && known->group.goal != ROW_RELEASED)
		say_why(known, group_want(known->group.state), &why);
	log_debug("engine", "event=group group=%s state=%s why=\"%s\"", name, group_state_text(to),
	    why.text);
	if (!store_step(txn, name, known, to, err))
		return false;
	if (controller->config.changed && !is_owed_group(name))
		controller->config.changed(controller->config.self, txn, name, to, &why);
	known_renew(controller);
	return true;
}

static bool
store_step(
    struct txn *txn, const char *name, struct known *known, enum group_state to, struct err *err)
{
	bool is_fresh = true;

	for (size_t i = 0; i < known->n_rows; i++) {
		struct stored_row *row = &known->rows[i];

		is_fresh = is_fresh && !row->is_refused && !row->state.tries;
		row->is_refused = false;
		row->state.tries = 0;
		row->state.want = group_want(to);
	}
	known->group.state = to;
	return store_group(txn, name, to, err) && (is_fresh || store_fresh_start(txn, name, err));
}

/* Why a group gives up by itself: the first row that was refused, else the first that is late. */
static void
say_why(const struct known *known, enum row_state wanted, struct err *why)
{
	const struct stored_row *rows = known->rows, *late = NULL, *lost = NULL;

	for (size_t i = known->n_rows; i-- > 0;) {
		const struct controller_row_state *state = &rows[i].state;

		if (rows[i].is_refused || state->have == ROW_RELEASED || state->is_evicted)
			lost = &rows[i];
		if (state->have < wanted || (wanted != ROW_HELD && !state->is_real) ||
		    (wanted != ROW_HELD && state->rev_have < state->rev))
			late = &rows[i];
	}
	if (lost)
		say_lost(&lost->state, why);
	else if (late)
		say_late(&late->state, why);
}

static void
say_lost(const struct controller_row_state *state, struct err *why)
{
	*why = state->why;
	if (state->why.code == ERR_NONE)
		(void)err_set(why, ERR_GONE, "manager '%s' has let it go", state->row.manager);
	(void)err_in(why, "%s", state->row.subject);
	(void)err_subject(why, "%s", state->row.subject);
}

static void
say_late(const struct controller_row_state *state, struct err *why)
{
	const char *text = state->why.text;

	if (state->why.code == ERR_WAIT)
		(void)err_set(why, ERR_TIMEOUT, "manager '%s' has not made it in time: %s",
		    state->row.manager, text);
	else
		(void)err_set(why, ERR_O03, "manager '%s' cannot be reached%s%s",
		    state->row.manager, text[0] ? ": " : "", text);
	(void)err_in(why, "%s", state->row.subject);
	(void)err_subject(why, "%s", state->row.subject);
}

static void
watch_update(struct controller *controller, const char *name, const struct stored_group *group)
{
	struct watch *watch = map_get(controller->watches, name);
	int64_t limit_ms = group->state == GROUP_PENDING ? group->reserve_ms : group->commit_ms;

	if (watch && watch->state == group->state)
		return;
	watch_drop(controller, name);
	if (group->state != GROUP_PENDING && group->state != GROUP_COMMITTING)
		return;
	watch = xcalloc(1, sizeof(*watch));
	*watch = (struct watch){.group = xstrdup(name), .state = group->state};
	map_put(controller->watches, name, watch);
	heap_put(&controller->deadlines, &watch->due,
	    clock_boot_ms(controller->config.clock) + limit_ms);
}

static void
watch_drop(struct controller *controller, const char *name)
{
	struct watch *watch = map_drop(controller->watches, name);

	if (!watch)
		return;
	heap_drop(&controller->deadlines, &watch->due);
	free(watch->group);
	free(watch);
}

/* Is there a row that needs a call? A hold that is kept alive is none. */
static bool
track_rows(struct controller *controller, const struct known *known)
{
	const struct stored_row *rows = known->rows;
	enum group_state state = known->group.state;
	bool is_any = false;

	for (size_t i = 0; i < known->n_rows; i++) {
		uint64_t rid = rows[i].state.row.rid;
		bool is_asked = map_get_id(controller->asked, rid) != NULL;
		enum verb verb;
		bool is_needed = verb_needed(state, &rows[i], &verb);

		is_any |= is_needed;
		if (is_asked && state != GROUP_GONE)
			track_ask(controller, &rows[i], verb);
		else if (is_needed)
			track_need(controller, &rows[i], verb);
		else if (state == GROUP_RESERVED)
			track_renew(controller, &rows[i]);
		else
			track_drop(controller, rid);
	}
	return is_any;
}

/* Does the row need a call to come to what the group wants? */
static bool
verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb)
{
	const struct controller_row_state *now = &row->state;
	enum row_state want = row->eviction == NOT_EVICTED ? group_want(state) : ROW_RELEASED;

	*verb = verb_for(want);
	if (state == GROUP_GONE || (now->have == ROW_RELEASED && want != ROW_RELEASED))
		return false;
	if (want == ROW_COMMITTED && now->have == ROW_NONE)
		*verb = VERB_RESERVE; /* its manager has lost it */
	if (now->have < want)
		return true;
	if (want == ROW_COMMITTED)
		return !now->is_real || now->rev_have < now->rev;
	return want == ROW_RELEASED && !now->is_real;
}
