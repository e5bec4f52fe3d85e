/*
 * lib/model/graph: the constrained shortest path against brute force, residual arithmetic.
 */
#include "lib/model/graph.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/suite.h"

enum { N = 7, M = 12, GRAPHS = 3000 };

struct random_graph {
	struct graph graph;
	const char *vertices[N];
	struct graph_edge edges[M];
	bool is_transit[N];
};

/* The best path that trying all of them finds. */
struct best {
	const struct graph *graph;
	const struct graph_demand *demand;
	bool is_found;
	int64_t latency_us;
	unsigned edges[N];
	size_t n_edges;
	unsigned trial[N];
	bool is_used[N];
};

static const char *const vertex_names[N] = {"v0", "v1", "v2", "v3", "v4", "v5", "v6"};
static const char *const edge_names[M] = {
    "e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8", "e9", "e10", "e11"};

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

static void
random_graph_make(struct random_graph *random, uint64_t *seed)
{
	memset(random, 0, sizeof(*random));
	for (unsigned v = 0; v < N; v++) {
		random->vertices[v] = vertex_names[v];
		random->is_transit[v] = dice(seed, 4) > 0;
	}
	for (unsigned e = 0; e < M; e++) {
		unsigned a = dice(seed, N);

		random->edges[e] = (struct graph_edge){
		    .name = edge_names[e],
		    .a = a,
		    .b = (a + 1 + dice(seed, N - 1)) % N,
		    .capacity_bps = 10,
		    .free_ab_bps = dice(seed, 11),
		    .free_ba_bps = dice(seed, 11),
		    .latency_us = dice(seed, 5),
		};
	}
	random->graph = (struct graph){random->vertices, N, random->edges, M, random->is_transit};
}

/* Least latency, fewest edges, then the lower edge at the first difference. */
static bool
is_better(const struct best *best, size_t n, int64_t latency_us)
{
	if (!best->is_found || latency_us != best->latency_us)
		return !best->is_found || latency_us < best->latency_us;
	if (n != best->n_edges)
		return n < best->n_edges;
	for (size_t i = 0; i < n; i++)
		if (best->trial[i] != best->edges[i])
			return best->trial[i] < best->edges[i];
	return false;
}

static void
try_all(struct best *best, unsigned at, size_t n, int64_t latency_us)
{
	const struct graph_demand *demand = best->demand;

	if (at == demand->b) {
		if (is_better(best, n, latency_us)) {
			best->is_found = true;
			best->latency_us = latency_us;
			best->n_edges = n;
			memcpy(best->edges, best->trial, sizeof(best->edges));
		}
		return;
	}
	if (at != demand->a && !best->graph->is_transit[at])
		return;
	best->is_used[at] = true;
	for (unsigned e = 0; e < best->graph->n_edges; e++) {
		const struct graph_edge *edge = &best->graph->edges[e];
		bool is_forward = edge->a == at;
		unsigned to = is_forward ? edge->b : edge->a;

		if ((edge->a != at && edge->b != at) || best->is_used[to] ||
		    (is_forward ? edge->free_ab_bps : edge->free_ba_bps) < demand->rate_ab_bps ||
		    (is_forward ? edge->free_ba_bps : edge->free_ab_bps) < demand->rate_ba_bps)
			continue;
		best->trial[n] = e;
		try_all(best, to, n + 1, latency_us + edge->latency_us);
	}
	best->is_used[at] = false;
}

static void
agrees_with_brute_force(uint64_t *seed, size_t *n_found)
{
	auto_arena struct arena *arena = arena_new();
	struct random_graph random;
	struct graph_demand demand = {.a = dice(seed, N)};
	struct best best = {.graph = &random.graph, .demand = &demand};
	struct graph_path path = {0};
	struct err err = {0};
	bool is_found;

	random_graph_make(&random, seed);
	demand.b = (demand.a + 1 + dice(seed, N - 1)) % N;
	demand.rate_ab_bps = dice(seed, 7);
	demand.rate_ba_bps = dice(seed, 7);
	demand.latency_max_us = dice(seed, 2) ? 1 + dice(seed, 6) : 0;
	try_all(&best, demand.a, 0, 0);
	if (demand.latency_max_us && best.latency_us > demand.latency_max_us)
		best.is_found = false;

	is_found = graph_find(&random.graph, &demand, arena, &path, &err);

	assert_equal(is_found, best.is_found);
	if (!is_found) {
		assert_equal(err.code, ERR_R03);
		return;
	}
	(*n_found)++;
	assert_equal(path.latency_us, best.latency_us);
	assert_equal(path.n_edges, best.n_edges);
	assert_true(memcmp(path.edges, best.edges, path.n_edges * sizeof(*path.edges)) == 0);
}

