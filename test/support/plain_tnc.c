/*
 * The network of two routers.
 */
#include "test/support/plain_tnc.h"

#include "lib/base/id.h"

void
plain_share(uint64_t rid, struct str *result)
{
	str_addf(result,
	    "path=%s\naddress_a=10.65.0.1\naddress_b=10.65.0.2\nnext_hop_a=10.64.0.1\n"
	    "next_hop_b=10.64.0.2\nlatency_us=2000\n",
	    id_text(rid).text);
}

static bool
publish(void *self, const struct rpc_call *call, const struct tnc_view_args *args,
    struct tnc_view_result *result, struct err *err)
{
	const struct plain_tnc *tnc = self;
	size_t n = 2 * tnc->n_hosts;
	struct tnc_vertex *vertices = arena_alloc(call->arena, (n + 2) * sizeof(vertices[0]));
	struct tnc_edge *edges = arena_alloc(call->arena, n * sizeof(edges[0]));

	(void)args, (void)err;
	vertices[n].name = "r0";
	vertices[n + 1].name = "r1";
	for (size_t i = 0; i < n; i++) {
		vertices[i].name = arena_format(call->arena, "v%zu:u%zu", i / 2 + 1, i % 2);
		edges[i] = (struct tnc_edge){arena_format(call->arena, "e%zu", i), vertices[i].name,
		    vertices[n + i % 2].name, 1000000000000, 1000000000000, 1000000000000, 1000};
	}
	*result = (struct tnc_view_result){1, vertices, n + 2, edges, n};
	return true;
}

static bool
no_paths(void *self, const struct rpc_call *call, const struct tnc_path_list_args *args,
    struct tnc_path_list_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_path_list_result){0};
	return true;
}

static bool
no_routers(void *self, const struct rpc_call *call, const struct tnc_router_list_args *args,
    struct tnc_router_list_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_router_list_result){0};
	return true;
}

static bool
no_orphans(void *self, const struct rpc_call *call, const struct tnc_orphans_args *args,
    struct tnc_orphans_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_orphans_result){0};
	return true;
}

static bool
no_retry(void *self, const struct rpc_call *call, const struct tnc_retry_args *args,
    struct tnc_retry_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_retry_result){0};
	return true;
}

static bool
no_restore(void *self, const struct rpc_call *call, const struct tnc_restore_args *args,
    struct tnc_restore_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_restore_result){.why = ""};
	return true;
}

const struct tnc_ops plain_tnc_ops = {
    publish, no_paths, no_routers, no_orphans, no_retry, no_restore};
