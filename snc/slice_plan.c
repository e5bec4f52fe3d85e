/*
 * Third stage of the slice's way: a mapping becomes resource rows. Nodes and hubs first, then for
 * each link its share and its two ends. Pure but for the numbers, which the caller hands out.
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

/* The number that a port has already; 0 = none. */
static uint64_t
known_port(const struct slice_plan_request *request, const struct slice_node *node, size_t index)
{
	for (size_t i = 0; i < request->n_ports; i++)
		if (request->ports[i].node == node &&
		    request->ports[i].vport == &node->vports[index])
			return request->ports[i].id;
	return 0;
}

static bool
number_ports(const struct slice_plan_request *request, plan_ports *ports, struct err *err)
{
	const struct slice *slice = request->slice;

	for (size_t i = 0; i < slice->body.n_nodes; i++) {
		const struct slice_node *node = &slice->body.nodes[i];

		for (size_t k = 0; k < node->n_vports; k++) {
			struct resource_port *port = vec_add(ports);

			port->node = node;
			port->vport = &node->vports[k];
			port->id = known_port(request, node, k);
			if (!port->id && !next_id(&request->ids, &port->id, err))
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
		if (mapping->nodes[i].node->hub_of)
			resource_hub(context, &mapping->nodes[i], row);
		else
			resource_node(context, &mapping->nodes[i], row);
	}
	return true;
}

/*
 * As many bits as the type's id has, at most 32. The first bit keeps short ids apart from long
 * ones: NVGRE and GRE have them at the same place.
 */
static uint32_t
key_of(const struct slice_link *link, uint64_t rid)
{
	uint32_t bits = link->carrier.id_bits < 32 ? (uint32_t)link->carrier.id_bits : 32;
	uint32_t first = 1u << (bits - 1);

	return (uint32_t)(rid & (first - 1)) | (bits < 32 ? first : 0);
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
			end.key = key_of(link->link, end.share ? end.share : row->rid);
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
	bool is_good = number_ports(request, &ports, err);

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
