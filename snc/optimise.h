/*
 * Re-optimisation on demand: moves of what is there that free capacity nobody could use as it lies
 * (docs/decisions/0018). `optimise_net` knows slots and ways and finds a better way of a link,
 * `optimise_node` a better host of a node; `slice_optimise` is the verb: it plans moves slice by
 * slice, and hands each slice's to the engine as a modify without a new document.
 */
#pragma once

#include "snc/embed_search.h"
#include "snc/modify.h"

/* ---- the net (optimise_net.c); pure -----------------------------------------------------------
 */

/*
 * The substrate as the placing core sees it, with what is free of each slot twice: `held` while
 * what moves holds its old way beside the new one, and net.slots when all that was moved so far has
 * left its old one.
 */
struct optimise_net {
	const struct substrate *substrate;
	struct arena *arena;
	struct embed_problem problem;
	int64_t *held;  /* by slot */
	int64_t *going; /* by slot: held by what is on its way out already */
	/* what a search needs, by vertex */
	int64_t *costs;
	unsigned *came_by, *came_from, *queue;
	bool *is_queued;
};

/* Of a substrate with what is free when all that is on its way out is gone; `held`: the same with
 * what is free now. In arena, borrowing from both. */
void optimise_net_init(struct optimise_net *net, const struct substrate *substrate,
    const struct substrate *held, struct arena *arena);

/* A link between two hosts and its way, in arcs of the net. */
struct optimise_link {
	unsigned host_a, host_b; /* by index, not the same */
	int64_t up, down;        /* a to b, b to a; wire */
	int64_t latency_max_us;  /* 0 = no bound */
	struct core_path path;
};

/* Names of a way: the ports of the hosts, and the edges between them, from a to b. */
struct optimise_names {
	const char *port_a, *port_b;
	const char *const *edges;
	size_t n_edges;
};

/* Sets the path of a link. false: the substrate has no such way any more. */
bool optimise_net_find(struct optimise_net *net, struct optimise_link *link,
    const struct optimise_names *names) must_check;

/*
 * Moves a link to the best way there is for all others, if that is worth it: the new way has room
 * beside all that is held, and is booked. *gain_bps is what others can use more: of each slot the
 * part f/size of what is free, f, counts as usable, and the rest as stranded. false: it stays.
 */
bool optimise_net_move(
    struct optimise_net *net, struct optimise_link *link, int64_t *gain_bps) must_check;

/*
 * What others can use more when links take other ways than they have; with is_taken they do from
 * now on: the caller has seen to it that the new ways have room beside all that is held.
 */
struct optimise_exchange {
	const struct optimise_link *old, *new;
	size_t n_old, n_new;
	bool is_taken;
};

int64_t optimise_net_exchange(struct optimise_net *net, const struct optimise_exchange *exchange);

/* Writes what is free while all is held into the edges and ports of the substrate. */
void optimise_net_show(const struct optimise_net *net, struct substrate *substrate);

/* All that was moved has left its old way. */
void optimise_net_settle(struct optimise_net *net);

/* All that is usable. */
int64_t optimise_net_usable_bps(const struct optimise_net *net);

/* The ways as a mapping has them, and in words. */
void optimise_net_mapping(
    const struct optimise_net *net, const struct optimise_link *link, struct mapping_link *mapping);
const char *optimise_net_text(const struct optimise_net *net, const struct optimise_link *link);

/* ---- what is planned --------------------------------------------------------------------------
 */

/* A slice that has moves. */
struct mover {
	struct modify_work work;
	struct slice_modification modification;
	const struct slice *slice; /* as stored, not expanded */
	size_t first, n;           /* of the moves */
};

struct optimise_move {
	const char *slice_id, *slice, *owner;
	bool is_node;     /* else a link */
	const char *name; /* of the element */
	enum slice_way way;
	const char *from, *to; /* ways, or hosts */
	int64_t gain_bps;      /* of rates: of a node what its links gain; below 0 they lose */
	int64_t gain_room;     /* of a node: thousandths of a host */
	bool is_under_way;
	const char *reason; /* why it waits; "" */
};

struct slice_optimisation;

struct optimising {
	struct snc *snc;
	struct slice_optimisation *asked;
	struct arena *arena;
	struct substrate *substrate; /* rooms: as they will be after the moves so far */
	struct optimise_net net;
	vec_of(void *) movers; /* struct mover */
	vec_of(struct optimise_move) moves;
};

/* A link of a slice as its rows have it. false: it is on one host, or a host or an edge of it is
 * away (slice_optimise.c). */
bool optimise_find_link(struct optimising *optimising, struct modify_work *work,
    const struct slice_link *link, struct optimise_link *found) must_check;

/* Moves one node of the slice to the host where it leaves most of both, if there is such a host:
 * fills the work's diff and mapping and adds the move (optimise_node.c). */
void optimise_node(struct optimising *optimising, struct mover *mover);

/* ---- the verb (slice_optimise.c) --------------------------------------------------------------
 */

struct slice_optimisation {
	struct snc_caller caller;
	const char *slice; /* name or id; NULL = all that the caller may change */
	bool is_plan;      /* say what would be done, and do nothing */
	bool with_nodes;   /* nodes that may begin anew too */
	/* filled in, in the arena of the call */
	struct optimise_move *moves; /* those of a slice are made together, slices in this order */
	size_t n_moves;
	bool is_whole; /* false: time ended the search, there may be more */
};

/*
 * Plans moves, and begins those that have room now; those that wait for others to be done are found
 * again by the next call. Each slice's moves come about as a whole or not at all. ERR_BUSY; of one
 * slice as slice_modify. Blocks for seconds; no transaction may be open.
 */
bool slice_optimise(struct snc *snc, struct slice_optimisation *optimisation, struct arena *arena,
    struct err *err) must_check;
