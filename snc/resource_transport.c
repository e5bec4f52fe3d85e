/*
 * The share of a transport path for one virtual link, as a row of tncd. The edges are a wish: tncd
 * may take others between the same ports.
 */
#include "lib/model/spec_types.h"
#include "lib/model/units.h"
#include "snc/resource.h"
#include "snc/resource_part.h"

void
resource_share(const struct resource_context *context, const struct substrate *substrate,
    const struct mapping_link *mapped, struct plan_row *row)
{
	const struct slice_link *link = mapped->link;
	const struct graph *graph = substrate->graph;
	const char **edges = arena_alloc(context->arena, mapped->path.n_edges * sizeof(edges[0]));
	struct share_spec spec = {
	    .slice = context->slice_id,
	    .link = link->name,
	    .a = graph->vertices[mapped->port_a->vertex],
	    .b = graph->vertices[mapped->port_b->vertex],
	    .rate_ab_bps = rate_on_wire(link->rate_up_bps, link->mtu, link->carrier.overhead),
	    .rate_ba_bps = rate_on_wire(link->rate_down_bps, link->mtu, link->carrier.overhead),
	    .latency_us = link->latency_us,
	    .edge = {edges, mapped->path.n_edges},
	};

	for (size_t i = 0; i < mapped->path.n_edges; i++)
		edges[i] = graph->edges[mapped->path.edges[i]].name;
	row->manager = context->tnc;
	row->kind = "share";
	row->subject = arena_format(context->arena, "link %s", link->name);
	row->spec = resource_print(&share_spec_table, &spec, context->arena);
	row->attr = "";
}

bool
resource_share_charge(
    const char *spec_text, struct arena *arena, struct resource_charge *charge, struct err *err)
{
	struct share_spec spec;

	if (!spec_parse(&share_spec_table, spec_text, arena, &spec, err))
		return false;
	charge->from = spec.a;
	charge->edges = spec.edge;
	charge->rate_ab_bps = spec.rate_ab_bps;
	charge->rate_ba_bps = spec.rate_ba_bps;
	return true;
}

void
resource_share_parts(
    struct graph *graph, const struct resource_charge *charge, resource_part_fn *part, void *self)
{
	long at = graph_vertex(graph, charge->from);

	for (size_t i = 0; i < charge->edges.n && at >= 0; i++) {
		long found = graph_edge(graph, charge->edges.items[i]);
		struct graph_edge *edge = found < 0 ? NULL : &graph->edges[found];
		bool is_forward = edge && edge->a == (unsigned)at;

		if (!edge || (!is_forward && edge->b != (unsigned)at))
			return;
		part(self, &edge->free_ab_bps,
		    is_forward ? charge->rate_ab_bps : charge->rate_ba_bps);
		part(self, &edge->free_ba_bps,
		    is_forward ? charge->rate_ba_bps : charge->rate_ab_bps);
		at = (long)(is_forward ? edge->b : edge->a);
	}
}

/* Takes it, and remembers where that was too much. */
static void
take_edge(void *self, int64_t *free, int64_t amount)
{
	bool *fits = self;

	*free -= amount;
	*fits = *fits && *free >= 0;
}

bool
resource_share_take(struct graph *graph, const struct resource_charge *charge, struct err *err)
{
	bool fits = true;
	int64_t rate =
	    charge->rate_ab_bps > charge->rate_ba_bps ? charge->rate_ab_bps : charge->rate_ba_bps;

	resource_share_parts(graph, charge, take_edge, &fits);
	return fits || err_set(err, ERR_R03, "the path from '%s' has no %s free any more",
			   charge->from, rate_text(rate).text);
}
