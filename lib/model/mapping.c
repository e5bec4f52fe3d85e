/*
 * A mapping as text: one line a node, one a link.
 */
#include "lib/model/mapping.h"

#include "lib/model/units.h"

static void
print_link(const struct mapping_link *link, const struct substrate *substrate, struct str *out)
{
	str_addf(out, "link %s%s%s: ", link->link->name, link->link->whole ? "." : "",
	    link->link->whole ? link->link->vports[0].name : "");
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
	for (size_t i = 0; i < mapping->n_nodes; i++) {
		const struct slice_node *node = mapping->nodes[i].node;

		str_addf(out, "%s %s: %s\n", node->hub_of ? "hub of link" : "node",
		    node->hub_of ? node->hub_of->name : node->name, mapping->nodes[i].host->name);
	}
	for (size_t i = 0; i < mapping->n_links; i++)
		print_link(&mapping->links[i], substrate, out);
}
