/*
 * tnc: routers that are away, lose things or say what they should not; restarts.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/id.h"
#include "test/support/suite.h"
#include "test/support/tnc_net.h"

static bool
has_one_path(void *self)
{
	return net_paths(self).n_paths == 1;
}

static bool
was_tried(void *self)
{
	struct net *net = self;

	return net->sites[1].n_calls > 0;
}

static bool
is_coming_down(void *self)
{
	struct net *net = self;

	tnc_poke(net->tnc, POKE_PATHS);
	return !strcmp(net_paths(net).paths[0].state, "RELEASING");
}

static void
a_share_waits_for_a_router_that_is_not_reached(void)
{
	struct net *net = net_new("cut", 24);
	struct row_have have;
	struct held held;

	net->sites[1].is_cut = true;
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &held), ERR_NONE);
	have = net_say(net, VERB_COMMIT, held.rid, NULL);
	assert_equal(have.state, ROW_COMMITTED);
	assert_true(!have.is_real);
	assert_equal(have.why.code, ERR_WAIT);

	net->sites[1].is_cut = false;
	for (int i = 0; i < 4 && !have.is_real; i++)
		have = net_say(net, VERB_COMMIT, held.rid, NULL);
	assert_true(have.is_real);
	assert_true(net_leads(net, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	net_free(net);
}

/* How a share stands when it is committed once more; nothing is waited for. */
static struct row_have
stands(struct net *net, const struct held *held)
{
	struct row_want want = {.rid = held->rid, .kind = "share", .attr = "", .rev = 1};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.owner = "snc@ctl", .epoch = 1},
	    .verb = VERB_COMMIT,
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = net->arena};

	assert_true(manager_call(net->tnc->manager, &call, NULL));
	return have;
}

struct waiting {
	struct net *net;
	struct held held;
};

static bool
waits_for_its_rate(void *self)
{
	struct waiting *waiting = self;
	struct row_have have = stands(waiting->net, &waiting->held);

	return !have.is_real && have.why.code == ERR_WAIT &&
	       strstr(have.why.text, "has not heard of its new rate");
}

static bool
is_real(void *self)
{
	struct waiting *waiting = self;

	return stands(waiting->net, &waiting->held).is_real;
}

/* A share that has been real stays so: what its path is to have more is another's. */
static void
a_share_is_real_when_every_hop_has_its_rate(void)
{
	struct net *net = net_new("told", 24);
	struct waiting two = {.net = net};
	struct held one;

	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &one), ERR_NONE);
	assert_true(net_commit(net, &one));
	net->sites[1].is_cut = true;
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &two.held), ERR_NONE);
	assert_text(two.held.result.path, one.result.path);
	assert_true(eventually(waits_for_its_rate, &two));
	assert_true(net_commit(net, &one));

	net->sites[1].is_cut = false;
	assert_true(eventually(is_real, &two));
	net_free(net);
}

static bool
has_told_the_new_capacity(void *self)
{
	struct net *net = self;
	int64_t rate_bps, port_bps;

	return route_fake_rates(&net->sites[0].routes, "10.65.0.2", &rate_bps, &port_bps) &&
	       port_bps == 200 * mbps && rate_bps == mbps;
}

static void
an_inventory_with_other_capacities_is_told_after_the_start(void)
{
	struct net *net = net_new("capacity", 24);
	long link = graph_edge(&net->inventory->graph, "r1-r2");
	struct held held;

	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &held), ERR_NONE);
	assert_true(net_commit(net, &held));
	net_tnc_stop(net);
	assert_true(link >= 0);
	net->inventory->graph.edges[link].capacity_bps = 200 * mbps;
	net_tnc_start(net);

	assert_true(eventually(has_told_the_new_capacity, net));
	net_free(net);
}

