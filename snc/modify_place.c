/*
 * Places of what is new in a slice that stands. A link that is built anew between nodes that stay
 * keeps its ports and its path where the difference fits: nothing needs to be free twice then.
 * Everything else is embedded as a slice of its own, in which the nodes that stay take no room and
 * have their place already.
 */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/model/units.h"
#include "snc/embed.h"
#include "snc/modify.h"

typedef vec_of(struct slice_link) link_vec;
typedef vec_of(struct slice_node) node_vec;
typedef vec_of(struct slice_amap) amap_vec;
typedef vec_of(struct mapping_node) mapping_nodes;
typedef vec_of(struct mapping_link) mapping_links;

/* What is left to be embedded, and what has its place. */
struct rest {
	struct modify_work *work;
	node_vec nodes;
	link_vec links;
	amap_vec amaps;
	mapping_nodes placed;
	mapping_links routed;
};

static struct substrate_host *
host_named(struct substrate *substrate, const char *name)
{
	for (size_t i = 0; i < substrate->n_hosts; i++)
		if (str_equal(substrate->hosts[i].name, name))
			return &substrate->hosts[i];
	return NULL;
}

static struct substrate_port *
port_named(struct substrate_host *host, const char *name)
{
	for (size_t i = 0; host && i < host->n_ports; i++)
		if (str_equal(host->ports[i].name, name))
			return &host->ports[i];
	return NULL;
}

static int64_t
more(int64_t wanted, int64_t had)
{
	return wanted > had ? wanted - had : 0;
}

/* ---- the way that it has --------------------------------------------------------------------- */

/* A link as it stands, and what it is to have more on the wire. */
struct way {
	struct modify_link rows;
	struct substrate_host *hosts[2];
	struct substrate_port *ports[2]; /* NULL = local */
	struct share_spec share;
	int64_t more_bps[2];
};

/* The host of a node of the link that stays; NULL. */
static struct substrate_host *
standing_host(struct modify_work *work, const struct slice_link *link, unsigned which)
{
	const struct slice_bind_end *end = slice_link_end(work->new, link, which);
	const struct slice_node *node = end ? slice_find_node(work->new, end->sliver) : NULL;
	const char *name = node && !modify_is_new_node(work, node) ? modify_host(work, node) : NULL;

	return name ? host_named(work->substrate, name) : NULL;
}

static bool
read_way(struct modify_work *work, const struct slice_link *link, struct way *way)
{
	const struct slice_link *before = modify_same_link(work->old, link);
	int64_t wanted[2] = {link->rate_up_bps, link->rate_down_bps};
	struct err err;

	*way = (struct way){0};
	if (!before || !modify_link_rows(work, before, &way->rows, &err))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		const char *at = strchr(way->rows.ends[i]->row.manager, '@');

		way->hosts[i] = standing_host(work, link, i);
		if (!way->hosts[i] || !at || !str_equal(way->hosts[i]->name, at + 1))
			return false;
		way->ports[i] = port_named(way->hosts[i], way->rows.specs[i].underlay);
		way->more_bps[i] = more(rate_on_wire(wanted[i], link->mtu, link->carrier.overhead),
		    way->rows.specs[i].rate_bps);
		if (!way->ports[i] && way->rows.share)
			return false;
	}
	return !way->rows.share || spec_parse(&share_spec_table, way->rows.share->row.spec,
				       work->arena, &way->share, &err);
}

/* The edges of its share, if they still lead from port to port within the bound. */
static bool
find_path(struct modify_work *work, const struct slice_link *link, const struct way *way,
    struct graph_path *path)
{
	const struct graph *graph = work->substrate->graph;
	unsigned at = (unsigned)way->ports[0]->vertex;

	if (!graph || way->ports[0]->vertex < 0 || way->ports[1]->vertex < 0)
		return false;
	path->edges = arena_alloc(work->arena, way->share.edge.n * sizeof(path->edges[0]));
	path->n_edges = way->share.edge.n;
	path->latency_us = 0;
	for (size_t i = 0; i < path->n_edges; i++) {
		long found = graph_edge(graph, way->share.edge.items[i]);
		const struct graph_edge *edge = found < 0 ? NULL : &graph->edges[found];
		bool is_forward = edge && edge->a == at;
		int64_t ab = way->more_bps[!is_forward], ba = way->more_bps[is_forward];

		if (!edge || (!is_forward && edge->b != at) || edge->free_ab_bps < ab ||
		    edge->free_ba_bps < ba)
			return false;
		path->edges[i] = (unsigned)found;
		path->latency_us += edge->latency_us;
		at = is_forward ? edge->b : edge->a;
	}
	return at == (unsigned)way->ports[1]->vertex &&
	       (!link->latency_us || path->latency_us <= link->latency_us);
}

