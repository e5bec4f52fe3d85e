/*
 * What the files of the inventory share; nobody else includes this.
 */
#pragma once

#include <pthread.h>

#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "snc/inventory.h"
#include "snc/inventory_capacity.h"

enum { REDIRECTOR, PROGRAMMER, N_DAEMONS, NEVER = -1 };

struct inventory_daemon {
	char *address;                      /* "10.63.0.11:7703" */
	char *version, *db_uuid, *capacity; /* "" = has said nothing yet */
	int64_t heard_ms;                   /* boot time; NEVER = not since the start */
	bool is_failing;                    /* the last call failed, and nothing was heard since */
};

struct host {
	char *name, *address;
	bool is_agw;
	bool is_evicted; /* under lock */
	struct inventory_daemon daemons[N_DAEMONS];
};

struct inventory {
	pthread_mutex_t lock;
	const struct clock *clock;
	vec_of(struct host) hosts;
	struct map *by_manager; /* daemons, by their full names; as hosts, never changes */
	int64_t version;        /* of what daemons said of their capacity */
	struct arena *said;     /* what all said together, as of said_version */
	struct capacity_images images;
	struct capacity_carriers carriers;
	int64_t said_version;
};

/* An AGW has no programmer. */
static inline int
n_daemons(const struct host *host)
{
	return host->is_agw ? PROGRAMMER : N_DAEMONS;
}
