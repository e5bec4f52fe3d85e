/*
 * What is changed is not kept waiting by what is merely due: one worker, held up in a look. And who
 * is looked at when only one row has reason.
 */
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/engine/manager.h"
#include "test/support/suite.h"
#include "test/support/world.h"

enum { ROWS = 6, LOOK_MS = 1000 };

struct desk {
	struct test_clock clock;
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool is_shut;   /* looks wait */
	int held_up;    /* the rid of the first look that waits; 0 = none does */
	int look_ms;    /* 0 = LOOK_MS */
	struct str log; /* since it was shut: "look RID" and "make RID REV", a line each */
	struct store *store;
	struct manager *manager;
	struct arena *arena;
};

static bool
look(void *self, const struct row *row, struct err *err)
{
	struct desk *desk = self;

	(void)err;
	pthread_mutex_lock(&desk->lock);
	str_addf(&desk->log, "look %d\n", (int)row->rid);
	if (desk->is_shut && !desk->held_up)
		desk->held_up = (int)row->rid;
	while (desk->is_shut)
		pthread_cond_wait(&desk->opened, &desk->lock);
	pthread_mutex_unlock(&desk->lock);
	return true;
}

static bool
make(void *self, const struct row *row, struct err *err)
{
	struct desk *desk = self;

	(void)err;
	pthread_mutex_lock(&desk->lock);
	str_addf(&desk->log, "make %d %d\n", (int)row->rid, (int)row->rev);
	pthread_mutex_unlock(&desk->lock);
	return true;
}

static void
desk_open(struct desk *desk)
{
	struct manager_kind kind = {
	    .name = "unit", .self = desk, .ensure = make, .remove = make, .is_there = look};
	struct manager_config config = {.clock = &desk->clock.clock,
	    .kinds = &kind,
	    .n_kinds = 1,
	    .n_workers = 1,
	    .look_ms = desk->look_ms ? desk->look_ms : LOOK_MS};
	auto_str struct str path = {0};
	struct err err = {0};

	test_clock_init(&desk->clock);
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->opened, NULL);
	desk->arena = arena_new();
	str_addf(&path, "%s/hurry.db", test_dir());
	desk->store = store_open(path.text, manager_migrations, n_manager_migrations, &err);
	assert_text(err.text, "");
	config.store = desk->store;
	desk->manager = manager_new(&config, &err);
	assert_text(err.text, "");
}

static void
desk_close(struct desk *desk)
{
	manager_free(desk->manager);
	store_close(desk->store);
	arena_free(desk->arena);
	str_done(&desk->log);
	pthread_cond_destroy(&desk->opened);
	pthread_mutex_destroy(&desk->lock);
}

static struct row_have
call(struct desk *desk, enum verb verb, const struct row_want *want, int deadline_ms)
{
	struct row_have have;
	struct manager_call call = {
	    .caller = {.owner = "snc@ctl", .epoch = 1, .deadline_ms = deadline_ms},
	    .verb = verb,
	    .want = want,
	    .n = 1,
	    .have = &have,
	    .arena = desk->arena,
	};

	assert_true(manager_call(desk->manager, &call, NULL));
	return have;
}

static struct row_have
commit(struct desk *desk, int rid, int rev, int deadline_ms)
{
	struct row_want want = {.rid = (uint64_t)rid, .attr = "", .rev = rev};

	return call(desk, VERB_COMMIT, &want, deadline_ms);
}

static bool
is_held_up(void *self)
{
	struct desk *desk = self;
	bool is;

	pthread_mutex_lock(&desk->lock);
	is = desk->held_up != 0;
	pthread_mutex_unlock(&desk->lock);
	return is;
}

/* From now on looks wait, and all rows are due. */
static void
shut(struct desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->is_shut = true;
	pthread_mutex_unlock(&desk->lock);
	desk->clock.ahead_ms += INT64_C(2) * LOOK_MS;
	manager_wake(desk->manager);
	assert_true(eventually(is_held_up, desk));
	pthread_mutex_lock(&desk->lock);
	str_clear(&desk->log);
	pthread_mutex_unlock(&desk->lock);
}

static void
open_again(struct desk *desk)
{
	pthread_mutex_lock(&desk->lock);
	desk->is_shut = false;
	pthread_cond_broadcast(&desk->opened);
	pthread_mutex_unlock(&desk->lock);
}

/* What is changed is made in the order in which it came, before any row that is due. */
static void
a_change_goes_before_all_looks(void)
{
	struct desk desk = {0};
	struct row_want want = {.kind = "unit", .spec = ""};
	auto_str struct str log = {0}, changes = {0};
	int first, second; /* others than the one that is held up */

	desk_open(&desk);
	for (want.rid = 1; want.rid <= ROWS; want.rid++) {
		(void)call(&desk, VERB_RESERVE, &want, 0);
		assert_true(commit(&desk, (int)want.rid, 1, 5000).is_real);
	}
	shut(&desk);
	first = (desk.held_up + 1) % ROWS + 1;
	second = desk.held_up % ROWS + 1;
	assert_true(!commit(&desk, first, 2, 0).is_real);
	assert_true(!commit(&desk, second, 2, 0).is_real);
	open_again(&desk);
	assert_true(commit(&desk, first, 2, 5000).is_real);
	assert_true(commit(&desk, second, 2, 5000).is_real);
	pthread_mutex_lock(&desk.lock);
	str_add(&log, str_text(&desk.log));
	pthread_mutex_unlock(&desk.lock);
	str_addf(&changes, "make %d 2\nmake %d 2\n", first, second);
	assert_true(!strncmp(str_text(&log), str_text(&changes), changes.len));
	desk_close(&desk);
}

static bool
has_looked(void *self)
{
	struct desk *desk = self;
	bool has;

	pthread_mutex_lock(&desk->lock);
	has = desk->log.len != 0;
	pthread_mutex_unlock(&desk->lock);
	return has;
}

/* Nobody would look for weeks. */
static void
what_concerns_one_row_has_that_one_looked_at(void)
{
	struct desk desk = {.look_ms = INT32_MAX};
	struct row_want want = {.kind = "unit", .spec = ""};

	desk_open(&desk);
	for (want.rid = 1; want.rid <= ROWS; want.rid++) {
		(void)call(&desk, VERB_RESERVE, &want, 0);
		assert_true(commit(&desk, (int)want.rid, 1, 5000).is_real);
	}
	pthread_mutex_lock(&desk.lock);
	str_clear(&desk.log);
	pthread_mutex_unlock(&desk.lock);
	manager_wake_row(desk.manager, ROWS + 1);
	manager_wake_row(desk.manager, 3);

	assert_true(eventually(has_looked, &desk));
	pthread_mutex_lock(&desk.lock);
	assert_text(str_text(&desk.log), "look 3\n");
	pthread_mutex_unlock(&desk.lock);
	desk_close(&desk);
}

static const struct test tests[] = {
    TEST(what_concerns_one_row_has_that_one_looked_at),
    TEST(a_change_goes_before_all_looks),
};

suite_main("manager_hurry", tests)
