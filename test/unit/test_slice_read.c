/*
 * Pass 1 of a slice document: codes, lines, xpaths, limits; held against the schema.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/slice.h"
#include "lib/xml/xml_read.h"
#include "test/support/suite.h"

struct verdict {
	bool is_good;
	diagnoses found;
};

static struct verdict
verdict_of(const char *text, size_t size)
{
	auto_arena struct arena *arena = arena_new();
	struct slice *slice = NULL;
	struct verdict verdict = {0};

	verdict.is_good = slice_read(text, size, arena, &slice, &verdict.found);
	CU_ASSERT_EQUAL(verdict.is_good, slice != NULL);
	return verdict;
}

static int
schema_verdict(const char *text, size_t size)
{
	size_t xsd_size;
	auto_free char *xsd = test_read("schemas/slice-design.xsd", &xsd_size);
	struct err err = {0};

	return xml_validate(text, size, xsd, xsd_size, &err);
}

static void
valid_documents_are_read(void)
{
	static const char *const files[] = {"test/data/slice/demo3.xml",
	    "test/data/slice/demo-full.xml", "examples/hello-ring.xml"};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t size;
		auto_free char *text = test_read(files[i], &size);
		struct verdict verdict = verdict_of(text, size);

		vec_each (err, &verdict.found)
			printf("\n%s:%u: %s %s", files[i], err->line, err_code_text(err->code),
			    err->text);
		CU_ASSERT_TRUE(verdict.is_good);
		CU_ASSERT_EQUAL(schema_verdict(text, size), 1);
		vec_done(&verdict.found);
	}
}

static void
each_broken_document_gives_its_code_first_and_its_line(void)
{
	static const struct {
		const char *file;
		enum err_code code;
		unsigned line;
		int schema;
	} cases[] = {
	    {"x01_not_wellformed", ERR_X01, 37, -1},
	    {"x02_wrong_root", ERR_X02, 2, 0},
	    {"x03_bad_version", ERR_X03, 2, 0},
	    {"x04_missing_slice_name", ERR_X04, 2, 0},
	    {"x05_unknown_element", ERR_X05, 3, 0},
	    {"x06_dup_sliver_name", ERR_X06, 16, 0},
	    {"x07_dup_vport_in_sliver", ERR_X07, 19, 0},
	    {"x08_link_one_vport", ERR_X08, 5, 0},
	    {"x09_bind_unknown_sliver", ERR_X09, 26, 0},
	    {"x10_bind_three_ends", ERR_X10, 26, 0},
	    {"x11_port_bound_twice", ERR_X11, 28, 0},
	    {"x12_dup_resource_key", ERR_X12, 6, 0},
	    {"x13_bad_access_method", ERR_X13, 21, 0},
	    {"x14_bad_metric", ERR_X14, 32, 0},
	    {"x15_amap_unknown_node", ERR_X15, 36, 0},
	    {"x16_amap_twice", ERR_X16, 36, 0},
	    {"x17_no_nodes", ERR_X17, 11, 0},
	    {"x18_name_injection", ERR_X18, 12, 0},
	    {"x19_doctype_entity", ERR_X19, 2, 1}, /* the schema alone accepts it */
	    {"x20_missing_subtype", ERR_X20, 5, 0},
	    {"x21_point_unknown_sliver", ERR_X21, 32, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char path[128];
		size_t size;
		auto_free char *text = NULL;
		struct verdict verdict;

		snprintf(path, sizeof(path), "test/data/slice/bad/%s.xml", cases[i].file);
		text = test_read(path, &size);
		verdict = verdict_of(text, size);
		CU_ASSERT_FALSE(verdict.is_good);
		assert_true(verdict.found.n > 0);
		CU_ASSERT_EQUAL(verdict.found.items[0].code, cases[i].code);
		CU_ASSERT_EQUAL(verdict.found.items[0].line, cases[i].line);
		CU_ASSERT_EQUAL(schema_verdict(text, size), cases[i].schema);
		vec_done(&verdict.found);
	}
}

/* ---- documents made by the test ---- */

