/*
 * Calls: which rows need one (tracks), how they are put together, when they are repeated, and the
 * pool that makes them.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/engine/controller_part.h"

typedef vec_of(struct flight *) vec_flight;

static bool is_down(const struct peer *peer);
static int64_t due_ms(const struct track *track);
static bool board_all(
    struct controller *controller, struct txn *txn, vec_flight *flights, struct err *err);
static bool board(struct controller *controller, struct txn *txn, struct track *track,
    vec_flight *flights, struct err *err);
static struct flight *find_flight(const vec_flight *flights, const struct track *track);
static struct flight *new_flight(
    struct controller *controller, struct track *track, vec_flight *flights);
static void launch(struct controller *controller, vec_flight *flights);
static struct flight *take_todo(struct controller *controller);
static void make_call(struct controller *controller, struct flight *flight);
static bool is_complete(const struct flight *flight);
static int64_t backoff_ms(struct controller *controller, int failures);

bool
dispatch(struct controller *controller, struct err *err)
{
	auto_txn struct txn *txn = NULL;
	vec_flight flights = {0};
	bool is_good;

	if (controller->is_stale ||
	    tracks_next_ms(controller) > clock_boot_ms(controller->config.clock))
		return true;
	txn = store_begin(controller->config.store);
	is_good = board_all(controller, txn, &flights, err);
	txn_cancel(take(txn));
	launch(controller, &flights);
	vec_done(&flights);
	return is_good;
}

void *
pool_main(void *self)
{
	struct controller *controller = self;
	struct flight *flight;

	while ((flight = take_todo(controller))) {
		if (flight->err.code == ERR_NONE)
			make_call(controller, flight);
		pthread_mutex_lock(&controller->lock);
		flight->done_ms = clock_boot_ms(controller->config.clock);
		flight->next = NULL;
		if (controller->done_last)
			controller->done_last->next = flight;
		else
			controller->done_first = flight;
		controller->done_last = flight;
		controller->n_flights--;
		pthread_cond_signal(&controller->tick);
		pthread_mutex_unlock(&controller->lock);
	}
	return NULL;
}

/* The answers are in the rows: when may each row be sent again? */
void
flight_back(struct controller *controller, struct flight *flight)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct peer *peer = flight->peer;
	bool is_silent = !flight->is_answered &&
			 (flight->err.code == ERR_UNAVAILABLE || flight->err.code == ERR_TIMEOUT);

	peer->n_flights--;
	peer->n_waiting -= flight->call.verb != VERB_RESERVE;
	if (is_silent) {
		peer->failures++;
		peer->probe_ms = now_ms + PROBE_MS;
	} else if (is_down(peer)) {
		peer_lives(controller, peer);
	} else {
		peer->failures = 0;
	}
	for (size_t i = 0; i < flight->call.n; i++) {
		struct track *track = map_get_id(controller->tracks, flight->call.want[i].rid);

		if (!track)
			continue;
		track->is_flying = false;
		if (track->is_over)
			track_drop(controller, track->rid);
		else if (track->verb == flight->call.verb && track->next_ms <= now_ms)
			track->next_ms = now_ms + backoff_ms(controller, track->failures++);
	}
}

void
flight_free(struct flight *flight)
{
	if (!flight)
		return;
	arena_free(flight->arena);
	free(flight);
}

struct peer *
peer_get(struct controller *controller, const char *name)
{
	struct peer *peer = map_get(controller->peers, name);

	if (peer)
		return peer;
	peer = xcalloc(1, sizeof(*peer));
	peer->name = xstrdup(name);
	map_put(controller->peers, name, peer);
	return peer;
}

void
peer_lives(struct controller *controller, struct peer *peer)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct track *track;

	if (!peer->failures)
		return;
	peer->failures = 0;
	for (size_t at = 0; (track = map_next(controller->tracks, &at));)
		if (track->peer == peer) {
			track->next_ms = now_ms;
			track->failures = 0;
		}
}

