/*
 * The store: one SQLite file a daemon (WAL), opened once, used under one lock. Every access happens
 * inside a transaction, which holds that lock from begin to end: keep it short and never call a
 * peer, libvirt or a child process in between. What is committed is on disk, and so is what was
 * read: ending a transaction waits for that, many at a time for one sync.
 *
 *     auto_txn struct txn *txn = store_begin(store);
 *     if (!txn_run(txn, err, "INSERT INTO slice(id, name) VALUES(?, ?)", "it", id, name))
 *             return false;
 *     return txn_commit(&txn, err);
 *
 * A transaction that leaves its scope without txn_commit is rolled back.
 * A fsync or I/O error is fatal: the process ends and re-reads the truth (RELIABILITY: a retried
 * fsync may lie). SQLITE_FULL is an ordinary refusal: ERR_UNAVAILABLE, everything as before.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct store;
struct txn;
struct rows;

/* One migration: SQL text that takes the schema of `part` from version-1 to version. */
struct store_migration {
	const char *part; /* "snc", "controller", "manager", … */
	int version;      /* 1, 2, … without gaps within a part */
	const char *sql;
};

/* Copies the migrations of one part behind the first n of `all`, which has the room; answers how
 * many there are now. */
size_t store_migrations_add(struct store_migration *all, size_t n,
    const struct store_migration *some, size_t n_some) must_check;

/* SQL of schemas/sql/PART/NNNN_*.sql as a NUL-terminated constant of the program. */
#define STORE_SQL(symbol, path)                                                                    \
	__asm__(".pushsection .rodata\n"                                                           \
		".global " #symbol "\n.hidden " #symbol "\n" #symbol ":\n"                         \
		".incbin \"" path "\"\n"                                                           \
		".byte 0\n"                                                                        \
		".popsection\n");                                                                  \
	extern const char symbol[]

/*
 * Opens or makes the file (mode 0600, flock against a second process: ERR_CONFLICT), checks it and
 * brings every part up to date. NULL on failure. Owned by the caller.
 */
void store_close(struct store *store);
struct store *store_open(const char *path, const struct store_migration *migrations,
    size_t n_migrations, struct err *err) malloc_by(store_close) must_check;

/* A random id made with the file: tells a controller that the file was lost. Borrowed, lives as
 * long as the store. */
const char *store_uuid(const struct store *store);

/*
 * Keeps so many bytes of the disk in a file PATH.ballast, once, after opening, which begins without
 * it. They are given up when the disk is full, so that what frees things can still be stored, and
 * are taken when there is twice the room. On a disk that is full already it succeeds, and
 * store_has_room says no.
 */
bool store_keep_ballast(struct store *store, size_t bytes, struct err *err) must_check;

/* No: the disk was full and the ballast is not back yet. Who would add something refuses then, with
 * ERR_UNAVAILABLE. Looks at the disk at most once a second. Any thread, in a transaction or not. */
bool store_has_room(struct store *store);

/* Waits for the lock and begins (IMMEDIATE). Any thread; a thread holds at most one. */
struct txn *store_begin(struct store *store) must_check;

/* Does somebody wait for the lock just now? For who could let others go first. */
bool store_is_wanted(const struct store *store);

/* The same number is the same transaction, as long as the store is open. */
uint64_t txn_number(const struct txn *txn);

/* Gives the lock back and makes it durable. On failure everything is as before. The handle is gone
 * in both cases: takes the address. */
bool txn_commit(struct txn **txn, struct err *err) must_check;

/* Rolls back; takes NULL. */
void txn_cancel(struct txn *txn);

/*
 * Runs one statement. `types` has a letter for each `?`: i int64_t, t const char * (NULL = NULL),
 * b const void * and size_t, n nothing (NULL). Values are copied. Statements are cached: sql is a
 * constant of the program.
 */
bool txn_run(struct txn *txn, struct err *err, const char *sql, const char *types, ...) must_check;

/* Rows changed by the last txn_run. */
int64_t txn_changes(const struct txn *txn);

/* Runs a query; its rows must be done before the transaction ends. NULL on failure. */
void rows_done(struct rows *rows);
struct rows *txn_query(
    struct txn *txn, struct err *err, const char *sql, const char *types, ...) must_check;

/* The next row; false at the end. A failed read ends the process (see above). */
bool rows_next(struct rows *rows);

/* Columns from 0. Text is NULL for NULL, valid until the next rows_next. */
int64_t rows_i64(struct rows *rows, int column);
const char *rows_text(struct rows *rows, int column);
const void *rows_blob(struct rows *rows, int column, size_t *size);

static inline void
txn_cleanup(struct txn **txn)
{
	txn_cancel(*txn);
}

static inline void
rows_cleanup(struct rows **rows)
{
	rows_done(*rows);
}

#define auto_txn __attribute__((cleanup(txn_cleanup)))
#define auto_rows __attribute__((cleanup(rows_cleanup)))
