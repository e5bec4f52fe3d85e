/*
 * From the rows of a booking back to the mapping that they were planned from. The rows are in the
 * order of slice_plan: nodes and hubs, then of each link its share, if it has one, and its ends.
 */
#include <string.h>

#include "lib/model/spec_types.h"
#include "snc/slice.h"

/* What is read from, and how far. */
struct booked {
	const struct booking_rows *rows;
	size_t at;
	const struct substrate *substrate;
	struct arena *arena;
};

static const struct booking_row *
next_row(struct booked *booked)
{
	return booked->at < booked->rows->n ? &booked->rows->items[booked->at++] : NULL;
}

/* NULL: the host is not there any more, or not up. */
static const struct substrate_host *
host_of(const struct booked *booked, const struct booking_row *row)
{
	const char *at = row ? strchr(row->manager, '@') : NULL;

	for (size_t i = 0; at && i < booked->substrate->n_hosts; i++) {
		const struct substrate_host *host = &booked->substrate->hosts[i];

		if (str_equal(host->name, at + 1))
			return host->is_up ? host : NULL;
	}
	return NULL;
}

static bool
read_node(struct booked *booked, const struct slice_node *node, struct mapping_node *to)
{
	*to = (struct mapping_node){node, host_of(booked, next_row(booked))};
	return to->host != NULL;
}

static const struct substrate_port *
port_named(const struct substrate_host *host, const char *name)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (str_equal(host->ports[i].name, name))
			return &host->ports[i];
	return NULL;
}

/* Which host and port an end was given; no port when it is local. */
static bool
read_end(struct booked *booked, bool is_local, const struct substrate_host **host,
    const struct substrate_port **port)
{
	const struct booking_row *row = next_row(booked);
	struct link_end_spec spec;
	struct err err;

	*host = host_of(booked, row);
	*port = NULL;
	if (!*host || !spec_parse(&link_end_spec_table, row->spec, booked->arena, &spec, &err))
		return false;
	if (is_local)
		return true;
	*port = port_named(*host, spec.underlay);
	return *port && (*port)->vertex >= 0;
}

static bool
read_path(struct booked *booked, struct graph_path *path)
{
	const struct graph *graph = booked->substrate->graph;
	const struct booking_row *row = next_row(booked);
	struct share_spec spec;
	struct err err;

	if (!graph || !row || !spec_parse(&share_spec_table, row->spec, booked->arena, &spec, &err))
		return false;
	*path = (struct graph_path){.n_edges = spec.edge.n};
	path->edges = arena_alloc(booked->arena, spec.edge.n * sizeof(path->edges[0]));
	for (size_t i = 0; i < spec.edge.n; i++) {
		long edge = graph_edge(graph, spec.edge.items[i]);

		if (edge < 0)
			return false;
		path->edges[i] = (unsigned)edge;
		path->latency_us += graph->edges[edge].latency_us;
	}
	return true;
}

static bool
read_link(struct booked *booked, const struct slice_link *link, struct mapping_link *to)
{
	const struct booking_rows *rows = booked->rows;

	*to = (struct mapping_link){.link = link};
	to->is_local = booked->at >= rows->n || !str_equal(rows->items[booked->at].kind, "share");
	return (to->is_local || read_path(booked, &to->path)) &&
	       read_end(booked, to->is_local, &to->host_a, &to->port_a) &&
	       read_end(booked, to->is_local, &to->host_b, &to->port_b);
}

bool
slice_booked_mapping(const struct booking_rows *rows, const struct slice *expanded,
    const struct substrate *substrate, struct arena *arena, struct mapping **mapping)
{
	struct booked booked = {rows, 0, substrate, arena};
	const struct slice_body *body = &expanded->body;
	struct mapping *made = arena_new_of(arena, struct mapping);

	made->n_nodes = body->n_nodes;
	made->nodes = arena_alloc(arena, made->n_nodes * sizeof(made->nodes[0]));
	made->n_links = body->n_links;
	made->links = arena_alloc(arena, made->n_links * sizeof(made->links[0]));
	for (size_t i = 0; i < made->n_nodes; i++)
		if (!read_node(&booked, &body->nodes[i], &made->nodes[i]))
			return false;
	for (size_t i = 0; i < made->n_links; i++)
		if (!read_link(&booked, &body->links[i], &made->links[i]))
			return false;
	*mapping = made;
	return true;
}
