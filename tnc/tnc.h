/*
 * tncd without its main: a manager of shares (for sncd) and a controller of routes (in routerd on
 * each router), both on one store. path.h has the verbs in between.
 */
#pragma once

#include <pthread.h>

#include "lib/api/controller_api.h"
#include "lib/api/tnc_api.h"
#include "lib/engine/controller.h"
#include "lib/engine/manager.h"
#include "tnc/inventory.h"
#include "tnc/router.h"

struct tnc_config {
	struct store *store; /* with tnc_migrations, the manager's and the controller's */
	const struct clock *clock;
	const struct inventory *inventory;
	const char *full_name; /* "tnc@ctl" */
	void *self;
	/* A client of the routerd of that name (router@NAME) at ADDRESS:PORT. Any thread. */
	const struct rpc_client *(*peer)(
	    void *self, const char *full_name, const char *address, struct err *err);
	/* A share appeared, failed or vanished: for hello. Any thread, must not block. */
	void (*changed)(void *self, uint64_t rid);
	/* There is a note about a share. May be NULL. */
	void (*noted)(void *self);
};

struct tnc {
	struct tnc_config config;
	struct routers *routers;
	struct controller *controller;
	struct manager *manager;
	pthread_t watcher;
	bool has_watcher;
	bool has_told_rates;  /* watcher: since the start */
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t poked;
	unsigned pokes; /* enum tnc_poke */
	bool is_stopping;
};

enum tnc_poke {
	POKE_PATHS = 1, /* look at all paths; wake the controller */
	POKE_SHARES = 2 /* wake the manager too: shares may wait for a path that came or went */
};

/* Starts both halves: paths converge from now on. config is copied. */
void tnc_free(struct tnc *tnc);
struct tnc *tnc_new(const struct tnc_config *config, struct err *err)
    malloc_by(tnc_free) must_check;

/*
 * Look after paths soon. From inside a transaction it takes effect when that has ended, so that
 * controller and manager are woken to what it has committed. Any thread; does not block.
 */
void tnc_poke(struct tnc *tnc, unsigned pokes);

/* A client of router@NAME; NULL: not in the inventory, or no connection. Any thread. */
const struct rpc_client *tnc_router(struct tnc *tnc, const char *full_name, struct err *err);

/* Handlers of tnc.def and controller.def; self is a struct tnc. */
extern const struct tnc_ops tnc_ops;
extern const struct controller_ops tnc_controller_ops;
