/*
 * One node and its links at once. From the host of every placed neighbour a search spreads over
 * arcs with room for that link, all of them level by level; a host that all have reached is a
 * candidate, and rate times hops over all links what it costs at least. The cheapest are tried with
 * real paths, as the links of one node take room from each other.
 */
#include <math.h>
#include <string.h>

#include "snc/embed_state.h"

enum { ENOUGH = 12, TRIES = 6, FAILS = 24 };

/* How far the spreads have come. */
struct reach {
	unsigned n_hops;
	double floor; /* what a host costs at least that is no candidate yet */
};

static void sort_links(struct state *state, unsigned node);
static void start_spread(struct state *state, unsigned node, struct state_spread *spread);
static void start_near(struct state *state, unsigned node, struct reach *reach);
static void reach_further(struct state *state, unsigned node, struct reach *reach);
static void all_hosts(struct state *state, unsigned node);
static bool try_host(struct state *state, unsigned node, unsigned host);
static void take_out(struct state *state, unsigned node);

static bool
goes_before(const struct state_candidate *a, const struct state_candidate *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->tie != b->tie)
		return a->tie < b->tie;
	return a->host < b->host;
}

/* Moves the best of the rest to its front. */
static struct state_candidate
take_best(struct state_candidate *rest, size_t n)
{
	size_t best = 0;
	struct state_candidate taken;

	if (!n)
		return (struct state_candidate){.cost = INFINITY};
	for (size_t i = 1; i < n; i++)
		if (goes_before(&rest[i], &rest[best]))
			best = i;
	taken = rest[best];
	rest[best] = rest[0];
	rest[0] = taken;
	return taken;
}

static void
forget_host(struct state *state, unsigned host)
{
	state->n_reached[host] = 0;
	state->bound[host] = 0;
}

/* What earlier spreads have left behind. */
static void
clear_spreads(struct state *state)
{
	for (; state->n_spreads; state->n_spreads--) {
		struct state_spread *spread = &state->spreads[state->n_spreads - 1];

		forget_host(state, spread->from);
		for (size_t i = 0; i < spread->tail; i++) {
			unsigned at = spread->queue[i];

			spread->hops[at] = STATE_FAR;
			if (state->net->host_at[at] != CORE_NOWHERE)
				forget_host(state, state->net->host_at[at]);
		}
	}
}

static void
start_reach(struct state *state, unsigned node, struct reach *reach)
{
	*reach = (struct reach){.floor = INFINITY};
	state->n_candidates = 0;
	clear_spreads(state);
	sort_links(state, node);
	if (state->n_spreads)
		start_near(state, node, reach);
	else
		all_hosts(state, node);
}

/* Moves the best candidate but the first `at` there: the spreads go on until they can find nothing
 * cheaper. False when there is none below the limit. */
static bool
next_candidate(struct state *state, unsigned node, struct reach *reach, size_t at, double limit)
{
	for (;;) {
		struct state_candidate best =
		    take_best(state->candidates + at, state->n_candidates - at);

		if (best.cost < reach->floor)
			return best.cost < limit;
		if (reach->floor >= limit)
			return false;
		take_out(state, node);
		reach_further(state, node, reach);
	}
}

static void
take_out(struct state *state, unsigned node)
{
	if (state->at[node] != CORE_NOWHERE)
		state_remove(state, node);
}

bool
state_insert(struct state *state, unsigned node, unsigned nth)
{
	unsigned n_tries = 0, n_fails = 0, best = CORE_NOWHERE;
	double best_cost = INFINITY, before = state->cost;
	struct reach reach;

	start_reach(state, node, &reach);
	for (size_t i = 0; n_tries < TRIES && n_fails < FAILS; i++) {
		double limit = best_cost - before;

		if (!next_candidate(state, node, &reach, i, limit))
			break;
		if (i < nth && next_candidate(state, node, &reach, i + 1, limit))
			continue;
		take_out(state, node);
		if (!try_host(state, node, state->candidates[i].host)) {
			n_fails++;
			continue;
		}
		n_tries++;
		if (state->cost >= best_cost)
			continue;
		best = state->candidates[i].host;
		best_cost = state->cost;
	}
	if (state->at[node] == best)
		return best != CORE_NOWHERE;
	take_out(state, node);
	return try_host(state, node, best);
}

