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
		printf("\n%s:%u: %s %s (%s; %s)", cases[i].file, verdict.found.items[0].line,
		    err_code_text(verdict.found.items[0].code), verdict.found.items[0].text,
		    verdict.found.items[0].xpath, verdict.found.items[0].hint);
		CU_ASSERT_EQUAL(verdict.found.items[0].code, cases[i].code);
		CU_ASSERT_EQUAL(verdict.found.items[0].line, cases[i].line);
		CU_ASSERT_EQUAL(schema_verdict(text, size), cases[i].schema);
		vec_done(&verdict.found);
	}
}

static const struct test tests[] = {
    TEST(valid_documents_are_read),
    TEST(each_broken_document_gives_its_code_first_and_its_line),
};

suite_main("slice_read", tests)
