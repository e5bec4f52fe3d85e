/*
 * Opening the store: the file, its lock against a second process, migrations, and the statements'
 * cache. Transactions are in txn.c.
 */
#include "lib/store/store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/store_part.h"

enum { BUSY_MS = 5000, EXIT_DISK = 74, CHECKED_PAGES_MAX = 8192 /* 32 MiB */ };

static struct store *store_make(void);
static bool bring_up(struct store *store, const char *path, const struct store_migration *steps,
    size_t n_steps, struct err *err);
static void tear_down(struct store *store);
static bool take_lock(struct store *store, const char *path, struct err *err);
static bool open_file(struct store *store, const char *path, struct err *err);
static bool check_file(struct store *store, struct err *err);
static bool read_number(struct store *store, const char *sql, int64_t *number);
static bool is_sound(struct store *store);
static bool read_uuid(struct store *store, struct err *err);
static bool migrate(struct store *store, const struct store_migration *step, struct err *err);
static bool refuse_newer(
    struct store *store, const struct store_migration *steps, size_t n_steps, struct err *err);
static bool part_version(struct txn *txn, const char *part, int64_t *version, struct err *err);

static const char setup_sql[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
    "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF;"
    "PRAGMA journal_size_limit=16777216;"
    "PRAGMA cache_size=-16384;"; /* KiB: what a large transaction changes */

static const char own_tables_sql[] = "CREATE TABLE IF NOT EXISTS store_meta("
				     " key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
				     "CREATE TABLE IF NOT EXISTS store_part("
				     " part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT;";

size_t
store_migrations_add(
    struct store_migration *all, size_t n, const struct store_migration *some, size_t n_some)
{
	memcpy(all + n, some, n_some * sizeof(*some));
	return n + n_some;
}

struct store *
store_open(const char *path, const struct store_migration *migrations, size_t n_migrations,
    struct err *err)
{
	struct store *store = store_make();

	store->path = xstrdup(path);
	ballast_init(&store->ballast, path);
	/* Counting what it allocates costs a lock each time. Too late, and no matter, if it is in
	 * use already. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (bring_up(store, path, migrations, n_migrations, err))
		return store;
	err_in(err, "database '%s'", path);
	tear_down(store);
	return NULL;
}

void
store_close(struct store *store)
{
	if (store)
		tear_down(store);
}

const char *
store_uuid(const struct store *store)
{
	return store->uuid;
}

bool
store_fault(struct store *store, int rc, const char *what, struct err *err)
{
	const char *text = sqlite3_errmsg(store->db);

	switch (rc & 0xff) {
	case SQLITE_FULL:
		ballast_spend(&store->ballast);
		return err_set(err, ERR_UNAVAILABLE, "%s: the disk is full", what);
	case SQLITE_CONSTRAINT:
		return err_set(err, ERR_CONFLICT, "%s: %s", what, text);
	case SQLITE_TOOBIG:
		return err_set(err, ERR_LIMIT, "%s: %s", what, text);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return err_set(err, ERR_UNAVAILABLE, "%s: another program holds the file", what);
	case SQLITE_NOMEM:
		abort();
	case SQLITE_IOERR:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
		store_die(store, rc, what);
	default:
		return err_set(err, ERR_INTERNAL, "%s: %s", what, text);
	}
}

void
store_die(struct store *store, int rc, const char *what)
{
	/* A second fsync may report success for pages the first one lost: only the next start,
	 * which reads the file again, knows what is true. */
	log_error("store", "event=disk_failed doing=\"%s\" code=%d why=\"%s\"", what, rc,
	    sqlite3_errstr(rc));
	trials_pardon(store);
	_exit(EXIT_DISK);
}

bool
store_exec(struct store *store, const char *sql, struct err *err)
{
	int rc = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || store_fault(store, rc, sql, err);
}

static struct store *
store_make(void)
{
	struct store *store = xcalloc(1, sizeof(*store));
	pthread_mutexattr_t attr;

	store->lock_fd = -1;
	store->statements = map_new();
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&store->mutex, &attr);
	pthread_mutexattr_destroy(&attr);
	sync_init(&store->sync);
	return store;
}

static bool
bring_up(struct store *store, const char *path, const struct store_migration *steps, size_t n_steps,
    struct err *err)
{
	if (!take_lock(store, path, err) || !open_file(store, path, err) ||
	    !check_file(store, err) || !read_uuid(store, err) ||
	    !refuse_newer(store, steps, n_steps, err))
		return false;
	for (size_t i = 0; i < n_steps; i++)
		if (!migrate(store, &steps[i], err))
			return err_in(err, "migration %s %d", steps[i].part, steps[i].version);
	return true;
}

static void
tear_down(struct store *store)
{
	struct statement *statement;

	for (size_t at = 0; (statement = map_next(store->statements, &at));) {
		assert(!statement->is_busy);
		sqlite3_finalize(statement->stmt);
		free(statement);
	}
	map_free(store->statements);
	sqlite3_close(store->db);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	ballast_done(&store->ballast);
	sync_done(&store->sync);
	pthread_mutex_destroy(&store->mutex);
	free(store->path);
	free(store);
}

