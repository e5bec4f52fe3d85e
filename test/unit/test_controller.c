/*
 * The controller against two real managers whose worlds are folders; calls are function calls.
 */
#include "lib/engine/controller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/controller_step.h"
#include "test/support/suite.h"
#include "test/support/world.h"

enum { N_SITES = 2 };

/* One manager with its world; `is_cut`: nobody reaches it. */
struct site {
	char path[200];
	struct world world;
	struct store *store;
	struct manager *manager;
	atomic_bool is_cut;
	atomic_int n_calls;
};

struct bench {
	char dir[160];
	struct test_clock clock;
	struct site sites[N_SITES];
	struct store *store;
	struct controller *controller;
	struct err why; /* of the last state that a group took */
	char group[20]; /* waited for */
	enum group_state wanted;
};

static void site_start(struct bench *bench, struct site *site);
static void site_stop(struct site *site);

static const char *const site_names[N_SITES] = {"site@0", "site@1"};

static bool
bench_call(void *self, const char *manager, struct manager_call *call, struct err *err)
{
	struct bench *bench = self;
	struct site *site = &bench->sites[manager[5] - '0'];

	site->n_calls++;
	if (site->is_cut)
		return err_set(err, ERR_UNAVAILABLE, "the wire is cut");
	call->caller.owner = "test@ctl";
	return manager_call(site->manager, call, err);
}

static void
bench_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why)
{
	struct bench *bench = self;

	(void)txn, (void)group, (void)state;
	if (why->code != ERR_NONE)
		bench->why = *why;
}

static void
bench_start(struct bench *bench)
{
	struct controller_config config = {.clock = &bench->clock.clock,
	    .self = bench,
	    .call = bench_call,
	    .changed = bench_changed,
	    .n_workers = 8};
	struct err err = {0};
	char path[200];

	snprintf(path, sizeof(path), "%s/controller.db", bench->dir);
	bench->store = store_open(path, controller_migrations, n_controller_migrations, &err);
	assert_text(err.text, "");
	config.store = bench->store;
	bench->controller = controller_new(&config, &err);
	assert_text(err.text, "");
}

static void
bench_stop(struct bench *bench)
{
	controller_free(bench->controller);
	store_close(bench->store);
}

static struct bench *
bench_new(const char *name, int capacity)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	char command[200];

	snprintf(bench->dir, sizeof(bench->dir), "%s/%s", test_dir(), name);
	snprintf(command, sizeof(command), "%s", bench->dir);
	test_clock_init(&bench->clock);
	world_init(&(struct world){0}, bench->dir, 0);
	for (int i = 0; i < N_SITES; i++) {
		struct site *site = &bench->sites[i];
		char dir[200];

		snprintf(dir, sizeof(dir), "%s/world%d", bench->dir, i);
		snprintf(site->path, sizeof(site->path), "%s/site%d.db", bench->dir, i);
		world_init(&site->world, dir, capacity);
		site_start(bench, site);
	}
	bench_start(bench);
	return bench;
}

static void
bench_free(struct bench *bench)
{
	bench_stop(bench);
	for (int i = 0; i < N_SITES; i++)
		site_stop(&bench->sites[i]);
	free(bench);
}

static void
site_start(struct bench *bench, struct site *site)
{
	struct manager_config config = {.clock = &bench->clock.clock};
	struct manager_kind kind;
	struct err err = {0};

	site->store = store_open(site->path, manager_migrations, n_manager_migrations, &err);
	assert_text(err.text, "");
	config.store = site->store;
	world_config(&site->world, &kind, &config);
	site->manager = manager_new(&config, &err);
	assert_text(err.text, "");
}

static void
site_stop(struct site *site)
{
	manager_free(site->manager);
	store_close(site->store);
}

static bool
in_state(void *self)
{
	struct bench *bench = self;
	enum group_state state;

	if (!controller_group(bench->controller, NULL, bench->group, &state))
		return bench->wanted == GROUP_GONE;
	return state == bench->wanted;
}

static void
await(struct bench *bench, const char *group, enum group_state state)
{
	snprintf(bench->group, sizeof(bench->group), "%s", group);
	bench->wanted = state;
	assert_true(eventually(in_state, bench));
}

/* A group with one row at each site; row 1's attributes refer to what row 0 was answered. */
static void
admit_for(struct bench *bench, const char *group, const char *units, enum row_state goal,
    uint64_t rids[N_SITES])
{
	struct controller_row rows[N_SITES];
	char spec[20], attr[60];
	struct err err = {0};
	auto_txn struct txn *txn = store_begin(bench->store);

	snprintf(spec, sizeof(spec), "units=%s", units);
	for (int i = 0; i < N_SITES; i++)
		assert_true(controller_next_id(bench->controller, txn, &rids[i], &err));
	snprintf(attr, sizeof(attr), "peer=${%s.name}\n", id_text(rids[0]).text);
	for (int i = 0; i < N_SITES; i++)
		rows[i] = (struct controller_row){.rid = rids[i],
		    .manager = site_names[i],
		    .kind = "unit",
		    .subject = i ? "unit b" : "unit a",
		    .spec = spec,
		    .attr = i ? attr : ""};
	assert_true(controller_admit(bench->controller, txn,
	    &(struct controller_admission){
		.group = group, .rows = rows, .n_rows = N_SITES, .goal = goal},
	    &err));
	assert_true(txn_commit(&txn, &err));
	controller_wake(bench->controller);
}

static void
go_for(struct bench *bench, const char *group, enum row_state goal)
{
	auto_txn struct txn *txn = store_begin(bench->store);
	struct err err = {0};

	assert_true(controller_goal(bench->controller, txn, group, goal, &err));
	assert_true(txn_commit(&txn, &err));
	controller_wake(bench->controller);
}

static void
a_group_becomes_active_and_gone(void)
{
	struct bench *bench = bench_new("happy", 4);
	uint64_t rids[N_SITES];
	auto_free char *attr = NULL;
	char wanted[60];

	admit_for(bench, "g1", "2", ROW_COMMITTED, rids);
	await(bench, "g1", GROUP_ACTIVE);

	assert_true(world_has(&bench->sites[0].world, rids[0]));
	snprintf(wanted, sizeof(wanted), "peer=u%s\n", id_text(rids[0]).text);
	attr = world_attr(&bench->sites[1].world, rids[1]);
	assert_text(attr, wanted);

	go_for(bench, "g1", ROW_RELEASED);
	await(bench, "g1", GROUP_GONE);

	assert_equal(world_count(&bench->sites[0].world), 0);
	assert_equal(world_count(&bench->sites[1].world), 0);
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(a_group_becomes_active_and_gone),
};

suite_main("controller", tests)
