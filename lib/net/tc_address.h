/*
 * Which class of a device's HTB tree the packets to an IPv4 address have: u32 filters in two steps
 * of hash tables (third byte, fourth byte), so that a packet costs the same however many addresses
 * there are. They go with the tree. Callers see to it that one changes those of a device at a time.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

struct tc_address {
	uint32_t address; /* network order */
	uint32_t minor;   /* of the class */
};

/*
 * An address that has no class yet gets one; the class may be made later. ERR_CONFLICT: another
 * address has its place (same last two bytes, and the first two hash alike: rare). ERR_WAIT: there
 * is no such device, or no tree.
 */
bool tc_address_put(struct netlink *netlink, uint32_t device, const struct tc_address *entry,
    struct err *err) must_check;

/* Fills in the minor of entry->address; *is_found false: it has none. */
bool tc_address_find(struct netlink *netlink, uint32_t device, struct tc_address *entry,
    bool *is_found, struct err *err) must_check;

/* Absent is success. */
bool tc_address_remove(
    struct netlink *netlink, uint32_t device, uint32_t address, struct err *err) must_check;

/* All of them, array in arena. */
bool tc_address_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const struct tc_address **entries, size_t *n_entries, struct err *err) must_check;

/* For netlink_events_new, and: does this event tell that a filter, a class or a qdisc has gone? */
extern const int tc_news_group;
bool tc_is_news(const struct reply *reply);