static bool
take_lock(struct store *store, const char *path, struct err *err)
{
	auto_str struct str name = {0};

	str_addf(&name, "%s.lock", path);
	store->lock_fd = open(name.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd < 0)
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot open '%s': %s", name.text, strerror(errno));
	if (flock(store->lock_fd, LOCK_EX | LOCK_NB))
		return err_set(err, ERR_CONFLICT, "another process holds '%s'", name.text);
	return true;
}

static bool
open_file(struct store *store, const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return err_set(err, ERR_UNAVAILABLE, "cannot open it: %s", strerror(errno));
	close(fd);
	rc = sqlite3_open_v2(path, &store->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (rc != SQLITE_OK)
		return err_set(
		    err, ERR_UNAVAILABLE, "cannot open it: %s", sqlite3_errmsg(store->db));
	sqlite3_busy_timeout(store->db, BUSY_MS);
	return true;
}

static bool
check_file(struct store *store, struct err *err)
{
	int64_t n_pages = -1;

	if (!read_number(store, "PRAGMA page_count", &n_pages) ||
	    (n_pages < CHECKED_PAGES_MAX && !is_sound(store)))
		return err_set(
		    err, ERR_INTERNAL, "the file is damaged: %s", sqlite3_errmsg(store->db));
	return store_exec(store, setup_sql, err) && store_exec(store, own_tables_sql, err) &&
	       sync_watch(store, err);
}

static bool
read_number(struct store *store, const char *sql, int64_t *number)
{
	sqlite3_stmt *query = NULL;
	bool is_read = sqlite3_prepare_v2(store->db, sql, -1, &query, NULL) == SQLITE_OK &&
		       sqlite3_step(query) == SQLITE_ROW;

	if (is_read)
		*number = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	return is_read;
}

/* Reads every page: too long for a large file, whose pages are looked at when they are read. */
static bool
is_sound(struct store *store)
{
	sqlite3_stmt *check = NULL;
	bool is_sound =
	    sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &check, NULL) == SQLITE_OK &&
	    sqlite3_step(check) == SQLITE_ROW &&
	    str_equal((const char *)sqlite3_column_text(check, 0), "ok");

	sqlite3_finalize(check);
	return is_sound;
}

static bool
read_uuid(struct store *store, struct err *err)
{
	auto_txn struct txn *txn = store_begin(store);
	auto_rows struct rows *rows = NULL;
	unsigned char random[STORE_UUID_SIZE / 2];

	rows = txn_query(txn, err, "SELECT value FROM store_meta WHERE key = 'uuid'", "");
	if (!rows)
		return false;
	if (rows_next(rows)) {
		strncpy(store->uuid, rows_text(rows, 0), STORE_UUID_SIZE - 1);
		return true;
	}
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return err_set(err, ERR_INTERNAL, "no random bytes: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(random); i++) {
		store->uuid[2 * i] = "0123456789abcdef"[random[i] >> 4];
		store->uuid[2 * i + 1] = "0123456789abcdef"[random[i] & 15];
	}
	rows_done(take(rows));
	return txn_run(txn, err, "INSERT INTO store_meta(key, value) VALUES('uuid', ?)", "t",
		   store->uuid) &&
	       txn_commit(&txn, err);
}

static bool
migrate(struct store *store, const struct store_migration *step, struct err *err)
{
	auto_txn struct txn *txn = store_begin(store);
	int64_t version;

	if (!part_version(txn, step->part, &version, err))
		return false;
	if (version >= step->version)
		return true;
	if (version != step->version - 1)
		return err_set(err, ERR_INTERNAL, "the step before it is missing");
	return store_exec(store, step->sql, err) &&
	       txn_run(txn, err,
		   "INSERT INTO store_part(part, version) VALUES(?, ?) "
		   "ON CONFLICT(part) DO UPDATE SET version = excluded.version",
		   "ti", step->part, (int64_t)step->version) &&
	       txn_commit(&txn, err);
}

static bool
refuse_newer(
    struct store *store, const struct store_migration *steps, size_t n_steps, struct err *err)
{
	auto_txn struct txn *txn = store_begin(store);
	int64_t version;

	for (size_t i = 0; i < n_steps; i++) {
		int newest = 0;

		for (size_t k = 0; k < n_steps; k++)
			if (str_equal(steps[k].part, steps[i].part) && steps[k].version > newest)
				newest = steps[k].version;
		if (!part_version(txn, steps[i].part, &version, err))
			return false;
		if (version > newest)
			return err_set(err, ERR_CONFLICT,
			    "part %s is at version %lld, this program knows %d", steps[i].part,
			    (long long)version, newest);
	}
	return true;
}

static bool
part_version(struct txn *txn, const char *part, int64_t *version, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT version FROM store_part WHERE part = ?", "t", part);

	if (!rows)
		return false;
	*version = rows_next(rows) ? rows_i64(rows, 0) : 0;
	return true;
}
