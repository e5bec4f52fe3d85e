/*
 * The index of arcs and one search on it: Dijkstra from the far end, so that the walk from the near
 * end can take the lowest edge among equals and the answer does not depend on the heap.
 */
#include "lib/model/ways.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/model/ways_part.h"

static void index_arcs(struct ways *ways);
static struct ways_groups turn_groups(
    const struct ways *ways, struct ways_groups groups, size_t n_things);
static bool walk(
    struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way);
static enum ways_found one_widest(
    struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way);

void
ways_free(struct ways *ways)
{
	if (ways)
		arena_free(ways->arena);
}

struct ways *
ways_new(const struct ways_net *net)
{
	struct arena *arena = arena_new();
	struct ways *ways = arena_new_of(arena, struct ways);
	size_t n = net->graph->n_vertices;

	ways->arena = arena;
	ways->net = *net;
	ways->keys = arena_alloc(arena, n * sizeof(ways->keys[0]));
	ways->heap = arena_alloc(arena, n * sizeof(ways->heap[0]));
	ways->place = arena_alloc(arena, n * sizeof(ways->place[0]));
	ways->vertex_bans = arena_alloc(arena, n * sizeof(ways->vertex_bans[0]));
	ways->edge_bans = arena_alloc(arena, net->graph->n_edges * sizeof(ways->edge_bans[0]));
	ways->ban = 1;
	index_arcs(ways);
	ways->risk_edges = turn_groups(ways, net->edge_risks, net->graph->n_edges);
	ways->risk_vertices = turn_groups(ways, net->vertex_risks, n);
	return ways;
}

static void
index_arcs(struct ways *ways)
{
	const struct graph *graph = ways->net.graph;
	size_t *next;

	ways->first = arena_alloc(ways->arena, (graph->n_vertices + 2) * sizeof(ways->first[0]));
	ways->arcs = arena_alloc(ways->arena, 2 * graph->n_edges * sizeof(ways->arcs[0]));
	/* Counted two places up: once filled in, first[v] is where v starts. */
	for (size_t i = 0; i < graph->n_edges; i++) {
		ways->first[graph->edges[i].a + 2]++;
		ways->first[graph->edges[i].b + 2]++;
	}
	for (size_t v = 2; v < graph->n_vertices + 2; v++)
		ways->first[v] += ways->first[v - 1];
	next = ways->first + 1;
	for (unsigned i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		ways->arcs[next[edge->a]++] = (struct ways_arc){i, edge->b};
		ways->arcs[next[edge->b]++] = (struct ways_arc){i, edge->a};
	}
}

/* Groups of things become things of groups. */
static struct ways_groups
turn_groups(const struct ways *ways, struct ways_groups groups, size_t n_things)
{
	size_t n_items = groups.first ? groups.first[n_things] : 0;
	unsigned *first = arena_alloc(ways->arena, (ways->net.n_risks + 2) * sizeof(first[0]));
	unsigned *items = arena_alloc(ways->arena, n_items * sizeof(items[0])), *next = first + 1;

	for (size_t i = 0; i < n_items; i++)
		first[groups.items[i] + 2]++;
	for (size_t r = 2; r < ways->net.n_risks + 2; r++)
		first[r] += first[r - 1];
	for (unsigned i = 0; groups.first && i < n_things; i++)
		for (unsigned k = groups.first[i]; k < groups.first[i + 1]; k++)
			items[next[groups.items[k]]++] = i;
	return (struct ways_groups){first, items};
}

struct ways_ask
ways_ask_of(const struct ways_question *question)
{
	return (struct ways_ask){.a = question->a,
	    .b = question->b,
	    .rate_ab_bps = question->rate_ab_bps,
	    .rate_ba_bps = question->rate_ba_bps,
	    .latency_left_us = question->latency_max_us ? question->latency_max_us : INT64_MAX,
	    .hops_left = question->hops_max ? (int64_t)question->hops_max : INT64_MAX,
	    .width_cap_bps = INT64_MAX,
	    .metric = (int)question->metric,
	    .is_shut = question->is_shut};
}

void
ways_ban_clear(struct ways *ways)
{
	const struct graph *graph = ways->net.graph;

	if (++ways->ban)
		return;
	memset(ways->edge_bans, 0, graph->n_edges * sizeof(ways->edge_bans[0]));
	memset(ways->vertex_bans, 0, graph->n_vertices * sizeof(ways->vertex_bans[0]));
	ways->ban = 1;
}

void
ways_ban_risk(struct ways *ways, unsigned risk)
{
	const struct ways_groups *edges = &ways->risk_edges, *vertices = &ways->risk_vertices;

	for (unsigned i = edges->first[risk]; i < edges->first[risk + 1]; i++)
		ways_ban_edge(ways, edges->items[i]);
	for (unsigned i = vertices->first[risk]; i < vertices->first[risk + 1]; i++)
		ways_ban_vertex(ways, vertices->items[i]);
}

