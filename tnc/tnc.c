/*
 * Life of tncd's two halves, and the thread that keeps paths and shares in step.
 */
#include "tnc/tnc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/api/peer.h"
#include "lib/engine/wait.h"
#include "tnc/path.h"

enum { WATCH_S = 1, ROUTERD_PORT = 7706 };

static void *watch_main(void *self);
static bool start(struct tnc *tnc, struct err *err);
static void stop(struct tnc *tnc);
static bool list_router(
    void *self, const char *manager, uint64_t after, struct manager_call *call, struct err *err);
static bool call_router(
    void *self, const char *manager, struct manager_call *call, struct err *err);

struct tnc *
tnc_new(const struct tnc_config *config, struct err *err)
{
	struct tnc *tnc = xcalloc(1, sizeof(*tnc));

	tnc->config = *config;
	tnc->routers = routers_new(config->inventory, config->clock);
	pthread_mutex_init(&tnc->lock, NULL);
	wait_init(&tnc->poked);
	if (start(tnc, err))
		return tnc;
	stop(tnc);
	return NULL;
}

void
tnc_free(struct tnc *tnc)
{
	if (tnc)
		stop(tnc);
}

static void
stop(struct tnc *tnc)
{
	pthread_mutex_lock(&tnc->lock);
	tnc->is_stopping = true;
	pthread_cond_signal(&tnc->poked);
	pthread_mutex_unlock(&tnc->lock);
	if (tnc->has_watcher)
		pthread_join(tnc->watcher, NULL);
	manager_free(tnc->manager); /* its rows look at the controller's groups: it goes first */
	controller_free(tnc->controller);
	routers_free(tnc->routers);
	pthread_cond_destroy(&tnc->poked);
	pthread_mutex_destroy(&tnc->lock);
	free(tnc);
}

void
tnc_poke(struct tnc *tnc, unsigned pokes)
{
	pthread_mutex_lock(&tnc->lock);
	tnc->pokes |= pokes;
	pthread_cond_signal(&tnc->poked);
	pthread_mutex_unlock(&tnc->lock);
}

static bool
start(struct tnc *tnc, struct err *err)
{
	const struct manager_kind share = {.name = "share",
	    .self = tnc,
	    .admit = path_reserve,
	    .ensure = path_setup,
	    .remove = path_release};

	tnc->controller = controller_new(&(struct controller_config){.store = tnc->config.store,
					     .clock = tnc->config.clock,
					     .self = tnc,
					     .call = call_router,
					     .status = list_router,
					     .changed = path_changed,
					     .row_changed = path_row_changed},
	    err);
	if (!tnc->controller)
		return false;
	tnc->manager = manager_new(&(struct manager_config){.store = tnc->config.store,
				       .clock = tnc->config.clock,
				       .kinds = &share,
				       .n_kinds = 1,
				       .self = tnc->config.self,
				       .changed = tnc->config.changed,
				       .noted = tnc->config.noted},
	    err);
	if (!tnc->manager)
		return false;
	if (pthread_create(&tnc->watcher, NULL, watch_main, tnc))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	tnc->has_watcher = true;
	return true;
}

/* Waits until poked, at most WATCH_S; false when tncd ends. */
static bool
wait_for_poke(struct tnc *tnc, unsigned *pokes)
{
	struct timespec end;
	bool is_running;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += WATCH_S;
	pthread_mutex_lock(&tnc->lock);
	while (!tnc->pokes && !tnc->is_stopping)
		if (pthread_cond_timedwait(&tnc->poked, &tnc->lock, &end))
			break;
	*pokes = tnc->pokes;
	tnc->pokes = 0;
	is_running = !tnc->is_stopping;
	pthread_mutex_unlock(&tnc->lock);
	return is_running;
}

static void *
watch_main(void *self)
{
	struct tnc *tnc = self;
	unsigned pokes;

	while (wait_for_poke(tnc, &pokes)) {
		bool has_changed = path_watch(tnc);

		if (has_changed || pokes)
			controller_wake(tnc->controller);
		if (pokes & POKE_SHARES)
			manager_wake(tnc->manager);
	}
	return NULL;
}

const struct rpc_client *
tnc_router(struct tnc *tnc, const char *full_name, struct err *err)
{
	const char *at = strchr(full_name, '@');
	const struct inventory_router *router =
	    at ? inventory_router(tnc->config.inventory, at + 1) : NULL;
	char address[64];

	if (!router) {
		err_set(err, ERR_UNAVAILABLE, "'%s' is not in the inventory", full_name);
		return NULL;
	}
	snprintf(address, sizeof(address), "%s:%d", router->address, ROUTERD_PORT);
	return tnc->config.peer(tnc->config.self, full_name, address, err);
}

static bool
call_router(void *self, const char *manager, struct manager_call *call, struct err *err)
{
	const struct rpc_client *client = tnc_router(self, manager, err);

	return client && peer_manager_call(client, call, err);
}

static bool
list_router(
    void *self, const char *manager, uint64_t after, struct manager_call *call, struct err *err)
{
	const struct rpc_client *client = tnc_router(self, manager, err);

	return client && peer_manager_status(client, after, call, err);
}
