/*
 * RPC to verbs and state: the view, the routers, the comparison of rows and routers, the routers'
 * hello. Thin.
 */
#include "tnc/tnc_service.h"

#include <string.h>

#include "lib/api/manager_api.h"
#include "lib/api/peer.h"
#include "lib/base/id.h"
#include "tnc/path.h"

static bool serve_view(void *self, const struct rpc_call *call, const struct tnc_view_args *args,
    struct tnc_view_result *result, struct err *err);
static bool serve_router_list(void *self, const struct rpc_call *call,
    const struct tnc_router_list_args *args, struct tnc_router_list_result *result,
    struct err *err);
static bool serve_orphans(void *self, const struct rpc_call *call,
    const struct tnc_orphans_args *args, struct tnc_orphans_result *result, struct err *err);
static bool serve_retry(void *self, const struct rpc_call *call, const struct tnc_retry_args *args,
    struct tnc_retry_result *result, struct err *err);
static bool serve_restore(void *self, const struct rpc_call *call,
    const struct tnc_restore_args *args, struct tnc_restore_result *result, struct err *err);
static bool serve_hello(void *self, const struct rpc_call *call,
    const struct controller_hello_args *args, struct controller_hello_result *result,
    struct err *err);

const struct tnc_ops tnc_ops = {
    .view = serve_view,
    .path_list = service_path_list,
    .path_candidates = service_path_candidates,
    .router_list = serve_router_list,
    .orphans = serve_orphans,
    .retry = serve_retry,
    .restore = serve_restore,
};

const struct controller_ops tnc_controller_ops = {.hello = serve_hello};

/* FNV-1a. */
static uint64_t
hash_add(uint64_t hash, uint64_t value)
{
	for (int i = 0; i < 8; i++, value >>= 8)
		hash = (hash ^ (value & 0xff)) * 0x100000001b3u;
	return hash;
}

/* A hash of what the view shows: equal revisions mean equal views, after restarts too. 53 bits, so
 * that every client's numbers hold it. */
static int64_t
revision_of(const struct graph *graph)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		for (const char *at = edge->name; *at; at++)
			hash = hash_add(hash, (unsigned char)*at);
		hash = hash_add(hash, edge->a);
		hash = hash_add(hash, edge->b);
		hash = hash_add(hash, (uint64_t)edge->free_ab_bps);
		hash = hash_add(hash, (uint64_t)edge->free_ba_bps);
		hash = hash_add(hash, (uint64_t)edge->capacity_bps);
		hash = hash_add(hash, (uint64_t)edge->latency_us);
	}
	return (int64_t)(hash >> 11);
}

static bool
serve_view(void *self, const struct rpc_call *call, const struct tnc_view_args *args,
    struct tnc_view_result *result, struct err *err)
{
	struct tnc *tnc = self;
	struct tnc_vertex *vertices;
	struct tnc_edge *edges;
	struct paths paths;
	struct graph *graph;

	(void)args;
	if (!service_paths(tnc, call->arena, &paths, err))
		return false;
	graph = path_residual(tnc, &paths, call->arena);
	vertices = arena_alloc(call->arena, graph->n_vertices * sizeof(*vertices));
	edges = arena_alloc(call->arena, graph->n_edges * sizeof(*edges));
	for (size_t i = 0; i < graph->n_vertices; i++)
		vertices[i].name = graph->vertices[i];
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		edges[i] = (struct tnc_edge){.name = edge->name,
		    .a = graph->vertices[edge->a],
		    .b = graph->vertices[edge->b],
		    .free_ab_bps = edge->free_ab_bps,
		    .free_ba_bps = edge->free_ba_bps,
		    .capacity_bps = edge->capacity_bps,
		    .latency_us = edge->latency_us};
	}
	*result = (struct tnc_view_result){.revision = revision_of(graph),
	    .vertices = vertices,
	    .n_vertices = graph->n_vertices,
	    .edges = edges,
	    .n_edges = graph->n_edges};
	return true;
}

static bool
serve_router_list(void *self, const struct rpc_call *call, const struct tnc_router_list_args *args,
    struct tnc_router_list_result *result, struct err *err)
{
	struct tnc *tnc = self;
	const struct inventory *inventory = tnc->config.inventory;
	struct tnc_router *shown = arena_alloc(call->arena, inventory->n_routers * sizeof(*shown));

	(void)args, (void)err;
	for (size_t i = 0; i < inventory->n_routers; i++)
		shown[i] = (struct tnc_router){.name = inventory->routers[i].name,
		    .address = inventory->routers[i].address,
		    .state = routers_is_up(tnc->routers, i) ? "up" : "down"};
	*result =
	    (struct tnc_router_list_result){.routers = shown, .n_routers = inventory->n_routers};
	return true;
}