bool
ways_is_open(
    const struct ways *ways, const struct ways_ask *ask, const struct ways_arc *arc, unsigned from)
{
	const struct graph_edge *edge = &ways->net.graph->edges[arc->edge];
	bool is_forward = edge->a == from;
	int64_t there_bps = is_forward ? edge->free_ab_bps : edge->free_ba_bps;
	int64_t back_bps = is_forward ? edge->free_ba_bps : edge->free_ab_bps;

	return there_bps >= ask->rate_ab_bps && back_bps >= ask->rate_ba_bps &&
	       there_bps >= ask->width_bps && back_bps >= ask->width_bps &&
	       ways->edge_bans[arc->edge] != ways->ban &&
	       !(ask->is_shut && ask->is_shut[arc->edge]);
}

void
ways_measure(const struct ways *ways, struct way *way)
{
	way->latency_us = way->cost = 0;
	way->width_bps = INT64_MAX;
	for (size_t i = 0; i < way->n_edges; i++) {
		const struct graph_edge *edge = &ways->net.graph->edges[way->edges[i]];

		way->latency_us += edge->latency_us;
		way->cost += ways_cost(ways, way->edges[i]);
		if (ways_edge_width(edge) < way->width_bps)
			way->width_bps = ways_edge_width(edge);
	}
}

int64_t
ways_load(const struct ways_net *net, unsigned edge)
{
	const struct graph_edge *of = &net->graph->edges[edge];
	int64_t cost = net->costs ? net->costs[edge] : 1;
	int64_t fifth_bps = of->capacity_bps / 5 + 1, taken_bps;

	taken_bps = of->capacity_bps - ways_edge_width(of);
	if (taken_bps <= 0)
		return 1024 * cost;
	/* Straight between two powers of two. */
	return cost * (1024 + taken_bps % fifth_bps * 1024 / fifth_bps) << taken_bps / fifth_bps;
}

struct ways_key
ways_key_of(const struct ways *ways, int metric, const struct way *way)
{
	struct ways_key key = {0, 0, 0};

	for (size_t i = 0; i < way->n_edges; i++)
		key = ways_add(key, ways_edge_key(ways, metric, way->edges[i]));
	return key;
}

/* ---- the search ------------------------------------------------------------------------------ */

static bool
heap_before(const struct ways *ways, unsigned x, unsigned y)
{
	return ways_compare(ways->keys[x], ways->keys[y]) < 0;
}

static void
heap_set(struct ways *ways, size_t at, unsigned vertex)
{
	ways->heap[at] = vertex;
	ways->place[vertex] = at + 1;
}

