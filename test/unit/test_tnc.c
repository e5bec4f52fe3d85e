/*
 * tnc: shares find paths, share them, give them back.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/id.h"
#include "test/support/suite.h"
#include "test/support/tnc_net.h"

static void
a_committed_share_is_pinned_in_both_directions(void)
{
	struct net *net = net_new("pinned", 24);
	struct held held;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 50 * mbps, ""), &held), ERR_NONE);
	assert_true(net_commit(net, &held));

	assert_text(held.result.next_hop_a, "10.64.0.2");
	assert_text(held.result.next_hop_b, "10.64.0.6");
	assert_equal(held.result.latency_us, 3000);
	assert_true(net_leads(net, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	assert_true(net_leads(net, held.result.next_hop_b, held.result.address_a, "r2 r1 h1 "));
	assert_text(net_paths(net).paths[0].state, "ACTIVE");
	assert_equal(net_orphans(net).n_orphans, 0);
	net_free(net);
}

static void
a_link_drawn_the_other_way_round_shares_the_path(void)
{
	struct net *net = net_new("turned", 24);
	struct held one, two;
	int64_t before = net_view(net).revision;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 50 * mbps, ""), &one), ERR_NONE);
	assert_equal(net_reserve(net,
			 "slice=s\nlink=l\na=h2:u0\nb=h1:u0\nrate_ab_bps=20000000\n"
			 "rate_ba_bps=30000000\nlatency_us=0\n",
			 &two),
	    ERR_NONE);

	assert_text(two.result.path, one.result.path);
	assert_text(two.result.address_a, one.result.address_b);
	assert_text(two.result.address_b, one.result.address_a);
	assert_text(two.result.next_hop_a, one.result.next_hop_b);
	assert_equal(net_paths(net).paths[0].n_shares, 2);
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 20 * mbps);
	assert_equal(net_edge(net, "r1-r2")->free_ba_bps, 30 * mbps);
	assert_true(net_view(net).revision != before);
	net_free(net);
}

static void
what_is_full_is_gone_around(void)
{
	struct net *net = net_new("around", 24);
	struct held held[3];

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 60 * mbps, ""), &held[0]), ERR_NONE);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 60 * mbps, ""), &held[1]), ERR_NONE);
	assert_true(net_commit(net, &held[0]) && net_commit(net, &held[1]));

	assert_equal(held[1].result.latency_us, 6000);
	assert_true(
	    net_leads(net, held[0].result.next_hop_a, held[0].result.address_b, "r1 r2 h2 "));
	assert_true(
	    net_leads(net, held[1].result.next_hop_a, held[1].result.address_b, "r1 r3 r2 h2 "));
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 950 * mbps, ""), &held[2]), ERR_R03);
	net_free(net);
}

static void
a_wish_is_kept_where_it_is_possible(void)
{
	struct net *net = net_new("wish", 24);
	static const char around[] = "edge=h1-r1\nedge=r1-r3\nedge=r3-r2\nedge=h2-r2\n";

	static const struct {
		const char *wish;
		int64_t rate_mbps, latency_us;
	} cases[] = {
	    {around, 10, 6000},
	    {"edge=h1-r1\nedge=r1-r3\nedge=r3-r2\n", 10, 3000},  /* ends too early */
	    {"edge=h1-r1\nedge=r3-r2\nedge=h2-r2\n", 10, 3000},  /* has a gap */
	    {"edge=h1-r1\nedge=nowhere\n", 10, 3000},            /* is not there */
	    {"edge=h1-r1\nedge=r1-r2\nedge=h2-r2\n", 150, 6000}, /* has no room */
	    {"edge=h1-r1\nedge=h1-r1\nedge=h1-r1\nedge=r1-r2\nedge=h2-r2\n", 10, 3000}, /* loops */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held held;
		const char *spec =
		    net_share(net, "h1:u0", "h2:u0", cases[i].rate_mbps * mbps, cases[i].wish);

		assert_equal(net_reserve(net, spec, &held), ERR_NONE);
		assert_equal(held.result.latency_us, cases[i].latency_us);
		assert_true(net_release(net, &held));
	}
	net_free(net);
}

/* Raised on a path that has no room for both; only what it has more is charged. */
static void
a_share_in_place_of_another_is_charged_the_difference(void)
{
	struct net *net = net_new("instead", 24);
	struct held one, two, other;
	char instead[40];

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 60 * mbps, ""), &one), ERR_NONE);
	(void)snprintf(instead, sizeof(instead), "instead=%s\n", id_text(one.rid).text);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 80 * mbps, instead), &two), ERR_NONE);

	assert_text(two.result.path, one.result.path);
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 20 * mbps);
	assert_true(net_commit(net, &one) && net_commit(net, &two) && net_release(net, &one));
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 20 * mbps);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 80 * mbps, ""), &other), ERR_NONE);
	assert_true(strcmp(other.result.path, two.result.path) != 0);
	assert_true(net_release(net, &two));
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 100 * mbps);
	net_free(net);
}

