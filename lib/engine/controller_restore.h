/*
 * Quarantine and eviction, for the files of the controller; nobody else includes this.
 */
#pragma once

#include "lib/engine/controller_part.h"

bool count_change(struct txn *txn, struct err *err) must_check;

/* Somebody changes something: counts it. ERR_UNAVAILABLE in quarantine. */
bool change_begin(struct controller *controller, struct txn *txn, struct err *err) must_check;

/*
 * The ticker's: a call was refused for what its manager has heard; a manager says what it has
 * heard; has the quarantine been ended meanwhile?
 */
bool quarantine_begin(struct controller *controller, struct txn *txn, const struct flight *flight,
    struct err *err) must_check;
bool quarantine_hear(struct controller *controller, struct txn *txn, const struct word *word,
    struct err *err) must_check;
bool quarantine_look(struct controller *controller, struct txn *txn, struct err *err) must_check;

/* controller_evict.c: the group of what a manager has still to release; its name. */
bool owed_group(struct controller *controller, struct txn *txn, const char *manager,
    struct str *name, struct err *err) must_check;