void
track_need(
    struct controller *controller, const struct stored_row *row, enum verb verb, int64_t next_ms)
{
	const struct controller_row_state *state = &row->state;
	struct track *track = map_get_id(controller->tracks, state->row.rid);

	if (!track) {
		track = xcalloc(1, sizeof(*track));
		*track = (struct track){.rid = state->row.rid,
		    .peer = peer_get(controller, state->row.manager),
		    .group = xstrdup(row->group),
		    .verb = verb,
		    .rev = state->rev,
		    .next_ms = next_ms};
		map_put_id(controller->tracks, track->rid, track);
		return;
	}
	track->is_over = false;
	if (track->verb == verb && track->rev == state->rev)
		return; /* it is on its way, or waits for its next try */
	track->verb = verb;
	track->rev = state->rev;
	track->next_ms = next_ms;
	track->failures = 0;
}

void
track_drop(struct controller *controller, uint64_t rid)
{
	struct track *track = map_get_id(controller->tracks, rid);

	if (!track)
		return;
	if (track->is_flying) {
		track->is_over = true;
		return;
	}
	map_drop_id(controller->tracks, rid);
	track_free(track);
}

void
track_free(struct track *track)
{
	free(track->group);
	free(track);
}

int64_t
tracks_next_ms(struct controller *controller)
{
	int64_t next_ms = INT64_MAX;
	struct track *track;

	if (controller->is_stale)
		return next_ms;
	for (size_t at = 0; (track = map_next(controller->tracks, &at));) {
		int64_t due = due_ms(track);

		next_ms = due < next_ms ? due : next_ms;
	}
	return next_ms;
}

static bool
is_down(const struct peer *peer)
{
	return peer->failures >= PROBE_AFTER;
}

/* When a call for the row may leave; INT64_MAX while something must come back first. */
static int64_t
due_ms(const struct track *track)
{
	const struct peer *peer = track->peer;

	if (track->is_flying || peer->n_flights >= FLIGHTS_MAX)
		return INT64_MAX;
	if (track->verb != VERB_RESERVE && peer->n_waiting >= FLIGHTS_WAITING_MAX)
		return INT64_MAX;
	if (is_down(peer))
		return peer->n_flights ? INT64_MAX : peer->probe_ms;
	return track->next_ms;
}

static bool
board_all(struct controller *controller, struct txn *txn, vec_flight *flights, struct err *err)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct track *track;
	uint64_t floor;

	if (!stored_floor(txn, controller->epoch, &floor, err))
		return false;
	for (size_t at = 0; (track = map_next(controller->tracks, &at));) {
		struct flight *joined = find_flight(flights, track);
		bool may_join = joined && !track->is_flying &&
				(is_down(track->peer) || track->next_ms <= now_ms);

		if (!may_join && due_ms(track) > now_ms)
			continue;
		if (!board(controller, txn, track, flights, err))
			return false;
	}
	vec_each (flight, flights)
		(*flight)->call.caller.floor = floor;
	return true;
}

static bool
board(struct controller *controller, struct txn *txn, struct track *track, vec_flight *flights,
    struct err *err)
{
	struct flight *flight = find_flight(flights, track);
	struct row_want *want;
	struct stored_row row;
	struct err why = {0};
	const char *attr = NULL;

	if (!flight)
		flight = new_flight(controller, track, flights);
	if (!stored_row(txn, track->rid, flight->arena, &row, err))
		return false;
	/* The array is the flight's own; only the caller of the verb has it const. */
	want = (struct row_want *)(uintptr_t)&flight->call.want[flight->call.n];
	if (track->verb == VERB_COMMIT &&
	    !attr_resolve(txn, row.state.row.attr, flight->arena, &attr, &why)) {
		if (flight->call.n == 0)
			flight->err = why; /* answered without a call, see pool_main */
		else
			return true; /* it gets a flight of its own in the next round */
	}
	*want = (struct row_want){.rid = track->rid};
	if (track->verb == VERB_RESERVE) {
		want->kind = row.state.row.kind;
		want->spec = row.state.row.spec;
	} else if (track->verb == VERB_COMMIT) {
		want->attr = attr;
		want->rev = row.state.rev;
	}
	flight->bytes += strlen(row.state.row.spec) + (attr ? strlen(attr) : 0);
	flight->call.n++;
	track->is_flying = true;
	return true;
}

