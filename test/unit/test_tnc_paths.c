/*
 * tnc: where a path could run, and why not; what is closed for maintenance.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/when.h"
#include "lib/model/units.h"
#include "test/support/suite.h"
#include "test/support/tnc_net.h"

/*
 *     h1:u0 --- r1 --- r2 --- h2:u0     r1-r2 100 Mbps, 1 ms; the others 1 Gbps
 *                `- r3 -´               r1-r3, r3-r2 2 ms each
 *     h1:u1 --- r3 --- h2:u1
 * One duct for h1-r1 and h2-r3. Maintenance on 1 January 2030: r3 from 8 to 10, r1-r2 from 9 to 12.
 */
static const char network[] =
    "<transport version=\"1.0\"><pool prefix=\"10.65.0.0/24\"/>"
    "<router name=\"r1\" address=\"10.63.0.21\"/><router name=\"r2\" address=\"10.63.0.22\"/>"
    "<router name=\"r3\" address=\"10.63.0.23\">"
    "<maintenance from=\"2030-01-01T08:00Z\" until=\"2030-01-01T10:00Z\"/></router>"
    "<host name=\"h1\"/><host name=\"h2\"/>"
    "<link name=\"h1-r1\" capacity=\"1Gbps\" latency=\"1ms\" risk=\"duct\">"
    "<end node=\"h1\" port=\"u0\" address=\"10.64.0.1\"/>"
    "<end node=\"r1\" port=\"p0\" address=\"10.64.0.2\"/></link>"
    "<link name=\"h2-r2\" capacity=\"1Gbps\" latency=\"1ms\">"
    "<end node=\"h2\" port=\"u0\" address=\"10.64.0.5\"/>"
    "<end node=\"r2\" port=\"p0\" address=\"10.64.0.6\"/></link>"
    "<link name=\"r1-r2\" capacity=\"100Mbps\" latency=\"1ms\" cost=\"10\" risk=\"bridge\">"
    "<end node=\"r1\" port=\"p1\" address=\"10.64.0.9\"/>"
    "<end node=\"r2\" port=\"p1\" address=\"10.64.0.10\"/>"
    "<maintenance from=\"2030-01-01T09:00Z\" until=\"2030-01-01T12:00Z\"/>%s</link>"
    "<link name=\"r1-r3\" capacity=\"1Gbps\" latency=\"2ms\">"
    "<end node=\"r1\" port=\"p2\" address=\"10.64.0.13\"/>"
    "<end node=\"r3\" port=\"p1\" address=\"10.64.0.14\"/></link>"
    "<link name=\"r3-r2\" capacity=\"1Gbps\" latency=\"2ms\">"
    "<end node=\"r3\" port=\"p2\" address=\"10.64.0.17\"/>"
    "<end node=\"r2\" port=\"p2\" address=\"10.64.0.18\"/></link>"
    "<link name=\"h1-r3\" capacity=\"1Gbps\" latency=\"3ms\">"
    "<end node=\"h1\" port=\"u1\" address=\"10.64.0.21\"/>"
    "<end node=\"r3\" port=\"p0\" address=\"10.64.0.22\"/></link>"
    "<link name=\"h2-r3\" capacity=\"1Gbps\" latency=\"3ms\" risk=\"duct\">"
    "<end node=\"h2\" port=\"u1\" address=\"10.64.0.25\"/>"
    "<end node=\"r3\" port=\"p3\" address=\"10.64.0.26\"/></link>"
    "</transport>";

static struct net *
start(const char *name, const char *more)
{
	struct err err = {0};
	auto_str struct str xml = {0};
	struct net *net;

	str_addf(&xml, network, more);
	net = net_new_of(name, xml.text);
	for (int i = 0; i < N_ROUTERS; i++)
		assert_true(
		    routers_heard(net->tnc->routers, net->inventory->routers[i].name, &err));
	net->role = "noc";
	return net;
}

static struct tnc_path_candidates_result
ask(struct net *net, const struct tnc_path_candidates_args *args)
{
	struct tnc_path_candidates_result result = {0};
	struct err err = {0};

	if (!tnc_path_candidates_call(&net->client, net->arena, args, &result, &err))
		printf("\n%s\n", err.text);
	assert_text(err.text, "");
	return result;
}

static int64_t
at(const char *when)
{
	struct err err = {0};
	int64_t at_ms = 0;

	assert_true(when_parse(when, 0, &at_ms, &err));
	return at_ms;
}

