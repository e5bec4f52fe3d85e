/*
 * Nodes on hosts: may it be there, in which order to try, and the books of what is left.
 */
#include <stdlib.h>

#include "snc/embed_search.h"

static void take_node(struct search *search, size_t node, int sign);
static void remove_links(struct search *search, size_t node);

long
embed_host_named(const struct search *search, const char *name)
{
	for (size_t i = 0; i < search->left->n_hosts; i++)
		if (str_equal(search->left->hosts[i].name, name))
			return (long)i;
	return EMBED_NOWHERE;
}

static bool
has_image(const struct substrate_host *host, const char *image)
{
	for (size_t i = 0; i < host->n_images; i++)
		if (str_equal(host->images[i], image))
			return true;
	return false;
}

/* The types of all links of the node. */
static bool
has_link_types(const struct search *search, size_t node, const struct substrate_host *host)
{
	for (size_t i = 0; i < search->n_links; i++)
		if ((search->links[i].node_a == node || search->links[i].node_b == node) &&
		    !embed_has_link_type(host, search->links[i].link))
			return false;
	return true;
}

bool
embed_has_link_type(const struct substrate_host *host, const struct slice_link *link)
{
	if (str_equal(link->carrier.type, "gre"))
		return true;
	for (size_t i = 0; i < host->n_link_types; i++)
		if (str_equal(host->link_types[i], link->carrier.type))
			return true;
	return false;
}

bool
embed_node_stands(const struct search *search, size_t node)
{
	return search->nodes[node].amap && search->nodes[node].amap->is_standing;
}

/* Could it be there if the host were up, and not in maintenance? */
static bool
belongs(const struct search *search, size_t node, size_t host)
{
	const struct search_node *asked = &search->nodes[node];
	const struct substrate_host *left = &search->left->hosts[host];

	if (asked->amap && !str_equal(asked->amap->vnode, left->name))
		return false;
	return !left->is_agw &&
	       (asked->node->hub_of || embed_node_stands(search, node) ||
		   has_image(left, asked->node->image)) &&
	       has_link_types(search, node, left);
}

/* What stands there stays there. */
static bool
is_drained(const struct search *search, size_t node, size_t host)
{
	return search->left->hosts[host].drained && !embed_node_stands(search, node);
}

bool
embed_node_suits(const struct search *search, size_t node, size_t host)
{
	return search->left->hosts[host].is_up && !is_drained(search, node, host) &&
	       belongs(search, node, host);
}

bool
embed_node_is_kept_out(const struct search *search, size_t node, size_t host)
{
	return is_drained(search, node, host) && !search->left->hosts[host].is_evicted &&
	       belongs(search, node, host);
}

/* The first resource that is short; NULL: none is. */
static const char *
find_short(const struct search *search, size_t node, size_t host)
{
	const struct slice_node *asked = search->nodes[node].node;
	const struct substrate_host *left = &search->left->hosts[host];

	if (asked->hub_of || embed_node_stands(search, node)) /* it takes no machine's room */
		return NULL;
	if (asked->cpu > left->cpu_free)
		return "cpu";
	if (asked->memory_bytes > left->memory_free_bytes)
		return "memory";
	return asked->disk_bytes > left->disk_free_bytes ? "disk" : NULL;
}

bool
embed_node_has_room(const struct search *search, size_t node, size_t host)
{
	return !find_short(search, node, host);
}

bool
embed_node_fits(const struct search *search, size_t node, size_t host, struct err *err)
{
	bool is_kept_out = embed_node_is_kept_out(search, node, host);
	const char *resource;
	size_t other;

	if (!is_kept_out && !embed_node_suits(search, node, host))
		return embed_explain_unsuitable(search, node, host, err);
	resource = find_short(search, node, host);
	if (resource)
		return embed_explain_node(search, node, host, resource, err);
	if (is_kept_out)
		return embed_explain_drained(search, node, host, err);
	return !embed_company_forbids(search, node, host, &other) ||
	       embed_explain_company(search, node, host, other, err);
}

