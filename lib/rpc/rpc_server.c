/*
 * The server's end: from a request's bytes to a handler and back. Dispatch is by the rows alone;
 * xmlrpc-c's registry, with its system.* methods, is not used.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/vec.h"
#include "lib/rpc/rpc_codec.h"

struct binding {
	const struct rpc_service *service;
	const void *ops;
	void *self;
	rpc_told_fn *told; /* NULL = nobody */
	void *told_self;
};

struct rpc_server {
	vec_of(struct binding) bindings;
};

/* One request on its way. */
struct request {
	const struct rpc_call *call;
	const struct binding *binding;
	const struct rpc_method *method;
	const char *name;
	const void *args; /* once they are read */
};

static bool handle(const struct rpc_server *server, struct request *request, const char *body,
    size_t size, struct str *reply, struct err *err);
static const struct rpc_method *find_method(
    const struct rpc_server *server, struct request *request, struct err *err);
static bool check_role(const struct request *request, struct err *err);
static void tell(const struct request *request, const struct err *err);
static bool run(struct request *request, xmlrpc_value *params, struct str *reply, struct err *err);
static bool read_args(
    const struct request *request, xmlrpc_value *params, void *args, struct err *err);
static void write_fault(struct str *reply, const struct err *err);

void
rpc_server_free(struct rpc_server *server)
{
	if (!server)
		return;
	vec_done(&server->bindings);
	free(server);
}

struct rpc_server *
rpc_server_new(void)
{
	return xcalloc(1, sizeof(struct rpc_server));
}

bool
rpc_server_add(struct rpc_server *server, const struct rpc_service *service, const void *ops,
    void *self, struct err *err)
{
	for (size_t i = 0; i < service->n_methods; i++)
		if (!service->methods[i].has_handler(ops))
			return err_set(err, ERR_INTERNAL, "%s.%s has no handler", service->name,
			    service->methods[i].name);
	vec_push(&server->bindings, ((struct binding){service, ops, self, NULL, NULL}));
	return true;
}

void
rpc_server_tell(
    struct rpc_server *server, const struct rpc_service *service, rpc_told_fn *told, void *self)
{
	vec_each (binding, &server->bindings) {
		if (binding->service != service)
			continue;
		binding->told = told;
		binding->told_self = self;
	}
}

static void
tell(const struct request *request, const struct err *err)
{
	const struct binding *binding = request->binding;
	struct rpc_told told = {.args = request->args, .err = err};

	if (!binding || !binding->told)
		return;
	told.service = binding->service->name;
	told.method = request->method->name;
	told.type = request->method->args;
	binding->told(binding->told_self, request->call, &told);
}

void
rpc_server_handle(struct rpc_server *server, const struct rpc_call *call, const char *body,
    size_t size, struct str *reply)
{
	struct request request = {.call = call, .name = "?"};
	struct err err = {0};
	size_t before = reply->len;

	if (handle(server, &request, body, size, reply, &err)) {
		tell(&request, NULL);
		log_debug("rpc", "method=%s caller=%s@%s", request.name, call->role, call->name);
		return;
	}
	log_info("rpc", "method=%s caller=%s@%s code=%s why=%s", request.name, call->role,
	    call->name, err_code_text(err.code), err.text);
	tell(&request, &err);
	reply->len = before; /* a result may have been begun */
	write_fault(reply, &err);
}

static bool
handle(const struct rpc_server *server, struct request *request, const char *body, size_t size,
    struct str *reply, struct err *err)
{
	xmlrpc_env env;
	xmlrpc_value *params = NULL;
	const char *name = NULL;
	bool is_good;

	if (!rpc_guard(body, size, RPC_REQUEST_MAX, err))
		return false;
	xmlrpc_env_init(&env);
	xmlrpc_parse_call(&env, body, size, &name, &params);
	if (env.fault_occurred) {
		err_set(err, ERR_BAD_XML, "no XML-RPC call: %s", env.fault_string);
		xmlrpc_env_clean(&env);
		return false;
	}
	xmlrpc_env_clean(&env);
	request->name = arena_text(request->call->arena, name);
	rpc_free_text(name);
	request->method = find_method(server, request, err);
	is_good = request->method && check_role(request, err) && run(request, params, reply, err);
	xmlrpc_DECREF(params);
	return is_good;
}