/* Rows of one manager and verb share a call. Commit and release wait for an effect: there one
 * group shall not wait for another's. */
static struct flight *
find_flight(const vec_flight *flights, const struct track *track)
{
	for (size_t i = 0; i < flights->n; i++) {
		struct flight *flight = flights->items[i];

		if (flight->peer != track->peer || flight->call.verb != track->verb)
			continue;
		if (track->verb != VERB_RESERVE && strcmp(flight->group, track->group))
			continue;
		if (flight->call.n < MANAGER_ROWS_MAX && flight->bytes < CALL_BYTES_MAX &&
		    flight->err.code == ERR_NONE)
			return flight;
	}
	return NULL;
}

static struct flight *
new_flight(struct controller *controller, struct track *track, vec_flight *flights)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));
	struct row_want *want;

	flight->peer = track->peer;
	flight->arena = arena_new();
	flight->group = arena_text(flight->arena, track->group);
	want = arena_alloc(flight->arena, MANAGER_ROWS_MAX * sizeof(*want));
	flight->call = (struct manager_call){.verb = track->verb,
	    .want = want,
	    .have = arena_alloc(flight->arena, MANAGER_ROWS_MAX * sizeof(struct row_have)),
	    .arena = flight->arena,
	    .caller = {.epoch = controller->epoch, .deadline_ms = CALL_MS}};
	track->peer->n_flights++;
	track->peer->n_waiting += track->verb != VERB_RESERVE;
	vec_push(flights, flight);
	return flight;
}

static void
launch(struct controller *controller, vec_flight *flights)
{
	pthread_mutex_lock(&controller->lock);
	vec_each (at, flights) {
		struct flight *flight = *at;

		if (controller->todo_last)
			controller->todo_last->next = flight;
		else
			controller->todo_first = flight;
		controller->todo_last = flight;
		controller->n_flights++;
	}
	pthread_cond_broadcast(&controller->work);
	pthread_mutex_unlock(&controller->lock);
}

static struct flight *
take_todo(struct controller *controller)
{
	struct flight *flight;

	pthread_mutex_lock(&controller->lock);
	while (!controller->is_stopping && !controller->todo_first)
		pthread_cond_wait(&controller->work, &controller->lock);
	flight = controller->is_stopping ? NULL : controller->todo_first;
	if (flight) {
		controller->todo_first = flight->next;
		if (!controller->todo_first)
			controller->todo_last = NULL;
	}
	pthread_mutex_unlock(&controller->lock);
	return flight;
}

static void
make_call(struct controller *controller, struct flight *flight)
{
	FAULT_POINT("controller.call.before");
	flight->is_answered = controller->config.call(
	    controller->config.self, flight->peer->name, &flight->call, &flight->err);
	FAULT_POINT("controller.call.after");
	if (flight->is_answered && !is_complete(flight))
		flight->is_answered = err_set(&flight->err, ERR_INTERNAL, "it answered other rows");
	if (!flight->is_answered && flight->err.code == ERR_NONE)
		(void)err_set(&flight->err, ERR_INTERNAL, "the call failed without a reason");
}

static bool
is_complete(const struct flight *flight)
{
	for (size_t i = 0; i < flight->call.n; i++)
		if (flight->call.have[i].rid != flight->call.want[i].rid)
			return false;
	return true;
}

/* 100 ms, doubled with each failure up to 30 s, of that a random part: callers spread out. */
static int64_t
backoff_ms(struct controller *controller, int failures)
{
	int64_t ms = BACKOFF_MIN_MS;

	for (int i = 0; i < failures && ms < BACKOFF_MAX_MS; i++)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	controller->random ^= controller->random << 13;
	controller->random ^= controller->random >> 7;
	controller->random ^= controller->random << 17;
	return 1 + (int64_t)(controller->random % (uint64_t)ms);
}
