/*
 * tncd of the fake site.
 */
#include "test/support/fake_tnc.h"

#include "lib/base/id.h"
#include "lib/model/spec_types.h"
#include "snc/resource.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"

/* Of the two rates of a share and of the one it takes the place of, the greater one counts. */
static int64_t
beside(int64_t rate_bps, int64_t instead_bps)
{
	return rate_bps > instead_bps ? rate_bps - instead_bps : 0;
}

static bool
take_share(
    struct txn *txn, struct substrate *site, const char *spec, struct arena *arena, struct err *err)
{
	struct resource_charge charge, old;
	struct share_spec share;
	auto_rows struct rows *instead = NULL;
	uint64_t rid = 0;

	if (!resource_charge("tnc@ctl", "share", spec, arena, &charge, err) ||
	    !spec_parse(&share_spec_table, spec, arena, &share, err) ||
	    (share.instead && !id_parse(share.instead, &rid, err)))
		return false;
	instead = txn_query(txn, err,
	    "SELECT spec FROM manager_row WHERE rid = ? AND (state < 3 OR eff = 1)", "i",
	    (int64_t)rid);
	if (!instead)
		return false;
	if (rows_next(instead)) {
		if (!resource_charge("tnc@ctl", "share", rows_text(instead, 0), arena, &old, err))
			return false;
		charge.rate_ab_bps = beside(charge.rate_ab_bps, old.rate_ab_bps);
		charge.rate_ba_bps = beside(charge.rate_ba_bps, old.rate_ba_bps);
	}
	(void)!resource_take(site, &charge, err);
	return true;
}

static bool
take_shares(struct fake_manager *fake, struct substrate *site, struct arena *arena, struct err *err)
{
	auto_txn struct txn *txn = store_begin(fake->store);
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT spec FROM manager_row WHERE kind = 'share' AND (state < 3 OR eff = 1)", "");
	bool is_good = rows != NULL;

	while (is_good && rows_next(rows))
		is_good = take_share(txn, site, arena_text(arena, rows_text(rows, 0)), arena, err);
	return is_good;
}

bool
fake_tnc_view(void *self, const struct rpc_call *call, const struct tnc_view_args *args,
    struct tnc_view_result *result, struct err *err)
{
	struct substrate *site = site_new(call->arena, fake_hosts);
	struct graph *graph = site->graph;
	struct tnc_vertex *vertices =
	    arena_alloc(call->arena, graph->n_vertices * sizeof(vertices[0]));
	struct tnc_edge *edges = arena_alloc(call->arena, graph->n_edges * sizeof(edges[0]));

	(void)args;
	if (!take_shares(self, site, call->arena, err))
		return false;
	for (size_t i = 0; i < graph->n_vertices; i++)
		vertices[i].name = graph->vertices[i];
	for (size_t i = 0; i < graph->n_edges; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		edges[i] = (struct tnc_edge){edge->name, graph->vertices[edge->a],
		    graph->vertices[edge->b], edge->free_ab_bps, edge->free_ba_bps,
		    edge->capacity_bps, edge->latency_us};
	}
	*result = (struct tnc_view_result){1, vertices, graph->n_vertices, edges, graph->n_edges};
	return true;
}