static void
the_best_come_first(void)
{
	struct net *net = start("best", "");
	struct tnc_path_candidates_args args = {
	    .a = "h1:u0", .b = "h2:u0", .rate_bps = 50 * mbps, .k = {true, 9}};
	struct tnc_path_candidates_result delay = ask(net, &args), cost, widest;

	args.metric = "cost";
	cost = ask(net, &args);
	args.metric = "widest";
	widest = ask(net, &args);

	assert_equal(delay.n_ways, 2);
	assert_true(delay.proven);
	assert_text(delay.ways[0].hops, "r1 r2");
	assert_text(delay.ways[0].links, "h1-r1 r1-r2 h2-r2");
	assert_text(delay.ways[0].risks, "duct bridge");
	assert_equal(delay.ways[0].latency_us, 3000);
	assert_equal(delay.ways[0].cost, 12);
	assert_equal(delay.ways[0].free_bps, 100 * mbps);
	assert_text(delay.ways[1].hops, "r1 r3 r2");
	assert_text(cost.ways[0].hops, "r1 r3 r2");
	assert_text(widest.ways[0].hops, "r1 r3 r2");
	assert_equal(widest.ways[0].free_bps, 1000 * mbps);
	net_free(net);
}

static void
what_shares_have_is_not_free(void)
{
	struct net *net = start("taken", "");
	struct tnc_path_candidates_args args = {.a = "h1:u0", .b = "r2", .rate_bps = 50 * mbps};
	struct tnc_path_candidates_result result;
	struct held held;

	net->role = "snc";
	assert_equal(
	    net_reserve(net, net_share(net, "h1:u0", "h2:u0", 60 * mbps, ""), &held), ERR_NONE);
	net->role = "noc";
	result = ask(net, &args);

	assert_equal(result.n_ways, 1);
	assert_text(result.ways[0].hops, "r1 r3 r2");
	assert_equal(result.ways[0].free_bps, 940 * mbps);
	net_free(net);
}

/* From any port of the one host to any port of the other. */
static void
two_ways_leave_a_host_by_two_ports(void)
{
	struct net *net = start("pair", "");
	struct tnc_path_candidates_args args = {
	    .a = "h1", .b = "h2", .rate_bps = 50 * mbps, .disjoint = "node"};
	struct tnc_path_candidates_result result = ask(net, &args);

	assert_equal(result.n_ways, 2);
	assert_text(result.ways[0].links, "h1-r1 r1-r2 h2-r2");
	assert_text(result.ways[1].links, "h1-r3 h2-r3");
	assert_text(result.ways[1].hops, "r3");
	net_free(net);
}

/* Every remedy for itself is to make the question one that has ways. */
static void
remedies_help(struct net *net, const struct tnc_path_candidates_args *args,
    const struct tnc_path_candidates_result *result)
{
	for (size_t i = 0; i < result->n_remedies; i++) {
		const struct tnc_remedy *remedy = &result->remedies[i];
		struct tnc_path_candidates_args other = *args;
		int64_t length_ms = args->until_ms.value - args->from_ms.value;
		struct err err = {0};

		if (!strcmp(remedy->change, "rate"))
			assert_true(unit_rate(remedy->value, &other.rate_bps, &err));
		if (!strcmp(remedy->change, "latency"))
			assert_true(unit_time(remedy->value, &other.latency_us.value, &err));
		if (!strcmp(remedy->change, "hops"))
			assert_true(unit_count(remedy->value, &other.hops.value, &err));
		if (!strcmp(remedy->change, "disjoint"))
			other.disjoint = strcmp(remedy->value, "none") != 0 ? remedy->value : NULL;
		if (!strcmp(remedy->change, "from")) {
			other.from_ms.value = at(remedy->value);
			other.until_ms.value = other.from_ms.value + length_ms;
		}
		assert_true(ask(net, &other).n_ways > 0);
	}
}

/* "SUBJECT WHY LACKS UNTIL; …" and "CHANGE VALUE; …" */
static const char *
explained(struct net *net, const struct tnc_path_candidates_result *result)
{
	auto_str struct str text = {0};

	for (size_t i = 0; i < result->n_hindrances; i++) {
		const struct tnc_hindrance *hindrance = &result->hindrances[i];

		str_addf(&text, "%s %s", hindrance->subject, hindrance->why);
		if (hindrance->lacks_bps)
			str_addf(&text, " %s", rate_text(hindrance->lacks_bps).text);
		if (hindrance->until_ms.is_set)
			str_addf(&text, " until %s", when_text(hindrance->until_ms.value).text);
		str_add(&text, "; ");
	}
	str_add(&text, "| ");
	for (size_t i = 0; i < result->n_remedies; i++)
		str_addf(&text, "%s %s; ", result->remedies[i].change, result->remedies[i].value);
	return arena_text(net->arena, str_text(&text));
}