static void
a_path_that_came_down_is_set_up_again(void)
{
	struct net *net = net_new("again", 24);
	struct row_have have;
	struct held held;

	net->sites[1].is_cut = true;
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &held), ERR_NONE);
	assert_true(eventually(was_tried, net));
	net->clock.ahead_ms += 31000; /* the deadline for all routes to be held */
	assert_true(eventually(is_coming_down, net));

	net->sites[1].is_cut = false;
	have = net_say(net, VERB_COMMIT, held.rid, NULL);
	for (int i = 0; i < 4 && !have.is_real; i++)
		have = net_say(net, VERB_COMMIT, held.rid, NULL);
	assert_true(have.is_real);
	assert_true(net_leads(net, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	net_free(net);
}

static void
a_restart_loses_nothing_and_finishes_what_was_begun(void)
{
	struct net *net = net_new("restart", 24);
	struct held stays, goes;

	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &stays), ERR_NONE);
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h3:u0", mbps, ""), &goes), ERR_NONE);
	assert_true(net_commit(net, &stays) && net_commit(net, &goes));
	net->sites[2].is_cut = true;
	assert_true(net_release(net, &goes));
	assert_equal(net_paths(net).n_paths, 2);
	net_tnc_stop(net);
	net_site_stop(net, 2);
	net_site_start(net, 2);
	net_tnc_start(net);
	net->sites[2].is_cut = false;

	assert_true(eventually(net_has_no_orphans, net));
	assert_true(eventually(has_one_path, net));
	assert_equal(route_fake_count(&net->sites[2].routes), 0);
	assert_true(net_leads(net, stays.result.next_hop_a, stays.result.address_b, "r1 r2 h2 "));
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 99 * mbps);
	net_free(net);
}

static void
a_router_that_is_silent_is_gone_around(void)
{
	struct net *net = net_new("silent", 24);
	struct controller_hello_args hello = {
	    .manager = "router@r1", .version = "1", .db_uuid = "u"};
	struct controller_hello_result result;
	auto_arena struct arena *arena = arena_new();
	struct rpc_call call = {.role = "router", .name = "r1", .arena = arena};
	struct err err = {0};

	net->clock.ahead_ms += ROUTER_DEAD_MS;
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 0);
	assert_true(tnc_controller_ops.hello(net->tnc, &call, &hello, &result, &err));
	call.name = "r2";
	hello.manager = "router@r2";
	assert_true(tnc_controller_ops.hello(net->tnc, &call, &hello, &result, &err));

	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 100 * mbps);
	assert_equal(net_edge(net, "r1-r3")->free_ab_bps, 0);
	net_free(net);
}

/* What the note of a router about a row leads to: notes about shares. */
static size_t
tell(struct net *net, const char *router, uint64_t rid, const struct manager_note **notes)
{
	struct controller_note note = {
	    arena_text(net->arena, id_text(rid).text), "repaired", "the route is missing"};
	struct controller_hello_args hello = {
	    .manager = arena_format(net->arena, "router@%s", router),
	    .version = "1",
	    .db_uuid = "u",
	    .notes = &note,
	    .n_notes = 1};
	struct rpc_call call = {.role = "router", .name = router, .arena = net->arena};
	struct controller_hello_result result;
	struct err err = {0};

	assert_true(tnc_controller_ops.hello(net->tnc, &call, &hello, &result, &err));
	return manager_notes(net->tnc->manager, 0, 10, net->arena, notes);
}

static void
a_route_put_right_is_noted_of_each_share_of_its_path(void)
{
	struct net *net = net_new("note", 24);
	const struct controller_row_state *rows;
	const struct manager_note *notes;
	struct held one, two;
	const char *other;
	size_t n_rows;

	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &one), ERR_NONE);
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &two), ERR_NONE);
	assert_true(net_commit(net, &one) && net_commit(net, &two));
	assert_true(controller_rows(
	    net->tnc->controller, NULL, net_paths(net).paths[0].name, net->arena, &rows, &n_rows));
	other = strcmp(rows[0].row.manager, "router@r1") ? "r1" : "r2";

	assert_equal(tell(net, other, rows[0].row.rid, &notes), 0);
	assert_equal(tell(net, strchr(rows[0].row.manager, '@') + 1, id_make(9, 9), &notes), 0);
	assert_equal(tell(net, strchr(rows[0].row.manager, '@') + 1, rows[0].row.rid, &notes), 2);
	assert_equal(notes[0].rid, one.rid);
	assert_equal(notes[1].rid, two.rid);
	assert_text(notes[0].what, "repaired");
	assert_text(notes[0].text,
	    arena_format(net->arena, "%s: the route is missing", rows[0].row.subject));
	net_free(net);
}

