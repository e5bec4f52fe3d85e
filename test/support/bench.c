/*
 * Controller and managers side by side.
 */
#include "test/support/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"

struct awaited {
	struct bench *bench;
	const char *group;
	enum group_state state;
	int64_t step_ms; /* by which the clock moves at each look */
};

static const char *const site_names[N_SITES] = {"site@0", "site@1"};

static void
must(bool is_done, const struct err *err)
{
	if (is_done)
		return;
	fprintf(stderr, "bench: %s\n", err->text);
	abort();
}

static bool
call_site(void *self, const char *manager, struct manager_call *call, struct err *err)
{
	struct bench *bench = self;
	struct site *site = &bench->sites[manager[5] - '0'];

	site->n_calls++;
	if (site->is_cut)
		return err_set(err, ERR_UNAVAILABLE, "the wire is cut");
	if (bench->transport)
		return bench->transport(bench, site, call, err);
	return bench_deliver(site, call, err);
}

static bool
ask_site(
    void *self, const char *manager, uint64_t after, struct manager_call *call, struct err *err)
{
	struct bench *bench = self;
	struct site *site = &bench->sites[manager[5] - '0'];

	if (site->is_cut)
		return err_set(err, ERR_UNAVAILABLE, "the wire is cut");
	call->caller.owner = "test@ctl";
	return manager_status(site->manager, after, call, err);
}

static void
note_change(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why)
{
	struct bench *bench = self;

	if (bench->changed)
		bench->changed(bench, txn, group, state);
	if (why->code == ERR_NONE)
		return;
	pthread_mutex_lock(&bench->lock);
	bench->why = *why;
	pthread_mutex_unlock(&bench->lock);
}

static bool
is_in_state(void *self)
{
	struct awaited *awaited = self;
	enum group_state state;

	if (awaited->step_ms)
		bench_pass_ms(awaited->bench, awaited->step_ms);
	if (!controller_group(awaited->bench->controller, NULL, awaited->group, &state))
		return awaited->state == GROUP_GONE;
	return state == awaited->state;
}

struct bench *
bench_make(const char *dir, int capacity)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	struct world folder;

	snprintf(bench->dir, sizeof(bench->dir), "%s", dir);
	world_init(&folder, dir, 0);
	test_clock_init(&bench->clock);
	pthread_mutex_init(&bench->lock, NULL);
	for (int i = 0; i < N_SITES; i++) {
		struct site *site = &bench->sites[i];
		char objects[200];

		snprintf(objects, sizeof(objects), "%s/world%d", dir, i);
		snprintf(site->path, sizeof(site->path), "%s/site%d.db", dir, i);
		world_init(&site->world, objects, capacity);
	}
	return bench;
}

struct bench *
bench_new(const char *dir, int capacity)
{
	struct bench *bench = bench_make(dir, capacity);

	for (int i = 0; i < N_SITES; i++)
		site_start(bench, &bench->sites[i]);
	bench_start_controller(bench);
	return bench;
}

void
bench_free(struct bench *bench)
{
	bench_stop_controller(bench);
	for (int i = 0; i < N_SITES; i++)
		site_stop(&bench->sites[i]);
	pthread_mutex_destroy(&bench->lock);
	free(bench);
}

bool
site_open(struct bench *bench, struct site *site, struct err *err)
{
	struct manager_config config = {.clock = &bench->clock.clock};
	struct manager_kind kind;

	site->store = store_open(site->path, manager_migrations, n_manager_migrations, err);
	if (!site->store)
		return false;
	config.store = site->store;
	world_config(&site->world, &kind, &config);
	site->manager = manager_new(&config, err);
	return site->manager != NULL;
}

void
site_start(struct bench *bench, struct site *site)
{
	struct err err = {0};

	must(site_open(bench, site, &err), &err);
}

void
site_stop(struct site *site)
{
	manager_free(site->manager);
	store_close(site->store);
}

