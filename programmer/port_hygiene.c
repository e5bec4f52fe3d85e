/*
 * Hygiene of a node's ports, at both ends.
 */
#include "programmer/port_hygiene.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/net/bpf.h"
#include "lib/net/device.h"
#include "lib/net/offload.h"

static void
netlink_cleanup(struct netlink **netlink)
{
	netlink_free(*netlink);
}

#define auto_netlink __attribute__((cleanup(netlink_cleanup)))

/* What is done inside the node's network namespace. */
struct inside {
	const struct port_limit *limits;
	size_t n_limits;
};

bool
port_host_end(const struct domain_port *port, uint32_t gso_max_segs, struct err *err)
{
	auto_netlink struct netlink *netlink = netlink_new(err);
	struct device device;
	struct err why = {0};

	if (!netlink)
		return false;
	if (!device_find(netlink, port->device, &device, &why))
		return err_set(
		    err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code, "%s", why.text);
	/* The kernel answers ARP for any address of the host on any device: until redirectord takes
	 * its frames, and for ever where no link is bound to it, the port leads nowhere. */
	return device_ipv6_off(port->device, err) &&
	       bpf_ingress_close(netlink, device.index, err) &&
	       offload_merge(netlink, &device, gso_max_segs * (uint32_t)port->mtu, err) &&
	       device_up(netlink, &device, (uint32_t)port->mtu, err);
}

static bool
set_limits(void *self, struct err *err)
{
	const struct inside *inside = self;
	auto_netlink struct netlink *netlink = netlink_new(err);
	auto_arena struct arena *arena = arena_new();
	const struct device *devices;
	size_t n_devices;

	if (!netlink || !device_list(netlink, arena, &devices, &n_devices, err))
		return false;
	for (size_t i = 0; i < n_devices; i++)
		for (size_t k = 0; k < inside->n_limits; k++) {
			const struct port_limit *limit = &inside->limits[k];

			if (memcmp(devices[i].mac, limit->mac, sizeof(limit->mac)) != 0)
				continue;
			if (!offload_tunnels_off(devices[i].name, err) ||
			    (limit->gso_max_segs &&
				!offload_limit(netlink, &devices[i], limit->gso_max_segs, err)))
				return false;
		}
	return true;
}

bool
port_node_ends(pid_t pid, const struct port_limit *limits, size_t n_limits, struct err *err)
{
	struct inside inside = {limits, n_limits};
	char path[64];
	bool is_good;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, ERR_WAIT, "the container has ended: %s", strerror(errno));
	is_good = netns_do(fd, set_limits, &inside, err);
	close(fd);
	return is_good;
}
