/*
 * A path becomes real: host routes to both of its ends on every router along it, so that packets
 * between its addresses take exactly these hops.
 */
#include <arpa/inet.h>
#include <string.h>

#include "tnc/path.h"

/* The rows of one path's group. */
struct plan {
	struct tnc *tnc;
	struct txn *txn;
	struct arena *arena;
	const struct path *path;
	struct controller_row *rows;
	size_t n_rows;
};

static bool plan_hop(struct plan *plan, size_t hop, struct err *err);

bool
path_admit(
    struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena, struct err *err)
{
	struct plan plan = {tnc, txn, arena, path, NULL, 0};

	plan.rows = arena_alloc(arena, 2 * path->n_edges * sizeof(*plan.rows));
	for (size_t hop = 1; hop < path->n_edges; hop++)
		if (!plan_hop(&plan, hop, err))
			return false;
	return controller_admit(tnc->controller, txn,
	    &(struct controller_admission){.group = path->name,
		.rows = plan.rows,
		.n_rows = plan.n_rows,
		.goal = ROW_COMMITTED},
	    err);
}

bool
path_setup(void *self, const struct row *row, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct tnc *tnc = self;
	auto_txn struct txn *txn = store_begin(tnc->config.store);
	const char *path, *why;
	enum group_state state;

	if (!store_share_path(txn, row->rid, arena, &path, err))
		return false;
	if (!path)
		return err_set(err, ERR_INTERNAL, "the share is in no path");
	if (!controller_group(tnc->controller, txn, path, &state))
		state = GROUP_GONE;
	if (state == GROUP_ACTIVE)
		return true;
	if (!store_path_reason(txn, path, arena, &why, err))
		return false;
	return err_set(err, ERR_WAIT, "transport path %s is %s%s%s", path, group_state_text(state),
	    why ? ": " : "", why ? why : "");
}

static bool
plan_route(struct plan *plan, const struct inventory_link *link, unsigned router,
    uint32_t destination, struct err *err)
{
	const struct inventory_end *near = inventory_near(link, router);
	struct controller_row *row = &plan->rows[plan->n_rows++];
	struct in_addr in = {htonl(destination)};
	char address[INET_ADDRSTRLEN] = "";
	struct str spec = {0};

	inet_ntop(AF_INET, &in, address, sizeof(address));
	spec_print(&route_spec_table,
	    &(struct route_spec){.path = plan->path->name,
		.destination = address,
		.next_hop = inventory_far(link, router)->address,
		.device = near->port},
	    &spec);
	*row =
	    (struct controller_row){.manager = arena_format(plan->arena, "router@%s", near->node),
		.kind = "route",
		.subject = arena_format(plan->arena, "path %s, route to %s on %s", plan->path->name,
		    address, near->node),
		.spec = arena_text(plan->arena, spec.text),
		.attr = ""};
	str_done(&spec);
	return controller_next_id(plan->tnc->controller, plan->txn, &row->rid, err);
}

/* The two routes on the router between the links hop - 1 and hop. */
static bool
plan_hop(struct plan *plan, size_t hop, struct err *err)
{
	const struct inventory *inventory = plan->tnc->config.inventory;
	const struct path *path = plan->path;
	long router = graph_vertex(&inventory->graph, path->vertices[hop]);
	long before = graph_edge(&inventory->graph, path->edges[hop - 1]);
	long behind = graph_edge(&inventory->graph, path->edges[hop]);

	if (router < 0 || before < 0 || behind < 0)
		return err_set(err, ERR_NOT_FOUND,
		    "'%s' or a link of path %s is not in the inventory any more",
		    path->vertices[hop], path->name);
	return plan_route(
		   plan, &inventory->links[before], (unsigned)router, path->address_a, err) &&
	       plan_route(plan, &inventory->links[behind], (unsigned)router, path->address_b, err);
}
