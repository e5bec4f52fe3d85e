/*
 * The routers' signs of life. Until a router has been silent for ROUTER_DEAD_MS it counts as up, so
 * that a restart of tncd does not close the network.
 */
#include "tnc/router.h"

#include <pthread.h>
#include <stdlib.h>

struct routers {
	const struct inventory *inventory;
	const struct clock *clock;
	pthread_mutex_t lock;
	int64_t *heard_ms; /* by index in the inventory */
};

struct routers *
routers_new(const struct inventory *inventory, const struct clock *clock)
{
	struct routers *routers = xcalloc(1, sizeof(*routers));

	routers->inventory = inventory;
	routers->clock = clock;
	routers->heard_ms = xcalloc(inventory->n_routers + 1, sizeof(*routers->heard_ms));
	for (size_t i = 0; i < inventory->n_routers; i++)
		routers->heard_ms[i] = clock_boot_ms(clock);
	pthread_mutex_init(&routers->lock, NULL);
	return routers;
}

void
routers_free(struct routers *routers)
{
	if (!routers)
		return;
	pthread_mutex_destroy(&routers->lock);
	free(routers->heard_ms);
	free(routers);
}

bool
routers_heard(struct routers *routers, const char *name, struct err *err)
{
	const struct inventory_router *router = inventory_router(routers->inventory, name);

	if (!router)
		return err_set(err, ERR_NOT_FOUND, "router '%.60s' is not in the inventory", name);
	pthread_mutex_lock(&routers->lock);
	routers->heard_ms[router - routers->inventory->routers] = clock_boot_ms(routers->clock);
	pthread_mutex_unlock(&routers->lock);
	return true;
}

bool
routers_is_up(struct routers *routers, size_t index)
{
	int64_t heard_ms;

	pthread_mutex_lock(&routers->lock);
	heard_ms = routers->heard_ms[index];
	pthread_mutex_unlock(&routers->lock);
	return clock_boot_ms(routers->clock) - heard_ms < ROUTER_DEAD_MS;
}