static bool
take_local(const struct way *way)
{
	int64_t *free_bps = way->hosts[0]->loop_free_bps;

	if (free_bps[0] < way->more_bps[0] || free_bps[1] < way->more_bps[1])
		return false;
	free_bps[0] -= way->more_bps[0];
	free_bps[1] -= way->more_bps[1];
	return true;
}

static bool
take_far(struct modify_work *work, const struct slice_link *link, const struct way *way,
    struct graph_path *path)
{
	struct graph_demand demand = {(unsigned)way->ports[0]->vertex,
	    (unsigned)way->ports[1]->vertex, way->more_bps[0], way->more_bps[1], 0};

	if (way->ports[0]->free_bps < way->more_bps[0] ||
	    way->ports[1]->free_bps < way->more_bps[1] || !find_path(work, link, way, path))
		return false;
	way->ports[0]->free_bps -= way->more_bps[0];
	way->ports[1]->free_bps -= way->more_bps[1];
	graph_take(work->substrate->graph, &demand, path, 1);
	return true;
}

/* Goes where it goes now, with what it has more taken from what is free. */
static bool
keeps_way(struct rest *rest, const struct slice_link *link)
{
	struct modify_work *work = rest->work;
	struct graph_path path = {0};
	struct way way;
	bool is_local;

	if (!read_way(work, link, &way))
		return false;
	is_local = !way.rows.share;
	if (is_local ? !take_local(&way) : !take_far(work, link, &way, &path))
		return false;
	vec_push(&rest->routed, ((struct mapping_link){.link = link,
				    .is_local = is_local,
				    .host_a = way.hosts[0],
				    .host_b = way.hosts[1],
				    .port_a = is_local ? NULL : way.ports[0],
				    .port_b = is_local ? NULL : way.ports[1],
				    .path = path}));
	return true;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static bool
has_node(const struct rest *rest, const char *name)
{
	vec_each (node, &rest->nodes)
		if (str_equal(node->name, name))
			return true;
	return false;
}

static void
pin(struct rest *rest, const struct slice_node *node, const char *host)
{
	vec_push(&rest->amaps,
	    ((struct slice_amap){.node = node->name, .vnode = host, .where = node->where}));
}

/* The same of one that stays, whatever is said of the host. */
static void
pin_standing(struct rest *rest, const struct slice_node *node)
{
	pin(rest, node, modify_host(rest->work, node));
	rest->amaps.items[rest->amaps.n - 1].is_standing = true;
}

/* It is where it is, and takes no more room there. */
static void
add_standing(struct rest *rest, const struct slice_node *node)
{
	struct slice_node *copy;

	if (has_node(rest, node->name))
		return;
	copy = vec_add(&rest->nodes);
	*copy = *node;
	copy->cpu = copy->memory_bytes = copy->disk_bytes = 0;
	pin_standing(rest, node);
}

/* Those that what is new is to be together with, or apart from. */
static void
add_company(struct rest *rest)
{
	const struct slice *slice = rest->work->new;

	for (size_t i = 0; i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];

		for (size_t k = 0; k < company->n_members; k++) {
			const struct slice_node *node =
			    slice_find_node(slice, company->members[k].node);
			const struct substrate_host *host = NULL;

			if (!node || modify_is_new_node(rest->work, node))
				continue;
			host = host_named(rest->work->substrate, modify_host(rest->work, node));
			/* Nothing new comes to a host that is down. */
			if (!company->is_apart || (host && host->is_up))
				add_standing(rest, node);
		}
	}
}

static void
add_new_nodes(struct rest *rest)
{
	const struct slice *slice = rest->work->new;

	for (size_t i = 0; i < slice->body.n_nodes; i++)
		if (modify_is_new_node(rest->work, &slice->body.nodes[i]))
			vec_push(&rest->nodes, slice->body.nodes[i]);
	for (size_t i = 0; i < slice->n_amaps; i++)
		if (has_node(rest, slice->amaps[i].node))
			vec_push(&rest->amaps, slice->amaps[i]);
}

