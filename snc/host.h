/*
 * Hosts that are gone for good, those that come back, and those in maintenance: said by NOC staff,
 * never by a clock.
 */
#pragma once

#include "snc/drain.h"
#include "snc/snc.h"

/* The slices that have parts on the host of these managers, in arena. */
bool host_slices_at(struct txn *txn, const struct inventory_managers *managers, struct arena *arena,
    struct slice_records *slices, struct err *err) must_check;

struct host_eviction {
	struct snc_caller caller;
	const char *host;
	bool is_plan;                /* tell, and change nothing */
	struct slice_records slices; /* out, in arena */
};

/*
 * What was on the host counts as released: slices being deleted finish, what was under way with it
 * is refused, what runs goes on without and is degraded. ERR_NOT_FOUND; ERR_CONFLICT when one of
 * its daemons answers, which a host that is gone does not. Idempotent.
 */
bool host_evict(struct snc *snc, struct host_eviction *eviction, struct arena *arena,
    struct err *err) must_check;

/* It may have parts of slices again. ERR_NOT_FOUND; ERR_UNAVAILABLE until its daemons have said
 * hello, ERR_CONFLICT until they have released what they had. Idempotent. */
bool host_readmit(
    struct snc *snc, const struct snc_caller *caller, const char *host, struct err *err) must_check;

/* What the daemons of a host have died of and set aside is tried again; how many there were. With
 * the host of tncd goes all that is central: sncd, tncd and the routers. ERR_NOT_FOUND,
 * ERR_UNAVAILABLE: not all of them have answered. Blocks. */
bool host_retry(struct snc *snc, const struct snc_caller *caller, const char *host, int64_t *n,
    struct err *err) must_check;

/* At start: who was evicted. */
bool host_recall_evicted(struct snc *snc, struct err *err) must_check;

struct host_draining {
	struct snc_caller caller;
	struct drain drain; /* from_ms 0 = now; until_ms 0 = no end is known */
	bool is_plan;       /* tell, and change nothing */
	struct slice_records
	    slices; /* out, in arena: that have, or have booked, parts there then */
};

/*
 * Nothing new is placed on the host within the window; what is there, or booked, stays, and its
 * owners are told. Takes the place of a window that there was. ERR_NOT_FOUND; ERR_BAD_VALUE: an end
 * that is past or not after the start, or such a reason; ERR_LIMIT: too long a reason.
 */
bool host_drain(struct snc *snc, struct host_draining *draining, struct arena *arena,
    struct err *err) must_check;

/* The window is over. ERR_NOT_FOUND. Idempotent. */
bool host_undrain(
    struct snc *snc, const struct snc_caller *caller, const char *host, struct err *err) must_check;
