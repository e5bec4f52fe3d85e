/*
 * Nodes that are together, or apart: as the core has them, and which host they leave to a node.
 */
#include "lib/model/slice_company.h"
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
	const struct slice *slice = search->n_nodes ? search->request->slice : NULL;
	unsigned n_apart = 0;

	for (size_t i = 0; i < search->n_nodes; i++)
		if (search->first[i] != i)
			join(search, nodes, search->first[i], i);
	for (size_t i = 0; i < search->n_nodes; i++)
		nodes[i].may = nodes[search->first[i]].may;
	for (size_t i = 0; slice && i < slice->n_companies; i++) {
		const struct slice_company *company = &slice->companies[i];

		for (size_t k = 0; company->is_apart && k < company->n_members; k++) {
			size_t at = slice_node_at(slice, company->members[k].node);

			if (at < search->n_nodes)
				nodes[at].apart |= UINT64_C(1) << n_apart;
		}
		n_apart += company->is_apart;
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
	const struct slice *slice = search->request->slice;
	long leads = embed_company_leads(search, node, other);

	if (leads != EMBED_NOWHERE && leads != (long)host)
		return true;
	for (size_t i = 0; slice->n_companies && i < search->n_nodes; i++)
		if (search->nodes[i].host == (long)host &&
		    slice_are_apart(
			slice, search->nodes[i].node->name, search->nodes[node].node->name)) {
			*other = i;
			return true;
		}
	return false;
}
