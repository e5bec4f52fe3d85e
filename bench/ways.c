/*
 * How good and how fast are the ways of lib/model/ways?
 *
 *     ways answers GRAPHS SEED   random networks with the best pairs and the k best ways of each,
 * for another program to judge (bench/ways_reference.cc) ways speed QUESTIONS       a network of
 * 1000 routers and 4000 links: time of a question
 */
#include "lib/model/ways.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/measure.h"
#include "lib/base/str.h"

enum { K = 20 };

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

/* A tree over all vertices, then edges anywhere: connected, with parallel edges now and then. */
static struct ways_net *
make_net(unsigned n, unsigned m, uint64_t *seed, struct arena *arena)
{
	struct ways_net *net = arena_new_of(arena, struct ways_net);
	struct graph *graph = arena_new_of(arena, struct graph);
	int64_t *costs = arena_alloc(arena, m * sizeof(costs[0]));

	graph->n_vertices = n;
	graph->n_edges = m;
	graph->vertices = arena_alloc(arena, n * sizeof(graph->vertices[0]));
	graph->is_transit = arena_alloc(arena, n * sizeof(graph->is_transit[0]));
	graph->edges = arena_alloc(arena, m * sizeof(graph->edges[0]));
	for (unsigned v = 0; v < n; v++) {
		graph->vertices[v] = "";
		graph->is_transit[v] = true;
	}
	for (unsigned e = 0; e < m; e++) {
		unsigned a = e + 1 < n ? e + 1 : dice(seed, n);
		unsigned b = e + 1 < n ? dice(seed, e + 1) : (a + 1 + dice(seed, n - 1)) % n;

		graph->edges[e] = (struct graph_edge){.name = "",
		    .a = a,
		    .b = b,
		    .free_ab_bps = (1 + dice(seed, 1000)) * (int64_t)1000000,
		    .free_ba_bps = (1 + dice(seed, 1000)) * (int64_t)1000000,
		    .capacity_bps = 1000000000,
		    .latency_us = 1 + dice(seed, 1000)};
		costs[e] = 1 + dice(seed, 1000);
	}
	*net = (struct ways_net){.graph = graph, .costs = costs};
	return net;
}

static void
print_ways(const char *what, const struct ways_answer *answer)
{
	printf("%s %zu\n", what, answer->n_ways);
	for (size_t i = 0; i < answer->n_ways; i++) {
		printf("%lld %zu", (long long)answer->ways[i].cost, answer->ways[i].n_edges);
		for (size_t k = 0; k < answer->ways[i].n_edges; k++)
			printf(" %u", answer->ways[i].edges[k]);
		printf("\n");
	}
}

static void
print_answers(uint64_t *seed)
{
	auto_arena struct arena *arena = arena_new();
	unsigned n = 4 + dice(seed, 60), m = n - 1 + dice(seed, 3 * n);
	const struct ways_net *net = make_net(n, m, seed, arena);
	auto_ways struct ways *ways = ways_new(net);
	struct ways_question question = {.a = dice(seed, n), .metric = WAYS_COST};
	struct ways_answer answer;

	question.b = (question.a + 1 + dice(seed, n - 1)) % n;
	printf("graph %u %u %u %u\n", n, m, question.a, question.b);
	for (unsigned e = 0; e < m; e++)
		printf("%u %u %lld\n", net->graph->edges[e].a, net->graph->edges[e].b,
		    (long long)net->costs[e]);
	answer = ways_pair(ways, &question, WAYS_LINK, arena);
	print_ways("link", &answer);
	answer = ways_pair(ways, &question, WAYS_NODE, arena);
	print_ways("node", &answer);
	answer = ways_best(ways, &question, K, arena);
	print_ways("best", &answer);
}

/* ---- speed ----------------------------------------------------------------------------------- */

enum kind {
	ONE,
	ONE_LOAD,
	ONE_WITHIN,
	ONE_CHEAP_WITHIN,
	ONE_WIDEST,
	TEN,
	TWO_LINK,
	TWO_NODE,
	TWO_RISK,
	KINDS
};

static const char *const kind_names[KINDS] = {"one, least delay", "one, least load",
    "one, least delay, within bounds", "one, least cost, within bounds", "one, widest",
    "the ten best", "a pair apart in links", "a pair apart in routers", "a pair apart in risks"};

/* A risk group for each ten links and each hundred routers; two groups a link. */
static void
add_risks(struct ways_net *net, uint64_t *seed, struct arena *arena)
{
	size_t m = net->graph->n_edges, n = net->graph->n_vertices;
	unsigned *first = arena_alloc(arena, (m + 1) * sizeof(first[0]));
	unsigned *items = arena_alloc(arena, 2 * m * sizeof(items[0]));
	unsigned *vertex_first = arena_alloc(arena, (n + 1) * sizeof(first[0]));
	unsigned *vertex_items = arena_alloc(arena, n * sizeof(items[0]));

	net->n_risks = (unsigned)(m / 10 + n / 100);
	for (unsigned e = 0; e <= m; e++)
		first[e] = 2 * e;
	for (unsigned i = 0; i < 2 * m; i++)
		items[i] = dice(seed, (unsigned)m / 10);
	for (unsigned v = 0; v <= n; v++)
		vertex_first[v] = v;
	for (unsigned v = 0; v < n; v++)
		vertex_items[v] = (unsigned)m / 10 + dice(seed, (unsigned)n / 100);
	net->edge_risks = (struct ways_groups){first, items};
	net->vertex_risks = (struct ways_groups){vertex_first, vertex_items};
}

