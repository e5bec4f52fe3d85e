/*
 * More groups than managers are asked for at once: some wait for their turn.
 */
#include <stdio.h>
#include <string.h>

#include "lib/engine/controller.h"
#include "test/support/bench.h"
#include "test/support/suite.h"

/* A manager that answers nobody before the gate is open. */
static struct gate {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	bool is_open;
	int n_calls;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};

static bool
pass_gate(struct bench *bench, struct site *site, struct manager_call *call, struct err *err)
{
	(void)bench;
	pthread_mutex_lock(&gate.lock);
	gate.n_calls++;
	while (!gate.is_open)
		pthread_cond_wait(&gate.opened, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return bench_deliver(site, call, err);
}

static bool
is_gate_reached(void *self)
{
	struct gate *reached = self;
	bool is;

	pthread_mutex_lock(&reached->lock);
	is = reached->n_calls > 0;
	pthread_mutex_unlock(&reached->lock);
	return is;
}

static void
open_gate(void)
{
	pthread_mutex_lock(&gate.lock);
	gate.is_open = true;
	pthread_cond_broadcast(&gate.opened);
	pthread_mutex_unlock(&gate.lock);
}

enum { ROWS_EACH = 128, BEGUN = 8, LATER = 2, ALL = BEGUN + LATER };

static struct bench *
start(int capacity)
{
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/turn", test_dir());
	return bench_new(dir, capacity);
}

struct standing {
	struct bench *bench;
	int n_of[GROUP_GONE + 1];
};

static void
admit_large(struct bench *bench)
{
	struct txn *txn = store_begin(bench->store);

	for (int i = 0; i < ALL; i++) {
		struct controller_row rows[ROWS_EACH];
		char group[20];
		struct controller_admission admission = {
		    .group = group, .rows = rows, .n_rows = ROWS_EACH, .goal = ROW_COMMITTED};

		snprintf(group, sizeof(group), "g%d", i);
		for (int k = 0; k < ROWS_EACH; k++) {
			rows[k] = (struct controller_row){.manager = "site@0",
			    .kind = "unit",
			    .subject = "unit",
			    .spec = "units=1"};
			assert_true(controller_next_id(bench->controller, txn, &rows[k].rid, NULL));
		}
		assert_true(controller_admit(bench->controller, txn, &admission, NULL));
	}
	assert_true(txn_commit(&txn, NULL));
	controller_wake(bench->controller);
}

static void
count_states(struct standing *standing)
{
	memset(standing->n_of, 0, sizeof(standing->n_of));
	for (int i = 0; i < ALL; i++) {
		enum group_state state = GROUP_GONE;
		char group[20];

		snprintf(group, sizeof(group), "g%d", i);
		(void)controller_group(standing->bench->controller, NULL, group, &state);
		standing->n_of[state]++;
	}
}

static bool
has_given_up(void *self)
{
	struct standing *standing = self;

	count_states(standing);
	return standing->n_of[GROUP_RELEASING] == BEGUN;
}

static bool
is_all_at_rest(void *self)
{
	struct standing *standing = self;

	count_states(standing);
	return standing->n_of[GROUP_ACTIVE] + standing->n_of[GROUP_GONE] == ALL;
}

/* More than a thousand rows take long where everything does. */
static bool
in_time(bool (*holds)(void *self), void *self)
{
	for (int i = 0; i < 12; i++)
		if (eventually(holds, self))
			return true;
	return false;
}

/* All rows, page by page, each once. */
static size_t
count_rows(struct bench *bench)
{
	uint64_t after = 0;
	size_t n_all = 0, n;

	do {
		auto_arena struct arena *arena = arena_new();
		auto_txn struct txn *txn = store_begin(bench->store);
		const struct controller_row_state *rows;

		assert_true(controller_page(txn, after, arena, &rows, &n, NULL));
		for (size_t i = 0; i < n; i++) {
			assert_true(rows[i].row.rid > after);
			after = rows[i].row.rid;
		}
		n_all += n;
	} while (n);
	return n_all;
}

/* What its manager was asked for and does not come is given up; what had to wait for that is not.
 */
static void
a_group_that_waits_for_its_turn_is_not_late(void)
{
	struct standing standing = {.bench = start(ALL * ROWS_EACH)};

	standing.bench->transport = pass_gate;
	admit_large(standing.bench);
	assert_true(in_time(is_gate_reached, &gate));
	bench_pass_ms(standing.bench, 31000);
	assert_true(in_time(has_given_up, &standing));
	assert_equal(standing.n_of[GROUP_PENDING], LATER);
	assert_equal(count_rows(standing.bench), (size_t)ALL * ROWS_EACH);
	open_gate();

	assert_true(in_time(is_all_at_rest, &standing));
	assert_equal(standing.n_of[GROUP_ACTIVE], LATER);
	bench_free(standing.bench);
}

static const struct test tests[] = {
    TEST(a_group_that_waits_for_its_turn_is_not_late),
};

suite_main("controller_turn", tests)
