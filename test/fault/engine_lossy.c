/*
 * A wire that loses, doubles, delays and reorders between a controller and two managers, many
 * groups that overlap on little capacity, holds that run out, both sides restarted in between. A
 * seed makes a schedule; VNODE_SEEDS says how many are tried.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "test/support/bench.h"
#include "test/support/suite.h"

enum { CAPACITY = 3, N_GROUPS = 12, SEEDS_DEFAULT = 12, LATE_MAX = 64 };

/* A call that is delivered once more, later, when nobody waits for its answer. */
struct late_call {
	struct site *site;
	struct arena *arena;
	struct manager_call call;
};

struct wire {
	pthread_mutex_t lock;
	unsigned seed;
	atomic_bool is_good; /* faults have stopped */
	struct late_call late[LATE_MAX];
	size_t n_late;
	atomic_int n_lost, n_doubled, n_delivered_late;
};

static unsigned
dice(struct wire *wire, unsigned sides)
{
	unsigned value;

	pthread_mutex_lock(&wire->lock);
	wire->seed = wire->seed * 1103515245U + 12345U;
	value = (wire->seed >> 16) % sides;
	pthread_mutex_unlock(&wire->lock);
	return value;
}

static void
copy_call(struct late_call *late, struct site *site, const struct manager_call *call)
{
	struct row_want *want;

	late->site = site;
	late->arena = arena_new();
	late->call = *call;
	want = arena_alloc(late->arena, call->n * sizeof(*want));
	for (size_t i = 0; i < call->n; i++) {
		want[i] = call->want[i];
		want[i].kind = arena_text(late->arena, want[i].kind);
		want[i].spec = arena_text(late->arena, want[i].spec);
		want[i].attr = arena_text(late->arena, want[i].attr);
	}
	late->call.want = want;
	late->call.have = arena_alloc(late->arena, call->n * sizeof(struct row_have));
	late->call.arena = late->arena;
	late->call.caller.deadline_ms = 0;
}

static void
keep_late(struct wire *wire, struct site *site, const struct manager_call *call)
{
	pthread_mutex_lock(&wire->lock);
	if (wire->n_late < LATE_MAX)
		copy_call(&wire->late[wire->n_late++], site, call);
	pthread_mutex_unlock(&wire->lock);
}

/* Delivers one of the late calls, whichever. */
static void
deliver_late(struct wire *wire)
{
	unsigned which = dice(wire, LATE_MAX);
	struct late_call late;

	pthread_mutex_lock(&wire->lock);
	if (which >= wire->n_late) {
		pthread_mutex_unlock(&wire->lock);
		return;
	}
	late = wire->late[which];
	wire->late[which] = wire->late[--wire->n_late];
	wire->n_delivered_late++;
	pthread_mutex_unlock(&wire->lock);
	(void)!bench_deliver(late.site, &late.call, NULL);
	arena_free(late.arena);
}

static bool
lossy(struct bench *bench, struct site *site, struct manager_call *call, struct err *err)
{
	struct wire *wire = bench->self;

	if (wire->is_good)
		return bench_deliver(site, call, err);
	call->caller.deadline_ms = 50;
	if (dice(wire, 3) == 0)
		keep_late(wire, site, call);
	deliver_late(wire);
	if (dice(wire, 4) == 0) {
		wire->n_lost++;
		return err_set(err, ERR_TIMEOUT, "the request is lost");
	}
	if (dice(wire, 4) == 0) {
		wire->n_doubled++;
		(void)!bench_deliver(site, call, err);
	}
	if (!bench_deliver(site, call, err))
		return false;
	return dice(wire, 4) != 0 || err_set(err, ERR_TIMEOUT, "the answer is lost");
}

static bool
has_group(struct bench *bench, int at)
{
	enum group_state state;
	char name[20];

	snprintf(name, sizeof(name), "g%d", at);
	return controller_group(bench->controller, NULL, name, &state);
}

static bool
is_quiet(void *self)
{
	struct bench *bench = self;

	bench_pass_ms(bench, 50);
	for (int i = 0; i < N_GROUPS; i++) {
		enum group_state state = GROUP_GONE;
		char name[20];

		snprintf(name, sizeof(name), "g%d", i);
		if (controller_group(bench->controller, NULL, name, &state) &&
		    state != GROUP_ACTIVE && state != GROUP_RESERVED)
			return false;
	}
	return true;
}

