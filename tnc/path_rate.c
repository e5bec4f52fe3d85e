/*
 * What a path is guaranteed on its way: the sum of its shares. It changes with every share that
 * comes or goes; the routers are told by a new revision of their rows' attributes, in the
 * transaction that changes the sum, and change their classes in place.
 */
#include <string.h>

#include "lib/base/str.h"
#include "tnc/path.h"

/* What the port of a row's link carries; what the row said before when the inventory has lost it.
 */
static int64_t
port_rate(struct tnc *tnc, const struct path *path, const struct controller_row *row,
    const struct route_spec *spec, const struct route_attr_spec *before)
{
	const struct inventory *inventory = tnc->config.inventory;
	const char *node = strchr(row->manager, '@');

	for (size_t i = 0; node && i < path->n_edges; i++) {
		long at = graph_edge(&inventory->graph, path->edges[i]);

		for (int end = 0; at >= 0 && end < 2; end++)
			if (!strcmp(inventory->links[at].ends[end].node, node + 1) &&
			    str_equal(inventory->links[at].ends[end].port, spec->device))
				return inventory->graph.edges[at].capacity_bps;
	}
	return before->port_bps;
}

/* A pass over the rows of one path. */
struct telling {
	struct tnc *tnc;
	struct txn *txn;
	struct arena *arena;
	const struct path *path;
};

static bool
tell_row(const struct telling *telling, const struct controller_row_state *state, bool *has_changed,
    struct err *err)
{
	const struct path *path = telling->path;
	struct route_attr_spec attr;
	struct route_spec spec;
	auto_str struct str text = {0};

	if (!spec_parse(&route_spec_table, state->row.spec, telling->arena, &spec, err) ||
	    !spec_parse(&route_attr_spec_table, state->row.attr, telling->arena, &attr, err))
		return false;
	attr.port_bps = port_rate(telling->tnc, path, &state->row, &spec, &attr);
	attr.rate_bps =
	    str_equal(spec.destination, path_address_text(telling->arena, path->address_a))
		? path->rate_ba_bps
		: path->rate_ab_bps;
	spec_print(&route_attr_spec_table, &attr, &text);
	if (str_equal(text.text, state->row.attr))
		return true;
	*has_changed = true;
	return controller_set_attr(
	    telling->tnc->controller, telling->txn, state->row.rid, text.text, err);
}

bool
path_rate(struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena,
    bool *has_changed, struct err *err)
{
	const struct telling telling = {tnc, txn, arena, path};
	const struct controller_row_state *rows;
	size_t n_rows = 0;

	if (!controller_rows(tnc->controller, txn, path->name, arena, &rows, &n_rows))
		return err_set(
		    err, ERR_UNAVAILABLE, "the routes of path %s cannot be read", path->name);
	for (size_t i = 0; i < n_rows; i++)
		if (!controller_row_is_lost(&rows[i]) &&
		    !tell_row(&telling, &rows[i], has_changed, err))
			return false;
	return true;
}

bool
path_rate_shares(
    struct tnc *tnc, struct txn *txn, const char *name, struct arena *arena, struct err *err)
{
	bool is_found, has_changed = false;
	struct path path;

	return store_path(txn, name, arena, &path, &is_found, err) &&
	       (!is_found || path_rate(tnc, txn, &path, arena, &has_changed, err));
}

bool
path_rate_is_told(
    struct tnc *tnc, struct txn *txn, const char *name, bool *is_told, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	size_t n_rows = 0;

	if (!controller_rows(tnc->controller, txn, name, arena, &rows, &n_rows))
		return err_set(err, ERR_UNAVAILABLE, "the routes of path %s cannot be read", name);
	*is_told = true;
	for (size_t i = 0; i < n_rows; i++)
		*is_told &= rows[i].rev_have >= rows[i].rev;
	return true;
}