static void
a_refusal_says_what_is_in_the_way_and_what_would_do(void)
{
	static const struct {
		struct tnc_path_candidates_args args;
		const char *from, *until, *why, *explained;
	} cases[] = {
	    {{.a = "h1:u0", .b = "h2:u0", .rate_bps = 1500000000}, NULL, NULL,
		"there is no way from 'h1:u0' to 'h2:u0' with 1.5 Gbps",
		"link h1-r1 full 500 Mbps; link r1-r3 full 500 Mbps; link r3-r2 full 500 Mbps; "
		"link h2-r2 full 500 Mbps; | rate 1000000kbps; "},
	    {{.a = "h1:u0", .b = "h2:u0", .rate_bps = 200000000, .latency_us = {true, 4000}}, NULL,
		NULL, "there is no way from 'h1:u0' to 'h2:u0' with 200 Mbps within 4 ms",
		"link r1-r2 full 100 Mbps; | rate 100000kbps; latency 6000us; "},
	    {{.a = "h1", .b = "h2:u0", .rate_bps = 200000000, .hops = {true, 2}}, NULL, NULL,
		"there is no way from 'h1' to 'h2:u0' with 200 Mbps over 2 links at most",
		"| hops 3; "},
	    {{.a = "h1", .b = "h2", .rate_bps = 50000000, .disjoint = "risk"}, NULL, NULL,
		"there are no two ways from 'h1' to 'h2' with 50 Mbps that have no risk in common",
		"| disjoint node; "},
	    {{.a = "h1:u0", .b = "h2", .rate_bps = 50000000, .disjoint = "node"}, NULL, NULL,
		"there are no two ways from 'h1:u0' to 'h2' with 50 Mbps that have no node in "
		"common",
		"link h1-r1 needed; | disjoint none; "},
	    {{.a = "h1", .b = "h2", .rate_bps = 50000000}, "2030-01-01T09:30Z", "2030-01-01T09:40Z",
		"there is no way from 'h1' to 'h2' with 50 Mbps",
		"router r3 maintenance until 2030-01-01T10:00:00Z; | from "
		"2030-01-01T10:00:00Z; "},
	    {{.a = "h1:u0", .b = "h2:u0", .rate_bps = 50000000}, "2030-01-01T07:00Z",
		"2030-01-01T13:00Z", "there is no way from 'h1:u0' to 'h2:u0' with 50 Mbps",
		"router r3 maintenance until 2030-01-01T10:00:00Z; | from "
		"2030-01-01T10:00:00Z; "},
	};
	struct net *net = start("refusal", "");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tnc_path_candidates_args args = cases[i].args;
		struct tnc_path_candidates_result result;

		if (cases[i].from) {
			args.from_ms = (struct rpc_opt_i64){true, at(cases[i].from)};
			args.until_ms = (struct rpc_opt_i64){true, at(cases[i].until)};
		}
		result = ask(net, &args);
		if (strcmp(result.why, cases[i].why) != 0 ||
		    strcmp(explained(net, &result), cases[i].explained) != 0)
			printf("\n%s\n%s\n", result.why, explained(net, &result));
		assert_equal(result.n_ways, 0);
		assert_text(result.why, cases[i].why);
		assert_text(explained(net, &result), cases[i].explained);
		remedies_help(net, &args, &result);
	}
	net_free(net);
}

/* What counts is the worst instant of the window, however short. */
static void
a_window_is_as_free_as_its_worst_instant(void)
{
	static const struct {
		const char *from, *until, *hops;
	} cases[] = {
	    {"2030-01-01T07:00Z", "2030-01-01T08:00Z", "r1 r2"},
	    {"2030-01-01T07:00Z", "2030-01-01T08:00:00.001Z", "r1 r2"},
	    {"2030-01-01T10:00Z", "2030-01-01T10:01Z", "r1 r3 r2"},
	    {"2030-01-01T11:59:59.999Z", "2030-01-02T00:00Z", "r1 r3 r2"},
	    {"2030-01-01T12:00Z", "2030-01-02T00:00Z", "r1 r2"},
	};
	struct net *net = start("window", "");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tnc_path_candidates_args args = {.a = "h1:u0",
		    .b = "h2:u0",
		    .rate_bps = mbps,
		    .k = {true, 1},
		    .from_ms = {true, at(cases[i].from)},
		    .until_ms = {true, at(cases[i].until)}};

		assert_text(ask(net, &args).ways[0].hops, cases[i].hops);
	}
	net_free(net);
}

