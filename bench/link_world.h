/*
 * A host with many link ends, made by redirectord's driver and shaper without redirectord, in a
 * network namespace of its own. Each link end has a veth port and a class of the shaper; what
 * leaves by the underlay port is counted and dropped at the router behind it. Frames are sent from
 * the containers' ends of the ports, 250 of which share a network namespace. For programs of one
 * thread; whatever fails ends the program.
 */
#pragma once

#include <stdint.h>

#include "redirector/dataplane.h"

enum {
	LINK_WORLD_MAX = 12000, /* link ends */
	LINK_HALL = 250,
	LINK_HALLS_MAX = LINK_WORLD_MAX / LINK_HALL,
	LINK_BATCH = 50, /* frames in a system call */
};

struct link_world_config {
	const char *folder; /* for pinned maps; exists */
	uint32_t n;         /* link ends */
	uint32_t frame_bytes;
	uint32_t n_same; /* frames by a link before the next one is taken */
	uint64_t rate_bps, ceil_bps, port_bps;
};

/* Containers' ends that are sent by through one socket. */
struct link_hall {
	int netns, socket;
	uint32_t first, n; /* links */
	uint32_t at;       /* frames sent */
	uint32_t order[LINK_HALL];
};

struct link_world {
	struct link_world_config config;
	uint32_t n_halls, underlay;
	int host, router; /* network namespaces */
	struct netlink *netlink;
	struct dataplane dataplane;
	char folder[64];
	struct link_hall halls[LINK_HALLS_MAX];
};

struct link_arrived {
	unsigned long long bytes, frames;
};

/* err NULL: errno tells. */
void link_must(bool is_good, const char *what, const struct err *err);

/* Mounts of this process are its own from now on; the name of a new folder is written to `folder`,
 * a template of mkdtemp. */
void link_world_prepare(char *folder);

/* Underlay, ports and classes. Its link ends carry nothing yet. */
void link_world_make(struct link_world *world, const struct link_world_config *config);
void link_world_done(struct link_world *world);

/* All link ends are as they should be; or all frames are dropped as they enter their ports. */
void link_world_put(const struct link_world *world);
void link_world_sink(const struct link_world *world);

/* A batch by each hall: how many frames. */
uint32_t link_world_send(struct link_world *world);

/* At the router, so far. */
struct link_arrived link_world_arrived(const struct link_world *world);