static void
add_links(struct rest *rest)
{
	const struct slice *slice = rest->work->new;

	for (size_t i = 0; i < slice->body.n_links; i++) {
		const struct slice_link *link = &slice->body.links[i];

		if (!modify_is_new_link(rest->work, link) || keeps_way(rest, link))
			continue;
		vec_push(&rest->links, *link);
		for (unsigned k = 0; k < 2; k++) {
			const struct slice_bind_end *end = slice_link_end(slice, link, k);
			const struct slice_node *node =
			    end ? slice_find_node(slice, end->sliver) : NULL;

			if (node && !modify_is_new_node(rest->work, node))
				add_standing(rest, node);
		}
	}
}

/* A node that begins anew stays where it is, if nothing else is said and there is room. */
static size_t
pin_rebuilt(struct rest *rest)
{
	size_t n_before = rest->amaps.n;

	vec_each (node, &rest->nodes) {
		const char *host = modify_host(rest->work, node);
		bool is_pinned = false;

		vec_each (amap, &rest->amaps)
			is_pinned = is_pinned || str_equal(amap->node, node->name);
		if (host && !is_pinned)
			pin(rest, node, host);
	}
	return n_before;
}

static bool
embed_rest(struct rest *rest, struct mapping **mapping, diagnoses *found)
{
	struct modify_work *work = rest->work;
	struct slice *slice = arena_new_of(work->arena, struct slice);
	struct embed_request request = {
	    .slice = slice,
	    .substrate = work->substrate,
	    .clock = work->snc->clock,
	    .deadline_ms = clock_boot_ms(work->snc->clock) + EMBED_SEARCH_MS,
	};

	*slice = *work->new;
	slice->body.nodes = rest->nodes.items;
	slice->body.n_nodes = rest->nodes.n;
	slice->body.links = rest->links.items;
	slice->body.n_links = rest->links.n;
	slice->amaps = rest->amaps.items;
	slice->n_amaps = rest->amaps.n;
	return embed(&request, work->arena, mapping, found);
}

/* Into the elements of the new slice. */
static void
take_over(struct rest *rest, const struct mapping *mapping)
{
	struct modify_work *work = rest->work;

	for (size_t i = 0; i < mapping->n_nodes; i++) {
		const struct slice_node *node =
		    slice_find_node(work->new, mapping->nodes[i].node->name);

		if (node && modify_is_new_node(work, node))
			vec_push(
			    &rest->placed, ((struct mapping_node){node, mapping->nodes[i].host}));
	}
	for (size_t i = 0; i < mapping->n_links; i++) {
		struct mapping_link *link = vec_add(&rest->routed);

		*link = mapping->links[i];
		link->link = modify_same_link(work->new, link->link);
	}
}

static bool
place_rest(struct rest *rest, diagnoses *found)
{
	size_t n_pinned = pin_rebuilt(rest), n_found = found->n;
	bool was_pinned = rest->amaps.n > n_pinned;
	struct mapping *mapping = NULL;

	if (!rest->nodes.n && !rest->links.n)
		return true;
	if (!embed_rest(rest, &mapping, found)) {
		if (!was_pinned)
			return false;
		found->n = n_found;
		rest->amaps.n = n_pinned;
		if (!embed_rest(rest, &mapping, found))
			return false;
	}
	take_over(rest, mapping);
	return true;
}

bool
modify_place(struct modify_work *work, diagnoses *found)
{
	struct rest rest = {.work = work};
	bool is_good;

	add_new_nodes(&rest);
	if (rest.nodes.n)
		add_company(&rest);
	add_links(&rest);
	is_good = place_rest(&rest, found);
	work->mapping = (struct mapping){
	    .nodes = (void *)arena_copy(
		work->arena, rest.placed.items, rest.placed.n * sizeof(rest.placed.items[0])),
	    .n_nodes = rest.placed.n,
	    .links = (void *)arena_copy(
		work->arena, rest.routed.items, rest.routed.n * sizeof(rest.routed.items[0])),
	    .n_links = rest.routed.n,
	};
	vec_done(&rest.nodes);
	vec_done(&rest.links);
	vec_done(&rest.amaps);
	vec_done(&rest.placed);
	vec_done(&rest.routed);
	return is_good;
}
