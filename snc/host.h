/*
 * Hosts that are gone for good, and those that come back: said by NOC staff, never by a clock.
 */
#pragma once

#include "snc/snc.h"

/* A slice that has parts on the host. */
struct host_slice {
	const char *id, *name, *owner;
};

struct host_eviction {
	struct snc_caller caller;
	const char *host;
	bool is_plan;              /* tell, and change nothing */
	struct host_slice *slices; /* out, in arena */
	size_t n_slices;
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
