/*
 * Bridges of this network namespace that are nothing but an Ethernet segment: every frame passes,
 * addresses are learned, and the host itself is not on it.
 */
#pragma once

#include "lib/net/device.h"

struct bridge {
	uint32_t ageing_s;    /* a learned address is forgotten after so long */
	uint32_t learned_max; /* addresses kept; the kernel floods what it could not learn. Kernels
			       * before 6.8 have no such limit: there nothing is learned */
};

/*
 * The bridge is there, up, with these settings and no spanning tree, snooping or IPv6; what is for
 * the host itself is dropped. A device of that name that is no bridge: ERR_CONFLICT.
 */
bool bridge_ensure(struct netlink *netlink, const char *name, const struct bridge *bridge,
    struct err *err) must_check;

/* Is it as bridge_ensure would make it? ERR_NOT_FOUND: no, and what is amiss. */
bool bridge_is_there(struct netlink *netlink, const char *name, const struct bridge *bridge,
    struct err *err) must_check;

/* A veth pair: `name` is made a port of the bridge, `peer` leads out of it. An existing pair stays,
 * and its first half becomes a port. Both IPv6 off and up with this mtu; what comes in by `peer` is
 * dropped until a program takes it. */
struct bridge_port {
	const char *name, *peer;
	uint32_t mtu;
};

bool bridge_port_ensure(struct netlink *netlink, const struct device *bridge,
    const struct bridge_port *port, struct err *err) must_check;

bool bridge_port_is_there(struct netlink *netlink, const struct device *bridge,
    const struct bridge_port *port, struct err *err) must_check;

/*
 * Frames on bridges pass by the host's packet filter untouched: it would drop what is no proper
 * IPv4, and put fragments together. Counts for all bridges of the network namespace. A kernel
 * without such a filter is success.
 */
bool bridge_filter_off(struct err *err) must_check;
bool bridge_filter_is_off(void);
