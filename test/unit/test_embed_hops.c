/*
 * The shortest way between two hosts of a net.
 */
#include <string.h>

#include "snc/embed_core.h"
#include "test/support/suite.h"

static unsigned
draw(unsigned *seed, unsigned n)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % n;
}

enum { HOSTS = 4, VERTICES = 2 * HOSTS + 6, ARCS = 20 };

/* Hosts that are left by one vertex and entered by another, and some arcs anywhere. */
static struct core_net *
random_net(struct arena *arena, unsigned *seed)
{
	struct core_net *net = arena_new_of(arena, struct core_net);
	struct core_draft drafts[ARCS];

	net->n_hosts = 1 + draw(seed, HOSTS);
	net->n_vertices = VERTICES;
	net->hosts = arena_alloc(arena, net->n_hosts * sizeof(net->hosts[0]));
	net->host_at = arena_alloc(arena, VERTICES * sizeof(net->host_at[0]));
	for (unsigned i = 0; i < VERTICES; i++)
		net->host_at[i] = CORE_NOWHERE;
	for (unsigned i = 0; i < net->n_hosts; i++) {
		net->hosts[i].leave = 2 * i;
		net->hosts[i].enter = 2 * i + 1;
		net->host_at[2 * i + 1] = i;
	}
	for (unsigned i = 0; i < ARCS; i++)
		drafts[i] = (struct core_draft){draw(seed, VERTICES), {.to = draw(seed, VERTICES)}};
	(void)core_connect(net, drafts, ARCS, arena);
	return net;
}

/* One arc further; true when that enters another host. */
static bool
go_on(const struct core_net *net, unsigned host, unsigned from, bool *is_reached)
{
	bool is_there = false;

	for (unsigned i = net->first[from]; i < net->first[from + 1]; i++) {
		unsigned at = net->host_at[net->arcs[i].to];

		is_reached[net->arcs[i].to] = true;
		is_there = is_there || (at != CORE_NOWHERE && at != host);
	}
	return is_there;
}

/* From one host, hop by hop. */
static unsigned
hops_from(const struct core_net *net, unsigned host)
{
	bool is_reached[VERTICES] = {false}, is_there = false;
	unsigned n_hops = 0;

	is_reached[net->hosts[host].leave] = true;
	for (; !is_there && n_hops < VERTICES; n_hops++) {
		bool next[VERTICES];

		memcpy(next, is_reached, sizeof(next));
		for (unsigned v = 0; v < VERTICES; v++)
			is_there = (is_reached[v] && go_on(net, host, v, next)) || is_there;
		memcpy(is_reached, next, sizeof(next));
	}
	return n_hops;
}

static void
the_shortest_way_between_hosts_is_the_shortest(void)
{
	unsigned seed = 7, n_far = 0;

	for (int round = 0; round < 2000; round++) {
		auto_arena struct arena *arena = arena_new();
		const struct core_net *net = random_net(arena, &seed);
		unsigned least = VERTICES;

		for (unsigned i = 0; i < net->n_hosts; i++)
			least = hops_from(net, i) < least ? hops_from(net, i) : least;
		n_far += least > 3 && least < VERTICES;
		assert_equal(core_least_hops(net, arena), least < VERTICES ? least : 1);
	}
	assert_true(n_far > 50);
}

static const struct test tests[] = {
    TEST(the_shortest_way_between_hosts_is_the_shortest),
};

suite_main("embed_hops", tests)
