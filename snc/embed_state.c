/*
 * The books of the search: rooms of hosts, rates of slots, and what the placing so far costs.
 */
#include "snc/embed_state.h"

#include <string.h>

static void fill_links(struct state *state);
static void fill_shares(struct state *state);
static void fill_pins(struct state *state);
static void fill_lots(struct state *state);
static void make_scratch(struct state *state);

struct state *
state_new(const struct core_net *net, const struct core_request *request, struct arena *arena)
{
	struct state *state = arena_new_of(arena, struct state);
	size_t n = request->n_nodes;

	state->net = net;
	state->request = request;
	state->arena = arena;
	state->hosts = (void *)arena_copy(arena, net->hosts, net->n_hosts * sizeof(net->hosts[0]));
	state->slots = (void *)arena_copy(arena, net->slots, net->n_slots * sizeof(net->slots[0]));
	state->n_on = arena_alloc(arena, net->n_hosts * sizeof(state->n_on[0]));
	state->apart_on = arena_alloc(arena, net->n_hosts * sizeof(state->apart_on[0]));
	state->at = arena_alloc(arena, n * sizeof(state->at[0]));
	for (size_t i = 0; i < n; i++)
		state->at[i] = CORE_NOWHERE;
	state->paths = arena_alloc(arena, request->n_links * sizeof(state->paths[0]));
	state->draw = 0x9e3779b97f4a7c15 ^ request->seed;
	fill_links(state);
	fill_shares(state);
	fill_pins(state);
	fill_lots(state);
	make_scratch(state);
	return state;
}

static void
fill_links(struct state *state)
{
	const struct core_request *request = state->request;
	unsigned *first = arena_alloc(state->arena, (request->n_nodes + 2) * sizeof(first[0]));

	state->link_of =
	    arena_alloc(state->arena, 2 * request->n_links * sizeof(state->link_of[0]));
	/* Counted two places up: once filled in, first[v] is where v starts. */
	for (size_t i = 0; i < request->n_links; i++) {
		first[request->links[i].a + 2]++;
		first[request->links[i].b + 2]++;
	}
	for (size_t v = 2; v < request->n_nodes + 2; v++)
		first[v] += first[v - 1];
	for (unsigned i = 0; i < request->n_links; i++) {
		const struct core_link *link = &request->links[i];

		state->link_of[first[link->a + 1]++] = i;
		state->link_of[first[link->b + 1]++] = i;
	}
	state->link_first = first;
}

static void
fill_shares(struct state *state)
{
	const struct core_net *net = state->net;
	double sizes[CORE_KINDS] = {0};

	for (size_t i = 0; i < net->n_hosts; i++)
		for (size_t k = 0; k < CORE_KINDS; k++)
			sizes[k] += (double)net->hosts[i].size[k];
	state->share = arena_alloc(state->arena, state->request->n_nodes * sizeof(state->share[0]));
	for (size_t i = 0; i < state->request->n_nodes; i++)
		for (size_t k = 0; k < CORE_KINDS; k++) {
			double wants = (double)state->request->nodes[i].wants[k];

			state->share[i] += sizes[k] > 0 ? wants / sizes[k] : 0;
		}
}

static void
fill_pins(struct state *state)
{
	state->is_pinned = arena_alloc(state->arena, state->request->n_nodes * sizeof(bool));
	for (size_t i = 0; i < state->request->n_nodes; i++) {
		const bool *may = state->request->nodes[i].may;
		size_t n = 0;

		for (size_t k = 0; may && k < state->net->n_hosts; k++)
			n += may[k];
		state->is_pinned[i] = may && n <= 1;
	}
}

static void
fill_lots(struct state *state)
{
	size_t n = state->request->n_nodes;

	state->lots = arena_alloc(state->arena, (n + 1) * sizeof(state->lots[0]));
	for (size_t i = 0; i < n; i++) {
		const struct core_node *node = &state->request->nodes[i];
		struct state_lot *lot = &state->lots[node->together];

		lot->apart |= node->apart;
		for (size_t k = 0; k < CORE_KINDS; k++)
			lot->wants[k] += node->wants[k];
	}
}

static uint16_t *
far_hops(struct arena *arena, size_t n)
{
	uint16_t *hops = arena_alloc(arena, n * sizeof(hops[0]));

	for (size_t i = 0; i < n; i++)
		hops[i] = STATE_FAR;
	return hops;
}