static void
a_reserve_may_be_repeated_but_not_changed(void)
{
	struct net *net = net_new("repeat", 24);
	const char *spec = net_share(net, "h1:u0", "h2:u0", 50 * mbps, "");
	struct row_have first = net_say(net, VERB_RESERVE, 77, spec);
	struct row_have again = net_say(net, VERB_RESERVE, 77, spec);
	struct row_have other =
	    net_say(net, VERB_RESERVE, 77, net_share(net, "h1:u0", "h2:u0", 60 * mbps, ""));

	assert_text(first.result, again.result);
	assert_equal(other.why.code, ERR_OP_MISMATCH);
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 50 * mbps);
	net_free(net);
}

static void
what_is_no_share_is_refused(void)
{
	struct net *net = net_new("refused", 24);

	const struct {
		const char *spec;
		enum err_code code;
	} cases[] = {
	    {net_share(net, "h1:u1", "h2:u0", 1, ""), ERR_NOT_FOUND},
	    {net_share(net, "r1", "h2:u0", 1, ""), ERR_NOT_FOUND},
	    {net_share(net, "h1:u0", "h1:u0", 1, ""), ERR_BAD_VALUE},
	    {net_share(net, "h1:u0", "h2:u0", -1, ""), ERR_BAD_VALUE},
	    {net_share(net, "h1:u0", "h2:u0", INT64_MAX, ""), ERR_BAD_VALUE},
	    {"a=h1:u0\n", ERR_BAD_VALUE},
	    {"", ERR_BAD_VALUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held held;

		assert_equal(net_reserve(net, cases[i].spec, &held), cases[i].code);
	}
	assert_equal(net_paths(net).n_paths, 0);
	net_free(net);
}

static void
a_path_goes_with_its_last_share(void)
{
	struct net *net = net_new("last", 24);
	struct held one, two;
	int64_t before = net_view(net).revision;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 50 * mbps, ""), &one), ERR_NONE);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 50 * mbps, ""), &two), ERR_NONE);
	assert_true(net_commit(net, &one) && net_commit(net, &two));

	assert_true(net_release(net, &one));
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 50 * mbps);
	assert_true(net_leads(net, two.result.next_hop_a, two.result.address_b, "r1 r2 h2 "));
	assert_true(net_release(net, &two));

	assert_true(eventually(net_has_no_paths, net) && eventually(net_has_no_routes, net));
	assert_equal(net_view(net).revision, before);
	assert_true(eventually(net_has_no_orphans, net));
	net_free(net);
}

static bool
fits_again(void *self)
{
	struct net *net = self;
	struct held held;

	return net_reserve(net, net_share(net, "h2:u0", "h3:u0", mbps, ""), &held) == ERR_NONE;
}

static void
addresses_run_out_and_come_back(void)
{
	struct net *net = net_new("pool", 29); /* three pairs */
	static const char around[] = "edge=h1-r1\nedge=r1-r3\nedge=r3-r2\nedge=h2-r2\n";
	struct held held[3], more;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &held[0]), ERR_NONE);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, around), &held[1]), ERR_NONE);
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h3:u0", mbps, ""), &held[2]), ERR_NONE);
	assert_text(held[2].result.address_b, "10.65.0.6");
	assert_equal(net_reserve(net, net_share(net, "h2:u0", "h3:u0", mbps, ""), &more), ERR_R04);

	assert_true(net_release(net, &held[1]));
	assert_true(eventually(fits_again, net));
	net_free(net);
}

/* What the router guarantees to packets to an address, and what their port carries: "20 of 100". */
static bool
guarantees(struct net *net, int router, const char *address, const char *wanted)
{
	int64_t rate_bps, port_bps;
	const char *found;

	(void)route_fake_rates(&net->sites[router - 1].routes, address, &rate_bps, &port_bps);
	found = arena_format(
	    net->arena, "%lld of %lld", (long long)(rate_bps / mbps), (long long)(port_bps / mbps));
	if (strcmp(found, wanted) != 0)
		printf("\nwanted '%s', got '%s'\n", wanted, found);
	return !strcmp(found, wanted);
}

static const char uneven[] = "slice=s\nlink=l\na=h2:u0\nb=h1:u0\nrate_ab_bps=20000000\n"
			     "rate_ba_bps=30000000\nlatency_us=0\n";