static struct ways_answer
ask(struct ways *ways, enum kind kind, struct ways_question *question, struct arena *arena)
{
	question->metric = kind == ONE_LOAD           ? WAYS_LOAD
			   : kind == ONE_CHEAP_WITHIN ? WAYS_COST
			   : kind == ONE_WIDEST       ? WAYS_WIDEST
						      : WAYS_DELAY;
	if (kind == ONE_WITHIN || kind == ONE_CHEAP_WITHIN) {
		question->latency_max_us = 1500;
		question->hops_max = 6;
	}
	if (kind >= TWO_LINK)
		return ways_pair(ways, question, (enum ways_apart)(kind - TWO_LINK), arena);
	return ways_best(ways, question, kind == TEN ? 10 : 1, arena);
}

static int
compare_times(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static void
time_kind(struct ways *ways, enum kind kind, size_t n_questions, uint64_t seed)
{
	auto_free double *times_ms = xcalloc(n_questions, sizeof(times_ms[0]));
	size_t n_found = 0, n_proven = 0;

	for (size_t i = 0; i < n_questions; i++) {
		auto_arena struct arena *arena = arena_new();
		struct ways_question question = {
		    .a = dice(&seed, 1000), .rate_ab_bps = 100000000, .rate_ba_bps = 100000000};
		struct ways_answer answer;
		long long start_ns = measure_clock(CLOCK_MONOTONIC);

		question.b = (question.a + 1 + dice(&seed, 999)) % 1000;
		answer = ask(ways, kind, &question, arena);
		times_ms[i] = (double)(measure_clock(CLOCK_MONOTONIC) - start_ns) / 1e6;
		n_found += answer.n_ways > 0;
		n_proven += answer.is_proven;
	}
	qsort(times_ms, n_questions, sizeof(times_ms[0]), compare_times);
	printf("%-34s p50 %.3f ms  p99 %.3f ms  max %.3f ms  found %zu, proven %zu of %zu\n",
	    kind_names[kind], times_ms[n_questions / 2], times_ms[n_questions * 99 / 100],
	    times_ms[n_questions - 1], n_found, n_proven, n_questions);
}

/* ---- carry ----------------------------------------------------------------------------------- */

static unsigned
read_number(void)
{
	unsigned value;

	if (scanf("%u", &value) == 1) /* NOLINT(cert-err34-c): a file of ours */
		return value;
	fprintf(stderr, "a number was expected\n");
	exit(1);
}

static void
charge(struct graph *graph, const struct way *way, int64_t rate_bps)
{
	for (size_t i = 0; i < way->n_edges; i++) {
		graph->edges[way->edges[i]].free_ab_bps -= rate_bps;
		graph->edges[way->edges[i]].free_ba_bps -= rate_bps;
	}
}

static long long
carry(enum ways_metric metric, struct arena *arena)
{
	unsigned n = read_number(), m = read_number(), n_demands = read_number();
	struct graph graph = {.n_vertices = n, .n_edges = m};
	const struct ways_net net = {.graph = &graph};
	long long carried_bps = 0;

	graph.vertices = arena_alloc(arena, n * sizeof(graph.vertices[0]));
	graph.is_transit = arena_alloc(arena, n * sizeof(graph.is_transit[0]));
	graph.edges = arena_alloc(arena, m * sizeof(graph.edges[0]));
	memset(graph.is_transit, true, n);
	for (unsigned e = 0; e < m; e++) {
		struct graph_edge *edge = &graph.edges[e];

		edge->a = read_number() % n;
		edge->b = read_number() % n;
		edge->capacity_bps = edge->free_ab_bps = edge->free_ba_bps = read_number();
		edge->latency_us = read_number();
	}
	auto_ways struct ways *ways = ways_new(&net);

	while (n_demands--) {
		struct ways_question question = {
		    .a = read_number() % n, .b = read_number() % n, .metric = metric};
		struct ways_answer answer;

		question.rate_ab_bps = question.rate_ba_bps = read_number();
		answer = ways_best(ways, &question, 1, arena);
		if (!answer.n_ways)
			continue;
		charge(&graph, &answer.ways[0], question.rate_ab_bps);
		carried_bps += question.rate_ab_bps;
	}
	return carried_bps;
}

int
main(int argc, char **argv)
{
	static const char *const metrics[] = {"delay", "cost", "load", "widest"};

	auto_arena struct arena *arena = arena_new();
	uint64_t seed = 1;
	long long n;

	if (argc == 4 && !strcmp(argv[1], "answers") && str_to_i64(argv[2], 1, 1000000, &n)) {
		seed = strtoull(argv[3], NULL, 10);
		while (n--)
			print_answers(&seed);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "speed") && str_to_i64(argv[2], 1, 1000000, &n)) {
		struct ways_net *net = make_net(1000, 4000, &seed, arena);

		add_risks(net, &seed, arena);
		auto_ways struct ways *ways = ways_new(net);

		for (enum kind kind = ONE; kind < KINDS; kind++)
			time_kind(ways, kind, (size_t)n, 11);
		return 0;
	}
	for (unsigned i = 0; argc == 3 && i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		if (strcmp(argv[1], "carry") != 0 || strcmp(argv[2], metrics[i]) != 0)
			continue;
		printf("%lld\n", carry((enum ways_metric)i, arena));
		return 0;
	}
	fprintf(stderr,
	    "usage: ways answers GRAPHS SEED | ways speed QUESTIONS | ways carry METRIC <NET\n");
	return 2;
}
