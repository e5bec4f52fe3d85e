/*
 * lib/rpc: a service made from rows (test/support/probe.def), both ends in this process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/probe.h"
#include "test/support/suite.h"

#define HEAD "<?xml version=\"1.0\"?><methodCall><methodName>"
#define ARGS "</methodName><params><param><value><struct>"
#define MEMBER(name, value) "<member><name>" name "</name><value>" value "</value></member>"
#define TAIL "</struct></value></param></params></methodCall>"

#define ECHO_REST                                                                                  \
	MEMBER("words", "<string>w</string>")                                                      \
	MEMBER("bytes", "<base64>AA==</base64>") MEMBER("items", "<array><data/></array>")

static void
every_type_makes_the_round_trip(void)
{
	static const struct probe_leaf leaves[] = {{.word = "", .count = {true, INT64_MIN}},
	    {.word = "<&>\"'\n\t \xE6\x9D\xB1", .count = {0}}};
	static const struct probe_item items[] = {
	    {.number = 1, .note = "n", .leaves = leaves, .n_leaves = 2}, {.number = -1}};
	struct bench bench;
	unsigned char bytes[256];
	struct probe_echo_args args = {.number = INT64_MAX,
	    .flag = true,
	    .words = "]]> <!DOCTYPE a> &amp;",
	    .bytes = {bytes, sizeof(bytes)},
	    .maybe_number = {true, -5},
	    .maybe_words = "m",
	    .items = items,
	    .n_items = 2};
	struct probe_echo_result result = {0};
	struct err err = {0};

	for (int i = 0; i < 256; i++)
		bytes[i] = (unsigned char)i;
	bench_open(&bench);
	assert_true(probe_echo_call(&bench.client, bench.arena, &args, &result, &err));

	assert_equal(result.number, INT64_MAX);
	assert_true(result.flag);
	assert_text(result.words, args.words);
	assert_equal(result.bytes.size, sizeof(bytes));
	assert_equal(memcmp(result.bytes.bytes, bytes, sizeof(bytes)), 0);
	assert_true(result.maybe_number.is_set);
	assert_equal(result.maybe_number.value, -5);
	assert_text(result.maybe_words, "m");
	assert_equal(result.n_items, 2);
	assert_text(result.items[0].note, "n");
	assert_equal(result.items[0].n_leaves, 2);
	assert_equal(result.items[0].leaves[0].count.value, INT64_MIN);
	assert_text(result.items[0].leaves[1].word, leaves[1].word);
	assert_true(!result.items[0].leaves[1].count.is_set);
	assert_true(!result.items[1].note);
	assert_equal(result.items[1].n_leaves, 0);
	bench_close(&bench);
}

static void
blobs_of_every_length_arrive_whole(void)
{
	static const char bytes[] = "abcdefgh";
	struct bench bench;
	struct err err = {0};

	bench_open(&bench);
	for (size_t size = 0; size < 8; size++) {
		struct probe_echo_args args = {.words = "", .bytes = {bytes, size}};
		struct probe_echo_result result = {0};

		assert_true(probe_echo_call(&bench.client, bench.arena, &args, &result, &err));
		assert_equal(result.bytes.size, size);
		assert_equal(memcmp(result.bytes.bytes, bytes, size), 0);
	}
	bench_close(&bench);
}

static void
absent_optionals_stay_absent(void)
{
	struct bench bench;
	struct probe_echo_args args = {.words = ""};
	struct probe_echo_result result = {0};
	struct err err = {0};

	bench_open(&bench);
	assert_true(probe_echo_call(&bench.client, bench.arena, &args, &result, &err));

	assert_true(!result.maybe_number.is_set);
	assert_true(!result.maybe_words);
	assert_text(result.words, "");
	bench_close(&bench);
}

static void
an_error_survives_the_hop(void)
{
	struct bench bench;
	struct probe_fail_result result;
	struct err err = {0};

	bench_open(&bench);
	for (int code = 1; code < ERR_COUNT; code++) {
		err_set(
		    &bench.refusal, (enum err_code)code, "link 'l1': 3 < 4: \"no\"\nsecond line");
		err_at(&bench.refusal, 12, "/slicespec/sliver[2]");
		err_subject(&bench.refusal, "link 'l1'");
		err_hint(&bench.refusal, "ask for less: 3 is free");
		assert_true(!probe_fail_call(
		    &bench.client, bench.arena, &(struct probe_fail_args){}, &result, &err));
		assert_equal(err.code, (enum err_code)code);
		assert_text(err.text, "link 'l1': 3 < 4: \"no\" second line");
		assert_equal(err.line, 12);
		assert_text(err.xpath, "/slicespec/sliver[2]");
		assert_text(err.subject, "link 'l1'");
		assert_text(err.hint, "ask for less: 3 is free");
	}
	bench_close(&bench);
}

static void
a_fault_of_some_other_server_is_still_an_error(void)
{
	struct bench bench;
	struct probe_fail_result result;
	struct err err = {0};

	bench_open(&bench);
	str_add(&bench.answer,
	    "<methodResponse><fault><value><struct>"
	    "<member><name>faultCode</name><value><int>4</int></value></member>"
	    "<member><name>faultString</name><value><string>Too many parameters.</string>"
	    "</value></member></struct></value></fault></methodResponse>");
	assert_true(!probe_fail_call(
	    &bench.client, bench.arena, &(struct probe_fail_args){}, &result, &err));

	assert_equal(err.code, ERR_INTERNAL);
	assert_text(err.text, "Too many parameters.");
	bench_close(&bench);
}

static void
wrong_arguments_are_refused_before_the_handler(void)
{
	static const struct {
		const char *body;
		const char *names;
	} bad[] = {
	    {HEAD "probe.echo" ARGS MEMBER("number", "<string>1</string>") TAIL, "number"},
	    {HEAD "probe.echo" ARGS MEMBER("number", "<double>1.5</double>") TAIL, "number"},
	    {HEAD "probe.echo" ARGS MEMBER("number", "<boolean>1</boolean>") TAIL, "number"},
	    {HEAD "probe.echo" ARGS MEMBER("flag", "<i8>1</i8>") TAIL, "flag"},
	    {HEAD "probe.echo" ARGS MEMBER("words", "<i8>1</i8>") TAIL, "words"},
	    {HEAD "probe.echo" ARGS MEMBER("bytes", "<string>x</string>") TAIL, "bytes"},
	    {HEAD "probe.echo" ARGS MEMBER("items", "<struct/>") TAIL, "items"},
	    {HEAD "probe.echo" ARGS MEMBER(
		 "items", "<array><data><value><i4>1</i4></value></data></array>") TAIL,
		"items: 0"},
	    {HEAD "probe.echo" ARGS MEMBER(
		 "items", "<array><data><value><struct>" MEMBER(
			      "number", "<i4>1</i4>") "</struct></value></data></array>") TAIL,
		"items: 0: member 'leaves' is missing"},
	    {HEAD "probe.echo" ARGS MEMBER("maybe_number", "<string>1</string>") TAIL,
		"maybe_number"},
	    {HEAD "probe.echo" ARGS MEMBER("surplus", "<i4>1</i4>") TAIL, "'surplus'"},
	    {HEAD "probe.echo" ARGS MEMBER("flag", "<boolean>1</boolean>") ECHO_REST TAIL,
		"'number'"},
	    {HEAD "probe.echo" ARGS TAIL, "missing"},
	    {HEAD "probe.echo</methodName><params/></methodCall>", "one struct"},
	    {HEAD "probe.echo</methodName></methodCall>", "one struct"},
	    {HEAD "probe.echo</methodName><params><param><value><i4>1</i4></value></param></"
		  "params></methodCall>",
		"struct"},
	    {HEAD "probe.fail" ARGS
		  "</struct></value></param><param><value><struct/></value></param></params>"
		  "</methodCall>",
		"2 parameters"},
	};
	struct bench bench;
	struct err err;

	bench_open(&bench);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CU_ASSERT_EQUAL(bench_verdict(&bench, bad[i].body, &err), ERR_BAD_VALUE);
		if (!strstr(err.text, bad[i].names))
			fprintf(stderr, "%zu: %s\n", i, err.text);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].names));
	}
	assert_equal(bench.n_calls, 0);
	bench_close(&bench);
}

static void
numbers_of_four_bytes_are_understood(void)
{
	struct bench bench;
	struct err err;

	bench_open(&bench);
	bench_verdict(&bench,
	    HEAD "probe.echo" ARGS MEMBER("number", "<int>7</int>")
		MEMBER("flag", "<boolean>1</boolean>") ECHO_REST TAIL,
	    &err);

	assert_equal(bench.n_calls, 1);
	bench_close(&bench);
}

static void
unknown_methods_are_refused_and_there_is_no_system(void)
{
	static const char *const bad[] = {"probe.nothing", "nothing.echo", "echo", "probe",
	    "probe.", ".echo", "", "probe.echo.echo", "system.multicall", "system.listMethods",
	    "system.methodHelp", "system.shutdown"};
	struct bench bench;
	struct err err;

	bench_open(&bench);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		auto_str struct str body = {0};
		enum err_code code;

		str_addf(&body, HEAD "%s" ARGS TAIL, bad[i]);
		code = bench_verdict(&bench, str_text(&body), &err);
		CU_ASSERT_TRUE(code == ERR_NOT_FOUND || code == ERR_BAD_XML);
	}
	assert_equal(bench.n_calls, 0);
	bench_close(&bench);
}

static void
a_role_that_is_not_in_the_row_is_refused(void)
{
	static const char *const bad[] = {"developer", "", "sn", "sncx", "admin", " "};
	struct bench bench;
	struct err err;

	bench_open(&bench);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		bench.role = bad[i];
		assert_equal(
		    bench_verdict(&bench, HEAD "probe.fail" ARGS TAIL, &err), ERR_FORBIDDEN);
	}
	assert_equal(bench.n_calls, 0);
	assert_text(err.hint, "it is for: snc");
	bench_close(&bench);
}

static void
what_is_no_call_is_refused(void)
{
	static const char *const bad[] = {"", "x", "<a/>", "<methodCall/>", "<methodResponse/>",
	    HEAD "probe.fail", "<!DOCTYPE a>" HEAD "probe.fail" ARGS TAIL,
	    HEAD "probe.fail" ARGS MEMBER("a", "<i4>999999999999</i4>") TAIL,
	    HEAD "probe.fail" ARGS MEMBER("a", "<nonsense>1</nonsense>") TAIL,
	    HEAD "probe.fail" ARGS MEMBER("a", "&undefined;") TAIL};
	struct bench bench;
	struct err err;

	bench_open(&bench);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CU_ASSERT_EQUAL(bench_verdict(&bench, bad[i], &err), ERR_BAD_XML);
	assert_equal(bench.n_calls, 0);
	bench_close(&bench);
}

/* xmlrpc-c itself dies of them. */
static void
an_i8_that_is_no_number_is_refused_in_a_request_and_in_an_answer(void)
{
	static const char *const bad[] = {"<i8>99999999999999999999999</i8>",
	    "<i8>9223372036854775808</i8>", "<i8>-9223372036854775809</i8>", "<i8>x</i8>",
	    "<i8>1x</i8>", "<i8>1 </i8>", "<i8></i8>", "<i8/>", "<i8>-</i8>", "<i8>&#120;</i8>",
	    "<i8>1<!-- -->x</i8>", "<i8><![CDATA[x]]></i8>", "<ex:i8>x</ex:i8>", "<i8 >x</i8>",
	    "<i8\n>x</i8>", "<i8 a='>1</'>x</i8>"};
	struct bench bench;
	struct probe_fail_result result;
	struct err err;

	bench_open(&bench);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];

		(void)snprintf(
		    text, sizeof(text), HEAD "probe.fail" ARGS MEMBER("a", "%s") TAIL, bad[i]);
		CU_ASSERT_EQUAL(bench_verdict(&bench, text, &err), ERR_BAD_XML);
	}
	assert_equal(bench.n_calls, 0);
	str_add(&bench.answer, "<?xml version=\"1.0\"?><methodResponse><params><param><value>"
			       "<i8>x</i8></value></param></params></methodResponse>");
	assert_true(!probe_fail_call(
	    &bench.client, bench.arena, &(struct probe_fail_args){}, &result, &err));
	bench_close(&bench);
}

