/*
 * A router without a kernel: routes are entries of a map. For tests of tncd and routerd in one
 * process.
 */
#pragma once

#include <pthread.h>

#include "lib/base/map.h"
#include "tnc/routerd/route.h"

struct route_fake {
	pthread_mutex_t lock;
	struct map *routes; /* destination -> its route, owned */
	const char *down;   /* device that is missing; NULL = all are there */
};

extern const struct route_ops route_fake_ops; /* self: struct route_fake */

void route_fake_init(struct route_fake *fake);
void route_fake_done(struct route_fake *fake);

/* The next hop towards a destination, copied into text; false when there is no route. */
bool route_fake_next(struct route_fake *fake, const char *destination, char text[16]);

/* What its packets are guaranteed at their port; false and -1 when there is no route. */
bool route_fake_rates(
    struct route_fake *fake, const char *destination, int64_t *rate_bps, int64_t *port_bps);

size_t route_fake_count(struct route_fake *fake);
