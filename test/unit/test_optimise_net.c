/*
 * Better ways for links: the net alone, against books of the test's own after each step.
 */
#include <string.h>

#include "snc/optimise.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define MBPS 1000000LL

static const char *const names[] = {"koganei", "osaka", NULL};

static void
take_way(struct substrate *substrate, const char *port, int64_t rate_bps)
{
	for (size_t i = 0; i < 2; i++) {
		bool is_u0 = strcmp(port, "u0") == 0;
		struct graph_edge *edge =
		    site_edge(substrate, i ? (is_u0 ? "osaka:u0-r1" : "osaka:u1-r2")
					   : (is_u0 ? "koganei:u0-r1" : "koganei:u1-r2"));

		substrate->hosts[i].ports[!is_u0].free_bps -= rate_bps;
		edge->free_ab_bps -= rate_bps;
		edge->free_ba_bps -= rate_bps;
	}
}

static struct optimise_link
link_of(struct optimise_net *net, int64_t rate_bps, bool is_u0)
{
	static const char *const edges[2][2] = {
	    {"koganei:u1-r2", "osaka:u1-r2"}, {"koganei:u0-r1", "osaka:u0-r1"}};
	const char *port = is_u0 ? "u0" : "u1";
	struct optimise_link link = {.host_b = 1, .up = rate_bps, .down = rate_bps};

	assert_true(
	    optimise_net_find(net, &link, &(struct optimise_names){port, port, edges[is_u0], 2}));
	return link;
}

static void
two_links_that_leave_too_little_each_come_together(void)
{
	auto_arena struct arena *arena = arena_new();
	struct substrate *substrate = site_new(arena, names);
	struct optimise_net net;
	struct optimise_link first, second;
	int64_t gain_bps, before_bps;

	take_way(substrate, "u0", 400 * MBPS);
	take_way(substrate, "u1", 300 * MBPS);
	optimise_net_init(&net, substrate, substrate, arena);
	first = link_of(&net, 400 * MBPS, true);
	second = link_of(&net, 300 * MBPS, false);
	before_bps = optimise_net_usable_bps(&net);
	assert_true(optimise_net_move(&net, &first, &gain_bps));
	assert_text(
	    optimise_net_text(&net, &first), "koganei:u1 koganei:u1-r2 osaka:u1-r2 osaka:u1");
	assert_true(gain_bps > 0);
	assert_equal(optimise_net_usable_bps(&net) - before_bps, gain_bps);
	optimise_net_settle(&net);
	assert_true(!optimise_net_move(&net, &first, &gain_bps));
	assert_true(!optimise_net_move(&net, &second, &gain_bps));
}

static void
a_link_stays_where_the_other_way_has_no_room_or_is_too_slow(void)
{
	auto_arena struct arena *arena = arena_new();
	struct substrate *substrate = site_new(arena, names);
	struct optimise_net net;
	struct optimise_link link;
	int64_t gain_bps;

	take_way(substrate, "u0", 400 * MBPS);
	take_way(substrate, "u1", 700 * MBPS);
	optimise_net_init(&net, substrate, substrate, arena);
	link = link_of(&net, 400 * MBPS, true);
	assert_true(!optimise_net_move(&net, &link, &gain_bps));

	link = link_of(&net, 200 * MBPS, true);
	link.latency_max_us = 1;
	assert_true(!optimise_net_move(&net, &link, &gain_bps));
	link.latency_max_us = 0;
	assert_true(optimise_net_move(&net, &link, &gain_bps));
}

static void
a_way_that_the_view_has_no_more_is_not_found(void)
{
	static const char *const edges[] = {"koganei:u0-r1", "osaka:u0-r1"};
	static const char *const odd[] = {"koganei:u0-r1", "osaka:u1-r2"};
	auto_arena struct arena *arena = arena_new();
	struct substrate *substrate = site_new(arena, names);
	struct optimise_link link = {.host_b = 1};
	struct optimise_net net;

	optimise_net_init(&net, substrate, substrate, arena);
	assert_true(!optimise_net_find(&net, &link, &(struct optimise_names){"u0", "u0", odd, 2}));
	assert_true(
	    !optimise_net_find(&net, &link, &(struct optimise_names){"u0", "u1", edges, 2}));
	assert_true(
	    !optimise_net_find(&net, &link, &(struct optimise_names){"u7", "u0", edges, 2}));
	assert_true(
	    !optimise_net_find(&net, &link, &(struct optimise_names){"u0", "u0", edges, 1}));
}

/* ---- random nets, with books beside ---------------------------------------------------------- */

enum { N_ROUTERS = 8, N_HOSTS = 6, N_CORE = 14, N_LINKS = 60, N_EDGES = N_CORE + 2 * N_HOSTS };

/* What is left of each port, and of each edge in both directions, counted by name. */
struct books {
	int64_t ports[N_HOSTS][2], edges[N_EDGES][2];
};