static void
a_bomb_is_refused_in_a_request_and_in_an_answer(void)
{
	auto_str struct str bomb = {0};
	struct bench bench;
	struct probe_fail_result result;
	struct err err = {0};

	str_add(&bomb, "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"AAAAAAAA\">");
	for (int i = 1; i <= 9; i++) {
		str_addf(&bomb, "<!ENTITY %c \"", 'a' + i);
		for (int n = 0; n < 10; n++)
			str_addf(&bomb, "&%c;", 'a' + i - 1);
		str_add(&bomb, "\">");
	}
	str_add(&bomb,
	    "]><methodCall><methodName>probe.fail</methodName><params><param><value><string>&j;"
	    "</string></value></param></params></methodCall>");
	bench_open(&bench);

	assert_equal(bench_verdict(&bench, bomb.text, &err), ERR_BAD_XML);
	str_add(&bench.answer, bomb.text);
	assert_true(!probe_fail_call(
	    &bench.client, bench.arena, &(struct probe_fail_args){}, &result, &err));
	assert_equal(err.code, ERR_BAD_XML);
	bench_close(&bench);
}

static void
too_large_a_request_is_refused(void)
{
	auto_str struct str body = {0};
	struct bench bench;
	struct err err;

	str_add(&body, HEAD "probe.fail" ARGS "<member><name>a</name><value><string>");
	while (body.len < 2 << 20)
		str_add(&body, "0123456789");
	str_add(&body, "</string></value></member>" TAIL);
	bench_open(&bench);

	assert_equal(bench_verdict(&bench, body.text, &err), ERR_LIMIT);
	bench_close(&bench);
}

