/*
 * Where a path may run: what is free, the caller's wish if it holds, else the best there is.
 */
#include <string.h>

#include "tnc/path.h"

static void charge(const struct inventory *inventory, struct graph *graph, const struct path *path);
static bool find_wish(const struct inventory *inventory, const struct graph *graph,
    const struct graph_demand *demand, const struct spec_list *wish, struct arena *arena,
    struct graph_path *path);

struct inventory_window
path_now(const struct tnc *tnc)
{
	int64_t now_ms = clock_wall_ms(tnc->config.clock);

	return (struct inventory_window){now_ms, now_ms + 1};
}

struct graph *
path_free(struct tnc *tnc, const struct paths *paths, struct arena *arena)
{
	const struct inventory *inventory = tnc->config.inventory;
	struct graph *graph = graph_copy(&inventory->graph, arena);

	for (size_t i = 0; i < paths->n; i++)
		charge(inventory, graph, &paths->items[i]);
	/* A smaller inventory than before may leave more charged than there is. */
	for (size_t i = 0; i < graph->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[i];

		edge->free_ab_bps = edge->free_ab_bps < 0 ? 0 : edge->free_ab_bps;
		edge->free_ba_bps = edge->free_ba_bps < 0 ? 0 : edge->free_ba_bps;
	}
	return graph;
}

bool *
path_shut(struct tnc *tnc, const struct inventory_window *window, struct arena *arena)
{
	const struct inventory *inventory = tnc->config.inventory;
	const struct graph *graph = &inventory->graph;
	bool *is_away = arena_alloc(arena, graph->n_vertices * sizeof(is_away[0]));
	bool *is_shut = arena_alloc(arena, graph->n_edges * sizeof(is_shut[0]));
	bool is_now = window->from_ms <= clock_wall_ms(tnc->config.clock);

	for (size_t i = 0; i < inventory->n_routers; i++)
		is_away[i] = (is_now && !routers_is_up(tnc->routers, i)) ||
			     inventory_until(&inventory->routers[i].maintenance, window);
	for (size_t i = 0; i < graph->n_edges; i++)
		is_shut[i] = is_away[graph->edges[i].a] || is_away[graph->edges[i].b] ||
			     inventory_until(&inventory->links[i].maintenance, window);
	return is_shut;
}

struct graph *
path_residual(struct tnc *tnc, const struct paths *paths, struct arena *arena)
{
	struct graph *graph = path_free(tnc, paths, arena);
	struct inventory_window now = path_now(tnc);
	const bool *is_shut = path_shut(tnc, &now, arena);

	for (size_t i = 0; i < graph->n_edges; i++)
		if (is_shut[i])
			graph->edges[i].free_ab_bps = graph->edges[i].free_ba_bps = 0;
	return graph;
}

/* What is refused is explained by graph_find, which knows no names but those of the ends: who asks
 * here is not to know more of the network. */
bool
path_find(struct tnc *tnc, const struct graph *residual, const struct path_demand *wanted,
    struct arena *arena, struct graph_path *path, struct err *err)
{
	const struct graph_demand *demand = &wanted->demand;
	const struct inventory *inventory = tnc->config.inventory;
	const struct ways_net net = {.graph = residual, .costs = inventory->costs};
	struct inventory_window now = path_now(tnc);
	struct ways_answer answer;

	if (find_wish(inventory, residual, demand, wanted->wish, arena, path))
		return true;
	auto_ways struct ways *ways = ways_new(&net);

	answer = ways_best(ways,
	    &(struct ways_question){.a = demand->a,
		.b = demand->b,
		.rate_ab_bps = demand->rate_ab_bps,
		.rate_ba_bps = demand->rate_ba_bps,
		.latency_max_us = demand->latency_max_us,
		.is_shut = path_shut(tnc, &now, arena)},
	    1, arena);
	if (!answer.n_ways)
		return graph_find(residual, demand, arena, path, err);
	*path = (struct graph_path){
	    answer.ways[0].edges, answer.ways[0].n_edges, answer.ways[0].latency_us};
	return true;
}

/* Edge by edge, since the inventory may have lost some of them; its ends may be swapped as well. */
static void
charge(const struct inventory *inventory, struct graph *graph, const struct path *path)
{
	for (size_t i = 0; i < path->n_edges; i++) {
		long at = inventory_link(inventory, path->edges[i]);
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
find_wish(const struct inventory *inventory, const struct graph *graph,
    const struct graph_demand *demand, const struct spec_list *wish, struct arena *arena,
    struct graph_path *path)
{
	bool *is_used = arena_alloc(arena, graph->n_vertices * sizeof(*is_used));
	struct graph_path found = {.n_edges = wish->n};
	unsigned at = demand->a;

	if (!wish->n)
		return false;
	found.edges = arena_alloc(arena, wish->n * sizeof(*found.edges));
	for (size_t i = 0; i < wish->n; i++) {
		long index = inventory_link(inventory, wish->items[i]);
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
