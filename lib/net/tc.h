/*
 * Traffic control: HTB trees with byte-limited leaf queues, and the clsact hook for BPF programs.
 * Handles are major:minor as the kernel has them; rates in bit/s.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

enum { TC_HTB_MAJOR = 1 };

static inline uint32_t
tc_handle(uint32_t minor)
{
	return (uint32_t)TC_HTB_MAJOR << 16 | minor;
}

struct tc_class {
	uint32_t minor;
	uint32_t parent_minor; /* 0: the qdisc itself */
	uint64_t rate_bps;
	uint64_t ceil_bps;
	uint32_t burst_bytes;
	uint32_t cburst_bytes;
	uint32_t quantum_bytes;
	uint64_t drops; /* out: frames that the leaf queue refused */
};

/* The root qdisc 1: of a device is HTB with this default class. Another root is replaced. */
bool tc_htb_ensure(
    struct netlink *netlink, uint32_t device, uint32_t default_minor, struct err *err) must_check;

/* Makes or changes a class. */
bool tc_class_put(struct netlink *netlink, uint32_t device, const struct tc_class *class,
    struct err *err) must_check;

/* Removes it; absent is success. */
bool tc_class_remove(
    struct netlink *netlink, uint32_t device, uint32_t minor, struct err *err) must_check;

/* All classes of the tree, array in arena; none when there is no tree. */
bool tc_class_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const struct tc_class **classes, size_t *n_classes, struct err *err) must_check;

/* One class; ERR_NOT_FOUND when it is absent. */
bool tc_class_find(struct netlink *netlink, uint32_t device, uint32_t minor, struct tc_class *class,
    struct err *err) must_check;

/* The queue of a leaf class holds at most this many bytes. */
bool tc_leaf_put(struct netlink *netlink, uint32_t device, uint32_t minor, uint32_t limit_bytes,
    struct err *err) must_check;

/* The hook that BPF programs attach to; existing is success, and so is absent at removal. */
bool tc_clsact_ensure(struct netlink *netlink, uint32_t device, struct err *err) must_check;
bool tc_clsact_remove(struct netlink *netlink, uint32_t device, struct err *err) must_check;
