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
	uint32_t prio; /* of a leaf: lower ones are served first with what is not guaranteed */
	/*
	 * Bytes that a leaf's queue may hold; 0: the queue is left as it is, or the class is no
	 * leaf. A change of it alone keeps the frames that are in the queue.
	 */
	uint32_t queue_bytes;
	/* Found: */
	bool has_queue;         /* one that was made with queue_bytes */
	uint32_t backlog_bytes; /* what is in it */
	uint64_t drops;         /* frames that it refused */
};

/* The root qdisc 1: of a device is HTB with this default class. Another root is replaced. */
bool tc_htb_ensure(
    struct netlink *netlink, uint32_t device, uint32_t default_minor, struct err *err) must_check;

/* Is what was found as wanted, as far as the kernel keeps it? Of queues: is there one? */
bool tc_class_is(const struct tc_class *found, const struct tc_class *wanted) must_check;

/* Makes or changes a class, and its queue where one is given. */
bool tc_class_put(struct netlink *netlink, uint32_t device, const struct tc_class *class,
    struct err *err) must_check;

/*
 * The same with many, parents before their children, many in a system call. All are tried;
 * errors[i] (array by the caller, may be NULL) is the kernel's errno of class i, 0 = it is as
 * given. False: some are not, err tells of the first.
 */
bool tc_class_put_many(struct netlink *netlink, uint32_t device, const struct tc_class *classes,
    size_t n_classes, int *errors, struct err *err) must_check;

/* Removes it; absent is success. Children go first. */
bool tc_class_remove(
    struct netlink *netlink, uint32_t device, uint32_t minor, struct err *err) must_check;
bool tc_class_remove_many(struct netlink *netlink, uint32_t device, const uint32_t *minors,
    size_t n_minors, struct err *err) must_check;

/* All classes of the tree, array in arena; none when there is no tree. */
bool tc_class_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const struct tc_class **classes, size_t *n_classes, struct err *err) must_check;

/* One class; ERR_NOT_FOUND when it is absent. */
bool tc_class_find(struct netlink *netlink, uint32_t device, uint32_t minor, struct tc_class *class,
    struct err *err) must_check;

/* The hook that BPF programs attach to; existing is success, and so is absent at removal. */
bool tc_clsact_ensure(struct netlink *netlink, uint32_t device, struct err *err) must_check;
bool tc_clsact_remove(struct netlink *netlink, uint32_t device, struct err *err) must_check;

/* Has it filters, or is there no such hook? Then it is no remnant of ours. */
bool tc_clsact_is_used(
    struct netlink *netlink, uint32_t device, bool *is_used, struct err *err) must_check;