static const struct rpc_method *
find_method(const struct rpc_server *server, struct request *request, struct err *err)
{
	const char *dot = strchr(request->name, '.');
	size_t len = dot ? (size_t)(dot - request->name) : 0;

	for (size_t i = 0; dot && i < server->bindings.n; i++) {
		const struct binding *binding = &server->bindings.items[i];
		const struct rpc_service *service = binding->service;

		if (strlen(service->name) != len || memcmp(service->name, request->name, len) != 0)
			continue;
		for (size_t m = 0; m < service->n_methods; m++)
			if (!strcmp(service->methods[m].name, dot + 1)) {
				request->binding = binding;
				return &service->methods[m];
			}
	}
	err_set(err, ERR_NOT_FOUND, "there is no method '%.80s'", request->name);
	return NULL;
}

static bool
check_role(const struct request *request, struct err *err)
{
	size_t len = strlen(request->call->role);

	for (const char *at = request->method->roles; *at; at += strcspn(at, " ")) {
		at += strspn(at, " ");
		if (strcspn(at, " ") == len && !memcmp(at, request->call->role, len))
			return true;
	}
	err_set(err, ERR_FORBIDDEN, "%s: role '%s' (of '%s') may not call it", request->name,
	    request->call->role, request->call->name);
	return err_hint(err, "it is for: %s", request->method->roles);
}

static bool
run(struct request *request, xmlrpc_value *params, struct str *reply, struct err *err)
{
	const struct rpc_method *method = request->method;
	void *args = arena_alloc(request->call->arena, method->args->size);
	void *result = arena_alloc(request->call->arena, method->result->size);

	if (!read_args(request, params, args, err))
		return err_in(err, "%s", request->name);
	request->args = args;
	if (!method->invoke(
		request->binding->ops, request->binding->self, request->call, args, result, err))
		return false;
	str_add(reply,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse><params><param><value>");
	if (!rpc_write_struct(reply, method->result, result, err)) {
		if (err)
			err->code = ERR_INTERNAL; /* the handler's fault, not the caller's */
		return err_in(err, "%s: result", request->name);
	}
	str_add(reply, "</value></param></params></methodResponse>\n");
	return true;
}

/* Every method takes one struct; one that has no arguments may be called with nothing. */
static bool
read_args(const struct request *request, xmlrpc_value *params, void *args, struct err *err)
{
	struct rpc_reader reader = {.arena = request->call->arena, .is_strict = true};
	const struct rpc_struct *type = request->method->args;
	xmlrpc_env env;
	xmlrpc_value *first;
	bool is_good;
	int n;

	xmlrpc_env_init(&env);
	n = xmlrpc_array_size(&env, params);
	if (n == 0 && !type->fields[0].name)
		return true;
	if (n != 1)
		return err_set(
		    err, ERR_BAD_VALUE, "it takes one struct of arguments, not %d parameters", n);
	xmlrpc_array_read_item(&env, params, 0, &first);
	is_good = rpc_read_struct(&reader, first, type, args, err);
	xmlrpc_DECREF(first);
	xmlrpc_env_clean(&env);
	return is_good;
}

static void
write_fault(struct str *reply, const struct err *err)
{
	auto_str struct str text = {0};

	rpc_fault_write(&text, err);
	str_addf(reply,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse><fault><value><struct>"
	    "<member><name>faultCode</name><value><int>%d</int></value></member>"
	    "<member><name>faultString</name><value><string>",
	    err_code_fault(err->code));
	rpc_write_text(reply, str_text(&text));
	str_add(reply, "</string></value></member></struct></value></fault></methodResponse>\n");
}
