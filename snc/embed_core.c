/*
 * The net of embed_core.h: made, and booked.
 */
#include "snc/embed_core.h"

unsigned *
core_connect(
    struct core_net *net, const struct core_draft *drafts, size_t n_drafts, struct arena *arena)
{
	unsigned *first = arena_alloc(arena, (net->n_vertices + 2) * sizeof(first[0]));
	unsigned *draft_of = arena_alloc(arena, n_drafts * sizeof(draft_of[0]));

	net->first = first;
	net->arcs = arena_alloc(arena, n_drafts * sizeof(net->arcs[0]));
	/* Counted two places up: once filled in, first[v] is where v starts. */
	for (size_t i = 0; i < n_drafts; i++)
		first[drafts[i].from + 2]++;
	for (size_t v = 2; v < net->n_vertices + 2; v++)
		first[v] += first[v - 1];
	for (unsigned i = 0; i < n_drafts; i++) {
		unsigned at = first[drafts[i].from + 1]++;

		net->arcs[at] = drafts[i].arc;
		draft_of[at] = i;
	}
	return draft_of;
}

void
core_take(struct core_net *net, const struct core_request *request,
    const struct core_answer *answer, int sign)
{
	for (size_t i = 0; i < request->n_nodes; i++)
		for (size_t k = 0; k < CORE_KINDS; k++)
			net->hosts[answer->hosts[i]].room[k] -= sign * request->nodes[i].wants[k];
	for (size_t i = 0; i < request->n_links; i++) {
		const struct core_link *link = &request->links[i];
		const unsigned *loop = net->hosts[answer->hosts[link->a]].loop;

		for (size_t k = 0; k < answer->paths[i].n_arcs; k++) {
			const struct core_arc *arc = &net->arcs[answer->paths[i].arcs[k]];

			net->slots[arc->slot].free -= sign * link->up;
			net->slots[arc->back].free -= sign * link->down;
		}
		if (answer->paths[i].n_arcs)
			continue;
		net->slots[loop[0]].free -= sign * link->up;
		net->slots[loop[1]].free -= sign * link->down;
	}
}
