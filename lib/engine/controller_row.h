/*
 * Rows and groups of the controller as they are stored; of the engine alone. All inside a
 * transaction.
 */
#pragma once

#include "lib/engine/controller.h"

/* EVICTED: for its group it is released; OWED: that is gone, its manager has still to release it.
 */
enum eviction { NOT_EVICTED, EVICTED, OWED };

/* A row as stored. */
struct stored_row {
	struct controller_row_state state;
	bool is_refused;
	enum eviction eviction;
	const char *group;
};

struct stored_group {
	enum group_state state;
	enum row_state goal;
	int64_t reserve_ms, commit_ms;
};

/* controller_row.c. Texts in the arena. */
struct stored_rows_key {
	const char *group;
	enum group_state state; /* of it */
};

bool stored_rows(struct txn *txn, const struct stored_rows_key *key, struct arena *arena,
    struct stored_row **rows, size_t *n_rows, struct err *err) must_check;
bool stored_row(struct txn *txn, uint64_t rid, struct arena *arena, struct stored_row *row,
    struct err *err) must_check; /* ERR_NOT_FOUND */
bool stored_group(
    struct txn *txn, const char *name, struct stored_group *group, struct err *err) must_check;
bool store_row(struct txn *txn, const struct stored_row *row, struct err *err) must_check;
bool store_group(
    struct txn *txn, const char *name, enum group_state state, struct err *err) must_check;
/* What was refused, and tried, was so in another state. */
bool store_fresh_start(struct txn *txn, const char *group, struct err *err) must_check;
bool store_forget(struct txn *txn, const char *group, struct err *err) must_check;
/* Fills in floor and change. */
bool stored_caller(struct txn *txn, struct manager_caller *caller, struct err *err) must_check;

/* controller_evict.c: is it evicted (ERR_UNAVAILABLE); rows that a group leaves to be released go
 * into one of their manager's own, of which nobody is told; is it one of these? */
bool refuse_evicted(struct txn *txn, const char *manager, struct err *err) must_check;
bool keep_owed(
    struct controller *controller, struct txn *txn, const char *group, struct err *err) must_check;
bool is_owed_group(const char *group);
