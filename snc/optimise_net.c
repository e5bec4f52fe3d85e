/*
 * Better ways for links. Of a thing of size S of which f is free, a request of any size up to S
 * fits with chance f/S: f * f/S is what can be used of it, the rest is stranded. To take r of it
 * costs r * (2f - r)/S of that; added up along a way it is what the way costs all others. So the
 * best way is a shortest one, and it goes where much is taken already: what is left lies together.
 * Since each move gains, moves come to an end.
 */
#include <string.h>

#include "snc/optimise.h"

/* A move that gains less than this part of the link's rate is not worth the trouble. */
enum { WORTH_PART = 10 };

static void
make_problem(const struct substrate *substrate, struct arena *arena, struct embed_problem *problem)
{
	struct substrate *left = arena_new_of(arena, struct substrate);
	struct search search = {.left = left, .arena = arena};

	*left = *substrate;
	embed_problem_make(&search, problem);
}

void
optimise_net_init(struct optimise_net *net, const struct substrate *substrate,
    const struct substrate *held, struct arena *arena)
{
	const struct core_net *core = &net->problem.net;
	struct embed_problem now;
	size_t n;

	*net = (struct optimise_net){.substrate = substrate, .arena = arena};
	make_problem(substrate, arena, &net->problem);
	make_problem(held, arena, &now);
	net->going = arena_alloc(arena, core->n_slots * sizeof(net->going[0]));
	for (size_t i = 0; i < core->n_slots; i++)
		net->going[i] = core->slots[i].free - now.net.slots[i].free;
	n = core->n_vertices;
	net->held = arena_alloc(arena, core->n_slots * sizeof(net->held[0]));
	net->costs = arena_alloc(arena, n * sizeof(net->costs[0]));
	net->came_by = arena_alloc(arena, n * sizeof(net->came_by[0]));
	net->came_from = arena_alloc(arena, n * sizeof(net->came_from[0]));
	net->queue = arena_alloc(arena, n * sizeof(net->queue[0]));
	net->is_queued = arena_alloc(arena, n * sizeof(net->is_queued[0]));
	optimise_net_settle(net);
}

void
optimise_net_settle(struct optimise_net *net)
{
	const struct core_net *core = &net->problem.net;

	for (size_t i = 0; i < core->n_slots; i++)
		net->held[i] = core->slots[i].free - net->going[i];
}

int64_t
optimise_net_usable_bps(const struct optimise_net *net)
{
	const struct core_net *core = &net->problem.net;
	double usable = 0;

	for (size_t i = 1; i < core->n_slots; i++) { /* the first one is endless */
		double free = (double)core->slots[i].free, size = (double)core->slots[i].size;

		if (size > 0 && free > 0)
			usable += free * free / size;
	}
	return (int64_t)usable;
}

/* Is it the vertex by which a host is left? Those of hosts come last, one to leave and one to
 * enter.
 */
static bool
is_leave(const struct optimise_net *net, unsigned vertex)
{
	const struct core_net *core = &net->problem.net;

	return core->n_hosts && vertex >= core->hosts[0].leave &&
	       core->host_at[vertex] == CORE_NOWHERE;
}

/* ---- what a way costs ------------------------------------------------------------------------ */

/* What a view has not counted yet and is given back must not make more of a thing than there is. */
static int64_t
slot_cost(const struct core_slot *slot, int64_t rate)
{
	int64_t bound = slot->free < slot->size ? slot->free : slot->size;
	double free = bound > rate ? (double)bound : (double)rate;

	if (slot->size <= 0 || rate <= 0)
		return 0;
	return (int64_t)((double)rate * (2 * free - (double)rate) / (double)slot->size);
}

static int64_t
arc_cost(
    const struct optimise_net *net, const struct optimise_link *link, const struct core_arc *arc)
{
	const struct core_slot *slots = net->problem.net.slots;

	return slot_cost(&slots[arc->slot], link->up) + slot_cost(&slots[arc->back], link->down);
}

static int64_t
path_cost(
    const struct optimise_net *net, const struct optimise_link *link, const struct core_path *path)
{
	int64_t cost = 0;

	for (size_t i = 0; i < path->n_arcs; i++)
		cost += arc_cost(net, link, &net->problem.net.arcs[path->arcs[i]]);
	return cost;
}

static int64_t
path_latency(const struct optimise_net *net, const struct core_path *path)
{
	int64_t latency_us = 0;

	for (size_t i = 0; i < path->n_arcs; i++)
		latency_us += net->problem.net.arcs[path->arcs[i]].latency_us;
	return latency_us;
}

/* ---- books ----------------------------------------------------------------------------------- */

static void
take_after(struct optimise_net *net, const struct optimise_link *link, const struct core_path *path,
    int sign)
{
	struct core_slot *slots = net->problem.net.slots;

	for (size_t i = 0; i < path->n_arcs; i++) {
		const struct core_arc *arc = &net->problem.net.arcs[path->arcs[i]];

		slots[arc->slot].free -= sign * link->up;
		slots[arc->back].free -= sign * link->down;
	}
}