/* A slice of n links between two nodes that have as many vports. */
static void
add_slice(struct str *out, unsigned n_links, unsigned n_nodes)
{
	str_add(out, "<slice-design version='1.0'><slicespec name='s'><sliverdef><linkSlivers>\n");
	for (unsigned i = 0; i < n_links; i++)
		str_addf(out,
		    "<linkSliver name='l%u' subtype='GRE'><vports><vport name='a'/><vport "
		    "name='b'/></vports></linkSliver>\n",
		    i);
	str_add(out, "</linkSlivers><nodeSlivers>\n");
	for (unsigned i = 0; i < n_nodes; i++)
		str_addf(out,
		    "<nodeSliver name='n%u'><instance type='prog' subtype='SlowPath_VM'/><vports>"
		    "<vport name='p'/></vports></nodeSliver>\n",
		    i);
	str_add(out, "</nodeSlivers></sliverdef><structure/></slicespec></slice-design>\n");
}

static void
the_largest_counts_are_accepted_and_one_more_is_not(void)
{
	static const struct {
		unsigned n_links, n_nodes;
		enum err_code code;
		unsigned line;
	} cases[] = {{1024, 256, ERR_NONE, 0}, {1025, 256, ERR_X08, 1026},
	    {1024, 257, ERR_X08, 1024 + 2 + 257}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_str struct str text = {0};
		struct verdict verdict;

		add_slice(&text, cases[i].n_links, cases[i].n_nodes);
		verdict = verdict_of(text.text, text.len);
		CU_ASSERT_EQUAL(verdict.found.n, cases[i].code != ERR_NONE);
		CU_ASSERT_EQUAL(schema_verdict(text.text, text.len), verdict.is_good);
		if (verdict.found.n)
			CU_ASSERT_TRUE(verdict.found.items[0].code == cases[i].code &&
				       verdict.found.items[0].line == cases[i].line);
		vec_done(&verdict.found);
	}
}

static void
add_blanks_up_to(struct str *text, size_t size)
{
	while (text->len < size)
		str_add(text, "\n");
}

static void
a_document_of_one_mebibyte_is_read_and_a_byte_more_is_not(void)
{
	auto_str struct str text = {0};
	struct verdict verdict;

	add_slice(&text, 1, 1);
	add_blanks_up_to(&text, 1 << 20);
	verdict = verdict_of(text.text, text.len);
	CU_ASSERT_TRUE(verdict.is_good);
	vec_done(&verdict.found);
	str_add(&text, "\n");
	verdict = verdict_of(text.text, text.len);
	CU_ASSERT_FALSE(verdict.is_good);
	CU_ASSERT_EQUAL(verdict.found.items[0].code, ERR_X19);
	vec_done(&verdict.found);
}

static void
hostile_documents_are_refused_with_the_right_code(void)
{
	static const struct {
		const char *head, *repeated, *tail;
		unsigned n;
		enum err_code code;
	} cases[] = {
	    {"", "<a>", "", 33, ERR_X19},
	    {"<a ", "b%u='' ", "/>", 17, ERR_X19},
	    {"<a b='' b=''/>", "", "", 0, ERR_X01},
	    {"", "", "", 0, ERR_X01},
	    {"<?xml version='1.0' encoding='UTF-16'?><a/>", "", "", 0, ERR_X01},
	    {"\xff\xfe<a/>", "", "", 0, ERR_X01},
	    {"<a>&nbsp;</a>", "", "", 0, ERR_X19},
	    {"<?php x?><a/>", "", "", 0, ERR_X19},
	    {"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", "", "", 0, ERR_X19},
	    {"<a/>trailing", "", "", 0, ERR_X01},
	    {"<slice-design xmlns='urn:x' version='1.0'/>", "", "", 0, ERR_X05},
	    {"<x:slice-design xmlns:x='urn:x' version='1.0'/>", "", "", 0, ERR_X02},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_str struct str text = {0};
		struct verdict verdict;

		str_add(&text, cases[i].head);
		for (unsigned k = 0; k < cases[i].n; k++) {
			const char *mark = strstr(cases[i].repeated, "%u");

			str_add_bytes(&text, cases[i].repeated,
			    mark ? (size_t)(mark - cases[i].repeated) : strlen(cases[i].repeated));
			if (mark)
				str_addf(&text, "%u%s", k, mark + 2);
		}
		str_add(&text, cases[i].tail);
		verdict = verdict_of(str_text(&text), text.len);
		CU_ASSERT_FALSE(verdict.is_good);
		if (verdict.found.items[0].code != cases[i].code)
			printf("\n%s: %s %s", cases[i].head,
			    err_code_text(verdict.found.items[0].code),
			    verdict.found.items[0].text);
		CU_ASSERT_EQUAL(verdict.found.items[0].code, cases[i].code);
		vec_done(&verdict.found);
	}
}

