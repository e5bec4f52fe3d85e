/*
 * Which rows need a call, and when it may be made: the retries, the probes of a manager that does
 * not answer, the renewal of holds. The ticker's own.
 */
#include "lib/engine/controller_track.h"

#include <stdlib.h>
#include <string.h>

static struct track *track_make(struct controller *controller, const struct stored_row *row);
static void track_back(struct controller *controller, struct track *track, bool is_answered);
static void track_at(struct track *track, int64_t at_ms);
static void track_change(struct track *track, enum verb verb);
static void track_met(struct track *track);
static int64_t peer_next_ms(const struct peer *peer);
static int64_t backoff_ms(struct controller *controller, int failures);

void
flight_back(struct controller *controller, struct flight *flight)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);
	struct peer *peer = flight->peer;
	bool is_silent = !flight->is_answered &&
			 (flight->err.code == ERR_UNAVAILABLE || flight->err.code == ERR_TIMEOUT);

	peer->n_flights--;
	peer->n_waiting -= verb_class(flight->call.verb) == CALLS_WAITING;
	if (is_silent) {
		peer->failures++;
		peer->probe_ms = now_ms + PROBE_MS;
	} else if (peer_is_down(peer)) {
		peer_lives(controller, peer);
	} else {
		peer->failures = 0;
	}
	for (size_t i = 0; i < flight->call.n; i++) {
		struct track *track = map_get_id(controller->tracks, flight->call.want[i].rid);

		if (track)
			track_back(controller, track, flight->is_answered);
	}
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
			track_at(track, now_ms);
			track->failures = 0;
		}
}

void
track_need(struct controller *controller, const struct stored_row *row, enum verb verb)
{
	bool is_first = !map_get_id(controller->tracks, row->state.row.rid);
	struct track *track = track_make(controller, row);

	if (is_first && verb == VERB_RESERVE) {
		track->is_new = true;
		track->peer->n_new++;
	}
	if (track->is_renewal || track->verb != verb || track->rev != row->state.rev) {
		track_change(track, verb);
		track_at(track, clock_boot_ms(controller->config.clock));
		track->failures = 0;
	}
	track->is_renewal = false;
	track->rev = row->state.rev;
}

void
track_renew(struct controller *controller, const struct stored_row *row)
{
	bool is_new = !map_get_id(controller->tracks, row->state.row.rid);
	struct track *track = track_make(controller, row);

	if (track->is_renewal)
		return;
	track->is_renewal = true;
	track_change(track, VERB_RESERVE);
	/* Nobody knows when a controller that was here before renewed it last: at once. */
	track_at(track, clock_boot_ms(controller->config.clock) + (is_new ? 0 : RENEW_MS));
	track->failures = 0;
}

void
track_ask(struct controller *controller, const struct stored_row *row, enum verb verb)
{
	track_need(controller, row, verb);
	track_at(track_make(controller, row), clock_boot_ms(controller->config.clock));
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
	track_fly(track);
	track_met(track);
	track_free(track);
}

void
track_free(struct track *track)
{
	free(track->group);
	free(track);
}

void
track_fly(struct track *track)
{
	heap_drop(&track->peer->dues[verb_class(track->verb)], &track->due);
}

int64_t
tracks_next_ms(struct controller *controller)
{
	int64_t next_ms = INT64_MAX;
	struct peer *peer;

	if (controller->is_stale)
		return next_ms;
	for (size_t at = 0; (peer = map_next(controller->peers, &at));) {
		int64_t due = peer_next_ms(peer);

		next_ms = due < next_ms ? due : next_ms;
	}
	return next_ms;
}

struct track *
peer_due(const struct peer *peer, enum call_class class, int64_t now_ms)
{
	struct due *first = heap_first(&peer->dues[class]);

	if (!first || (peer_is_down(peer) ? peer->probe_ms : first->at_ms) > now_ms)
		return NULL;
	return (struct track *)first;
}

/* One that does not answer is probed by one call at a time. */
bool
peer_has_room(const struct peer *peer, enum call_class class)
{
	if (class == CALLS_WAITING && peer->n_waiting >= FLIGHTS_WAITING_MAX)
		return false;
	return peer->n_flights < (peer_is_down(peer) ? 1 : FLIGHTS_MAX);
}

enum call_class
verb_class(enum verb verb)
{
	return verb == VERB_RESERVE ? CALLS_PROMPT : CALLS_WAITING;
}

static int64_t
peer_next_ms(const struct peer *peer)
{
	int64_t next_ms = INT64_MAX;

	for (int class = 0; class < CALL_CLASSES; class ++) {
		const struct due *first = heap_first(&peer->dues[class]);
		int64_t due_ms;

		if (!first || !peer_has_room(peer, (enum call_class) class))
			continue;
		due_ms = peer_is_down(peer) ? peer->probe_ms : first->at_ms;
		next_ms = due_ms < next_ms ? due_ms : next_ms;
	}
	return next_ms;
}

bool
peer_is_down(const struct peer *peer)
{
	return peer->failures >= PROBE_AFTER;
}

static struct track *
track_make(struct controller *controller, const struct stored_row *row)
{
	struct track *track = map_get_id(controller->tracks, row->state.row.rid);

	if (!track) {
		track = xcalloc(1, sizeof(*track));
		track->rid = row->state.row.rid;
		track->peer = peer_get(controller, row->state.row.manager);
		track->group = xstrdup(row->group);
		track->rev = -1;
		map_put_id(controller->tracks, track->rid, track);
		track_at(track, clock_boot_ms(controller->config.clock));
	} else if (strcmp(track->group, row->group) != 0) {
		free(track->group);
		track->group = xstrdup(row->group);
	}
	track->is_over = false;
	return track;
}

/* While it flies that is decided when it is back. */
static void
track_at(struct track *track, int64_t at_ms)
{
	if (!track->is_flying)
		heap_put(&track->peer->dues[verb_class(track->verb)], &track->due, at_ms);
}

static void
track_change(struct track *track, enum verb verb)
{
	int64_t at_ms = track->due.at_ms;

	if (verb != VERB_RESERVE)
		track_met(track);
	track_fly(track);
	track->verb = verb;
	track_at(track, at_ms);
}

static void
track_met(struct track *track)
{
	track->peer->n_new -= track->is_new;
	track->is_new = false;
}

/* Its call is back: when may the row be sent again, should it still need it? */
static void
track_back(struct controller *controller, struct track *track, bool is_answered)
{
	int64_t now_ms = clock_boot_ms(controller->config.clock);

	track->is_flying = false;
	track_met(track);
	if (track->is_asking && !is_answered)
		map_put_id(controller->asked, track->rid, controller);
	if (track->is_over) {
		track_drop(controller, track->rid);
	} else if (track->is_renewal && is_answered) {
		track_at(track, now_ms + RENEW_MS);
		track->failures = 0;
	} else {
		track_at(track, now_ms + backoff_ms(controller, track->failures++));
	}
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
