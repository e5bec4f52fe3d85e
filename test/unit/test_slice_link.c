/*
 * Types of links in a slice document: those built in, those that the operator has named, and
 * experimental definitions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/model/slice.h"
#include "test/support/suite.h"

static const struct slice_carrier carriers[] = {
    {"gre", 42, 32, false, NULL, 0}, {"geneve", 58, 24, false, NULL, 0}};
static const char *const fixed[] = {"critical 1"};
static const struct slice_link_kind kinds[] = {
    {"Labelled", "geneve", NULL, true, fixed, 1},
    {"Reserved", "geneve", "noc vendor", true, NULL, 0},
    {"Idle", "geneve", NULL, false, NULL, 0},
    {"Lost", "absent", NULL, true, NULL, 0},
};

static const struct {
	const char *type, *param, *role;
	enum err_code code; /* ERR_NONE: accepted */
	const char *carrier;
	int64_t overhead;
	const char *config;
} cases[] = {
    {"type=\"link\" subtype=\"GRE\"", "", "developer", ERR_NONE, "gre", 42, NULL},
    {"type=\"link\" subtype=\"VXLAN\"", "", "developer", ERR_NONE, "vxlan", 50, NULL},
    {"type=\"link\" subtype=\"NVGRE\"", "", "developer", ERR_NONE, "nvgre", 42, NULL},
    {"type=\"link\" subtype=\"STT\"", "", "developer", ERR_NONE, "stt", 72, NULL},
    {"type=\"link\" subtype=\"TimestampLink\"", "", "developer", ERR_NONE, "TimestampLink", 58,
	NULL},
    {"type=\"link\" subtype=\"Labelled\"", "", "developer", ERR_NONE, "geneve", 58, "critical 1"},
    {"type=\"link\" subtype=\"Labelled\"", "critical=0", "developer", ERR_S07, NULL, 0, NULL},
    {"type=\"link\" subtype=\"Reserved\"", "", "developer", ERR_S05, NULL, 0, NULL},
    {"type=\"link\" subtype=\"Reserved\"", "", "noc", ERR_NONE, "geneve", 58, NULL},
    {"type=\"link\" subtype=\"Idle\"", "", "noc", ERR_S05, NULL, 0, NULL},
    {"type=\"link\" subtype=\"Lost\"", "", "noc", ERR_S13, NULL, 0, NULL},
    {"type=\"link\" subtype=\"Carrier\"", "", "noc", ERR_S05, NULL, 0, NULL},
    {"type=\"wire\" subtype=\"Labelled\"", "", "noc", ERR_S05, NULL, 0, NULL},
    {"type=\"extension\" subtype=\"experimental\"", "dpPlugin=geneve", "developer", ERR_S06, NULL,
	0, NULL},
    {"type=\"extension\" subtype=\"experimental\"", "dpPlugin=geneve", "vendor", ERR_NONE, "geneve",
	58, NULL},
    {"type=\"extension\" subtype=\"experimental\"", "", "vendor", ERR_S07, NULL, 0, NULL},
    {"type=\"extension\" subtype=\"experimental\"", "dpPlugin=gneve", "vendor", ERR_S13, NULL, 0,
	NULL},
    {"type=\"extension\" subtype=\"Labelled\"", "dpPlugin=geneve", "vendor", ERR_S05, NULL, 0,
	NULL},
};

/* A slice of two nodes and one link. */
static char *
document_of(size_t at)
{
	const char *param = cases[at].param, *equals = strchr(param, '=');
	struct str text = {0};

	str_addf(&text,
	    "<slice-design version=\"1.0\"><slicespec name=\"s\"><sliverdef><linkSlivers>"
	    "<linkSliver name=\"l1\" %s><vports><vport name=\"e1\"/><vport name=\"e2\"/></vports>",
	    cases[at].type);
	if (equals)
		str_addf(&text, "<params><param key=\"%.*s\" value=\"%s\"/></params>",
		    (int)(equals - param), param, equals + 1);
	str_add(&text, "</linkSliver></linkSlivers><nodeSlivers>");
	for (int i = 1; i <= 2; i++)
		str_addf(&text,
		    "<nodeSliver name=\"n%d\"><instance type=\"prog\" "
		    "subtype=\"SlowPath_VM\"><params>"
		    "<param key=\"bootImage\" value=\"image:small\"/></params></instance>"
		    "<vports><vport name=\"p1\"/></vports></nodeSliver>",
		    i);
	str_add(&text, "</nodeSlivers></sliverdef><structure>");
	for (int i = 1; i <= 2; i++)
		str_addf(&text,
		    "<bind name=\"b%d\"><vport slivername=\"n%d\" portname=\"p1\"/>"
		    "<vport slivername=\"l1\" portname=\"e%d\"/></bind>",
		    i, i, i);
	str_add(&text, "</structure></slicespec></slice-design>");
	return str_take(&text);
}

/* Read, filled and checked as in sncd; the slice in arena. */
static struct slice *
read_case(size_t at, struct arena *arena, bool *is_good, diagnoses *found)
{
	static const struct slice_image images[] = {{"small", SLICE_FORM_CONTAINER, 64 << 20}};
	auto_free char *text = document_of(at);
	const struct slice_world world = {
	    .role = cases[at].role,
	    .images = images,
	    .n_images = 1,
	    .carriers = carriers,
	    .n_carriers = sizeof(carriers) / sizeof(carriers[0]),
	    .kinds = kinds,
	    .n_kinds = sizeof(kinds) / sizeof(kinds[0]),
	    .arena = arena,
	};
	struct slice *slice = NULL;

	if (!slice_read(text, strlen(text), arena, &slice, found)) {
		printf("\n%s", found->items[0].text);
		CU_FAIL_FATAL("the test's document has a fault of structure");
	}
	*is_good = slice_defaults(slice, arena, found) && slice_check(slice, &world, found);
	return slice;
}

static bool
has_code(const diagnoses *found, enum err_code code)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->items[i].code == code)
			return true;
	return false;
}

static void
a_link_gets_what_its_type_says(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		diagnoses found = {0};
		bool is_good;
		const struct slice *slice = read_case(i, arena, &is_good, &found);
		const struct slice_carrier *carrier = &slice->body.links[0].carrier;

		assert_equal(is_good, !cases[i].code);
		assert_true(is_good || has_code(&found, cases[i].code));
		if (is_good) {
			assert_text(carrier->type, cases[i].carrier);
			assert_equal(carrier->overhead, cases[i].overhead);
			assert_equal(carrier->n_config, cases[i].config != NULL);
		}
		if (is_good && cases[i].config)
			assert_text(carrier->config[0], cases[i].config);
		vec_done(&found);
	}
}

static const struct test tests[] = {
    TEST(a_link_gets_what_its_type_says),
};

suite_main("slice_link", tests)
