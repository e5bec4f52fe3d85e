/*
 * Which routers are there: when each has last said hello. Shared by all threads.
 */
#pragma once

#include "lib/base/clock.h"
#include "tnc/inventory.h"

struct routers;

enum {
	ROUTER_HELLO_MS = 10 * 1000, /* how often a routerd says hello */
	ROUTER_DEAD_MS = 30 * 1000   /* silent for that long: down. Counted from our start on. */
};

void routers_free(struct routers *routers);
struct routers *routers_new(const struct inventory *inventory, const struct clock *clock)
    malloc_by(routers_free) must_check;

/* A router has said hello. ERR_NOT_FOUND: it is not in the inventory. */
bool routers_heard(struct routers *routers, const char *name, struct err *err) must_check;

/* Is the router of that index in the inventory up? */
bool routers_is_up(struct routers *routers, size_t index);
