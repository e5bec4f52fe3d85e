/*
 * Namespaces, devices, classes and link ends of many links, and who sends by them.
 */
#include "bench/link_world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/measure.h"
#include "lib/net/device.h"
#include "redirector/link_types.h"
#include "redirector/shaper.h"

enum {
	FRAME_MAX = 1514,
	UNDERLAY_MTU = 1600,
	SLICES = 10,
	FIRST_INDEX = 1000,                   /* of ports and of containers' ends */
	FIRST_NUMBER = SHAPER_FIRST + SLICES, /* of leaves */
	MAP_LINKS = 16384,
	QUEUED_BYTES = 256 * 1024 * 1024, /* more than any queue on the way holds */
};

void
link_must(bool is_good, const char *what, const struct err *err)
{
	if (is_good)
		return;
	fprintf(stderr, "%s: %s\n", what, err ? err->text : strerror(errno));
	exit(EXIT_FAILURE);
}

/* ---- namespaces and devices ------------------------------------------------------------------ */

static void
enter(int netns)
{
	link_must(!setns(netns, CLONE_NEWNET), "entering a namespace", NULL);
}

/* A new network namespace, entered; devices get no IPv6. */
static int
netns_new(void)
{
	int fd, off;

	link_must(!unshare(CLONE_NEWNET), "making a namespace", NULL);
	fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	link_must(fd >= 0, "namespace", NULL);
	off = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);
	link_must(off < 0 || write(off, "1", 1) == 1, "IPv6", NULL);
	if (off >= 0)
		close(off);
	return fd;
}

/* A veth pair with that index: NAME here and up, its peer of the same name in `netns` and down. */
static void
pair_make(struct netlink *netlink, const char *name, uint32_t index, int netns)
{
	struct ifinfomsg info = {
	    .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
	struct ifinfomsg peer = {.ifi_index = (int)index};
	struct message message;
	size_t link, data, other;

	message_begin(&message, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	message_put_text(&message, IFLA_IFNAME, name);
	message_put_u32(&message, IFLA_MTU, UNDERLAY_MTU);
	link = message_nest(&message, IFLA_LINKINFO);
	message_put_text(&message, IFLA_INFO_KIND, "veth");
	data = message_nest(&message, IFLA_INFO_DATA);
	other = message_nest(&message, VETH_INFO_PEER);
	message_append(&message, &peer, sizeof(peer));
	message_put_text(&message, IFLA_IFNAME, name);
	message_put_u32(&message, IFLA_MTU, UNDERLAY_MTU);
	message_put_u32(&message, IFLA_NET_NS_FD, (uint32_t)netns);
	message_end(&message, other);
	message_end(&message, data);
	message_end(&message, link);
	errno = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	link_must(!errno, "making a veth pair", NULL);
}

/* Peers with indexes from `first` on are up. */
static void
peers_up(int netns, uint32_t first, uint32_t n)
{
	struct netlink *netlink;
	struct err err;

	enter(netns);
	netlink = netlink_new(&err);
	link_must(netlink != NULL, "namespace", &err);
	for (uint32_t i = 0; i < n; i++) {
		struct device device = {.index = first + i};

		link_must(device_up(netlink, &device, 0, &err), "device", &err);
	}
	netlink_free(netlink);
}

static void
sink_attach(struct netlink *netlink, uint32_t device)
{
	static int program = -1;
	struct err err;

	if (program < 0)
		program = measure_sink();
	link_must(program >= 0, "loading the sink", NULL);
	link_must(bpf_ingress_attach(netlink, device, program, BPF_HOOK_AUTO, &err), "sink", &err);
}

/* ---- a host ---------------------------------------------------------------------------------- */

static void
underlay_make(struct link_world *world)
{
	struct shaper_root root = {.rate_bps = world->config.port_bps};
	struct netlink *netlink;
	struct err err;

	world->underlay = root.device = FIRST_INDEX - 1;
	pair_make(world->netlink, "u0", world->underlay, world->router);
	peers_up(world->router, world->underlay, 1);
	netlink = netlink_new(&err);
	link_must(netlink != NULL, "router", &err);
	sink_attach(netlink, world->underlay);
	netlink_free(netlink);
	enter(world->host);
	link_must(shaper_root_ensure(world->netlink, &root, &err), "shaper", &err);
	link_must(world->dataplane.ops->watch(world->dataplane.self, world->underlay, &err),
	    "underlay", &err);
}

static void
class_make(const struct link_world *world, uint32_t i)
{
	const struct link_world_config *config = &world->config;
	struct shaper_link link = {
	    .device = world->underlay,
	    .number = FIRST_NUMBER + i,
	    .slice_number = SHAPER_FIRST + i % SLICES,
	    .is_wanted = true,
	    .is_slice_wanted = true,
	    .rate_bps = config->rate_bps,
	    .ceil_bps = config->ceil_bps,
	    .slice_bps = config->rate_bps * ((config->n + SLICES - 1) / SLICES),
	    .port_bps = config->port_bps,
	    .frame_bytes = FRAME_MAX + 42,
	};
	struct err err;

	link_must(shaper_ensure(world->netlink, &link, &err), "class", &err);
}

static void
link_put(const struct link_world *world, uint32_t i)
{
	struct dataplane_link link = {
	    .rid = 1 + i,
	    .port = FIRST_INDEX + i,
	    .underlay = world->underlay,
	    .type = &link_type_gre,
	    .end = {.id = 1 + i},
	    .local = htonl(0x0a410001),
	    .remote = htonl(0x0a410002),
	    .mtu = 1500,
	    .next_hop = {2, 0, 0, 0, 0, 1},
	    .own = {2, 0, 0, 0, 0, 2},
	    .is_open = true,
	    .class_handle = tc_handle(shaper_minor(FIRST_NUMBER + i, SHAPER_PLAIN)),
	};
	struct err err;

	link_must(world->dataplane.ops->put(world->dataplane.self, &link, &err), "link end", &err);
}

/* Some containers' ends and their ports; sent by in an order of chance. */
static void
hall_make(struct link_world *world, struct link_hall *hall)
{
	int one = 1, bytes = QUEUED_BYTES;

	hall->netns = netns_new();
	hall->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	link_must(
	    hall->socket >= 0 &&
		!setsockopt(hall->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) &&
		!setsockopt(hall->socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)),
	    "packet socket", NULL);
	enter(world->host);
	for (uint32_t i = 0; i < hall->n; i++) {
		char name[IFNAMSIZ];
		uint32_t other = (uint32_t)random() % (i + 1);

		snprintf(name, sizeof(name), "vn%u", hall->first + i);
		pair_make(world->netlink, name, FIRST_INDEX + hall->first + i, hall->netns);
		hall->order[i] = hall->order[other];
		hall->order[other] = FIRST_INDEX + hall->first + i;
	}
	peers_up(hall->netns, FIRST_INDEX + hall->first, hall->n);
	enter(world->host);
}

void
link_world_prepare(char *folder)
{
	link_must(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL),
	    "private mounts", NULL);
	link_must(mkdtemp(folder) != NULL, folder, NULL);
}

