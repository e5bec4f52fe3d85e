/*
 * Groups that wait for their turn: new ones, in the order in which they were admitted, while too
 * many rows have not been answered once. A group that waits holds nothing, and no time runs against
 * it: who admits faster than managers answer fills the database, and not what is under way. The
 * ticker's own.
 */
#pragma once

#include "lib/engine/controller_part.h"

/* Looks at a group now, or puts it into the queue. */
bool turn_refresh(
    struct controller *controller, struct txn *txn, const char *name, struct err *err) must_check;

/* Begins those whose turn it is. */
bool turn_begin(struct controller *controller, struct txn *txn, struct err *err) must_check;

void turn_free(struct controller *controller);
