/*
 * The engine of both sides in the simulator: one controller, two managers with little room, groups
 * that overlap; calls lost, doubled, late and out of order; nodes killed anywhere and losing power,
 * disks that fail or are full, hosts that are away, stand still or are evicted, clocks that jump. A
 * seed makes a schedule. What must hold is RELIABILITY.md §3.6, I1 to I7.
 *
 * VNODE_SEEDS=N tries N seeds, VNODE_SEED=S only this one, and tells its story; VNODE_STOP=1 ends
 * at the first failure. Without
 * VNODE_SWEEP=all only a sample of the single faults is tried.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "test/support/crash.h"
#include "test/support/sim.h"
#include "test/support/sim_user.h"
#include "test/support/suite.h"

enum {
	CAPACITY = 3,
	N_STEPS = 70,
	KILLS_MIN = 17,
	SEEDS_DEFAULT = 100,
	RESTORE_EVERY = 2, /* schedules, whose controller is put back in the end */
	SAMPLE_EVERY = 12, /* no multiple of what recurs in the story */
	CHILD_S = 60,
	FAILURES_MAX = 5, /* enough to see what is wrong */
	STORY_SEED = 1,
	POISON_SEED = 1000 * 1000, /* from here on some rows kill */
	POISON_PART = 4,           /* of so many seeds one more */
	NEVER_REACHED = 42,        /* exit code: the fault did not come to pass */
	CRASHES_MIN = 300,
	DISK_ERRORS_MIN = 500
};

/* What goes wrong in the story: the at-th passage or call of a node. */
struct single_fault {
	int node;
	bool is_disk, is_hard;
	int64_t at;
};

/* VNODE_STOP=1: the first that fails is the last. */
static long
failures_max(void)
{
	return getenv("VNODE_STOP") ? 1 : FAILURES_MAX;
}

/* What has happened in all schedules; shared with the children. */
static struct total {
	atomic_llong kills, disk_errors, full_disks, calls, lost, doubled, late, set_aside;
} * total;

/* A schedule that runs in a child. */
struct schedule {
	unsigned seed;
	pid_t child; /* 0 = none */
};

/* What a site has to make or to remove cannot be, until it can. */
static void
fail_effects(int at)
{
	struct world *world = &sim_site.bench->sites[at].world;
	bool is_over = world->ensure_code || world->remove_code;

	world->ensure_code = is_over || sim_dice(2) ? ERR_NONE : ERR_UNAVAILABLE;
	world->remove_code = is_over || sim_dice(2) ? ERR_NONE : ERR_INTERNAL;
	if (sim_site.rebooted_ms[at])
		sim_site.rebooted_ms[at] = sim_now_ms();
	sim_tell("effects: ensure %d, remove %d\n", world->ensure_code, world->remove_code);
}

static void
disturb(void)
{
	int node = (int)sim_dice(N_SITES + 1);
	struct sim_faults *faults = sim_faults_of(node);

	switch (sim_dice(10)) {
	case 0:
		faults->is_disk_full = !faults->is_disk_full;
		sim_tell("disk of node %d %s\n", node, faults->is_disk_full ? "full" : "has room");
		break;
	case 1:
		sim_site.bench->clock.ahead_ms += (long long)sim_dice(200) * 1000;
		sim_tell("clock jumps\n");
		break;
	case 2:
		sim_pause(node, (int64_t)sim_dice(60) * 1000);
		sim_tell("node %d stands still\n", node);
		break;
	case 3:
		faults->io_error_at = 1 + (int64_t)sim_dice(60);
		faults->is_hard = sim_dice(2) == 0;
		break;
	case 4:
		faults->crash_at = 1 + (int64_t)sim_dice(40);
		faults->is_hard = sim_dice(4) == 0;
		break;
	case 5:
		sim_lose_objects((int)sim_dice(N_SITES));
		sim_tell("objects vanish\n");
		break;
	case 6:
		fail_effects((int)sim_dice(N_SITES));
		break;
	case 7:
		world_put(&sim_site.bench->sites[sim_dice(N_SITES)].world,
		    1 + sim_dice(SIM_STRAYS_END - 1), "");
		break;
	case 8:
		sim_evict((int)sim_dice(N_SITES));
		break;
	default:
		if (node != NODE_CONTROLLER)
			sim_site.bench->sites[node - NODE_SITES].is_cut ^= true;
		sim_tell("node %d cut or back\n", node);
	}
}