struct bench {
	struct arena *arena;
	struct substrate *substrate;
	struct optimise_net net;
	struct optimise_link links[N_LINKS];
	size_t n_links;
	struct books books;
	uint64_t random;
};

static unsigned
draw(struct bench *bench, unsigned n)
{
	bench->random = bench->random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(bench->random >> 33) % n;
}

static void
add_edge(struct bench *bench, unsigned a, unsigned b, int64_t rate_bps)
{
	struct graph *graph = bench->substrate->graph;

	graph->edges[graph->n_edges] =
	    (struct graph_edge){arena_format(bench->arena, "e%zu", graph->n_edges), a, b, rate_bps,
		rate_bps, rate_bps, 1000 + draw(bench, 1000)};
	graph->n_edges++;
}

/* Routers in a ring with chords; then two ports a host at different ones. */
static void
make_substrate(struct bench *bench)
{
	static const char *const hosts[] = {"h0", "h1", "h2", "h3", "h4", "h5", NULL};
	struct substrate *substrate = bench->substrate = site_new(bench->arena, hosts);
	struct graph *graph = substrate->graph;
	unsigned at = N_ROUTERS;

	graph->n_vertices = N_ROUTERS + 2 * N_HOSTS;
	graph->vertices = arena_alloc(bench->arena, graph->n_vertices * sizeof(char *));
	graph->is_transit = arena_alloc(bench->arena, graph->n_vertices * sizeof(bool));
	graph->edges = arena_alloc(bench->arena, N_EDGES * sizeof(graph->edges[0]));
	graph->n_edges = 0;
	for (unsigned i = 0; i < graph->n_vertices; i++) {
		graph->vertices[i] = arena_format(bench->arena, "v%u", i);
		graph->is_transit[i] = i < N_ROUTERS;
	}
	for (unsigned i = 0; i < N_CORE; i++)
		add_edge(bench, i % N_ROUTERS,
		    (i + 1 + (i < N_ROUTERS ? 0 : 1 + draw(bench, 4))) % N_ROUTERS, 1000 * MBPS);
	for (unsigned i = 0; i < N_HOSTS; i++)
		for (unsigned k = 0; k < 2; k++) {
			substrate->hosts[i].ports[k].vertex = at;
			add_edge(
			    bench, at++, (i + 3 * k + k * draw(bench, 3)) % N_ROUTERS, 1000 * MBPS);
		}
}

/* Books the arcs of a way; false when something is more than taken then. */
static bool
book(struct bench *bench, const struct optimise_link *link, const struct core_path *path, int sign)
{
	const struct graph *graph = bench->substrate->graph;
	size_t n = path->n_arcs;
	unsigned port_a = bench->net.problem.meanings[path->arcs[0]];
	unsigned port_b = bench->net.problem.meanings[path->arcs[n - 1]];
	unsigned at = (unsigned)bench->substrate->hosts[link->host_a].ports[port_a].vertex;
	bool fits = (bench->books.ports[link->host_a][port_a] -= sign * link->up) >= 0;

	fits = (bench->books.ports[link->host_b][port_b] -= sign * link->down) >= 0 && fits;
	for (size_t i = 1; i + 1 < n; i++) {
		unsigned edge = bench->net.problem.meanings[path->arcs[i]];
		bool is_ab = graph->edges[edge].a == at;

		assert_true(is_ab || graph->edges[edge].b == at);
		at = is_ab ? graph->edges[edge].b : graph->edges[edge].a;
		fits = (bench->books.edges[edge][!is_ab] -= sign * link->up) >= 0 && fits;
		fits = (bench->books.edges[edge][is_ab] -= sign * link->down) >= 0 && fits;
	}
	assert_equal(at, (unsigned)bench->substrate->hosts[link->host_b].ports[port_b].vertex);
	return fits;
}

/* Some walk from router to router, as a bad placing may have gone. */
static bool
wander(struct bench *bench, struct optimise_link *link)
{
	const struct graph *graph = bench->substrate->graph;
	unsigned port_a = draw(bench, 2), port_b = draw(bench, 2), n = 0;
	unsigned at = (unsigned)bench->substrate->hosts[link->host_a].ports[port_a].vertex;
	unsigned to = (unsigned)bench->substrate->hosts[link->host_b].ports[port_b].vertex;
	const char *edges[12];

	while (at != to && n < 12) {
		unsigned i = draw(bench, (unsigned)graph->n_edges);
		const struct graph_edge *edge = &graph->edges[i];
		unsigned next = edge->a == at ? edge->b : edge->a;

		if ((edge->a != at && edge->b != at) || (!graph->is_transit[next] && next != to))
			continue;
		edges[n++] = edge->name;
		at = next;
	}
	return at == to &&
	       optimise_net_find(&bench->net, link,
		   &(struct optimise_names){port_a ? "u1" : "u0", port_b ? "u1" : "u0", edges, n});
}

