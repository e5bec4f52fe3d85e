/*
 * Two ways of least sum that share no edge, or no vertex: Suurballe's algorithm, as a flow of two
 * units. Each edge is an arc either way of capacity one; the cheapest flow never takes both, as it
 * would have one edge less each way without. To keep vertices apart, each is split in two with an
 * arc of capacity one between its halves. Keys are words added up one by one, so that potentials
 * work on them as on numbers.
 */
#include <stdlib.h>

#include "lib/base/vec.h"
#include "lib/model/ways_part.h"

enum { NO_EDGE = UINT32_MAX };

/* arcs[i] and arcs[i ^ 1] are an arc and its way back. */
struct flow_arc {
	unsigned to, edge;
	struct ways_key key;
	bool has_room;
};

struct flow {
	struct ways *ways;
	const struct ways_ask *ask;
	bool is_split;
	struct arena *arena;
	size_t n_nodes;
	struct flow_arc *arcs;
	size_t n_arcs;
	size_t *first; /* of node v: order[first[v]] … */
	unsigned *order;
	struct ways_key *keys, *potentials;
	unsigned *came; /* arc by which the search came to a node */
	bool *is_done;
};

static void flow_init(struct flow *flow);
static bool augment(struct flow *flow);
static void follow(struct flow *flow, struct arena *arena, struct way *way);

static unsigned
entry(const struct flow *flow, unsigned vertex)
{
	return flow->is_split ? 2 * vertex : vertex;
}

static unsigned
leaving(const struct flow *flow, unsigned vertex)
{
	return flow->is_split ? 2 * vertex + 1 : vertex;
}

bool
ways_flow(struct ways *ways, const struct ways_ask *ask, enum ways_apart apart, struct arena *arena,
    struct way pair[2])
{
	auto_arena struct arena *scratch = arena_new();
	struct flow flow = {
	    .ways = ways, .ask = ask, .is_split = apart != WAYS_LINK, .arena = scratch};

	flow_init(&flow);
	if (!augment(&flow) || !augment(&flow))
		return false;
	follow(&flow, arena, &pair[0]);
	follow(&flow, arena, &pair[1]);
	return true;
}

static void
add_arc(struct flow *flow, unsigned from, const struct flow_arc *arc)
{
	flow->arcs[flow->n_arcs++] = *arc;
	flow->arcs[flow->n_arcs++] = (struct flow_arc){.to = from,
	    .edge = arc->edge,
	    .key = {-arc->key.first, -arc->key.second, -arc->key.hops}};
}

/* An arc from one vertex to another as part of a way: not into a, out of b, through a host. */
static void
add_edge(struct flow *flow, unsigned from, unsigned edge, unsigned to)
{
	struct ways *ways = flow->ways;
	const struct ways_arc arc = {edge, to};
	bool is_open = from != flow->ask->b && to != flow->ask->a &&
		       (from == flow->ask->a || ways->net.graph->is_transit[from]) &&
		       ways->vertex_bans[from] != ways->ban && ways->vertex_bans[to] != ways->ban &&
		       ways_is_open(ways, flow->ask, &arc, from);

	add_arc(flow, leaving(flow, from),
	    &(struct flow_arc){.to = entry(flow, to),
		.edge = edge,
		.key = ways_edge_key(ways, flow->ask->metric, edge),
		.has_room = is_open});
}

static unsigned
tail(const struct flow *flow, size_t arc)
{
	return flow->arcs[arc ^ 1].to;
}

static void
flow_init(struct flow *flow)
{
	const struct graph *graph = flow->ways->net.graph;
	size_t n = flow->n_nodes = graph->n_vertices * (flow->is_split ? 2 : 1);
	size_t most = 4 * graph->n_edges + (flow->is_split ? 2 * graph->n_vertices : 0), *next;

	flow->arcs = arena_alloc(flow->arena, most * sizeof(flow->arcs[0]));
	flow->order = arena_alloc(flow->arena, most * sizeof(flow->order[0]));
	flow->first = arena_alloc(flow->arena, (n + 2) * sizeof(flow->first[0]));
	flow->keys = arena_alloc(flow->arena, n * sizeof(flow->keys[0]));
	flow->potentials = arena_alloc(flow->arena, n * sizeof(flow->potentials[0]));
	flow->came = arena_alloc(flow->arena, n * sizeof(flow->came[0]));
	flow->is_done = arena_alloc(flow->arena, n * sizeof(flow->is_done[0]));
	for (unsigned i = 0; i < graph->n_edges; i++) {
		add_edge(flow, graph->edges[i].a, i, graph->edges[i].b);
		add_edge(flow, graph->edges[i].b, i, graph->edges[i].a);
	}
	for (unsigned v = 0; flow->is_split && v < graph->n_vertices; v++)
		add_arc(flow, entry(flow, v),
		    &(struct flow_arc){.to = leaving(flow, v), .edge = NO_EDGE, .has_room = true});
	for (size_t i = 0; i < flow->n_arcs; i++)
		flow->first[tail(flow, i) + 2]++;
	for (size_t v = 2; v < n + 2; v++)
		flow->first[v] += flow->first[v - 1];
	next = flow->first + 1;
	for (unsigned i = 0; i < flow->n_arcs; i++)
		flow->order[next[tail(flow, i)]++] = i;
}

