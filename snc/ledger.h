/*
 * The ledger: what all living rows charge, and so what is free. It stores nothing: what rows say is
 * read from the engine's tables and kept parsed in memory, group by group. Used only inside a
 * transaction, whose lock is its lock.
 */
#pragma once

#include "lib/engine/controller.h"
#include "snc/resource.h"

struct ledger;

void ledger_free(struct ledger *ledger);
struct ledger *ledger_new(void) malloc_by(ledger_free) must_check;

/* Brings it up to the rows as the transaction sees them. */
bool ledger_sync(struct ledger *ledger, struct controller *controller, struct txn *txn,
    struct err *err) must_check;

/*
 * A view of the TNC is about to be asked for, as number `view`: what is reserved now will be
 * counted in it, what is not may be missing.
 */
void ledger_mark(struct ledger *ledger, int64_t view);

/* Takes everything charged from the substrate, whose graph is the view of that number. */
void ledger_take(const struct ledger *ledger, struct substrate *substrate, int64_t view);
