/*
 * The core of embedding: whatever it answers keeps every room, slot, bound and rule of company,
 * which is checked here from the request alone; it ends in time, and always the same way.
 */
#include <math.h>
#include <string.h>

#include "snc/embed_core.h"
#include "test/support/suite.h"

enum { HOSTS = 25, SIDE = 5, MUCH = 10000000 };

static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

static int64_t
standing_ms(void *self)
{
	(void)self;
	return 0;
}

static const struct clock standing = {standing_ms, standing_ms, NULL};

/* ---- a grid of hosts; each edge has a slot for each direction, or one for both ---- */

static void
add_edge(struct core_draft *drafts, size_t *n, unsigned a, unsigned b, bool is_shared)
{
	unsigned slot = 1 + (unsigned)*n, back = is_shared ? slot : slot + 1;

	drafts[(*n)++] = (struct core_draft){a, {b, slot, back, 1000}};
	drafts[(*n)++] = (struct core_draft){b, {a, back, slot, 1000}};
}

/* Slots of the edges by their drafts' numbers, then two a host for its loop. */
static struct core_net *
grid(struct arena *arena, bool is_shared)
{
	struct core_net *net = arena_new_of(arena, struct core_net);
	struct core_draft drafts[4 * HOSTS];
	size_t n = 0;

	net->n_hosts = net->n_vertices = HOSTS;
	net->hosts = arena_alloc(arena, HOSTS * sizeof(net->hosts[0]));
	net->host_at = arena_alloc(arena, HOSTS * sizeof(net->host_at[0]));
	for (unsigned i = 0; i < HOSTS; i++) {
		net->hosts[i].leave = net->hosts[i].enter = net->host_at[i] = i;
		if (i % SIDE + 1 < SIDE)
			add_edge(drafts, &n, i, i + 1, is_shared);
		if (i + SIDE < HOSTS)
			add_edge(drafts, &n, i, i + SIDE, is_shared);
	}
	for (unsigned i = 0; i < HOSTS; i++)
		for (unsigned k = 0; k < 2; k++)
			net->hosts[i].loop[k] = (unsigned)n + 1 + 2 * i + k;
	net->n_slots = n + 1 + 2 * (size_t)HOSTS;
	net->slots = arena_alloc(arena, net->n_slots * sizeof(net->slots[0]));
	(void)core_connect(net, drafts, n, arena);
	return net;
}

static void
fill_grid(struct core_net *net, unsigned *seed)
{
	for (size_t i = 0; i < net->n_hosts; i++)
		for (size_t k = 0; k < CORE_KINDS; k++)
			net->hosts[i].size[k] = net->hosts[i].room[k] = 5 + draw(seed, 20);
	for (size_t i = 0; i < net->n_slots; i++)
		net->slots[i].size = net->slots[i].free = draw(seed, 60);
}

/* ---- random requests ---- */

static struct core_node
random_node(struct arena *arena, unsigned *seed, bool is_apart)
{
	struct core_node node = {.apart = is_apart || draw(seed, 2)};
	bool *may = arena_alloc(arena, HOSTS * sizeof(bool));

	for (size_t k = 0; k < CORE_KINDS; k++)
		node.wants[k] = draw(seed, 10);
	for (unsigned i = 0; i < HOSTS; i++)
		may[i] = draw(seed, 4) != 0;
	if (draw(seed, 2))
		node.may = may;
	return node;
}

static struct core_request
random_request(struct arena *arena, unsigned *seed, bool is_apart)
{
	unsigned n = 2 + draw(seed, 7);
	struct core_node *nodes = arena_alloc(arena, n * sizeof(nodes[0]));
	struct core_link *links = arena_alloc(arena, (size_t)2 * n * sizeof(links[0]));
	struct core_request request = {.nodes = nodes, .n_nodes = n, .links = links};

	for (unsigned i = 0; i < n; i++)
		nodes[i] = random_node(arena, seed, is_apart);
	for (unsigned i = 1; i < n + n / 2; i++) {
		unsigned a = i < n ? i : draw(seed, n), b = i < n ? draw(seed, i) : draw(seed, n);

		if (a == b)
			continue;
		links[request.n_links++] = (struct core_link){a, b, draw(seed, 20), draw(seed, 20),
		    draw(seed, 3) ? 0 : 1000 * (1 + draw(seed, 3))};
	}
	request.share_cost = draw(seed, 2) ? 0 : 1000;
	request.search_steps = request.improve_steps = MUCH;
	request.clock = &standing;
	return request;
}

/* ---- the checker ---- */

