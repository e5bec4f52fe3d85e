/*
 * The shaper: one HTB tree per underlay port,
 *
 *     1:1 the port ▸ a class per slice ▸ a leaf per link end, or per virtual node
 *                                      ▸ with priorities: a class ▸ its first leaf, the rest
 *              ▸ a class per slice ▸ its first leaf, the rest, where the slice is what is counted
 *              ▸ 1:2 whatever else the host sends by the port (ARP)
 *              ▸ 1:3 policed link ends: guaranteed what they are, each limited before it comes here
 *              ▸ 1:4 best effort and what policed ones send above their guarantee: what is left
 *
 * in wire rates. A frame's class is chosen by the data plane. Policed and best effort link ends
 * have no class of their own, so any number of them costs the tree nothing.
 *
 * A slice and a leaf are numbers; a class is a number in one of four forms, so that a leaf which
 * gets or loses priorities is made beside the old one, and no queue is lost. Callers hold
 * redirector.trees: a tree is changed by one at a time.
 */
#pragma once

#include <stdint.h>

#include "lib/net/tc.h"
#include "redirector/kernel_view.h"

enum shaper_mode { SHAPER_SHAPING, SHAPER_POLICING, SHAPER_BESTEFFORT };

/* What has a leaf: a link end, all of a virtual node, all of a slice. */
enum shaper_per { SHAPER_PER_LINK, SHAPER_PER_NODE, SHAPER_PER_SLICE };

enum {
	SHAPER_PORT = 1, /* minors of the classes that are always there */
	SHAPER_OTHERS = 2,
	SHAPER_POLICED = 3,
	SHAPER_LEFT = 4,
	SHAPER_FIRST = 16, /* numbers of slices and leaves */
	SHAPER_LAST = 0x3ffe,
	SHAPER_BLOCK = 9, /* numbers of a pooled slice: itself and its leaves */
};

/* Forms of a number: its class's minor is form x 0x4000 + number. */
enum shaper_form { SHAPER_PLAIN, SHAPER_INNER, SHAPER_FIRST_LEAF, SHAPER_REST, SHAPER_FORMS };

static inline uint32_t
shaper_minor(uint32_t number, enum shaper_form form)
{
	return (uint32_t)form << 14 | number;
}

static inline uint32_t
shaper_number(uint32_t minor)
{
	return minor & 0x3fff;
}

/* The classes that are always there. */
struct shaper_root {
	uint32_t device; /* ifindex of the underlay port */
	uint64_t rate_bps;
	uint64_t policed_bps; /* guaranteed to policed link ends, all together */
	uint32_t n_blocks;    /* pooled slices: classes kept ready to be changed */
};

/* A leaf and its slice as they should be. */
struct shaper_link {
	uint32_t device;
	uint32_t number;
	uint32_t slice_number; /* SHAPER_PORT: the leaf stands for the slice */
	uint32_t n_blocks;
	bool is_wanted; /* some link end of this leaf is shaped; false: it should be gone */
	bool is_slice_wanted;
	bool is_split;     /* into a first leaf and the rest */
	uint64_t rate_bps; /* sums over the leaf's link ends */
	uint64_t ceil_bps;
	uint64_t slice_bps; /* guaranteed to the slice's link ends, all together */
	uint64_t port_bps;
	uint64_t burst_bytes; /* 0 = chosen here; never more than a second of rate_bps, or 64 KiB */
	uint32_t frame_bytes; /* largest frame on the wire */
};

bool shaper_root_ensure(
    struct netlink *netlink, const struct shaper_root *root, struct err *err) must_check;

/* Its classes are as described: made, or changed in place. What differs alone is touched. */
bool shaper_ensure(
    struct netlink *netlink, const struct shaper_link *link, struct err *err) must_check;

/* Are they there, with their queues? ERR_NOT_FOUND: one is missing; ERR_CONFLICT: it has other
 * values. view: see kernel_view.h. */
bool shaper_is_there(struct kernel_view *view, struct netlink *netlink,
    const struct shaper_link *link, struct err *err) must_check;
bool shaper_root_is_there(struct kernel_view *view, struct netlink *netlink,
    const struct shaper_root *root, struct err *err) must_check;

/*
 * Classes of its numbers that are not wanted are gone, pooled ones parked. Absent is success.
 * ERR_WAIT: one still has frames, call again; with is_hasty these are dropped.
 */
bool shaper_retire(struct netlink *netlink, const struct shaper_link *link, bool is_hasty,
    struct err *err) must_check;

/* ---- what a tree is like: pure -------------------------------------------------------------- */

enum { SHAPER_CLASSES_MAX = 4, SHAPER_ROOT_CLASSES = 4 };

/* The classes of a link, parents first; returns how many. */
size_t shaper_classes(const struct shaper_link *link, struct tc_class classes[SHAPER_CLASSES_MAX]);

void shaper_root_classes(
    const struct shaper_root *root, struct tc_class classes[SHAPER_ROOT_CLASSES]);

/* Is this class kept ready while nobody uses it? Then *parked is how. */
bool shaper_parked(
    uint32_t minor, uint32_t n_blocks, uint64_t port_bps, struct tc_class *parked) must_check;

/* Bytes that the queue of a leaf with this ceiling may hold. */
uint32_t shaper_queue_bytes(uint64_t ceil_bps);

/* Bytes that a policed link may send at once. 0 asked: chosen here; never more than a second of
 * the guarantee, 64 KiB, or what a queue would hold. */
uint64_t shaper_police_burst(uint64_t rate_bps, uint64_t ceil_bps, uint64_t asked_bytes);
