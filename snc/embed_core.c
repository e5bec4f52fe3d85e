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

/* A vertex, and the host from which it was reached. */
struct reached {
	unsigned at, from, n_hops;
};

/* Spreads from all hosts at once. The first two that reach a vertex are enough: one of them is not
 * the host that is entered behind it. */
unsigned
core_least_hops(const struct core_net *net, struct arena *arena)
{
	struct reached *queue = arena_alloc(arena, 2 * net->n_vertices * sizeof(queue[0]));
	unsigned *first = arena_alloc(arena, net->n_vertices * sizeof(first[0]));
	uint8_t *n_reached = arena_alloc(arena, net->n_vertices * sizeof(n_reached[0]));
	size_t tail = 0;

	for (unsigned i = 0; i < net->n_hosts; i++) {
		first[net->hosts[i].leave] = i;
		n_reached[net->hosts[i].leave] = 1;
		queue[tail++] = (struct reached){net->hosts[i].leave, i, 0};
	}
	for (size_t head = 0; head < tail; head++) {
		struct reached by = queue[head];

		for (unsigned i = net->first[by.at]; i < net->first[by.at + 1]; i++) {
			unsigned to = net->arcs[i].to;

			if (net->host_at[to] != CORE_NOWHERE && net->host_at[to] != by.from)
				return by.n_hops + 1;
			if (n_reached[to] == 2 || (n_reached[to] && first[to] == by.from))
				continue;
			if (!n_reached[to]++)
				first[to] = by.from;
			queue[tail++] = (struct reached){to, by.from, by.n_hops + 1};
		}
	}
	return 1;
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
