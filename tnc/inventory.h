/*
 * The transport network as transport.xml declares it: routers, ports of hosts, links with capacity
 * and latency, the pool of path addresses. Plain data, read once at start, never changed; every
 * thread may read it. What is free is another thing: see path.h.
 */
#pragma once

#include <stdint.h>

#include "lib/base/diagnosis.h"
#include "lib/model/ways.h"

/* From the first instant to just before the second; milliseconds since 1970. */
struct inventory_window {
	int64_t from_ms, until_ms;
};

struct inventory_windows {
	const struct inventory_window *items;
	size_t n;
};

struct inventory_router {
	const char *name;
	const char *address;                  /* of its management port, IPv4 */
	struct inventory_windows maintenance; /* no path may lead through it then */
};

struct inventory_end {
	const char *node; /* a router or a host */
	const char *port; /* name of the device there */
	const char *address;
	unsigned vertex;
};

struct inventory_link {
	const char *name;
	struct inventory_end ends[2]; /* a and b of the graph's edge */
	struct inventory_windows maintenance;
};

struct inventory {
	struct arena *arena;
	uint32_t pool_first, pool_last; /* addresses for paths, host order */
	struct inventory_router *routers;
	size_t n_routers;
	const char **hosts;
	size_t n_hosts;
	struct inventory_link *links; /* link i is edge i of the graph */
	size_t n_links;
	struct graph graph; /* all free; vertices 0 … n_routers - 1 are the routers */
	int64_t *costs;     /* of each link; 1 where it says nothing */
	const char **risks; /* names of the risk groups */
	size_t n_risks;
	struct ways_groups link_risks, vertex_risks;
	struct map *link_index; /* name -> link */
};

void inventory_free(struct inventory *inventory);

/* From a document; NULL when `found` has got errors: all there are, with lines. */
struct inventory *inventory_read(const char *xml, size_t size, diagnoses *found)
    malloc_by(inventory_free) must_check;

/* From a file. All errors go to the log, the first one into err. */
struct inventory *inventory_load(const char *file, struct err *err)
    malloc_by(inventory_free) must_check;

/* The router of that name; NULL when there is none. */
const struct inventory_router *inventory_router(
    const struct inventory *inventory, const char *name);

/* The number of the link of that name; -1 when there is none. */
long inventory_link(const struct inventory *inventory, const char *name);

/* The last instant of those windows that meet the given one; 0 = none meets it. */
int64_t inventory_until(
    const struct inventory_windows *windows, const struct inventory_window *window);

/* The end of a link at a vertex, and the other one. The vertex is one of the two. */
const struct inventory_end *inventory_near(const struct inventory_link *link, unsigned vertex);
const struct inventory_end *inventory_far(const struct inventory_link *link, unsigned vertex);

static inline void
inventory_cleanup(struct inventory **inventory)
{
	inventory_free(*inventory);
}

#define auto_inventory __attribute__((cleanup(inventory_cleanup)))