static void
act(void)
{
	struct sim_slot *slot = &sim_slots[sim_dice(SIM_SLOTS)];

	for (int i = 0; i < N_SITES; i++)
		if (sim_site.is_evicted[i] && !sim_dice(8))
			(void)sim_readmit(i);
	switch (sim_dice(12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		sim_admit(slot);
		break;
	case 4:
	case 5:
		sim_set_goal(slot, WISH_RELEASE);
		break;
	case 6:
		sim_set_goal(slot, WISH_RUN);
		break;
	case 7:
		sim_set_attr(slot);
		break;
	case 8:
	case 9:
		sim_strike((int)sim_dice(N_SITES + 1));
		break;
	default:
		disturb();
	}
}

static void
release_all(void)
{
	auto_txn struct txn *txn = store_begin(sim_site.bench->store);

	if (!txn_run(txn, NULL, "UPDATE controller_group SET goal = 3", "") ||
	    !txn_commit(&txn, NULL))
		sim_violated("nothing can be released", "");
	for (int i = 0; i < SIM_SLOTS; i++)
		sim_slots[i].is_release_asked = true;
	sim_strike(NODE_CONTROLLER); /* the next one reads what to do */
}

/* The books are older than the world: that is noticed, and what they lack is given back. */
static void
check_restored(void)
{
	uint64_t highest = sim_highest_counter(), rids[N_SITES];
	bool is_noticed = sim_restore();

	sim_come_to_rest();
	for (int i = 0; i < N_SITES; i++) {
		sim_check_site(i);
		if (!sim_readmit(i)) /* by the books it was evicted then */
			sim_violated("I3 it is back, and not readmitted", "");
	}
	if (!bench_try_admit(sim_site.bench, "new", CAPACITY, ROW_HELD, rids, NULL))
		sim_violated("nothing can be admitted", "");
	if (is_noticed && id_counter(rids[0]) <= highest)
		sim_violated("an id's counter came back", id_text(rids[0]).text);
	sim_come_to_rest();
}

static void
check_end(bool is_restored)
{
	uint64_t rids[N_SITES];

	for (int i = 0; i < SIM_SLOTS; i++)
		if (sim_slots[i].generation)
			sim_check_slot(&sim_slots[i]);
	for (int i = 0; i < N_SITES; i++)
		sim_check_site(i);
	for (int i = 0; i < N_SITES; i++)
		if (sim_site.is_evicted[i] && !sim_readmit(i))
			sim_violated("I3 it is back, and not readmitted", "");
	if (is_restored)
		check_restored();
	/* All that was given can be given again. */
	release_all();
	sim_come_to_rest();
	for (int i = 0; i < N_SITES; i++)
		sim_check_site(i);
	if (!bench_try_admit(sim_site.bench, "all", CAPACITY, ROW_HELD, rids, NULL))
		sim_violated("nothing can be admitted", "");
	sim_come_to_rest();
	if (sim_count_groups("SELECT count(*) FROM controller_group WHERE state = 1") != 1)
		sim_violated(
		    "I3 room has leaked, or a hold was not kept", sim_site.bench->why.text);
	bench_goal(sim_site.bench, "all", ROW_COMMITTED);
	sim_come_to_rest();
	if (sim_count_groups("SELECT count(*) FROM controller_group WHERE state = 3") != 1)
		sim_violated("I3 room has leaked", sim_site.bench->why.text);
	sim_check_rows(1);
}

static void
add_total(void)
{
	total->kills += sim_counts.kills;
	total->disk_errors += sim_counts.io_errors;
	total->full_disks += sim_counts.full_disks;
	total->calls += sim_site.wire.n_calls;
	total->lost += sim_site.wire.n_lost;
	total->doubled += sim_site.wire.n_doubled;
	total->late += sim_site.wire.n_late;
}

static void
run_schedule(unsigned seed)
{
	sim_site_begin(seed, CAPACITY);
	if (seed >= POISON_SEED)
		sim_poison();
	sim_pass_ms(SIM_REST_MS);
	for (int i = 0; i < N_STEPS || sim_counts.kills < KILLS_MIN; i++) {
		act();
		if (i == N_STEPS - N_STEPS / 4)
			sim_disk_back_up(NODE_CONTROLLER);
		sim_supervise(false);
		sim_sleep_ms((int64_t)sim_dice(3000));
		sim_look(&sim_slots[sim_dice(SIM_SLOTS)]);
	}
	sim_calm_down();
	if (seed >= POISON_SEED)
		total->set_aside += (long long)sim_cure();
	sim_come_to_rest();
	check_end(seed % RESTORE_EVERY == 0);
	if (sim_site.is_told)
		printf(
		    "  kills %lld, disk errors %lld, full %lld, calls %ld, lost %ld, doubled %ld, "
		    "late %ld, switches %lld, %lld s\n",
		    (long long)sim_counts.kills, (long long)sim_counts.io_errors,
		    (long long)sim_counts.full_disks, sim_site.wire.n_calls, sim_site.wire.n_lost,
		    sim_site.wire.n_doubled, sim_site.wire.n_late, (long long)sim_counts.switches,
		    (long long)sim_now_ms() / 1000);
	fflush(stdout);
	add_total();
	sim_end(0);
}

/*
 * A short life in which one thing fails: the room is filled, somebody is refused, an attribute
 * changes, a reservation is run, another one loses its holds while the controller is away, a site
 * comes back without its database, another one is given up and comes back.
 */
static void
run_story(const struct single_fault *fault)
{
	struct sim_slot *slots = sim_slots;
	struct sim_faults *faults = sim_faults_of(fault->node), kept;

	sim_site_begin(STORY_SEED, CAPACITY);
	sim_site.wire.is_good = true;
	*(fault->is_disk ? &faults->io_error_at : &faults->crash_at) = fault->at;
	faults->is_hard = fault->is_hard;
	sim_pass_ms(3 * SIM_REST_MS);
	for (int i = 0; i < 4; i++)
		sim_admit(&slots[i]);
	sim_pass_ms(3 * SIM_REST_MS);
	sim_set_attr(&slots[0]);
	sim_set_goal(&slots[1], WISH_RELEASE);
	sim_pass_ms(3 * SIM_REST_MS);
	for (int i = 1; i < 6; i++)
		sim_admit(&slots[i]);
	sim_pass_ms(3 * SIM_REST_MS);
	sim_set_goal(&slots[3], WISH_RUN);
	sim_set_attr(&slots[0]);
	sim_pause(NODE_CONTROLLER, 130 * SIM_REST_MS);
	sim_pass_ms(140 * SIM_REST_MS);
	kept = *faults; /* what is still to come may come to its next life */
	sim_lose_database(1);
	*faults = kept;
	sim_pass_ms(20 * SIM_REST_MS);
	sim_evict(0);
	sim_set_goal(&slots[4], WISH_RELEASE);
	sim_pass_ms(5 * SIM_REST_MS);
	(void)sim_readmit(0);
	sim_pass_ms(5 * SIM_REST_MS);
	if (faults->crash_at || faults->io_error_at)
		sim_end(NEVER_REACHED);
	sim_come_to_rest();
	check_end(false);
	sim_end(0);
}

/* Begins one simulation: of a seed, or of the story with one fault. */
static pid_t
simulate(unsigned seed, const struct single_fault *fault)
{
	pid_t child = test_fork(CHILD_S);

	if (!child) {
		if (fault)
			run_story(fault);
		run_schedule(seed);
	}
	return child;
}

/* Waits for the end of one of the schedules, which is over then. */
static bool
one_survives(struct schedule *schedules, size_t n)
{
	int status;
	pid_t child = test_wait(-1, &status);

	for (size_t i = 0; i < n; i++) {
		if (schedules[i].child != child)
			continue;
		schedules[i].child = 0;
		if (status != 0)
			printf("  seed %u failed (status %x): VNODE_SEED=%u tells its story\n",
			    schedules[i].seed, (unsigned)status, schedules[i].seed);
	}
	return status == 0;
}

static struct schedule *
free_place(struct schedule *schedules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!schedules[i].child)
			return &schedules[i];
	return NULL;
}

