/*
 * Dying at every fault point of store and engine, at every passage: controller and two managers run
 * a small story in one process, which is killed there; all is opened again and must agree
 * (RELIABILITY.md §3.6). What outlives the process: the databases, the objects (files), and what
 * the user was told. Without VNODE_SWEEP=all only the first passages of each point are tried.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "test/support/bench.h"
#include "test/support/crash.h"
#include "test/support/suite.h"

enum { CAPACITY = 2, POINTS_MAX = 100, PASSAGES_DEFAULT = 4, PASSAGES_ALL = 1000 };

struct points {
	char names[POINTS_MAX][64];
	size_t n;
};

static const char *const groups[] = {"g1", "g2", "g3", "g4", "g5", "g6"};

enum { N_GROUPS = sizeof(groups) / sizeof(groups[0]) };

static char root[200];

/* What the user was told, or has asked for, in a file that outlives the process. */
static void
note(const char *group, const char *what)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/told-%s-%s", root, group, what);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || close(fd))
		abort();
}

static bool
was_noted(const char *group, const char *what)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/told-%s-%s", root, group, what);
	return access(path, F_OK) == 0;
}

static void
expect(struct bench *bench, const char *group, enum group_state state)
{
	if (!bench_await_passing(bench, group, state, 20)) {
		fprintf(stderr, "%s did not become %s\n", group, group_state_text(state));
		_exit(2);
	}
	note(group, group_state_text(state));
}

struct hold {
	struct bench *bench;
	uint64_t rid;
};

static bool
is_over(void *self)
{
	struct hold *hold = self;

	manager_wake(hold->bench->sites[0].manager);
	return !manager_has(hold->bench->sites[0].manager, hold->rid);
}

/* The controller is away for longer than a hold. */
static void
let_hold_end(struct bench *bench, uint64_t rid)
{
	bench_stop_controller(bench);
	bench->clock.ahead_ms += 121000;
	if (!eventually(is_over, &(struct hold){bench, rid}))
		_exit(2);
	bench_start_controller(bench);
}

/* What a group has goes, and what another one has comes in its place. */
static void
replace_rows(struct bench *bench, const char *group, const char *coming, const uint64_t *going)
{
	struct controller_parting parting = {group, "g6", going, N_SITES};
	struct txn *txn = store_begin(bench->store);

	note(coming, "release");
	if (!controller_part(bench->controller, txn, &parting, NULL) ||
	    !controller_merge(bench->controller, txn, coming, group, NULL) ||
	    !txn_commit(&txn, NULL))
		abort();
	expect(bench, parting.into, GROUP_GONE);
}

/*
 * The story: two groups fill the capacity, a third is refused, one gets a new attribute and is
 * released, so that the other can be given new rows in place of its own, and a fourth fits, which
 * is only reserved until its hold ends.
 */
static void
tell_story(void)
{
	struct bench *bench = bench_new(root, CAPACITY);
	uint64_t first[N_SITES], second[N_SITES], rids[N_SITES];
	struct txn *txn;

	bench_admit(bench, "g1", 1, ROW_COMMITTED, first);
	bench_admit(bench, "g2", 1, ROW_COMMITTED, second);
	expect(bench, "g1", GROUP_ACTIVE);
	expect(bench, "g2", GROUP_ACTIVE);
	bench_admit(bench, "g3", 1, ROW_COMMITTED, rids);
	expect(bench, "g3", GROUP_GONE);
	txn = store_begin(bench->store);
	if (!controller_set_attr(bench->controller, txn, first[0], "rate=2\n", NULL) ||
	    !txn_commit(&txn, NULL))
		abort();
	controller_wake(bench->controller);
	note("g1", "release");
	bench_goal(bench, "g1", ROW_RELEASED);
	world_put(&bench->sites[1].world, id_make(1, 999), ""); /* a stray */
	expect(bench, "g1", GROUP_GONE);
	bench_admit(bench, "g5", 1, ROW_COMMITTED, rids);
	expect(bench, "g5", GROUP_ACTIVE);
	replace_rows(bench, "g2", "g5", second);
	bench_admit(bench, "g4", 1, ROW_HELD, rids);
	expect(bench, "g4", GROUP_RESERVED);
	let_hold_end(bench, rids[0]);
	expect(bench, "g4", GROUP_GONE);
	bench_free(bench);
	bench_free(bench_new(root, CAPACITY));
	_exit(0);
}