/* The entries of the search: a node with the key that it had when it was put in. */
struct due_node {
	struct ways_key key;
	unsigned node;
};

typedef vec_of(struct due_node) due_nodes;

static void
put(due_nodes *heap, struct due_node due)
{
	size_t at = heap->n;

	vec_push(heap, due);
	while (at && ways_compare(due.key, heap->items[(at - 1) / 2].key) < 0) {
		heap->items[at] = heap->items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap->items[at] = due;
}

static struct due_node
pull(due_nodes *heap)
{
	struct due_node best = heap->items[0], last = heap->items[--heap->n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < heap->n) {
		if (child + 1 < heap->n &&
		    ways_compare(heap->items[child + 1].key, heap->items[child].key) < 0)
			child++;
		if (ways_compare(heap->items[child].key, last.key) >= 0)
			break;
		heap->items[at] = heap->items[child];
		at = child;
	}
	heap->items[at] = last;
	return best;
}

static struct ways_key
reduced(const struct flow *flow, size_t index, unsigned from)
{
	const struct flow_arc *arc = &flow->arcs[index];
	struct ways_key p = flow->potentials[from], q = flow->potentials[arc->to];

	return (struct ways_key){arc->key.first + p.first - q.first,
	    arc->key.second + p.second - q.second, arc->key.hops + p.hops - q.hops};
}

static void
expand(struct flow *flow, unsigned at, due_nodes *heap)
{
	for (size_t i = flow->first[at]; i < flow->first[at + 1]; i++) {
		unsigned index = flow->order[i];
		const struct flow_arc *arc = &flow->arcs[index];
		struct ways_key key;

		if (!arc->has_room || flow->is_done[arc->to])
			continue;
		key = ways_add(flow->keys[at], reduced(flow, index, at));
		if (ways_compare(key, flow->keys[arc->to]) >= 0)
			continue;
		flow->keys[arc->to] = key;
		flow->came[arc->to] = index;
		put(heap, (struct due_node){key, arc->to});
	}
}

/* The cheapest way for one unit more, and the flow with it. */
static bool
augment(struct flow *flow)
{
	unsigned from = leaving(flow, flow->ask->a), to = entry(flow, flow->ask->b);
	struct ways_key end;
	due_nodes heap = {0};

	for (size_t v = 0; v < flow->n_nodes; v++) {
		flow->keys[v] = WAYS_NEVER;
		flow->is_done[v] = false;
	}
	flow->keys[from] = (struct ways_key){0, 0, 0};
	put(&heap, (struct due_node){flow->keys[from], from});
	while (heap.n && !flow->is_done[to]) {
		struct due_node due = pull(&heap);

		if (!flow->is_done[due.node]) {
			flow->is_done[due.node] = true;
			expand(flow, due.node, &heap);
		}
	}
	vec_done(&heap);
	if (!flow->is_done[to])
		return false;
	end = flow->keys[to];
	for (size_t v = 0; v < flow->n_nodes; v++) {
		struct ways_key key = flow->keys[v];

		flow->potentials[v] =
		    ways_add(flow->potentials[v], ways_compare(key, end) < 0 ? key : end);
	}
	for (unsigned at = to; at != from; at = tail(flow, flow->came[at])) {
		flow->arcs[flow->came[at]].has_room = false;
		flow->arcs[flow->came[at] ^ 1].has_room = true;
	}
	return true;
}

/* The arc by which flow leaves a node: its way back has room. Even ones are arcs, odd ones ways
 * back. */
static unsigned
flowing(const struct flow *flow, unsigned at)
{
	size_t i = flow->first[at];

	while (flow->order[i] & 1 || !flow->arcs[flow->order[i] ^ 1].has_room)
		i++;
	return flow->order[i];
}

/* One unit from a to b is taken out of the flow and becomes a way. */
static void
follow(struct flow *flow, struct arena *arena, struct way *way)
{
	unsigned at = leaving(flow, flow->ask->a), to = entry(flow, flow->ask->b);

	way->n_edges = 0;
	way->edges =
	    arena_alloc(arena, (flow->ways->net.graph->n_vertices + 1) * sizeof(way->edges[0]));
	while (at != to) {
		unsigned index = flowing(flow, at);

		if (flow->arcs[index].edge != NO_EDGE)
			way->edges[way->n_edges++] = flow->arcs[index].edge;
		flow->arcs[index ^ 1].has_room = false;
		at = flow->arcs[index].to;
	}
	ways_measure(flow->ways, way);
}
