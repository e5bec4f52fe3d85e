/*
 * Tunnel devices and addresses: RTM_NEWLINK, RTM_NEWADDR.
 */
#include "lib/net/tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/vec.h"

/* Any frame of a slice with its header in front: less than what IP can carry. */
enum { TUNNEL_MTU = 65400 };

/* How the kernel calls devices of a kind, and how they are told to be external. */
static const struct {
	const char *name;
	uint16_t external;
	uint8_t external_size; /* of a value of 1; 0: presence alone */
	uint16_t port;         /* 0: it has none */
} kinds[] = {
    [TUNNEL_VXLAN] = {"vxlan", IFLA_VXLAN_COLLECT_METADATA, 1, IFLA_VXLAN_PORT},
    [TUNNEL_GRETAP] = {"gretap", IFLA_GRE_COLLECT_METADATA, 0, 0},
    [TUNNEL_GENEVE] = {"geneve", IFLA_GENEVE_COLLECT_METADATA, 0, IFLA_GENEVE_PORT},
};

/* 0 or the kernel's errno. */
static int
make(struct netlink *netlink, const char *name, enum tunnel_kind kind, uint16_t udp_port)
{
	struct ifinfomsg info = {0};
	uint16_t port = htons(udp_port);
	uint8_t one = 1;
	struct message message;
	size_t link, data;

	message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_KIND, kinds[kind].name);
	data = message_nest(&message, IFLA_INFO_DATA);
	message_put(&message, kinds[kind].external, &one, kinds[kind].external_size);
	if (kinds[kind].port)
		message_put(&message, kinds[kind].port, &port, sizeof(port));
	message_end(&message, data);
	message_end(&message, link);
	return netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
}

static bool
make_failed(const char *name, enum tunnel_kind kind, uint16_t udp_port, int error, struct err *err)
{
	if (error == EOPNOTSUPP)
		return err_set(err, ERR_UNAVAILABLE, "this kernel has no devices of kind %s",
		    kinds[kind].name);
	if (error == EEXIST || error == EADDRINUSE)
		return err_set(err, ERR_CONFLICT,
		    "making device '%s': another %s device has port %u of this host", name,
		    kinds[kind].name, udp_port);
	return err_set(err, ERR_INTERNAL, "making device '%s': %s", name, strerror(error));
}

bool
tunnel_ensure(struct netlink *netlink, const char *name, enum tunnel_kind kind, uint16_t udp_port,
    struct device *device, struct err *err)
{
	struct err why;
	int error;

	if (!device_find(netlink, name, device, &why)) {
		if (why.code != ERR_NOT_FOUND)
			return err_set(err, why.code, "%s", why.text);
		error = make(netlink, name, kind, udp_port);
		if (error)
			return make_failed(name, kind, udp_port, error, err);
		if (!device_ipv6_off(name, err) || !device_find(netlink, name, device, err))
			return false;
	}
	return device->is_up || device_up(netlink, device, TUNNEL_MTU, err);
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static void
one_route(void *self, const struct reply *reply)
{
	const struct rtmsg *info = reply->fixed;
	bool *is_own = self;

	*is_own = info->rtm_type == RTN_LOCAL;
}

/* The kernel's way to an address of its own is a local one: no need to list them all. */
bool
address_is_own(struct netlink *netlink, uint32_t address, bool *is_own, struct err *err)
{
	struct rtmsg fixed = {.rtm_family = AF_INET, .rtm_dst_len = 32};
	struct message message;
	int error;

	*is_own = false;
	message_begin(&message, RTM_GETROUTE, 0, &fixed, sizeof(fixed));
	message_put(&message, RTA_DST, &address, sizeof(address));
	error = netlink_ask(netlink, &message, sizeof(fixed), one_route, is_own);
	if (error && error != ENETUNREACH && error != EHOSTUNREACH && error != ESRCH)
		return err_set(err, ERR_INTERNAL, "looking for an address: %s", strerror(error));
	return true;
}

static int
change(struct netlink *netlink, uint16_t type, uint16_t flags, uint32_t device, uint32_t address)
{
	struct ifaddrmsg fixed = {.ifa_family = AF_INET, .ifa_prefixlen = 32, .ifa_index = device};
	struct message message;

	message_begin(&message, type, flags, &fixed, sizeof(fixed));
	message_put(&message, IFA_LOCAL, &address, sizeof(address));
	message_put(&message, IFA_ADDRESS, &address, sizeof(address));
	return netlink_ask(netlink, &message, sizeof(fixed), NULL, NULL);
}

bool
address_put(struct netlink *netlink, uint32_t device, uint32_t address, struct err *err)
{
	int error = change(netlink, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, device, address);

	return !error || error == EEXIST ||
	       err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
		   "giving device %u an address: %s", device, strerror(error));
}

bool
address_remove(struct netlink *netlink, uint32_t device, uint32_t address, struct err *err)
{
	int error = change(netlink, RTM_DELADDR, 0, device, address);

	return !error || error == EADDRNOTAVAIL || error == ENODEV ||
	       err_set(err, ERR_INTERNAL, "taking an address from device %u: %s", device,
		   strerror(error));
}

struct addresses {
	uint32_t device;
	vec_of(uint32_t) found;
};

static void
one_address(void *self, const struct reply *reply)
{
	const struct ifaddrmsg *info = reply->fixed;
	struct addresses *addresses = self;

	if (info->ifa_family == AF_INET && info->ifa_index == addresses->device)
		vec_push(&addresses->found, reply_u32(reply->attrs[IFA_LOCAL]));
}

bool
address_list(struct netlink *netlink, uint32_t device, struct arena *arena,
    const uint32_t **addresses, size_t *n_addresses, struct err *err)
{
	struct ifaddrmsg fixed = {.ifa_family = AF_INET};
	struct addresses listing = {.device = device};
	struct message message;
	int error;

	message_begin(&message, RTM_GETADDR, NLM_F_DUMP, &fixed, sizeof(fixed));
	error = netlink_ask(netlink, &message, sizeof(fixed), one_address, &listing);
	if (!error) {
		*addresses = (const uint32_t *)(void *)arena_copy(
		    arena, listing.found.items, listing.found.n * sizeof(uint32_t));
		*n_addresses = listing.found.n;
	}
	vec_done(&listing.found);
	return !error || err_set(err, ERR_INTERNAL, "listing addresses: %s", strerror(error));
}