static bool
is_at_rest(struct bench *bench)
{
	for (size_t i = 0; i < N_GROUPS; i++) {
		enum group_state state = GROUP_GONE;

		if (controller_group(bench->controller, NULL, groups[i], &state) &&
		    state != GROUP_ACTIVE && state != GROUP_RESERVED)
			return false;
	}
	return true;
}

/* What did not agree when it was looked at last. */
static char violation[200];

static bool
fail(const char *what, const char *about)
{
	snprintf(violation, sizeof(violation), "%s (%s)", what, about);
	return false;
}

/* The rows of a group that lives, each real; counts them. */
static bool
check_group(struct bench *bench, const char *group, int *n_active, uint64_t *lowest)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	enum group_state state;
	size_t n_rows;

	if (!controller_group(bench->controller, NULL, group, &state))
		return !was_noted(group, "active") || was_noted(group, "release") ||
		       fail("I2 accepted, but gone", group);
	if (was_noted(group, "gone"))
		return fail("I7 gone, but back", group);
	if (!controller_rows(bench->controller, NULL, group, arena, &rows, &n_rows))
		return fail("rows cannot be read", group);
	*n_active += state == GROUP_ACTIVE;
	for (size_t i = 0; i < n_rows; i++) {
		struct world *world = &bench->sites[i].world;

		if (rows[i].row.rid < *lowest)
			*lowest = rows[i].row.rid;
		if (state == GROUP_ACTIVE && !world_has(world, rows[i].row.rid))
			return fail("I2 active without its object", group);
		if (rows[i].want > rows[i].have)
			return fail("I4 not what it wants", group);
	}
	return true;
}

/* I3, I7: a manager holds no row but those that the controller has, or released ones. */
static bool
check_site(struct bench *bench, int at, int n_active)
{
	auto_arena struct arena *arena = arena_new();
	struct site *site = &bench->sites[at];
	struct manager_call status = {.arena = arena, .caller = {.owner = "test@ctl"}};
	auto_str struct str orphans = {0};
	char manager[20];

	snprintf(manager, sizeof(manager), "site@%d", at);
	if (!manager_status(site->manager, 0, &status, NULL))
		return fail("status", manager);
	for (size_t i = 0; i < status.n; i++)
		if (status.have[i].state != ROW_RELEASED &&
		    !controller_expects(bench->controller, manager, status.want[i].rid))
			return fail("I3 a row that nobody has", id_text(status.want[i].rid).text);
	if (!manager_orphans(site->manager, &orphans, NULL) || orphans.len)
		return fail("I3 rows and world", str_text(&orphans));
	if (world_count(&site->world) != n_active)
		return fail("I3 an object too many or too few", manager);
	if (site->world.is_overfull)
		return fail("I1 more than there is", manager);
	return true;
}

struct rest {
	struct bench *bench;
	uint64_t lowest; /* of the ids of groups that live */
};

/* Time goes on while it is looked at: a hold may end just now. So it is looked at until all agrees
 * at once, as it must in the end. */
static bool
agrees(void *self)
{
	struct rest *rest = self;
	struct bench *bench = rest->bench;
	int n_active = 0;

	rest->lowest = UINT64_MAX;
	bench_pass_ms(bench, 10);
	if (!is_at_rest(bench))
		return fail("I4 a group rests half-way", "");
	if (world_has(&bench->sites[1].world, id_make(1, 999)))
		return fail("I3 a stray stays", "");
	for (size_t i = 0; i < N_GROUPS; i++)
		if (!check_group(bench, groups[i], &n_active, &rest->lowest))
			return false;
	for (int i = 0; i < N_SITES; i++)
		if (!check_site(bench, i, n_active))
			return false;
	return true;
}

