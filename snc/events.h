/*
 * What happened: rows in the store, and a bell for those who wait for more. Rung inside the
 * transaction: who hears it and looks waits for the store's lock, and so sees what was committed.
 */
#pragma once

#include "lib/base/clock.h"
#include "snc/snc_store.h"

struct events;

void events_free(struct events *events);
struct events *events_new(const struct clock *clock) malloc_by(events_free) must_check;

/* Adds an event of a slice; NULL = of the site, for everybody. A failure is logged: what happened
 * is more than its record. */
void events_add(struct events *events, struct txn *txn, const struct slice_record *slice,
    const char *subject, const char *what, const char *text);

/* The same for what a manager has noted: what has happened once more is told once more. */
void events_add_note(struct events *events, struct txn *txn, const struct slice_record *slice,
    const char *subject, const char *what, const char *text);

/* Rings without an event (something changed that waiters look at). */
void events_ring(struct events *events);

/* How often it has rung: read it before looking, then wait for more. */
int64_t events_rung(struct events *events);

/* Until it has rung more often than that, or wait_ms are over; true when it has. */
bool events_wait(struct events *events, int64_t rung, int64_t wait_ms);
