/*
 * What carries the frames, as a driver: takes link ends by the kernel's names and makes frames of
 * the port go to the path and back. Real: dataplane_bpf.c; for tests of the verbs:
 * dataplane_fake.c. Every operation may be repeated; any thread.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

/* One link end as the driver needs it. Addresses and key in network order. */
struct dataplane_link {
	uint64_t rid;
	uint32_t port;     /* ifindex of the port's device */
	uint32_t underlay; /* ifindex to send by and to receive from */
	uint32_t key;
	uint32_t local;
	uint32_t remote;
	uint32_t class_handle; /* of the shaper */
	uint32_t mtu;
	unsigned char next_hop[6];
	unsigned char own[6];
	bool is_open;
};

struct dataplane_counters {
	uint64_t tx_frames, tx_bytes, tx_oversize, tx_dropped;
	uint64_t rx_frames, rx_bytes, rx_dropped;
};

/* GRE frames on the underlay that belong to no link end. */
struct dataplane_strays {
	uint64_t unknown_key, malformed;
};

struct dataplane_ops {
	const char *name; /* "bpf" */
	/* Frames that come by an underlay port are looked at from now on. */
	bool (*watch)(void *self, uint32_t underlay, struct err *err);
	/* The link end is as described, its port attached. Counters go on. */
	bool (*put)(void *self, const struct dataplane_link *link, struct err *err);
	/* What is there for a rid, attachments included. ERR_NOT_FOUND: nothing, or not all. */
	bool (*get)(
	    void *self, uint64_t rid, uint32_t port, struct dataplane_link *link, struct err *err);
	/* Nothing is left of it. Absent is success. */
	bool (*drop)(void *self, uint64_t rid, struct err *err);
	/* ERR_NOT_FOUND without such a link end. */
	bool (*counters)(
	    void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err);
	bool (*strays)(void *self, struct dataplane_strays *strays, struct err *err);
	/*
	 * All of which anything is there, array in arena; a rid may come twice. What has no port
	 * (port = 0) is a remnant, known by its rid alone.
	 */
	bool (*list)(void *self, struct arena *arena, const struct dataplane_link **links,
	    size_t *n_links, struct err *err);
	void (*free)(void *self); /* traffic goes on */
};

struct dataplane {
	const struct dataplane_ops *ops;
	void *self;
};

/* The BPF driver with its maps pinned below `folder`, those of an earlier run adopted. */
bool dataplane_bpf_open(const char *folder, struct netlink *netlink, struct dataplane *dataplane,
    struct err *err) must_check;

/* In memory, for tests. Always works. */
void dataplane_fake_open(struct dataplane *dataplane);
