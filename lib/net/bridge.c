/*
 * Bridges and their ports, by rtnetlink.
 */
#include "lib/net/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/bpf.h"

/* Kernel 6.8; younger than the headers of Debian 12. */
enum { BR_FDB_MAX_LEARNED = IFLA_BR_MCAST_QUERIER_STATE + 2 };

/* Link-local group addresses that pass: all but that of pause frames, which the kernel keeps. */
static const uint16_t groups_passed = 0xfffd;

enum { TICKS_A_SECOND = 100 };

static const char *const filters[] = {"iptables", "ip6tables", "arptables"};

/* What a device is said to be, as far as bridges go. */
struct state {
	struct device device;
	bool is_bridge;
	struct bridge bridge;
	bool has_limit; /* the kernel knows learned_max */
	bool has_snooping, has_spanning_tree;
	uint16_t groups; /* of a port */
};

static uint16_t
reply_u16(const struct nlattr *attr)
{
	const void *data = reply_data(attr, sizeof(uint16_t));
	uint16_t value = 0;

	if (data)
		memcpy(&value, data, sizeof(value));
	return value;
}

static bool
reply_is_set(const struct nlattr *attr)
{
	const uint8_t *data = reply_data(attr, 1);

	return data && *data;
}

static void
read_state(void *self, const struct reply *reply)
{
	const struct nlattr *info[REPLY_TYPES], *data[REPLY_TYPES], *port[REPLY_TYPES];
	struct state *state = self;
	bool is_gone;

	if (!device_of_event(reply, &state->device, &is_gone))
		return;
	reply_members(reply->attrs[IFLA_LINKINFO], info);
	reply_members(info[IFLA_INFO_DATA], data);
	reply_members(info[IFLA_INFO_SLAVE_DATA], port);
	state->is_bridge = !strcmp(reply_text(info[IFLA_INFO_KIND]), "bridge");
	if (!strcmp(reply_text(info[IFLA_INFO_SLAVE_KIND]), "bridge"))
		state->groups = reply_u16(port[IFLA_BRPORT_GROUP_FWD_MASK]);
	if (!state->is_bridge)
		return;
	state->bridge.ageing_s = reply_u32(data[IFLA_BR_AGEING_TIME]) / TICKS_A_SECOND;
	state->has_limit = data[BR_FDB_MAX_LEARNED] != NULL;
	state->bridge.learned_max = reply_u32(data[BR_FDB_MAX_LEARNED]);
	state->has_snooping = reply_is_set(data[IFLA_BR_MCAST_SNOOPING]);
	state->has_spanning_tree = reply_u32(data[IFLA_BR_STP_STATE]) != 0;
}

