/*
 * Neighbours: look up, and ask the kernel to resolve.
 */
#include "lib/net/neigh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

enum {
	KNOWN = NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP | NUD_STALE | NUD_DELAY | NUD_PROBE,
	FRESH = NUD_REACHABLE | NUD_PERMANENT | NUD_NOARP | NUD_DELAY | NUD_PROBE,
};

struct neighbour {
	uint16_t state;
	bool has_mac;
	unsigned char mac[6];
};

static void
read_neighbour(void *self, const struct reply *reply)
{
	struct neighbour *neighbour = self;
	const struct ndmsg *info = reply->fixed;
	const void *mac = reply_data(reply->attrs[NDA_LLADDR], 6);

	neighbour->state = info->ndm_state;
	neighbour->has_mac = mac != NULL;
	if (mac)
		memcpy(neighbour->mac, mac, 6);
}

/* As a packet to it would: the kernel sends ARP and keeps the entry. */
static int
use(struct netlink *netlink, uint32_t device, uint32_t address)
{
	struct ndmsg info = {
	    .ndm_family = AF_INET,
	    .ndm_ifindex = (int)device,
	    .ndm_state = NUD_NONE,
	    .ndm_flags = NTF_USE,
	};
	struct message message;

	message_begin(&message, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	message_put(&message, NDA_DST, &address, sizeof(address));
	return netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
}

bool
neigh_resolve(struct netlink *netlink, uint32_t device, uint32_t address, unsigned char mac[6],
    struct err *err)
{
	struct ndmsg info = {.ndm_family = AF_INET, .ndm_ifindex = (int)device};
	struct neighbour found = {0};
	struct message message;
	char text[INET_ADDRSTRLEN] = "";
	int error;

	message_begin(&message, RTM_GETNEIGH, 0, &info, sizeof(info));
	message_put(&message, NDA_DST, &address, sizeof(address));
	error = netlink_ask(netlink, &message, sizeof(info), read_neighbour, &found);
	inet_ntop(AF_INET, &address, text, sizeof(text));
	if (error && error != ENOENT)
		return err_set(
		    err, ERR_INTERNAL, "looking for neighbour %s: %s", text, strerror(error));
	if (!(found.state & FRESH)) {
		error = use(netlink, device, address);
		if (error)
			return err_set(
			    err, ERR_WAIT, "asking for neighbour %s: %s", text, strerror(error));
	}
	if (!found.has_mac || !(found.state & KNOWN))
		return err_set(err, ERR_WAIT, "neighbour %s does not answer yet", text);
	memcpy(mac, found.mac, 6);
	return true;
}

bool
neigh_set(struct netlink *netlink, uint32_t device, uint32_t address, const unsigned char mac[6],
    struct err *err)
{
	struct ndmsg info = {
	    .ndm_family = AF_INET, .ndm_ifindex = (int)device, .ndm_state = NUD_PERMANENT};
	struct message message;
	int error;

	message_begin(&message, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
	message_put(&message, NDA_DST, &address, sizeof(address));
	message_put(&message, NDA_LLADDR, mac, 6);
	error = netlink_ask(netlink, &message, sizeof(info), NULL, NULL);
	return !error || err_set(err, ERR_INTERNAL, "setting a neighbour: %s", strerror(error));
}

bool
neigh_is_news(const struct reply *reply)
{
	const struct ndmsg *info = reply->fixed;

	if (reply->type != RTM_NEWNEIGH || info->ndm_family != AF_INET)
		return false;
	return info->ndm_state & (NUD_REACHABLE | NUD_PERMANENT | NUD_FAILED);
}
