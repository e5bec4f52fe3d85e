/*
 * When a transaction is on the disk: the store on a disk whose syncs the test holds up, counts, or
 * lets fail.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/store/store.h"
#include "test/support/suite.h"

enum { THREADS = 8, EACH = 20, EXIT_DISK = 74 };

static const struct store_migration steps[] = {
    {"test", 1, "CREATE TABLE thing(id INTEGER PRIMARY KEY, data BLOB) STRICT"}};

/* The disk of the log. A sync takes as long as `is_shut`. */
static struct {
	const sqlite3_io_methods *real;
	sqlite3_io_methods methods;
	int (*open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);
	pthread_mutex_t lock;
	pthread_cond_t turned;
	bool is_shut;
	atomic_bool is_failing;
	atomic_int n_waiting, n_syncs;
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .turned = PTHREAD_COND_INITIALIZER};

static int
disk_sync(sqlite3_file *file, int flags)
{
	disk.n_waiting++;
	pthread_mutex_lock(&disk.lock);
	while (disk.is_shut)
		pthread_cond_wait(&disk.turned, &disk.lock);
	pthread_mutex_unlock(&disk.lock);
	disk.n_waiting--;
	disk.n_syncs++;
	return disk.is_failing ? SQLITE_IOERR_FSYNC : disk.real->xSync(file, flags);
}

static int
disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
	int rc = disk.open(vfs, path, file, flags, out);

	if (rc != SQLITE_OK || !(flags & SQLITE_OPEN_WAL))
		return rc;
	disk.real = file->pMethods;
	disk.methods = *file->pMethods;
	disk.methods.xSync = disk_sync;
	file->pMethods = &disk.methods;
	return rc;
}

static void
disk_shut(bool is_shut)
{
	pthread_mutex_lock(&disk.lock);
	disk.is_shut = is_shut;
	pthread_cond_broadcast(&disk.turned);
	pthread_mutex_unlock(&disk.lock);
}

static struct store *
open_store(const char *name)
{
	static sqlite3_vfs vfs;
	struct err err = {0};
	char path[300];
	struct store *store;

	if (!disk.open) {
		vfs = *sqlite3_vfs_find(NULL);
		disk.open = vfs.xOpen;
		vfs.xOpen = disk_open;
		vfs.zName = "held";
		assert_equal(sqlite3_vfs_register(&vfs, 1), SQLITE_OK);
	}
	snprintf(path, sizeof(path), "%s/%s.db", test_dir(), name);
	store = store_open(path, steps, 1, &err);
	assert_text(err.text, "");
	return store;
}

/* A thread with a transaction, and how far it is. */
struct caller {
	struct store *store;
	bool is_reader;
	atomic_bool has_begun, is_back;
};

static void *
call(void *self)
{
	struct caller *caller = self;

	for (int i = 0; i < (caller->is_reader ? 1 : EACH); i++) {
		auto_txn struct txn *txn = store_begin(caller->store);

		caller->has_begun = true;
		if (caller->is_reader)
			txn_cancel(take(txn));
		else if (!txn_run(txn, NULL, "INSERT INTO thing(data) VALUES(NULL)", "") ||
			 !txn_commit(&txn, NULL))
			abort();
		caller->is_back = true;
	}
	return NULL;
}

static void
await(const atomic_bool *is_so)
{
	while (!*is_so)
		usleep(1000);
}

static void
await_sync(void)
{
	while (!disk.n_waiting)
		usleep(1000);
}

static void
callers_that_come_meanwhile_share_a_sync(void)
{
	struct store *store = open_store("share");
	struct caller callers[THREADS];
	pthread_t threads[THREADS];
	int n_before = disk.n_syncs;

	/* Once all stand behind one sync, what follows has company. */
	disk_shut(true);
	for (int i = 0; i < THREADS; i++) {
		callers[i] = (struct caller){.store = store};
		assert_true(!pthread_create(&threads[i], NULL, call, &callers[i]));
	}
	for (int i = 0; i < THREADS; i++)
		await(&callers[i].has_begun);
	await_sync();
	for (int i = 0; i < THREADS; i++)
		assert_true(!callers[i].is_back);
	disk_shut(false);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);

	assert_true(disk.n_syncs - n_before < THREADS * EACH);
	store_close(store);
}

static void
a_reader_waits_until_what_it_has_seen_is_durable(void)
{
	struct store *store = open_store("reader");
	struct caller writer = {.store = store}, reader = {.store = store, .is_reader = true};
	pthread_t threads[2];

	disk_shut(true);
	assert_true(!pthread_create(&threads[0], NULL, call, &writer));
	await_sync();
	assert_true(!pthread_create(&threads[1], NULL, call, &reader));
	await(&reader.has_begun);
	usleep(20000); /* to be wrong in */
	assert_true(!reader.is_back);
	disk_shut(false);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);

	assert_true(reader.is_back);
	store_close(store);
}

static void
who_reads_what_is_durable_waits_for_nobody(void)
{
	struct store *store = open_store("idle");
	struct caller reader = {.store = store, .is_reader = true};
	int n_before;

	(void)call(&(struct caller){.store = store});
	n_before = disk.n_syncs;
	(void)call(&reader);

	assert_equal(disk.n_syncs, n_before);
	store_close(store);
}

static void
ignore(void *self, enum log_level level, const char *line)
{
	(void)self, (void)level, (void)line;
}

/* Nobody may be told of what may be lost, and nobody may try again. */
static void
a_sync_that_fails_ends_the_process(void)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (!child) {
		struct store *store = open_store("fail");

		log_set_sink(ignore, NULL);
		disk.is_failing = true;
		(void)call(&(struct caller){.store = store});
		_exit(1);
	}
	waitpid(child, &status, 0);

	assert_true(WIFEXITED(status));
	assert_equal(WEXITSTATUS(status), EXIT_DISK);
}

/* The log is copied into the database now and then: it does not grow with what is written. */
static void
the_log_stays_short(void)
{
	struct store *store = open_store("log");
	char path[300], *data = xcalloc(1, 1 << 20);
	FILE *log;

	for (int i = 0; i < 64; i++) {
		auto_txn struct txn *txn = store_begin(store);

		assert_true(txn_run(txn, NULL, "INSERT OR REPLACE INTO thing VALUES(?, ?)", "ib",
		    INT64_C(1), data, (size_t)1 << 20));
		assert_true(txn_commit(&txn, NULL));
	}
	snprintf(path, sizeof(path), "%s/log.db-wal", test_dir());
	log = fopen(path, "re");
	assert_true(log && !fseek(log, 0, SEEK_END));
	assert_true(ftell(log) < 32 << 20);
	fclose(log);
	free(data);
	store_close(store);
}

static const struct test tests[] = {
    TEST(callers_that_come_meanwhile_share_a_sync),
    TEST(a_reader_waits_until_what_it_has_seen_is_durable),
    TEST(who_reads_what_is_durable_waits_for_nobody),
    TEST(a_sync_that_fails_ends_the_process),
    TEST(the_log_stays_short),
};

suite_main("store_sync", tests)
