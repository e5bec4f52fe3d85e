/*
 * Nodes that are together and apart, in documents: how they are written, what cannot be, and what
 * another document makes of them.
 */
#include <string.h>

#include "lib/model/slice_check.h"
#include "lib/model/slice_company.h"
#include "lib/model/slice_diff.h"
#include "lib/xml/xml_read.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const hosts[] = {"koganei", "nagoya", "osaka", NULL};

#define NODES                                                                                      \
	"node a : p\nnode b : p\nnode c : p\nlink ab bandwidth=1Mbps : a.p b.p\n" /* 4 lines */

static int
schema_verdict(const char *text)
{
	size_t size;
	auto_free char *xsd = test_read("schemas/slice-design.xsd", &size);
	struct err err = {0};

	return xml_validate(text, strlen(text), xsd, size, &err);
}

/* A document of three nodes with that in its mapping, each element in a line of its own. */
static const char *
document_with(struct arena *arena, const char *mapping)
{
	const char *plain = site_document(arena, "s", NODES "together a b\n");
	const char *at = strstr(plain, "<together>");

	return arena_format(
	    arena, "%.*s\n%s\n</mapping></slice-design>", (int)(at - plain), plain, mapping);
}

static void
bad_forms_have_their_code_and_line_as_the_schema_has(void)
{
	static const struct {
		const char *mapping;
		enum err_code code;
		unsigned line; /* after the mapping's own */
	} cases[] = {
	    {"<together><member node=\"a\"/>\n<member node=\"b\"/></together>", ERR_NONE, 0},
	    {"<apart><member node=\"a\"/><member node=\"b\"/></apart>", ERR_NONE, 0},
	    {"<together><member node=\"a\"/>\n<member node=\"x\"/></together>", ERR_X15, 2},
	    {"<apart><member node=\"a\"/>\n<member node=\"ab\"/></apart>", ERR_X15, 2},
	    {"<apart><member node=\"a\"/>\n<member node=\"a\"/></apart>", ERR_X16, 2},
	    {"\n<apart><member node=\"a\"/></apart>", ERR_X08, 2},
	    {"\n<together/>", ERR_X08, 2},
	    {"<together><member node=\"a\"/>\n<member name=\"b\"/></together>", ERR_X04, 2},
	    {"<apart>\n<amap node=\"a\" vnode=\"osaka\"/></apart>", ERR_X05, 2},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		const char *text = document_with(arena, cases[i].mapping);
		diagnoses found = {0};
		struct slice *slice;
		bool is_good = slice_read(text, strlen(text), arena, &slice, &found),
		     is_told = false;

		vec_each (each, &found)
			is_told = is_told ||
				  (each->code == cases[i].code && each->line == 5 + cases[i].line);
		assert_equal(is_good, cases[i].code == ERR_NONE);
		assert_equal(is_told, cases[i].code != ERR_NONE);
		assert_equal(schema_verdict(text), is_good);
		vec_done(&found);
	}
}

static void
what_cannot_be_is_refused_at_its_line_with_a_way_out(void)
{
	static const struct {
		const char *places;
		unsigned line;
		const char *text;
	} cases[] = {
	    {"together a b\napart a b\n", 6,
		"node 'b': it is to be apart from 'a', and together with it"},
	    {"together a b\ntogether b c\napart c a\n", 7,
		"node 'a': it is to be apart from 'c', and together with it"},
	    {"amap a osaka\namap b nagoya\ntogether a b\n", 6,
		"node 'b': it is mapped to 'nagoya', and together with 'a', which is mapped to "
		"'osaka' in "
		"line "
		"5"},
	    {"amap a osaka\namap b osaka\napart a b\n", 7,
		"node 'b': it is to be apart from 'a', and both are held on 'osaka' by amaps "
		"(lines 5 and "
		"6)"},
	    {"amap a osaka\namap b osaka\ntogether b c\napart a c\n", 8,
		"node 'c': it is to be apart from 'a', and both are held on 'osaka' by amaps "
		"(lines 5 and "
		"6)"},
	};
	static const struct slice_host known[] = {
	    {"koganei", false}, {"nagoya", false}, {"osaka", false}};
	static const struct slice_image images[] = {{"container-minimal", SLICE_FORM_CONTAINER, 0}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		const struct slice_world world = {.role = "developer",
		    .images = images,
		    .n_images = 1,
		    .hosts = known,
		    .n_hosts = 3,
		    .arena = arena};
		const char *text =
		    site_document(arena, "s", arena_format(arena, NODES "%s", cases[i].places));
		diagnoses found = {0};
		struct err told = {0};
		struct slice *slice;
		bool is_good;

		assert_true(slice_read(text, strlen(text), arena, &slice, &found));
		is_good =
		    slice_defaults(slice, arena, &found) && slice_check(slice, &world, &found);
		assert_true(!is_good);
		vec_each (each, &found)
			told = each->is_warning ? told : *each;
		assert_equal(diagnoses_errors(&found, 0), 1);
		assert_equal(told.code, ERR_S18);
		assert_equal(told.line, cases[i].line);
		assert_text(told.text, cases[i].text);
		assert_true(told.hint[0] && told.xpath[0] == '/');
		vec_done(&found);
	}
}

