/*
 * Off-loads of a device (ethtool's ioctl) and network namespaces.
 */
#include "lib/net/offload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FEATURES_MAX = 256, BLOCKS_MAX = FEATURES_MAX / 32, MERGED_MAX = 65536 };

/* The kernel's structs with flexible ends, and the room for those. */
union name_count {
	struct ethtool_sset_info info;
	char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
};

union names {
	struct ethtool_gstrings head;
	char room[sizeof(struct ethtool_gstrings) + (size_t)FEATURES_MAX * ETH_GSTRING_LEN];
};

union switches {
	struct ethtool_sfeatures head;
	char room[sizeof(struct ethtool_sfeatures) +
		  BLOCKS_MAX * sizeof(struct ethtool_set_features_block)];
};

union states {
	struct ethtool_gfeatures head;
	char room[sizeof(struct ethtool_gfeatures) +
		  BLOCKS_MAX * sizeof(struct ethtool_get_features_block)];
};

static bool
ask(int fd, const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &request) >= 0;
}

/* Features by the beginnings of their names. */
struct family {
	const char *const *prefixes;
	size_t n;
};

static bool
is_member(const struct family *family, const char *feature)
{
	for (size_t i = 0; i < family->n; i++)
		if (!strncmp(feature, family->prefixes[i], strlen(family->prefixes[i])))
			return true;
	return false;
}

/* The device's names of features; NULL: it has none to tell. The caller frees. */
static union names *
names_read(int fd, const char *name)
{
	union name_count count = {
	    .info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
	union names *names;
	uint32_t n;

	if (!ask(fd, name, &count))
		return NULL;
	n = count.info.data[0] < FEATURES_MAX ? count.info.data[0] : FEATURES_MAX;
	names = xcalloc(1, sizeof(*names));
	names->head.cmd = ETHTOOL_GSTRINGS;
	names->head.string_set = ETH_SS_FEATURES;
	names->head.len = n;
	if (ask(fd, name, names))
		return names;
	free(names);
	return NULL;
}

static const char *
name_at(const union names *names, uint32_t i)
{
	return (const char *)names->head.data + (size_t)i * ETH_GSTRING_LEN;
}

static bool
switch_off(int fd, const char *name, const union names *names, const struct family *family)
{
	union switches switches = {.head = {.cmd = ETHTOOL_SFEATURES}};

	for (uint32_t i = 0; i < names->head.len; i++)
		if (is_member(family, name_at(names, i)))
			switches.head.features[i / 32].valid |= 1u << i % 32;
	switches.head.size = (names->head.len + 31) / 32;
	return ask(fd, name, &switches);
}

/* One of the family that is still on; NULL = none. */
static const char *
left_on(int fd, const char *name, const union names *names, const struct family *family)
{
	union states states = {.head = {.cmd = ETHTOOL_GFEATURES, .size = BLOCKS_MAX}};

	if (!ask(fd, name, &states))
		return NULL;
	for (uint32_t i = 0; i < names->head.len; i++)
		if (is_member(family, name_at(names, i)) &&
		    states.head.features[i / 32].active & 1u << i % 32)
			return name_at(names, i);
	return NULL;
}

/* A device that was there a moment ago is being renamed or replaced by its owner: look again. */
static enum err_code
lack_code(int error)
{
	return error == ENODEV ? ERR_WAIT : ERR_INTERNAL;
}

/* `is_needed`: what stays on is a failure. */
static bool
family_off(const char *name, const struct family *family, bool is_needed, struct err *err)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	auto_free union names *names = fd >= 0 ? names_read(fd, name) : NULL;
	bool is_good = names && switch_off(fd, name, names, family);
	const char *left = NULL;

	if (!is_good && errno == EOPNOTSUPP)
		is_good = true;
	else if (!is_good)
		(void)err_set(err, lack_code(errno), "switching off-loads of '%s' off: %s", name,
		    strerror(errno));
	else if (is_needed)
		left = left_on(fd, name, names, family);
	if (fd >= 0)
		close(fd);
	return is_good &&
	       (!left || err_set(err, ERR_BAD_VALUE, "'%s' cannot switch %s off", name, left));
}

bool
offload_tunnels_off(const char *name, struct err *err)
{
	static const char *const prefixes[] = {"tx-udp_tnl-", "tx-gre-", "tx-ipxip", "tx-sctp-"};
	const struct family family = {prefixes, sizeof(prefixes) / sizeof(prefixes[0])};

	return family_off(name, &family, false, err);
}

bool
offload_receive_off(const char *name, struct err *err)
{
	static const char *const prefixes[] = {
	    "rx-gro", "rx-lro", "rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"};
	const struct family family = {prefixes, sizeof(prefixes) / sizeof(prefixes[0])};

	return family_off(name, &family, true, err);
}

static bool
merge_on(const struct device *device, struct err *err)
{
	struct ethtool_value on = {.cmd = ETHTOOL_SGRO, .data = 1};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_good = fd >= 0 && (ask(fd, device->name, &on) || errno == EOPNOTSUPP);

	if (!is_good)
		(void)err_set(err, lack_code(errno), "switching GRO of '%s' on: %s", device->name,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	return is_good;
}

bool
offload_merge(
    struct netlink *netlink, const struct device *device, uint32_t most_bytes, struct err *err)
{
	struct ifinfomsg info = {.ifi_index = (int)device->index};
	struct message message;
	int error;

	/* The kernel's limit is what a packet must stay below. */
	if (!most_bytes || most_bytes >= MERGED_MAX)
		most_bytes = MERGED_MAX - 1;
	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	message_put_u32(&message, IFLA_GRO_MAX_SIZE, most_bytes + 1);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	if (error)
		return err_set(err, lack_code(error), "limiting what '%s' merges to %u bytes: %s",
		    device->name, most_bytes, strerror(error));
	return merge_on(device, err);
}

bool
offload_limit(
    struct netlink *netlink, const struct device *device, uint32_t gso_max_segs, struct err *err)
{
	struct ifinfomsg info = {.ifi_index = (int)device->index};
	struct message message;
	int error;

	message_begin(&message, RTM_NEWLINK, 0, &info, sizeof(info));
	message_put_u32(&message, IFLA_GSO_MAX_SEGS, gso_max_segs);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, lack_code(error), "limiting device '%s' to %u segments: %s",
			     device->name, gso_max_segs, strerror(error));
}

bool
netns_do(int fd, bool (*work)(void *self, struct err *err), void *self, struct err *err)
{
	int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	bool is_good;

	if (home < 0 || setns(fd, CLONE_NEWNET) < 0) {
		(void)err_set(
		    err, ERR_INTERNAL, "entering a network namespace: %s", strerror(errno));
		if (home >= 0)
			close(home);
		return false;
	}
	is_good = work(self, err);
	/* A thread that cannot come home would do harm in the wrong place. */
	if (setns(home, CLONE_NEWNET) < 0)
		abort();
	close(home);
	return is_good;
}
