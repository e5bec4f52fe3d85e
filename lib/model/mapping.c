/*
 * A mapping as text: one line a node, one a link.
 */
#include "lib/model/mapping.h"

#include "lib/model/units.h"

static void
print_link(const struct mapping_link *link, const struct substrate *substrate, struct str *out)
{
	str_addf(out, "link %s: ", link->link->name);
	if (link->is_local) {
		str_addf(out, "local on %s\n", link->host_a->name);
		return;
	}
	str_addf(out, "%s:%s to %s:%s over", link->host_a->name, link->port_a->name,
	    link->host_b->name, link->port_b->name);
	for (size_t i = 0; i < link->path.n_edges; i++)
		str_addf(out, " %s", substrate->graph->edges[link->path.edges[i]].name);
	str_addf(out, ", %s\n", time_text(link->path.latency_us).text);
}

void
mapping_print(const struct mapping *mapping, const struct substrate *substrate, struct str *out)
{
	for (size_t i = 0; i < mapping->n_nodes; i++)
		str_addf(out, "node %s: %s\n", mapping->nodes[i].node->name,
		    mapping->nodes[i].host->name);
	for (size_t i = 0; i < mapping->n_links; i++)
		print_link(&mapping->links[i], substrate, out);
}
