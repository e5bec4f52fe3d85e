/*
 * The ticker: takes what has come in (answers, words of managers, groups that changed), steps the
 * groups concerned in one transaction, and then has calls made for the rows that need them.
 */
#include <stdlib.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/engine/controller_restore.h"
#include "lib/engine/controller_track.h"
#include "lib/engine/controller_turn.h"

/* What a tick has taken from the hand-over. */
struct intake {
	struct flight *done;
	vec_of(struct word) words;
	struct map *dirty;
};

static void let_others(struct controller *controller);
static bool wait_for_work(struct controller *controller);
static bool has_work(struct controller *controller, int64_t now_ms, int64_t *next_ms);
static bool tick(struct controller *controller, struct err *err);
static void rest(struct controller *controller);
static void intake_take(struct controller *controller, struct intake *intake);
static void intake_take_dirty(struct controller *controller, struct intake *intake);
static void intake_done(struct intake *intake);
static bool mark_all(struct controller *controller, struct txn *txn, struct err *err);
static void mark_late(struct controller *controller);

void *
ticking_main(void *self)
{
	struct controller *controller = self;

	controller->is_blind = controller->is_new = true;
	while (wait_for_work(controller)) {
		struct err err = {0};

		if (tick(controller, &err) && dispatch(controller, &err)) {
			let_others(controller);
			continue;
		}
		log_warn("engine", "event=tick_failed why=\"%s\"", err.text);
		controller->is_blind = true;
		pthread_mutex_lock(&controller->lock);
		if (!controller->is_stopping)
			wait_ms(&controller->tick, &controller->lock, PROBE_MS);
		pthread_mutex_unlock(&controller->lock);
	}
	return NULL;
}

/* Those who want the store now are mostly users, who wait for an answer. */
static void
let_others(struct controller *controller)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);

	controller->yield_ms =
	    store_is_wanted(controller->config.store) ? now_ms + YIELD_MS : now_ms;
}

void
mark_dirty(struct controller *controller, const char *group)
{
	pthread_mutex_lock(&controller->lock);
	if (!map_get(controller->dirty, group))
		map_put(controller->dirty, group, xstrdup(group));
	pthread_mutex_unlock(&controller->lock);
}

