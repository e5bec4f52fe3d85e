/*
 * The tables of paths and shares (schemas/sql/tnc), all SQL of tncd. Every function runs inside the
 * transaction it is given.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/store/store.h"

/* A path with the sum of its shares; of one that takes another's place what it has more. Texts in
 * the arena of the call. */
struct path {
	const char *name;
	const char **vertices; /* HOST:PORT, routers, HOST:PORT; n_edges + 1 of them */
	const char **edges;    /* links in order */
	size_t n_edges;
	uint32_t address_a, address_b; /* host order */
	const char *next_hop_a, *next_hop_b;
	int64_t latency_us;
	const char *why; /* NULL = it never came down by itself */
	int64_t rate_ab_bps, rate_ba_bps;
	int64_t n_shares;
};

struct paths {
	struct path *items;
	size_t n;
};

/* One virtual link's part of a path; rates in the path's direction. */
struct share {
	uint64_t rid;
	const char *path;
	int64_t rate_ab_bps, rate_ba_bps;
	uint64_t instead; /* the share that it takes the place of; 0 = none */
};

extern const struct store_migration tnc_migrations[];
extern const size_t n_tnc_migrations;

/* All paths in the order of their names. */
bool store_paths(
    struct txn *txn, struct arena *arena, struct paths *paths, struct err *err) must_check;

/* One of them; path is filled in when *is_found. */
bool store_path(struct txn *txn, const char *name, struct arena *arena, struct path *path,
    bool *is_found, struct err *err) must_check;

bool store_path_add(struct txn *txn, const struct path *path, struct err *err) must_check;

/* Why it came down by itself the last time; NULL = it never did. */
bool store_path_why(struct txn *txn, const char *name, const char *why, struct err *err) must_check;

bool store_path_reason(struct txn *txn, const char *name, struct arena *arena, const char **why,
    struct err *err) must_check;
bool store_path_shares(
    struct txn *txn, const char *name, int64_t *n_shares, struct err *err) must_check;

/* The ids of its shares, in arena. */
bool store_path_share_ids(struct txn *txn, const char *name, struct arena *arena,
    const uint64_t **rids, size_t *n_rids, struct err *err) must_check;

/* Only if it has no shares; otherwise, and when it is not there, nothing happens. */
bool store_path_drop(struct txn *txn, const char *name, struct err *err) must_check;

bool store_share_add(struct txn *txn, const struct share *share, struct err *err) must_check;

/* What a share is charged on its path; both 0 when there is none, or not on this path. */
bool store_share_rates(
    struct txn *txn, const char *path, struct share *share, struct err *err) must_check;

/* Have all hops of its path guaranteed what it brought, once? */
bool store_share_is_set_up(
    struct txn *txn, uint64_t rid, bool *is_set_up, struct err *err) must_check;
bool store_share_set_up(struct txn *txn, uint64_t rid, struct err *err) must_check;

/* Absent is success. */
bool store_share_drop(struct txn *txn, uint64_t rid, struct err *err) must_check;

/* The name of the path of a share, in arena; *path NULL when there is no such share. */
bool store_share_path(struct txn *txn, uint64_t rid, struct arena *arena, const char **path,
    struct err *err) must_check;
