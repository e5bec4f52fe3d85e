/*
 * The ticker: takes what has come in (answers, words of managers, groups that changed), steps the
 * groups concerned in one transaction, and then has calls made for the rows that need them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/controller_part.h"

/* What a tick has taken from the hand-over. */
struct intake {
	struct flight *done;
	vec_of(struct word) words;
	vec_name dirty;
};

static bool wait_for_work(struct controller *controller);
static bool has_work(struct controller *controller, int64_t now_ms, int64_t *next_ms);
static bool tick(struct controller *controller, struct err *err);
static void intake_take(struct controller *controller, struct intake *intake);
static void intake_done(struct controller *controller, struct intake *intake);
static bool mark_all(struct controller *controller, struct txn *txn, struct err *err);
static bool hear(
    struct controller *controller, struct txn *txn, const struct word *word, struct err *err);
static void mark_late(struct controller *controller);
static bool move(struct controller *controller, struct txn *txn, const char *name,
    enum group_state to, const struct err *why, struct err *err);
static enum group_state next_state(struct controller *controller, const char *name,
    const struct stored_group *group, const struct stored_row *rows, size_t n_rows, bool *is_late);
static void say_why(const struct stored_row *rows, size_t n_rows, enum row_state wanted,
    bool is_late, struct err *why);
static void watch_update(
    struct controller *controller, const char *name, const struct stored_group *group);
static void track_rows(struct controller *controller, enum group_state state,
    const struct stored_row *rows, size_t n_rows);
static bool verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb);

void *
ticking_main(void *self)
{
	struct controller *controller = self;

	controller->is_blind = true;
	while (wait_for_work(controller)) {
		struct err err = {0};

		if (tick(controller, &err) && dispatch(controller, &err))
			continue;
		log_warn("engine", "event=tick_failed why=\"%s\"", err.text);
		controller->is_blind = true;
		pthread_mutex_lock(&controller->lock);
		if (!controller->is_stopping)
			wait_ms(&controller->tick, &controller->lock, PROBE_MS);
		pthread_mutex_unlock(&controller->lock);
	}
	return NULL;
}

void
mark_dirty(struct controller *controller, const char *group)
{
	bool is_known = false;

	pthread_mutex_lock(&controller->lock);
	vec_each (name, &controller->dirty)
		is_known = is_known || !strcmp(*name, group);
	if (!is_known)
		vec_push(&controller->dirty, xstrdup(group));
	pthread_mutex_unlock(&controller->lock);
}

bool
group_refresh(struct controller *controller, struct txn *txn, const char *name, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct stored_group group;
	struct stored_row *rows;
	struct err why = {0};
	size_t n_rows;

	if (!stored_group(txn, name, &group, &why)) {
		if (why.code != ERR_NOT_FOUND)
			*err = why;
		return why.code == ERR_NOT_FOUND;
	}
	for (;;) {
		bool is_late;
		enum group_state next;

		if (!stored_rows(txn, name, arena, &rows, &n_rows, err))
			return false;
		next = next_state(controller, name, &group, rows, n_rows, &is_late);
		if (next == group.state)
			break;
		why = (struct err){0};
		if (next == GROUP_RELEASING && group.goal != ROW_RELEASED)
			say_why(rows, n_rows, group_want(group.state), is_late, &why);
		if (!move(controller, txn, name, next, &why, err))
			return false;
		group.state = next;
	}
	watch_update(controller, name, &group);
	track_rows(controller, group.state, rows, n_rows);
	return group.state != GROUP_GONE || store_forget(txn, name, err);
}

/* Waits until there is something to do; false when the controller stops. */
static bool
wait_for_work(struct controller *controller)
{
	const struct clock *clock = controller->config.clock;
	int64_t due_ms = tracks_next_ms(controller), next_ms;
	struct watch *watch;
	bool is_stopping;

	for (size_t at = 0; (watch = map_next(controller->watches, &at));)
		due_ms = watch->deadline_ms < due_ms ? watch->deadline_ms : due_ms;
	pthread_mutex_lock(&controller->lock);
	for (;;) {
		int64_t now_ms = clock_boot_ms(clock);

		next_ms = due_ms;
		if (controller->is_stopping || controller->is_blind || due_ms <= now_ms ||
		    has_work(controller, now_ms, &next_ms))
			break;
		wait_ms(&controller->tick, &controller->lock, next_ms - now_ms);
	}
	is_stopping = controller->is_stopping;
	pthread_mutex_unlock(&controller->lock);
	return !is_stopping;
}