static void
a_document_of_one_mebibyte_fits(void)
{
	struct bench bench;
	size_t size = 1 << 20;
	char *bytes = xcalloc(1, size);
	struct probe_echo_args args = {.words = "", .bytes = {bytes, size}};
	struct probe_echo_result result = {0};
	struct err err = {0};

	bench_open(&bench);
	assert_true(probe_echo_call(&bench.client, bench.arena, &args, &result, &err));

	assert_equal(result.bytes.size, size);
	bench_close(&bench);
	free(bytes);
}

static void
a_text_that_cannot_travel_is_refused_where_it_starts(void)
{
	struct bench bench;
	struct probe_echo_args args = {.words = "a\x01"};
	struct probe_echo_result result = {0};
	struct probe_garble_result garbled = {0};
	struct err err = {0};

	bench_open(&bench);
	assert_true(!probe_echo_call(&bench.client, bench.arena, &args, &result, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_equal(bench.n_calls, 0);
	assert_true(!probe_garble_call(
	    &bench.client, bench.arena, &(struct probe_garble_args){}, &garbled, &err));
	assert_equal(err.code, ERR_INTERNAL);
	bench_close(&bench);
}

static void
a_member_that_a_newer_server_adds_is_ignored(void)
{
	struct bench bench;
	struct probe_garble_result result = {0};
	struct err err = {0};

	bench_open(&bench);
	str_add(&bench.answer,
	    "<methodResponse><params><param><value><struct>" MEMBER("words", "w") MEMBER(
		"newer", "<i4>1</i4>") "</struct></value></param></params></methodResponse>");
	assert_true(probe_garble_call(
	    &bench.client, bench.arena, &(struct probe_garble_args){}, &result, &err));

	assert_text(result.words, "w");
	bench_close(&bench);
}

static void
a_service_without_a_handler_does_not_start(void)
{
	struct probe_ops missing = probe_handlers;
	struct rpc_server *server = rpc_server_new();
	struct err err = {0};

	missing.garble = NULL;
	assert_true(!rpc_server_add(server, &probe_service, &missing, NULL, &err));
	assert_equal(err.code, ERR_INTERNAL);
	rpc_server_free(server);
}

static const struct test tests[] = {
    TEST(every_type_makes_the_round_trip),
    TEST(blobs_of_every_length_arrive_whole),
    TEST(absent_optionals_stay_absent),
    TEST(an_error_survives_the_hop),
    TEST(a_fault_of_some_other_server_is_still_an_error),
    TEST(wrong_arguments_are_refused_before_the_handler),
    TEST(numbers_of_four_bytes_are_understood),
    TEST(unknown_methods_are_refused_and_there_is_no_system),
    TEST(a_role_that_is_not_in_the_row_is_refused),
    TEST(what_is_no_call_is_refused),
    TEST(an_i8_that_is_no_number_is_refused_in_a_request_and_in_an_answer),
    TEST(a_bomb_is_refused_in_a_request_and_in_an_answer),
    TEST(too_large_a_request_is_refused),
    TEST(a_document_of_one_mebibyte_fits),
    TEST(a_text_that_cannot_travel_is_refused_where_it_starts),
    TEST(a_member_that_a_newer_server_adds_is_ignored),
    TEST(a_service_without_a_handler_does_not_start),
};

suite_main("rpc", tests)
