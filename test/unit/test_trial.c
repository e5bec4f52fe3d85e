/*
 * What kills its daemon is found, set aside and tried again; what was only there as well is not.
 * The daemons are children that die.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store/trial.h"
#include "test/support/crash.h"
#include "test/support/stand.h"
#include "test/support/suite.h"

enum { EXIT_DISK = 74, BAD = 1003, GOOD = 1001, N_GOOD = 2, LIVES_MAX = 12, CAPACITY = 4 };

static const struct store_migration no_tables[] = {{"test", 1, "CREATE TABLE t(x INTEGER) STRICT"}};

/* ---- the record alone ------------------------------------------------------------------------ */

/* A life that dies while it is at these. */
static const char *const *at_these;
static bool is_ending;

static struct store *
open_store(const char *name)
{
	auto_str struct str path = {0};
	struct err err = {0};
	struct store *store;

	str_addf(&path, "%s/%s.db", test_dir(), name);
	store = store_open(path.text, no_tables, 1, &err);
	child_must(store != NULL, err.text);
	return store;
}

static void
die_at_these(void)
{
	struct trial *trial = trial_open(open_store("record"), "rows");

	for (size_t i = 0; at_these[i]; i++) {
		struct trial_of of = {.name = at_these[i], .version = 7};

		child_must(trial_begin(trial, &of, NULL), "it may be tried");
	}
	if (is_ending)
		trial_stop(trial);
	raise(SIGKILL);
}

static void
die_of_the_disk(void)
{
	struct store *store = open_store("record");
	struct trial *trial = trial_open(store, "rows");
	struct trial_of of = {.name = at_these[0], .version = 7};
	struct rlimit none = {0, 0};
	struct txn *txn = store_begin(store);

	child_must(trial_begin(trial, &of, NULL), "it may be tried");
	signal(SIGXFSZ, SIG_IGN);
	child_must(!setrlimit(RLIMIT_FSIZE, &none), "no file may grow");
	if (txn_run(txn, NULL, "INSERT INTO t(x) VALUES(1)", "") && txn_commit(&txn, NULL))
		child_must(false, "the disk does not fail");
}

static void
die(size_t times, void (*body)(void), const char *const *names)
{
	(void)test_dir(); /* the children's, too */
	at_these = names;
	while (times--) {
		int status = test_die_at(NULL, body);

		CU_ASSERT_TRUE(body == die_at_these
				   ? WIFSIGNALED(status)
				   : WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DISK);
	}
}

/* May it be tried, just now; why not. */
static enum err_code
ask(const char *name, int64_t version)
{
	struct store *store = open_store("record");
	struct trial *trial = trial_open(store, "rows");
	struct trial_of of = {.name = name, .version = version};
	struct err err = {0};

	if (trial_begin(trial, &of, &err))
		trial_end(trial, &of, false);
	trial_close(trial);
	store_close(store);
	return err.code;
}

static void
forget(void)
{
	struct store *store = open_store("record");
	struct trial *trial = trial_open(store, "rows");

	(void)trial_forget(trial);
	trial_close(trial);
	store_close(store);
}

static void
what_kills_alone_is_set_aside_until_it_is_another(void)
{
	const char *const names[] = {"a", NULL};

	die(TRIAL_ALONE - 1, die_at_these, names);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_NONE);
	die(1, die_at_these, names);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_O07);
	CU_ASSERT_EQUAL(ask("a", 8), ERR_NONE);
	CU_ASSERT_EQUAL(ask("b", 7), ERR_NONE);
	forget();
	CU_ASSERT_EQUAL(ask("a", 7), ERR_NONE);
}

static void
who_was_only_there_is_tried_alone_and_cleared(void)
{
	const char *const names[] = {"a", "b", NULL};
	struct store *store;
	struct trial *trial;
	struct trial_of a = {.name = "a", .version = 7}, b = {.name = "b", .version = 7},
			c = {.name = "c", .version = 7, .is_prompt = true};
	struct err err = {0};

	forget();
	die(TRIAL_COMPANY, die_at_these, names);
	store = open_store("record");
	trial = trial_open(store, "rows");
	assert_true(trial_begin(trial, &a, &err));
	b.is_prompt = true; /* so it does not wait for a */
	CU_ASSERT_FALSE(trial_begin(trial, &b, &err));
	CU_ASSERT_EQUAL(err.code, ERR_WAIT);
	assert_true(trial_begin(trial, &c, &err));
	trial_end(trial, &c, true);
	trial_end(trial, &a, true);
	/* It came back: nothing is known against it. The other is still to be alone. */
	a.is_prompt = true;
	assert_true(trial_begin(trial, &a, &err));
	CU_ASSERT_FALSE(trial_begin(trial, &b, &err));
	trial_end(trial, &a, true);
	assert_true(trial_begin(trial, &b, &err));
	trial_end(trial, &b, false);
	trial_close(trial);
	store_close(store);
}

static void
no_death_counts_that_was_decided_on(void)
{
	const char *const names[] = {"a", NULL};

	forget();
	is_ending = true;
	die(TRIAL_ALONE, die_at_these, names);
	is_ending = false;
	die(TRIAL_ALONE, die_of_the_disk, names);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_NONE);
	die(TRIAL_ALONE, die_at_these, names);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_O07);
}

