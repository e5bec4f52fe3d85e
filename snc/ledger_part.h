/*
 * What the files of the ledger share; nobody else includes this.
 *
 *     ledger.c       which groups have to be read again, and when things change hands
 *     ledger_read.c  what the rows of one group charge, together
 *     ledger_keep.c  what all of them charge, summed up: what is held now, and a calendar of each
 *                    thing for what will come and go
 *     ledger_take.c  what a question finds free
 *
 * So a question costs what the testbed has of things, not what slices there are.
 */
#pragma once

#include "lib/base/map.h"
#include "snc/ledger.h"
#include "snc/modify.h"

/* An edge that a way goes over, and which way round. */
struct hop {
	size_t edge;
	bool is_forward;
};

/* A way through the transport network: many links go the same. */
struct way {
	const char *from;
	struct spec_list edges;
	struct hop *hops; /* as far as the shape that the ledger knows has it */
	size_t n_hops;
};

/* One direction of an edge. What is held now is here as long as no view of the TNC counts it, and
 * apart what only the view counts that was about to be asked for last. */
struct lane {
	int64_t uncounted, asked;
	struct calendar calendar;
};

/* What an entry takes of one host, of one port, or along one way. */
struct sum {
	struct resource_charge charge; /* its texts are the ledger's */
	struct way *way; /* of a share, whose rates alone are in the charge; or NULL */
};

struct entry {
	char *group;
	int64_t round;     /* of the slice: a later admission has other rows */
	bool is_pending;   /* its shares may not be reserved yet */
	bool is_releasing; /* its rows go one by one: read again at each mark */
	bool is_leaning; /* on rows that it takes the place of, and that go one by one: each time */
	bool is_booked;  /* its rows are those of its booking */
	struct calendar_span held; /* as was agreed: see entry_held */
	int64_t counted;           /* first view that counts its shares; 0 = none yet */
	int64_t stamp;             /* of the mark under which it was read */
	struct sum *sums;
	size_t n_sums;
};

struct ledger {
	const struct clock *clock;
	struct inventory *inventory;
	struct map *entries;   /* by group */
	struct map *special;   /* of them: those with a start or an end */
	struct map *unviewed;  /* of them: those with shares that a view may not count */
	struct map *unsettled; /* groups to be read at each sync, to copies of their names */
	struct arena *kept;    /* what charges name: each text, each way, once */
	struct map *texts, *ways;
	int64_t view; /* the last one that was about to be asked for */
	int64_t seen; /* stamp of the last mark that was read */
	bool is_loaded;

	/* hosts, as one version of the inventory has them */
	struct arena *arena;
	struct substrate *whole, *now; /* all free; less all that is held */
	struct map *hosts;             /* of `whole`, by name */
	struct map *pages;             /* calendars, by the address in `now` of what they are of */
	int64_t version;

	/* the transport network, as the last view had it */
	struct arena *shape_arena;
	struct graph *shape; /* NULL: never seen */
	struct map *edges;   /* of it, by name */
	struct lane *lanes;  /* a pair of each edge: from a to b, from b to a */
};

/* The calendar of what `free` counts in ledger->now. */
struct page {
	int64_t *free;
	struct calendar calendar;
};

/* The hosts, with names of their own; in arena. */
struct substrate *ledger_copy(const struct substrate *from, struct arena *arena);

/* Frees all that is summed up. */
void ledger_keep_done(struct ledger *ledger);

/* Sums the hosts up anew when the inventory has changed. */
void ledger_refresh(struct ledger *ledger);

/* Sums the shares up anew when the network has another shape than the one it knew. */
void ledger_reshape(struct ledger *ledger, const struct graph *graph);

/* Finds the hops of a way in the shape. */
void ledger_trace(struct ledger *ledger, struct way *way);

/* The two directions of a hop: the way's, and back. */
struct lane *ledger_lane(const struct ledger *ledger, const struct hop *hop, bool is_back);

/* When it holds what it does, as far as anybody knows: what should have ended has no end. */
struct calendar_span entry_held(const struct ledger *ledger, const struct entry *entry);

void entry_free(struct entry *entry);

/* Reads its charges anew. It must be out. */
bool entry_read(struct ledger *ledger, struct entry *entry, struct controller *controller,
    struct txn *txn, struct err *err) must_check;

/* Into and out of all that is summed up. What an entry says, the view that is about to be asked for
 * and ways change only while it is out. */
void entry_in(struct ledger *ledger, struct entry *entry);
void entry_out(struct ledger *ledger, struct entry *entry);
