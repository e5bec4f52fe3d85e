/*
 * From rows to code: included once by lib/api/SERVICE_api.c, after SERVICE_api.h, with the same
 * RPC_SERVICE and RPC_ROWS. Makes the field tables, the typed trampolines, the client functions
 * and `SERVICE_service`.
 */
#define RPC_TABLE_ROW(type_of, type, name, doc)                                                    \
	{#name, type, offsetof(type_of, name), 0, NULL, doc},
#define RPC_TABLE_LIST(type_of, element, name, doc)                                                \
	{#name, RPC_LIST, offsetof(type_of, name), offsetof(type_of, n_##name),                    \
	    &rpc_struct_##element, doc},

#define STRUCT(s, doc) static const struct rpc_field rpc_fields_##s[] = {
#define FIELD(s, type, name, doc) RPC_TABLE_ROW(struct s, RPC_TYPE_##type, name, doc)
#define FIELD_LIST(s, element, name, doc) RPC_TABLE_LIST(struct s, element, name, doc)
#define END_STRUCT(s)                                                                              \
	{                                                                                          \
		NULL, RPC_BOOL, 0, 0, NULL, NULL                                                   \
	}                                                                                          \
	}                                                                                          \
	;                                                                                          \
	static const struct rpc_struct rpc_struct_##s = {#s, sizeof(struct s), rpc_fields_##s};
#include "lib/rpc/service_pass.h"

#define METHOD(m, roles, doc) static const struct rpc_field rpc_fields_##m##_args[] = {
#define ARG(m, type, name, doc)                                                                    \
	RPC_TABLE_ROW(struct RPC_NAME(_##m##_args), RPC_TYPE_##type, name, doc)
#define ARG_LIST(m, element, name, doc)                                                            \
	RPC_TABLE_LIST(struct RPC_NAME(_##m##_args), element, name, doc)
#define END(m)                                                                                     \
	{                                                                                          \
		NULL, RPC_BOOL, 0, 0, NULL, NULL                                                   \
	}                                                                                          \
	}                                                                                          \
	;                                                                                          \
	static const struct rpc_struct rpc_struct_##m##_args = {                                   \
	    #m, sizeof(struct RPC_NAME(_##m##_args)), rpc_fields_##m##_args};
#include "lib/rpc/service_pass.h"

#define METHOD(m, roles, doc) static const struct rpc_field rpc_fields_##m##_result[] = {
#define RES(m, type, name, doc)                                                                    \
	RPC_TABLE_ROW(struct RPC_NAME(_##m##_result), RPC_TYPE_##type, name, doc)
#define RES_LIST(m, element, name, doc)                                                            \
	RPC_TABLE_LIST(struct RPC_NAME(_##m##_result), element, name, doc)
#define END(m)                                                                                     \
	{                                                                                          \
		NULL, RPC_BOOL, 0, 0, NULL, NULL                                                   \
	}                                                                                          \
	}                                                                                          \
	;                                                                                          \
	static const struct rpc_struct rpc_struct_##m##_result = {                                 \
	    #m, sizeof(struct RPC_NAME(_##m##_result)), rpc_fields_##m##_result};
#include "lib/rpc/service_pass.h"

#define METHOD(m, roles, doc)                                                                      \
	static bool rpc_invoke_##m(const void *ops, void *self, const struct rpc_call *call,       \
	    const void *args, void *result, struct err *err)                                       \
	{                                                                                          \
		return ((const struct RPC_NAME(_ops) *)ops)->m(self, call, args, result, err);     \
	}                                                                                          \
                                                                                                   \
	static bool rpc_has_##m(const void *ops)                                                   \
	{                                                                                          \
		return ((const struct RPC_NAME(_ops) *)ops)->m != NULL;                            \
	}                                                                                          \
                                                                                                   \
	bool RPC_NAME(_##m##_call)(const struct rpc_client *client, struct arena *arena,           \
	    const struct RPC_NAME(_##m##_args) * args, struct RPC_NAME(_##m##_result) * result,    \
	    struct err * err)                                                                      \
	{                                                                                          \
		return rpc_client_call(client, arena,                                              \
		    &(struct rpc_request){RPC_STRING(RPC_SERVICE), #m, &rpc_struct_##m##_args,     \
			args, &rpc_struct_##m##_result, result},                                   \
		    err);                                                                          \
	}
#define RPC_STRING_(text) #text
#define RPC_STRING(text) RPC_STRING_(text)
#include "lib/rpc/service_pass.h"

static const struct rpc_method rpc_methods[] = {
#define METHOD(m, roles, doc)                                                                      \
	{#m, roles, doc, &rpc_struct_##m##_args, &rpc_struct_##m##_result, rpc_invoke_##m,         \
	    rpc_has_##m},
#include "lib/rpc/service_pass.h"
};

const struct rpc_service RPC_NAME(_service) = {
    RPC_STRING(RPC_SERVICE), rpc_methods, sizeof(rpc_methods) / sizeof(rpc_methods[0])};