bool
bench_open_controller(struct bench *bench, struct err *err)
{
	struct controller_config config = {.clock = &bench->clock.clock,
	    .self = bench,
	    .call = call_site,
	    .status = ask_site,
	    .changed = note_change,
	    .n_workers = 8};
	char path[200];

	snprintf(path, sizeof(path), "%s/controller.db", bench->dir);
	bench->store = store_open(path, controller_migrations, n_controller_migrations, err);
	if (!bench->store)
		return false;
	config.store = bench->store;
	bench->controller = controller_new(&config, err);
	return bench->controller != NULL;
}

void
bench_start_controller(struct bench *bench)
{
	struct err err = {0};

	must(bench_open_controller(bench, &err), &err);
}

void
bench_stop_controller(struct bench *bench)
{
	controller_free(bench->controller);
	store_close(bench->store);
}

bool
bench_deliver(struct site *site, struct manager_call *call, struct err *err)
{
	call->caller.owner = "test@ctl";
	return manager_call(site->manager, call, err);
}

bool
bench_try_admit(struct bench *bench, const char *group, int units, enum row_state goal,
    uint64_t rids[N_SITES], struct err *err)
{
	struct controller_row rows[N_SITES];
	char spec[20], attr[60];
	auto_txn struct txn *txn = store_begin(bench->store);

	snprintf(spec, sizeof(spec), "units=%d", units);
	for (int i = 0; i < N_SITES; i++)
		if (!controller_next_id(bench->controller, txn, &rids[i], err))
			return false;
	snprintf(attr, sizeof(attr), "peer=${%s.name}\n", id_text(rids[0]).text);
	for (int i = 0; i < N_SITES; i++)
		rows[i] = (struct controller_row){.rid = rids[i],
		    .manager = site_names[i],
		    .kind = "unit",
		    .subject = i ? "unit b" : "unit a",
		    .spec = spec,
		    .attr = i ? attr : ""};
	if (!controller_admit(bench->controller, txn,
		&(struct controller_admission){
		    .group = group, .rows = rows, .n_rows = N_SITES, .goal = goal},
		err) ||
	    !txn_commit(&txn, err))
		return false;
	controller_wake(bench->controller);
	return true;
}

void
bench_admit(
    struct bench *bench, const char *group, int units, enum row_state goal, uint64_t rids[N_SITES])
{
	struct err err = {0};

	must(bench_try_admit(bench, group, units, goal, rids, &err), &err);
}

void
bench_goal(struct bench *bench, const char *group, enum row_state goal)
{
	auto_txn struct txn *txn = store_begin(bench->store);
	struct err err = {0};

	must(controller_goal(bench->controller, txn, group, goal, &err), &err);
	must(txn_commit(&txn, &err), &err);
	controller_wake(bench->controller);
}

bool
bench_resume(struct bench *bench, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct controller_survey survey;
	struct txn *txn;

	if (!controller_survey(bench->controller, site_names, N_SITES, arena, &survey, err))
		return false;
	txn = store_begin(bench->store);
	if (!controller_resume(bench->controller, txn, &survey, err)) {
		txn_cancel(txn);
		return false;
	}
	if (!txn_commit(&txn, err))
		return false;
	controller_wake(bench->controller);
	return true;
}

bool
bench_is_quarantined(struct bench *bench)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(bench->store);

	return controller_quarantine(txn, arena)[0] != '\0';
}

bool
bench_await(struct bench *bench, const char *group, enum group_state state)
{
	return eventually(is_in_state, &(struct awaited){bench, group, state, 0});
}

bool
bench_await_passing(struct bench *bench, const char *group, enum group_state state, int64_t step_ms)
{
	return eventually(is_in_state, &(struct awaited){bench, group, state, step_ms});
}

void
bench_pass_ms(struct bench *bench, int64_t ms)
{
	bench->clock.ahead_ms += ms;
	controller_wake(bench->controller);
	for (int i = 0; i < N_SITES; i++)
		manager_wake(bench->sites[i].manager);
}

struct controller_row_state
bench_row(struct bench *bench, const char *group, int at, struct arena *arena)
{
	const struct controller_row_state *rows;
	struct err err = {0};
	size_t n_rows = 0;

	must(controller_rows(bench->controller, NULL, group, arena, &rows, &n_rows) &&
		 n_rows > (size_t)at,
	    &err);
	return rows[at];
}
