/*
 * IPv4 routes with a protocol number of ours, in the main table.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

/* An address range by one next hop. Addresses in network order. */
struct route {
	uint32_t destination;
	uint8_t prefix_len; /* 32: one address */
	uint32_t next_hop;
	uint32_t device; /* index; 0 with route_remove: any */
	uint32_t source; /* address that our own packets have; 0: the kernel chooses */
};

/*
 * Makes the route, or changes the one of this protocol to that destination. ERR_WAIT: the kernel
 * knows no way to the next hop now (device down, no address).
 */
bool route_put(struct netlink *netlink, uint8_t protocol, const struct route *route,
    struct err *err) must_check;

/* Removes the route of this protocol to destination/prefix_len; absent is success. */
bool route_remove(struct netlink *netlink, uint8_t protocol, const struct route *route,
    struct err *err) must_check;

/* All routes of this protocol, array in arena. */
bool route_list(struct netlink *netlink, uint8_t protocol, struct arena *arena,
    const struct route **routes, size_t *n_routes, struct err *err) must_check;

/* The route of this protocol to one address, prefix_len 32; *is_found says whether there is one. */
bool route_find(struct netlink *netlink, uint8_t protocol, uint32_t destination,
    struct route *route, bool *is_found, struct err *err) must_check;

/* For netlink_events_new: where what follows is told. */
extern const int route_news_groups[];

/* Does this event tell that a route of this protocol has gone, or that a device came up or went? */
bool route_is_news(const struct reply *reply, uint8_t protocol);
