/*
 * From rows to types: included (more than once: no guard) by lib/api/SERVICE_api.h with
 *     #define RPC_SERVICE manager
 *     #define RPC_ROWS "schemas/rpc/manager.def"
 * It gives, for each STRUCT(name) `struct name`; for each METHOD(m) `struct SERVICE_m_args`,
 * `struct SERVICE_m_result`, a member m of `struct SERVICE_ops` and the client function
 * `SERVICE_m_call`. A list row makes two members: `const struct T *rows; size_t n_rows;`.
 */
#include "lib/rpc/rpc.h"

#define RPC_PASTE_(a, b) a##b
#define RPC_PASTE(a, b) RPC_PASTE_(a, b)
#define RPC_NAME(rest) RPC_PASTE(RPC_SERVICE, rest)

#define STRUCT(s, doc) struct s {
#define FIELD(s, type, name, doc) rpc_c_##type name;
#define FIELD_LIST(s, element, name, doc)                                                          \
	const struct element *name;                                                                \
	size_t n_##name;
#define END_STRUCT(s)                                                                              \
	}                                                                                          \
	;
#include "lib/rpc/service_pass.h"

#define METHOD(m, roles, doc) struct RPC_NAME(_##m##_args) {
#define ARG(m, type, name, doc) rpc_c_##type name;
#define ARG_LIST(m, element, name, doc)                                                            \
	const struct element *name;                                                                \
	size_t n_##name;
#define END(m)                                                                                     \
	}                                                                                          \
	;
#include "lib/rpc/service_pass.h"

#define METHOD(m, roles, doc) struct RPC_NAME(_##m##_result) {
#define RES(m, type, name, doc) rpc_c_##type name;
#define RES_LIST(m, element, name, doc)                                                            \
	const struct element *name;                                                                \
	size_t n_##name;
#define END(m)                                                                                     \
	}                                                                                          \
	;
#include "lib/rpc/service_pass.h"

struct RPC_NAME(_ops) {
#define METHOD(m, roles, doc)                                                                      \
	bool (*m)(void *self, const struct rpc_call *call,                                         \
	    const struct RPC_NAME(_##m##_args) * args, struct RPC_NAME(_##m##_result) * result,    \
	    struct err * err);
#include "lib/rpc/service_pass.h"
};

#define METHOD(m, roles, doc)                                                                      \
	bool RPC_NAME(_##m##_call)(const struct rpc_client *client, struct arena *arena,           \
	    const struct RPC_NAME(_##m##_args) * args, struct RPC_NAME(_##m##_result) * result,    \
	    struct err * err) must_check;
#include "lib/rpc/service_pass.h"

extern const struct rpc_service RPC_NAME(_service);