/* As many at a time as there are processors. */
static long
run_schedules(long first, long n)
{
	long n_processors = sysconf(_SC_NPROCESSORS_ONLN), n_failed = 0, n_running = 0;
	size_t n_places = n_processors < 1 ? 1 : (size_t)n_processors;
	struct schedule *schedules = xcalloc(n_places, sizeof(*schedules));

	for (long seed = first; seed < first + n || n_running;) {
		struct schedule *place = free_place(schedules, n_places);

		if (place && seed < first + n && n_failed < failures_max()) {
			place->seed = (unsigned)seed++;
			place->child = simulate(place->seed, NULL);
			n_running++;
		} else if (n_running) {
			n_failed += !one_survives(schedules, n_places);
			n_running--;
		} else {
			break;
		}
	}
	free(schedules);
	return n_failed;
}

static void
survive(long first, long n)
{
	const char *one = getenv("VNODE_SEED");
	long n_failed;

	if (one) {
		first = strtol(one, NULL, 10);
		n = 1;
	}
	total =
	    mmap(NULL, sizeof(*total), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(total != MAP_FAILED);
	n_failed = run_schedules(first, n);
	printf(
	    "\n  %ld schedules, %ld failed: kills %lld, disk errors %lld, full %lld, calls %lld, "
	    "lost %lld, doubled %lld, late %lld, set aside %lld\n",
	    n, n_failed, total->kills, total->disk_errors, total->full_disks, total->calls,
	    total->lost, total->doubled, total->late, total->set_aside);
	CU_ASSERT_EQUAL(n_failed, 0);
	CU_ASSERT_TRUE(n_failed || total->kills >= n * KILLS_MIN);
	CU_ASSERT_TRUE(n_failed || (total->set_aside > 0) == (first >= POISON_SEED));
	munmap(total, sizeof(*total));
}

static long
n_seeds(void)
{
	const char *seeds = getenv("VNODE_SEEDS");

	return seeds ? strtol(seeds, NULL, 10) : SEEDS_DEFAULT;
}

static void
whatever_happens_nothing_is_lost_or_leaked(void)
{
	survive(1, n_seeds());
}

static void
rows_that_kill_take_nobody_with_them(void)
{
	survive(POISON_SEED, n_seeds() / POISON_PART + 1);
}

static bool
is_sweep(void)
{
	const char *sweep = getenv("VNODE_SWEEP");

	return sweep && !strcmp(sweep, "all");
}

/*
 * The passages of a fault point, or the calls of the disk, of one node; returns how many it tried.
 * A sample begins at another one for each node.
 */
static int64_t
fail_each(int node, bool is_disk, bool is_hard)
{
	int64_t step = is_sweep() ? 1 : SAMPLE_EVERY, n = 0;
	int64_t first = is_sweep() ? 1 : 1 + 2 * node + is_hard;

	for (int64_t at = first, n_failed = 0; n_failed < failures_max(); at += step, n++) {
		struct single_fault fault = {node, is_disk, is_hard, at};
		int status;

		(void)test_wait(simulate(0, &fault), &status);
		if (WIFEXITED(status) && WEXITSTATUS(status) == NEVER_REACHED)
			break;
		if (status == 0)
			continue;
		printf("  node %d, %s%s %lld failed (status %x)\n", node, is_hard ? "hard, " : "",
		    is_disk ? "call of the disk" : "fault point", (long long)at, (unsigned)status);
		CU_FAIL("the story with one fault");
		n_failed++;
	}
	return n;
}

static void
a_crash_at_any_point_is_survived(void)
{
	int64_t n = 0;

	for (int node = 0; node <= N_SITES; node++)
		n += fail_each(node, false, false) + fail_each(node, false, true);
	printf("\n  %lld crashes\n", (long long)n);
	CU_ASSERT_TRUE(n > (is_sweep() ? CRASHES_MIN : CRASHES_MIN / SAMPLE_EVERY));
}

static void
an_error_of_any_call_of_the_disk_is_survived(void)
{
	int64_t n = 0;

	for (int node = 0; node <= N_SITES; node++)
		n += fail_each(node, true, false) + fail_each(node, true, true);
	printf("\n  %lld disk errors\n", (long long)n);
	CU_ASSERT_TRUE(n > (is_sweep() ? DISK_ERRORS_MIN : DISK_ERRORS_MIN / SAMPLE_EVERY));
}

static const struct test tests[] = {
    TEST(a_crash_at_any_point_is_survived),
    TEST(an_error_of_any_call_of_the_disk_is_survived),
    TEST(whatever_happens_nothing_is_lost_or_leaked),
    TEST(rows_that_kill_take_nobody_with_them),
};

suite_main("engine_sim", tests)
