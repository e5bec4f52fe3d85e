/*
 * Nodes that are together, or apart: as the core has them, and which host they leave to a node.
 */
#include "snc/embed_search.h"

/* One host for all: one that each of them may be on. */
static void
join(const struct search *search, struct core_node *nodes, size_t first, size_t other)
{
	bool *may = arena_alloc(search->arena, search->left->n_hosts * sizeof(may[0]));

	for (size_t i = 0; i < search->left->n_hosts; i++)
		may[i] = nodes[first].may[i] && nodes[other].may[i];
	nodes[first].may = may;
	nodes[first].together = nodes[other].together = (unsigned)first + 1;
}

void
embed_company_fill(const struct search *search, struct core_node *nodes)
{
	for (size_t i = 0; i < search->n_nodes; i++)
		if (search->first[i] != i)
			join(search, nodes, search->first[i], i);
	for (size_t i = 0; i < search->n_nodes; i++) {
		nodes[i].may = nodes[search->first[i]].may;
		nodes[i].apart = search->apart[i];
	}
}

long
embed_company_leads(const struct search *search, size_t node, size_t *mate)
{
	for (size_t i = 0; i < search->n_nodes; i++)
		if (i != node && search->first[i] == search->first[node] &&
		    search->nodes[i].host != EMBED_NOWHERE) {
			*mate = i;
			return search->nodes[i].host;
		}
	return EMBED_NOWHERE;
}

bool
embed_company_forbids(const struct search *search, size_t node, size_t host, size_t *other)
{
	long leads = embed_company_leads(search, node, other);

	if (leads != EMBED_NOWHERE && leads != (long)host)
		return true;
	for (size_t i = 0; i < search->n_nodes; i++)
		if (search->nodes[i].host == (long)host &&
		    (search->apart[i] & search->apart[node])) {
			*other = i;
			return true;
		}
	return false;
}
