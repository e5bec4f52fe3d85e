/*
 * The ledger: what all living rows charge and all booked ones will, and so what is free when. It
 * stores nothing: what rows say is read from the store and kept in memory, summed up slice by slice
 * and all together, now and in time; of what has changed since, marks in the store tell
 * (snc_store_mark.c).
 * Used only inside a transaction, whose lock is its lock.
 */
#pragma once

#include "lib/engine/controller.h"
#include "snc/calendar.h"
#include "snc/inventory.h"
#include "snc/resource.h"

struct ledger;

void ledger_free(struct ledger *ledger);
/* Both are borrowed; calendars are of wall time. */
struct ledger *ledger_new(const struct clock *clock, struct inventory *inventory)
    malloc_by(ledger_free) must_check;

/* Brings it up to the rows as the transaction sees them. */
bool ledger_sync(struct ledger *ledger, struct controller *controller, struct txn *txn,
    struct err *err) must_check;

/*
 * A view of the TNC is about to be asked for, as number `view`: what is reserved now will be
 * counted in it, what is not may be missing.
 */
void ledger_mark(struct ledger *ledger, int64_t view);

/* What is asked of the ledger. */
struct ledger_question {
	struct calendar_span window;
	const char *without; /* a group that does not count; NULL = all do */
	bool is_alone;       /* nobody counts: all that there is, is free */
	int64_t view;        /* number of the view that the substrate's graph is */
};

/*
 * The hosts of the inventory and the graph (NULL = none; of the question's view; becomes the
 * substrate's), less what is charged during the window: of each thing its worst instant. The one
 * place that says what is free, whoever asks and for whenever. In arena.
 */
struct substrate *ledger_left(struct ledger *ledger, const struct ledger_question *question,
    struct graph *graph, struct arena *arena);

/* The instants after `after_ms` at which something comes free, or is taken; the first one first,
 * each once; in arena. */
struct ledger_instants {
	int64_t *items;
	size_t n;
};

void ledger_ends(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *ends);
void ledger_starts(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *starts);
