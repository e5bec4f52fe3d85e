/*
 * When a transaction is on the disk (docs/decisions/0014). SQLite writes it into the log without a
 * sync; who ends a transaction gives up the store first and then waits, and one of those that wait
 * syncs for all. While it does, others write what the next one syncs.
 */
#include <sqlite3.h>

#include "lib/base/fault.h"
#include "lib/store/store_part.h"

enum { LOG_PAGES_MAX = 4000 }; /* 16 MiB: what journal_size_limit keeps */

static bool settle_log(struct store *store, struct err *err);
static int note_written(void *self, sqlite3 *db, const char *name, int n_pages);
static void sync_now(struct store *store);

void
sync_init(struct sync *sync)
{
	pthread_mutex_init(&sync->lock, NULL);
	pthread_cond_init(&sync->done, NULL);
}

void
sync_done(struct sync *sync)
{
	pthread_cond_destroy(&sync->done);
	pthread_mutex_destroy(&sync->lock);
}

bool
sync_watch(struct store *store, struct err *err)
{
	int rc = sqlite3_file_control(
	    store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&store->sync.file);

	if (rc != SQLITE_OK || !store->sync.file || !store->sync.file->pMethods)
		return err_set(err, ERR_INTERNAL, "there is no write-ahead log");
	/* In the place of SQLite's own hook, which does not tell when a checkpoint fails. */
	sqlite3_wal_hook(store->db, note_written, store);
	return settle_log(store, err);
}

uint64_t
sync_written(const struct store *store)
{
	return store->sync.n_written;
}

void
sync_wait(struct store *store, uint64_t n)
{
	struct sync *sync = &store->sync;

	pthread_mutex_lock(&sync->lock);
	while (sync->n_durable < n) {
		if (sync->is_running)
			pthread_cond_wait(&sync->done, &sync->lock);
		else
			sync_now(store);
	}
	pthread_mutex_unlock(&sync->lock);
}

void
sync_shorten(struct store *store)
{
	int rc;

	if (store->sync.n_pages < LOG_PAGES_MAX)
		return;
	FAULT_POINT("store.checkpoint.before");
	rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	store->sync.n_pages = 0; /* the next commit says what is left */
	/* All is in the log as before: on a full disk the next one tries again. */
	if (rc != SQLITE_OK)
		(void)store_fault(store, rc, "checkpoint", NULL);
	FAULT_POINT("store.checkpoint.after");
}

/*
 * What is read from now on must be durable, but who was here before may have died between writing
 * and syncing, or of a sync that failed: then the log is in the system's memory, and no sync would
 * write it any more. So it is not synced but copied, which writes it again elsewhere.
 */
static bool
settle_log(struct store *store, struct err *err)
{
	int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	if (rc == SQLITE_FULL) /* no room for a copy */
		rc = store->sync.file->pMethods->xSync(store->sync.file, SQLITE_SYNC_NORMAL);
	return rc == SQLITE_OK || store_fault(store, rc, "settling the log", err);
}

/* Inside the COMMIT of a transaction that has changed something. */
static int
note_written(void *self, sqlite3 *db, const char *name, int n_pages)
{
	struct store *store = self;

	(void)db, (void)name;
	store->sync.n_pages = n_pages;
	pthread_mutex_lock(&store->sync.lock);
	store->sync.n_written++;
	pthread_mutex_unlock(&store->sync.lock);
	return SQLITE_OK;
}

/* Under sync->lock, but not while it syncs. */
static void
sync_now(struct store *store)
{
	struct sync *sync = &store->sync;
	uint64_t n = sync->n_written;
	int rc;

	sync->is_running = true;
	pthread_mutex_unlock(&sync->lock);
	FAULT_POINT("store.sync.before");
	rc = sync->file->pMethods->xSync(sync->file, SQLITE_SYNC_NORMAL);
	if (rc != SQLITE_OK)
		store_die(store, rc, "sync of the log");
	FAULT_POINT("store.sync.after");
	pthread_mutex_lock(&sync->lock);
	sync->n_durable = n;
	sync->is_running = false;
	pthread_cond_broadcast(&sync->done);
}
