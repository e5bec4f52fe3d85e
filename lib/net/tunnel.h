/*
 * Tunnel devices of the kernel that are told packet by packet where to send ("external"), and the
 * addresses that such a device receives for.
 */
#pragma once

#include "lib/net/device.h"

enum tunnel_kind { TUNNEL_VXLAN, TUNNEL_GRETAP, TUNNEL_GENEVE };

/*
 * Makes it (udp_port: of VXLAN and Geneve), with room for any frame and IPv6 off, and sets it up.
 * An existing device of that name is taken as it is. ERR_UNAVAILABLE: this kernel has no such
 * devices; ERR_CONFLICT: another device has the port.
 */
bool tunnel_ensure(struct netlink *netlink, const char *name, enum tunnel_kind kind,
    uint16_t udp_port, struct device *device, struct err *err) must_check;

/* Is this IPv4 address (network order, as all here) one of this host's own? */
bool address_is_own(
    struct netlink *netlink, uint32_t address, bool *is_own, struct err *err) must_check;

/* The device has the address, with prefix length 32; it has it no more. Repeatable. */
bool address_put(
    struct netlink *netlink, uint32_t device, uint32_t address, struct err *err) must_check;
bool address_remove(
    struct netlink *netlink, uint32_t device, uint32_t address, struct err *err) must_check;

/* Its addresses, array in arena. */
bool address_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const uint32_t **addresses, size_t *n_addresses, struct err *err) must_check;
