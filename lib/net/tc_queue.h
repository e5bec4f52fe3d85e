/*
 * How full the queue of a leaf class is, and what it had to refuse. One question to the kernel for
 * one class: the others are not looked at.
 */
#pragma once

#include "lib/net/netlink.h"

struct tc_queue {
	uint64_t frames, bytes; /* that wait now */
	uint64_t drops;         /* frames that found it full */
};

/* Of class 1:minor; ERR_NOT_FOUND when there is none. */
bool tc_queue_find(struct netlink *netlink, uint32_t device, uint32_t minor, struct tc_queue *queue,
    struct err *err) must_check;
