/*
 * What the parts of ways share: the index of arcs, one search and what it may use.
 *
 *     ways.c         the index, the search backwards from b, the best way
 *     ways_limit.c   the best way under bounds that the search alone does not keep
 *     ways_best.c    the k best (Yen, with Lawler's economy)
 *     ways_pair.c    two ways: Suurballe's, as a flow of two units
 *     ways_apart.c   two ways where a flow cannot say what is asked: branch and bound
 */
#pragma once

#include "lib/model/ways.h"

/* What is minimised, word by word. */
struct ways_key {
	int64_t first, second, hops;
};

#define WAYS_NEVER ((struct ways_key){INT64_MAX, 0, 0})

enum {
	WAYS_HOPS = WAYS_WIDEST + 1, /* a metric of our own: fewest edges */
	WAYS_EFFORT = 20 * 1000 * 1000
};

struct ways_arc {
	unsigned edge, to;
};

struct ways {
	struct ways_net net;
	struct arena *arena;
	size_t *first;         /* of vertex v: arcs[first[v]] … */
	struct ways_arc *arcs; /* in the order of their edges */
	/* Of risk r: the edges and vertices that have it. */
	struct ways_groups risk_edges, risk_vertices;
	struct ways_key *keys; /* from each vertex to b, as far as the last search came */
	unsigned *heap;
	size_t *place; /* of a vertex in the heap, + 1; 0 = not in it */
	size_t n_heap;
	unsigned *edge_bans, *vertex_bans; /* banned = equal to ban */
	unsigned ban;
	size_t effort; /* comparisons that the question may still cost where it is hard */
};

/* A question on its way: of a part of a way, or with a width. */
struct ways_ask {
	unsigned a, b;
	int64_t rate_ab_bps, rate_ba_bps;
	int64_t latency_left_us, hops_left; /* INT64_MAX = no bound */
	int64_t width_bps;                  /* edges with less are left out */
	int64_t width_cap_bps;              /* more than that is worth nothing */
	int metric;                         /* enum ways_metric or WAYS_HOPS */
	const bool *is_shut;
};

enum ways_found { WAYS_NONE, WAYS_FOUND, WAYS_GIVEN_UP };

struct ways_ask ways_ask_of(const struct ways_question *question);

/* ---- bans: what the searches leave out until the next clear ---- */
void ways_ban_clear(struct ways *ways);

static inline void
ways_ban_edge(struct ways *ways, unsigned edge)
{
	ways->edge_bans[edge] = ways->ban;
}

static inline void
ways_ban_vertex(struct ways *ways, unsigned vertex)
{
	ways->vertex_bans[vertex] = ways->ban;
}

void ways_ban_risk(struct ways *ways, unsigned risk);

/* ---- searches ---- */

/* Keys of the vertices to b by the metric; of all when is_whole, else until a's is known. Can a
 * reach b? */
bool ways_search(struct ways *ways, const struct ways_ask *ask, bool is_whole);

/* The best way with nothing banned on it, in arena. WAYS_GIVEN_UP: there may be one, or a better
 * one; *way is within the bounds, or has no edges. */
enum ways_found ways_one(
    struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way);

/* The same when the way of least key is known to be out of bounds. */
enum ways_found ways_one_limited(
    struct ways *ways, const struct ways_ask *ask, struct arena *arena, struct way *way);

/* Two ways of least sum without regard to bounds; false when there are none. */
bool ways_flow(struct ways *ways, const struct ways_ask *ask, enum ways_apart apart,
    struct arena *arena, struct way pair[2]);

/* Two ways within all that is asked, by branch and bound. */
enum ways_found ways_branch(struct ways *ways, const struct ways_ask *ask, enum ways_apart apart,
    struct arena *arena, struct way pair[2]);

/* What two ways have in common, as a number of edge, n_edges + vertex, or n_edges + n_vertices +
 * risk; -1 = nothing. */
long ways_common(
    struct ways *ways, const struct ways_ask *ask, enum ways_apart apart, const struct way pair[2]);

/* ---- arithmetic ---- */

static inline int64_t
ways_cost(const struct ways *ways, unsigned edge)
{
	return ways->net.costs ? ways->net.costs[edge] : 1;
}

static inline int
ways_compare(struct ways_key x, struct ways_key y)
{
	if (x.first != y.first)
		return x.first < y.first ? -1 : 1;
	if (x.second != y.second)
		return x.second < y.second ? -1 : 1;
	return (x.hops > y.hops) - (x.hops < y.hops);
}

static inline struct ways_key
ways_add(struct ways_key x, struct ways_key y)
{
	return (struct ways_key){x.first + y.first, x.second + y.second, x.hops + y.hops};
}

static inline int64_t
ways_edge_width(const struct graph_edge *edge)
{
	return edge->free_ab_bps < edge->free_ba_bps ? edge->free_ab_bps : edge->free_ba_bps;
}

static inline struct ways_key
ways_edge_key(const struct ways *ways, int metric, unsigned edge)
{
	int64_t latency_us = ways->net.graph->edges[edge].latency_us, cost = ways_cost(ways, edge);

	if (metric == WAYS_LOAD)
		return (struct ways_key){ways_load(&ways->net, edge), latency_us, 1};
	if (metric == WAYS_COST)
		return (struct ways_key){cost, latency_us, 1};
	if (metric == WAYS_HOPS)
		return (struct ways_key){1, 0, 1};
	return (struct ways_key){latency_us, cost, 1};
}

static inline bool
ways_is_within(const struct ways_ask *ask, const struct way *way)
{
	return way->latency_us <= ask->latency_left_us && (int64_t)way->n_edges <= ask->hops_left;
}

/* The key of a whole way under a metric that adds up. */
struct ways_key ways_key_of(const struct ways *ways, int metric, const struct way *way);

/* May a way take the arc from its tail `from` to arc->to? */
bool ways_is_open(
    const struct ways *ways, const struct ways_ask *ask, const struct ways_arc *arc, unsigned from);

/* Latency, cost and width of the edges that it has. */
void ways_measure(const struct ways *ways, struct way *way);

/* The largest width for which try says yes, with that answer as the last one it was asked for;
 * -1 = none. */
int64_t ways_widest(struct ways *ways, const struct ways_ask *ask,
    bool (*try)(void *self, int64_t width_bps), void *self);