static void
check_nodes(
    struct core_net *net, const struct core_request *request, const struct core_answer *answer)
{
	for (size_t i = 0; i < request->n_nodes; i++) {
		const struct core_node *node = &request->nodes[i];
		unsigned host = answer->hosts[i];

		if (host == CORE_NOWHERE)
			continue;
		assert_true(!node->may || node->may[host]);
		for (size_t k = 0; k < CORE_KINDS; k++)
			assert_true((net->hosts[host].room[k] -= node->wants[k]) >= 0);
		for (size_t j = 0; j < i; j++) {
			if (answer->hosts[j] == CORE_NOWHERE)
				continue;
			assert_true(
			    !(node->apart & request->nodes[j].apart) || answer->hosts[j] != host);
		}
	}
}

static void
check_link(struct core_net *net, const struct core_link *link, const struct core_path *path,
    const unsigned *hosts)
{
	unsigned at = hosts[link->a];
	int64_t latency_us = 0;

	if (path->n_arcs == 0) {
		assert_equal(hosts[link->a], hosts[link->b]);
		net->slots[net->hosts[at].loop[0]].free -= link->up;
		net->slots[net->hosts[at].loop[1]].free -= link->down;
	}
	for (size_t i = 0; i < path->n_arcs; i++) {
		const struct core_arc *arc = &net->arcs[path->arcs[i]];

		assert_true(path->arcs[i] >= net->first[at] && path->arcs[i] < net->first[at + 1]);
		net->slots[arc->slot].free -= link->up;
		net->slots[arc->back].free -= link->down;
		latency_us += arc->latency_us;
		at = arc->to;
	}
	assert_equal(at, hosts[link->b]);
	assert_true(!link->latency_max_us || latency_us <= link->latency_max_us);
}

/* Books the answer in the net, and finds it good. */
static void
check(struct core_net *net, const struct core_request *request, const struct core_answer *answer)
{
	size_t n_placed = 0;

	check_nodes(net, request, answer);
	for (size_t i = 0; i < request->n_nodes; i++)
		n_placed += answer->hosts[i] != CORE_NOWHERE;
	assert_equal(n_placed, answer->n_placed);
	for (size_t i = 0; i < request->n_links; i++)
		if (answer->hosts[request->links[i].a] != CORE_NOWHERE &&
		    answer->hosts[request->links[i].b] != CORE_NOWHERE)
			check_link(net, &request->links[i], &answer->paths[i], answer->hosts);
	for (size_t i = 0; i < net->n_slots; i++)
		assert_true(net->slots[i].free >= 0);
}

static void
whole_and_partial_answers_keep_every_rule(void)
{
	enum { ROUNDS = 150 };

	unsigned n_whole = 0, n_nodes = 0;

	for (unsigned round = 1; round <= ROUNDS; round++) {
		auto_arena struct arena *arena = arena_new();
		unsigned seed = round;
		struct core_net *net = grid(arena, false);
		struct core_request request = random_request(arena, &seed, round % 2);
		struct core_answer answer;

		fill_grid(net, &seed);
		n_whole += core_solve(net, &request, arena, &answer);
		n_nodes += answer.n_placed;
		check(net, &request, &answer);
	}
	assert_true(n_whole > ROUNDS / 4 && n_whole < ROUNDS);
	assert_true(n_nodes > n_whole * 2);
}

static void
the_answer_does_not_change_the_net_and_is_always_the_same(void)
{
	auto_arena struct arena *arena = arena_new();
	unsigned seed = 3;
	struct core_net *net = grid(arena, false), *untouched = grid(arena, false);
	struct core_request request = random_request(arena, &seed, true);
	struct core_answer first, second;
	unsigned again = seed;

	fill_grid(net, &seed);
	fill_grid(untouched, &again);
	(void)!core_solve(net, &request, arena, &first);
	(void)!core_solve(net, &request, arena, &second);

	assert_true(memcmp(net->hosts, untouched->hosts, HOSTS * sizeof(net->hosts[0])) == 0);
	assert_true(
	    memcmp(net->slots, untouched->slots, net->n_slots * sizeof(net->slots[0])) == 0);
	assert_true(
	    memcmp(first.hosts, second.hosts, request.n_nodes * sizeof(first.hosts[0])) == 0);
	for (size_t i = 0; i < request.n_links; i++)
		assert_equal(first.paths[i].n_arcs, second.paths[i].n_arcs);
}

