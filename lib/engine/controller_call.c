/*
 * Calls: how rows that are due are put together, and the pool that makes the calls.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/engine/controller_part.h"
#include "lib/engine/controller_track.h"

/* Flights being filled, newest first. */
struct fleet {
	struct flight *first;
};

/* The rows of one manager that take off. */
struct boarding {
	struct txn *txn;
	struct fleet *fleet;
	struct peer *peer;
	int64_t now_ms;
	bool is_over; /* what is left waits for a call to come back */
};

static bool board_all(
    struct controller *controller, struct txn *txn, struct fleet *fleet, struct err *err);
static bool board_class(struct controller *controller, struct boarding *boarding,
    enum call_class class, struct err *err);
static bool board(struct controller *controller, struct boarding *boarding, struct track *track,
    struct flight *flight, struct err *err);
static struct flight *find_flight(const struct fleet *fleet, const struct track *track);
static bool may_share(const struct flight *flight, const struct track *track);
static struct flight *new_flight(struct track *track, struct fleet *fleet);
static void launch(struct controller *controller, struct fleet *fleet);
static struct flight *take_todo(struct controller *controller);
static void make_call(struct controller *controller, struct flight *flight);
static bool is_complete(const struct flight *flight);

bool
dispatch(struct controller *controller, struct err *err)
{
	auto_txn struct txn *txn = NULL;
	struct fleet fleet = {0};
	bool is_good;

	if (controller->is_stale ||
	    tracks_next_ms(controller) > clock_boot_ms(controller->config.clock))
		return true;
	txn = store_begin(controller->config.store);
	is_good = board_all(controller, txn, &fleet, err);
	txn_cancel(take(txn));
	launch(controller, &fleet);
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

void
flight_free(struct flight *flight)
{
	if (!flight)
		return;
	arena_free(flight->arena);
	free(flight);
}

static bool
board_all(struct controller *controller, struct txn *txn, struct fleet *fleet, struct err *err)
{
	struct boarding boarding = {
	    .txn = txn, .fleet = fleet, .now_ms = clock_boot_ms(controller->config.clock)};
	struct peer *peer;
	struct manager_caller caller = {
	    .epoch = controller->epoch, .since = controller->since, .life = controller->life};
	bool is_good = true;

	known_renew(controller);
	if (!stored_caller(txn, &caller, err))
		return false;
	for (size_t at = 0; is_good && (peer = map_next(controller->peers, &at));) {
		boarding.peer = peer;
		for (int class = 0; is_good && class < CALL_CLASSES; class ++)
			is_good = board_class(controller, &boarding, (enum call_class) class, err);
	}
	for (struct flight *flight = fleet->first; flight; flight = flight->next) {
		caller.deadline_ms = flight->call.caller.deadline_ms;
		flight->call.caller = caller;
	}
	return is_good;
}

/* What has no place ends it: rows of a group are due one behind the other. */
static bool
board_class(struct controller *controller, struct boarding *boarding, enum call_class class,
    struct err *err)
{
	struct track *track;

	boarding->is_over = false;
	while ((track = peer_due(boarding->peer, class, boarding->now_ms))) {
		struct flight *flight = find_flight(boarding->fleet, track);

		if (!flight && peer_has_room(boarding->peer, class))
			flight = new_flight(track, boarding->fleet);
		if (!flight)
			return true;
		if (!board(controller, boarding, track, flight, err))
			return false;
		if (boarding->is_over)
			return true;
	}
	return true;
}

static bool
board(struct controller *controller, struct boarding *boarding, struct track *track,
    struct flight *flight, struct err *err)
{
	const struct known *known = known_find(controller, track->group);
	const struct stored_row *row = known ? known_row(known, track->rid) : NULL;
	struct row_want *want = &flight->want[flight->call.n];
	struct stored_row read;
	struct err why = {0};
	const char *attr = NULL;

	if (!row && !stored_row(boarding->txn, track->rid, flight->arena, &read, err))
		return false;
	row = row ? row : &read;
	if (track->verb == VERB_COMMIT &&
	    !attr_resolve(boarding->txn, known, row->state.row.attr, flight->arena, &attr, &why)) {
		/* Answered without a call, see pool_main: alone. */
		boarding->is_over = flight->call.n > 0;
		if (boarding->is_over)
			return true;
		flight->err = why;
	}
	*want = (struct row_want){.rid = track->rid};
	if (track->verb == VERB_RESERVE) {
		want->kind = arena_text(flight->arena, row->state.row.kind);
		want->spec = arena_text(flight->arena, row->state.row.spec);
		flight->bytes += strlen(want->spec);
	} else if (track->verb == VERB_COMMIT) {
		want->attr = attr;
		want->rev = row->state.rev;
		flight->bytes += strlen(attr ? attr : "");
	}
	flight->call.n++;
	if (strcmp(flight->group, track->group) != 0 && verb_class(track->verb) == CALLS_WAITING)
		flight->call.caller.deadline_ms = SHARED_MS;
	track_fly(track);
	track->is_flying = true;
	track->is_void = false;
	track->is_asking = map_drop_id(controller->asked, track->rid) != NULL;
	return true;
}

/*
 * Rows of one manager and verb share a call. Commit and release wait for an effect, and no group
 * shall wait for another's: they share a call only when they are sent for the first time, and that
 * one does not wait long. What is not there by then gets a call of its group's own.
 */
static struct flight *
find_flight(const struct fleet *fleet, const struct track *track)
{
	for (struct flight *flight = fleet->first; flight; flight = flight->next) {
		if (flight->peer != track->peer)
			break; /* one manager after the other boards */
		if (flight->call.verb != track->verb)
			continue;
		if (verb_class(track->verb) == CALLS_WAITING && !may_share(flight, track))
			continue;
		if (flight->call.n < MANAGER_ROWS_MAX && flight->bytes < CALL_BYTES_MAX &&
		    flight->err.code == ERR_NONE)
			return flight;
	}
	return NULL;
}

static bool
may_share(const struct flight *flight, const struct track *track)
{
	return !strcmp(flight->group, track->group) || (flight->is_first && !track->failures);
}

static struct flight *
new_flight(struct track *track, struct fleet *fleet)
{
	struct flight *flight = xcalloc(1, sizeof(*flight));

	flight->peer = track->peer;
	flight->arena = arena_new();
	flight->group = arena_text(flight->arena, track->group);
	flight->is_first = !track->failures;
	flight->want = arena_alloc(flight->arena, MANAGER_ROWS_MAX * sizeof(*flight->want));
	flight->call = (struct manager_call){.verb = track->verb,
	    .want = flight->want,
	    .arena = flight->arena,
	    .caller = {.deadline_ms = CALL_MS}};
	track->peer->n_flights++;
	track->peer->n_waiting += verb_class(track->verb) == CALLS_WAITING;
	flight->next = fleet->first;
	fleet->first = flight;
	return flight;
}

static void
launch(struct controller *controller, struct fleet *fleet)
{
	pthread_mutex_lock(&controller->lock);
	while (fleet->first) {
		struct flight *flight = fleet->first;

		fleet->first = flight->next;
		flight->next = NULL;
		flight->call.have =
		    arena_alloc(flight->arena, flight->call.n * sizeof(*flight->call.have));
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
