/*
 * What paths are guaranteed at the egress ports of this router: one HTB tree per port,
 *
 *     1:1 the port, as much as its link carries
 *         ▸ 1:76 whatever is of no path (ARP, control traffic)
 *         ▸ a leaf per path that leaves by it: its guarantee, and of what is left a part; those
 *           without a guarantee after all others
 *
 * A packet's leaf is told by its destination (lib/net/tc_address.h). The kernel is the record
 * (docs/decisions/0005): which leaf is an address's stands in its filter, nowhere else. A tree is
 * there as long as a path leaves by the port; it is known by its default class, and a port that
 * somebody else shapes is left alone. Callers change one thing at a time.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

enum {
	PORT_CLASS_PORT = 1,
	PORT_CLASS_OTHERS = 0x76,
	PORT_CLASS_FIRST = 0x100, /* leaves */
	PORT_CLASS_LAST = 0xfff0
};

/* What the packets to an address have at a port. */
struct port_class {
	const char *port;
	uint32_t device;  /* its index */
	uint32_t address; /* network order */
	uint64_t rate_bps;
	uint64_t port_bps;
};

/* Made, or changed in place: no packet in its queue is lost. ERR_WAIT: somebody else shapes the
 * port, or the device has gone. ERR_R04: the port has no leaf left. */
bool port_class_put(
    struct netlink *netlink, const struct port_class *class, struct err *err) must_check;

/* ERR_WAIT when something of it is missing or has other values. */
bool port_class_is_there(
    struct netlink *netlink, const struct port_class *class, struct err *err) must_check;

/* The address has no leaf at any port; a port's last one takes the tree with it. Absent is success.
 */
bool port_class_remove(struct netlink *netlink, uint32_t address, struct err *err) must_check;

/* What is at a port of ours: a leaf of an address, a leaf of none (address 0), or, minor 0, a tree
 * without leaves. */
struct port_object {
	uint32_t device, minor;
	uint32_t address;
};

/* Array in arena. */
bool port_object_list(struct netlink *netlink, struct arena *arena,
    const struct port_object **objects, size_t *n_objects, struct err *err) must_check;

/* Removes a leaf of no address or a tree without leaves; what is more than that by now stays. */
bool port_object_remove(
    struct netlink *netlink, const struct port_object *object, struct err *err) must_check;