static void
what_is_taken_is_given_back(void)
{
	auto_arena struct arena *arena = arena_new();
	unsigned seed = 3, again = 3;
	struct core_net *net = grid(arena, false), *untouched = grid(arena, false);
	struct core_node nodes[] = {{.wants = {1, 2, 3}, .apart = 1}, {.wants = {3}, .apart = 1}};
	struct core_link link = {0, 1, 5, 7, 0};
	struct core_request request = {.nodes = nodes,
	    .n_nodes = 2,
	    .links = &link,
	    .n_links = 1,
	    .search_steps = MUCH,
	    .clock = &standing};
	struct core_answer answer;

	fill_grid(net, &seed);
	fill_grid(untouched, &again);
	assert_true(core_solve(net, &request, arena, &answer));
	core_take(net, &request, &answer, 1);
	assert_equal(
	    net->hosts[answer.hosts[0]].room[2], untouched->hosts[answer.hosts[0]].room[2] - 3);
	core_take(net, &request, &answer, -1);

	assert_true(memcmp(net->hosts, untouched->hosts, HOSTS * sizeof(net->hosts[0])) == 0);
	assert_true(
	    memcmp(net->slots, untouched->slots, net->n_slots * sizeof(net->slots[0])) == 0);
}

static int64_t
counted_ms(void *self)
{
	return (*(int64_t *)self)++;
}

static void
the_search_ends_when_its_time_is_over(void)
{
	auto_arena struct arena *arena = arena_new();
	unsigned seed = 5;
	struct core_net *net = grid(arena, false);
	struct core_request request = random_request(arena, &seed, true);
	int64_t now_ms = 0;
	struct clock clock = {counted_ms, counted_ms, &now_ms};
	struct core_node *nodes = arena_alloc(arena, sizeof(nodes[0]) * request.n_nodes);
	struct core_answer answer;

	fill_grid(net, &seed);
	memcpy(nodes, request.nodes, sizeof(nodes[0]) * request.n_nodes);
	nodes[0].wants[0] = 1000; /* has no place, so that all of the time is used */
	request.nodes = nodes;
	request.clock = &clock;
	request.deadline_ms = 9;
	assert_true(!core_solve(net, &request, arena, &answer));

	assert_true(now_ms > 9 && now_ms < 14);
}

static double
cost_of(const struct core_request *request, const struct core_answer *answer)
{
	double cost = 0;

	for (size_t i = 0; i < request->n_links; i++)
		cost += core_link_cost(&request->links[i], answer->paths[i].n_arcs);
	return cost;
}

/* What so much work after the first answer makes of some requests: the cost of all of them. */
static double
cost_after(uint64_t improve_steps)
{
	double cost = 0;

	for (unsigned round = 1; round <= 20; round++) {
		auto_arena struct arena *arena = arena_new();
		unsigned seed = round;
		struct core_net *net = grid(arena, true);
		struct core_request request = random_request(arena, &seed, true);
		struct core_answer answer;

		for (size_t i = 0; i < HOSTS; i++)
			for (size_t k = 0; k < CORE_KINDS; k++)
				net->hosts[i].size[k] = net->hosts[i].room[k] = 10;
		for (size_t i = 0; i < net->n_slots; i++)
			net->slots[i].size = net->slots[i].free = 100;
		request.share_cost = 0;
		request.improve_steps = improve_steps;
		assert_true(core_solve(net, &request, arena, &answer));
		cost += cost_of(&request, &answer);
	}
	return cost;
}

/* How many of some requests on a full grid find a place with so much work. */
static unsigned
n_found(uint64_t search_steps)
{
	unsigned n = 0;

	for (unsigned round = 1; round <= 100; round++) {
		auto_arena struct arena *arena = arena_new();
		unsigned seed = round;
		struct core_net *net = grid(arena, true);
		struct core_request request = random_request(arena, &seed, true);
		struct core_answer answer;

		fill_grid(net, &seed);
		request.search_steps = search_steps;
		n += core_solve(net, &request, arena, &answer);
	}
	return n;
}

static void
more_work_finds_more_answers(void)
{
	unsigned first = n_found(0), some = n_found(500), much = n_found(MUCH);

	assert_true(first < some && some < much);
}

static void
more_work_makes_a_better_answer(void)
{
	double first = cost_after(0), some = cost_after(2000), much = cost_after(MUCH);

	assert_true(first > some && some > much);
}

/* ---- planted: requests cut out of a grid that they fill to the last unit ---- */

struct planted {
	struct core_node nodes[SIDE];
	struct core_link links[SIDE];
	unsigned n;
};

static unsigned
arc_to(const struct core_net *net, unsigned from, unsigned to)
{
	unsigned i = net->first[from];

	while (net->arcs[i].to != to)
		i++;
	return i;
}

