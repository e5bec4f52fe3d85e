/*
 * lib/model/ways: the best ways and pairs against all there are, on small random networks.
 */
#include "lib/model/ways.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/suite.h"

enum { N = 7, M = 12, RISKS = 4, NETS = 4000, WAYS_MAX = 512, K = 6 };

struct net {
	struct graph graph;
	struct ways_net ways_net;
	const char *vertices[N];
	struct graph_edge edges[M];
	bool is_transit[N], is_shut[M];
	int64_t costs[M];
	unsigned edge_first[M + 1], edge_items[M * RISKS];
	unsigned vertex_first[N + 1], vertex_items[N * RISKS];
	struct ways_question question;
};

/* One way: its edges, and what it has. */
struct trial {
	unsigned edges[N];
	size_t n_edges;
	int64_t latency_us, cost, load, width_bps;
	unsigned vertices_used, edges_used, risks_used; /* bits; inner vertices */
};

struct all {
	struct trial ways[WAYS_MAX];
	size_t n;
};

static const char *const names[N] = {"v0", "v1", "v2", "v3", "v4", "v5", "v6"};

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

static void
make_risks(unsigned *first, unsigned *items, unsigned n, uint64_t *seed)
{
	unsigned n_items = 0;

	for (unsigned i = 0; i < n; i++) {
		first[i] = n_items;
		for (unsigned risk = 0; risk < RISKS; risk++)
			if (!dice(seed, 9))
				items[n_items++] = risk;
	}
	first[n] = n_items;
}

static void
net_make(struct net *net, uint64_t *seed)
{
	memset(net, 0, sizeof(*net));
	for (unsigned v = 0; v < N; v++) {
		net->vertices[v] = names[v];
		net->is_transit[v] = dice(seed, 5) > 0;
	}
	for (unsigned e = 0; e < M; e++) {
		unsigned a = dice(seed, N);

		net->edges[e] = (struct graph_edge){.name = "e",
		    .a = a,
		    .b = (a + 1 + dice(seed, N - 1)) % N,
		    .capacity_bps = 10,
		    .free_ab_bps = dice(seed, 11),
		    .free_ba_bps = dice(seed, 11),
		    .latency_us = dice(seed, 5)};
		net->costs[e] = dice(seed, 4);
		net->is_shut[e] = !dice(seed, 20);
	}
	make_risks(net->edge_first, net->edge_items, M, seed);
	make_risks(net->vertex_first, net->vertex_items, N, seed);
	net->graph = (struct graph){net->vertices, N, net->edges, M, net->is_transit};
	net->ways_net = (struct ways_net){&net->graph, net->costs, RISKS,
	    {net->edge_first, net->edge_items}, {net->vertex_first, net->vertex_items}};
	net->question = (struct ways_question){.a = dice(seed, N),
	    .rate_ab_bps = dice(seed, 4),
	    .rate_ba_bps = dice(seed, 4),
	    .metric = dice(seed, 4),
	    .is_shut = net->is_shut};
	net->question.b = (net->question.a + 1 + dice(seed, N - 1)) % N;
	if (!dice(seed, 3))
		net->question.latency_max_us = 1 + dice(seed, 10);
	if (!dice(seed, 3))
		net->question.hops_max = 1 + dice(seed, 5);
}

static unsigned
risk_bits(const unsigned *first, const unsigned *items, unsigned thing)
{
	unsigned bits = 0;

	for (unsigned i = first[thing]; i < first[thing + 1]; i++)
		bits |= 1u << items[i];
	return bits;
}