static void
all_faults_are_told_in_the_order_of_lines(void)
{
	static const char text[] =
	    "<slice-design version='2' colour='red'>\n"
	    "<slicespec name='s'><sliverdef><linkSlivers>\n"
	    "<linkSliver name='l' subtype='GRE'><vports><vport name='a'/>\n"
	    "<vport name='a'/></vports></linkSliver></linkSlivers>\n"
	    "<nodeSlivers><nodeSliver name='l'><vport/>\n"
	    "<vports><vport name='p'/>text</vports></nodeSliver></nodeSlivers>\n"
	    "</sliverdef><edge/><structure>\n"
	    "<bind name='b'><vport slivername='no' portname='p'/>\n"
	    "</bind></structure></slicespec><mapping slice='s'/></slice-design>";

	static const struct {
		enum err_code code;
		unsigned line;
	} wanted[] = {{ERR_X03, 1}, {ERR_X05, 1}, {ERR_X07, 4}, {ERR_X05, 5}, {ERR_X06, 5},
	    {ERR_X05, 6}, {ERR_X08, 7}, {ERR_X05, 7}, {ERR_X10, 8}, {ERR_X09, 8}, {ERR_X08, 9}};
	struct verdict verdict = verdict_of(text, strlen(text));

	for (size_t i = 0; i < verdict.found.n; i++)
		if (i >= sizeof(wanted) / sizeof(wanted[0]) ||
		    verdict.found.items[i].code != wanted[i].code)
			printf("\n%zu: line %u %s %s", i, verdict.found.items[i].line,
			    err_code_text(verdict.found.items[i].code),
			    verdict.found.items[i].text);
	assert_equal(verdict.found.n, sizeof(wanted) / sizeof(wanted[0]));
	for (size_t i = 0; i < verdict.found.n; i++) {
		CU_ASSERT_EQUAL(verdict.found.items[i].code, wanted[i].code);
		CU_ASSERT_EQUAL(verdict.found.items[i].line, wanted[i].line);
	}
	vec_done(&verdict.found);
}

static void
a_misspelt_element_is_the_first_error(void)
{
	static const char slip[] = "<slice-design version='1.0'><slicespec name='s'><sliverdef>\n"
				   "<nodeSlviers/></sliverdef>\n"
				   "<structure/></slicespec></slice-design>";
	struct verdict verdict = verdict_of(slip, strlen(slip));

	assert_equal(verdict.found.n, 1);
	assert_equal(verdict.found.items[0].code, ERR_X05);
	assert_equal(verdict.found.items[0].line, 2);
	assert_text(verdict.found.items[0].hint, "did you mean 'nodeSlivers'?");
	vec_done(&verdict.found);
}

static void
a_fault_has_path_subject_and_hint(void)
{
	static const char text[] =
	    "<slice-design version='1.0'><slicespec name='s'><sliverdef><nodeSlivers>"
	    "<nodeSliver name='n1'><instance type='prog' subtype='SlowPath_VM'/>"
	    "<vports><vport name='p'/></vports></nodeSliver></nodeSlivers></sliverdef>"
	    "<structure><bind name='b1'><vport slivername='n2' portname='p'/>"
	    "<vport slivername='n1' portname='p'/></bind></structure></slicespec></slice-design>";
	struct verdict verdict = verdict_of(text, strlen(text));
	const struct err *err = verdict.found.items;

	assert_equal(verdict.found.n, 1);
	CU_ASSERT_EQUAL(err->code, ERR_X09);
	CU_ASSERT_STRING_EQUAL(
	    err->xpath, "/slice-design/slicespec/structure/bind[@name='b1']/vport[1]");
	CU_ASSERT_STRING_EQUAL(err->subject, "bind 'b1'");
	CU_ASSERT_STRING_EQUAL(err->hint, "did you mean 'n1'?");
	vec_done(&verdict.found);
}

