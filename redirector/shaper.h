/*
 * The shaper: one HTB tree per underlay port,
 *
 *     1:1 the port ▸ one class per slice ▸ one leaf per link end, with rate and ceiling
 *              ▸ 1:2 whatever else the host sends by the port (ARP)
 *
 * in wire rates (own frames and 42 bytes of tunnel each). A frame's class is chosen by the data
 * plane. Callers hold redirector.trees: a tree is changed by one at a time.
 */
#pragma once

#include <stdint.h>

#include "lib/net/tc.h"

/* Classes of slices and link ends are numbered from here to SHAPER_LAST. */
enum { SHAPER_FIRST = 16, SHAPER_LAST = 0xfffe };

struct shaper_link {
	uint32_t device; /* ifindex of the underlay port */
	uint32_t class;  /* minor of the leaf */
	uint32_t slice_class;
	uint64_t rate_bps; /* guaranteed; 0 = best effort */
	uint64_t ceil_bps;
	uint64_t port_bps;    /* rate of the port */
	uint64_t burst_bytes; /* 0 = chosen here */
	uint32_t frame_bytes; /* largest frame on the wire */
};

bool shaper_root_ensure(
    struct netlink *netlink, uint32_t device, int64_t rate_bps, struct err *err) must_check;

/* The classes of a link end are as described: made or changed in place. */
bool shaper_ensure(
    struct netlink *netlink, const struct shaper_link *link, struct err *err) must_check;

/* Is its leaf there with these rates? */
bool shaper_is_there(
    struct netlink *netlink, const struct shaper_link *link, struct err *err) must_check;

/* The leaf is gone, and its slice's class when it was the last. Absent is success. */
bool shaper_remove(
    struct netlink *netlink, uint32_t device, uint32_t class, struct err *err) must_check;

/* What the house thinks a leaf should be like; for tests too. */
struct tc_class shaper_leaf(const struct shaper_link *link);

/* Bytes that the queue of a leaf may hold. */
uint32_t shaper_queue_bytes(const struct shaper_link *link);