bool
state_start(struct state *state, unsigned node, unsigned host)
{
	unsigned n_hosts = (unsigned)state->net->n_hosts;

	clear_spreads(state);
	for (unsigned i = 0; i < n_hosts; i++, host++)
		if (state_may(state, node, host % n_hosts) && try_host(state, node, host % n_hosts))
			return true;
	return false;
}

/* The links to placed neighbours, those with the highest rates first: a spread for each. */
static void
sort_links(struct state *state, unsigned node)
{
	const struct core_link *links = state->request->links;
	unsigned n = 0;

	for (unsigned i = state->link_first[node]; i < state->link_first[node + 1]; i++) {
		const struct core_link *link = &links[state->link_of[i]], *before;
		unsigned at = n;

		if (state->at[state_other(link, node)] == CORE_NOWHERE)
			continue;
		for (; at > 0; at--) {
			before = &links[state->spreads[at - 1].link];
			if (before->up + before->down >= link->up + link->down)
				break;
			state->spreads[at].link = state->spreads[at - 1].link;
		}
		state->spreads[at].link = state->link_of[i];
		n++;
	}
	state->n_spreads = n;
}

static void
start_spread(struct state *state, unsigned node, struct state_spread *spread)
{
	const struct core_link *link = &state->request->links[spread->link];
	unsigned leave;

	spread->from = state->at[state_other(link, node)];
	spread->along = link->a == node ? link->down : link->up;
	spread->against = link->a == node ? link->up : link->down;
	leave = state->hosts[spread->from].leave;
	spread->hops[leave] = 0;
	spread->queue[0] = leave;
	spread->head = 0;
	spread->tail = 1;
}

/* The share of the rates out of the host that is free. */
static double
free_access(struct state *state, const struct core_host *host)
{
	double size = 0, free = 0;

	state->steps += state->net->first[host->leave + 1] - state->net->first[host->leave];
	for (unsigned i = state->net->first[host->leave]; i < state->net->first[host->leave + 1];
	     i++) {
		const struct core_slot *slot = &state->slots[state->net->arcs[i].slot];

		size += (double)slot->size;
		free += (double)slot->free;
	}
	return size > 0 ? free / size : 0;
}

/* What ties: the host that keeps the largest share of its scarcest resource, so that neither room
 * nor rate is left without the other. */
static double
tie_of(struct state *state, unsigned node, unsigned host)
{
	const struct core_host *at = &state->hosts[host];
	const struct core_node *asked = &state->request->nodes[node];
	double least = free_access(state, at);

	for (size_t k = 0; k < CORE_KINDS; k++) {
		double left = (double)(at->room[k] - asked->wants[k]);
		double share = at->size[k] > 0 ? left / (double)at->size[k] : 1;

		if (share < least)
			least = share;
	}
	return -least;
}

static double
share_cost(const struct state *state, unsigned node, unsigned host)
{
	if (state->request->nodes[node].is_light)
		return 0;
	return state->request->share_cost * state->n_on[host];
}

/* A host that one more of the spreads has reached; true when it was the last. */
static bool
reach_host(struct state *state, const struct state_spread *spread, unsigned host, unsigned n_hops)
{
	state->bound[host] += core_link_cost(&state->request->links[spread->link], n_hops);
	return ++state->n_reached[host] == state->n_spreads;
}

static void
add_candidate(struct state *state, unsigned node, unsigned host)
{
	if (!state_may(state, node, host))
		return;
	state->candidates[state->n_candidates++] = (struct state_candidate){
	    host, state->bound[host] + share_cost(state, node, host), tie_of(state, node, host)};
}

/* The neighbour's own host: no hop. */
static void
reach_own(struct state *state, unsigned node, const struct state_spread *spread)
{
	const struct core_link *link = &state->request->links[spread->link];
	const unsigned *loop = state->hosts[spread->from].loop;

	if (state->slots[loop[0]].free < link->up || state->slots[loop[1]].free < link->down)
		return;
	if (reach_host(state, spread, spread->from, 0))
		add_candidate(state, node, spread->from);
}