static void
ten_thousand_faults_end_in_a_remark(void)
{
	auto_str struct str text = {0};
	struct verdict verdict;

	str_add(&text, "<slice-design version='1.0'><slicespec name='s'><sliverdef>");
	for (unsigned i = 0; i < 10000; i++)
		str_add(&text, "<foo/>\n");
	str_add(&text, "</sliverdef></slicespec></slice-design>");
	verdict = verdict_of(text.text, text.len);
	CU_ASSERT_FALSE(verdict.is_good);
	assert_equal(verdict.found.n, DIAGNOSES_MAX);
	CU_ASSERT_EQUAL(verdict.found.items[DIAGNOSES_MAX - 1].code, ERR_LIMIT);
	vec_done(&verdict.found);
}

/* ---- what was read ---- */

static void
names_inside_a_hierarchy_follow_the_same_rules(void)
{
	static const struct {
		const char *from, *to;
		enum err_code code;
	} cases[] = {
	    {"<nodeSliver name=\"sp\">", "<nodeSliver name=\"fp\">", ERR_X06},
	    {"slivername=\"fp\" portname=\"x2\"", "slivername=\"sw\" portname=\"p1\"", ERR_X09},
	    {"slivername=\"fp\" portname=\"x2\"", "slivername=\"fp\" portname=\"x1\"", ERR_X11},
	    {"<bind name=\"h2\">", "<bind name=\"h1\">", ERR_X12},
	};

	size_t size;
	auto_free char *text = test_read("test/data/slice/demo-full.xml", &size);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(text, cases[i].from);
		auto_str struct str edited = {0};
		struct verdict verdict;

		assert_true(at != NULL);
		str_add_bytes(&edited, text, (size_t)(at - text));
		str_addf(&edited, "%s%s", cases[i].to, at + strlen(cases[i].from));
		verdict = verdict_of(edited.text, edited.len);
		assert_true(verdict.found.n > 0);
		CU_ASSERT_EQUAL(verdict.found.items[0].code, cases[i].code);
		vec_done(&verdict.found);
	}
}

