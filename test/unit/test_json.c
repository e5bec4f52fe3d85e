/*
 * lib/api/json_print, lib/json: structs and errors as JSON text.
 */
#include <string.h>

#include "lib/api/json_print.h"
#include "lib/json/json_write.h"
#include "test/support/probe.h"
#include "test/support/suite.h"

static void
texts_are_escaped(void)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
	    {"", "\"\""},
	    {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
	    {"a\nb\tc\x01\x7F", "\"a\\nb\\u0009c\\u0001\\u007f\""},
	    {"\xE6\x9D\xB1\xF0\x9F\x98\x80", "\"\xE6\x9D\xB1\xF0\x9F\x98\x80\""},
	    {"a\xFF\xC0\xAFz", "\"a\\ufffd\\ufffd\\ufffdz\""},
	    {"\xE6\x9D", "\"\\ufffd\\ufffd\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_str struct str out = {0};

		json_write_text(&out, cases[i].text);
		assert_text(str_text(&out), cases[i].json);
	}
}

static void
a_result_is_printed_by_its_table(void)
{
	static const struct probe_leaf leaves[] = {
	    {.word = "w", .count = {true, 0}}, {.word = "v"}};
	static const struct probe_item items[] = {
	    {.number = 1, .leaves = leaves, .n_leaves = 2}, {.number = 2, .note = "n"}};
	struct probe_echo_result result = {.number = INT64_MIN,
	    .flag = true,
	    .words = "a b",
	    .bytes = {"x\0y", 3},
	    .maybe_number = {true, -1},
	    .items = items,
	    .n_items = 2};
	auto_str struct str out = {0};

	json_print_result(&probe_service, "echo", &result, &out);

	assert_text(str_text(&out),
	    "{\"number\": -9223372036854775808, \"flag\": true, \"words\": \"a b\", \"bytes\": "
	    "\"x\\ufffdy\", "
	    "\"maybe_number\": -1, \"items\": [{\"number\": 1, \"leaves\": [{\"word\": \"w\", "
	    "\"count\": 0}, "
	    "{\"word\": \"v\"}]}, {\"number\": 2, \"note\": \"n\", \"leaves\": []}]}");
}

static void
an_empty_result_is_an_empty_object(void)
{
	struct probe_fail_result result;
	auto_str struct str out = {0};

	json_print_result(&probe_service, "fail", &result, &out);
	assert_text(str_text(&out), "{}");
}

static void
an_error_is_a_problem_with_a_diagnosis(void)
{
	struct err err = {0};
	auto_str struct str out = {0};

	err_set(&err, ERR_R01, "cpu: 4 wanted, 2 left");
	err_at(&err, 7, "/slicespec");
	err_subject(&err, "node 'n1'");
	err_hint(&err, "ask for 2");
	json_print_err(&err, &out);

	assert_text(str_text(&out),
	    "{\"title\": \"node has not enough CPU, memory, disk or cores\", \"status\": 507, "
	    "\"detail\": \"cpu: 4 wanted, 2 left\", \"code\": \"R01\", \"diagnoses\": [{\"code\": "
	    "\"R01\", "
	    "\"severity\": \"error\", \"line\": 7, \"subject\": \"node 'n1'\", "
	    "\"message\": \"cpu: 4 wanted, 2 left\", \"xpath\": \"/slicespec\", \"hint\": \"ask "
	    "for 2\"}]}");
}

static const struct test tests[] = {
    TEST(texts_are_escaped),
    TEST(a_result_is_printed_by_its_table),
    TEST(an_empty_result_is_an_empty_object),
    TEST(an_error_is_a_problem_with_a_diagnosis),
};

suite_main("json", tests)
