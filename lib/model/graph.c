/*
 * Constrained shortest path on the residual graph. Dijkstra runs from the far end, so that the walk
 * from the near end can take the lowest edge among equals: the answer does not depend on the order
 * in which the heap breaks ties. Called by sncd to embed and by tncd to find a path.
 */
#include "lib/model/graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/model/units.h"

enum { NOWHERE = -1 };

/* Latency, then number of edges. */
struct cost {
	int64_t latency_us;
	unsigned n_edges;
};

static const struct cost COST_NONE = {INT64_MAX, 0};

/* An edge as seen from one of its ends; the arcs of a vertex lie together. */
struct arc {
	unsigned edge;
	unsigned to;
	double room; /* how many times the demand fits, towards the demand's b */
};

struct search {
	const struct graph *graph;
	const struct graph_demand *demand;
	struct arc *arcs;
	size_t *first; /* of vertex v: first[v] … first[v + 1] - 1 */
	struct cost *costs;
	double room; /* arcs with less are left out */
	unsigned *heap;
	size_t *place; /* of a vertex in the heap, + 1; 0 = not in it */
	size_t n_heap;
};

static void search_init(struct search *search, struct arena *arena);
static bool search_run(struct search *search, double room);
static void search_walk(const struct search *search, struct arena *arena, struct graph_path *path);
static bool refuse(struct search *search, struct arena *arena, struct err *err);

long
graph_vertex(const struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_vertices; i++)
		if (strcmp(graph->vertices[i], name) == 0)
			return (long)i;
	return NOWHERE;
}

long
graph_edge(const struct graph *graph, const char *name)
{
	for (size_t i = 0; i < graph->n_edges; i++)
		if (strcmp(graph->edges[i].name, name) == 0)
			return (long)i;
	return NOWHERE;
}

bool
graph_find(const struct graph *graph, const struct graph_demand *demand, struct arena *arena,
    struct graph_path *path, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	struct search search = {.graph = graph, .demand = demand};

	search_init(&search, scratch);
	if (!search_run(&search, 1) ||
	    (demand->latency_max_us && search.costs[demand->a].latency_us > demand->latency_max_us))
		return refuse(&search, scratch, err);
	search_walk(&search, arena, path);
	return true;
}

void
graph_take(
    struct graph *graph, const struct graph_demand *demand, const struct graph_path *path, int sign)
{
	unsigned at = demand->a;

	for (size_t i = 0; i < path->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[path->edges[i]];
		bool is_forward = edge->a == at;

		edge->free_ab_bps -=
		    sign * (is_forward ? demand->rate_ab_bps : demand->rate_ba_bps);
		edge->free_ba_bps -=
		    sign * (is_forward ? demand->rate_ba_bps : demand->rate_ab_bps);
		at = is_forward ? edge->b : edge->a;
	}
}

struct graph *
graph_copy(const struct graph *graph, struct arena *arena)
{
	struct graph *copy = arena_new_of(arena, struct graph);

	*copy = *graph;
	copy->edges = arena_alloc(arena, graph->n_edges * sizeof(*copy->edges));
	if (graph->n_edges)
		memcpy(copy->edges, graph->edges, graph->n_edges * sizeof(*copy->edges));
	return copy;
}

struct graph *
graph_clone(const struct graph *graph, struct arena *arena)
{
	struct graph *clone = graph_copy(graph, arena);

	clone->vertices = arena_alloc(arena, graph->n_vertices * sizeof(clone->vertices[0]));
	clone->is_transit = arena_alloc(arena, graph->n_vertices * sizeof(clone->is_transit[0]));
	for (size_t i = 0; i < graph->n_vertices; i++) {
		clone->vertices[i] = arena_text(arena, graph->vertices[i]);
		clone->is_transit[i] = graph->is_transit[i];
	}
	for (size_t i = 0; i < graph->n_edges; i++)
		clone->edges[i].name = arena_text(arena, graph->edges[i].name);
	return clone;
}

/*
 * How many times the demand fits into free rates. Below 2^52 bit/s the quotient is at least 1
 * exactly when free is at least the rate.
 */
static double
room_of(const struct graph_demand *demand, int64_t free_ab_bps, int64_t free_ba_bps)
{
	double room = INFINITY;

	if (demand->rate_ab_bps > 0)
		room = (double)free_ab_bps / (double)demand->rate_ab_bps;
	if (demand->rate_ba_bps > 0)
		room = fmin(room, (double)free_ba_bps / (double)demand->rate_ba_bps);
	return room;
}

