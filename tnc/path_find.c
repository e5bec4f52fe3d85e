/*
 * Where a path may run: what is free, the caller's wish if it holds, else the best there is.
 */
#include <string.h>

#include "tnc/path.h"

static void charge(struct graph *graph, const struct path *path);
static bool find_wish(const struct graph *graph, const struct graph_demand *demand,
    const struct spec_list *wish, struct arena *arena, struct graph_path *path);

struct graph *
path_residual(struct tnc *tnc, const struct paths *paths, struct arena *arena)
{
	const struct inventory *inventory = tnc->config.inventory;
	struct graph *graph = graph_copy(&inventory->graph, arena);

	for (size_t i = 0; i < paths->n; i++)
		charge(graph, &paths->items[i]);
	for (size_t i = 0; i < graph->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[i];
		bool is_up =
		    (edge->a >= inventory->n_routers || routers_is_up(tnc->routers, edge->a)) &&
		    (edge->b >= inventory->n_routers || routers_is_up(tnc->routers, edge->b));

		/* A smaller inventory than before may leave more charged than there is. */
		if (!is_up || edge->free_ab_bps < 0)
			edge->free_ab_bps = 0;
		if (!is_up || edge->free_ba_bps < 0)
			edge->free_ba_bps = 0;
	}
	return graph;
}

bool
path_find(const struct graph *residual, const struct graph_demand *demand,
    const struct spec_list *wish, struct arena *arena, struct graph_path *path, struct err *err)
{
	return find_wish(residual, demand, wish, arena, path) ||
	       graph_find(residual, demand, arena, path, err);
}

/* Edge by edge, since the inventory may have lost some of them; its ends may be swapped as well. */
static void
charge(struct graph *graph, const struct path *path)
{
	for (size_t i = 0; i < path->n_edges; i++) {
		long at = graph_edge(graph, path->edges[i]);
		struct graph_edge *edge;
		bool is_forward;

		if (at < 0)
			continue;
		edge = &graph->edges[at];
		is_forward = strcmp(graph->vertices[edge->a], path->vertices[i]) == 0;
		edge->free_ab_bps -= is_forward ? path->rate_ab_bps : path->rate_ba_bps;
		edge->free_ba_bps -= is_forward ? path->rate_ba_bps : path->rate_ab_bps;
	}
}

static bool
has_room(const struct graph_edge *edge, unsigned from, const struct graph_demand *demand)
{
	bool is_forward = edge->a == from;

	return (is_forward ? edge->free_ab_bps : edge->free_ba_bps) >= demand->rate_ab_bps &&
	       (is_forward ? edge->free_ba_bps : edge->free_ab_bps) >= demand->rate_ba_bps;
}

static bool
find_wish(const struct graph *graph, const struct graph_demand *demand,
    const struct spec_list *wish, struct arena *arena, struct graph_path *path)
{
	bool *is_used = arena_alloc(arena, graph->n_vertices * sizeof(*is_used));
	struct graph_path found = {.n_edges = wish->n};
	unsigned at = demand->a;

	if (!wish->n)
		return false;
	found.edges = arena_alloc(arena, wish->n * sizeof(*found.edges));
	for (size_t i = 0; i < wish->n; i++) {
		long index = graph_edge(graph, wish->items[i]);
		const struct graph_edge *edge;

		if (index < 0 || is_used[at] || (i && !graph->is_transit[at]))
			return false;
		is_used[at] = true;
		edge = &graph->edges[index];
		if ((edge->a != at && edge->b != at) || !has_room(edge, at, demand))
			return false;
		found.edges[i] = (unsigned)index;
		found.latency_us += edge->latency_us;
		at = edge->a == at ? edge->b : edge->a;
	}
	if (at != demand->b || is_used[at] ||
	    (demand->latency_max_us && found.latency_us > demand->latency_max_us))
		return false;
	*path = found;
	return true;
}
