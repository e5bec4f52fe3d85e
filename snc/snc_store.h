/*
 * All SQL of sncd: slices, operations, events, what daemons said. Every function runs inside the
 * caller's transaction; texts of what is read live in the arena.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"
#include "lib/engine/controller.h"
#include "lib/store/store.h"
#include "snc/lease.h"

extern const struct store_migration snc_migrations[];
extern const size_t n_snc_migrations;

/* What the user wants a slice to be, and what it has come to. */
enum slice_state {
	SLICE_DEFINED,
	SLICE_RESERVED,
	SLICE_RUNNING,
	SLICE_STOPPED,
	SLICE_DELETED, /* as a goal alone */
	SLICE_FAILED   /* as a result alone */
};

/* "DEFINED" …; parse gives ERR_BAD_VALUE. */
const char *slice_state_text(enum slice_state state);
bool slice_state_parse(const char *text, enum slice_state *state, struct err *err) must_check;

struct slice_record {
	const char *id, *name, *owner, *role, *project;
	int64_t n_nodes, n_links, created_ms;
	enum slice_state goal;
	enum slice_state settled; /* what the user was told last */
	bool has_group;           /* there are rows */
	enum group_state engine;  /* when has_group */
	int64_t round;            /* how often it was admitted */
	struct err reason;        /* why it is not as wanted; ERR_NONE */
	struct lease lease;       /* written by store_lease_save alone */
};

struct slice_document {
	const void *bytes;
	size_t size;
};

/* ERR_S11 when the owner has a slice of that name. */
bool store_slice_add(struct txn *txn, const struct slice_record *slice,
    const struct slice_document *document, struct err *err) must_check;

/* Writes goal, settled, engine, round and reason. */
bool store_slice_save(
    struct txn *txn, const struct slice_record *slice, struct err *err) must_check;

/* ERR_NOT_FOUND. */
bool store_slice_by_id(struct txn *txn, const char *id, struct arena *arena,
    struct slice_record *slice, struct err *err) must_check;

/*
 * By name or id among those that a user may see, who owns them or is in their project, or among all
 * (NULL). ERR_CONFLICT when the name is not unique, the slice of `preferred` first. ERR_NOT_FOUND.
 */
struct store_slice_key {
	const char *name_or_id;
	const char *seer;      /* NULL = sees all */
	const char *preferred; /* owner whose slice wins */
};

bool store_slice_find(struct txn *txn, const struct store_slice_key *key, struct arena *arena,
    struct slice_record *slice, struct err *err) must_check;

/* By name, those that a user may see or all (NULL). */
struct slice_records {
	struct slice_record *items;
	size_t n;
};

bool store_slice_list(struct txn *txn, const char *seer, struct arena *arena,
    struct slice_records *slices, struct err *err) must_check;

/* The same, a page of it. */
struct store_slice_page {
	const char *seer;                     /* who may see them; NULL = all */
	const char *after_name, *after_owner; /* of the last one of the page before; "" = none */
	int64_t most;
};

bool store_slice_page(struct txn *txn, const struct store_slice_page *page, struct arena *arena,
    struct slice_records *slices, struct err *err) must_check;

bool store_slice_document(struct txn *txn, const char *id, struct arena *arena,
    struct slice_document *document, struct err *err) must_check;

bool store_slice_drop(struct txn *txn, const char *id, struct err *err) must_check;

/* snc_store_lease.c */

enum lease_phase lease_phase_parse(const char *text);

/* Writes the lease. */
bool store_lease_save(
    struct txn *txn, const struct slice_record *slice, struct err *err) must_check;

/* Ids of the slices whose lease is due, in arena: the longest overdue first, and last those that
 * should have started and could not. */
struct slice_names {
	const char **items;
	size_t n;
};

bool store_lease_due(struct txn *txn, int64_t now_ms, struct arena *arena, struct slice_names *due,
    struct err *err) must_check;

/* When the next one is; 0 = never. */
bool store_lease_next(struct txn *txn, int64_t *due_ms, struct err *err) must_check;

/* What a slice that is to start will have: rows as slice_plan made them, without attributes. */
struct booking_row {
	const char *manager, *kind, *spec;
};

struct booking_rows {
	struct booking_row *items;
	size_t n;
};

bool store_booking_add(struct txn *txn, const char *slice, const struct booking_rows *booking,
    struct err *err) must_check;
bool store_booking_list(struct txn *txn, const char *slice, struct arena *arena,
    struct booking_rows *booking, struct err *err) must_check;
/* The slices that have booked something of a manager, in arena. */
bool store_booked_at(struct txn *txn, const char *manager, struct arena *arena,
    struct slice_records *slices, struct err *err) must_check;
bool store_booking_drop(struct txn *txn, const char *slice, struct err *err) must_check;

/* snc_store_mark.c: groups whose charges or times changed, by triggers and by store_mark_add */

/* At each start, durably, before the first of the following: marks count from here on. */
bool store_marks_begin(struct txn *txn, struct err *err) must_check;

bool store_mark_add(struct txn *txn, const char *group, struct err *err) must_check;

/* What was marked after the mark `seen`, each group by its last mark, oldest first; `valid`: the
 * newest up to `seen` that is there still: what was read under later ones was rolled back. */
struct store_mark {
	int64_t stamp;
	const char *group; /* "" = none */
};

struct store_marks {
	int64_t valid; /* -1 = none */
	struct store_mark *items;
	size_t n;
};

bool store_marks_after(struct txn *txn, int64_t seen, struct arena *arena,
    struct store_marks *marks, struct err *err) must_check;

struct op_record {
	const char *caller, *op_id, *digest, *slice, *name;
	int64_t at_ms;
};

/* ERR_NOT_FOUND. */
bool store_op_find(struct txn *txn, const char *caller, const char *op_id, struct arena *arena,
    struct op_record *op, struct err *err) must_check;

/* Adds one and forgets those of gone slices that are older than `old_ms`. */
bool store_op_add(
    struct txn *txn, const struct op_record *op, int64_t old_ms, struct err *err) must_check;

struct event_record {
	int64_t seq, at_ms;
	const char *slice_id, *slice, *owner; /* "" = none */
	const char *project;
	const char *subject, *what, *text;
	int64_t again_ms; /* the same is new when this old; 0 = however old */
};

/* Adds one, unless the last one of the same subject and slice says the same. */
bool store_event_add(struct txn *txn, const struct event_record *event, struct err *err) must_check;

/* Oldest first, at most 256. */
struct store_event_query {
	int64_t after;        /* -1 = the last 100 */
	const char *seer;     /* only what this user may see; NULL = all */
	const char *slice_id; /* NULL = of all slices */
};

struct event_records {
	struct event_record *items;
	size_t n;
};

bool store_event_list(struct txn *txn, const struct store_event_query *query, struct arena *arena,
    struct event_records *events, struct err *err) must_check;

struct daemon_record {
	const char *manager, *version, *db_uuid, *capacity;
};

struct daemon_records {
	struct daemon_record *items;
	size_t n;
};

bool store_daemon_put(
    struct txn *txn, const struct daemon_record *daemon, struct err *err) must_check;
bool store_daemon_list(struct txn *txn, struct arena *arena, struct daemon_records *daemons,
    struct err *err) must_check;
