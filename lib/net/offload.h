/*
 * Off-loads of a device, and work inside another network namespace.
 */
#pragma once

#include "lib/net/device.h"

/* Packets that are in a tunnel already (VXLAN, GRE, IP in IP), and those of SCTP, leave the device
 * in pieces of its MTU, not as one large one: a device that cannot anyway is success. ERR_WAIT: it
 * is gone or renamed since it was listed. Acts in the thread's own network namespace. */
bool offload_tunnels_off(const char *name, struct err *err) must_check;

/*
 * Frames come in as they were on the wire: none merged into larger ones (GRO, LRO), VLAN tags in
 * place. ERR_BAD_VALUE names what the device cannot switch off; ERR_WAIT: it is gone.
 */
bool offload_receive_off(const char *name, struct err *err) must_check;

/*
 * TCP that comes in by it in frames of the wire's size is merged into large packets of at most so
 * many bytes (GRO; 0: as many as the kernel likes). Frames that are large already pass as they are,
 * and on a device that cannot merge so do all. ERR_WAIT: it is gone.
 */
bool offload_merge(struct netlink *netlink, const struct device *device, uint32_t most_bytes,
    struct err *err) must_check;

/* At most so many segments in one large packet. */
bool offload_limit(struct netlink *netlink, const struct device *device, uint32_t gso_max_segs,
    struct err *err) must_check;

/*
 * Runs work in the network namespace of `fd` (/proc/PID/ns/net), on this thread, and comes back.
 * Sockets opened by it stay in that namespace.
 */
bool netns_do(
    int fd, bool (*work)(void *self, struct err *err), void *self, struct err *err) must_check;
