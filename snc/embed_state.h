/*
 * The state of the search of embed_core.h, seen by its parts: what is placed, and what that leaves.
 * Nobody else includes this.
 */
#pragma once

#include "snc/embed_core.h"

enum { STATE_FAR = 0xffff };

struct state_path {
	unsigned arcs[CORE_HOPS_MAX];
	unsigned n_arcs;
	bool is_routed;
};

/* How far everything is from the host of one placed neighbour. */
struct state_spread {
	unsigned link, from; /* index; host */
	int64_t along, against;
	unsigned *queue;
	size_t head, tail; /* all in the queue have hops, the others STATE_FAR */
	uint16_t *hops;    /* by vertex */
};

/* Nodes that are together: where they are, and what they want and are apart from, all of them. */
struct state_lot {
	unsigned host, n_placed;
	int64_t wants[CORE_KINDS];
	uint64_t apart;
};

struct state_candidate {
	unsigned host;
	double cost; /* at least, beside what is placed */
	double tie;
};

struct state {
	const struct core_net *net;
	const struct core_request *request;
	struct arena *arena;
	struct core_host *hosts; /* own copies of the net's */
	struct core_slot *slots;
	unsigned *n_on;         /* machines of this request, by host */
	uint64_t *apart_on;     /* what the nodes there must be apart from */
	struct state_lot *lots; /* by number */
	unsigned *at;           /* host, by node */
	struct state_path *paths;
	size_t n_placed;
	double cost;
	unsigned *link_first, *link_of; /* CSR: the links of each node */
	double *share;                  /* of all room that the node wants, added up over kinds */
	bool *is_pinned;                /* has one host to choose from, or none */
	uint64_t draw;
	uint64_t steps; /* work done so far: arcs looked at */
	/* what single steps need */
	unsigned *queue, *came_by, *came_from;
	size_t n_queued; /* vertices in queue that have hops: all others have STATE_FAR */
	uint16_t *hops;
	int64_t *ties;
	struct state_spread *spreads;
	unsigned n_spreads;
	struct state_candidate *candidates;
	size_t n_candidates;
	unsigned *n_reached;
	double *bound;
};

/* embed_state.c: the books. */

struct state *state_new(
    const struct core_net *net, const struct core_request *request, struct arena *arena);

/* May the host take the node, links aside? */
bool state_may(const struct state *state, unsigned node, unsigned host) must_check;

void state_place(struct state *state, unsigned node, unsigned host);

/* Takes a node away, and the paths of its links. */
void state_remove(struct state *state, unsigned node);

/* The arcs, as many as there are: most paths are short. */
static inline void
state_path_arcs(struct state_path *to, const struct state_path *from)
{
	for (unsigned i = 0; i < from->n_arcs; i++)
		to->arcs[i] = from->arcs[i];
	to->n_arcs = from->n_arcs;
}

/* Takes rates along a path that has been found. */
void state_take(struct state *state, unsigned link, const struct state_path *path);
void state_give(struct state *state, unsigned link);

static inline unsigned
state_other(const struct core_link *link, unsigned node)
{
	return link->a == node ? link->b : link->a;
}

/* A number below n, n > 0. */
unsigned state_draw(struct state *state, unsigned n);

/* embed_route.c: paths. */

/* The way of a link between placed ends: fewest hops, then least latency, then emptiest. */
bool state_route(struct state *state, unsigned link, struct state_path *path) must_check;

/* embed_insert.c: a node and its links at once. */

/* Puts the node where its links to placed neighbours are cheapest, and routes them. `nth` picks
 * another one of the best. False: nothing is changed. */
bool state_insert(struct state *state, unsigned node, unsigned nth) must_check;

/* Puts the first node of all on this host, or the next one that takes it. */
bool state_start(struct state *state, unsigned node, unsigned host) must_check;
