/*
 * Links on paths: over the loop pair where both ends are on one host, else from a port of one host
 * to a port of the other, by the path of least latency; among equal ones by the emptier ports.
 */
#include "snc/embed_search.h"

struct offer {
	bool is_there;
	size_t port_a, port_b;
	int64_t slack_bps; /* left at the fuller of the two ports */
	struct graph_demand demand;
	struct graph_path path;
};

static struct substrate_host *
host_of(const struct search *search, size_t node)
{
	return &search->left->hosts[search->nodes[node].host];
}

static bool
route_local(struct search *search, struct search_link *link, struct err *err)
{
	struct substrate_host *host = host_of(search, link->node_a);
	size_t at = (size_t)search->nodes[link->node_a].host;

	if (link->up_bps > host->loop_free_bps[0])
		return embed_explain_port(search, link, at, link->up_bps, err);
	if (link->down_bps > host->loop_free_bps[1])
		return embed_explain_port(search, link, at, link->down_bps, err);
	embed_link_take_local(search, link);
	return true;
}

void
embed_link_take_local(struct search *search, struct search_link *link)
{
	struct substrate_host *host = host_of(search, link->node_a);

	host->loop_free_bps[0] -= link->up_bps;
	host->loop_free_bps[1] -= link->down_bps;
	link->is_local = link->is_routed = true;
	link->path = (struct graph_path){0};
}

void
embed_link_take_far(struct search *search, struct search_link *link)
{
	struct substrate_port *a = &host_of(search, link->node_a)->ports[link->port_a];
	struct substrate_port *b = &host_of(search, link->node_b)->ports[link->port_b];

	link->demand = (struct graph_demand){(unsigned)a->vertex, (unsigned)b->vertex, link->up_bps,
	    link->down_bps, link->link->latency_us};
	a->free_bps -= link->up_bps;
	b->free_bps -= link->down_bps;
	graph_take(search->left->graph, &link->demand, &link->path, 1);
	link->is_local = false;
	link->is_routed = true;
}

/* Compares one pair of ports with the best offer so far. */
static void
try_ports(const struct search *search, const struct search_link *link, struct offer *best,
    size_t port_a, size_t port_b)
{
	const struct substrate_port *a = &host_of(search, link->node_a)->ports[port_a];
	const struct substrate_port *b = &host_of(search, link->node_b)->ports[port_b];
	int64_t slack_a = a->free_bps - link->up_bps, slack_b = b->free_bps - link->down_bps;
	struct offer offer = {true, port_a, port_b, slack_a < slack_b ? slack_a : slack_b,
	    {(unsigned)a->vertex, (unsigned)b->vertex, link->up_bps, link->down_bps,
		link->link->latency_us},
	    {0}};
	struct err why;

	if (offer.slack_bps < 0 || a->vertex < 0 || b->vertex < 0)
		return;
	if (!graph_find(search->left->graph, &offer.demand, search->arena, &offer.path, &why))
		return;
	if (best->is_there && (offer.path.latency_us > best->path.latency_us ||
				  (offer.path.latency_us == best->path.latency_us &&
				      offer.slack_bps <= best->slack_bps)))
		return;
	*best = offer;
}

/* Has the host a port that can send that much? */
static bool
has_port(const struct substrate_host *host, int64_t rate_bps)
{
	for (size_t i = 0; i < host->n_ports; i++)
		if (host->ports[i].free_bps >= rate_bps)
			return true;
	return false;
}

static bool
refuse_far(const struct search *search, const struct search_link *link, struct err *err)
{
	if (!has_port(host_of(search, link->node_a), link->up_bps))
		return embed_explain_port(
		    search, link, (size_t)search->nodes[link->node_a].host, link->up_bps, err);
	if (!has_port(host_of(search, link->node_b), link->down_bps))
		return embed_explain_port(
		    search, link, (size_t)search->nodes[link->node_b].host, link->down_bps, err);
	return embed_explain_path(search, link, err);
}

static bool
route_far(struct search *search, struct search_link *link, struct err *err)
{
	struct substrate_host *a = host_of(search, link->node_a);
	struct substrate_host *b = host_of(search, link->node_b);
	struct offer best = {0};

	for (size_t i = 0; search->left->graph && i < a->n_ports; i++)
		for (size_t k = 0; k < b->n_ports; k++)
			try_ports(search, link, &best, i, k);
	if (!best.is_there)
		return refuse_far(search, link, err);
	link->port_a = best.port_a;
	link->port_b = best.port_b;
	link->path = best.path;
	embed_link_take_far(search, link);
	return true;
}

bool
embed_link_route(struct search *search, struct search_link *link, struct err *err)
{
	if (search->nodes[link->node_a].host == search->nodes[link->node_b].host)
		return route_local(search, link, err);
	return route_far(search, link, err);
}

void
embed_link_remove(struct search *search, struct search_link *link)
{
	struct substrate_host *a = host_of(search, link->node_a);
	struct substrate_host *b = host_of(search, link->node_b);

	link->is_routed = false;
	if (link->is_local) {
		a->loop_free_bps[0] += link->up_bps;
		a->loop_free_bps[1] += link->down_bps;
		return;
	}
	a->ports[link->port_a].free_bps += link->up_bps;
	b->ports[link->port_b].free_bps += link->down_bps;
	graph_take(search->left->graph, &link->demand, &link->path, -1);
}