static void
nothing_is_led_over_what_is_under_maintenance(void)
{
	struct net *net =
	    start("now", "<maintenance from=\"2020-01-01T00:00Z\" until=\"2199-01-01T00:00Z\"/>");
	struct tnc_path_candidates_args args = {.a = "h1:u0", .b = "h2:u0", .rate_bps = mbps};
	struct held held;

	assert_text(ask(net, &args).ways[0].hops, "r1 r3 r2");
	net->role = "snc";
	assert_equal(net_edge(net, "r1-r2")->free_ab_bps, 0);
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", 0, ""), &held), ERR_NONE);
	assert_equal(held.result.latency_us, 6000);
	assert_text(net_paths(net).paths[0].links, "h1-r1 r1-r3 r3-r2 h2-r2");
	net_free(net);
}

static void
one_path_is_shown_by_its_name(void)
{
	struct net *net = start("show", "");
	struct tnc_path_list_args args = {0};
	struct tnc_path_list_result result;
	struct held one, two;
	struct err err = {0};

	net->role = "snc";
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &one), ERR_NONE);
	assert_equal(net_reserve(net, net_share(net, "h1:u1", "h2:u1", mbps, ""), &two), ERR_NONE);
	args.name = two.result.path;

	assert_true(tnc_path_list_call(&net->client, net->arena, &args, &result, &err));
	assert_equal(result.n_paths, 1);
	assert_text(result.paths[0].a, "h1:u1");
	args.name = "none";
	assert_true(!tnc_path_list_call(&net->client, net->arena, &args, &result, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	net_free(net);
}

static void
what_makes_no_sense_is_refused(void)
{
	static const struct {
		struct tnc_path_candidates_args args;
		enum err_code code;
		const char *text;
	} cases[] = {
	    {{.a = "h11:u0", .b = "h2"}, ERR_NOT_FOUND,
		"'h11:u0' is no host, port or router of the transport network"},
	    {{.a = "h1", .b = "h1"}, ERR_BAD_VALUE, "both ends are 'h1'"},
	    {{.a = "h1", .b = "h1:u0"}, ERR_BAD_VALUE, "both ends are 'h1'"},
	    {{.a = "h1", .b = "h2", .rate_bps = -1}, ERR_BAD_VALUE, "the rate is out of range"},
	    {{.a = "h1", .b = "h2", .rate_bps = INT64_MAX}, ERR_BAD_VALUE,
		"the rate is out of range"},
	    {{.a = "h1", .b = "h2", .k = {true, 0}}, ERR_BAD_VALUE, "k 0 is not from 1 to 64"},
	    {{.a = "h1", .b = "h2", .hops = {true, 5000}}, ERR_BAD_VALUE,
		"hops 5000 is not from 1 to 4096"},
	    {{.a = "h1", .b = "h2", .metric = "dela"}, ERR_BAD_VALUE,
		"metric 'dela' is none of: delay cost load widest"},
	    {{.a = "h1", .b = "h2", .disjoint = "everything"}, ERR_BAD_VALUE,
		"disjoint 'everything' is none of: link node risk"},
	    {{.a = "h1", .b = "h2", .disjoint = "link", .k = {true, 3}}, ERR_BAD_VALUE,
		"disjoint ways are two, not 3"},
	    {{.a = "h1", .b = "h2", .from_ms = {true, 1000}, .until_ms = {true, 1000}},
		ERR_BAD_VALUE, "from 1970-01-01T00:00:01Z until 1970-01-01T00:00:01Z is no time"},
	    {{.a = "h1", .b = "h2", .from_ms = {true, INT64_MAX}}, ERR_BAD_VALUE, "is no time"},
	    {{.a = "h1", .b = "h2", .until_ms = {true, INT64_MAX}}, ERR_BAD_VALUE, "is no time"},
	};
	struct net *net = start("senseless", "");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tnc_path_candidates_result result;
		struct err err = {0};

		assert_true(!tnc_path_candidates_call(
		    &net->client, net->arena, &cases[i].args, &result, &err));
		assert_equal(err.code, cases[i].code);
		assert_true(strstr(err.text, cases[i].text) != NULL);
	}
	net_free(net);
}

static const struct test tests[] = {
    TEST(the_best_come_first),
    TEST(what_shares_have_is_not_free),
    TEST(two_ways_leave_a_host_by_two_ports),
    TEST(a_refusal_says_what_is_in_the_way_and_what_would_do),
    TEST(a_window_is_as_free_as_its_worst_instant),
    TEST(nothing_is_led_over_what_is_under_maintenance),
    TEST(one_path_is_shown_by_its_name),
    TEST(what_makes_no_sense_is_refused),
};

suite_main("tnc_paths", tests)
