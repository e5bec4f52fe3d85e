/*
 * tnc/inventory: what a transport.xml says, and what is wrong with it, with lines.
 */
#include "tnc/inventory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/xml/xml_read.h"
#include "test/support/suite.h"

/* Lines are what the cases below count. */
static const char good[] = "<transport version=\"1.0\">\n"
			   "  <pool prefix=\"10.65.0.0/16\"/>\n"
			   "  <router name=\"r1\" address=\"10.63.0.21\" risk=\"tunnel\"/>\n"
			   "  <router name=\"r2\" address=\"10.63.0.22\"/>\n"
			   "  <host name=\"h1\"/>\n"
			   "  <host name=\"h2\"/>\n"
			   "  <link name=\"h1-r1\" capacity=\"1Gbps\" latency=\"1ms\">\n"
			   "    <end node=\"h1\" port=\"u0\" address=\"10.64.0.1\"/>\n"
			   "    <end node=\"r1\" port=\"p0\" address=\"10.64.0.2\"/>\n"
			   "  </link>\n"
			   "  <link name=\"r1-r2\" capacity=\"500Mbps\" latency=\"250us\" "
			   "cost=\"7\" risk=\"duct-7 tunnel\">\n"
			   "    <end node=\"r1\" port=\"p1\" address=\"10.64.0.5\"/>\n"
			   "    <end node=\"r2\" port=\"p1\" address=\"10.64.0.6\"/>\n"
			   "    <maintenance from=\"2026-11-22T08:00Z\" "
			   "until=\"2026-11-22T10:00Z\"/>\n"
			   "  </link>\n"
			   "  <link name=\"r2-h2\" capacity=\"1Gbps\" latency=\"1ms\">\n"
			   "    <end node=\"r2\" port=\"p0\" address=\"10.64.0.9\"/>\n"
			   "    <end node=\"h2\" port=\"u0\" address=\"10.64.0.10\"/>\n"
			   "  </link>\n"
			   "</transport>\n";

/* One edit of the good document, what is said of it, and whether the schema sees it too. */
static const struct {
	const char *from, *to;
	unsigned line;
	enum err_code code;
	int is_valid;
} cases[] = {
    {"version=\"1.0\"", "version=\"2.0\"", 1, ERR_X03, 0},
    {"10.65.0.0/16", "10.65.0.0", 2, ERR_BAD_VALUE, 0},
    {"10.65.0.0/16", "10.65.0.1/16", 2, ERR_BAD_VALUE, 1},
    {"10.65.0.0/16", "10.65.0.0/31", 2, ERR_BAD_VALUE, 1},
    {"10.65.0.0/16", "10.0.0.0/33", 2, ERR_BAD_VALUE, 1},
    {"10.65.0.0/16", "10.64.0.0/16", 8, ERR_BAD_VALUE, 1},
    {"10.63.0.22", "10.63.0.222.1", 4, ERR_BAD_VALUE, 0},
    {"10.63.0.22", "10.63.0.21", 4, ERR_X12, 1},
    {"name=\"r2\" address", "name=\"r1\" address", 4, ERR_X12, 0},
    {"name=\"h2\"", "name=\"r1\"", 6, ERR_X12, 0},
    {"name=\"h2\"", "nam=\"h2\"", 6, ERR_X05, 0},
    {"name=\"r1-r2\"", "name=\"h1-r1\"", 11, ERR_X12, 0},
    {"capacity=\"500Mbps\"", "capacity=\"-5Mbps\"", 11, ERR_S08, 0},
    {"capacity=\"500Mbps\"", "capacity=\"500\"", 11, ERR_S08, 0},
    {"capacity=\"500Mbps\"", "capacity=\"500000Gbps\"", 11, ERR_S08, 1},
    {"latency=\"250us\"", "latency=\"11s\"", 11, ERR_LIMIT, 1},
    {"latency=\"250us\"", "", 11, ERR_X04, 0},
    {"node=\"r2\" port=\"p1\"", "node=\"r9\" port=\"p1\"", 13, ERR_NOT_FOUND, 0},
    {"node=\"r2\" port=\"p1\"", "node=\"r1\" port=\"p2\"", 11, ERR_BAD_VALUE, 1},
    {"node=\"r1\" port=\"p1\"", "node=\"r1\" port=\"p0\"", 12, ERR_X12, 0},
    {"10.64.0.10", "10.64.0.9", 18, ERR_X12, 0},
    {"10.64.0.10", "10.64.0.256", 18, ERR_BAD_VALUE, 1},
    {"    <end node=\"h2\" port=\"u0\" address=\"10.64.0.10\"/>\n", "", 16, ERR_X08, 0},
    {"cost=\"7\"", "cost=\"0\"", 11, ERR_BAD_VALUE, 0},
    {"cost=\"7\"", "cost=\"-3\"", 11, ERR_BAD_VALUE, 0},
    {"cost=\"7\"", "cost=\"1000001\"", 11, ERR_BAD_VALUE, 0},
    {"duct-7 tunnel", "duct-7  tunnel", 11, ERR_X18, 0},
    {"duct-7 tunnel", "7-duct", 11, ERR_X18, 0},
    {"duct-7 tunnel", "tunnel tunnel", 11, ERR_X12, 1},
    {"risk=\"tunnel\"", "risk=\"\"", 3, ERR_X18, 0},
    {"2026-11-22T08:00Z", "+90m", 14, ERR_BAD_VALUE, 0},
    {"2026-11-22T08:00Z", "2026-11-31T08:00Z", 14, ERR_BAD_VALUE, 1},
    {"2026-11-22T08:00Z", "2026-11-22T08:00", 14, ERR_BAD_VALUE, 0},
    {"2026-11-22T08:00Z", "2026-11-22T10:00Z", 14, ERR_BAD_VALUE, 1},
    {" until=\"2026-11-22T10:00Z\"", "", 14, ERR_X04, 0},
    {"  <host name=\"h2\"/>\n", "  <switch name=\"h2\"/>\n", 6, ERR_X05, 0},
    {"<transport version", "<!DOCTYPE x><transport version", 1, ERR_X19, -1},
};