static void
try_all(const struct net *net, unsigned at, const struct trial *so_far, struct all *all)
{
	const struct ways_question *question = &net->question;

	if (at == question->b) {
		if (all->n < WAYS_MAX &&
		    (!question->latency_max_us || so_far->latency_us <= question->latency_max_us) &&
		    (!question->hops_max || so_far->n_edges <= question->hops_max))
			all->ways[all->n++] = *so_far;
		return;
	}
	if (at != question->a && !net->is_transit[at])
		return;
	for (unsigned e = 0; e < M; e++) {
		const struct graph_edge *edge = &net->edges[e];
		bool is_forward = edge->a == at;
		unsigned to = is_forward ? edge->b : edge->a;
		int64_t there = is_forward ? edge->free_ab_bps : edge->free_ba_bps;
		int64_t back = is_forward ? edge->free_ba_bps : edge->free_ab_bps;
		int64_t width = there < back ? there : back;
		struct trial next = *so_far;

		if ((edge->a != at && edge->b != at) || to == question->a ||
		    so_far->vertices_used & 1u << to || net->is_shut[e] ||
		    there < question->rate_ab_bps || back < question->rate_ba_bps)
			continue;
		next.edges[next.n_edges++] = e;
		next.latency_us += edge->latency_us;
		next.cost += net->costs[e];
		next.load += ways_load(&net->ways_net, e);
		next.width_bps = width < next.width_bps ? width : next.width_bps;
		next.edges_used |= 1u << e;
		next.risks_used |= risk_bits(net->edge_first, net->edge_items, e);
		if (to != question->b) {
			next.vertices_used |= 1u << to;
			next.risks_used |= risk_bits(net->vertex_first, net->vertex_items, to);
		}
		try_all(net, to, &next, all);
	}
}

/* Better by metric, then quicker, cheaper, shorter; 0 = as good. */
static int64_t
compare(enum ways_metric metric, const struct trial *x, const struct trial *y)
{
	if (metric == WAYS_WIDEST && x->width_bps != y->width_bps)
		return y->width_bps - x->width_bps;
	if (metric == WAYS_COST && x->cost != y->cost)
		return x->cost - y->cost;
	if (metric == WAYS_LOAD && x->load != y->load)
		return x->load - y->load;
	if (x->latency_us != y->latency_us)
		return x->latency_us - y->latency_us;
	if (metric != WAYS_LOAD && x->cost != y->cost)
		return x->cost - y->cost;
	return (int64_t)x->n_edges - (int64_t)y->n_edges;
}

static void
sort(enum ways_metric metric, struct all *all)
{
	for (size_t i = 1; i < all->n; i++)
		for (size_t k = i; k && compare(metric, &all->ways[k], &all->ways[k - 1]) < 0;
		     k--) {
			struct trial swap = all->ways[k];

			all->ways[k] = all->ways[k - 1];
			all->ways[k - 1] = swap;
		}
}

/* The way among all of them; NULL when it is none, or says of itself what is not so. */
static const struct trial *
known(const struct all *all, const struct way *way)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct trial *trial = &all->ways[i];

		if (trial->n_edges == way->n_edges &&
		    memcmp(trial->edges, way->edges, way->n_edges * sizeof(way->edges[0])) == 0)
			return trial->latency_us == way->latency_us && trial->cost == way->cost &&
				       trial->width_bps == way->width_bps
				   ? trial
				   : NULL;
	}
	return NULL;
}

static void
the_k_best_are_the_k_best(struct ways *ways, const struct net *net, const struct all *all)
{
	auto_arena struct arena *arena = arena_new();
	struct ways_answer answer = ways_best(ways, &net->question, K, arena);
	const struct trial *found[K];

	assert_equal(answer.n_ways, all->n < K ? all->n : K);
	assert_true(answer.is_proven);
	for (size_t i = 0; i < answer.n_ways; i++) {
		found[i] = known(all, &answer.ways[i]);
		assert_true(found[i] != NULL);
		assert_equal(compare(net->question.metric, found[i], &all->ways[i]), 0);
		for (size_t k = 0; k < i; k++)
			assert_true(found[k] != found[i]);
	}
}

static bool
is_apart(enum ways_apart apart, const struct trial *x, const struct trial *y)
{
	return !(x->edges_used & y->edges_used) &&
	       (apart < WAYS_NODE || !(x->vertices_used & y->vertices_used)) &&
	       (apart < WAYS_RISK || !(x->risks_used & y->risks_used));
}

static struct trial
sum(const struct trial *x, const struct trial *y)
{
	return (struct trial){.n_edges = x->n_edges + y->n_edges,
	    .latency_us = x->latency_us + y->latency_us,
	    .cost = x->cost + y->cost,
	    .load = x->load + y->load,
	    .width_bps = x->width_bps < y->width_bps ? x->width_bps : y->width_bps};
}

static bool
best_pair(const struct net *net, const struct all *all, enum ways_apart apart, struct trial *best)
{
	bool is_there = false;

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < i; k++) {
			struct trial both = sum(&all->ways[i], &all->ways[k]);

			if (is_apart(apart, &all->ways[i], &all->ways[k]) &&
			    (!is_there || compare(net->question.metric, &both, best) < 0)) {
				*best = both;
				is_there = true;
			}
		}
	return is_there;
}

