/*
 * A service made from rows (probe.def) with both its ends in the test's process, and what was seen
 * between them.
 */
#pragma once

#include "test/support/probe_api.h"

struct bench {
	struct arena *arena;
	struct rpc_server *server;
	struct rpc_client client;
	const char *role;   /* of the caller; "snc" at start */
	struct str answer;  /* instead of the server's, when set */
	struct err refusal; /* what probe.fail refuses with */
	int n_calls;        /* of handlers */
};

extern const struct probe_ops probe_handlers;

void bench_open(struct bench *bench);
void bench_close(struct bench *bench);

/* What the server makes of a raw request: the code of its fault, or ERR_NONE. */
enum err_code bench_verdict(struct bench *bench, const char *body, struct err *err);