static void
act(struct bench *bench, struct wire *wire)
{
	int at = (int)dice(wire, N_GROUPS);
	uint64_t rids[N_SITES];
	char name[20];

	snprintf(name, sizeof(name), "g%d", at);
	switch (dice(wire, 8)) {
	case 0:
	case 1:
	case 2:
	case 3:
		if (!has_group(bench, at))
			bench_admit(bench, name, 1 + (int)dice(wire, 2),
			    dice(wire, 3) ? ROW_COMMITTED : ROW_HELD, rids);
		break;
	case 4:
	case 5: {
		auto_txn struct txn *txn = store_begin(bench->store);

		if (controller_goal(bench->controller, txn, name,
			dice(wire, 2) ? ROW_RELEASED : ROW_COMMITTED, NULL))
			(void)!txn_commit(&txn, NULL);
		controller_wake(bench->controller);
		break;
	}
	case 6:
		bench_pass_ms(bench, (int64_t)dice(wire, 40) * 1000);
		break;
	default:
		bench_stop_controller(bench);
		if (dice(wire, 2)) {
			struct site *site = &bench->sites[dice(wire, N_SITES)];

			site_stop(site);
			site_start(bench, site);
		}
		bench_start_controller(bench);
	}
}

static int
count_active(struct bench *bench)
{
	int n = 0;

	for (int i = 0; i < N_GROUPS; i++) {
		enum group_state state;
		char name[20];

		snprintf(name, sizeof(name), "g%d", i);
		n += controller_group(bench->controller, NULL, name, &state) &&
		     state == GROUP_ACTIVE;
	}
	return n;
}

static void
check(struct bench *bench, unsigned seed)
{
	int n_active = count_active(bench);

	for (int i = 0; i < N_SITES; i++) {
		auto_str struct str orphans = {0};

		CU_ASSERT_TRUE(manager_orphans(bench->sites[i].manager, &orphans, NULL));
		CU_ASSERT_STRING_EQUAL(str_text(&orphans), "");
		CU_ASSERT_FALSE(bench->sites[i].world.is_overfull);
		CU_ASSERT_EQUAL(world_count(&bench->sites[i].world), n_active);
		if (orphans.len || world_count(&bench->sites[i].world) != n_active)
			printf("\n  seed %u, site %d: %d active, %d objects\n%s", seed, i, n_active,
			    world_count(&bench->sites[i].world), str_text(&orphans));
	}
}

static void
release_all(struct bench *bench)
{
	uint64_t rids[N_SITES];

	for (int i = 0; i < N_GROUPS; i++) {
		char name[20];

		snprintf(name, sizeof(name), "g%d", i);
		if (has_group(bench, i))
			bench_goal(bench, name, ROW_RELEASED);
	}
	for (int i = 0; i < N_GROUPS; i++) {
		char name[20];

		snprintf(name, sizeof(name), "g%d", i);
		CU_ASSERT_TRUE(bench_await_passing(bench, name, GROUP_GONE, 50));
	}
	bench_admit(bench, "all", CAPACITY, ROW_COMMITTED, rids);
	CU_ASSERT_TRUE(bench_await_passing(bench, "all", GROUP_ACTIVE, 20));
}

static void
run_schedule(unsigned seed)
{
	struct wire wire = {.seed = seed};
	struct bench *bench;
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/%u", test_dir(), seed);
	pthread_mutex_init(&wire.lock, NULL);
	bench = bench_new(dir, CAPACITY);
	bench->self = &wire;
	bench->transport = lossy;
	for (int i = 0; i < 60; i++) {
		act(bench, &wire);
		bench_pass_ms(bench, 200);
		deliver_late(&wire);
	}
	wire.is_good = true;
	CU_ASSERT_TRUE(eventually(is_quiet, bench));
	while (wire.n_late) /* what was sent long ago still arrives */
		deliver_late(&wire);
	CU_ASSERT_TRUE(eventually(is_quiet, bench));
	check(bench, seed);
	release_all(bench);
	if (getenv("VNODE_SEEDS"))
		printf("\n  seed %u: lost %d doubled %d late %d", seed, (int)wire.n_lost,
		    (int)wire.n_doubled, (int)wire.n_delivered_late);
	bench_free(bench);
	pthread_mutex_destroy(&wire.lock);
}

static void
lost_doubled_late_and_reordered_calls_do_no_harm(void)
{
	const char *seeds = getenv("VNODE_SEEDS");
	long n_seeds = seeds ? strtol(seeds, NULL, 10) : SEEDS_DEFAULT;

	log_set_level(LOG_LEVEL_ERROR);
	for (long seed = 1; seed <= n_seeds; seed++)
		run_schedule((unsigned)seed);
}

static const struct test tests[] = {
    TEST(lost_doubled_late_and_reordered_calls_do_no_harm),
};

suite_main("engine_lossy", tests)
