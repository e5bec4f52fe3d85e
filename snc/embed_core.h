/*
 * The core of embedding: nodes with wants on hosts with rooms, links with rates on paths of arcs
 * with slots. It knows no slice and no VNode: embed_problem.c makes this out of them, bench/embed
 * out of a benchmark's file, and both get the same search. Plain data; pure, time only to keep
 * deadlines.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/clock.h"

enum {
	CORE_KINDS = 3,    /* of room: CPUs, memory, disk */
	CORE_HOPS_MAX = 63 /* longer paths are not taken */
};

#define CORE_NOWHERE (~0u)

/* Seen from the vertex that it leaves. Each way has its mirror: what goes one way by `slot` and
 * `back` comes the other way by `back` and `slot`. */
struct core_arc {
	unsigned to;
	/* Where a link takes its rate along the arc, and that against it. One slot for both serves
	 * links that have no rate down. */
	unsigned slot, back;
	int64_t latency_us;
};

struct core_host {
	int64_t size[CORE_KINDS], room[CORE_KINDS]; /* in all, and free */
	unsigned leave, enter;                      /* vertices where paths begin and end */
	unsigned loop[2]; /* slots between nodes on this host: along the link, and against it */
};

struct core_slot { /* a rate that links share */
	int64_t size, free;
};

struct core_net {
	struct core_host *hosts;
	size_t n_hosts;
	unsigned *first; /* arcs of vertex v: first[v] ... first[v + 1] - 1 */
	struct core_arc *arcs;
	unsigned *host_at; /* the host that is entered at a vertex; CORE_NOWHERE */
	size_t n_vertices;
	struct core_slot *slots;
	size_t n_slots;
};

struct core_draft { /* an arc and the vertex that it leaves */
	unsigned from;
	struct core_arc arc;
};

struct core_node {
	int64_t wants[CORE_KINDS];
	const bool *may; /* by host; NULL = may be anywhere */
	uint64_t apart;  /* nodes with a common bit are never on one host */
	/* Nodes of the same number, 1 to n_nodes, are on one host, and `may` be on the same; 0 =
	 * this one goes by itself. */
	unsigned together;
	bool is_light; /* no machine: may stand with others at no cost */
};

struct core_link {
	unsigned a, b;          /* nodes, not the same */
	int64_t up, down;       /* a to b, b to a */
	int64_t latency_max_us; /* 0 = no bound */
};

struct core_request {
	const struct core_node *nodes;
	size_t n_nodes;
	const struct core_link *links;
	size_t n_links;
	uint64_t seed;          /* another one tries other things */
	double share_cost;      /* of two machines on one host, as rate times hops */
	uint64_t search_steps;  /* work to find an answer, by node and link: arcs looked at */
	uint64_t improve_steps; /* work to make it better from there on */
	const struct clock *clock;
	int64_t deadline_ms; /* boot time: when the search ends in any case */
};

struct core_path {
	const unsigned *arcs; /* in order from a to b */
	size_t n_arcs;        /* 0 = both ends on one host */
};

struct core_answer {
	unsigned *hosts;         /* by node; CORE_NOWHERE when there was no place for it */
	struct core_path *paths; /* by link; of use when both ends are placed */
	size_t n_placed;
};

/* What so many hops of a link cost; a link without a rate is nearly free. */
static inline double
core_link_cost(const struct core_link *link, size_t n_hops)
{
	return (double)(link->up + link->down + 1) * (double)n_hops;
}

/* Fills in first and arcs of a net that has its vertices; arcs of a vertex keep the order of the
 * drafts. The draft of each arc, in arena. */
unsigned *core_connect(
    struct core_net *net, const struct core_draft *drafts, size_t n_drafts, struct arena *arena);

/* The fewest arcs of a path between two hosts, whatever is free; 1 where there is none. */
unsigned core_least_hops(const struct core_net *net, struct arena *arena);

/*
 * Places as many nodes as it can, and among those answers, takes the one of least cost: rate times
 * hops, and what sharing a host costs. Keeps every room, slot, latency bound and rule of company.
 * The net is not changed. True when all are placed. In arena. The same for the same seed as
 * long as the search ends before deadline_ms.
 */
bool core_solve(const struct core_net *net, const struct core_request *request, struct arena *arena,
    struct core_answer *answer) must_check;

/* Takes what a whole answer needs, or with negative sign gives it back. */
void core_take(struct core_net *net, const struct core_request *request,
    const struct core_answer *answer, int sign);