static bool
is_fifty(void *self)
{
	struct net *net = self;
	int64_t rate_bps, port_bps;

	return route_fake_rates(&net->sites[0].routes, "10.65.0.2", &rate_bps, &port_bps) &&
	       rate_bps == 50 * mbps;
}

static void
each_hop_guarantees_the_sum_of_the_shares(void)
{
	struct net *net = net_new("sum", 24);
	struct held one, two;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 50 * mbps, ""), &one), ERR_NONE);
	assert_true(net_commit(net, &one));
	assert_true(guarantees(net, 1, one.result.address_b, "50 of 100"));
	assert_true(guarantees(net, 1, one.result.address_a, "50 of 1000"));
	assert_true(guarantees(net, 2, one.result.address_b, "50 of 1000"));
	assert_true(guarantees(net, 2, one.result.address_a, "50 of 100"));

	assert_equal(net_reserve(net, uneven, &two), ERR_NONE);
	assert_true(net_commit(net, &two));
	assert_text(two.result.path, one.result.path);
	assert_true(guarantees(net, 1, one.result.address_b, "80 of 100"));
	assert_true(guarantees(net, 1, one.result.address_a, "70 of 1000"));
	assert_true(guarantees(net, 2, one.result.address_b, "80 of 1000"));
	assert_true(guarantees(net, 2, one.result.address_a, "70 of 100"));

	assert_true(net_release(net, &two));
	assert_true(eventually(is_fifty, net));
	net_free(net);
}

/* ---- churn ----------------------------------------------------------------------------------- */

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

/* What is free on the links of a path's hops must be capacity less all shares: counted here from
 * the list of paths, which says hops, not links. */
static void
books_agree(struct net *net)
{
	struct tnc_path_list_result list = net_paths(net);
	struct tnc_view_result view = net_view(net);

	for (size_t i = 0; i < view.n_edges; i++) {
		const struct tnc_edge *edge = &view.edges[i];
		int64_t used = 0;

		for (size_t k = 0; k < list.n_paths; k++) {
			char *way = arena_format(net->arena, "%s %s %s", list.paths[k].a,
			    list.paths[k].hops, list.paths[k].b);
			char *there = arena_format(net->arena, "%s %s", edge->a, edge->b);
			char *back = arena_format(net->arena, "%s %s", edge->b, edge->a);

			if (strstr(way, there) || strstr(way, back))
				used += list.paths[k].rate_ab_bps;
		}
		assert_true(edge->free_ab_bps >= 0);
		assert_equal(edge->free_ab_bps, edge->capacity_bps - used);
		assert_equal(edge->free_ba_bps, edge->free_ab_bps);
	}
}

static void
capacity_is_never_exceeded(void)
{
	static const char *const ports[] = {"h1:u0", "h2:u0", "h3:u0"};
	struct net *net = net_new("churn", 24);
	struct held held[24] = {{0}};
	int n_taken = 0, n_refused = 0;
	uint64_t seed = 5;

	for (int i = 0; i < 200; i++) {
		struct held *one = &held[dice(&seed, 24)];
		unsigned a = dice(&seed, 3);
		const char *b = ports[(a + 1 + dice(&seed, 2)) % 3];
		int64_t rate_bps = (1 + dice(&seed, 200)) * mbps;

		if (one->rid) {
			assert_true(net_release(net, one));
			one->rid = 0;
		} else if (net_reserve(net, net_share(net, ports[a], b, rate_bps, ""), one) ==
			   ERR_NONE) {
			n_taken++;
		} else {
			one->rid = 0;
			n_refused++;
		}
		books_agree(net);
	}
	assert_true(n_taken > 40 && n_refused > 10);
	for (int i = 0; i < 24; i++)
		assert_true(!held[i].rid || net_release(net, &held[i]));
	assert_true(eventually(net_has_no_paths, net) && eventually(net_has_no_routes, net));
	assert_true(eventually(net_has_no_orphans, net));
	net_free(net);
}

static const struct test tests[] = {
    TEST(a_committed_share_is_pinned_in_both_directions),
    TEST(a_link_drawn_the_other_way_round_shares_the_path),
    TEST(what_is_full_is_gone_around),
    TEST(a_wish_is_kept_where_it_is_possible),
    TEST(a_share_in_place_of_another_is_charged_the_difference),
    TEST(a_reserve_may_be_repeated_but_not_changed),
    TEST(what_is_no_share_is_refused),
    TEST(a_path_goes_with_its_last_share),
    TEST(addresses_run_out_and_come_back),
    TEST(each_hop_guarantees_the_sum_of_the_shares),
    TEST(capacity_is_never_exceeded),
};

suite_main("tnc", tests)
