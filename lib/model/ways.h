/*
 * Ways through the transport network: the best one, the k best, the best two that do not fail
 * together. Plain data, no I/O. What stands still is indexed once and serves many questions; what
 * is free is read from the graph at each. (sncd's embedding asks one short question of a graph that
 * changes with every answer: graph_find.)
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/model/graph.h"

/* Which way is the best; among equals the quicker, the cheaper, the one with fewer edges, the one
 * with the lower edge where they part. */
enum ways_metric {
	WAYS_DELAY, /* least latency */
	WAYS_COST,  /* least cost */
	WAYS_LOAD,  /* least load: see ways_load */
	WAYS_WIDEST /* most free on its fullest edge, the less free of the two directions */
};

/* What two ways must not have in common, each with what stands above it. Their ends are theirs. */
enum ways_apart {
	WAYS_LINK, /* an edge */
	WAYS_NODE, /* a vertex */
	WAYS_RISK  /* a risk group of an edge or vertex */
};

/* Of thing i: items[first[i]] … items[first[i + 1] - 1]. Both NULL = none of any. */
struct ways_groups {
	const unsigned *first, *items;
};

/* Borrowed for as long as the ways are there; free rates may change between two questions. */
struct ways_net {
	const struct graph *graph;
	const int64_t *costs; /* of each edge, 0 and more; NULL = 1 each */
	unsigned n_risks;
	struct ways_groups edge_risks, vertex_risks;
};

struct ways_question {
	unsigned a, b; /* two vertices */
	int64_t rate_ab_bps, rate_ba_bps;
	int64_t latency_max_us; /* of each way; 0 = no bound */
	unsigned hops_max;      /* edges of each way; 0 = no bound */
	enum ways_metric metric;
	const bool *is_shut; /* edges that no way may take, whatever is free there; NULL = none */
};

struct way {
	unsigned *edges; /* in order from a to b */
	size_t n_edges;
	int64_t latency_us, cost;
	int64_t width_bps; /* free on its fullest edge, the less free of the two directions */
};

struct ways_answer {
	struct way *ways; /* the best first; in arena */
	size_t n_ways;
	/* It is proven that there is none better (and when there are none, that there are none).
	 * Only a question that is hard in the strict sense - a cost or width under a bound of
	 * latency or edges, two ways under such bounds or apart in risks - can be given up before
	 * that. */
	bool is_proven;
};

struct ways;

/* Holds working memory too: one thread at a time. */
void ways_free(struct ways *ways);
struct ways *ways_new(const struct ways_net *net) malloc_by(ways_free) must_check;

/*
 * The cost of an edge, larger the fuller it is: 1024 times its cost when all is free, doubled with
 * each fifth of its capacity that is taken. Ways of least load leave the most room to others.
 */
int64_t ways_load(const struct ways_net *net, unsigned edge);

/* The k best ways, without loops; fewer when there are no more. Deterministic. */
struct ways_answer ways_best(
    struct ways *ways, const struct ways_question *question, size_t k, struct arena *arena);

/*
 * Two ways of least latency or cost in sum, or of most width of the narrower one, that have nothing
 * of `apart` in common. None or both. Deterministic.
 */
struct ways_answer ways_pair(struct ways *ways, const struct ways_question *question,
    enum ways_apart apart, struct arena *arena);

static inline void
ways_cleanup(struct ways **ways)
{
	ways_free(*ways);
}

#define auto_ways __attribute__((cleanup(ways_cleanup)))
