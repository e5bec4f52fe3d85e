/*
 * The kernel's neighbour table: the MAC address of a next hop.
 */
#pragma once

#include "lib/net/netlink.h"

/*
 * The MAC address of an IPv4 neighbour (network order) behind a device. ERR_WAIT: not known now;
 * the kernel has been asked to find out and will send an event (RTNLGRP_NEIGH). A known address
 * that is getting old is confirmed in the background.
 */
bool neigh_resolve(struct netlink *netlink, uint32_t device, uint32_t address, unsigned char mac[6],
    struct err *err) must_check;

/* Sets a permanent address: for hosts whose next hop does not speak ARP, and for tests. */
bool neigh_set(struct netlink *netlink, uint32_t device, uint32_t address,
    const unsigned char mac[6], struct err *err) must_check;

/* Does this event tell of an IPv4 neighbour that was resolved, changed or lost? */
bool neigh_is_news(const struct reply *reply);
