/*
 * Transactions and statements of the store.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/store/store_part.h"

static void txn_end(struct txn *txn);
static bool txn_usable(struct txn *txn, struct err *err);
static bool txn_failed(struct txn *txn, int rc, const char *sql, struct err *err);
static sqlite3_stmt *prepare(
    struct txn *txn, const char *sql, struct statement **cached, struct err *err);
static void put_back(sqlite3_stmt *stmt, struct statement *cached);
static int bind_all(sqlite3_stmt *stmt, const char *types, va_list args);

struct txn *
store_begin(struct store *store)
{
	int failed;

	store->n_waiting++;
	failed = pthread_mutex_lock(&store->mutex);
	store->n_waiting--;
	assert(!failed); /* a thread that begins twice would wait for itself */
	store->txn = (struct txn){.store = store, .number = ++store->n_txns};
	store->txn.is_open = store_exec(store, "BEGIN IMMEDIATE", NULL);
	return &store->txn;
}

bool
store_is_wanted(const struct store *store)
{
	return store->n_waiting > 0;
}

uint64_t
txn_number(const struct txn *txn)
{
	return txn->number;
}

bool
txn_commit(struct txn **handle, struct err *err)
{
	struct txn *txn = take(*handle);
	struct store *store = txn->store;
	bool is_written;

	if (txn->has_run)
		FAULT_POINT("store.commit.before");
	is_written = txn_usable(txn, err) && store_exec(store, "COMMIT", err);
	if (is_written)
		sync_shorten(store);
	if (txn->has_run)
		FAULT_POINT("store.commit.after");
	txn_end(txn);
	return is_written;
}

void
txn_cancel(struct txn *txn)
{
	if (txn)
		txn_end(txn);
}

bool
txn_run(struct txn *txn, struct err *err, const char *sql, const char *types, ...)
{
	struct statement *cached;
	sqlite3_stmt *stmt = prepare(txn, sql, &cached, err);
	va_list args;
	int rc;

	if (!stmt)
		return false;
	txn->has_run = true;
	va_start(args, types);
	rc = bind_all(stmt, types, args);
	va_end(args);
	while (rc == SQLITE_OK || rc == SQLITE_ROW)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		(void)txn_failed(txn, rc, sql, err);
	else
		txn->changes = sqlite3_changes64(txn->store->db);
	put_back(stmt, cached);
	return rc == SQLITE_DONE;
}

int64_t
txn_changes(const struct txn *txn)
{
	return txn->changes;
}

struct rows *
txn_query(struct txn *txn, struct err *err, const char *sql, const char *types, ...)
{
	struct statement *cached;
	sqlite3_stmt *stmt = prepare(txn, sql, &cached, err);
	struct rows *rows;
	va_list args;
	int rc;

	if (!stmt)
		return NULL;
	va_start(args, types);
	rc = bind_all(stmt, types, args);
	va_end(args);
	if (rc != SQLITE_OK) {
		(void)txn_failed(txn, rc, sql, err);
		put_back(stmt, cached);
		return NULL;
	}
	rows = xcalloc(1, sizeof(*rows));
	*rows = (struct rows){.txn = txn, .stmt = stmt, .cached = cached};
	return rows;
}

bool
rows_next(struct rows *rows)
{
	int rc = sqlite3_step(rows->stmt);

	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		store_die(rows->txn->store, rc, sqlite3_sql(rows->stmt));
	return rc == SQLITE_ROW;
}

void
rows_done(struct rows *rows)
{
	if (!rows)
		return;
	put_back(rows->stmt, rows->cached);
	free(rows);
}

int64_t
rows_i64(struct rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

const char *
rows_text(struct rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->stmt, column);
}

const void *
rows_blob(struct rows *rows, int column, size_t *size)
{
	const void *bytes = sqlite3_column_blob(rows->stmt, column);

	*size = (size_t)sqlite3_column_bytes(rows->stmt, column);
	return bytes;
}

/* Whoever has read must not act before what it has read is durable: it waits as one that has
 * written. */
static void
txn_end(struct txn *txn)
{
	struct store *store = txn->store;
	uint64_t n_written;

	if (!sqlite3_get_autocommit(store->db) && !store_exec(store, "ROLLBACK", NULL))
		store_die(store, SQLITE_ERROR, "ROLLBACK");
	n_written = sync_written(store);
	pthread_mutex_unlock(&store->mutex);
	sync_wait(store, n_written);
}

static bool
txn_usable(struct txn *txn, struct err *err)
{
	/* A full disk ends a transaction of SQLite without being asked: what follows would be
	 * written outside of any. */
	if (txn->is_open && !sqlite3_get_autocommit(txn->store->db))
		return true;
	txn->is_open = false;
	return err_set(err, ERR_UNAVAILABLE, "the transaction is lost, nothing was stored");
}

static bool
txn_failed(struct txn *txn, int rc, const char *sql, struct err *err)
{
	(void)store_fault(txn->store, rc, sql, err);
	if (sqlite3_get_autocommit(txn->store->db))
		txn->is_open = false;
	return false;
}

static sqlite3_stmt *
prepare(struct txn *txn, const char *sql, struct statement **cached, struct err *err)
{
	struct statement *known = map_get_id(txn->store->statements, (uintptr_t)sql);
	sqlite3_stmt *stmt = NULL;
	int rc;

	*cached = NULL;
	if (!txn_usable(txn, err))
		return NULL;
	assert(!known || !strcmp(sqlite3_sql(known->stmt), sql)); /* a constant of the program */
	if (known && !known->is_busy) {
		known->is_busy = true;
		*cached = known;
		return known->stmt;
	}
	rc = sqlite3_prepare_v3(
	    txn->store->db, sql, -1, known ? 0 : SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (rc != SQLITE_OK || !stmt) {
		(void)txn_failed(txn, rc, sql, err);
		return NULL;
	}
	if (known)
		return stmt;
	*cached = xcalloc(1, sizeof(**cached));
	**cached = (struct statement){.stmt = stmt, .is_busy = true};
	map_put_id(txn->store->statements, (uintptr_t)sql, *cached);
	return stmt;
}

static void
put_back(sqlite3_stmt *stmt, struct statement *cached)
{
	if (!cached) {
		sqlite3_finalize(stmt);
		return;
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	cached->is_busy = false;
}

static int
bind_all(sqlite3_stmt *stmt, const char *types, va_list args)
{
	int rc = SQLITE_OK;

	assert((size_t)sqlite3_bind_parameter_count(stmt) == strlen(types));
	for (int i = 0; types[i] && rc == SQLITE_OK; i++) {
		if (types[i] == 'i') {
			rc = sqlite3_bind_int64(stmt, i + 1, va_arg(args, int64_t));
		} else if (types[i] == 't') {
			rc = sqlite3_bind_text(
			    stmt, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT);
		} else if (types[i] == 'b') {
			const void *bytes = va_arg(args, const void *);

			rc = sqlite3_bind_blob64(
			    stmt, i + 1, bytes, va_arg(args, size_t), SQLITE_TRANSIENT);
		}
	}
	return rc;
}