static void
make_scratch(struct state *state)
{
	struct arena *arena = state->arena;
	size_t n_vertices = state->net->n_vertices, n_hosts = state->net->n_hosts, n_spreads = 1;

	for (size_t i = 0; i < state->request->n_nodes; i++)
		if (state->link_first[i + 1] - state->link_first[i] > n_spreads)
			n_spreads = state->link_first[i + 1] - state->link_first[i];
	state->queue = arena_alloc(arena, n_vertices * sizeof(state->queue[0]));
	state->came_by = arena_alloc(arena, n_vertices * sizeof(state->came_by[0]));
	state->came_from = arena_alloc(arena, n_vertices * sizeof(state->came_from[0]));
	state->hops = far_hops(arena, n_vertices);
	state->ties = arena_alloc(arena, n_vertices * sizeof(state->ties[0]));
	state->spreads = arena_alloc(arena, n_spreads * sizeof(state->spreads[0]));
	for (size_t i = 0; i < n_spreads; i++) {
		state->spreads[i].queue =
		    arena_alloc(arena, (n_vertices + 1) * sizeof(state->queue[0]));
		state->spreads[i].hops = far_hops(arena, n_vertices);
	}
	state->candidates = arena_alloc(arena, n_hosts * sizeof(state->candidates[0]));
	state->n_reached = arena_alloc(arena, n_hosts * sizeof(state->n_reached[0]));
	state->bound = arena_alloc(arena, n_hosts * sizeof(state->bound[0]));
}

/* The first of them needs room for all. */
static bool
may_together(const struct state *state, unsigned number, unsigned host)
{
	const struct state_lot *lot = &state->lots[number];

	if (lot->n_placed)
		return lot->host == host;
	for (size_t k = 0; k < CORE_KINDS; k++)
		if (lot->wants[k] > state->hosts[host].room[k])
			return false;
	return !(lot->apart & state->apart_on[host]);
}

bool
state_may(const struct state *state, unsigned node, unsigned host)
{
	const struct core_node *asked = &state->request->nodes[node];

	if ((asked->may && !asked->may[host]) || (asked->apart & state->apart_on[host]))
		return false;
	if (asked->together && !may_together(state, asked->together, host))
		return false;
	for (size_t k = 0; k < CORE_KINDS; k++)
		if (asked->wants[k] > state->hosts[host].room[k])
			return false;
	return true;
}

static void
move_room(struct state *state, unsigned node, int sign)
{
	const struct core_node *asked = &state->request->nodes[node];
	unsigned host = state->at[node];

	for (size_t k = 0; k < CORE_KINDS; k++)
		state->hosts[host].room[k] -= sign * asked->wants[k];
	if (asked->is_light)
		return;
	if (sign > 0)
		state->cost += state->request->share_cost * state->n_on[host]++;
	else
		state->cost -= state->request->share_cost * --state->n_on[host];
}

void
state_place(struct state *state, unsigned node, unsigned host)
{
	state->at[node] = host;
	state->n_placed++;
	state->apart_on[host] |= state->request->nodes[node].apart;
	state->lots[state->request->nodes[node].together].host = host;
	state->lots[state->request->nodes[node].together].n_placed++;
	move_room(state, node, 1);
}

void
state_remove(struct state *state, unsigned node)
{
	unsigned host = state->at[node];

	for (unsigned i = state->link_first[node]; i < state->link_first[node + 1]; i++)
		if (state->paths[state->link_of[i]].is_routed)
			state_give(state, state->link_of[i]);
	move_room(state, node, -1);
	state->lots[state->request->nodes[node].together].n_placed--;
	state->at[node] = CORE_NOWHERE;
	state->n_placed--;
	state->apart_on[host] = 0;
	for (size_t i = 0; i < state->request->n_nodes; i++)
		if (state->at[i] == host)
			state->apart_on[host] |= state->request->nodes[i].apart;
}

/* Sign 1 takes the link's rates along its path, -1 gives them back. */
static void
move_rates(struct state *state, unsigned at, int sign)
{
	const struct core_link *link = &state->request->links[at];
	const struct state_path *path = &state->paths[at];
	int64_t up = sign * link->up, down = sign * link->down;

	for (unsigned i = 0; i < path->n_arcs; i++) {
		const struct core_arc *arc = &state->net->arcs[path->arcs[i]];

		state->slots[arc->slot].free -= up;
		state->slots[arc->back].free -= down;
	}
	if (!path->n_arcs) {
		const unsigned *loop = state->hosts[state->at[link->a]].loop;

		state->slots[loop[0]].free -= up;
		state->slots[loop[1]].free -= down;
	}
	state->cost += sign * core_link_cost(link, path->n_arcs);
}

void
state_take(struct state *state, unsigned link, const struct state_path *path)
{
	state_path_arcs(&state->paths[link], path);
	state->paths[link].is_routed = true;
	move_rates(state, link, 1);
}

void
state_give(struct state *state, unsigned link)
{
	move_rates(state, link, -1);
	state->paths[link].is_routed = false;
}

/* xorshift64* */
unsigned
state_draw(struct state *state, unsigned n)
{
	state->draw ^= state->draw >> 12;
	state->draw ^= state->draw << 25;
	state->draw ^= state->draw >> 27;
	return (unsigned)((state->draw * 0x2545f4914f6cdd1d) >> 33) % n;
}
