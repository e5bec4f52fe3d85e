/*
 * How many groups a second does the engine bring up, durably? A controller and the managers of H
 * hosts in one process, databases in DIR; 32 threads admit groups as slices of five nodes and ten
 * links have them (5 nodes, 20 link ends, 10 shares), each in a transaction of its own, and wait
 * for its commit. Objects cost nothing: what is measured is the protocol and its databases.
 *     engine_rate DIR [GROUPS [HELD]]      (2000, 0)
 * HELD groups are brought up before, unmeasured. Prints admissions/s, until the last commit, and
 * groups/s, until the last one is ACTIVE.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/engine/controller.h"

enum { HOSTS = 20, CLIENTS = 32, NODES = 5, LINKS = 10, ROWS = NODES + 3 * LINKS };

struct site {
	char name[32];
	struct store *store;
	struct manager *manager;
};

struct rate {
	struct store *store;
	struct controller *controller;
	struct site sites[2 * HOSTS + 1]; /* programmer and redirector of each host, tnc */
	atomic_int next, end;             /* groups to admit */
	atomic_int n_active, n_calls;
};

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
must(bool is_good, const struct err *err)
{
	if (is_good)
		return;
	fprintf(stderr, "engine_rate: %s\n", err->text);
	exit(EXIT_FAILURE);
}

static bool
admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	(void)self, (void)txn, (void)book, (void)err;
	str_addf(result, "name=%s\n", id_text(row->rid).text);
	return true;
}

static bool
nothing(void *self, const struct row *row, struct err *err)
{
	(void)self, (void)row, (void)err;
	return true;
}

static void
heard(void *self, const struct row *row)
{
	(void)self, (void)row;
}

static bool
deliver(void *self, const char *manager, struct manager_call *call, struct err *err)
{
	struct rate *rate = self;

	rate->n_calls++;
	call->caller.owner = "snc@ctl";
	return manager_call(rate->sites[atoi(manager)].manager, call, err);
}

static void
changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why)
{
	struct rate *rate = self;

	(void)txn;
	if (state == GROUP_RELEASING)
		fprintf(stderr, "engine_rate: %s: %s\n", group, why->text);
	rate->n_active += state == GROUP_ACTIVE;
}

static void
open_site(struct rate *rate, int at, const char *dir)
{
	static const struct manager_kind kinds[] = {{.name = "unit",
	    .admit = admit,
	    .ensure = nothing,
	    .remove = nothing,
	    .is_there = nothing,
	    .heard = heard}};
	struct site *site = &rate->sites[at];
	struct err err = {0};
	char path[300];

	snprintf(site->name, sizeof(site->name), "%d", at);
	snprintf(path, sizeof(path), "%s/site%d.db", dir, at);
	site->store = store_open(path, manager_migrations, n_manager_migrations, &err);
	must(site->store != NULL, &err);
	site->manager = manager_new(
	    &(struct manager_config){
		.store = site->store, .clock = &clock_real, .kinds = kinds, .n_kinds = 1},
	    &err);
	must(site->manager != NULL, &err);
}

static void
open_all(struct rate *rate, const char *dir, const char *site_dir)
{
	struct err err = {0};
	char path[300];

	for (int i = 0; i < 2 * HOSTS + 1; i++)
		open_site(rate, i, site_dir);
	snprintf(path, sizeof(path), "%s/controller.db", dir);
	rate->store = store_open(path, controller_migrations, n_controller_migrations, &err);
	must(rate->store != NULL, &err);
	rate->controller = controller_new(&(struct controller_config){.store = rate->store,
					      .clock = &clock_real,
					      .self = rate,
					      .call = deliver,
					      .changed = changed},
	    &err);
	must(rate->controller != NULL, &err);
}

/* Nodes first, one a host, then the ends of links at them, then shares. */
static int
site_of(int number, int row)
{
	int host = (number * NODES + row % NODES) % HOSTS;

	if (row >= NODES + 2 * LINKS)
		return 2 * HOSTS;
	return 2 * host + (row >= NODES);
}

static void
admit_one(struct rate *rate, int number)
{
	auto_txn struct txn *txn = store_begin(rate->store);
	struct controller_row rows[ROWS];
	struct err err = {0};
	char group[20], attr[100];

	snprintf(group, sizeof(group), "g%d", number);
	for (int i = 0; i < ROWS; i++) {
		rows[i] = (struct controller_row){.manager = rate->sites[site_of(number, i)].name,
		    .kind = "unit",
		    .subject = "unit",
		    .spec = "cpu=1\nmemory=268435456\nimage=container-minimal\n"};
		must(controller_next_id(rate->controller, txn, &rows[i].rid, &err), &err);
	}
	snprintf(attr, sizeof(attr), "peer=${%s.name}\n", id_text(rows[0].rid).text);
	for (int i = 0; i < ROWS; i++)
		rows[i].attr = i ? attr : "";
	must(controller_admit(rate->controller, txn,
		 &(struct controller_admission){
		     .group = group, .rows = rows, .n_rows = ROWS, .goal = ROW_COMMITTED},
		 &err) &&
		 txn_commit(&txn, &err),
	    &err);
	controller_wake(rate->controller);
}

static void *
client(void *self)
{
	struct rate *rate = self;
	int number;

	while ((number = rate->next++) < rate->end)
		admit_one(rate, number);
	return NULL;
}

/* Admits so many and waits until they stand; prints the rates if they are measured. */
static void
run(struct rate *rate, int n, const char *what)
{
	pthread_t threads[CLIENTS];
	double begun_s = now_s(), admitted_s, active_s;
	struct timespec cpu0, cpu;
	int first = rate->end;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu0);
	rate->next = first;
	rate->end = first + n;
	for (int i = 0; i < CLIENTS; i++)
		must(!pthread_create(&threads[i], NULL, client, rate), &(struct err){0});
	for (int i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	admitted_s = now_s() - begun_s;
	while (rate->n_active < rate->end)
		usleep(1000);
	active_s = now_s() - begun_s;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	printf("%s %d groups: %.0f admissions/s, %.0f groups/s, %.2f ms CPU a group, %.2f calls\n",
	    what, n, n / admitted_s, n / active_s,
	    ((double)(cpu.tv_sec - cpu0.tv_sec) * 1e3 +
		(double)(cpu.tv_nsec - cpu0.tv_nsec) / 1e6) /
		n,
	    (double)rate->n_calls / n);
	fflush(stdout);
	rate->n_calls = 0;
}

int
main(int argc, char **argv)
{
	static struct rate rate;
	int n = argc > 2 ? atoi(argv[2]) : 2000, held = argc > 3 ? atoi(argv[3]) : 0;

	if (argc < 2) {
		fprintf(stderr, "engine_rate DIR [GROUPS [HELD [DIR_OF_MANAGERS]]]\n");
		return EXIT_FAILURE;
	}
	log_set_level(LOG_LEVEL_WARN);
	open_all(&rate, argv[1], argc > 4 ? argv[4] : argv[1]);
	if (held)
		run(&rate, held, "before:");
	run(&rate, n, "measured:");
	controller_free(rate.controller);
	store_close(rate.store);
	for (int i = 0; i < 2 * HOSTS + 1; i++) {
		manager_free(rate.sites[i].manager);
		store_close(rate.sites[i].store);
	}
	return EXIT_SUCCESS;
}