static bool
has_work(struct controller *controller, int64_t now_ms, int64_t *next_ms)
{
	if (controller->is_woken || controller->words.n)
		return true;
	if (!controller->done_first)
		return false;
	/* Answers share a commit: not before the calls still out are back, or a little time. */
	if (!controller->n_flights || now_ms - controller->done_first->done_ms >= LINGER_MS)
		return true;
	if (controller->done_first->done_ms + LINGER_MS < *next_ms)
		*next_ms = controller->done_first->done_ms + LINGER_MS;
	return false;
}

static bool
tick(struct controller *controller, struct err *err)
{
	auto_txn struct txn *txn = store_begin(controller->config.store);
	struct intake intake = {0};
	bool is_good = true;

	mark_late(controller);
	if (controller->is_blind)
		is_good = mark_all(controller, txn, err);
	intake_take(controller, &intake);
	for (struct flight *flight = intake.done; flight && is_good; flight = flight->next)
		is_good = answers_store(controller, txn, flight, err);
	for (size_t i = 0; i < intake.words.n && is_good; i++)
		is_good = hear(controller, txn, &intake.words.items[i], err);
	intake_take(controller, &intake); /* answers and words have marked groups */
	for (size_t i = 0; i < intake.dirty.n && is_good; i++)
		is_good = group_refresh(controller, txn, intake.dirty.items[i], err);
	FAULT_POINT("controller.tick.before");
	is_good = is_good && txn_commit(&txn, err);
	FAULT_POINT("controller.tick.after");
	intake_done(controller, &intake);
	controller->is_blind = !is_good;
	return is_good;
}

/* Inside the transaction, so that all who marked a group have ended theirs. */
static void
intake_take(struct controller *controller, struct intake *intake)
{
	pthread_mutex_lock(&controller->lock);
	if (!intake->done) {
		intake->done = controller->done_first;
		controller->done_first = controller->done_last = NULL;
	}
	vec_each (word, &controller->words)
		vec_push(&intake->words, *word);
	controller->words.n = 0;
	vec_each (name, &controller->dirty)
		vec_push(&intake->dirty, *name);
	controller->dirty.n = 0;
	controller->is_woken = false;
	pthread_mutex_unlock(&controller->lock);
}

static void
intake_done(struct controller *controller, struct intake *intake)
{
	while (intake->done) {
		struct flight *flight = intake->done;

		intake->done = flight->next;
		flight_back(controller, flight);
		flight_free(flight);
	}
	vec_each (word, &intake->words) {
		free(word->manager);
		vec_done(&word->rids);
	}
	vec_each (name, &intake->dirty)
		free(*name);
	vec_done(&intake->words);
	vec_done(&intake->dirty);
}

/* At the start, and after a tick that could not be stored: look at everything. */
static bool
mark_all(struct controller *controller, struct txn *txn, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err, "SELECT name FROM controller_group", "");
	struct track *track;
	vec_of(uint64_t) at_rest = {0};

	if (!rows)
		return false;
	for (size_t at = 0; (track = map_next(controller->tracks, &at));)
		vec_push(&at_rest, track->rid);
	vec_each (rid, &at_rest)
		track_drop(controller, *rid);
	vec_done(&at_rest);
	while (rows_next(rows))
		mark_dirty(controller, rows_text(rows, 0));
	return true;
}

static bool
hear(struct controller *controller, struct txn *txn, const struct word *word, struct err *err)
{
	peer_lives(controller, peer_get(controller, word->manager));
	for (size_t i = 0; i < word->rids.n; i++) {
		auto_arena struct arena *arena = arena_new();
		struct stored_row row;
		struct err why = {0};

		if (!stored_row(txn, word->rids.items[i], arena, &row, &why)) {
			if (why.code == ERR_NOT_FOUND)
				continue;
			*err = why;
			return false;
		}
		if (!str_equal(row.state.row.manager, word->manager))
			continue; /* a manager speaks for its own rows alone */
		map_put_id(controller->asked, row.state.row.rid, controller);
		mark_dirty(controller, row.group);
	}
	return true;
}

static void
mark_late(struct controller *controller)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct watch *watch;

	for (size_t at = 0; (watch = map_next(controller->watches, &at));)
		if (watch->deadline_ms <= now_ms)
			mark_dirty(controller, watch->group);
}

static bool
move(struct controller *controller, struct txn *txn, const char *name, enum group_state to,
    const struct err *why, struct err *err)
{
	log_info("engine", "event=group group=%s state=%s why=\"%s\"", name, group_state_text(to),
	    why->text);
	if (!store_group(txn, name, to, err))
		return false;
	if (controller->config.changed)
		controller->config.changed(controller->config.self, txn, name, to, why);
	return true;
}