/* All that was given back can be given again, under new ids. */
static bool
can_begin_anew(const struct rest *rest)
{
	struct bench *bench = rest->bench;
	uint64_t fresh[N_SITES];

	for (size_t i = 0; i < N_GROUPS; i++) {
		enum group_state state;

		if (controller_group(bench->controller, NULL, groups[i], &state))
			bench_goal(bench, groups[i], ROW_RELEASED);
		if (!bench_await_passing(bench, groups[i], GROUP_GONE, 20))
			return fail("I4 it does not go", groups[i]);
	}
	bench_admit(bench, "new", CAPACITY, ROW_COMMITTED, fresh);
	if (!bench_await(bench, "new", GROUP_ACTIVE))
		return fail("I3 capacity leaked", bench->why.text);
	return rest->lowest == UINT64_MAX || fresh[0] > rest->lowest ||
	       fail("an id came back", id_text(fresh[0]).text);
}

/* After the crash: opens all, lets it come to rest, and looks. Exit code 0 when all is well. */
static void
check_after(void)
{
	struct rest rest = {.bench = bench_new(root, CAPACITY)};
	bool is_good = eventually(agrees, &rest) && can_begin_anew(&rest);

	if (!is_good)
		fprintf(stderr, "\n  violated: %s\n", violation);
	bench_free(rest.bench);
	_exit(is_good ? 0 : 1);
}

/* One run; true when the point was passed fewer times, so that the story ended. */
static bool
crash_at(const char *name, int passage)
{
	char crash[100];
	int status, after;

	snprintf(root, sizeof(root), "%s/run", test_dir());
	test_remove(root);
	snprintf(crash, sizeof(crash), "%s:%d", name, passage);
	status = test_die_at(crash, tell_story);
	after = test_die_at(NULL, check_after);
	if ((!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) && status != 0) {
		printf("\n  %s: the story failed (status %x)\n", crash, (unsigned)status);
		CU_FAIL("the story");
	}
	if (after != 0) {
		printf("\n  %s: what is left does not agree (status %x)\n", crash, (unsigned)after);
		CU_FAIL("the state after");
	}
	return status == 0;
}

static void
find_points(struct points *points, const char *dir, const char *file)
{
	static const char mark[] = "FAULT_POINT(\"";
	char path[300];
	size_t size;
	auto_free char *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	text = test_read(path, &size);
	for (char *at = text; (at = strstr(at, mark)) && points->n < POINTS_MAX; points->n++) {
		at += sizeof(mark) - 1;
		snprintf(points->names[points->n], sizeof(points->names[0]), "%.*s",
		    (int)strcspn(at, "\""), at);
	}
}

static struct points
all_points(void)
{
	static const char *const dirs[] = {"lib/store", "lib/engine", "test/support"};
	struct points points = {.n = 0};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		DIR *dir = opendir(dirs[i]);
		struct dirent *entry;

		assert_true(dir != NULL);
		while ((entry = readdir(dir)))
			if (strstr(entry->d_name, ".c"))
				find_points(&points, dirs[i], entry->d_name);
		closedir(dir);
	}
	return points;
}

static void
a_crash_anywhere_leaves_all_or_nothing(void)
{
	struct points points = all_points();
	const char *sweep = getenv("VNODE_SWEEP");
	int limit = sweep && !strcmp(sweep, "all") ? PASSAGES_ALL : PASSAGES_DEFAULT, n_crashes = 0;

	assert_true(points.n > 20);
	for (size_t i = 0; i < points.n; i++) {
		int passage = 1;

		while (passage <= limit && !crash_at(points.names[i], passage))
			passage++;
		n_crashes += passage - 1;
		if (sweep)
			printf("\n  %s: %d crashes", points.names[i], passage - 1);
	}
	printf("\n  %zu points, %d crashes\n", points.n, n_crashes);
	CU_ASSERT_TRUE(n_crashes > 60);
}

static const struct test tests[] = {
    TEST(a_crash_anywhere_leaves_all_or_nothing),
};

suite_main("engine_crash", tests)
