/*
 * Turns at long searches: so many at a time, the first first, and an answer in time when there are
 * too many.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "snc/turns.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"
#include "test/support/world.h"

enum { LONG_MS = 600 * 1000, N_CALLERS = 8 };

struct crowd {
	struct turns *turns;
	atomic_int n_waiting, n_inside, n_most, n_served;
};

static void *
come(void *self)
{
	struct crowd *crowd = self;
	struct err err;
	int now;

	crowd->n_waiting++;
	assert_true(turns_take(crowd->turns, &err));
	now = ++crowd->n_inside;
	for (int most = crowd->n_most; now > most;)
		if (atomic_compare_exchange_weak(&crowd->n_most, &most, now))
			break;
	usleep(1000);
	crowd->n_inside--;
	crowd->n_served++;
	turns_give(crowd->turns);
	return NULL;
}

static void
only_so_many_are_served_at_a_time_and_all_in_the_end(void)
{
	struct crowd crowd = {.turns = turns_new(2, LONG_MS)};
	pthread_t threads[N_CALLERS];

	for (int i = 0; i < N_CALLERS; i++)
		assert_equal(pthread_create(&threads[i], NULL, come, &crowd), 0);
	for (int i = 0; i < N_CALLERS; i++)
		pthread_join(threads[i], NULL);
	assert_equal(crowd.n_served, N_CALLERS);
	assert_true(crowd.n_most <= 2);
	turns_free(crowd.turns);
}

static void
who_waits_too_long_is_told_so_and_leaves_the_queue(void)
{
	struct turns *turns = turns_new(1, 20);
	struct err err = {0};

	assert_true(turns_take(turns, &err));
	assert_true(!turns_take(turns, &err));
	assert_equal(err.code, ERR_BUSY);
	assert_text(err.hint, "try again");
	turns_give(turns);
	assert_true(turns_take(turns, &err));
	turns_give(turns);
	turns_free(turns);
}

static bool
all_wait(void *self)
{
	struct crowd *crowd = self;

	return crowd->n_waiting == 2;
}

static void
a_turn_that_is_given_goes_to_who_waits(void)
{
	struct crowd crowd = {.turns = turns_new(1, LONG_MS)};
	pthread_t threads[2];
	struct err err;

	assert_true(turns_take(crowd.turns, &err));
	for (int i = 0; i < 2; i++)
		assert_equal(pthread_create(&threads[i], NULL, come, &crowd), 0);
	assert_true(eventually(all_wait, &crowd));
	assert_equal(crowd.n_served, 0);
	turns_give(crowd.turns);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_equal(crowd.n_served, 2);
	turns_free(crowd.turns);
}

/* All turns are taken by searches of others: who wants one is sent away, who creates is not. */
static void
searches_of_others_keep_nobody_from_creating(void)
{
	struct fake_site *site = fake_site_new();
	const char *small = site_document(site->arena, "small", "node a : p\n");
	const char *large = site_document(site->arena, "large", "node a cpu=5 : p\n");
	struct snc_slice_find_slot_result slot;
	struct snc_slice_check_result checked;
	struct err err = {0};

	turns_free(site->snc->searches);
	site->snc->searches = turns_new(0, 10);
	assert_true(!snc_slice_find_slot_call(&site->developer, site->arena,
	    &(struct snc_slice_find_slot_args){.document = {small, strlen(small)}}, &slot, &err));
	assert_equal(err.code, ERR_BUSY);
	assert_true(!snc_slice_check_call(&site->developer, site->arena,
	    &(struct snc_slice_check_args){.document = {large, strlen(large)}}, &checked, &err));
	assert_equal(err.code, ERR_BUSY);
	assert_true(snc_slice_check_call(&site->developer, site->arena,
	    &(struct snc_slice_check_args){.document = {small, strlen(small)}}, &checked, &err));
	assert_true(checked.feasible);
	(void)fake_create(site, small, "RESERVED");
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(only_so_many_are_served_at_a_time_and_all_in_the_end),
    TEST(who_waits_too_long_is_told_so_and_leaves_the_queue),
    TEST(a_turn_that_is_given_goes_to_who_waits),
    TEST(searches_of_others_keep_nobody_from_creating),
};

suite_main("turns", tests)