/* Waits until there is something to do; false when the controller stops. */
static bool
wait_for_work(struct controller *controller)
{
	const struct clock *clock = controller->config.clock;
	const struct due *deadline = heap_first(&controller->deadlines);
	int64_t due_ms = tracks_next_ms(controller), next_ms;
	bool is_stopping;

	if (deadline && deadline->at_ms < due_ms)
		due_ms = deadline->at_ms;
	pthread_mutex_lock(&controller->lock);
	for (;;) {
		int64_t now_ms = clock_boot_ms(clock);

		next_ms = due_ms;
		if (controller->is_stopping)
			break;
		if (controller->yield_ms > now_ms)
			next_ms = controller->yield_ms;
		else if (controller->is_blind || due_ms <= now_ms ||
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
	int64_t end_ms;

	if (controller->is_woken || controller->words.n)
		return true;
	if (!controller->done_first)
		return false;
	/* Answers share a commit: not before the calls still out are back, or a little time. */
	end_ms = controller->done_first->done_ms + LINGER_MS;
	if (!controller->n_flights || now_ms >= end_ms)
		return true;
	*next_ms = end_ms < *next_ms ? end_ms : *next_ms;
	return false;
}

static bool
tick(struct controller *controller, struct err *err)
{
	auto_txn struct txn *txn = store_begin(controller->config.store);
	struct intake intake = {0};
	const char *name;
	bool is_good = true, has_waiting;

	mark_late(controller);
	known_renew(controller);
	if (controller->is_stale && !quarantine_look(controller, txn, err))
		return false;
	if (controller->is_stale) {
		rest(controller);
		return true;
	}
	if (controller->is_blind)
		is_good = mark_all(controller, txn, err);
	intake_take(controller, &intake);
	for (struct flight *flight = intake.done; flight; flight = flight->next) {
		is_good = is_good && answers_store(controller, txn, flight, err);
		flight_back(controller, flight);
	}
	for (size_t i = 0; i < intake.words.n && is_good; i++)
		is_good = hear(controller, txn, &intake.words.items[i], err);
	known_renew(controller);
	intake_take_dirty(controller, &intake); /* answers and words have marked groups, too */
	for (size_t at = 0;
	     is_good && !controller->is_stale && (name = map_next(intake.dirty, &at));)
		is_good = turn_refresh(controller, txn, name, err);
	has_waiting = controller->queue_first != NULL;
	is_good = is_good && (controller->is_stale || turn_begin(controller, txn, err));
	if (map_size(intake.dirty) || intake.words.n || has_waiting) {
		FAULT_POINT("controller.tick.before");
		is_good = is_good && txn_commit(&txn, err);
		FAULT_POINT("controller.tick.after");
	}
	intake_done(&intake);
	controller->is_blind = !is_good;
	controller->is_new &= !is_good;
	return is_good;
}

/* Nothing is stepped, nothing sent: what comes in is dropped, and looked at anew in the end. */
static void
rest(struct controller *controller)
{
	struct intake intake = {0};

	intake_take(controller, &intake);
	intake_take_dirty(controller, &intake);
	for (struct flight *flight = intake.done; flight; flight = flight->next)
		flight_back(controller, flight);
	intake_done(&intake);
	controller->is_blind = false;
}

/* Of the answers no more than the others who want the store can wait for. */
static void
intake_take(struct controller *controller, struct intake *intake)
{
	struct flight **end = &intake->done;
	size_t n_rows = 0;

	pthread_mutex_lock(&controller->lock);
	while (controller->done_first && n_rows < ROWS_A_TICK) {
		*end = controller->done_first;
		n_rows += (*end)->call.n;
		controller->done_first = (*end)->next;
		end = &(*end)->next;
	}
	*end = NULL;
	if (!controller->done_first)
		controller->done_last = NULL;
	vec_each (word, &controller->words)
		vec_push(&intake->words, *word);
	controller->words.n = 0;
	controller->is_woken = controller->done_first != NULL;
	pthread_mutex_unlock(&controller->lock);
}

/* Inside the transaction, so that all who marked a group have ended theirs. */
static void
intake_take_dirty(struct controller *controller, struct intake *intake)
{
	pthread_mutex_lock(&controller->lock);
	intake->dirty = controller->dirty;
	controller->dirty = map_new();
	pthread_mutex_unlock(&controller->lock);
}

static void
intake_done(struct intake *intake)
{
	char *name;

	while (intake->done) {
		struct flight *flight = intake->done;

		intake->done = flight->next;
		flight_free(flight);
	}
	vec_each (word, &intake->words)
		word_done(word);
	vec_done(&intake->words);
	for (size_t at = 0; (name = map_next(intake->dirty, &at));)
		free(name);
	map_free(intake->dirty);
}

/* At the start, and after a tick that could not be stored: look at everything anew. */
static bool
mark_all(struct controller *controller, struct txn *txn, struct err *err)
{
	/* In the beginning nobody has asked for a group that is as it should be: state 3 is ACTIVE,
	 * goal 3 RELEASED, have 2 COMMITTED. */
	auto_rows struct rows *rows = txn_query(txn, err,
	    controller->is_new ? "SELECT name FROM controller_group WHERE state <> 3 OR goal = 3 "
				 "UNION SELECT grp FROM controller_row "
				 "WHERE have <> 2 OR is_real = 0 OR rev_have < rev OR evicted > 0"
			       : "SELECT name FROM controller_group",
	    "");
	vec_of(uint64_t) known = {0};
	struct track *track;

	known_drop_all(controller);
	if (!rows)
		return false;
	for (size_t at = 0; (track = map_next(controller->tracks, &at));)
		vec_push(&known, track->rid);
	vec_each (rid, &known)
		track_drop(controller, *rid);
	vec_done(&known);
	while (rows_next(rows))
		mark_dirty(controller, rows_text(rows, 0));
	return true;
}

static void
mark_late(struct controller *controller)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct due *due;

	while ((due = heap_first(&controller->deadlines)) && due->at_ms <= now_ms) {
		heap_drop(&controller->deadlines, due);
		mark_dirty(controller, ((struct watch *)due)->group);
	}
}
