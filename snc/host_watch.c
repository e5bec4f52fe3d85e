/*
 * Hosts that come and go: a thread that looks when the next daemon could have become silent, asks
 * those that have been silent for long, and writes down what changed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/engine/wait.h"
#include "snc/peers.h"
#include "snc/slice.h"

enum { LOOK_MS = 5000, ASK_AFTER_MS = 12000 };

struct watch {
	struct snc *snc;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool is_stopping;
	const char **told; /* the state told last of each host, in the order of the inventory */
};

struct asking {
	struct snc *snc;
	struct inventory_managers silent;
};

static void
ask(void *self, size_t index)
{
	struct asking *asking = self;
	struct err err;

	if (!peers_ping(asking->snc, asking->silent.names[index], &err))
		log_debug("snc", "event=silent manager=%s why=\"%s\"", asking->silent.names[index],
		    err.text);
}

static void
ask_silent(struct snc *snc)
{
	auto_arena struct arena *arena = arena_new();
	struct asking asking = {.snc = snc};

	inventory_silent(snc->inventory, ASK_AFTER_MS, arena, &asking.silent);
	peers_each(asking.silent.n, ask, &asking);
}

static const char *
constant_state(const char *state)
{
	static const char *const states[] = {"up", "partial", "evicted"};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_equal(state, states[i]))
			return states[i];
	return "down";
}

static void
tell_hosts(struct watch *watch)
{
	auto_arena struct arena *arena = arena_new();
	struct inventory_host *hosts;
	size_t n_hosts;
	struct txn *txn = NULL;
	struct err err;

	inventory_hosts(watch->snc->inventory, arena, &hosts, &n_hosts);
	if (!watch->told)
		watch->told = xcalloc(n_hosts + 1, sizeof(watch->told[0]));
	for (size_t i = 0; i < n_hosts; i++) {
		const char *state = constant_state(hosts[i].state);

		if (watch->told[i] == state)
			continue;
		watch->told[i] = state;
		if (!txn)
			txn = store_begin(watch->snc->store);
		events_add(watch->snc->events, txn, NULL,
		    arena_format(arena, "host %s", hosts[i].name), state, hosts[i].daemons);
	}
	if (txn && !txn_commit(&txn, &err))
		log_error("snc", "event=event_lost why=\"%s\"", err.text);
}

/* Sleeps until the next look; false when it is to stop. */
static bool
pause_watch(struct watch *watch)
{
	struct timespec until;
	bool is_stopping;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += LOOK_MS / 1000;
	pthread_mutex_lock(&watch->lock);
	if (!watch->is_stopping)
		pthread_cond_timedwait(&watch->stop, &watch->lock, &until);
	is_stopping = watch->is_stopping;
	pthread_mutex_unlock(&watch->lock);
	return !is_stopping;
}

static void *
watch_main(void *self)
{
	struct watch *watch = self;

	do {
		ask_silent(watch->snc);
		tell_hosts(watch);
	} while (pause_watch(watch));
	return NULL;
}

static void
watch_free(struct watch *watch)
{
	free(watch->told);
	pthread_cond_destroy(&watch->stop);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct watch *
slice_watch_start(struct snc *snc, struct err *err)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));

	watch->snc = snc;
	pthread_mutex_init(&watch->lock, NULL);
	wait_init(&watch->stop);
	if (pthread_create(&watch->thread, NULL, watch_main, watch) == 0)
		return watch;
	watch_free(watch);
	err_set(err, ERR_INTERNAL, "the watch of hosts cannot be started");
	return NULL;
}

void
slice_watch_stop(struct watch *watch)
{
	if (!watch)
		return;
	pthread_mutex_lock(&watch->lock);
	watch->is_stopping = true;
	pthread_cond_signal(&watch->stop);
	pthread_mutex_unlock(&watch->lock);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}
