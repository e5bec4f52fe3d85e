/*
 * The handlers of the service `probe`, and the way between its ends.
 */
#include "test/support/probe.h"

#include <string.h>

#include "lib/base/log.h"
#include "test/support/suite.h"

#define RPC_SERVICE probe
#define RPC_ROWS "test/support/probe.def"
#include "lib/rpc/service_code.h"

static bool
serve_echo(void *self, const struct rpc_call *call, const struct probe_echo_args *args,
    struct probe_echo_result *result, struct err *err)
{
	struct bench *bench = self;

	(void)call;
	(void)err;
	bench->n_calls++;
	*result = (struct probe_echo_result){args->number, args->flag, args->words, args->bytes,
	    args->maybe_number, args->maybe_words, args->items, args->n_items};
	return true;
}

static bool
serve_fail(void *self, const struct rpc_call *call, const struct probe_fail_args *args,
    struct probe_fail_result *result, struct err *err)
{
	struct bench *bench = self;

	(void)call;
	(void)args;
	(void)result;
	bench->n_calls++;
	*err = bench->refusal;
	return false;
}

static bool
serve_garble(void *self, const struct rpc_call *call, const struct probe_garble_args *args,
    struct probe_garble_result *result, struct err *err)
{
	(void)self;
	(void)call;
	(void)args;
	(void)err;
	result->words = "a\x01z";
	return true;
}

const struct probe_ops probe_handlers = {
    .echo = serve_echo, .fail = serve_fail, .garble = serve_garble};

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct bench *bench = self;
	struct rpc_call call = {bench->role, "dev1", bench->arena};

	(void)timeout_ms;
	(void)err;
	if (bench->answer.len)
		str_add_bytes(reply, bench->answer.text, bench->answer.len);
	else
		rpc_server_handle(bench->server, &call, body, size, reply);
	return true;
}

void
bench_open(struct bench *bench)
{
	struct err err = {0};

	log_set_level(LOG_LEVEL_ERROR);
	*bench = (struct bench){.arena = arena_new(), .server = rpc_server_new(), .role = "snc"};
	bench->client = (struct rpc_client){.post = post, .self = bench, .timeout_ms = 1000};
	assert_true(rpc_server_add(bench->server, &probe_service, &probe_handlers, bench, &err));
}

void
bench_close(struct bench *bench)
{
	arena_free(bench->arena);
	rpc_server_free(bench->server);
	str_done(&bench->answer);
}

enum err_code
bench_verdict(struct bench *bench, const char *body, struct err *err)
{
	struct rpc_call call = {bench->role, "dev1", bench->arena};
	struct probe_fail_result result;
	struct str reply = {0};
	bool is_good;

	rpc_server_handle(bench->server, &call, body, strlen(body), &reply);
	bench->answer = reply; /* the client reads it */
	*err = (struct err){0};
	is_good = probe_fail_call(
	    &bench->client, bench->arena, &(struct probe_fail_args){}, &result, err);
	str_done(&bench->answer);
	CU_ASSERT_EQUAL_FATAL(is_good, err->code == ERR_NONE);
	return err->code;
}
