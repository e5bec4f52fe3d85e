/*
 * Off-loads of a device, and work inside another network namespace.
 */
#pragma once

#include "lib/net/device.h"

/* Packets that are in a tunnel already (VXLAN, GRE, IP in IP) leave the device in pieces of
 * its MTU, not as one large one: a device that cannot anyway is success. ERR_WAIT: it is gone or
 * renamed since it was listed. Acts in the thread's own
 * network namespace. */
bool offload_tunnels_off(const char *name, struct err *err) must_check;

/* At most so many segments in one large packet. */
bool offload_limit(struct netlink *netlink, const struct device *device, uint32_t gso_max_segs,
    struct err *err) must_check;

/*
 * Runs work in the network namespace of `fd` (/proc/PID/ns/net), on this thread, and comes back.
 * Sockets opened by it stay in that namespace.
 */
bool netns_do(
    int fd, bool (*work)(void *self, struct err *err), void *self, struct err *err) must_check;