static void
what_is_written_reads_as_the_same(void)
{
	auto_arena struct arena *arena = arena_new();
	const struct substrate *substrate = site_new(arena, hosts);
	struct slice *slice = site_slice(arena, substrate,
	    site_document(arena, "s", NODES "amap a osaka\ntogether a b\napart a c\napart b c\n"));
	auto_str struct str once = {0}, twice = {0};

	assert_equal(slice->n_companies, 3);
	slice_write(slice, &once);
	assert_equal(schema_verdict(str_text(&once)), 1);
	slice_write(site_slice(arena, substrate, str_text(&once)), &twice);
	assert_text(str_text(&twice), str_text(&once));
	assert_equal(slice_apart(slice, arena)[0], 1);
	assert_equal(slice_apart(slice, arena)[1], 2);
	assert_equal(slice_apart(slice, arena)[2], 3);
}

/* a and c on koganei, b on nagoya; what becomes of each with that in the new mapping. */
static const char *
turned(struct arena *arena, const char *places)
{
	static const struct slice_place at[] = {
	    {"a", "koganei", false}, {"b", "nagoya", false}, {"c", "koganei", false}};
	const struct substrate *substrate = site_new(arena, hosts);
	struct slice_diff_request request = {
	    .before = site_slice(arena, substrate, site_document(arena, "s", NODES)),
	    .after = site_slice(arena, substrate,
		site_document(arena, "s", arena_format(arena, NODES "%s", places))),
	    .places = at,
	    .n_places = 3,
	};
	auto_str struct str text = {0};
	struct slice_diff diff;

	slice_diff(&request, arena, &diff);
	slice_diff_print(&diff, &text);
	return arena_text(arena, str_text(&text));
}

static bool
stays(const char *diff, const char *node)
{
	auto_arena struct arena *arena = arena_new();

	return strstr(diff, arena_format(arena, "node %s: unchanged\n", node));
}

static void
a_node_whose_company_changes_begins_anew_where_it_may(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *diff = turned(arena, "together a c\napart a b\n");

	assert_true(stays(diff, "a") && stays(diff, "b") && stays(diff, "c"));
	diff = turned(arena, "apart a c\n");
	assert_true(stays(diff, "a") && stays(diff, "b"));
	assert_true(strstr(diff, "node c: restart, rebuilt: on koganei, to be apart from a\n"));
	diff = turned(arena, "together a b\n");
	assert_true(stays(diff, "a") && stays(diff, "c"));
	assert_true(strstr(diff, "node b: restart, rebuilt: on nagoya, to be together with a\n"));
	/* What has an amap is the one that stays. */
	diff = turned(arena, "amap c koganei\napart a c\n");
	assert_true(stays(diff, "b") && stays(diff, "c"));
	assert_true(strstr(diff, "node a: restart, rebuilt: on koganei, to be apart from c\n"));
}

/* The example that the guide tells of. */
static void
the_example_says_where_its_nodes_are(void)
{
	auto_arena struct arena *arena = arena_new();
	size_t size;
	auto_free char *text = test_read("examples/apart.xml", &size);
	const struct slice *slice = site_slice(arena, site_new(arena, hosts), text);
	size_t *first = slice_together(slice, arena);
	uint64_t *apart = slice_apart(slice, arena);

	assert_equal(schema_verdict(text), 1);
	assert_equal(slice->body.n_nodes, 3);
	assert_true(first[1] == 0 && first[2] == 2);
	assert_true(
	    apart[slice_node_at(slice, "server1")] & apart[slice_node_at(slice, "server2")]);
}

enum { MANY = 256, COMPANIES = 64 };

/* As many companies as a document may have, each of as many nodes. */
static char *
crowded(struct arena *arena)
{
	auto_str struct str members = {0}, text = {0};

	for (int i = 0; i < MANY; i++)
		str_addf(&text, "node n%d : p\n", i);
	str_add(&text, "together n0 n1\n");
	const char *plain = site_document(arena, "s", str_text(&text));
	const char *at = strstr(plain, "<together>");

	text.len = 0;
	str_addf(&text, "%.*s", (int)(at - plain), plain);
	for (int i = 0; i < MANY; i++)
		str_addf(&members, "<member node=\"n%d\"/>", i);
	for (int i = 0; i < COMPANIES; i++)
		str_addf(&text, "<apart>%s</apart>", str_text(&members));
	str_add(&text, "</mapping></slice-design>");
	return arena_text(arena, str_text(&text));
}

static void
large_companies_are_checked_as_small_ones_are(void)
{
	auto_arena struct arena *arena = arena_new();
	struct check check = {.found = &(diagnoses){0}};
	char *text = crowded(arena);
	const uint64_t *apart;
	struct slice *slice;

	assert_true(slice_read(text, strlen(text), arena, &slice, check.found));
	assert_equal(slice->n_companies, COMPANIES);
	slice_check_company(&check, slice);
	assert_equal(check.found->n, 0);
	apart = slice_apart(slice, arena);
	for (int i = 0; i < MANY; i++)
		assert_true(apart[i] == UINT64_MAX);
	slice->companies[0].is_apart = false;
	slice_check_company(&check, slice);
	assert_equal(check.found->n, DIAGNOSES_MAX);
	assert_equal(check.found->items[0].code, ERR_S18);
	assert_equal(check.found->items[DIAGNOSES_MAX - 1].code, ERR_LIMIT);
	vec_done(check.found);
}

static const struct test tests[] = {
    TEST(large_companies_are_checked_as_small_ones_are),
    TEST(bad_forms_have_their_code_and_line_as_the_schema_has),
    TEST(what_cannot_be_is_refused_at_its_line_with_a_way_out),
    TEST(what_is_written_reads_as_the_same),
    TEST(the_example_says_where_its_nodes_are),
    TEST(a_node_whose_company_changes_begins_anew_where_it_may),
};

suite_main("slice_company", tests)
