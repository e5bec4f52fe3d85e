/*
 * Refusals of the embedding: what was asked, what there is, at which line, and what would help.
 */
#include <stdio.h>

#include "lib/base/when.h"
#include "lib/model/units.h"
#include "snc/embed_search.h"

/* Where the document asks for it: the resource's line, or the element's. */
static struct slice_where
where_asked(const struct slice_pairs *resources, const char *key, struct slice_where element)
{
	for (size_t i = 0; i < resources->n; i++)
		if (str_equal(resources->items[i].key, key))
			return resources->items[i].where;
	return element;
}

static bool
explain_at(struct err *err, struct slice_where where, const char *noun, const char *name)
{
	err_at(err, where.line, where.xpath);
	return err_subject(err, "%s '%s'", noun, name);
}

/* A hub is spoken of as the link of the document that it belongs to. */
struct named {
	const char *noun, *name;
};

static struct named
named_of(const struct slice_node *node)
{
	return node->hub_of ? (struct named){"link", node->hub_of->name}
			    : (struct named){"node", node->name};
}

bool
embed_explain_nowhere(const struct search *search, size_t node, struct err *err)
{
	const struct slice_node *asked = search->nodes[node].node;
	struct named it = named_of(asked);

	err_set(err, ERR_O03, "%s '%s': no VNode is known to be up", it.noun, it.name);
	err_hint(err, "`vnode host list` shows the hosts");
	return explain_at(err, asked->where, it.noun, it.name);
}

/* The first link of the node that the host has no type for; NULL: it has them all. */
static const struct slice_link *
link_without_type(const struct search *search, size_t node, const struct substrate_host *host)
{
	for (size_t i = 0; i < search->n_links; i++) {
		const struct search_link *link = &search->links[i];

		if ((link->node_a == node || link->node_b == node) &&
		    !embed_has_link_type(host, link->link))
			return link->link;
	}
	return NULL;
}

bool
embed_explain_unsuitable(const struct search *search, size_t node, size_t host, struct err *err)
{
	const struct search_node *asked = &search->nodes[node];
	const struct substrate_host *left = &search->left->hosts[host];
	const struct slice_link *link = link_without_type(search, node, left);
	struct named it = named_of(asked->node);

	if (asked->amap && !str_equal(asked->amap->vnode, left->name)) {
		err_set(err, ERR_S12, "%s '%s': there is no host '%s'", it.noun, it.name,
		    asked->amap->vnode);
		err_hint(err, "`vnode host list` shows the hosts");
		return explain_at(err, asked->amap->where, it.noun, it.name);
	}
	if (left->is_agw) {
		err_set(err, ERR_S12, "%s '%s': '%s' is an access gateway and takes no nodes",
		    it.noun, it.name, left->name);
		err_hint(err, "name a VNode, or leave the amap out");
	} else if (!left->is_up) {
		err_set(err, ERR_O03, "%s '%s': VNode '%s' is unreachable", it.noun, it.name,
		    left->name);
		err_hint(err, "`vnode host list` shows the hosts that are up%s",
		    asked->amap ? "; without its amap the node goes to one of them" : "");
	} else if (link) {
		err_set(err, ERR_S13,
		    "%s '%s': host '%s' has no link type '%s', as link '%s' wants", it.noun,
		    it.name, left->name, link->carrier.type, link->name);
		err_hint(err, "put the plug-in on that host, or the node elsewhere");
	} else {
		err_set(err, ERR_S13, "%s '%s': host '%s' has no image '%s'", it.noun, it.name,
		    left->name, asked->node->image);
		err_hint(err, "`vnode host list` shows the images of each host");
	}
	return explain_at(
	    err, asked->amap ? asked->amap->where : asked->node->where, it.noun, it.name);
}

bool
embed_explain_drained(const struct search *search, size_t node, size_t host, struct err *err)
{
	const struct search_node *asked = &search->nodes[node];
	const struct substrate_host *left = &search->left->hosts[host];
	struct named it = named_of(asked->node);

	err_set(err, ERR_R05, "%s '%s'%s '%s'%s is in maintenance %s", it.noun, it.name,
	    asked->amap ? ":" : " would fit on", left->name, asked->amap ? "" : ", which",
	    left->drained);
	if (left->drained_until_ms < INT64_MAX)
		err_hint(err, "start it at %s or later, or place it on another VNode",
		    when_text(left->drained_until_ms).text);
	else
		err_hint(err, "place it on another VNode%s",
		    asked->amap ? ", or leave the amap out" : ", or ask for less");
	return explain_at(
	    err, asked->amap ? asked->amap->where : asked->node->where, it.noun, it.name);
}