static void
what_is_written_reads_as_the_same_slice(void)
{
	static const struct {
		const char *file, *golden;
	} cases[] = {{"test/data/slice/demo3.xml", "slice/demo3.written.xml"},
	    {"test/data/slice/demo-full.xml", "slice/demo-full.written.xml"},
	    {"test/data/slice/base.xml", "slice/base.written.xml"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		auto_str struct str first = {0}, second = {0};
		struct slice *slice = NULL;
		diagnoses found = {0};
		size_t size;
		auto_free char *text = test_read(cases[i].file, &size);

		assert_true(slice_read(text, size, arena, &slice, &found));
		slice_write(slice, &first);
		CU_ASSERT_EQUAL(schema_verdict(first.text, first.len), 1);
		assert_true(slice_read(first.text, first.len, arena, &slice, &found));
		slice_write(slice, &second);
		CU_ASSERT_STRING_EQUAL(first.text, second.text);
		test_golden(cases[i].golden, first.text);
		vec_done(&found);
	}
}

static void
values_survive_writing_whatever_characters_they_have(void)
{
	static const char value[] = "a<b> & \"c\" 'd'\n\ttab \xc3\xa9";
	static const char text[] =
	    "<slice-design version='1.0'><slicespec name='s'><sliverdef><nodeSlivers>"
	    "<nodeSliver name='n'><instance type='prog' subtype='SlowPath-VM'><params><param "
	    "key='userData' value='a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;&#10;&#9;tab "
	    "\xc3\xa9'/></params></instance><vports><vport name='p'/></vports></nodeSliver>"
	    "</nodeSlivers></sliverdef><structure/></slicespec></slice-design>";
	auto_arena struct arena *arena = arena_new();
	auto_str struct str written = {0};
	struct slice *slice = NULL;
	diagnoses found = {0};

	assert_true(slice_read(text, strlen(text), arena, &slice, &found));
	CU_ASSERT_STRING_EQUAL(slice->body.nodes[0].params.items[0].value, value);
	CU_ASSERT_STRING_EQUAL(slice->body.nodes[0].subtype, "SlowPath_VM");
	slice_write(slice, &written);
	assert_true(slice_read(written.text, written.len, arena, &slice, &found));
	CU_ASSERT_STRING_EQUAL(slice->body.nodes[0].params.items[0].value, value);
	vec_done(&found);
}

static void
lines_are_those_of_the_tags_beginning(void)
{
	static const char text[] =
	    "<slice-design\n version='1.0'><slicespec\n name='s'><sliverdef><nodeSlivers>\n"
	    "<nodeSliver\n name='n'><!--\n--><instance\n type='prog'\n\n subtype='X'/><vports>\n\n"
	    "<vport name='p'/></vports></nodeSliver></nodeSlivers></sliverdef><structure/>"
	    "</slicespec></slice-design>";
	auto_arena struct arena *arena = arena_new();
	struct slice *slice = NULL;
	diagnoses found = {0};

	assert_true(slice_read(text, strlen(text), arena, &slice, &found));
	CU_ASSERT_EQUAL(slice->where.line, 2);
	CU_ASSERT_EQUAL(slice->body.nodes[0].where.line, 4);
	CU_ASSERT_EQUAL(slice->body.nodes[0].instance_where.line, 6);
	CU_ASSERT_EQUAL(slice->body.nodes[0].vports[0].where.line, 11);
	CU_ASSERT_STRING_EQUAL(slice->body.nodes[0].vports[0].where.xpath,
	    "/slice-design/slicespec/sliverdef/nodeSlivers/nodeSliver[@name='n']/vports/"
	    "vport[@name='p']");
	vec_done(&found);
}

static void
ports_and_links_find_each_other(void)
{
	auto_arena struct arena *arena = arena_new();
	struct slice *slice = NULL;
	diagnoses found = {0};
	size_t size;
	auto_free char *text = test_read("test/data/slice/base.xml", &size);
	const struct slice_link *link;
	unsigned which = 7;

	assert_true(slice_read(text, size, arena, &slice, &found));
	link = slice_port_link(slice, slice_find_node(slice, "n1"), "p2", &which);
	CU_ASSERT_PTR_EQUAL(link, &slice->body.links[1]);
	CU_ASSERT_EQUAL(which, 1);
	CU_ASSERT_STRING_EQUAL(slice_link_end(slice, link, 0)->sliver, "n2");
	CU_ASSERT_STRING_EQUAL(slice_link_end(slice, link, 1)->port, "p2");
	CU_ASSERT_PTR_NULL(slice_link_end(slice, link, 2));
	CU_ASSERT_PTR_NULL(slice_port_link(slice, slice_find_node(slice, "n1"), "p9", &which));
	CU_ASSERT_PTR_NULL(slice_find_node(slice, "l1"));
	vec_done(&found);
}

static const struct test tests[] = {
    TEST(valid_documents_are_read),
    TEST(each_broken_document_gives_its_code_first_and_its_line),
    TEST(the_largest_counts_are_accepted_and_one_more_is_not),
    TEST(a_document_of_one_mebibyte_is_read_and_a_byte_more_is_not),
    TEST(hostile_documents_are_refused_with_the_right_code),
    TEST(all_faults_are_told_in_the_order_of_lines),
    TEST(a_fault_has_path_subject_and_hint),
    TEST(ten_thousand_faults_end_in_a_remark),
    TEST(names_inside_a_hierarchy_follow_the_same_rules),
    TEST(what_is_written_reads_as_the_same_slice),
    TEST(values_survive_writing_whatever_characters_they_have),
    TEST(lines_are_those_of_the_tags_beginning),
    TEST(ports_and_links_find_each_other),
    TEST(a_misspelt_element_is_the_first_error),
};

suite_main("slice_read", tests)
