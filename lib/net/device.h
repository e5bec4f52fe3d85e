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
	bool is_up;      /* administratively */
	bool is_running; /* up and with a carrier */
};

/* Finds a device by name. ERR_NOT_FOUND: there is none. */
bool device_find(
    struct netlink *netlink, const char *name, struct device *device, struct err *err) must_check;

/* All devices, array in arena. */
bool device_list(struct netlink *netlink, struct arena *arena, const struct device **devices,
    size_t *n_devices, struct err *err) must_check;

/* Makes a veth pair, down, IPv6 off. Existing ones are left as they are. */
bool device_make_pair(
    struct netlink *netlink, const char *name, const char *peer, struct err *err) must_check;

/* Sets it up with this mtu (0 = as it is). */
bool device_up(
    struct netlink *netlink, const struct device *device, uint32_t mtu, struct err *err) must_check;

/* No IPv6 address and no router solicitation on it. Absent IPv6 is success. */
bool device_ipv6_off(const char *name, struct err *err) must_check;

/* Does this event tell of a device that appeared, changed or went? */
bool device_is_news(const struct reply *reply);

/* The device that an event tells of; false when it tells of none, or of one that went. */
bool device_of_event(const struct reply *reply, struct device *device);