bool
embed_explain_company(
    const struct search *search, size_t node, size_t host, size_t other, struct err *err)
{
	const struct slice_node *asked = search->nodes[node].node;
	const struct slice_node *company = search->nodes[other].node;
	long at = search->nodes[other].host;
	bool is_apart = at == (long)host;

	err_set(err, ERR_R07, "node '%s' is to be %s '%s', which is on '%s'%s", asked->name,
	    is_apart ? "apart from" : "together with", company->name, search->left->hosts[at].name,
	    is_apart ? "; no other VNode takes it" : "");
	err_hint(err, "leave one of the two out of that company, or ask for less");
	return explain_at(err, asked->where, "node", asked->name);
}

struct amounts {
	char asked[48], free[48];
};

static struct amounts
amounts_of(const struct slice_node *node, const struct substrate_host *left, const char *resource)
{
	struct amounts amounts;
	bool is_memory = str_equal(resource, "memory");

	if (str_equal(resource, "cpu")) {
		snprintf(amounts.asked, sizeof(amounts.asked), "%lld", (long long)node->cpu);
		snprintf(amounts.free, sizeof(amounts.free), "%lld", (long long)left->cpu_free);
		return amounts;
	}
	snprintf(amounts.asked, sizeof(amounts.asked), "%s",
	    size_text(is_memory ? node->memory_bytes : node->disk_bytes).text);
	snprintf(amounts.free, sizeof(amounts.free), "%s",
	    size_text(is_memory ? left->memory_free_bytes : left->disk_free_bytes).text);
	return amounts;
}

bool
embed_explain_node(
    const struct search *search, size_t node, size_t host, const char *resource, struct err *err)
{
	const struct search_node *asked = &search->nodes[node];
	const struct substrate_host *left = &search->left->hosts[host];
	struct amounts amounts = amounts_of(asked->node, left, resource);

	size_t mate;
	bool is_led = embed_company_leads(search, node, &mate) == (long)host;

	err_set(err, ERR_R01, "node '%s' asks for %s %s; '%s' has %s free%s%s%s", asked->node->name,
	    resource, amounts.asked, left->name, amounts.free, is_led ? ", where '" : "",
	    is_led ? search->nodes[mate].node->name : "",
	    is_led        ? "' is, which it is to be together with"
	    : asked->amap ? ""
			  : ", and no other VNode has more");
	err_hint(err, "ask for at most %s, or %s", amounts.free,
	    asked->amap ? "leave the amap out" : "wait until another slice is deleted");
	return explain_at(err, where_asked(&asked->node->resources, resource, asked->node->where),
	    "node", asked->node->name);
}

static struct slice_where
where_rate(const struct slice_link *link)
{
	struct slice_where where = where_asked(&link->resources, "bandwidth", link->where);

	return where_asked(&link->resources, "bandwidthUp", where);
}

bool
embed_explain_port(const struct search *search, const struct search_link *link, size_t host,
    int64_t asked_bps, struct err *err)
{
	const struct substrate_host *left = &search->left->hosts[host];
	bool is_local = search->nodes[link->node_a].host == search->nodes[link->node_b].host;
	const char *port = is_local ? "between its own nodes" : "no port";
	int64_t free_bps = 0;

	if (is_local)
		free_bps = left->loop_free_bps[left->loop_free_bps[0] > left->loop_free_bps[1]];
	for (size_t i = 0; !is_local && i < left->n_ports; i++) {
		if (left->ports[i].free_bps < free_bps || left->ports[i].free_bps == 0)
			continue;
		port = left->ports[i].name;
		free_bps = left->ports[i].free_bps;
	}
	err_set(err, ERR_R02, "link '%s' asks for %s on the wire; '%s' has at most %s free (%s)",
	    link->link->name, rate_text(asked_bps).text, left->name, rate_text(free_bps).text,
	    port);
	err_hint(err, "ask for a lower bandwidth, or place the node on another VNode");
	return explain_at(err, where_rate(link->link), "link", link->link->name);
}

