/*
 * Network devices of this network namespace.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/net/netlink.h"

struct device {
	uint32_t index;
	char name[16];
	unsigned char mac[6];
	uint32_t mtu;
	uint32_t master; /* index of the bridge that it is a port of; 0 = none */
	bool is_up;      /* administratively */
	bool is_running; /* up and with a carrier */
	bool is_promiscuous;
	bool is_far; /* a veth whose other half is in another network namespace: there it is */
	int32_t far_namespace; /* as this one numbers it */
	uint32_t far_index;
};

/* Finds a device by name. ERR_NOT_FOUND: there is none. */
bool device_find(
    struct netlink *netlink, const char *name, struct device *device, struct err *err) must_check;

/* The address of the other half of a device that is_far. ERR_NOT_FOUND: it has gone. */
bool device_far_mac(struct netlink *netlink, const struct device *device, unsigned char mac[6],
    struct err *err) must_check;

/* All devices, array in arena. */
bool device_list(struct netlink *netlink, struct arena *arena, const struct device **devices,
    size_t *n_devices, struct err *err) must_check;

/* Makes a veth pair, down, IPv6 off. Existing ones are left as they are. */
bool device_make_pair(
    struct netlink *netlink, const char *name, const char *peer, struct err *err) must_check;

/* Sets it up with this mtu (0 = as it is). */
bool device_up(
    struct netlink *netlink, const struct device *device, uint32_t mtu, struct err *err) must_check;

/* Removes it, and of a veth pair the other half too; absent is success. */
bool device_remove(struct netlink *netlink, const char *name, struct err *err) must_check;

/* Frames for any MAC address come in by it, or only those for its own. */
bool device_promiscuous(
    struct netlink *netlink, const struct device *device, bool on, struct err *err) must_check;

/* No IPv6 address and no router solicitation on it. Absent IPv6 is success. */
bool device_ipv6_off(const char *name, struct err *err) must_check;

/* The device that an event tells of, as it is now or as it was when it went (is_gone); false when
 * it tells of none. */
bool device_of_event(const struct reply *reply, struct device *device, bool *is_gone);
