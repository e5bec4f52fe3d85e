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

enum { FEATURES_MAX = 256, BLOCKS_MAX = FEATURES_MAX / 32 };

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

static bool
ask(int fd, const char *name, void *command)
{
	struct ifreq request = {.ifr_data = command};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &request) >= 0;
}

static bool
is_tunnel(const char *feature)
{
	static const char *const prefixes[] = {"tx-udp_tnl-", "tx-gre-", "tx-ipxip"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (!strncmp(feature, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

static bool
switch_off(int fd, const char *name)
{
	union name_count count = {
	    .info = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
	union switches switches = {.head = {.cmd = ETHTOOL_SFEATURES}};
	union names *names;
	bool is_good;
	uint32_t n;

	if (!ask(fd, name, &count))
		return false;
	n = count.info.data[0] < FEATURES_MAX ? count.info.data[0] : FEATURES_MAX;
	names = xcalloc(1, sizeof(*names));
	names->head.cmd = ETHTOOL_GSTRINGS;
	names->head.string_set = ETH_SS_FEATURES;
	names->head.len = n;
	is_good = ask(fd, name, names);
	for (uint32_t i = 0; is_good && i < n; i++)
		if (is_tunnel((const char *)names->head.data + (size_t)i * ETH_GSTRING_LEN))
			switches.head.features[i / 32].valid |= 1u << i % 32;
	free(names);
	switches.head.size = (n + 31) / 32;
	return is_good && ask(fd, name, &switches);
}

/* A device that was there a moment ago is being renamed or replaced by its owner: look again. */
static enum err_code
lack_code(int error)
{
	return error == ENODEV ? ERR_WAIT : ERR_INTERNAL;
}

bool
offload_tunnels_off(const char *name, struct err *err)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool is_good = fd >= 0 && switch_off(fd, name);

	if (!is_good && errno != EOPNOTSUPP)
		(void)err_set(err, lack_code(errno), "switching tunnel off-loads of '%s' off: %s",
		    name, strerror(errno));
	else
		is_good = true;
	if (fd >= 0)
		close(fd);
	return is_good;
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