void
embed_node_take(struct search *search, size_t node, size_t host)
{
	search->nodes[node].host = (long)host;
	take_node(search, node, 1);
}

bool
embed_node_place(struct search *search, size_t node, size_t host, struct err *err)
{
	if (!embed_node_fits(search, node, host, err))
		return false;
	embed_node_take(search, node, host);
	for (size_t i = 0; i < search->n_links; i++) {
		struct search_link *link = &search->links[i];

		if (link->node_a != node && link->node_b != node)
			continue;
		if (search->nodes[link->node_a].host == EMBED_NOWHERE ||
		    search->nodes[link->node_b].host == EMBED_NOWHERE)
			continue;
		if (!embed_link_route(search, link, err)) {
			embed_node_remove(search, node);
			return false;
		}
	}
	return true;
}

void
embed_node_remove(struct search *search, size_t node)
{
	remove_links(search, node);
	take_node(search, node, -1);
	search->nodes[node].host = EMBED_NOWHERE;
}

static void
remove_links(struct search *search, size_t node)
{
	for (size_t i = 0; i < search->n_links; i++) {
		struct search_link *link = &search->links[i];

		if (link->is_routed && (link->node_a == node || link->node_b == node))
			embed_link_remove(search, link);
	}
}

static void
take_node(struct search *search, size_t node, int sign)
{
	const struct slice_node *asked = search->nodes[node].node;
	long at = search->nodes[node].host;
	struct substrate_host *host = &search->left->hosts[at];

	host->cpu_free -= sign * asked->cpu;
	host->memory_free_bytes -= sign * asked->memory_bytes;
	host->disk_free_bytes -= sign * asked->disk_bytes;
	search->n_on[at] += (size_t)sign;
}

/* Parts per thousand that would be in use with the node, of the scarcer of CPU and memory. */
static int64_t
load_with(const struct substrate_host *host, const struct slice_node *node)
{
	int64_t cpu = host->cpu - host->cpu_free + node->cpu;
	int64_t memory_mib =
	    (host->memory_bytes - host->memory_free_bytes + node->memory_bytes) >> 20;
	int64_t total_mib = host->memory_bytes >> 20;
	int64_t cpu_load = host->cpu > 0 ? cpu * 1000 / host->cpu : 1000;
	int64_t memory_load = total_mib > 0 ? memory_mib * 1000 / total_mib : 1000;

	return cpu_load > memory_load ? cpu_load : memory_load;
}

struct host_rank {
	size_t host, n_on;
	int64_t load;
};

static int
compare_ranks(const void *left, const void *right)
{
	const struct host_rank *a = left, *b = right;

	if (a->n_on != b->n_on)
		return a->n_on < b->n_on ? -1 : 1;
	if (a->load != b->load)
		return a->load < b->load ? -1 : 1;
	return a->host < b->host ? -1 : a->host > b->host;
}

/* Ends of the hub's link that would lie on the host with it. */
static size_t
ends_on(const struct search *search, size_t hub, size_t host)
{
	size_t n = 0;

	for (size_t i = 0; i < search->n_links; i++)
		n += search->links[i].node_b == hub &&
		     search->nodes[search->links[i].node_a].host == (long)host;
	return n;
}

/* How crowded a host is for the node; for a hub, how far from its ends: it goes where most are. */
static size_t
crowd_on(const struct search *search, size_t node, size_t host)
{
	const struct slice_node *asked = search->nodes[node].node;

	return asked->hub_of ? asked->n_vports - ends_on(search, node, host) : search->n_on[host];
}

void
embed_node_hosts(const struct search *search, size_t node, size_t *hosts)
{
	size_t n = search->left->n_hosts;
	struct host_rank *ranks = xcalloc(n + 1, sizeof(ranks[0]));

	for (size_t i = 0; i < n; i++)
		ranks[i] = (struct host_rank){i, crowd_on(search, node, i),
		    load_with(&search->left->hosts[i], search->nodes[node].node)};
	qsort(ranks, n, sizeof(ranks[0]), compare_ranks);
	for (size_t i = 0; i < n; i++)
		hosts[i] = ranks[i].host;
	free(ranks);
}
