/*
 * What slices take, as intervals in the store: the one book that quotas are tested against and
 * usage is reported from. It follows the slice, and needs no memory: whatever has changed, one call
 * in the transaction of the change closes the interval that was and opens the one that is. All
 * inside the caller's transaction.
 */
#pragma once

#include "snc/quota.h"
#include "snc/snc.h"

/*
 * A slice is to hold what its document says (expanded; NULL = it is only DEFINED), as its record
 * has the lease: tests the quotas of its project, before anything is handed to the engine;
 * usage_follow when it has been. ERR_A02: its owner may have nothing in that project any more;
 * ERR_A03.
 */
bool usage_admit(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct slice *expanded, struct err *err) must_check;

/* A slice that holds something is to become another: until it has, the larger one of each counts.
 * usage_follow when the modify is in the store. */
bool usage_modify(struct snc *snc, struct txn *txn, const struct slice_record *record,
    const struct slice *expanded, struct err *err) must_check;

/* It has. */
bool usage_adopt(struct txn *txn, const char *slice, struct err *err) must_check;

/* It is to have another end, which the record has already: `window` is what that adds. */
bool usage_renew(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct calendar_span window, struct err *err) must_check;

/* Something may have changed with the slice of that id, or it is gone. */
bool usage_follow(struct snc *snc, struct txn *txn, const char *slice, struct err *err) must_check;

/* The same for all that have no interval yet, as those of before there were any. */
bool usage_begin(struct snc *snc, struct err *err) must_check;

/* What one user had in one project within a period. */
struct usage_record {
	const char *project, *user;
	int64_t n_slices, slice_seconds, cpu_seconds, memory_byte_hours, rate_bps_hours;
};

struct usage_records {
	struct usage_record *items;
	size_t n;
};

struct usage_query {
	const char *project, *user; /* NULL = of all */
	const char *seer;           /* whose own it is, or whose projects'; NULL = sees all */
	int64_t from_ms, until_ms;  /* until now at the latest */
};

/* By project and user. */
bool usage_report(struct txn *txn, const struct usage_query *query, struct arena *arena,
    struct usage_records *records, struct err *err) must_check;
