/*
 * The store: transactions, migrations, what a full disk and a second process do.
 */
#include "lib/store/store.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/crash.h"
#include "test/support/suite.h"

STORE_SQL(embedded_sql, "schemas/sql/manager/0001_rows.sql");

static const struct store_migration steps[] = {
    {"test", 1, "CREATE TABLE thing(id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB) STRICT"},
    {"test", 2, "CREATE TABLE other(id INTEGER PRIMARY KEY) STRICT"},
};

static const char *
file(const char *name)
{
	static char path[200];

	snprintf(path, sizeof(path), "%s/%s.db", test_dir(), name);
	return path;
}

static struct store *
open_store(const char *name)
{
	struct err err = {0};
	struct store *store = store_open(file(name), steps, 2, &err);

	assert_text(err.text, "");
	return store;
}

static bool
add(struct txn *txn, int64_t id, const char *name, struct err *err)
{
	return txn_run(txn, err, "INSERT INTO thing(id, name) VALUES(?, ?)", "it", id, name);
}

static int64_t
count(struct store *store)
{
	auto_txn struct txn *txn = store_begin(store);
	auto_rows struct rows *rows = txn_query(txn, NULL, "SELECT count(*) FROM thing", "");

	assert_true(rows && rows_next(rows));
	return rows_i64(rows, 0);
}

static void
what_is_committed_is_there_after_reopening(void)
{
	struct store *store = open_store("reopen");
	struct txn *txn = store_begin(store);
	struct rows *rows;
	struct err err = {0};
	size_t size;

	assert_true(txn_run(txn, &err, "INSERT INTO thing VALUES(?, ?, ?)", "itb", INT64_C(7), "x",
	    "\0\1\2", (size_t)3));
	assert_equal(txn_changes(txn), 1);
	assert_true(txn_commit(&txn, &err));
	assert_true(txn == NULL);
	store_close(store);

	store = open_store("reopen");
	txn = store_begin(store);
	rows = txn_query(txn, &err, "SELECT id, name, data FROM thing WHERE name = ?", "t", "x");
	assert_true(rows && rows_next(rows));
	assert_equal(rows_i64(rows, 0), 7);
	assert_text(rows_text(rows, 1), "x");
	assert_true(!memcmp(rows_blob(rows, 2, &size), "\0\1\2", 3) && size == 3);
	assert_true(!rows_next(rows));
	rows_done(rows);
	txn_cancel(txn);
	store_close(store);
}

static void
leave_scope(struct store *store)
{
	auto_txn struct txn *txn = store_begin(store);

	assert_true(add(txn, 1, "left", NULL));
}

static void
leaving_the_scope_rolls_back(void)
{
	struct store *store = open_store("scope");

	leave_scope(store);

	assert_equal(count(store), 0);
	store_close(store);
}

static void
a_refused_statement_leaves_the_transaction_usable(void)
{
	struct store *store = open_store("refused");
	struct txn *txn = store_begin(store);
	struct err err = {0};

	assert_true(add(txn, 1, "a", &err));
	assert_true(!add(txn, 2, "a", &err));
	assert_equal(err.code, ERR_CONFLICT);
	assert_true(add(txn, 2, "b", &err));
	assert_true(txn_commit(&txn, &err));

	assert_equal(count(store), 2);
	store_close(store);
}

static void
the_same_query_may_be_open_twice(void)
{
	struct store *store = open_store("nested");
	struct txn *txn = store_begin(store);
	int pairs = 0;

	for (int64_t i = 0; i < 3; i++)
		assert_true(txn_run(txn, NULL, "INSERT INTO thing(id) VALUES(?)", "i", i));
	{
		auto_rows struct rows *outer = txn_query(txn, NULL, "SELECT id FROM thing", "");

		while (rows_next(outer)) {
			auto_rows struct rows *inner =
			    txn_query(txn, NULL, "SELECT id FROM thing", "");

			while (rows_next(inner))
				pairs++;
		}
	}
	assert_equal(pairs, 9);
	txn_cancel(txn);
	store_close(store);
}

