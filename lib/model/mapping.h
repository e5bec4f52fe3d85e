/*
 * Where a slice goes: the result of embedding. Plain data, printable.
 */
#pragma once

#include "lib/model/slice.h"
#include "lib/model/substrate.h"

struct mapping_node {
	const struct slice_node *node;
	const struct substrate_host *host;
};

struct mapping_link {
	const struct slice_link *link;
	bool is_local;                                /* both ends on one host: over vnloop */
	const struct substrate_host *host_a, *host_b; /* of the link's first and second vport */
	const struct substrate_port *port_a, *port_b; /* NULL when local */
	struct graph_path path;                       /* empty when local */
};

struct mapping {
	struct mapping_node *nodes; /* in document order, then hubs */
	size_t n_nodes;
	struct mapping_link *links; /* in document order; of a multipoint link its spokes */
	size_t n_links;
};

/* One line a node and link, for golden tests and people. */
void mapping_print(
    const struct mapping *mapping, const struct substrate *substrate, struct str *out);
