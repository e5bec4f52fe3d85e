/*
 * XML-RPC from rows. A service is a file of rows (schemas/rpc/SERVICE.def); the argument and result
 * structs, the client functions, the server's dispatch and the method help come from re-including
 * it (service_types.h, service_code.h). This header has what those need and the two ends.
 * Bytes in, bytes out: the transport is handed in by main. Only includer of xmlrpc-c.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

/* ---- values ---------------------------------------------------------------------------------- */

enum rpc_type { RPC_I64, RPC_BOOL, RPC_TEXT, RPC_BLOB, RPC_OPT_I64, RPC_OPT_TEXT, RPC_LIST };

struct rpc_blob {
	const void *bytes;
	size_t size;
};

struct rpc_opt_i64 {
	bool is_set;
	int64_t value;
};

/*
 * C types of the row types `i64 bool text blob opt_i64 opt_text`; an absent opt_text is NULL. A
 * text is UTF-8 without control characters but tab and line end (which arrives as \n however it
 * was written); anything else is a blob.
 */
typedef int64_t rpc_c_i64;
typedef bool rpc_c_bool;
typedef const char *rpc_c_text;
typedef struct rpc_blob rpc_c_blob;
typedef struct rpc_opt_i64 rpc_c_opt_i64;
typedef const char *rpc_c_opt_text;

#define RPC_TYPE_i64 RPC_I64
#define RPC_TYPE_bool RPC_BOOL
#define RPC_TYPE_text RPC_TEXT
#define RPC_TYPE_blob RPC_BLOB
#define RPC_TYPE_opt_i64 RPC_OPT_I64
#define RPC_TYPE_opt_text RPC_OPT_TEXT

struct rpc_struct;

/* One member of a struct: what the codec needs to find and name it. */
struct rpc_field {
	const char *name; /* NULL ends the table */
	enum rpc_type type;
	size_t offset;
	size_t count_offset;              /* RPC_LIST: of the size_t n_NAME */
	const struct rpc_struct *element; /* RPC_LIST */
	const char *doc;
};

struct rpc_struct {
	const char *name;
	size_t size;
	const struct rpc_field *fields;
};

/* ---- server ---------------------------------------------------------------------------------- */

/* Who calls, as the transport has verified it. */
struct rpc_call {
	const char *role;    /* "snc", "developer", … from the certificate */
	const char *name;    /* "ctl", "dev1", … */
	struct arena *arena; /* of the request: results are made here */
};

typedef bool rpc_invoke(const void *ops, void *self, const struct rpc_call *call, const void *args,
    void *result, struct err *err);

struct rpc_method {
	const char *name;  /* "reserve" */
	const char *roles; /* who may call it, blank-separated */
	const char *doc;
	const struct rpc_struct *args;
	const struct rpc_struct *result;
	rpc_invoke *invoke;
	bool (*has_handler)(const void *ops);
};

struct rpc_service {
	const char *name; /* "manager": methods are called manager.reserve */
	const struct rpc_method *methods;
	size_t n_methods;
};

struct rpc_server;

void rpc_server_free(struct rpc_server *server);
struct rpc_server *rpc_server_new(void) malloc_by(rpc_server_free) must_check;

/* Adds a service before the first request. A missing handler is refused (ERR_INTERNAL). ops and
 * self must outlive the server. */
bool rpc_server_add(struct rpc_server *server, const struct rpc_service *service, const void *ops,
    void *self, struct err *err) must_check;

/* What a call came to. */
struct rpc_told {
	const char *service, *method;
	const struct rpc_struct *type; /* of args */
	const void *args;              /* NULL = not understood, or the role may not */
	const struct err *err;         /* NULL = it succeeded */
};

typedef void rpc_told_fn(void *self, const struct rpc_call *call, const struct rpc_told *told);

/* Tells of each call of a service that was added, of a method that exists, before it is answered;
 * in the thread of the call. Before the first request. */
void rpc_server_tell(
    struct rpc_server *server, const struct rpc_service *service, rpc_told_fn *told, void *self);

/*
 * One request, already past the XML guard's transport checks (the guard runs here again, before
 * xmlrpc-c): appends the answer or fault to reply. Unknown method, wrong types, missing arguments
 * and roles not in the row are faults, and the handler does not run. Any thread.
 */
void rpc_server_handle(struct rpc_server *server, const struct rpc_call *call, const char *body,
    size_t size, struct str *reply);

/* ---- client ---------------------------------------------------------------------------------- */

/* Post the body, append the answer's body to reply. ERR_UNAVAILABLE, ERR_TIMEOUT,
 * ERR_UNAUTHENTICATED. */
typedef bool rpc_post(
    void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err);

struct rpc_client {
	rpc_post *post;
	void *self;
	int timeout_ms;
};

/*
 * One call: args by their table, answer decoded into result (texts and lists in arena). A fault
 * comes back as the err it was, code, line, subject and hint included. Any thread if post allows
 * it.
 */
struct rpc_request {
	const char *service;
	const char *method;
	const struct rpc_struct *args_type;
	const void *args;
	const struct rpc_struct *result_type;
	void *result;
};

bool rpc_client_call(const struct rpc_client *client, struct arena *arena,
    const struct rpc_request *request, struct err *err) must_check;