/*
 * The arcs of a vertex are the edges by which the search arrives there from b, that is by which a
 * path leaves it for b: `room` is that of the path's direction, from the vertex to arc->to.
 */
static void
search_init(struct search *search, struct arena *arena)
{
	const struct graph *graph = search->graph;
	size_t *next;

	search->first = arena_alloc(arena, (graph->n_vertices + 2) * sizeof(*search->first));
	search->arcs = arena_alloc(arena, 2 * graph->n_edges * sizeof(*search->arcs));
	search->costs = arena_alloc(arena, graph->n_vertices * sizeof(*search->costs));
	search->heap = arena_alloc(arena, graph->n_vertices * sizeof(*search->heap));
	search->place = arena_alloc(arena, graph->n_vertices * sizeof(*search->place));
	/* Counted two places up: once filled in, first[v] is where v starts. */
	for (size_t i = 0; i < graph->n_edges; i++) {
		search->first[graph->edges[i].a + 2]++;
		search->first[graph->edges[i].b + 2]++;
	}
	for (size_t v = 2; v < graph->n_vertices + 2; v++)
		search->first[v] += search->first[v - 1];
	next = search->first + 1;
	for (unsigned i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		search->arcs[next[edge->a]++] = (struct arc){
		    i, edge->b, room_of(search->demand, edge->free_ab_bps, edge->free_ba_bps)};
		search->arcs[next[edge->b]++] = (struct arc){
		    i, edge->a, room_of(search->demand, edge->free_ba_bps, edge->free_ab_bps)};
	}
}

static int
cost_compare(struct cost x, struct cost y)
{
	if (x.latency_us != y.latency_us)
		return x.latency_us < y.latency_us ? -1 : 1;
	return (x.n_edges > y.n_edges) - (x.n_edges < y.n_edges);
}

static struct cost
cost_add(struct cost cost, const struct graph_edge *edge)
{
	return (struct cost){cost.latency_us + edge->latency_us, cost.n_edges + 1};
}

static bool
heap_before(const struct search *search, size_t x, size_t y)
{
	return cost_compare(search->costs[search->heap[x]], search->costs[search->heap[y]]) < 0;
}

static void
heap_swap(struct search *search, size_t x, size_t y)
{
	unsigned vertex = search->heap[x];

	search->heap[x] = search->heap[y];
	search->heap[y] = vertex;
	search->place[search->heap[x]] = x + 1;
	search->place[search->heap[y]] = y + 1;
}