/* As if it were of another boot, or of another version of the program. */
static void
what_another_version_died_of_is_tried_again(void)
{
	const char *const names[] = {"a", NULL};
	auto_str struct str path = {0};
	int fd;

	forget();
	die(TRIAL_ALONE, die_at_these, names);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_O07);
	str_addf(&path, "%s/record.db.rows", test_dir());
	fd = open(path.text, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0 && pwrite(fd, "x", 1, (off_t)strlen("trials 1 ")) == 1);
	close(fd);
	CU_ASSERT_EQUAL(ask("a", 7), ERR_NONE);
}

/* ---- a manager ------------------------------------------------------------------------------- */

/* What the rows of a life do; it is told in the folder, which outlives it. */
static enum row_state kills_in;
static const char *story;

static void
kill_of_bad(const struct row *row)
{
	if (row->rid == BAD && row->state == kills_in)
		raise(SIGKILL);
	if (row->state == ROW_COMMITTED) /* so that they are there together */
		usleep(20 * 1000);
}

static struct stand *
live(void)
{
	struct stand *stand = stand_make(story, CAPACITY);

	stand->world.poison = kill_of_bad; /* before there are workers */
	stand_open(stand);
	return stand;
}

static bool
is_settled(void *self)
{
	struct stand *stand = self;
	struct row_have have;

	for (uint64_t rid = GOOD; rid < GOOD + N_GOOD; rid++)
		if (!stand_commit(stand, rid, "", 1).is_real)
			return false;
	if (kills_in == ROW_HELD)
		have = stand_reserve(stand, BAD, "units=1");
	else if (kills_in == ROW_COMMITTED)
		have = stand_commit(stand, BAD, "", 1);
	else
		have = stand_release(stand, BAD);
	return have.why.code == ERR_O07;
}

/* A life: it wants them all, and ends well when it is told that one will not be. */
static void
want_all(void)
{
	struct stand *stand = live();

	stand->deadline_ms = 100;
	for (uint64_t rid = GOOD; rid < GOOD + N_GOOD; rid++)
		(void)stand_reserve(stand, rid, "units=1");
	(void)stand_reserve(stand, BAD, "units=1");
	if (kills_in == ROW_RELEASED)
		(void)stand_commit(stand, BAD, "", 1);
	child_must(eventually(is_settled, stand), "all but one are there");
	stand_free(stand);
	_exit(0);
}

static int
count_deaths(void (*life)(void))
{
	int n = 0, status = 1;

	(void)test_dir();
	while (n < LIVES_MAX && (status = test_die_at(NULL, life)) && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL)
		n++;
	CU_ASSERT_EQUAL(status, 0);
	return n;
}

static void
a_row_that_kills_is_set_aside_and_the_others_go_on(void)
{
	struct stand *stand;
	int n;

	story = "ensure";
	kills_in = ROW_COMMITTED;
	n = count_deaths(want_all);
	CU_ASSERT_TRUE(n >= TRIAL_ALONE && n <= TRIAL_COMPANY + TRIAL_ALONE);
	/* It can be released as any other. */
	stand = live();
	assert_true(stand_release(stand, BAD).is_real);
	CU_ASSERT_EQUAL(world_count(&stand->world), N_GOOD);
	stand_free(stand);
}

static void
a_row_that_kills_before_it_is_held_is_refused(void)
{
	struct stand *stand;

	story = "admit";
	kills_in = ROW_HELD;
	CU_ASSERT_TRUE(count_deaths(want_all) >= TRIAL_ALONE);
	stand = live();
	CU_ASSERT_EQUAL(stand_reserve(stand, BAD, "units=1").why.code, ERR_O07);
	CU_ASSERT_EQUAL(stand_reserve(stand, BAD + 1, "units=1").why.code, ERR_NONE);
	stand_free(stand);
}

static void
what_cannot_be_removed_stays_charged_until_it_is_tried_again(void)
{
	auto_str struct str orphans = {0};
	struct stand *stand;
	int n;

	story = "remove";
	kills_in = ROW_RELEASED;
	n = count_deaths(want_all);
	CU_ASSERT_TRUE(n >= TRIAL_ALONE && n <= TRIAL_COMPANY + TRIAL_ALONE);
	stand = live();
	CU_ASSERT_EQUAL(stand_reserve(stand, 1010, "units=2").why.code, ERR_CAPACITY);
	assert_true(manager_orphans(stand->manager, &orphans, NULL));
	CU_ASSERT_PTR_NOT_NULL(strstr(str_text(&orphans), "vnode host retry"));
	/* A daemon that does not die of it. */
	stand->world.poison = NULL;
	CU_ASSERT_EQUAL(manager_retry(stand->manager), 1);
	assert_true(stand_release(stand, BAD).is_real);
	CU_ASSERT_EQUAL(stand_reserve(stand, 1010, "units=2").why.code, ERR_NONE);
	stand_free(stand);
}

static const struct test tests[] = {
    TEST(what_kills_alone_is_set_aside_until_it_is_another),
    TEST(who_was_only_there_is_tried_alone_and_cleared),
    TEST(no_death_counts_that_was_decided_on),
    TEST(what_another_version_died_of_is_tried_again),
    TEST(a_row_that_kills_is_set_aside_and_the_others_go_on),
    TEST(a_row_that_kills_before_it_is_held_is_refused),
    TEST(what_cannot_be_removed_stays_charged_until_it_is_tried_again),
};

suite_main("trial", tests)