static enum group_state
next_state(struct controller *controller, const char *name, const struct stored_group *group,
    const struct stored_row *rows, size_t n_rows, bool *is_late)
{
	struct watch *watch = map_get(controller->watches, name);
	struct step_row *steps = xcalloc(n_rows, sizeof(*steps));
	enum group_state next;

	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row_state *state = &rows[i].state;
		bool is_newest = state->have != ROW_COMMITTED || state->rev_have >= state->rev;

		steps[i] = (struct step_row){.have = state->have,
		    .is_real = state->is_real && is_newest,
		    .is_refused = rows[i].is_refused};
	}
	*is_late = watch && watch->state == group->state &&
		   watch->deadline_ms <= clock_boot_ms(controller->config.clock);
	next = group_step(group->state, group->goal, steps, n_rows, *is_late);
	free(steps);
	return next;
}

/* Why a group gives up: the first row that was refused or has not come in time. */
static void
say_why(const struct stored_row *rows, size_t n_rows, enum row_state wanted, bool is_late,
    struct err *why)
{
	for (size_t i = 0; i < n_rows; i++) {
		const struct stored_row *row = &rows[i];
		const struct controller_row_state *state = &row->state;
		bool is_lost = row->is_refused || state->have == ROW_RELEASED;
		bool is_missing = state->have < wanted || (wanted != ROW_HELD && !state->is_real);
		bool is_silent = state->why.code == ERR_NONE ||
				 state->why.code == ERR_UNAVAILABLE ||
				 state->why.code == ERR_TIMEOUT;

		if (!is_lost && !(is_late && is_missing))
			continue;
		if (is_lost && state->why.code == ERR_NONE)
			(void)err_set(
			    why, ERR_GONE, "manager '%s' has let it go", state->row.manager);
		else if (!is_lost && is_silent)
			(void)err_set(why, ERR_O03, "manager '%s' cannot be reached%s%s",
			    state->row.manager, state->why.text[0] ? ": " : "", state->why.text);
		else
			*why = state->why;
		(void)err_in(why, "%s", state->row.subject);
		(void)err_subject(why, "%s", state->row.subject);
		if (is_lost)
			return; /* else a later row may have been refused outright */
	}
}

static void
watch_update(struct controller *controller, const char *name, const struct stored_group *group)
{
	struct watch *watch = map_get(controller->watches, name);
	bool is_restless = group->state == GROUP_PENDING || group->state == GROUP_COMMITTING;
	int64_t limit_ms = group->state == GROUP_PENDING ? group->reserve_ms : group->commit_ms;

	if (watch && (!is_restless || watch->state != group->state)) {
		map_drop(controller->watches, name);
		free(watch->group);
		free(watch);
		watch = NULL;
	}
	if (!is_restless || watch)
		return;
	watch = xcalloc(1, sizeof(*watch));
	*watch = (struct watch){.group = xstrdup(name),
	    .state = group->state,
	    .deadline_ms = clock_boot_ms(controller->config.clock) + limit_ms};
	map_put(controller->watches, name, watch);
}

static void
track_rows(struct controller *controller, enum group_state state, const struct stored_row *rows,
    size_t n_rows)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);

	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row_state *row = &rows[i].state;
		bool is_asked = map_drop_id(controller->asked, row->row.rid) != NULL;
		enum verb verb;

		if (verb_needed(state, &rows[i], &verb))
			track_need(controller, &rows[i], verb, now_ms);
		else if (is_asked && row->have != ROW_RELEASED && row->have != ROW_NONE)
			track_need(controller, &rows[i], verb_for(row->have), now_ms);
		else if (state == GROUP_RESERVED)
			track_need(controller, &rows[i], VERB_RESERVE, now_ms + RENEW_MS);
		else
			track_drop(controller, row->row.rid);
	}
}

/* Does the row need a call to come to what the group wants? */
static bool
verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb)
{
	const struct controller_row_state *now = &row->state;
	enum row_state want = group_want(state);

	if (state == GROUP_GONE || (now->have == ROW_RELEASED && want != ROW_RELEASED))
		return false;
	*verb = want == ROW_COMMITTED && now->have == ROW_NONE ? VERB_RESERVE : verb_for(want);
	if (now->have < want)
		return true;
	if (want == ROW_COMMITTED)
		return !now->is_real || now->rev_have < now->rev;
	return want == ROW_RELEASED && !now->is_real;
}