static void
the_best_pair_is_the_best_pair(
    struct ways *ways, const struct net *net, const struct all *all, size_t n_pairs[3])
{
	for (enum ways_apart apart = WAYS_LINK; apart <= WAYS_RISK; apart++) {
		auto_arena struct arena *arena = arena_new();
		struct ways_answer answer = ways_pair(ways, &net->question, apart, arena);
		struct trial best, both;
		const struct trial *x, *y;

		assert_true(answer.is_proven);
		assert_equal(answer.n_ways, best_pair(net, all, apart, &best) ? 2 : 0);
		if (!answer.n_ways)
			continue;
		n_pairs[apart]++;
		x = known(all, &answer.ways[0]);
		y = known(all, &answer.ways[1]);
		assert_true(x && y);
		if (!x || !y)
			continue;
		assert_true(is_apart(apart, x, y));
		both = sum(x, y);
		assert_equal(compare(net->question.metric, &both, &best), 0);
	}
}

static void
ways_are_those_that_trying_all_finds(void)
{
	static struct all all;
	static struct net net;
	uint64_t seed = 26;
	size_t n_found = 0, n_pairs[3] = {0};

	for (int i = 0; i < NETS; i++) {
		net_make(&net, &seed);
		all.n = 0;
		try_all(&net, net.question.a, &(struct trial){.width_bps = INT64_MAX}, &all);
		assert_true(all.n < WAYS_MAX);
		sort(net.question.metric, &all);
		auto_ways struct ways *ways = ways_new(&net.ways_net);

		the_k_best_are_the_k_best(ways, &net, &all);
		the_best_pair_is_the_best_pair(ways, &net, &all, n_pairs);
		n_found += all.n > 1;
	}

	/* All answers must occur often, or the comparison says little. */
	assert_true(n_found > NETS / 5 && n_found < NETS * 4 / 5);
	for (int i = 0; i < 3; i++)
		assert_true(n_pairs[i] > NETS / 25 && n_pairs[i] < n_found);
}

/* Among equals the lower edge where they part, as graph_find has it. */
static void
one_way_is_the_one_of_graph_find(void)
{
	static struct net net;
	uint64_t seed = 7;
	size_t n_found = 0;

	for (int i = 0; i < NETS; i++) {
		auto_arena struct arena *arena = arena_new();
		struct graph_path path;
		struct ways_answer answer;
		struct err err = {0};

		net_make(&net, &seed);
		net.ways_net.costs = NULL;
		net.question.metric = WAYS_DELAY;
		net.question.hops_max = 0;
		net.question.is_shut = NULL;
		auto_ways struct ways *ways = ways_new(&net.ways_net);
		const struct graph_demand demand = {net.question.a, net.question.b,
		    net.question.rate_ab_bps, net.question.rate_ba_bps,
		    net.question.latency_max_us};

		answer = ways_best(ways, &net.question, 1, arena);

		assert_equal(answer.n_ways, graph_find(&net.graph, &demand, arena, &path, &err));
		if (!answer.n_ways)
			continue;
		n_found++;
		assert_equal(answer.ways[0].n_edges, path.n_edges);
		assert_true(memcmp(answer.ways[0].edges, path.edges,
				path.n_edges * sizeof(path.edges[0])) == 0);
	}
	assert_true(n_found > NETS / 5);
}

static void
a_full_edge_is_a_load_of_32_idle_ones(void)
{
	static const int64_t loads[][2] = {
	    {1000, 3072}, {1200, 3072}, {900, 4608}, {800, 6144}, {400, 24576}, {0, 98304}};
	struct graph_edge edge = {.capacity_bps = 1000, .free_ba_bps = 2000};
	const struct graph graph = {.edges = &edge, .n_edges = 1};
	const int64_t cost = 3;
	const struct ways_net net = {.graph = &graph, .costs = &cost};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		edge.free_ab_bps = loads[i][0];
		/* Within what its fifths are rounded by. */
		assert_true(labs(ways_load(&net, 0) - loads[i][1]) * 50 < loads[i][1]);
	}
}

static const struct test tests[] = {
    TEST(ways_are_those_that_trying_all_finds),
    TEST(one_way_is_the_one_of_graph_find),
    TEST(a_full_edge_is_a_load_of_32_idle_ones),
};

suite_main("ways", tests)
