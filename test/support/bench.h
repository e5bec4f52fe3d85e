/*
 * A controller and two managers with their worlds in one process: databases and objects lie in one
 * folder, so all of it can be killed and opened again. Calls are function calls, unless a test
 * puts its own transport in between.
 */
#pragma once

#include "lib/engine/controller.h"
#include "test/support/world.h"

enum { N_SITES = 2 };

struct site {
	char path[200]; /* of the database */
	struct world world;
	struct store *store;
	struct manager *manager;
	atomic_bool is_cut; /* nobody reaches it */
	atomic_int n_calls;
};

struct bench {
	char dir[160];
	struct test_clock clock;
	struct site sites[N_SITES];
	struct store *store;
	struct controller *controller;
	/* Instead of bench_deliver. */
	bool (*transport)(
	    struct bench *bench, struct site *site, struct manager_call *call, struct err *err);
	void *self; /* of the transport */
	/* A group changed its state, inside the transaction that changes it. May be NULL. */
	void (*changed)(
	    struct bench *bench, struct txn *txn, const char *group, enum group_state state);
	pthread_mutex_t lock;
	struct err why; /* of the last group that gave up by itself; under lock */
};

/* Opens what lies in dir, or makes it. Aborts when that fails. */
struct bench *bench_new(const char *dir, int capacity);
void bench_free(struct bench *bench);

/* The same with nothing opened yet. */
struct bench *bench_make(const char *dir, int capacity);

void site_start(struct bench *bench, struct site *site);
bool site_open(struct bench *bench, struct site *site, struct err *err) must_check;
void site_stop(struct site *site);
void bench_start_controller(struct bench *bench);
bool bench_open_controller(struct bench *bench, struct err *err) must_check;
void bench_stop_controller(struct bench *bench);

/* The call itself. */
bool bench_deliver(struct site *site, struct manager_call *call, struct err *err);

/* A group with one row at each site, of so many units; the second row's attribute refers to the
 * first's answer. */
void bench_admit(
    struct bench *bench, const char *group, int units, enum row_state goal, uint64_t rids[N_SITES]);
bool bench_try_admit(struct bench *bench, const char *group, int units, enum row_state goal,
    uint64_t rids[N_SITES], struct err *err) must_check;

void bench_goal(struct bench *bench, const char *group, enum row_state goal);

/* NOC staff have said that what managers know shall count; is that wanted? */
bool bench_resume(struct bench *bench, struct err *err) must_check;
bool bench_is_quarantined(struct bench *bench);

/* Waits for a state (GONE: no such group any more); false when it does not come. */
bool bench_await(struct bench *bench, const char *group, enum group_state state);

/* The same while the clock is moved on with every look. */
bool bench_await_passing(
    struct bench *bench, const char *group, enum group_state state, int64_t step_ms);

/* Moves the clock, and has everybody look at it. */
void bench_pass_ms(struct bench *bench, int64_t ms);

/* The row as it stands; texts live as long as the arena. */
struct controller_row_state bench_row(
    struct bench *bench, const char *group, int at, struct arena *arena);
