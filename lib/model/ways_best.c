/*
 * The k best ways without loops: Yen's algorithm. Each way but the best one leaves one that is
 * better at some vertex; from there it is the best way that is not among those known. By Lawler, no
 * way is left before the vertex where it left its own parent: that has been done.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/model/ways_part.h"

struct candidate {
	struct way way;
	struct ways_key key; /* sum of the quick or the cheap */
	int64_t width_bps;   /* of the widest only; larger is better */
	size_t leaves_at;    /* edges that it has from its parent */
	bool is_taken;
};

struct yen {
	struct ways *ways;
	const struct ways_ask *ask;
	struct arena *arena;
	vec_of(struct candidate) candidates;
	vec_of(size_t) taken; /* in their order */
	bool is_given_up;
};

static void leave(struct yen *yen, const struct candidate *from);
static long choose(const struct yen *yen);
static void add(struct yen *yen, const struct way *way, size_t leaves_at);

struct ways_answer
ways_best(struct ways *ways, const struct ways_question *question, size_t k, struct arena *arena)
{
	struct ways_ask ask = ways_ask_of(question);
	struct yen yen = {.ways = ways, .ask = &ask, .arena = arena};
	struct ways_answer answer = {0};
	struct way way = {0};
	enum ways_found found;

	ways->effort = WAYS_EFFORT;
	ways_ban_clear(ways);
	found = ways_one(ways, &ask, arena, &way);
	yen.is_given_up = found == WAYS_GIVEN_UP;
	if (way.n_edges && found != WAYS_NONE)
		add(&yen, &way, 0);
	while (yen.taken.n < k) {
		long next = choose(&yen);

		if (next < 0)
			break;
		yen.candidates.items[next].is_taken = true;
		vec_push(&yen.taken, (size_t)next);
		if (yen.taken.n < k) {
			struct candidate from = yen.candidates.items[next];

			leave(&yen, &from);
		}
	}
	answer.n_ways = yen.taken.n;
	answer.is_proven = !yen.is_given_up;
	answer.ways = arena_alloc(arena, answer.n_ways * sizeof(answer.ways[0]));
	for (size_t i = 0; i < answer.n_ways; i++)
		answer.ways[i] = yen.candidates.items[yen.taken.items[i]].way;
	vec_done(&yen.candidates);
	vec_done(&yen.taken);
	return answer;
}

static void
add(struct yen *yen, const struct way *way, size_t leaves_at)
{
	bool is_widest = yen->ask->metric == WAYS_WIDEST;

	vec_push(&yen->candidates,
	    ((struct candidate){.way = *way,
		.key = ways_key_of(yen->ways, is_widest ? WAYS_DELAY : yen->ask->metric, way),
		.width_bps = is_widest ? way->width_bps : 0,
		.leaves_at = leaves_at}));
}

static bool
is_better(const struct candidate *x, const struct candidate *y)
{
	int order = ways_compare(x->key, y->key);

	if (x->width_bps != y->width_bps)
		return x->width_bps > y->width_bps;
	for (size_t i = 0; !order && i < x->way.n_edges && i < y->way.n_edges; i++)
		order = (x->way.edges[i] > y->way.edges[i]) - (x->way.edges[i] < y->way.edges[i]);
	return order < 0;
}

static long
choose(const struct yen *yen)
{
	const struct candidate *items = yen->candidates.items;
	long best = -1;

	for (size_t i = 0; i < yen->candidates.n; i++)
		if (!items[i].is_taken && (best < 0 || is_better(&items[i], &items[best])))
			best = (long)i;
	return best;
}

/* The edges by which ways that are taken go on from the first n edges of this one. */
static void
ban_known(struct yen *yen, const struct way *root, size_t n)
{
	vec_each (index, &yen->taken) {
		const struct way *way = &yen->candidates.items[*index].way;

		if (way->n_edges > n &&
		    (!n || memcmp(way->edges, root->edges, n * sizeof(way->edges[0])) == 0))
			ways_ban_edge(yen->ways, way->edges[n]);
	}
}

/* One way that has the first n edges of `root`, and whatever is best from there on. */
static void
leave_at(struct yen *yen, const struct way *root, size_t n, const struct ways_ask *ask)
{
	struct way rest = {0}, whole;
	enum ways_found found;

	ban_known(yen, root, n);
	found = ways_one(yen->ways, ask, yen->arena, &rest);
	yen->is_given_up |= found == WAYS_GIVEN_UP;
	if (found == WAYS_NONE || !rest.n_edges)
		return;
	whole.n_edges = n + rest.n_edges;
	whole.edges = arena_alloc(yen->arena, whole.n_edges * sizeof(whole.edges[0]));
	memcpy(whole.edges, root->edges, n * sizeof(whole.edges[0]));
	memcpy(whole.edges + n, rest.edges, rest.n_edges * sizeof(whole.edges[0]));
	ways_measure(yen->ways, &whole);
	add(yen, &whole, n);
}

/* What a way has come through on its first n edges to the vertex `at`. */
static void
ban_passed(struct yen *yen, const struct way *way, size_t n, unsigned at)
{
	const struct graph *graph = yen->ways->net.graph;

	while (n-- > 0) {
		const struct graph_edge *edge = &graph->edges[way->edges[n]];

		at = edge->a == at ? edge->b : edge->a;
		ways_ban_vertex(yen->ways, at);
	}
}

/* What is left of the question behind an edge. */
static void
step(struct ways_ask *ask, const struct graph_edge *edge)
{
	ask->a = edge->a == ask->a ? edge->b : edge->a;
	if (ask->hops_left != INT64_MAX)
		ask->hops_left--;
	if (ask->latency_left_us != INT64_MAX)
		ask->latency_left_us -= edge->latency_us;
	if (ways_edge_width(edge) < ask->width_cap_bps)
		ask->width_cap_bps = ways_edge_width(edge);
}

static void
leave(struct yen *yen, const struct candidate *from)
{
	struct ways_ask ask = *yen->ask;

	for (size_t i = 0; i < from->way.n_edges; i++) {
		if (i >= from->leaves_at) {
			ways_ban_clear(yen->ways);
			ban_passed(yen, &from->way, i, ask.a);
			leave_at(yen, &from->way, i, &ask);
		}
		step(&ask, &yen->ways->net.graph->edges[from->way.edges[i]]);
	}
}
