/*
 * Multipoint links taken apart: what hub and spokes are, and what stays as it was.
 */
#include <string.h>

#include "lib/base/vec.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const hosts[] = {"koganei", NULL};

#define MANY                                                                                       \
	"node a : p q\n"                                                                           \
	"node b : p q\n"                                                                           \
	"node c : p\n"                                                                             \
	"link ab bandwidth=5Mbps latency=7ms : a.q b.q\n"                                          \
	"link lan bandwidthUp=10Mbps bandwidthDown=20Mbps latency=9ms : a.p b.p c.p\n"

/* A document read, and what it expands to. */
struct pair {
	struct arena *arena;
	const struct slice *slice, *expanded;
};

static struct pair
expanded(const char *text)
{
	struct pair pair = {.arena = arena_new()};

	pair.slice = site_slice(
	    pair.arena, site_new(pair.arena, hosts), site_document(pair.arena, "s", text));
	pair.expanded = slice_expand(pair.slice, pair.arena);
	return pair;
}

static const char *
end_text(const struct pair *pair, const struct slice_link *link, unsigned which)
{
	const struct slice_bind_end *end = slice_link_end(pair->expanded, link, which);

	return end ? arena_format(pair->arena, "%s.%s", end->sliver, end->port) : "none";
}

static void
a_link_with_two_vports_stays_as_it_is(void)
{
	struct pair pair = expanded("node a : p\nnode b : p\nlink ab bandwidth=5Mbps latency=7ms : "
				    "a.p b.p\n");
	const struct slice_link *link = &pair.expanded->body.links[0];

	assert_equal(pair.expanded->body.n_nodes, 2);
	assert_equal(pair.expanded->body.n_links, 1);
	assert_equal(pair.expanded->body.n_binds, 2);
	assert_true(!link->whole);
	assert_equal(link->latency_us, 7000);
	assert_text(end_text(&pair, link, 1), "b.p");
	arena_free(pair.arena);
}

static void
a_link_with_more_becomes_a_hub_and_a_spoke_per_vport(void)
{
	struct pair pair = expanded(MANY);
	const struct slice_body *body = &pair.expanded->body;
	const struct slice_node *hub = &body->nodes[3];
	static const char *const ends[] = {"a.p", "b.p", "c.p"};

	assert_equal(body->n_nodes, 4);
	assert_equal(body->n_links, 4);
	assert_text(body->links[0].name, "ab");
	assert_true(hub->hub_of == &pair.slice->body.links[1]);
	assert_equal(hub->n_vports, 3);
	assert_equal(hub->cpu, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct slice_link *spoke = &body->links[1 + i];
		const struct slice_bind_end *far = slice_link_end(pair.expanded, spoke, 1);

		assert_text(spoke->name, "lan");
		assert_true(spoke->whole == hub->hub_of);
		assert_equal(spoke->n_vports, 2);
		assert_text(end_text(&pair, spoke, 0), ends[i]);
		assert_true(slice_find_node(pair.expanded, far->sliver) == hub);
		assert_text(far->port, hub->vports[i].name);
		assert_equal(spoke->where.line, 5);
	}
	arena_free(pair.arena);
}

static void
each_spoke_has_the_rates_of_its_link_and_half_of_its_latency(void)
{
	struct pair pair = expanded(MANY);

	for (size_t i = 1; i < 4; i++) {
		const struct slice_link *spoke = &pair.expanded->body.links[i];

		assert_equal(spoke->rate_up_bps, 10000000);
		assert_equal(spoke->rate_down_bps, 20000000);
		assert_equal(spoke->latency_us, 4500);
	}
	arena_free(pair.arena);
}

static void
ports_lead_to_their_spoke_and_know_their_side_of_it(void)
{
	struct pair pair = expanded(MANY);
	const struct slice_body *body = &pair.expanded->body;
	unsigned near = 9, far = 9;

	assert_true(slice_port_link(pair.expanded, slice_find_node(pair.expanded, "b"), "p",
			&near) == &body->links[2]);
	assert_true(slice_port_link(pair.expanded, &body->nodes[3], "e2", &far) == &body->links[2]);
	assert_equal(near, 0);
	assert_equal(far, 1);
	arena_free(pair.arena);
}

static void
the_slice_itself_is_not_changed(void)
{
	struct pair pair = expanded(MANY);

	assert_equal(pair.slice->body.n_nodes, 3);
	assert_equal(pair.slice->body.n_links, 2);
	assert_equal(pair.slice->body.links[1].n_vports, 3);
	assert_text(pair.slice->body.links[1].vports[1].name, "e2");
	assert_equal(pair.slice->body.links[1].latency_us, 9000);
	arena_free(pair.arena);
}

static const struct test tests[] = {
    TEST(a_link_with_two_vports_stays_as_it_is),
    TEST(a_link_with_more_becomes_a_hub_and_a_spoke_per_vport),
    TEST(each_spoke_has_the_rates_of_its_link_and_half_of_its_latency),
    TEST(ports_lead_to_their_spoke_and_know_their_side_of_it),
    TEST(the_slice_itself_is_not_changed),
};

suite_main("slice_expand", tests)
