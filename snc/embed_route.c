/*
 * The path of one link: breadth first over arcs with room, stopped where the target is reached.
 * Among paths of as few hops the quickest and then the emptiest; where that is too slow for the
 * link's bound, the quickest of all.
 */
#include <string.h>

#include "snc/embed_state.h"

enum { LOAD_MAX = 4095 };

struct way {
	unsigned from, to; /* vertices */
	int64_t along, against;
};

static bool find_short(struct state *state, const struct way *way);
static bool find_quick(struct state *state, const struct way *way);

/* The arcs that the search came by, from its end to its start. */
static bool
walk_back(const struct state *state, const struct way *way, struct state_path *path)
{
	unsigned n = 0;

	for (unsigned at = way->to; at != way->from; at = state->came_from[at])
		if (n++ == CORE_HOPS_MAX)
			return false;
	path->n_arcs = n;
	for (unsigned at = way->to; at != way->from; at = state->came_from[at])
		path->arcs[--n] = state->came_by[at];
	return true;
}

static bool
is_in_time(const struct state *state, const struct state_path *path, int64_t latency_max_us)
{
	int64_t latency_us = 0;

	for (unsigned i = 0; i < path->n_arcs; i++)
		latency_us += state->net->arcs[path->arcs[i]].latency_us;
	return !latency_max_us || latency_us <= latency_max_us;
}

static bool
route_local(const struct state *state, const struct core_link *link, struct state_path *path)
{
	const unsigned *loop = state->hosts[state->at[link->a]].loop;

	path->n_arcs = 0;
	return state->slots[loop[0]].free >= link->up && state->slots[loop[1]].free >= link->down;
}

bool
state_route(struct state *state, unsigned at, struct state_path *path)
{
	const struct core_link *link = &state->request->links[at];
	struct way way = {state->hosts[state->at[link->a]].leave,
	    state->hosts[state->at[link->b]].enter, link->up, link->down};

	if (state->at[link->a] == state->at[link->b])
		return route_local(state, link, path);
	if (!find_short(state, &way))
		return false;
	if (walk_back(state, &way, path) && is_in_time(state, path, link->latency_max_us))
		return true;
	return link->latency_max_us && find_quick(state, &way) && walk_back(state, &way, path) &&
	       is_in_time(state, path, link->latency_max_us);
}

static bool
has_room(const struct state *state, const struct way *way, const struct core_arc *arc)
{
	return state->slots[arc->slot].free >= way->along &&
	       state->slots[arc->back].free >= way->against;
}

static int64_t
load_of(const struct core_slot *slot)
{
	return slot->size > 0
		   ? LOAD_MAX - (int64_t)((double)slot->free / (double)slot->size * LOAD_MAX)
		   : 0;
}

/* What decides between paths of the same number of hops. */
static int64_t
tie_of(const struct state *state, const struct core_arc *arc)
{
	return arc->latency_us * (LOAD_MAX + 1) + load_of(&state->slots[arc->slot]) +
	       load_of(&state->slots[arc->back]);
}

/* Level by level: when a vertex is taken from the queue, its tie is final. */
static bool
find_short(struct state *state, const struct way *way)
{
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < state->n_queued; i++)
		state->hops[state->queue[i]] = STATE_FAR;
	state->hops[way->from] = 0;
	state->ties[way->from] = 0;
	state->queue[tail++] = way->from;
	while (head < tail) {
		unsigned at = state->queue[head++];

		if (state->hops[at] >= state->hops[way->to])
			break;
		state->steps += state->net->first[at + 1] - state->net->first[at];
		for (unsigned i = state->net->first[at]; i < state->net->first[at + 1]; i++) {
			const struct core_arc *arc = &state->net->arcs[i];
			uint16_t hops = (uint16_t)(state->hops[at] + 1);
			int64_t tie;

			if (state->hops[arc->to] < hops || !has_room(state, way, arc))
				continue;
			tie = state->ties[at] + tie_of(state, arc);
			if (state->hops[arc->to] == STATE_FAR)
				state->queue[tail++] = arc->to;
			else if (tie >= state->ties[arc->to])
				continue;
			state->hops[arc->to] = hops;
			state->ties[arc->to] = tie;
			state->came_by[arc->to] = i;
			state->came_from[arc->to] = at;
		}
	}
	state->n_queued = tail;
	return state->hops[way->to] != STATE_FAR;
}

/* Least latency: a vertex is queued again when its tie falls. `hops` says what is in the queue, a
 * ring, and is all STATE_FAR again at the end. */
static bool
find_quick(struct state *state, const struct way *way)
{
	size_t n = state->net->n_vertices, head = 0, n_queued = 1;

	memset(state->hops, 0, n * sizeof(state->hops[0]));
	for (size_t i = 0; i < n; i++)
		state->ties[i] = INT64_MAX;
	state->ties[way->from] = 0;
	state->queue[0] = way->from;
	while (n_queued) {
		unsigned at = state->queue[head];

		head = (head + 1) % n;
		n_queued--;
		state->hops[at] = 0;
		state->steps += state->net->first[at + 1] - state->net->first[at];
		for (unsigned i = state->net->first[at]; i < state->net->first[at + 1]; i++) {
			const struct core_arc *arc = &state->net->arcs[i];
			int64_t tie = state->ties[at] + tie_of(state, arc) + 1;

			if (tie >= state->ties[arc->to] || !has_room(state, way, arc))
				continue;
			state->ties[arc->to] = tie;
			state->came_by[arc->to] = i;
			state->came_from[arc->to] = at;
			if (state->hops[arc->to])
				continue;
			state->hops[arc->to] = 1;
			state->queue[(head + n_queued++) % n] = arc->to;
		}
	}
	memset(state->hops, 0xff, n * sizeof(state->hops[0]));
	state->n_queued = 0;
	return state->ties[way->to] != INT64_MAX;
}
