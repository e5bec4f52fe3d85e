/*
 * What the files of the ledger share; nobody else includes this.
 *
 *     ledger.c       which groups have to be read again, and when things change hands
 *     ledger_read.c  what the rows of one group charge, together
 *     ledger_take.c  what a question finds free
 *
 * Most of what is held has no end: that is kept summed up, as two substrates of which it is taken,
 * and by ways through the transport network as long as no view of the TNC counts it. Only what
 * begins or ends is looked at one by one.
 */
#pragma once

#include "lib/base/map.h"
#include "snc/ledger.h"
#include "snc/modify.h"

/* Shares without an end that go the same way: those that no view counts yet, and those that the
 * view counts that was about to be asked for last. */
struct way {
	struct resource_charge uncounted, asked;
};

/* What an entry takes of one host, of one port, or along one way. */
struct sum {
	struct resource_charge charge; /* its texts are the ledger's */
	struct way *way;               /* NULL = no share */
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
	struct map *unviewed;  /* of the others: those with shares that are in a way */
	struct map *unsettled; /* groups to be read at each sync, to copies of their names */
	struct arena *kept;    /* what charges name: each text, each list of edges, once */
	struct map *texts, *ways;
	int64_t view; /* the last one that was about to be asked for */
	int64_t seen; /* stamp of the last mark that was read */
	bool is_loaded;

	/* the substrates, all of one arena, of one version of the inventory; none has a graph */
	struct arena *arena;
	struct substrate *whole, *lasting, *now; /* all free; less what has no end; less all held */
	struct map *hosts;                       /* of `whole`, by name */
	int64_t version;
};

/* Makes the substrates anew when the inventory has changed. */
void ledger_refresh(struct ledger *ledger);

/* When it holds what it does, as far as anybody knows: what should have ended has no end. */
struct calendar_span entry_held(const struct ledger *ledger, const struct entry *entry);

void entry_free(struct entry *entry);

/* Reads its charges anew. It must be out of the substrates. */
bool entry_read(struct ledger *ledger, struct entry *entry, struct controller *controller,
    struct txn *txn, struct err *err) must_check;

/* Into and out of substrates, ways, `special` and `unviewed`. What an entry says changes only while
 * it is out. */
void entry_in(struct ledger *ledger, struct entry *entry);
void entry_out(struct ledger *ledger, struct entry *entry);