/* ---- orphans --------------------------------------------------------------------------------- */

struct hunt {
	struct tnc *tnc;
	struct arena *arena;
	vec_of(struct tnc_orphan) found;
};

static void
hunt_add(struct hunt *hunt, const char *manager, const char *line)
{
	vec_push(&hunt->found, ((struct tnc_orphan){.manager = arena_text(hunt->arena, manager),
				   .line = arena_text(hunt->arena, line)}));
}

static bool
hunt_own(struct hunt *hunt, struct err *err)
{
	auto_str struct str lines = {0};
	char *rest, *line;
	const char **names;
	size_t n_names;

	if (!manager_orphans(hunt->tnc->manager, &lines, err))
		return false;
	rest = lines.text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			hunt_add(hunt, hunt->tnc->config.full_name, line);
	names = controller_set_aside(hunt->tnc->controller, hunt->arena, &n_names);
	for (size_t i = 0; i < n_names; i++)
		hunt_add(hunt, hunt->tnc->config.full_name,
		    arena_format(hunt->arena,
			"path %s is left as it stands: tncd has died of it (vnode host retry)",
			names[i]));
	return true;
}

/* Rows that stand at the router, but in no path of ours. */
static bool
hunt_rows(struct hunt *hunt, const char *name, const struct rpc_client *client, struct err *err)
{
	struct manager_status_args args = {.after = id_text(0).text};
	struct manager_status_result result;
	struct id_text after;

	do {
		if (!manager_status_call(client, hunt->arena, &args, &result, err))
			return false;
		for (size_t i = 0; i < result.n_rows; i++) {
			const struct manager_row *row = &result.rows[i];
			uint64_t rid;

			if (!id_parse(row->rid, &rid, err))
				return false;
			if (!str_equal(row->state, row_state_text(ROW_RELEASED)) &&
			    !controller_expects(hunt->tnc->controller, name, rid))
				hunt_add(hunt, name,
				    arena_format(hunt->arena, "%s %s is %s, but of no path",
					row->kind, row->rid, row->state));
			after = id_text(rid);
			args.after = after.text;
		}
	} while (result.n_rows == MANAGER_ROWS_MAX);
	return true;
}

static bool
hunt_router(struct hunt *hunt, const char *name, struct err *err)
{
	const struct rpc_client *client = tnc_router(hunt->tnc, name, err);
	struct manager_orphans_result result = {0};

	if (!client || !manager_orphans_call(
			   client, hunt->arena, &(struct manager_orphans_args){}, &result, err))
		return false;
	for (size_t i = 0; i < result.n_orphans; i++)
		hunt_add(hunt, name, result.orphans[i].line);
	return hunt_rows(hunt, name, client, err);
}

static bool
serve_orphans(void *self, const struct rpc_call *call, const struct tnc_orphans_args *args,
    struct tnc_orphans_result *result, struct err *err)
{
	struct hunt hunt = {.tnc = self, .arena = call->arena};
	const struct inventory *inventory = hunt.tnc->config.inventory;
	struct tnc_orphan *orphans;
	bool is_done = hunt_own(&hunt, err);

	(void)args;
	for (size_t i = 0; i < inventory->n_routers && is_done; i++) {
		const char *name =
		    arena_format(call->arena, "router@%s", inventory->routers[i].name);
		struct err why = {0};

		if (!hunt_router(&hunt, name, &why))
			hunt_add(&hunt, name,
			    arena_format(call->arena, "it cannot be asked: %s", why.text));
	}
	orphans = arena_alloc(call->arena, hunt.found.n * sizeof(*orphans));
	if (hunt.found.n)
		memcpy(orphans, hunt.found.items, hunt.found.n * sizeof(*orphans));
	*result = (struct tnc_orphans_result){.orphans = orphans, .n_orphans = hunt.found.n};
	vec_done(&hunt.found);
	return is_done;
}

/* ---- retry ----------------------------------------------------------------------------------- */

static bool
serve_retry(void *self, const struct rpc_call *call, const struct tnc_retry_args *args,
    struct tnc_retry_result *result, struct err *err)
{
	struct tnc *tnc = self;
	const struct inventory *inventory = tnc->config.inventory;

	(void)args;
	result->n = (int64_t)(manager_retry(tnc->manager) + controller_retry(tnc->controller));
	for (size_t i = 0; i < inventory->n_routers; i++) {
		const char *name =
		    arena_format(call->arena, "router@%s", inventory->routers[i].name);
		const struct rpc_client *client = tnc_router(tnc, name, err);
		struct manager_retry_result more;

		if (!client || !manager_retry_call(
				   client, call->arena, &(struct manager_retry_args){}, &more, err))
			return err_in(err, "%s", name);
		result->n += more.n;
	}
	return true;
}