/* Puts a vertex in, or moves it up after its key fell. */
static void
heap_put(struct ways *ways, unsigned vertex)
{
	size_t at = ways->place[vertex] ? ways->place[vertex] - 1 : ways->n_heap++;

	while (at && heap_before(ways, vertex, ways->heap[(at - 1) / 2])) {
		heap_set(ways, at, ways->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(ways, at, vertex);
}

static unsigned
heap_take(struct ways *ways)
{
	unsigned vertex = ways->heap[0], last = ways->heap[--ways->n_heap];
	size_t at = 0, child;

	ways->place[vertex] = 0;
	if (!ways->n_heap)
		return vertex;
	while ((child = 2 * at + 1) < ways->n_heap) {
		if (child + 1 < ways->n_heap &&
		    heap_before(ways, ways->heap[child + 1], ways->heap[child]))
			child++;
		if (!heap_before(ways, ways->heap[child], last))
			break;
		heap_set(ways, at, ways->heap[child]);
		at = child;
	}
	heap_set(ways, at, last);
	return vertex;
}

/* The key behind an edge: a sum, or of the widest the lesser width. */
static struct ways_key
extend(const struct ways *ways, const struct ways_ask *ask, struct ways_key key, unsigned edge)
{
	int64_t width_bps;

	if (ask->metric != WAYS_WIDEST)
		return ways_add(key, ways_edge_key(ways, ask->metric, edge));
	width_bps = ways_edge_width(&ways->net.graph->edges[edge]);
	if (width_bps > ask->width_cap_bps)
		width_bps = ask->width_cap_bps;
	return (struct ways_key){-width_bps > key.first ? -width_bps : key.first, 0, 0};
}

bool
ways_search(struct ways *ways, const struct ways_ask *ask, bool is_whole)
{
	const struct graph *graph = ways->net.graph;

	for (size_t v = 0; v < graph->n_vertices; v++) {
		ways->keys[v] = WAYS_NEVER;
		ways->place[v] = 0;
	}
	ways->n_heap = 0;
	ways->keys[ask->b] =
	    (struct ways_key){ask->metric == WAYS_WIDEST ? -ask->width_cap_bps : 0, 0, 0};
	heap_put(ways, ask->b);
	while (ways->n_heap) {
		unsigned at = heap_take(ways);

		if (at == ask->a && !is_whole)
			break;
		if (at != ask->b && !graph->is_transit[at])
			continue;
		for (size_t i = ways->first[at]; i < ways->first[at + 1]; i++) {
			const struct ways_arc *arc = &ways->arcs[i];
			struct ways_key key = extend(ways, ask, ways->keys[at], arc->edge);

			if (ways_compare(key, ways->keys[arc->to]) >= 0 ||
			    ways->vertex_bans[arc->to] == ways->ban ||
			    !ways_is_open(ways, ask, arc, arc->to))
				continue;
			ways->keys[arc->to] = key;
			heap_put(ways, arc->to);
		}
	}
	return ways_compare(ways->keys[ask->a], WAYS_NEVER) != 0;
}

/* From a, always by the lowest edge on a best way. Keys are sums. */
static bool
walk(struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way)
{
	unsigned at = ask->a;

	way->n_edges = 0;
	way->edges = arena_alloc(arena, (size_t)ways->keys[at].hops * sizeof(way->edges[0]));
	while (at != ask->b) {
		size_t i = ways->first[at];

		for (; i < ways->first[at + 1]; i++) {
			const struct ways_arc *arc = &ways->arcs[i];
			struct ways_key rest = ways->keys[arc->to];

			if (rest.first != INT64_MAX && ways_is_open(ways, ask, arc, at) &&
			    (arc->to == ask->b || ways->net.graph->is_transit[arc->to]) &&
			    ways_compare(extend(ways, ask, rest, arc->edge), ways->keys[at]) == 0)
				break;
		}
		way->edges[way->n_edges++] = ways->arcs[i].edge;
		at = ways->arcs[i].to;
	}
	ways_measure(ways, way);
	return true;
}

enum ways_found
ways_one(struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way)
{
	if (ask->metric == WAYS_WIDEST)
		return one_widest(ways, ask, arena, way);
	if (!ways_search(ways, ask, false))
		return WAYS_NONE;
	walk(ways, ask, arena, way);
	if (ways_is_within(ask, way))
		return WAYS_FOUND;
	if (ask->metric == WAYS_DELAY && way->latency_us > ask->latency_left_us)
		return WAYS_NONE;
	return ways_one_limited(ways, ask, arena, way);
}

/* ---- the widest ------------------------------------------------------------------------------ */

static int
compare_widths(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

int64_t
ways_widest(struct ways *ways, const struct ways_ask *ask,
    bool (*try)(void *self, int64_t width_bps), void *self)
{
	const struct graph *graph = ways->net.graph;
	auto_free int64_t *widths = xcalloc(graph->n_edges + 1, sizeof(widths[0]));
	size_t n = 0, low = 0, high;
	bool is_last = false;

	for (size_t i = 0; i < graph->n_edges; i++) {
		int64_t width_bps = ways_edge_width(&graph->edges[i]);

		if (width_bps >= ask->width_bps)
			widths[n++] =
			    width_bps < ask->width_cap_bps ? width_bps : ask->width_cap_bps;
	}
	qsort(widths, n, sizeof(widths[0]), compare_widths);
	high = n;
	while (low < high) { /* all below low are possible, none from high on */
		size_t middle = low + (high - low) / 2;

		is_last = try(self, widths[middle]);
		if (is_last)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return -1;
	return is_last || try(self, widths[low - 1]) ? widths[low - 1] : -1;
}

struct attempt {
	struct ways *ways;
	struct ways_ask ask;
	struct arena *arena;
	struct way *way;
	bool is_given_up;
};

static bool
try_width(void *self, int64_t width_bps)
{
	struct attempt *attempt = self;
	enum ways_found found;

	attempt->ask.width_bps = width_bps;
	found = ways_one(attempt->ways, &attempt->ask, attempt->arena, attempt->way);
	attempt->is_given_up |= found == WAYS_GIVEN_UP;
	return found == WAYS_FOUND || (found == WAYS_GIVEN_UP && attempt->way->n_edges);
}

/* The greatest width first, then the quickest way that has it; if that is out of bounds, as wide as
 * they allow. */
static enum ways_found
one_widest(struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way)
{
	struct attempt attempt = {ways, *ask, arena, way, false};

	if (!ways_search(ways, ask, false))
		return WAYS_NONE;
	attempt.ask.metric = WAYS_DELAY;
	if (try_width(&attempt, -ways->keys[ask->a].first) ||
	    ways_widest(ways, ask, try_width, &attempt) >= 0)
		return attempt.is_given_up ? WAYS_GIVEN_UP : WAYS_FOUND;
	way->n_edges = 0;
	return attempt.is_given_up ? WAYS_GIVEN_UP : WAYS_NONE;
}
