/*
 * A path becomes real: host routes to both of its ends on every router along it, so that packets
 * between its addresses take exactly these hops, and have at each what the path is guaranteed.
 */
#include <arpa/inet.h>

#include "lib/base/str.h"
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
static bool be_guaranteed(
    struct tnc *tnc, struct txn **txn, const struct row *row, const char *path, struct err *err);

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
		return be_guaranteed(tnc, &txn, row, path, err);
	if (!store_path_reason(txn, path, arena, &why, err))
		return false;
	return err_set(err, ERR_WAIT, "transport path %s is %s%s%s", path, group_state_text(state),
	    why ? ": " : "", why ? why : "");
}

/* Later changes of the path's rate are other shares' business. */
static bool
be_guaranteed(
    struct tnc *tnc, struct txn **txn, const struct row *row, const char *path, struct err *err)
{
	bool is_set_up, is_told;

	if (!store_share_is_set_up(*txn, row->rid, &is_set_up, err))
		return false;
	if (is_set_up)
		return true;
	if (!path_rate_is_told(tnc, *txn, path, &is_told, err))
		return false;
	if (!is_told)
		return err_set(err, ERR_WAIT,
		    "a router of transport path %s has not heard of its new rate", path);
	return store_share_set_up(*txn, row->rid, err) && txn_commit(txn, err);
}

const char *
path_address_text(struct arena *arena, uint32_t address)
{
	struct in_addr in = {htonl(address)};
	char text[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, &in, text, sizeof(text));
	return arena_text(arena, text);
}

static bool
plan_route(struct plan *plan, const struct inventory_link *link, unsigned router,
    uint32_t destination, struct err *err)
{
	const struct inventory *inventory = plan->tnc->config.inventory;
	const struct inventory_end *near = inventory_near(link, router);
	struct controller_row *row = &plan->rows[plan->n_rows++];
	const char *address = path_address_text(plan->arena, destination);
	bool is_to_a = destination == plan->path->address_a;
	auto_str struct str spec = {0}, attr = {0};

	spec_print(&route_spec_table,
	    &(struct route_spec){.path = plan->path->name,
		.destination = address,
		.next_hop = inventory_far(link, router)->address,
		.device = near->port},
	    &spec);
	spec_print(&route_attr_spec_table,
	    &(struct route_attr_spec){
		.rate_bps = is_to_a ? plan->path->rate_ba_bps : plan->path->rate_ab_bps,
		.port_bps = inventory->graph.edges[link - inventory->links].capacity_bps},
	    &attr);
	*row =
	    (struct controller_row){.manager = arena_format(plan->arena, "router@%s", near->node),
		.kind = "route",
		.subject = arena_format(plan->arena, "path %s, route to %s on %s", plan->path->name,
		    address, near->node),
		.spec = arena_text(plan->arena, spec.text),
		.attr = arena_text(plan->arena, attr.text)};
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