/* ERR_NOT_FOUND: there is no such device. */
static bool
find(struct netlink *netlink, const char *name, struct state *state, struct err *err)
{
	struct ifinfomsg info = {0};
	struct message message;
	int error;

	*state = (struct state){0};
	message_begin(&message, RTM_GETLINK, 0, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	error = netlink_ask(netlink, &message, sizeof(info), read_state, state);
	if (error == ENODEV || (!error && !state->device.index))
		return err_set(err, ERR_NOT_FOUND, "there is no device '%s'", name);
	return !error ||
	       err_set(err, ERR_INTERNAL, "looking for device '%s': %s", name, strerror(error));
}

static void
put_u8(struct message *message, uint16_t type, uint8_t value)
{
	message_put(message, type, &value, sizeof(value));
}

static void
put_u16(struct message *message, uint16_t type, uint16_t value)
{
	message_put(message, type, &value, sizeof(value));
}

/* ---- the bridge ------------------------------------------------------------------------------ */

/*
 * A kernel that keeps any number of addresses is told to learn none, which is what an ageing time
 * of 0 means to it: every frame goes everywhere, but who invents addresses fills no memory.
 */
static uint32_t
ageing_of(const struct state *state, const struct bridge *bridge)
{
	return state->has_limit ? bridge->ageing_s : 0;
}

static bool
has_settings(const struct state *state, const struct bridge *bridge)
{
	return state->bridge.ageing_s == ageing_of(state, bridge) && !state->has_snooping &&
	       !state->has_spanning_tree &&
	       (!state->has_limit || state->bridge.learned_max == bridge->learned_max);
}

/* Makes it, or changes the settings of the one that is there (`flags` 0). */
static bool
put(struct netlink *netlink, const char *name, const struct bridge *bridge, uint16_t flags,
    struct err *err)
{
	struct ifinfomsg info = {0};
	struct message message;
	size_t link, data;
	int error;

	message_begin(&message, RTM_NEWLINK, flags, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_KIND, "bridge");
	data = message_nest(&message, IFLA_INFO_DATA);
	message_put_u32(&message, IFLA_BR_AGEING_TIME, bridge->ageing_s * TICKS_A_SECOND);
	message_put_u32(&message, IFLA_BR_STP_STATE, 0);
	put_u8(&message, IFLA_BR_MCAST_SNOOPING, 0);
	message_put_u32(&message, BR_FDB_MAX_LEARNED, bridge->learned_max);
	message_end(&message, data);
	message_end(&message, link);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || (flags && error == EEXIST) ||
	       err_set(err, ERR_INTERNAL, "making bridge '%s': %s", name, strerror(error));
}

bool
bridge_ensure(
    struct netlink *netlink, const char *name, const struct bridge *bridge, struct err *err)
{
	struct bridge settled;
	struct state state;

	if (!find(netlink, name, &state, err)) {
		if (err->code != ERR_NOT_FOUND ||
		    !put(netlink, name, bridge, NLM_F_CREATE | NLM_F_EXCL, err) ||
		    !find(netlink, name, &state, err))
			return false;
	}
	if (!state.is_bridge)
		return err_set(err, ERR_CONFLICT, "device '%s' is no bridge", name);
	settled = *bridge;
	settled.ageing_s = ageing_of(&state, bridge);
	if (!has_settings(&state, bridge) && !put(netlink, name, &settled, 0, err))
		return false;
	/*
	 * A frame to everybody is for the bridge's host as well, which would answer for its own
	 * addresses: whatever comes up from the bridge is dropped before the host sees it.
	 */
	return device_ipv6_off(name, err) && bpf_ingress_close(netlink, state.device.index, err) &&
	       (state.device.is_up || device_up(netlink, &state.device, 0, err));
}

bool
bridge_is_there(
    struct netlink *netlink, const char *name, const struct bridge *bridge, struct err *err)
{
	struct state state;

	if (!find(netlink, name, &state, err))
		return false;
	if (!state.is_bridge || !state.device.is_up || !has_settings(&state, bridge) ||
	    !bpf_ingress_is_closed(state.device.index))
		return err_set(err, ERR_NOT_FOUND, "bridge '%s' is not as it was made", name);
	return true;
}

/* ---- its ports ------------------------------------------------------------------------------- */

/* Born as a port of the bridge: at no time is there a half that nobody owns. */
static bool
make_port(struct netlink *netlink, const struct device *bridge, const struct bridge_port *port,
    struct err *err)
{
	struct ifinfomsg info = {0};
	struct message message;
	size_t link, data, other;
	int error;

	message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, port->name);
	message_put_u32(&message, IFLA_MASTER, bridge->index);
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_KIND, "veth");
	data = message_nest(&message, IFLA_INFO_DATA);
	other = message_nest(&message, VETH_INFO_PEER);
	message_append(&message, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, port->peer);
	message_end(&message, other);
	message_end(&message, data);
	message_end(&message, link);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || error == EEXIST ||
	       err_set(err, ERR_INTERNAL, "making devices '%s' and '%s': %s", port->name,
		   port->peer, strerror(error));
}

static bool
set_master(struct netlink *netlink, const struct device *bridge, const struct device *device,
    struct err *err)
{
	struct ifinfomsg info = {.ifi_index = (int)device->index};
	struct message message;
	int error;