/* ---- restore --------------------------------------------------------------------------------- */

static bool
survey_routers(
    struct tnc *tnc, struct arena *arena, struct controller_survey *found, struct err *err)
{
	const struct inventory *inventory = tnc->config.inventory;
	const char **names = arena_alloc(arena, (inventory->n_routers + 1) * sizeof(names[0]));

	for (size_t i = 0; i < inventory->n_routers; i++)
		names[i] = arena_format(arena, "router@%s", inventory->routers[i].name);
	return controller_survey(tnc->controller, names, inventory->n_routers, arena, found, err);
}

static bool
resume(struct tnc *tnc, const struct controller_survey *found, struct err *err)
{
	auto_txn struct txn *txn = store_begin(tnc->config.store);

	if (!controller_resume(tnc->controller, txn, found, err) || !txn_commit(&txn, err))
		return false;
	controller_wake(tnc->controller);
	return true;
}

static bool
serve_restore(void *self, const struct rpc_call *call, const struct tnc_restore_args *args,
    struct tnc_restore_result *result, struct err *err)
{
	struct tnc *tnc = self;
	struct controller_survey found = {0};
	struct tnc_orphan *unknown;
	struct txn *txn = store_begin(tnc->config.store);

	*result = (struct tnc_restore_result){.why = controller_quarantine(txn, call->arena)};
	txn_cancel(txn);
	if (!result->why[0])
		return !args->confirm ||
		       err_set(err, ERR_CONFLICT, "no router has heard of anything newer");
	if (!survey_routers(tnc, call->arena, &found, err))
		return false;
	unknown = arena_alloc(call->arena, (found.n_rows + 1) * sizeof(unknown[0]));
	for (size_t i = 0; i < found.n_rows; i++)
		if (!found.rows[i].is_known)
			unknown[result->n_unknown++] =
			    (struct tnc_orphan){arena_text(call->arena, found.rows[i].manager),
				arena_text(call->arena, id_text(found.rows[i].rid).text)};
	result->unknown = unknown;
	return !args->confirm || resume(tnc, &found, err);
}

/* ---- hello ----------------------------------------------------------------------------------- */

/* What a router has put right is a note about each share of the path. */
static bool
pass_note(struct tnc *tnc, struct txn *txn, const char *router, const struct controller_note *note,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct controller_row_state row;
	const uint64_t *shares;
	const char *path, *text;
	uint64_t rid;
	size_t n_shares;

	if (!id_parse(note->rid, &rid, err))
		return false;
	if (!controller_row_of(txn, rid, arena, &path, &row, err))
		return err->code == ERR_NOT_FOUND;
	if (strcmp(row.row.manager, router) != 0)
		return true;
	if (!store_path_share_ids(txn, path, arena, &shares, &n_shares, err))
		return false;
	text = arena_format(arena, "%s: %s", row.row.subject, note->text);
	for (size_t i = 0; i < n_shares; i++)
		manager_note(tnc->manager, shares[i], note->what, text);
	return true;
}

static bool
pass_notes(struct tnc *tnc, const struct controller_hello_args *args, struct err *err)
{
	auto_txn struct txn *txn = NULL;

	if (args->n_notes > NOTES_AT_ONCE)
		return err_set(err, ERR_LIMIT, "at most %d notes", NOTES_AT_ONCE);
	if (args->n_notes)
		txn = store_begin(tnc->config.store);
	for (size_t i = 0; i < args->n_notes; i++)
		if (!pass_note(tnc, txn, args->manager, &args->notes[i], err))
			return false;
	return true;
}

static bool
serve_hello(void *self, const struct rpc_call *call, const struct controller_hello_args *args,
    struct controller_hello_result *result, struct err *err)
{
	struct tnc *tnc = self;
	const char *name = arena_format(call->arena, "%s@%s", call->role, call->name);
	uint64_t *rids = arena_alloc(call->arena, args->n_changed * sizeof(*rids));

	if (strcmp(call->role, "router") != 0 || strcmp(args->manager, name) != 0)
		return err_set(
		    err, ERR_FORBIDDEN, "'%s' is no router's name for '%s'", args->manager, name);
	for (size_t i = 0; i < args->n_changed; i++)
		if (!id_parse(args->changed[i].rid, &rids[i], err))
			return false;
	if (!routers_heard(tnc->routers, call->name, err) || !pass_notes(tnc, args, err))
		return false;
	controller_heard(tnc->controller, name, args->db_uuid, args->change, rids, args->n_changed);
	*result = (struct controller_hello_result){
	    .epoch = controller_epoch(tnc->controller), .interval_ms = ROUTER_HELLO_MS};
	return true;
}