static void
the_path_is_the_one_that_brute_force_finds(void)
{
	uint64_t seed = 20;
	size_t n_found = 0;

	for (int i = 0; i < GRAPHS; i++)
		agrees_with_brute_force(&seed, &n_found);

	/* Both answers must occur often, or the comparison says little. */
	assert_true(n_found > GRAPHS / 5 && n_found < GRAPHS * 4 / 5);
}

/*
 * a - r1 - b (1 + 1 ms, 100 Mbps) and a - r2 - b (5 + 5 ms, 1 Gbps towards b, 400 Mbps back).
 */
static struct graph *
two_ways(struct arena *arena)
{
	static const char *const names[] = {"a:u0", "b:u0", "r1", "r2"};
	static const struct graph_edge edges[] = {
	    {"a-r1", 0, 2, 100000000, 100000000, 100000000, 1000},
	    {"r1-b", 2, 1, 100000000, 100000000, 100000000, 1000},
	    {"a-r2", 0, 3, 1000000000, 400000000, 1000000000, 5000},
	    {"b-r2", 1, 3, 400000000, 1000000000, 1000000000, 5000},
	};
	struct graph *graph = arena_new_of(arena, struct graph);

	graph->n_vertices = 4;
	graph->vertices = arena_alloc(arena, sizeof(names));
	memcpy(graph->vertices, names, sizeof(names));
	graph->is_transit = arena_alloc(arena, 4 * sizeof(bool));
	graph->is_transit[2] = graph->is_transit[3] = true;
	graph->n_edges = 4;
	graph->edges = arena_alloc(arena, sizeof(edges));
	memcpy(graph->edges, edges, sizeof(edges));
	return graph;
}

static void
a_refusal_offers_what_there_is(void)
{
	static const struct {
		struct graph_demand demand;
		const char *text;
	} cases[] = {
	    {{0, 1, 200000000, 200000000, 3000},
		"between 'a:u0' and 'b:u0' 200 Mbps within 3 ms wanted, "
		"the best offer is 100 Mbps within that, or 10 ms"},
	    {{0, 1, 2000000000, 800000000, 0},
		"between 'a:u0' and 'b:u0' 2 Gbps (800 Mbps back) wanted, "
		"the best offer is 1 Gbps (400 Mbps back)"},
	    {{0, 1, 50000000, 50000000, 1000},
		"between 'a:u0' and 'b:u0' 50 Mbps within 1 ms wanted, the best offer is 2 ms"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		struct graph_path path;
		struct err err = {0};

		assert_true(!graph_find(two_ways(arena), &cases[i].demand, arena, &path, &err));
		assert_equal(err.code, ERR_R03);
		assert_text(err.text, cases[i].text);
	}
}

static void
what_is_not_connected_is_said_to_be_so(void)
{
	auto_arena struct arena *arena = arena_new();
	struct graph *graph = two_ways(arena);
	struct graph_demand demand = {0, 1, 1, 1, 0};
	struct graph_path path;
	struct err err = {0};

	graph->is_transit[2] = graph->is_transit[3] = false;

	assert_true(!graph_find(graph, &demand, arena, &path, &err));
	assert_text(err.text, "'a:u0' and 'b:u0' are not connected");
}

static void
taking_and_giving_back_leaves_the_graph_as_it_was(void)
{
	auto_arena struct arena *arena = arena_new();
	struct graph *before = two_ways(arena), *after = graph_copy(before, arena);
	struct graph_demand demand = {0, 1, 300000000, 200000000, 0};
	struct graph_path path;

	assert_true(graph_find(after, &demand, arena, &path, NULL));
	graph_take(after, &demand, &path, 1);

	assert_equal(path.n_edges, 2);
	assert_equal(after->edges[2].free_ab_bps, 700000000);
	assert_equal(after->edges[2].free_ba_bps, 200000000);
	assert_equal(after->edges[3].free_ab_bps, 200000000);
	assert_equal(after->edges[3].free_ba_bps, 700000000);
	assert_equal(before->edges[2].free_ab_bps, 1000000000);

	graph_take(after, &demand, &path, -1);
	assert_true(memcmp(before->edges, after->edges, 4 * sizeof(*after->edges)) == 0);
}

static void
names_are_found(void)
{
	auto_arena struct arena *arena = arena_new();
	struct graph *graph = two_ways(arena);

	assert_equal(graph_vertex(graph, "r2"), 3);
	assert_equal(graph_vertex(graph, "r"), -1);
	assert_equal(graph_edge(graph, "b-r2"), 3);
	assert_equal(graph_edge(graph, ""), -1);
}

static const struct test tests[] = {
    TEST(the_path_is_the_one_that_brute_force_finds),
    TEST(a_refusal_offers_what_there_is),
    TEST(what_is_not_connected_is_said_to_be_so),
    TEST(taking_and_giving_back_leaves_the_graph_as_it_was),
    TEST(names_are_found),
};

suite_main("graph", tests)
