/*
 * The best way under bounds of latency and edges that its own metric does not keep: labels of key,
 * latency and edges, the one with the least possible key in all first, those dropped that another
 * at the same vertex beats in everything. Exact; the number of labels is bounded, and of
 * comparisons by all searches of one question, as the problem is NP-hard.
 */
#include <stdlib.h>

#include "lib/base/vec.h"
#include "lib/model/ways_part.h"

enum { LABELS_MAX = 200000, NO_LABEL = -1 };

struct label {
	struct ways_key key, whole; /* so far; at the least, once it arrives at b */
	int64_t latency_us;
	unsigned vertex, edge;
	long from, next; /* label before it; another at the vertex */
};

/* What is left from each vertex to b at the least. */
struct rest {
	struct ways_key key;
	int64_t latency_us, hops;
};

struct limited {
	struct ways *ways;
	const struct ways_ask *ask;
	struct rest *rests;
	long *at; /* of each vertex its labels */
	vec_of(struct label) labels;
	vec_of(long) heap;
};

static void read_rests(struct limited *limited);
static void offer(struct limited *limited, const struct label *label);
static long take_best(struct limited *limited);
static void expand(struct limited *limited, long at);
static void walk_back(
    const struct limited *limited, long last, struct arena *arena, struct way *way);

/* What is within the bounds all the same, though none says that it is the best. */
static enum ways_found
fall_back(struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way)
{
	struct ways_ask quick = *ask;

	way->n_edges = 0;
	if (ask->metric == WAYS_DELAY)
		return WAYS_GIVEN_UP;
	quick.metric = WAYS_DELAY;
	if (ways_one(ways, &quick, arena, way) == WAYS_NONE)
		way->n_edges = 0;
	return WAYS_GIVEN_UP;
}

enum ways_found
ways_one_limited(
    struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way)
{
	auto_arena struct arena *scratch = arena_new();
	size_t n = ways->net.graph->n_vertices;
	struct limited limited = {.ways = ways,
	    .ask = ask,
	    .rests = arena_alloc(scratch, n * sizeof(limited.rests[0])),
	    .at = arena_alloc(scratch, n * sizeof(limited.at[0]))};
	enum ways_found found = WAYS_NONE;

	way->n_edges = 0;
	for (size_t v = 0; v < n; v++)
		limited.at[v] = NO_LABEL;
	read_rests(&limited);
	offer(&limited, &(struct label){.vertex = ask->a, .from = NO_LABEL});
	while (limited.heap.n && found == WAYS_NONE) {
		long best = take_best(&limited);

		if (limited.labels.items[best].vertex == ask->b) {
			walk_back(&limited, best, arena, way);
			found = WAYS_FOUND;
		} else if (limited.labels.n > LABELS_MAX || !ways->effort) {
			found = WAYS_GIVEN_UP;
		} else {
			expand(&limited, best);
		}
	}
	vec_done(&limited.labels);
	vec_done(&limited.heap);
	return found == WAYS_GIVEN_UP ? fall_back(ways, ask, arena, way) : found;
}

static void
read_rests(struct limited *limited)
{
	struct ways *ways = limited->ways;
	struct ways_ask ask = *limited->ask;
	size_t n = ways->net.graph->n_vertices;

	ways_search(ways, &ask, true);
	for (size_t v = 0; v < n; v++)
		limited->rests[v].key = ways->keys[v];
	ask.metric = WAYS_DELAY;
	ways_search(ways, &ask, true);
	for (size_t v = 0; v < n; v++)
		limited->rests[v].latency_us = ways->keys[v].first;
	ask.metric = WAYS_HOPS;
	ways_search(ways, &ask, true);
	for (size_t v = 0; v < n; v++)
		limited->rests[v].hops = ways->keys[v].first;
}

static bool
is_beaten(const struct limited *limited, const struct label *label)
{
	const struct label *items = limited->labels.items;

	for (long i = limited->at[label->vertex]; items && i != NO_LABEL; i = items[i].next) {
		limited->ways->effort -= limited->ways->effort > 0;
		if (ways_compare(items[i].key, label->key) <= 0 &&
		    items[i].latency_us <= label->latency_us &&
		    items[i].key.hops <= label->key.hops)
			return true;
	}
	return false;
}

static bool
heap_before(const struct limited *limited, long x, long y)
{
	int order = ways_compare(limited->labels.items[x].whole, limited->labels.items[y].whole);

	return order ? order < 0 : x < y;
}

/* Keeps a label that may still arrive within the bounds and is not beaten. */
static void
offer(struct limited *limited, const struct label *label)
{
	const struct rest *rest = &limited->rests[label->vertex];
	size_t at = limited->heap.n;
	struct label *added;
	long index = (long)limited->labels.n;

	if (rest->latency_us == INT64_MAX ||
	    label->latency_us + rest->latency_us > limited->ask->latency_left_us ||
	    label->key.hops + rest->hops > limited->ask->hops_left || is_beaten(limited, label))
		return;
	added = vec_add(&limited->labels);
	*added = *label;
	added->whole = ways_add(label->key, rest->key);
	added->next = limited->at[label->vertex];
	limited->at[label->vertex] = index;
	vec_push(&limited->heap, index);
	while (at && heap_before(limited, index, limited->heap.items[(at - 1) / 2])) {
		limited->heap.items[at] = limited->heap.items[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	limited->heap.items[at] = index;
}

static long
take_best(struct limited *limited)
{
	long *heap = limited->heap.items, best = heap[0], last = heap[--limited->heap.n];
	size_t n = limited->heap.n, at = 0, child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && heap_before(limited, heap[child + 1], heap[child]))
			child++;
		if (!heap_before(limited, heap[child], last))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
	return best;
}

static void
expand(struct limited *limited, long at)
{
	struct ways *ways = limited->ways;
	const struct label from = limited->labels.items[at];

	if (from.vertex != limited->ask->a && !ways->net.graph->is_transit[from.vertex])
		return;
	for (size_t i = ways->first[from.vertex]; i < ways->first[from.vertex + 1]; i++) {
		const struct ways_arc *arc = &ways->arcs[i];
		const struct graph_edge *edge = &ways->net.graph->edges[arc->edge];
		struct label next = {
		    .key = ways_add(from.key, ways_edge_key(ways, limited->ask->metric, arc->edge)),
		    .latency_us = from.latency_us + edge->latency_us,
		    .vertex = arc->to,
		    .edge = arc->edge,
		    .from = at};

		if (ways->vertex_bans[arc->to] != ways->ban &&
		    ways_is_open(ways, limited->ask, arc, from.vertex))
			offer(limited, &next);
	}
}

static void
walk_back(const struct limited *limited, long last, struct arena *arena, struct way *way)
{
	const struct label *label = &limited->labels.items[last];
	size_t n = (size_t)label->key.hops;

	way->edges = arena_alloc(arena, n * sizeof(way->edges[0]));
	way->n_edges = n;
	for (; label->from != NO_LABEL; label = &limited->labels.items[label->from])
		way->edges[--n] = label->edge;
	ways_measure(limited->ways, way);
}
