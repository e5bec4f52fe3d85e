/*
 * The store in the simulator: writers and readers of one file, whose power fails at any moment, in
 * the middle of a sync, too, and whose disk fails. Each commit adds the next number; so what is
 * left is right if and only if it has no holes and nothing is missing that somebody was told of, by
 * a commit or by reading.
 *
 * VNODE_SEEDS=N tries N seeds, VNODE_SEED=S only this one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/store/store.h"
#include "test/support/crash.h"
#include "test/support/sim.h"
#include "test/support/suite.h"

enum {
	NODE,
	WRITERS = 6,
	READERS = 2,
	LIVES = 12,
	LIFE_MS = 3000,
	IO_CALLS = 2000,  /* in a life, or so */
	BIG = 600 * 1000, /* of these few make a log long enough to be copied */
	SEEDS_DEFAULT = 15,
	CHILD_S = 60,
	FAILURES_MAX = 5
};

static const struct store_migration steps[] = {{"test", 1,
    "CREATE TABLE number(id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE big(id INTEGER PRIMARY KEY, data BLOB) STRICT"}};

/* What outlives the node. */
static struct {
	char path[200];
	struct store *store;
	int64_t told; /* the highest number that anybody has heard of */
	int64_t n_commits, n_reads;
} world;

static void
tell(int64_t number)
{
	if (number > world.told)
		world.told = number;
}

static bool
read_numbers(struct txn *txn, int64_t *highest, int64_t *n)
{
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT coalesce(max(id), 0), count(*) FROM number", "");

	if (!rows || !rows_next(rows))
		return false;
	*highest = rows_i64(rows, 0);
	*n = rows_i64(rows, 1);
	return true;
}

static bool
add_number(struct txn *txn, int64_t number)
{
	if (sim_dice(8) == 0 &&
	    !txn_run(txn, NULL, "INSERT OR REPLACE INTO big(id, data) VALUES(1, zeroblob(?))", "i",
		(int64_t)BIG))
		return false;
	return txn_run(txn, NULL, "INSERT INTO number(id) VALUES(?)", "i", number);
}

static void
write_on(void *self)
{
	(void)self;
	for (;;) {
		auto_txn struct txn *txn = store_begin(world.store);
		int64_t highest, n;

		if (read_numbers(txn, &highest, &n) && add_number(txn, highest + 1) &&
		    txn_commit(&txn, NULL)) {
			tell(highest + 1);
			world.n_commits++;
		}
		txn_cancel(take(txn));
		sim_sleep_ms((int64_t)sim_dice(30));
	}
}

static void
read_on(void *self)
{
	(void)self;
	for (;;) {
		struct txn *txn = store_begin(world.store);
		int64_t highest = 0, n;
		bool is_read = read_numbers(txn, &highest, &n);

		txn_cancel(txn);
		if (is_read)
			tell(highest);
		world.n_reads += is_read;
		sim_sleep_ms((int64_t)sim_dice(30));
	}
}

static void
ignore(void *self, enum log_level level, const char *line)
{
	(void)self, (void)level, (void)line;
}

static void
violated(const char *what, long long number)
{
	printf("\n  at %lld ms: violated: %s (%lld, told %lld)\n", (long long)sim_now_ms(), what,
	    number, (long long)world.told);
	fflush(stdout);
	sim_end(1);
}

static void
check(struct store *store)
{
	struct txn *txn = store_begin(store);
	int64_t highest, n;

	if (!read_numbers(txn, &highest, &n))
		violated("it cannot be read", 0);
	txn_cancel(txn);
	if (highest != n)
		violated("there is a hole", n);
	if (highest < world.told)
		violated("what was told is lost", highest);
}

/* In the node: opens what is left, looks at it, and goes on. */
static void
live(void *self)
{
	(void)self;
	world.store = store_open(world.path, steps, 1, NULL);
	if (!world.store)
		violated("it cannot be opened", 0);
	check(world.store);
	if (sim_dice(2))
		sim_faults_of(NODE)->io_error_at = 1 + sim_dice(IO_CALLS);
	for (int i = 0; i < WRITERS; i++)
		sim_spawn(NODE, write_on, NULL);
	for (int i = 0; i < READERS; i++)
		sim_spawn(NODE, read_on, NULL);
}

static void
run(unsigned seed)
{
	sim_begin(seed);
	sim_disk_owner("store.db", NODE);
	log_set_sink(ignore, NULL);
	snprintf(world.path, sizeof(world.path), "%s/%u-store.db", test_dir(), seed);
	for (int i = 0; i < LIVES; i++) {
		sim_spawn(NODE, live, NULL);
		sim_sleep_ms(LIFE_MS / 2 + sim_dice(LIFE_MS));
		sim_kill(NODE, sim_dice(4) != 0);
	}
	if (world.n_commits < LIVES || world.n_reads < LIVES)
		violated("nothing happens", world.n_commits);
	if (getenv("VNODE_SEED"))
		printf("  %lld commits, %lld reads, %lld s\n", (long long)world.n_commits,
		    (long long)world.n_reads, (long long)sim_now_ms() / 1000);
	fflush(stdout);
	sim_end(0);
}

static bool
survives(unsigned seed)
{
	int status;
	pid_t child = test_fork(CHILD_S);

	if (!child)
		run(seed);
	(void)test_wait(child, &status);
	if (status != 0)
		printf("  seed %u failed (status %x)\n", seed, (unsigned)status);
	return status == 0;
}

static void
what_was_told_outlives_a_power_failure(void)
{
	const char *seeds = getenv("VNODE_SEEDS"), *one = getenv("VNODE_SEED");
	long first = one ? strtol(one, NULL, 10) : 1;
	long n = one ? 1 : seeds ? strtol(seeds, NULL, 10) : SEEDS_DEFAULT;
	long n_failed = 0;

	for (long seed = first; seed < first + n && n_failed < FAILURES_MAX; seed++)
		n_failed += !survives((unsigned)seed);
	printf("\n  %ld schedules, %ld failed\n", n, n_failed);
	CU_ASSERT_EQUAL(n_failed, 0);
}

static const struct test tests[] = {
    TEST(what_was_told_outlives_a_power_failure),
};

suite_main("store_sim", tests)
