/*
 * The qdiscs at the root of devices: whose are they?
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

struct tc_root {
	uint32_t device;
	uint32_t handle; /* 0: the kernel's own choice */
	char kind[16];
	uint32_t default_minor; /* of an HTB: class of what no filter knows */
};

/* Of all devices that have one, array in arena. Any thread. */
bool tc_root_list(struct netlink *netlink, struct arena *arena, const struct tc_root **roots,
    size_t *n_roots, struct err *err) must_check;

/* Removes it with its classes, queues and filters; the kernel chooses another. Absent is success.
 */
bool tc_root_remove(struct netlink *netlink, uint32_t device, struct err *err) must_check;
