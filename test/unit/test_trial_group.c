/*
 * A group that kills its controller when it is stepped: it is given up; or, when that kills, too,
 * left as it stands. The controllers are children that die.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/store/trial.h"
#include "test/support/bench.h"
#include "test/support/crash.h"
#include "test/support/suite.h"

enum { CAPACITY = 4, LIVES_MAX = 12 };

static const char *story;
static bool kills_always;

static void
kill_of_bad(struct bench *bench, struct txn *txn, const char *group, enum group_state state)
{
	(void)bench, (void)txn;
	if (!strcmp(group, "bad") && (state == GROUP_COMMITTING || kills_always))
		raise(SIGKILL);
}

static struct bench *
open_bench(bool is_deadly)
{
	char dir[160];
	struct bench *bench;

	snprintf(dir, sizeof(dir), "%s/%s", test_dir(), story);
	bench = bench_make(dir, CAPACITY);
	bench->changed = is_deadly ? kill_of_bad : NULL;
	for (int i = 0; i < N_SITES; i++)
		site_start(bench, &bench->sites[i]);
	bench_start_controller(bench);
	return bench;
}

static void
want(struct bench *bench, const char *group)
{
	enum group_state state;
	uint64_t rids[N_SITES];

	if (!controller_group(bench->controller, NULL, group, &state))
		bench_admit(bench, group, 1, ROW_COMMITTED, rids);
}

static bool
is_set_aside(void *self)
{
	struct bench *bench = self;
	auto_arena struct arena *arena = arena_new();
	size_t n;
	const char **names = controller_set_aside(bench->controller, arena, &n);

	return n == 1 && !strcmp(names[0], "bad");
}

static void
live(void)
{
	struct bench *bench = open_bench(true);
	char mark[200];

	/* Both are there from the first life on, and are wanted once. */
	snprintf(mark, sizeof(mark), "%s/%s/wanted", test_dir(), story);
	if (mkdir(mark, 0700) == 0) {
		want(bench, "good");
		want(bench, "bad");
	}
	child_must(bench_await(bench, "good", GROUP_ACTIVE), "the other is active");
	if (kills_always) {
		child_must(eventually(is_set_aside, bench), "it is left as it stands");
	} else {
		child_must(bench_await(bench, "bad", GROUP_GONE), "it is gone");
		child_must(bench->why.code == ERR_O07, bench->why.text);
	}
	bench_free(bench);
	_exit(0);
}

static int
count_deaths(void)
{
	int n = 0, status = 1;

	(void)test_dir();
	while (n < LIVES_MAX && (status = test_die_at(NULL, live)) && WIFSIGNALED(status) &&
	       WTERMSIG(status) == SIGKILL)
		n++;
	CU_ASSERT_EQUAL(status, 0);
	return n;
}

static void
a_group_that_kills_is_given_up_and_the_others_stand(void)
{
	struct bench *bench;
	enum group_state state;

	story = "once";
	CU_ASSERT_EQUAL(count_deaths(), TRIAL_ALONE);
	bench = open_bench(true);
	assert_true(bench_await(bench, "good", GROUP_ACTIVE));
	CU_ASSERT_FALSE(controller_group(bench->controller, NULL, "bad", &state));
	/* Its name is free, and nothing is held against it. */
	bench->changed = NULL;
	want(bench, "bad");
	assert_true(bench_await(bench, "bad", GROUP_ACTIVE));
	bench_free(bench);
}

static void
one_that_kills_even_so_is_left_until_it_is_tried_again(void)
{
	struct bench *bench;

	story = "always";
	kills_always = true;
	CU_ASSERT_EQUAL(count_deaths(), 2 * TRIAL_ALONE);
	bench = open_bench(false);
	assert_true(bench_await(bench, "good", GROUP_ACTIVE));
	assert_true(is_set_aside(bench));
	CU_ASSERT_TRUE(controller_retry(bench->controller) > 0);
	CU_ASSERT_FALSE(is_set_aside(bench));
	assert_true(bench_await(bench, "bad", GROUP_ACTIVE));
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(a_group_that_kills_is_given_up_and_the_others_stand),
    TEST(one_that_kills_even_so_is_left_until_it_is_tried_again),
};

suite_main("trial_group", tests)