/* The port of an end that stays is handed over: it is not taken twice. Edges are. */
static bool
keeps_port(const struct optimise_link *link, unsigned arc)
{
	const struct core_path *path = &link->path;

	return arc == path->arcs[0] || arc == path->arcs[path->n_arcs - 1];
}

static void
take_held(struct optimise_net *net, const struct optimise_link *link, const struct core_path *path)
{
	for (size_t i = 0; i < path->n_arcs; i++) {
		const struct core_arc *arc = &net->problem.net.arcs[path->arcs[i]];

		if (keeps_port(link, path->arcs[i]))
			continue;
		net->held[arc->slot] -= link->up;
		net->held[arc->back] -= link->down;
	}
}

/* ---- the best way ---------------------------------------------------------------------------- */

static bool
has_room(const struct optimise_net *net, const struct optimise_link *link, unsigned at)
{
	const struct core_arc *arc = &net->problem.net.arcs[at];

	return keeps_port(link, at) ||
	       (net->held[arc->slot] >= link->up && net->held[arc->back] >= link->down);
}

/* A place in the queue, which is a ring with room for every vertex once. */
static size_t
in_ring(const struct core_net *core, size_t at)
{
	return at < core->n_vertices ? at : at - core->n_vertices;
}

/* Tries the arcs of one vertex; those whose ends come nearer are queued, a ring. */
static size_t
spread(struct optimise_net *net, const struct optimise_link *link, unsigned at, size_t tail)
{
	const struct core_net *core = &net->problem.net;
	size_t n_new = 0;

	for (unsigned i = core->first[at]; i < core->first[at + 1]; i++) {
		const struct core_arc *arc = &core->arcs[i];
		int64_t cost = net->costs[at] + arc_cost(net, link, arc) + 1;

		if (cost >= net->costs[arc->to] || !has_room(net, link, i))
			continue;
		net->costs[arc->to] = cost;
		net->came_by[arc->to] = i;
		net->came_from[arc->to] = at;
		if (net->is_queued[arc->to])
			continue;
		net->is_queued[arc->to] = true;
		net->queue[in_ring(core, tail + n_new++)] = arc->to;
	}
	return n_new;
}

static bool
find_best(struct optimise_net *net, const struct optimise_link *link, struct core_path *path)
{
	const struct core_net *core = &net->problem.net;
	unsigned from = core->hosts[link->host_a].leave, to = core->hosts[link->host_b].enter;
	size_t head = 0, n_queued = 1, n = 0;
	unsigned *arcs;

	for (size_t i = 0; i < core->n_vertices; i++)
		net->costs[i] = INT64_MAX;
	net->costs[from] = 0;
	net->queue[0] = from;
	while (n_queued) {
		unsigned at = net->queue[head];

		head = in_ring(core, head + 1);
		n_queued--;
		net->is_queued[at] = false;
		n_queued += spread(net, link, at, head + n_queued);
	}
	if (net->costs[to] == INT64_MAX)
		return false;
	for (unsigned at = to; at != from; at = net->came_from[at])
		n++;
	if (n > CORE_HOPS_MAX)
		return false;
	arcs = arena_alloc(net->arena, n * sizeof(arcs[0]));
	*path = (struct core_path){arcs, n};
	for (unsigned at = to; at != from; at = net->came_from[at])
		arcs[--n] = net->came_by[at];
	return true;
}

bool
optimise_net_move(struct optimise_net *net, struct optimise_link *link, int64_t *gain_bps)
{
	struct core_path best = {0};
	bool is_better = false;

	take_after(net, link, &link->path, -1);
	if (find_best(net, link, &best)) {
		*gain_bps = path_cost(net, link, &link->path) - path_cost(net, link, &best);
		is_better =
		    *gain_bps > 0 && *gain_bps >= (link->up + link->down) / WORTH_PART &&
		    (!link->latency_max_us || path_latency(net, &best) <= link->latency_max_us);
	}
	if (is_better) {
		take_held(net, link, &best);
		link->path = best;
	}
	take_after(net, link, &link->path, 1);
	return is_better;
}

/* ---- ways that others have found ----------------------------------------------------------------
 */

/* Takes one after the other; what that costs in all. */
static int64_t
take_all(struct optimise_net *net, const struct optimise_link *links, size_t n)
{
	int64_t cost = 0;

	for (size_t i = 0; i < n; i++) {
		cost += path_cost(net, &links[i], &links[i].path);
		take_after(net, &links[i], &links[i].path, 1);
	}
	return cost;
}

static void
give_all(struct optimise_net *net, const struct optimise_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++)
		take_after(net, &links[i], &links[i].path, -1);
}

