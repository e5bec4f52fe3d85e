/*
 * Devices: find, list, veth pairs, up.
 */
#include "lib/net/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/vec.h"

struct listing {
	struct arena *arena;
	vec_of(struct device) devices;
};

/* Only of what is in another network namespace does the kernel tell that one's number. */
static void
read_far(const struct reply *reply, struct device *device)
{
	const struct nlattr *space = reply->attrs[IFLA_LINK_NETNSID], *members[REPLY_TYPES];

	if (!space || !reply->attrs[IFLA_LINKINFO])
		return;
	reply_members(reply->attrs[IFLA_LINKINFO], members);
	device->is_far = !strcmp(reply_text(members[IFLA_INFO_KIND]), "veth");
	device->far_namespace = (int32_t)reply_u32(space);
	device->far_index = reply_u32(reply->attrs[IFLA_LINK]);
}

static void
read_device(const struct reply *reply, struct device *device)
{
	const struct ifinfomsg *info = reply->fixed;
	const void *mac = reply_data(reply->attrs[IFLA_ADDRESS], 6);

	*device = (struct device){
	    .index = (uint32_t)info->ifi_index,
	    .mtu = reply_u32(reply->attrs[IFLA_MTU]),
	    .master = reply_u32(reply->attrs[IFLA_MASTER]),
	    .is_up = info->ifi_flags & IFF_UP,
	    .is_promiscuous = info->ifi_flags & IFF_PROMISC,
	    .is_running = (info->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING),
	};
	snprintf(device->name, sizeof(device->name), "%s", reply_text(reply->attrs[IFLA_IFNAME]));
	if (mac)
		memcpy(device->mac, mac, 6);
	read_far(reply, device);
}

static void
one_device(void *self, const struct reply *reply)
{
	read_device(reply, self);
}

static void
add_device(void *self, const struct reply *reply)
{
	struct listing *listing = self;

	read_device(reply, vec_add(&listing->devices));
}

bool
device_find(struct netlink *netlink, const char *name, struct device *device, struct err *err)
{
	struct message message;
	struct device found = {0};
	int error;

	message_begin(&message, RTM_GETLINK, 0, &(struct ifinfomsg){0}, sizeof(struct ifinfomsg));
	message_put_text(&message, IFLA_IFNAME, name);
	error = netlink_ask(netlink, &message, sizeof(struct ifinfomsg), one_device, &found);
	if (error == ENODEV || (!error && !found.index))
		return err_set(err, ERR_NOT_FOUND, "there is no device '%s'", name);
	if (error)
		return err_set(
		    err, ERR_INTERNAL, "looking for device '%s': %s", name, strerror(error));
	*device = found;
	return true;
}

bool
device_far_mac(
    struct netlink *netlink, const struct device *device, unsigned char mac[6], struct err *err)
{
	struct ifinfomsg info = {.ifi_index = (int)device->far_index};
	struct message message;
	struct device found = {0};
	int error;

	message_begin(&message, RTM_GETLINK, 0, &info, sizeof(info));
	message_put_u32(&message, IFLA_TARGET_NETNSID, (uint32_t)device->far_namespace);
	error = netlink_ask(netlink, &message, sizeof(info), one_device, &found);
	if (error || !found.index)
		return err_set(err, ERR_NOT_FOUND, "the other half of device '%s': %s",
		    device->name, strerror(error));
	memcpy(mac, found.mac, sizeof(found.mac));
	return true;
}

bool
device_list(struct netlink *netlink, struct arena *arena, const struct device **devices,
    size_t *n_devices, struct err *err)
{
	struct listing listing = {.arena = arena};
	struct message message;
	int error;

	message_begin(
	    &message, RTM_GETLINK, NLM_F_DUMP, &(struct ifinfomsg){0}, sizeof(struct ifinfomsg));
	error = netlink_ask(netlink, &message, sizeof(struct ifinfomsg), add_device, &listing);
	if (!error) {
		*devices = (const struct device *)(void *)arena_copy(
		    arena, listing.devices.items, listing.devices.n * sizeof(struct device));
		*n_devices = listing.devices.n;
	}
	vec_done(&listing.devices);
	return !error || err_set(err, ERR_INTERNAL, "listing devices: %s", strerror(error));
}

bool
device_make_pair(struct netlink *netlink, const char *name, const char *peer, struct err *err)
{
	struct ifinfomsg info = {0};
	struct message message;
	size_t link, data, other;
	int error;

	message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_KIND, "veth");
	data = message_nest(&message, IFLA_INFO_DATA);
	other = message_nest(&message, VETH_INFO_PEER);
	message_append(&message, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, peer);
	message_end(&message, other);
	message_end(&message, data);
	message_end(&message, link);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (error && error != EEXIST)
		return err_set(err, ERR_INTERNAL, "making devices '%s' and '%s': %s", name, peer,
		    strerror(error));
	return device_ipv6_off(name, err) && device_ipv6_off(peer, err);
}

bool
device_up(struct netlink *netlink, const struct device *device, uint32_t mtu, struct err *err)
{
	struct ifinfomsg info = {
	    .ifi_index = (int)device->index,
	    .ifi_flags = IFF_UP,
	    .ifi_change = IFF_UP,
	};
	struct message message;
	int error;

	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	if (mtu)
		message_put_u32(&message, IFLA_MTU, mtu);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, ERR_INTERNAL, "setting device '%s' up: %s", device->name,
			     strerror(error));
}

bool
device_remove(struct netlink *netlink, const char *name, struct err *err)
{
	struct ifinfomsg info = {0};
	struct message message;
	int error;

	message_begin(&message, RTM_DELLINK, 0, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || error == ENODEV ||
	       err_set(err, ERR_INTERNAL, "removing device '%s': %s", name, strerror(error));
}

bool
device_promiscuous(struct netlink *netlink, const struct device *device, bool on, struct err *err)
{
	struct ifinfomsg info = {
	    .ifi_index = (int)device->index,
	    .ifi_flags = on ? IFF_PROMISC : 0,
	    .ifi_change = IFF_PROMISC,
	};
	struct message message;
	int error;

	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, error == ENODEV ? ERR_WAIT : ERR_INTERNAL,
			     "switching device '%s' to %s: %s", device->name,
			     on ? "all frames" : "its own frames", strerror(error));
}

/* Writing, even of what it has already, spins in the kernel while anybody changes a device. */
bool
device_ipv6_off(const char *name, struct err *err)
{
	char path[96], is_off = '0';
	ssize_t done = 1;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, "opening %s: %s", path, strerror(errno));
	if (pread(fd, &is_off, 1, 0) != 1 || is_off != '1')
		done = pwrite(fd, "1", 1, 0);
	close(fd);
	return done == 1 || err_set(err, ERR_INTERNAL, "writing %s: %s", path, strerror(errno));
}

bool
device_of_event(const struct reply *reply, struct device *device, bool *is_gone)
{
	const struct ifinfomsg *info = reply->fixed;

	*is_gone = reply->type == RTM_DELLINK;
	/* What a bridge tells of its ports is less, and that one left it is not its end. */
	if ((reply->type != RTM_NEWLINK && !*is_gone) || info->ifi_family != AF_UNSPEC)
		return false;
	read_device(reply, device);
	return true;
}