/* The best that any pair of ports offers: the widest rate, or the least latency at the rate. */
struct best {
	int64_t rate_bps, latency_us;
};

static bool
finds(const struct search *search, const struct substrate_port *a, const struct substrate_port *b,
    struct graph_demand *demand, struct graph_path *path)
{
	struct err why;

	if (a->vertex < 0 || b->vertex < 0)
		return false;
	demand->a = (unsigned)a->vertex;
	demand->b = (unsigned)b->vertex;
	return graph_find(search->left->graph, demand, search->arena, path, &why);
}

/* Bisection down to a thousandth: the widest rate in both directions. */
static int64_t
widest(const struct search *search, const struct substrate_port *a, const struct substrate_port *b)
{
	int64_t low = 0, high = a->free_bps < b->free_bps ? a->free_bps : b->free_bps;
	struct graph_path path;

	while (high - low > high / 1000 + 1) {
		int64_t middle = low + (high - low) / 2;
		struct graph_demand demand = {0, 0, middle, middle, 0};

		if (finds(search, a, b, &demand, &path))
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
improve(const struct search *search, const struct search_link *link, struct best *best,
    const struct substrate_port *a, const struct substrate_port *b)
{
	struct graph_demand demand = {0, 0, link->up_bps, link->down_bps, 0};
	struct graph_path path;
	int64_t rate = widest(search, a, b);

	if (rate > best->rate_bps)
		best->rate_bps = rate;
	if (finds(search, a, b, &demand, &path) &&
	    (best->latency_us == 0 || path.latency_us < best->latency_us))
		best->latency_us = path.latency_us;
}

bool
embed_explain_path(const struct search *search, const struct search_link *link, struct err *err)
{
	const struct substrate_host *a = &search->left->hosts[search->nodes[link->node_a].host];
	const struct substrate_host *b = &search->left->hosts[search->nodes[link->node_b].host];
	const char *name = link->link->name;
	struct slice_where where = where_rate(link->link);
	struct best best = {0};

	for (size_t i = 0; search->left->graph && i < a->n_ports; i++)
		for (size_t k = 0; k < b->n_ports; k++)
			improve(search, link, &best, &a->ports[i], &b->ports[k]);
	if (!search->left->graph) {
		err_set(err, ERR_R03, "link '%s' from '%s' to '%s': the TNC does not answer", name,
		    a->name, b->name);
		err_hint(err, "try again when tncd is up, or place both nodes on one VNode");
	} else if (best.latency_us > 0) {
		where = where_asked(&link->link->resources, "latency", where);
		err_set(err, ERR_R03,
		    "link '%s' asks for %s from '%s' to '%s'%s; the best path with its rate takes "
		    "%s",
		    name, time_text(link->link->latency_us).text, a->name, b->name,
		    link->link->whole ? ", half of the way between two ends" : "",
		    time_text(best.latency_us).text);
		err_hint(err, "allow %s, or place the nodes nearer",
		    time_text(best.latency_us * (link->link->whole ? 2 : 1)).text);
	} else {
		err_set(err, ERR_R03,
		    "link '%s' asks for %s on the wire from '%s' to '%s'; the widest path has %s "
		    "free",
		    name,
		    rate_text(link->up_bps > link->down_bps ? link->up_bps : link->down_bps).text,
		    a->name, b->name, rate_text(best.rate_bps).text);
		err_hint(err, "ask for a lower bandwidth, or place the nodes elsewhere");
	}
	return explain_at(err, where, "link", name);
}

int
embed_explain_rank(const struct err *why)
{
	static const struct {
		enum err_code code;
		int rank;
	} ranks[] = {{ERR_NONE, 0}, {ERR_S12, 1}, {ERR_S13, 2}, {ERR_O03, 3}, {ERR_R01, 4},
	    {ERR_R07, 5}, {ERR_R02, 6}, {ERR_R03, 7}};

	for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++)
		if (ranks[i].code == why->code)
			return ranks[i].rank;
	return 0;
}