/* Puts a vertex in, or moves it up after its cost fell. */
static void
heap_put(struct search *search, unsigned vertex)
{
	size_t at;

	if (!search->place[vertex]) {
		search->heap[search->n_heap++] = vertex;
		search->place[vertex] = search->n_heap;
	}
	at = search->place[vertex] - 1;
	while (at && heap_before(search, at, (at - 1) / 2)) {
		heap_swap(search, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

static unsigned
heap_take(struct search *search)
{
	unsigned vertex = search->heap[0];
	size_t at = 0;

	heap_swap(search, 0, --search->n_heap);
	search->place[vertex] = 0;
	for (;;) {
		size_t least = at;

		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < search->n_heap && heap_before(search, child, least))
				least = child;
		if (least == at)
			return vertex;
		heap_swap(search, at, least);
		at = least;
	}
}

/* The room of the arc's edge in the direction of a path, that is against the search. */
static double
room_against(const struct search *search, const struct arc *arc)
{
	const struct graph_edge *edge = &search->graph->edges[arc->edge];

	if (edge->a == arc->to)
		return room_of(search->demand, edge->free_ab_bps, edge->free_ba_bps);
	return room_of(search->demand, edge->free_ba_bps, edge->free_ab_bps);
}

/* Costs of all vertices to b over edges with that much room; can a reach it? */
static bool
search_run(struct search *search, double room)
{
	const struct graph *graph = search->graph;
	unsigned from = search->demand->b;

	search->room = room;
	for (size_t v = 0; v < graph->n_vertices; v++)
		search->costs[v] = COST_NONE;
	search->costs[from] = (struct cost){0, 0};
	heap_put(search, from);
	while (search->n_heap) {
		unsigned at = heap_take(search);

		if (at != from && !graph->is_transit[at])
			continue;
		for (size_t i = search->first[at]; i < search->first[at + 1]; i++) {
			const struct arc *arc = &search->arcs[i];
			struct cost cost = cost_add(search->costs[at], &graph->edges[arc->edge]);

			if (room_against(search, arc) < room ||
			    cost_compare(cost, search->costs[arc->to]) >= 0)
				continue;
			search->costs[arc->to] = cost;
			heap_put(search, arc->to);
		}
	}
	return search->costs[search->demand->a].latency_us != INT64_MAX;
}

/* From a, always by the lowest edge on a best path. */
static void
search_walk(const struct search *search, struct arena *arena, struct graph_path *path)
{
	unsigned at = search->demand->a;
	size_t n = search->costs[at].n_edges;
	unsigned *edges = arena_alloc(arena, n * sizeof(*edges));

	path->latency_us = search->costs[at].latency_us;
	for (size_t k = 0; k < n; k++) {
		size_t i = search->first[at];

		/* The arcs of a vertex lie in the order of their edges. */
		for (;; i++) {
			const struct arc *arc = &search->arcs[i];
			struct cost rest = search->costs[arc->to];

			if (arc->room < search->room || rest.latency_us == INT64_MAX ||
			    (arc->to != search->demand->b && !search->graph->is_transit[arc->to]))
				continue;
			if (cost_compare(cost_add(rest, &search->graph->edges[arc->edge]),
				search->costs[at]) == 0)
				break;
		}
		edges[k] = search->arcs[i].edge;
		at = search->arcs[i].to;
	}
	path->edges = edges;
	path->n_edges = n;
}

static int
compare_rooms(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* Is there a path with that room, within the latency bound? */
static bool
is_within(struct search *search, double room)
{
	const struct graph_demand *demand = search->demand;

	return search_run(search, room) &&
	       (!demand->latency_max_us ||
		   search->costs[demand->a].latency_us <= demand->latency_max_us);
}

/* How many times the demand could be had within the latency bound; negative = no path at all. */
static double
widest(struct search *search, struct arena *arena)
{
	size_t n = 2 * search->graph->n_edges, low = 0, high = n;
	double *rooms = arena_alloc(arena, n * sizeof(*rooms));

	for (size_t i = 0; i < n; i++)
		rooms[i] = search->arcs[i].room;
	qsort(rooms, n, sizeof(*rooms), compare_rooms);
	while (low < high) { /* all below low are feasible, none from high on */
		size_t middle = low + (high - low) / 2;

		if (is_within(search, rooms[middle]))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? fmax(rooms[low - 1], 0) : -1;
}

static void
add_rates(struct str *out, const struct graph_demand *demand, double factor)
{
	int64_t ab = (int64_t)((double)demand->rate_ab_bps * factor);
	int64_t ba = (int64_t)((double)demand->rate_ba_bps * factor);

	str_add(out, rate_text(ab).text);
	if (ab != ba)
		str_addf(out, " (%s back)", rate_text(ba).text);
}

static bool
refuse(struct search *search, struct arena *arena, struct err *err)
{
	const struct graph_demand *demand = search->demand;
	const char *a = search->graph->vertices[demand->a];
	const char *b = search->graph->vertices[demand->b];
	auto_str struct str text = {0};
	int64_t least_us;
	double most;
	bool has_rate;

	if (!search_run(search, -INFINITY))
		return err_set(err, ERR_R03, "'%s' and '%s' are not connected", a, b);
	least_us = search->costs[demand->a].latency_us;
	has_rate = search_run(search, 1);
	if (has_rate)
		least_us = search->costs[demand->a].latency_us;
	most = widest(search, arena);
	str_addf(&text, "between '%s' and '%s' ", a, b);
	add_rates(&text, demand, 1);
	if (demand->latency_max_us)
		str_addf(&text, " within %s", time_text(demand->latency_max_us).text);
	str_add(&text, " wanted, the best offer is ");
	if (most >= 0)
		add_rates(&text, demand, fmin(most, 1));
	if (has_rate || most < 0)
		str_addf(
		    &text, "%s%s", most >= 0 ? " within that, or " : "", time_text(least_us).text);
	return err_set(err, ERR_R03, "%s", text.text);
}