static void
make_links(struct bench *bench)
{
	const struct core_net *core = &bench->net.problem.net;

	for (int i = 0; i < 4 * N_LINKS && bench->n_links < N_LINKS; i++) {
		struct optimise_link link = {
		    .host_a = draw(bench, N_HOSTS),
		    .up = (10 + draw(bench, 150)) * MBPS,
		    .down = draw(bench, 100) * MBPS,
		};

		link.host_b = (link.host_a + 1 + draw(bench, N_HOSTS - 1)) % N_HOSTS;
		if (!wander(bench, &link))
			continue;
		if (!book(bench, &link, &link.path, 1)) {
			(void)book(bench, &link, &link.path, -1);
			continue;
		}
		for (size_t k = 0; k < link.path.n_arcs; k++) {
			core->slots[core->arcs[link.path.arcs[k]].slot].free -= link.up;
			core->slots[core->arcs[link.path.arcs[k]].back].free -= link.down;
		}
		bench->links[bench->n_links++] = link;
	}
	optimise_net_settle(&bench->net);
}

static void
start_books(struct bench *bench)
{
	for (size_t i = 0; i < N_HOSTS; i++)
		for (size_t k = 0; k < 2; k++)
			bench->books.ports[i][k] = bench->substrate->hosts[i].ports[k].rate_bps;
	for (size_t i = 0; i < N_EDGES; i++)
		bench->books.edges[i][0] = bench->books.edges[i][1] =
		    bench->substrate->graph->edges[i].capacity_bps;
}

/* Make: the new way beside the old one, but for a port that is handed over. */
static void
make(struct bench *bench, struct optimise_link *link, const struct core_path *old)
{
	const struct core_path *new = &link->path;
	bool has_port_a = old->arcs[0] == new->arcs[0];
	bool has_port_b = old->arcs[old->n_arcs - 1] == new->arcs[new->n_arcs - 1];
	const unsigned *meanings = bench->net.problem.meanings;

	if (has_port_a)
		bench->books.ports[link->host_a][meanings[new->arcs[0]]] += link->up;
	if (has_port_b)
		bench->books.ports[link->host_b][meanings[new->arcs[new->n_arcs - 1]]] +=
		    link->down;
	assert_true(book(bench, link, new, 1));
}

/* Break: the old way goes. */
static void
break_old(struct bench *bench, struct optimise_link *link, const struct core_path *old)
{
	const struct core_path *new = &link->path;
	const unsigned *meanings = bench->net.problem.meanings;

	(void)book(bench, link, old, -1);
	if (old->arcs[0] == new->arcs[0])
		bench->books.ports[link->host_a][meanings[new->arcs[0]]] -= link->up;
	if (old->arcs[old->n_arcs - 1] == new->arcs[new->n_arcs - 1])
		bench->books.ports[link->host_b][meanings[new->arcs[new->n_arcs - 1]]] -=
		    link->down;
}

/* Three links a slice, which move together. */
static size_t
pass(struct bench *bench)
{
	size_t n_moved = 0;

	for (size_t first = 0; first < bench->n_links; first += 3) {
		size_t n = bench->n_links - first < 3 ? bench->n_links - first : 3;
		int64_t usable_bps = optimise_net_usable_bps(&bench->net), gain_bps;
		struct core_path old[3];
		bool is_moved[3];

		for (size_t i = 0; i < n; i++) {
			struct optimise_link *link = &bench->links[first + i];

			old[i] = link->path;
			is_moved[i] = optimise_net_move(&bench->net, link, &gain_bps);
			if (!is_moved[i])
				continue;
			make(bench, link, &old[i]);
			assert_true(optimise_net_usable_bps(&bench->net) > usable_bps);
			n_moved++;
		}
		for (size_t i = 0; i < n; i++)
			if (is_moved[i])
				break_old(bench, &bench->links[first + i], &old[i]);
		optimise_net_settle(&bench->net);
	}
	return n_moved;
}

static void
no_step_of_any_plan_takes_more_than_there_is_and_all_come_to_an_end(void)
{
	size_t n_all = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct bench bench = {.arena = arena_new(), .random = seed * 7919};
		size_t n_passes = 0, n_moved;

		make_substrate(&bench);
		optimise_net_init(&bench.net, bench.substrate, bench.substrate, bench.arena);
		start_books(&bench);
		make_links(&bench);
		do {
			n_moved = pass(&bench);
			n_all += n_moved;
			assert_true(++n_passes < 100);
		} while (n_moved);
		arena_free(bench.arena);
	}
	assert_true(n_all > 200);
}

static const struct test tests[] = {
    TEST(two_links_that_leave_too_little_each_come_together),
    TEST(a_link_stays_where_the_other_way_has_no_room_or_is_too_slow),
    TEST(a_way_that_the_view_has_no_more_is_not_found),
    TEST(no_step_of_any_plan_takes_more_than_there_is_and_all_come_to_an_end),
};

suite_main("optimise_net", tests)