int64_t
optimise_net_exchange(struct optimise_net *net, const struct optimise_exchange *exchange)
{
	int64_t old_cost, new_cost;

	give_all(net, exchange->old, exchange->n_old);
	new_cost = take_all(net, exchange->new, exchange->n_new);
	give_all(net, exchange->new, exchange->n_new);
	old_cost = take_all(net, exchange->old, exchange->n_old);
	if (exchange->is_taken) {
		give_all(net, exchange->old, exchange->n_old);
		(void)take_all(net, exchange->new, exchange->n_new);
	}
	return old_cost - new_cost;
}

/* Vertices of the graph come first, and are left by their own numbers. */
void
optimise_net_show(const struct optimise_net *net, struct substrate *substrate)
{
	const struct core_net *core = &net->problem.net;

	for (unsigned at = 0; at < core->n_vertices; at++)
		for (unsigned i = core->first[at]; i < core->first[at + 1]; i++) {
			const struct core_arc *arc = &core->arcs[i];
			unsigned into = core->host_at[arc->to], meaning = net->problem.meanings[i];
			struct graph_edge *edge;

			if (into != CORE_NOWHERE) {
				substrate->hosts[into].ports[meaning].free_bps =
				    net->held[arc->back];
				continue;
			}
			if (is_leave(net, at))
				continue;
			edge = &substrate->graph->edges[meaning];
			*(edge->a == at ? &edge->free_ab_bps : &edge->free_ba_bps) =
			    net->held[arc->slot];
		}
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Which host an arc leaves or enters by a port; NULL = it is an edge of the graph. */
static const struct substrate_host *
port_host(const struct optimise_net *net, const struct optimise_link *link, size_t at)
{
	const struct substrate_host *hosts = net->substrate->hosts;

	if (at == 0)
		return &hosts[link->host_a];
	return at == link->path.n_arcs - 1 ? &hosts[link->host_b] : NULL;
}

static const char *
arc_name(const struct optimise_net *net, const struct substrate_host *host, unsigned arc)
{
	unsigned meaning = net->problem.meanings[arc];

	return host ? host->ports[meaning].name : net->substrate->graph->edges[meaning].name;
}

/* The arc of that name that leaves a vertex, into a host or not; CORE_NOWHERE. */
static unsigned
find_arc(const struct optimise_net *net, unsigned from, const struct substrate_host *host,
    const char *name)
{
	const struct core_net *core = &net->problem.net;

	for (unsigned i = core->first[from]; i < core->first[from + 1]; i++) {
		unsigned into = core->host_at[core->arcs[i].to];
		bool is_port = into != CORE_NOWHERE || is_leave(net, from);

		if (is_port == (host != NULL) && strcmp(arc_name(net, host, i), name) == 0)
			return i;
	}
	return CORE_NOWHERE;
}

bool
optimise_net_find(
    struct optimise_net *net, struct optimise_link *link, const struct optimise_names *names)
{
	const struct core_net *core = &net->problem.net;
	size_t n = names->n_edges + 2;
	unsigned at = core->hosts[link->host_a].leave;
	unsigned *arcs = arena_alloc(net->arena, n * sizeof(arcs[0]));

	link->path = (struct core_path){arcs, n};
	for (size_t i = 0; i < n; i++) {
		const char *name = i == 0       ? names->port_a
				   : i == n - 1 ? names->port_b
						: names->edges[i - 1];

		arcs[i] = find_arc(net, at, port_host(net, link, i), name);
		if (arcs[i] == CORE_NOWHERE)
			return false;
		at = core->arcs[arcs[i]].to;
	}
	return at == core->hosts[link->host_b].enter;
}

void
optimise_net_mapping(
    const struct optimise_net *net, const struct optimise_link *link, struct mapping_link *mapping)
{
	const struct core_path *path = &link->path;
	size_t n = path->n_arcs - 2;
	unsigned *edges = arena_alloc(net->arena, n * sizeof(edges[0]));

	mapping->host_a = &net->substrate->hosts[link->host_a];
	mapping->host_b = &net->substrate->hosts[link->host_b];
	mapping->port_a = &mapping->host_a->ports[net->problem.meanings[path->arcs[0]]];
	mapping->port_b = &mapping->host_b->ports[net->problem.meanings[path->arcs[n + 1]]];
	for (size_t i = 0; i < n; i++)
		edges[i] = net->problem.meanings[path->arcs[i + 1]];
	mapping->path = (struct graph_path){edges, n, path_latency(net, path)};
}

const char *
optimise_net_text(const struct optimise_net *net, const struct optimise_link *link)
{
	auto_str struct str text = {0};

	for (size_t i = 0; i < link->path.n_arcs; i++) {
		const struct substrate_host *host = port_host(net, link, i);

		str_addf(&text, "%s%s%s%s", i ? " " : "", host ? host->name : "", host ? ":" : "",
		    arc_name(net, host, link->path.arcs[i]));
	}
	return arena_text(net->arena, str_text(&text));
}
