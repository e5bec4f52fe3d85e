/*
 * What store.c and txn.c share; nobody else includes this.
 */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "lib/base/map.h"
#include "lib/store/store.h"

enum { STORE_UUID_SIZE = 33 };

/* A prepared statement, kept by its text. */
struct statement {
	sqlite3_stmt *stmt;
	bool is_busy; /* rows of it are being read */
};

struct txn {
	struct store *store;
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

struct store {
	sqlite3 *db;
	struct ballast ballast;
	pthread_mutex_t mutex; /* held from store_begin to txn_commit or txn_cancel */
	struct txn txn;        /* of the holder of mutex */
	struct map *statements;
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
void store_die(struct store *store, const char *what) __attribute__((noreturn));

/* store_ballast.c; spend: the disk is full. */
void ballast_init(struct ballast *ballast, const char *path);
void ballast_done(struct ballast *ballast);
void ballast_spend(struct ballast *ballast);

/* Statements without parameters and rows. Under the lock, or before threads know the store. */
bool store_exec(struct store *store, const char *sql, struct err *err) must_check;