/* One level further; false when there is none. */
static bool
step(struct state *state, unsigned node, struct state_spread *spread, unsigned n_hops)
{
	const struct core_net *net = state->net;
	size_t end = spread->tail;

	for (; spread->head < end; spread->head++) {
		unsigned at = spread->queue[spread->head];

		state->steps += net->first[at + 1] - net->first[at];
		for (unsigned i = net->first[at]; i < net->first[at + 1]; i++) {
			const struct core_arc *arc = &net->arcs[i];

			if (spread->hops[arc->to] != STATE_FAR ||
			    state->slots[arc->slot].free < spread->along ||
			    state->slots[arc->back].free < spread->against)
				continue;
			spread->hops[arc->to] = (uint16_t)n_hops;
			spread->queue[spread->tail++] = arc->to;
		}
	}
	for (size_t i = end; i < spread->tail; i++) {
		unsigned host = net->host_at[spread->queue[i]];

		if (host != CORE_NOWHERE && host != spread->from &&
		    reach_host(state, spread, host, n_hops))
			add_candidate(state, node, host);
	}
	return spread->tail > end;
}

/* A host that not all have reached is one hop further from one of them, at least. */
static double
floor_of(const struct state *state, unsigned node, unsigned n_hops)
{
	const struct core_request *request = state->request;
	double least = 0, more = INFINITY;

	for (unsigned i = 0; i < state->n_spreads; i++) {
		const struct core_link *link = &request->links[state->spreads[i].link];
		unsigned other = state_other(link, node);
		unsigned n_least = request->nodes[other].apart & request->nodes[node].apart ? 1 : 0;

		least += core_link_cost(link, n_least);
		more = fmin(more, core_link_cost(link, n_hops + 1 - n_least));
	}
	return least + more;
}

static void
start_near(struct state *state, unsigned node, struct reach *reach)
{
	for (unsigned i = 0; i < state->n_spreads; i++) {
		start_spread(state, node, &state->spreads[i]);
		reach_own(state, node, &state->spreads[i]);
	}
	reach->floor = floor_of(state, node, 0);
}

/* Stops one level after there are enough. */
static void
reach_further(struct state *state, unsigned node, struct reach *reach)
{
	bool is_moving = false, has_enough = state->n_candidates >= ENOUGH;

	reach->n_hops++;
	for (unsigned i = 0; i < state->n_spreads; i++)
		is_moving = step(state, node, &state->spreads[i], reach->n_hops) || is_moving;
	reach->floor = is_moving && !has_enough && reach->n_hops < CORE_HOPS_MAX
			   ? floor_of(state, node, reach->n_hops)
			   : INFINITY;
}

/* Without a placed neighbour. */
static void
all_hosts(struct state *state, unsigned node)
{
	for (unsigned i = 0; i < state->net->n_hosts; i++)
		add_candidate(state, node, i);
}

/* What the links to neighbours that are not placed will send; of those that cannot be here too. */
static void
sum_outlook(const struct state *state, unsigned node, int64_t *sends, int64_t *gets)
{
	const struct core_request *request = state->request;

	for (unsigned i = state->link_first[node]; i < state->link_first[node + 1]; i++) {
		const struct core_link *link = &request->links[state->link_of[i]];
		unsigned other = state_other(link, node);

		if (state->at[other] != CORE_NOWHERE ||
		    !(request->nodes[other].apart & request->nodes[node].apart))
			continue;
		*sends += link->a == node ? link->up : link->down;
		*gets += link->a == node ? link->down : link->up;
	}
}

/* Can they leave the host? */
static bool
has_outlook(const struct state *state, unsigned node, unsigned host)
{
	unsigned leave = state->hosts[host].leave;
	int64_t sends = 0, gets = 0, left = 0;
	bool is_shared = false;

	sum_outlook(state, node, &sends, &gets);
	if (sends + gets == 0)
		return true;
	for (unsigned i = state->net->first[leave]; i < state->net->first[leave + 1]; i++) {
		const struct core_arc *arc = &state->net->arcs[i];

		left += state->slots[arc->slot].free;
		is_shared = is_shared || arc->slot == arc->back;
	}
	return left >= sends + (is_shared ? gets : 0);
}

static bool
try_host(struct state *state, unsigned node, unsigned host)
{
	struct state_path path;

	state_place(state, node, host);
	for (unsigned i = 0; i < state->n_spreads; i++) {
		if (!state_route(state, state->spreads[i].link, &path)) {
			state_remove(state, node);
			return false;
		}
		state_take(state, state->spreads[i].link, &path);
	}
	if (has_outlook(state, node, host))
		return true;
	state_remove(state, node);
	return false;
}
