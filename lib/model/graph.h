/*
 * The residual graph of the transport network, and the constrained shortest path on it. Plain data,
 * no I/O: sncd embeds on tncd's view with it, tncd finds paths with it.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"

struct graph_edge {
	const char *name;
	unsigned a, b; /* vertices */
	int64_t free_ab_bps, free_ba_bps;
	int64_t capacity_bps;
	int64_t latency_us; /* one way, both ways the same */
};

struct graph {
	const char **vertices; /* names */
	size_t n_vertices;
	struct graph_edge *edges;
	size_t n_edges;
	bool *is_transit; /* may a path go through the vertex? false for ports of hosts */
};

struct graph_demand {
	unsigned a, b;
	int64_t rate_ab_bps, rate_ba_bps;
	int64_t latency_max_us; /* 0 = no bound */
};

struct graph_path {
	unsigned *edges; /* in order from a to b */
	size_t n_edges;
	int64_t latency_us;
};

/* The index of a vertex or edge by name; -1 when there is none. */
long graph_vertex(const struct graph *graph, const char *name);
long graph_edge(const struct graph *graph, const char *name);

/*
 * The path of least latency (then fewest edges, then lowest edge index) whose every edge has the
 * demanded rate free in its direction. ERR_R03 with the best offer (the widest rate, and the least
 * latency there is) when there is none. Arrays in arena. Deterministic.
 */
bool graph_find(const struct graph *graph, const struct graph_demand *demand, struct arena *arena,
    struct graph_path *path, struct err *err) must_check;

/* Takes (or with negative sign gives back) the demand's rates along the path. */
void graph_take(struct graph *graph, const struct graph_demand *demand,
    const struct graph_path *path, int sign);

/* A copy whose residual rates may be changed freely. */
struct graph *graph_copy(const struct graph *graph, struct arena *arena);

/* A copy with names of its own. */
struct graph *graph_clone(const struct graph *graph, struct arena *arena);
