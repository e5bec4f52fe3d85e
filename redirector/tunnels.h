/*
 * What the kernel's stack must have so that tunnel devices carry the paths of link ends: the
 * devices, the local addresses (they stand on the device, so that whatever is there is ours),
 * routes to the remote ones (protocol 118, with a source). Each is there as long as a link end uses
 * it. The caller holds one lock over all of this.
 */
#pragma once

#include "lib/net/tunnel.h"
#include "redirector/link_type.h"

/* Addresses in network order. */
struct tunnel_path {
	enum tunnel_kind kind;
	uint16_t udp_port;
	uint32_t local, remote;
	uint32_t next_hop, underlay;
};

struct tunnels;

void tunnels_free(struct tunnels *tunnels); /* what is in the kernel stays */

/* netlink is borrowed. */
struct tunnels *tunnels_new(struct netlink *netlink) malloc_by(tunnels_free);

/* Which devices carry a type of link; ERR_BAD_VALUE: none does. */
bool tunnels_kind(const struct link_type *type, enum tunnel_kind *kind, struct err *err) must_check;

/* Remembers that the link end uses the path; for those that an earlier run has left. */
void tunnels_adopt(struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path);

/* The same, and makes what is missing; *device: the tunnel's. Two link ends that want different
 * next hops or sources for one remote address: the later one has its way. */
bool tunnels_ensure(struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path,
    uint32_t *device, struct err *err) must_check;

/* Is it all there? ERR_NOT_FOUND says what is missing. */
bool tunnels_is_there(struct tunnels *tunnels, const struct tunnel_path *path, uint32_t *device,
    struct err *err) must_check;

/* The link end uses this path alone (NULL: none); what nobody uses any more is removed. */
bool tunnels_settle(struct tunnels *tunnels, uint64_t rid, const struct tunnel_path *path,
    struct err *err) must_check;

/* Removes what is in the kernel and used by no link end. */
bool tunnels_sweep(struct tunnels *tunnels, struct err *err) must_check;