	if (device->master == bridge->index)
		return true;
	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	message_put_u32(&message, IFLA_MASTER, bridge->index);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, ERR_INTERNAL, "making '%s' a port of '%s': %s", device->name,
			     bridge->name, strerror(error));
}

static bool
pass_groups(struct netlink *netlink, const struct device *device, struct err *err)
{
	struct ifinfomsg info = {.ifi_index = (int)device->index};
	struct message message;
	size_t link, data;
	int error;

	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_SLAVE_KIND, "bridge");
	data = message_nest(&message, IFLA_INFO_SLAVE_DATA);
	put_u16(&message, IFLA_BRPORT_GROUP_FWD_MASK, groups_passed);
	message_end(&message, data);
	message_end(&message, link);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, ERR_INTERNAL, "setting bridge port '%s': %s", device->name,
			     strerror(error));
}

static bool
bring_up(struct netlink *netlink, const struct device *device, uint32_t mtu, struct err *err)
{
	if (device->is_up && device->mtu == mtu)
		return true;
	return device_ipv6_off(device->name, err) && device_up(netlink, device, mtu, err);
}

bool
bridge_port_ensure(struct netlink *netlink, const struct device *bridge,
    const struct bridge_port *port, struct err *err)
{
	struct device peer;
	struct state state;

	if (!find(netlink, port->name, &state, err)) {
		if (err->code != ERR_NOT_FOUND || !make_port(netlink, bridge, port, err) ||
		    !find(netlink, port->name, &state, err))
			return false;
	}
	return set_master(netlink, bridge, &state.device, err) &&
	       (state.groups == groups_passed || pass_groups(netlink, &state.device, err)) &&
	       device_find(netlink, port->peer, &peer, err) &&
	       bpf_ingress_close(netlink, peer.index, err) &&
	       bring_up(netlink, &state.device, port->mtu, err) &&
	       bring_up(netlink, &peer, port->mtu, err);
}

bool
bridge_port_is_there(struct netlink *netlink, const struct device *bridge,
    const struct bridge_port *port, struct err *err)
{
	struct device peer;
	struct state state;

	if (!find(netlink, port->name, &state, err) ||
	    !device_find(netlink, port->peer, &peer, err))
		return false;
	if (state.device.master == bridge->index && state.groups == groups_passed &&
	    state.device.is_up && state.device.mtu == port->mtu && peer.is_up &&
	    peer.mtu == port->mtu && bpf_ingress_is_closed(peer.index))
		return true;
	return err_set(err, ERR_NOT_FOUND, "bridge port '%s' is not as it was made", port->name);
}

/* ---- the packet filter ----------------------------------------------------------------------- */

struct switch_path {
	char text[64];
};

static struct switch_path
path_of(const char *filter)
{
	struct switch_path path;

	snprintf(path.text, sizeof(path.text), "/proc/sys/net/bridge/bridge-nf-call-%s", filter);
	return path;
}

/* The switch of one filter: 0 or 1; -1 = the kernel has none. */
static int
filter_state(const char *filter)
{
	char digit = '0';
	ssize_t got;
	int fd = open(path_of(filter).text, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	got = read(fd, &digit, 1);
	close(fd);
	return got == 1 && digit != '0';
}

bool
bridge_filter_is_off(void)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++)
		if (filter_state(filters[i]) > 0)
			return false;
	return true;
}

bool
bridge_filter_off(struct err *err)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		struct switch_path path = path_of(filters[i]);
		ssize_t done;
		int fd;

		if (filter_state(filters[i]) <= 0)
			continue;
		fd = open(path.text, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return err_set(
			    err, ERR_INTERNAL, "opening %s: %s", path.text, strerror(errno));
		done = write(fd, "0", 1);
		close(fd);
		if (done != 1)
			return err_set(err, ERR_INTERNAL, "writing %s failed", path.text);
	}
	return true;
}
