/*
 * What the files of the store share; nobody else includes this.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "lib/base/map.h"
#include "lib/store/store.h"

enum { STORE_UUID_SIZE = 33, STORE_TRIALS_MAX = 2 };

/* A prepared statement, kept by where its text stands. */
struct statement {
	sqlite3_stmt *stmt;
	bool is_busy; /* rows of it are being read */
};

struct txn {
	struct store *store;
	uint64_t number;
	bool is_open; /* false: it could not begin, or SQLite has rolled it back by itself */
	bool has_run; /* a statement that may have written */
	int64_t changes;
};

/* A file that takes room on the disk until that is needed. */
struct ballast {
	pthread_mutex_t lock;
	char *path;
	size_t bytes; /* 0 = none is kept */
	bool is_spent;
	int64_t looked_ms;
};

/* What is in the log, and what of that is on the disk. */
struct sync {
	sqlite3_file *file; /* the write-ahead log, SQLite's own handle of it */
	int n_pages;        /* in it; under the store's mutex, as changes of n_written */
	pthread_mutex_t lock;
	pthread_cond_t done;
	uint64_t n_written; /* transactions so far; read under either lock, changed under both */
	uint64_t n_durable;
	bool is_running; /* somebody syncs */
};

struct store {
	sqlite3 *db;
	char *path;
	atomic_bool *_Atomic over[STORE_TRIALS_MAX]; /* of trials: no death counts any more */
	struct ballast ballast;
	pthread_mutex_t mutex; /* held from store_begin into txn_commit or txn_cancel */
	atomic_int n_waiting;  /* for mutex */
	struct txn txn;        /* of the holder of mutex */
	uint64_t n_txns;
	struct sync sync;
	struct map *statements; /* by the addresses of their texts */
	int lock_fd;
	char uuid[STORE_UUID_SIZE];
};

struct rows {
	struct txn *txn;
	sqlite3_stmt *stmt;
	struct statement *cached; /* NULL: stmt is our own */
};

/* Turns a result code of SQLite into err and returns false; ends the process when the disk failed.
 */
bool store_fault(struct store *store, int rc, const char *what, struct err *err);
void store_die(struct store *store, int rc, const char *what) __attribute__((noreturn));

/* trial.c: the process ends on purpose, and nobody is to blame. */
void trials_pardon(struct store *store);

/* store_ballast.c; spend: the disk is full. */
void ballast_init(struct ballast *ballast, const char *path);
void ballast_done(struct ballast *ballast);
void ballast_spend(struct ballast *ballast);

/* Statements without parameters and rows. Under the lock, or before threads know the store. */
bool store_exec(struct store *store, const char *sql, struct err *err) must_check;

/* store_sync.c. The log is found, and watched, once the database is open. */
void sync_init(struct sync *sync);
void sync_done(struct sync *sync);
bool sync_watch(struct store *store, struct err *err) must_check;

/* How many transactions have been written so far. Under the store's mutex. */
uint64_t sync_written(const struct store *store);

/* Waits until so many are durable. Not under the store's mutex. */
void sync_wait(struct store *store, uint64_t n);

/* Copies the log into the database when it has grown long. Under the store's mutex, outside of a
 * transaction. */
void sync_shorten(struct store *store);
