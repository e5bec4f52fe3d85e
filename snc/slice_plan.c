/*
 * Third stage of the slice's way: a mapping becomes resource rows. Nodes first, then for each link
 * its share and its two ends. Pure but for the numbers, which the caller hands out.
 */
#include "lib/base/vec.h"
#include "snc/resource.h"
#include "snc/slice.h"

typedef vec_of(struct plan_row) plan_rows;
typedef vec_of(struct resource_port) plan_ports;

static bool
next_id(const struct slice_ids *ids, uint64_t *id, struct err *err)
{
	return ids->next(ids->self, id, err);
}

static bool
number_ports(
    const struct slice *slice, const struct slice_ids *ids, plan_ports *ports, struct err *err)
{
	for (size_t i = 0; i < slice->body.n_nodes; i++) {
		const struct slice_node *node = &slice->body.nodes[i];

		for (size_t k = 0; k < node->n_vports; k++) {
			struct resource_port *port = vec_add(ports);

			port->node = node;
			port->vport = &node->vports[k];
			if (!next_id(ids, &port->id, err))
				return false;
		}
	}
	return true;
}

static bool
plan_nodes(const struct resource_context *context, const struct slice_ids *ids,
    const struct mapping *mapping, plan_rows *rows, struct err *err)
{
	for (size_t i = 0; i < mapping->n_nodes; i++) {
		struct plan_row *row = vec_add(rows);

		if (!next_id(ids, &row->rid, err))
			return false;
		resource_node(context, &mapping->nodes[i], row);
	}
	return true;
}

/* The key is made from the first rid of the link: its share's, or its first end's. */
static bool
plan_link(const struct resource_context *context, const struct slice_plan_request *request,
    const struct mapping_link *link, plan_rows *rows, struct err *err)
{
	struct resource_end end = {.link = link};

	if (!link->is_local) {
		struct plan_row *share = vec_add(rows);

		if (!next_id(&request->ids, &share->rid, err))
			return false;
		resource_share(context, request->substrate, link, share);
		end.share = share->rid;
	}
	for (int i = 0; i < 2; i++) {
		struct plan_row *row = vec_add(rows);

		if (!next_id(&request->ids, &row->rid, err))
			return false;
		if (i == 0)
			end.key = (uint32_t)(end.share ? end.share : row->rid);
		end.is_b = i == 1;
		resource_link_end(context, &end, row);
	}
	return true;
}

static bool
plan_all(struct resource_context *context, const struct slice_plan_request *request,
    plan_rows *rows, struct err *err)
{
	const struct mapping *mapping = request->mapping;

	if (!plan_nodes(context, &request->ids, mapping, rows, err))
		return false;
	for (size_t i = 0; i < mapping->n_links; i++)
		if (!plan_link(context, request, &mapping->links[i], rows, err))
			return false;
	return true;
}

bool
slice_plan(const struct slice_plan_request *request, struct arena *arena, struct plan *plan,
    struct err *err)
{
	plan_ports ports = {0};
	plan_rows rows = {0};
	struct resource_context context = {
	    .slice_id = request->slice_id,
	    .slice = request->slice,
	    .tnc = request->tnc,
	    .arena = arena,
	};
	bool is_good = number_ports(request->slice, &request->ids, &ports, err);

	context.ports = ports.items;
	context.n_ports = ports.n;
	is_good = is_good && plan_all(&context, request, &rows, err);
	if (is_good) {
		plan->n_rows = rows.n;
		plan->rows = (void *)arena_copy(arena, rows.items, rows.n * sizeof(rows.items[0]));
	}
	vec_done(&ports);
	vec_done(&rows);
	return is_good;
}