static char *
edited(const char *from, const char *to)
{
	const char *at = strstr(good, from);
	size_t size = sizeof(good) + strlen(to);
	char *out = xmalloc(size);

	assert_true(at != NULL);
	snprintf(out, size, "%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
	return out;
}

static void
a_good_inventory_becomes_a_graph(void)
{
	diagnoses found = {0};
	auto_inventory struct inventory *inventory = inventory_read(good, strlen(good), &found);
	const struct graph *graph;

	assert_equal(found.n, 0);
	assert_true(inventory != NULL);
	if (!inventory) /* for the analyzer */
		return;
	graph = &inventory->graph;
	assert_equal(inventory->pool_first, 0x0a410001);
	assert_equal(inventory->pool_last, 0x0a41fffe);
	assert_equal(graph->n_vertices, 4);
	assert_text(graph->vertices[2], "h1:u0");
	assert_true(graph->is_transit[0] && graph->is_transit[1]);
	assert_true(!graph->is_transit[2] && !graph->is_transit[3]);
	assert_equal(graph->edges[1].a, 0);
	assert_equal(graph->edges[1].b, 1);
	assert_equal(graph->edges[1].capacity_bps, 500000000);
	assert_equal(graph->edges[1].free_ba_bps, 500000000);
	assert_equal(graph->edges[1].latency_us, 250);
	assert_text(inventory_far(&inventory->links[2], 1)->address, "10.64.0.10");
	assert_equal(inventory_link(inventory, "r1-r2"), 1);
	assert_equal(inventory_link(inventory, "r1"), -1);
	assert_text(inventory_near(&inventory->links[2], 1)->port, "p0");
	vec_done(&found);
}

static void
cost_risks_and_maintenance_are_read(void)
{
	static const int64_t start_ms = 1795334400000; /* 2026-11-22T08:00Z */
	static const int64_t length_ms = 7200000;
	diagnoses found = {0};
	auto_inventory struct inventory *inventory = inventory_read(good, strlen(good), &found);
	struct inventory_windows *windows;

	assert_true(inventory != NULL);
	if (!inventory) /* for the analyzer */
		return;
	assert_equal(inventory->costs[0], 1);
	assert_equal(inventory->costs[1], 7);
	assert_equal(inventory->n_risks, 2);
	assert_equal(inventory->link_risks.first[1], 0);
	assert_equal(inventory->link_risks.first[2], 2);
	assert_equal(inventory->link_risks.first[3], 2);
	assert_text(inventory->risks[inventory->link_risks.items[0]], "duct-7");
	assert_text(inventory->risks[inventory->vertex_risks.items[0]], "tunnel");
	assert_equal(inventory->vertex_risks.first[1], 1);
	assert_equal(inventory->vertex_risks.first[4], 1);
	windows = &inventory->links[1].maintenance;
	assert_equal(inventory->links[0].maintenance.n, 0);
	assert_equal(windows->items[0].from_ms, start_ms);
	assert_equal(inventory_until(windows, &(struct inventory_window){0, start_ms}), 0);
	assert_equal(inventory_until(windows, &(struct inventory_window){0, start_ms + 1}),
	    start_ms + length_ms);
	assert_equal(inventory_until(windows,
			 &(struct inventory_window){windows->items[0].until_ms, INT64_MAX}),
	    0);
	vec_done(&found);
}

/* Every fault that is ours comes with a remedy. */
static void
an_unknown_router_is_answered_with_the_nearest(void)
{
	auto_free char *xml = edited("node=\"r2\" port=\"p1\"", "node=\"r22\" port=\"p1\"");
	diagnoses found = {0};

	assert_true(inventory_read(xml, strlen(xml), &found) == NULL);
	assert_equal(found.n, 1);
	assert_text(found.items[0].hint, "'r2'?");
	vec_done(&found);
}

static void
each_fault_is_named_with_its_line(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *xml = edited(cases[i].from, cases[i].to);
		diagnoses found = {0};
		auto_inventory struct inventory *inventory =
		    inventory_read(xml, strlen(xml), &found);
		bool is_named = false;

		vec_each (entry, &found)
			is_named |= entry->line == cases[i].line && entry->code == cases[i].code;
		if (!is_named && found.n)
			printf("\n'%s': line %u %s %s\n", cases[i].to, found.items[0].line,
			    err_code_text(found.items[0].code), found.items[0].text);
		assert_true(inventory == NULL);
		assert_true(is_named);
		vec_done(&found);
	}
}

