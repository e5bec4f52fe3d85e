/*
 * Windows of maintenance: hosts on which nothing new is placed for a time. The part of the calendar
 * that is no capacity: whoever asks what is free in a window (snc_substrate) is told of it there.
 * Every function runs inside the caller's transaction; the store holds it all.
 */
#pragma once

#include "lib/model/mapping.h"
#include "snc/ledger.h"

struct drain {
	const char *host;
	struct calendar_span span; /* until CALENDAR_EVER: nobody knows an end */
	const char *reason;        /* "" = none was given */
};

struct drains {
	struct drain *items;
	size_t n;
};

/* Those that are not over, by host, in arena. */
bool drain_list(struct txn *txn, int64_t now_ms, struct arena *arena, struct drains *drains,
    struct err *err) must_check;

/* One window a host: a new one takes the place of the old one. Forgets those that are over. */
bool drain_put(
    struct txn *txn, const struct drain *drain, int64_t now_ms, struct err *err) must_check;

/* *had: there was one. */
bool drain_drop(struct txn *txn, const char *host, bool *had, struct err *err) must_check;

/* "from 2026-11-22T08:00:00Z until 2026-11-22T09:00:00Z: new switch"; without what is past, or is
 * not known. In arena. */
const char *drain_text(const struct drain *drain, int64_t now_ms, struct arena *arena);

/*
 * Says of the hosts which are drained at some time of the question's window. When it is asked what
 * there would be if nobody else were there, windows with an end do not count either: time ends them
 * too, and then the host is expected to be up.
 */
bool drain_mark(struct txn *txn, const struct ledger_question *question, int64_t now_ms,
    struct substrate *substrate, struct arena *arena, struct err *err) must_check;

/* Adds the ends after after_ms to the instants at which something comes free, in their order. */
bool drain_add_ends(struct txn *txn, int64_t after_ms, struct arena *arena,
    struct ledger_instants *ends, struct err *err) must_check;

/* Whether a mapping onto `placed` is still good on `fresh`, the same hosts later: ERR_WAIT when one
 * of its nodes is on a host that has been drained since. */
bool drain_allows(const struct mapping *mapping, const struct substrate *placed,
    const struct substrate *fresh, struct err *err) must_check;
