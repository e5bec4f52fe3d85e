/*
 * The client's end: one call by its tables through the transport handed in.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/rpc/rpc_codec.h"

static bool read_answer(struct arena *arena, const struct rpc_request *request,
    const struct str *reply, struct err *err);

bool
rpc_client_call(const struct rpc_client *client, struct arena *arena,
    const struct rpc_request *request, struct err *err)
{
	auto_str struct str body = {0}, reply = {0};

	str_addf(&body,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall><methodName>%s.%s</methodName>"
	    "<params><param><value>",
	    request->service, request->method);
	if (!rpc_write_struct(&body, request->args_type, request->args, err))
		return err_in(err, "%s.%s", request->service, request->method);
	str_add(&body, "</value></param></params></methodCall>\n");
	if (!client->post(client->self, body.text, body.len, &reply, client->timeout_ms, err))
		return err_in(err, "%s.%s", request->service, request->method);
	return read_answer(arena, request, &reply, err);
}

static bool
read_answer(struct arena *arena, const struct rpc_request *request, const struct str *reply,
    struct err *err)
{
	struct rpc_reader reader = {.arena = arena}; /* a newer peer may say more */
	xmlrpc_env env;
	xmlrpc_value *value = NULL;
	const char *fault = NULL;
	int fault_code;
	bool is_good = false;

	memset(request->result, 0, request->result_type->size); /* absent is absent */
	if (!rpc_guard(str_text(reply), reply->len, RPC_ANSWER_MAX, err))
		return err_in(err, "%s.%s: the answer", request->service, request->method);
	xmlrpc_env_init(&env);
	xmlrpc_parse_response2(&env, reply->text, reply->len, &value, &fault_code, &fault);
	if (env.fault_occurred)
		err_set(err, ERR_BAD_XML, "%s.%s: no XML-RPC answer: %s", request->service,
		    request->method, env.fault_string);
	else if (fault)
		rpc_fault_read(fault, err);
	else
		is_good =
		    rpc_read_struct(&reader, value, request->result_type, request->result, err) ||
		    err_in(err, "%s.%s: the answer", request->service, request->method);
	xmlrpc_env_clean(&env);
	if (value)
		xmlrpc_DECREF(value);
	if (fault)
		rpc_free_text(fault);
	return is_good;
}