/* What the schema refuses we refuse; what it cannot see is marked in the table. */
static void
the_schema_agrees(void)
{
	size_t xsd_size;
	auto_free char *xsd = test_read("schemas/transport.xsd", &xsd_size);

	assert_equal(xml_validate(good, strlen(good), xsd, xsd_size, NULL), 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *xml = edited(cases[i].from, cases[i].to);

		if (cases[i].is_valid < 0)
			continue;
		if (xml_validate(xml, strlen(xml), xsd, xsd_size, NULL) != cases[i].is_valid)
			printf("\n'%s' -> '%s'\n", cases[i].from, cases[i].to);
		assert_equal(
		    xml_validate(xml, strlen(xml), xsd, xsd_size, NULL), cases[i].is_valid);
	}
}

static void
all_faults_are_found_at_once(void)
{
	auto_free char *xml = edited("10.65.0.0/16", "10.65.0.0/40");
	diagnoses found = {0};
	char *rate = strstr(xml, "500Mbps"), *address = strstr(xml, "10.64.0.10");

	rate[5] = 'q';
	address[8] = 'x';

	assert_true(inventory_read(xml, strlen(xml), &found) == NULL);
	assert_equal(found.n, 3);
	assert_equal(found.items[0].line, 2);
	assert_equal(found.items[1].line, 11);
	assert_equal(found.items[2].line, 18);
	vec_done(&found);
}

static void
a_missing_file_is_said_to_be_missing(void)
{
	struct err err = {0};

	assert_true(inventory_load("/nonexistent/transport.xml", &err) == NULL);
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(strstr(err.text, "/nonexistent/transport.xml") != NULL);
}

static const struct test tests[] = {
    TEST(a_good_inventory_becomes_a_graph),
    TEST(cost_risks_and_maintenance_are_read),
    TEST(an_unknown_router_is_answered_with_the_nearest),
    TEST(each_fault_is_named_with_its_line),
    TEST(the_schema_agrees),
    TEST(all_faults_are_found_at_once),
    TEST(a_missing_file_is_said_to_be_missing),
};

suite_main("inventory", tests)