static void
a_full_disk_is_a_refusal_and_nothing_is_stored(void)
{
	struct store *store = open_store("full");
	struct txn *txn = store_begin(store);
	struct err err = {0};
	char *big = xcalloc(1, 20000);
	bool is_stored = true;

	assert_true(add(txn, 1, "before", &err));
	assert_true(txn_commit(&txn, &err));
	txn = store_begin(store);
	assert_true(txn_run(txn, &err, "PRAGMA max_page_count = 20", ""));
	txn_cancel(txn);
	txn = store_begin(store);
	memset(big, 'x', 19999);
	for (int i = 2; i < 30 && is_stored; i++)
		is_stored = txn_run(txn, &err, "INSERT INTO thing(id, data) VALUES(?, ?)", "ib",
		    (int64_t)i, big, (size_t)20000);

	assert_true(!is_stored);
	assert_equal(err.code, ERR_UNAVAILABLE);
	/* SQLite has ended the transaction by itself: what follows must not be stored alone. */
	assert_true(!add(txn, 99, "after", &err));
	assert_true(!txn_commit(&txn, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	assert_equal(count(store), 1);
	free(big);
	store_close(store);
}

/* Fills the disk of a folder with a file; how much went in. */
static size_t
fill_disk(const char *path)
{
	static const char block[4096];
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	size_t size = 0;
	ssize_t written;

	while ((written = write(fd, block, sizeof(block))) > 0)
		size += (size_t)written;
	close(fd);
	return size;
}

static bool
add_big(struct store *store, int64_t id, struct err *err)
{
	static const char big[20000];
	auto_txn struct txn *txn = store_begin(store);

	return txn_run(txn, err, "INSERT INTO thing(id, data) VALUES(?, ?)", "ib", id, big,
		   sizeof(big)) &&
	       txn_commit(&txn, err);
}

static struct store *
open_with_ballast(const char *path)
{
	struct err err = {0};
	struct store *store = store_open(path, steps, 2, &err);

	child_must(store && store_keep_ballast(store, 1 << 20, &err), err.text);
	return store;
}

static void
delete_all(struct store *store)
{
	auto_txn struct txn *txn = store_begin(store);

	child_must(txn_run(txn, NULL, "DELETE FROM thing", "") && txn_commit(&txn, NULL),
	    "what frees room is stored");
}

static void
await_room(struct store *store)
{
	for (int ms = 0; !store_has_room(store) && ms < 20000; ms += 50)
		usleep(50000);
	child_must(store_has_room(store), "there is room again");
}

/* In the child: a disk of 4 MiB. */
static void
fill_and_free(void)
{
	const char *dir = test_dir();
	char path[300], full[300];
	struct store *store;
	struct err err = {0};
	int64_t id = 1;

	child_must(test_own_disk(dir, "4m"), "a disk of its own");
	snprintf(path, sizeof(path), "%s/s.db", dir);
	snprintf(full, sizeof(full), "%s/full", dir);
	store = open_with_ballast(path);
	for (; id < 6; id++)
		child_must(add_big(store, id, &err), err.text);
	child_must(fill_disk(full) > 0, "the disk is full");
	child_must(store_has_room(store), "nobody has met that yet");
	while (add_big(store, id, &err))
		id++;
	child_must(err.code == ERR_UNAVAILABLE, err.text);
	child_must(!store_has_room(store), "what adds is to be refused");
	delete_all(store);
	child_must(unlink(full) == 0, "somebody makes room");
	await_room(store);

	/* A program that starts on a full disk needs some of it, too. */
	child_must(fill_disk(full) > 0, "the disk is full again");
	store_close(store);
	store = open_with_ballast(path);
	delete_all(store);
	child_must(unlink(full) == 0, "somebody makes room again");
	await_room(store);
	child_must(add_big(store, id, &err), err.text);
	store_close(store);
	_exit(0);
}

static void
a_full_disk_leaves_room_to_free_things(void)
{
	CU_ASSERT_EQUAL(test_die_at(NULL, fill_and_free), 0);
}

static void
a_second_opening_is_refused(void)
{
	struct store *store = open_store("second");
	struct err err = {0};

	assert_true(!store_open(file("second"), steps, 2, &err));
	assert_equal(err.code, ERR_CONFLICT);
	store_close(store);
	store_close(open_store("second"));
}

static void
a_damaged_file_is_refused(void)
{
	FILE *out = fopen(file("damaged"), "we");
	struct err err = {0};

	assert_true(out != NULL);
	for (int i = 0; i < 5000; i++)
		fputc(i * 7 & 255, out);
	fclose(out);

	assert_true(!store_open(file("damaged"), steps, 2, &err));
	assert_equal(err.code, ERR_INTERNAL);
}

static void
migrations_run_once_and_a_newer_file_is_refused(void)
{
	struct err err = {0};
	struct store *store = store_open(file("steps"), steps, 1, &err);

	assert_true(store != NULL);
	store_close(store);
	store = store_open(file("steps"), steps, 2, &err);
	assert_true(store != NULL);
	store_close(store);
	assert_true(!store_open(file("steps"), steps, 1, &err));
	assert_equal(err.code, ERR_CONFLICT);
}

static void
a_migration_that_fails_leaves_the_version_before(void)
{
	const struct store_migration bad[] = {
	    steps[0], {"test", 2, "CREATE TABLE half(id INTEGER) STRICT; CREATE TABEL wrong()"}};
	struct err err = {0};
	struct store *store;

	assert_true(!store_open(file("bad"), bad, 2, &err));

	store = open_store("bad");
	{
		auto_txn struct txn *txn = store_begin(store);

		assert_true(!txn_query(txn, &err, "SELECT * FROM half", ""));
	}
	store_close(store);
}

static void
the_uuid_stays_with_the_file(void)
{
	struct store *store = open_store("uuid"), *other = open_store("uuid2");
	auto_free char *uuid = xstrdup(store_uuid(store));

	assert_equal(strlen(uuid), 32);
	assert_true(strcmp(uuid, store_uuid(other)) != 0);
	store_close(store);
	store_close(other);
	store = open_store("uuid");
	assert_text(store_uuid(store), uuid);
	store_close(store);
}

static void *
add_hundred(void *self)
{
	for (int i = 0; i < 100; i++) {
		auto_txn struct txn *txn = store_begin(self);

		if (!txn_run(txn, NULL, "INSERT INTO thing(name) VALUES(NULL)", "") ||
		    !txn_commit(&txn, NULL))
			abort();
	}
	return NULL;
}

static void
transactions_of_many_threads_do_not_mix(void)
{
	struct store *store = open_store("threads");
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_true(!pthread_create(&threads[i], NULL, add_hundred, store));
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);

	assert_equal(count(store), 400);
	store_close(store);
}

/* A child that is killed in the middle of a transaction after one commit. */
static void
a_killed_process_leaves_what_it_had_committed(void)
{
	int status;
	pid_t child = fork();
	struct store *store;

	if (!child) {
		struct txn *txn;

		store = store_open(file("killed"), steps, 2, NULL);
		txn = store_begin(store);
		if (!add(txn, 1, "kept", NULL) || !txn_commit(&txn, NULL))
			_exit(1);
		txn = store_begin(store);
		if (!add(txn, 2, "lost", NULL))
			_exit(1);
		raise(SIGKILL);
	}
	waitpid(child, &status, 0);
	assert_true(WIFSIGNALED(status));

	store = open_store("killed");
	assert_equal(count(store), 1);
	store_close(store);
}

static void
embedded_sql_is_the_text_of_the_file(void)
{
	size_t size;
	auto_free char *text = test_read("schemas/sql/manager/0001_rows.sql", &size);

	assert_text(embedded_sql, text);
}

static const struct test tests[] = {
    TEST(what_is_committed_is_there_after_reopening),
    TEST(leaving_the_scope_rolls_back),
    TEST(a_refused_statement_leaves_the_transaction_usable),
    TEST(the_same_query_may_be_open_twice),
    TEST(a_full_disk_is_a_refusal_and_nothing_is_stored),
    TEST(a_full_disk_leaves_room_to_free_things),
    TEST(a_second_opening_is_refused),
    TEST(a_damaged_file_is_refused),
    TEST(migrations_run_once_and_a_newer_file_is_refused),
    TEST(a_migration_that_fails_leaves_the_version_before),
    TEST(the_uuid_stays_with_the_file),
    TEST(transactions_of_many_threads_do_not_mix),
    TEST(a_killed_process_leaves_what_it_had_committed),
    TEST(embedded_sql_is_the_text_of_the_file),
};

suite_main("store", tests)