static void
a_hello_is_believed_from_its_router_alone(void)
{
	struct net *net = net_new("hello", 24);

	static const struct {
		const char *role, *name, *manager;
		enum err_code code;
	} cases[] = {
	    {"router", "r1", "router@r1", ERR_NONE},
	    {"router", "r1", "router@r2", ERR_FORBIDDEN},
	    {"redirector", "r1", "redirector@r1", ERR_FORBIDDEN},
	    {"router", "r9", "router@r9", ERR_NOT_FOUND},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		struct controller_hello_args hello = {
		    .manager = cases[i].manager, .version = "1", .db_uuid = "u"};
		struct rpc_call call = {cases[i].role, cases[i].name, arena};
		struct controller_hello_result result;
		struct err err = {0};

		(void)!tnc_controller_ops.hello(net->tnc, &call, &hello, &result, &err);
		assert_equal(err.code, cases[i].code);
	}
	net_free(net);
}

static void
orphans_are_named(void)
{
	struct net *net = net_new("orphans", 24);
	struct row_want want = {.rid = 99,
	    .kind = "route",
	    .spec = "path=x\ndestination=10.65.0.99\nnext_hop=10.64.0.9\ndevice=p1\n"};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.epoch = 1 << 20, .owner = "tnc@ctl"},
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = net->arena};
	struct tnc_orphans_result list;

	assert_true(manager_call(net->sites[1].manager, &call, NULL));
	net->sites[2].is_cut = true;

	list = net_orphans(net);
	assert_equal(list.n_orphans, 2);
	assert_text(list.orphans[0].manager, "router@r2");
	assert_true(strstr(list.orphans[0].line, "of no path") != NULL);
	assert_text(list.orphans[1].manager, "router@r3");
	assert_true(strstr(list.orphans[1].line, "the wire is cut") != NULL);
	net_free(net);
}

static void
a_route_has_one_row_and_one_address(void)
{
	struct net *net = net_new("route", 24);

	static const struct {
		const char *spec;
		enum err_code code;
	} cases[] = {
	    {"path=x\ndestination=10.65.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_NONE},
	    {"path=y\ndestination=10.65.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_CONFLICT},
	    {"path=x\ndestination=0.0.0.0\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.0/24\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=default\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=224.0.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=10.64.0.9\ndevice=../p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=10.64.0.9\n", ERR_BAD_VALUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row_want want = {.rid = 100 + i, .kind = "route", .spec = cases[i].spec};
		struct row_have have = {0};
		struct manager_call call = {.caller = {.epoch = 1, .owner = "tnc@other"},
		    .want = &want,
		    .n = 1,
		    .have = &have,
		    .arena = net->arena};

		assert_true(manager_call(net->sites[0].manager, &call, NULL));
		assert_equal(have.why.code, cases[i].code);
	}
	net_free(net);
}

static const struct test tests[] = {
    TEST(a_share_waits_for_a_router_that_is_not_reached),
    TEST(a_share_is_real_when_every_hop_has_its_rate),
    TEST(an_inventory_with_other_capacities_is_told_after_the_start),
    TEST(a_path_that_came_down_is_set_up_again),
    TEST(a_restart_loses_nothing_and_finishes_what_was_begun),
    TEST(a_router_that_is_silent_is_gone_around),
    TEST(a_route_put_right_is_noted_of_each_share_of_its_path),
    TEST(a_hello_is_believed_from_its_router_alone),
    TEST(orphans_are_named),
    TEST(a_route_has_one_row_and_one_address),
};

suite_main("tnc_routers", tests)