void
link_world_make(struct link_world *world, const struct link_world_config *config)
{
	struct dataplane_config dataplane = {.folder = world->folder, .n_links = MAP_LINKS};
	uint32_t n = config->n;
	struct err err;

	world->config = *config;
	world->n_halls = (n + LINK_HALL - 1) / LINK_HALL;
	snprintf(world->folder, sizeof(world->folder), "%s/%u", config->folder, n);
	world->router = netns_new();
	world->host = netns_new();
	world->netlink = dataplane.netlink = netlink_new(&err);
	link_must(world->netlink != NULL, "host", &err);
	link_must(dataplane_bpf_open(&dataplane, &world->dataplane, &err), "data plane", &err);
	underlay_make(world);
	for (uint32_t i = 0; i < world->n_halls; i++) {
		struct link_hall *hall = &world->halls[i];

		hall->first = i * LINK_HALL;
		hall->n = n - hall->first < LINK_HALL ? n - hall->first : LINK_HALL;
		hall_make(world, hall);
	}
	for (uint32_t i = 0; i < n; i++)
		class_make(world, i);
}

/* The namespaces go with the process. */
void
link_world_done(struct link_world *world)
{
	world->dataplane.ops->free(world->dataplane.self);
	netlink_free(world->netlink);
	link_must(!umount2(world->folder, MNT_DETACH), "umount", NULL);
	rmdir(world->folder);
}

void
link_world_put(const struct link_world *world)
{
	enter(world->host);
	for (uint32_t i = 0; i < world->config.n; i++)
		link_put(world, i);
}

void
link_world_sink(const struct link_world *world)
{
	enter(world->host);
	for (uint32_t i = 0; i < world->config.n; i++)
		sink_attach(world->netlink, FIRST_INDEX + i);
}

/* ---- sending --------------------------------------------------------------------------------- */

struct burst {
	unsigned char frame[FRAME_MAX];
	struct sockaddr_ll devices[LINK_BATCH];
	struct iovec vector;
	struct mmsghdr messages[LINK_BATCH];
};

static void
burst_fill(struct burst *burst, uint16_t size)
{
	measure_frame(burst->frame, size);
	burst->vector = (struct iovec){burst->frame, size};
	for (size_t i = 0; i < LINK_BATCH; i++) {
		burst->devices[i].sll_family = AF_PACKET;
		burst->messages[i].msg_hdr = (struct msghdr){
		    .msg_iov = &burst->vector,
		    .msg_iovlen = 1,
		    .msg_name = &burst->devices[i],
		    .msg_namelen = sizeof(burst->devices[i]),
		};
	}
}

uint32_t
link_world_send(struct link_world *world)
{
	static struct burst burst;

	if (burst.vector.iov_len != world->config.frame_bytes)
		burst_fill(&burst, (uint16_t)world->config.frame_bytes);
	for (uint32_t i = 0; i < world->n_halls; i++) {
		struct link_hall *hall = &world->halls[i];

		for (size_t k = 0; k < LINK_BATCH; k++, hall->at++)
			burst.devices[k].sll_ifindex =
			    (int)hall->order[hall->at / world->config.n_same % hall->n];
		link_must(sendmmsg(hall->socket, burst.messages, LINK_BATCH, 0) == LINK_BATCH,
		    "sending", NULL);
	}
	return world->n_halls * LINK_BATCH;
}

struct link_arrived
link_world_arrived(const struct link_world *world)
{
	unsigned long long counts[2] = {0};
	char line[512];
	FILE *file;

	enter(world->router);
	file = fopen("/proc/thread-self/net/dev", "re");
	link_must(file != NULL, "/proc/net/dev", NULL);
	while (fgets(line, sizeof(line), file))
		if (strstr(line, "u0:"))
			measure_counts(strstr(line, "u0:") + 3, counts);
	fclose(file);
	return (struct link_arrived){.bytes = counts[0], .frames = counts[1]};
}