/* A chain of 2 to 5 hosts by a random walk; adds to the net what it needs. */
static void
plant(struct core_net *net, struct planted *planted, unsigned *seed)
{
	unsigned at = draw(seed, HOSTS), wants = 2 + draw(seed, SIDE - 1);
	bool is_used[HOSTS] = {false};

	*planted = (struct planted){0};
	for (unsigned tries = 0; planted->n < wants && tries < 40; tries++) {
		unsigned room = 1 + draw(seed, 9), rate = 1 + draw(seed, 9), n = planted->n;
		unsigned arc = net->first[at] + draw(seed, net->first[at + 1] - net->first[at]);
		unsigned to = n ? net->arcs[arc].to : at;

		if (is_used[to])
			continue;
		if (n) {
			planted->links[n - 1] = (struct core_link){n - 1, n, rate, 0, 0};
			net->slots[net->arcs[arc_to(net, at, to)].slot].size += rate;
		}
		planted->nodes[n] = (struct core_node){.wants = {room}, .apart = 1};
		net->hosts[to].size[0] += room;
		is_used[to] = true;
		at = to;
		planted->n++;
	}
}

/* How many of so many planted requests find a place when there is that much room in percent. */
static unsigned
placed_of(unsigned n, unsigned percent, unsigned seed)
{
	auto_arena struct arena *arena = arena_new();
	struct core_net *net = grid(arena, true);
	struct planted *all = arena_alloc(arena, n * sizeof(all[0]));
	unsigned n_placed = 0;

	for (unsigned i = 0; i < n; i++)
		plant(net, &all[i], &seed);
	for (size_t i = 0; i < net->n_hosts; i++)
		net->hosts[i].room[0] = net->hosts[i].size[0] =
		    (net->hosts[i].size[0] * percent + 99) / 100;
	for (size_t i = 0; i < net->n_slots; i++)
		net->slots[i].free = net->slots[i].size = (net->slots[i].size * percent + 99) / 100;
	for (unsigned i = 0; i < n; i++) {
		struct core_request request = {.nodes = all[i].nodes,
		    .n_nodes = all[i].n,
		    .links = all[i].links,
		    .n_links = all[i].n - 1,
		    .search_steps = MUCH,
		    .improve_steps = MUCH,
		    .clock = &standing};
		struct core_answer answer;

		if (!core_solve(net, &request, arena, &answer))
			continue;
		core_take(net, &request, &answer, 1);
		n_placed++;
	}
	for (size_t i = 0; i < net->n_slots; i++)
		assert_true(net->slots[i].free >= 0);
	return n_placed;
}

static void
requests_that_were_planted_are_placed(void)
{
	enum { REQUESTS = 60, SEEDS = 5 };

	unsigned tight = 0, loose = 0;

	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		tight += placed_of(REQUESTS, 100, seed);
		loose += placed_of(REQUESTS, 150, seed);
	}
	assert_true(tight * 100 >= REQUESTS * SEEDS * 85);
	assert_equal(loose, REQUESTS * SEEDS);
}

/* A link has a bound that the short path does not keep and a longer one does. */
static void
the_quick_path_is_taken_where_the_short_one_is_too_slow(void)
{
	auto_arena struct arena *arena = arena_new();
	struct core_net *net = grid(arena, false);
	bool first[HOSTS] = {true}, second[HOSTS] = {false, true};
	struct core_node nodes[] = {{.may = first}, {.may = second}};
	struct core_link link = {0, 1, 1, 1, 3000};
	struct core_request request = {.nodes = nodes,
	    .n_nodes = 2,
	    .links = &link,
	    .n_links = 1,
	    .search_steps = MUCH,
	    .clock = &standing};
	struct core_answer answer;

	for (size_t i = 0; i < net->n_slots; i++)
		net->slots[i].size = net->slots[i].free = 10;
	net->arcs[arc_to(net, 0, 1)].latency_us = 5000;
	assert_true(core_solve(net, &request, arena, &answer));

	assert_equal(answer.paths[0].n_arcs, 3);
	link.latency_max_us = 2000;
	assert_true(!core_solve(net, &request, arena, &answer));
}

static const struct test tests[] = {
    TEST(whole_and_partial_answers_keep_every_rule),
    TEST(the_answer_does_not_change_the_net_and_is_always_the_same),
    TEST(what_is_taken_is_given_back),
    TEST(the_search_ends_when_its_time_is_over),
    TEST(more_work_finds_more_answers),
    TEST(more_work_makes_a_better_answer),
    TEST(requests_that_were_planted_are_placed),
    TEST(the_quick_path_is_taken_where_the_short_one_is_too_slow),
};

suite_main("embed_core", tests)
