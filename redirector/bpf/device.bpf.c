/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The data plane on top of the kernel's own tunnel devices: `vn_depart` on the ingress of each port
 * tells the tunnel device where a frame goes and in which network; `vn_arrive` on the ingress of
 * the tunnel device hands frames to their ports; `vn_arrive_loop` does so on the two ends of the
 * loop, where frames travel bare and the network is in their mark. Loaded by dataplane_device_bpf.c.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "redirector/bpf/direct.bpf.h"
#include "redirector/bpf/leave.bpf.h"
#include "redirector/bpf/maps.bpf.h"
#include "redirector/bpf/redirect_abi.h"

enum { TTL = 64 };

/* Tell the next device where the frame goes. */
static __always_inline bool
frame_address(struct __sk_buff *skb, const struct redirect_departure *link)
{
	struct bpf_tunnel_key key = {
	    .tunnel_id = link->tunnel.id,
	    .tunnel_ttl = TTL,
	    .remote_ipv4 = bpf_ntohl(link->tunnel.remote),
	    .local_ipv4 = bpf_ntohl(link->tunnel.local),
	};

	if (link->flags & REDIRECT_DIRECT) {
		skb->mark = link->tunnel.id;
		return true;
	}
	return !bpf_skb_set_tunnel_key(
	    skb, &key, sizeof(key), BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT);
}

SEC("tc")

int
vn_depart(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex;
	struct redirect_departure *link = bpf_map_lookup_elem(&vn_departures, &port);
	struct leaving leaving = {.link = link};
	struct measure measure = {0};
	struct inner inner = {0};
	bool is_ready;

	if (!link)
		return TC_ACT_SHOT;
	leaving.count = bpf_map_lookup_elem(&vn_counts, &link->slot);
	leaving.bucket = bpf_map_lookup_elem(&vn_buckets, &link->slot);
	if (!leaving.count || !leaving.bucket ||
	    !frame_admit(skb, &leaving, &inner, &measure))
		return TC_ACT_SHOT;
	is_ready = tags_restore(skb, &inner, measure.n_tags);
	if (is_ready && is_direct(link) && !direct_arrive(skb, &leaving, &measure))
		return TC_ACT_SHOT;
	is_ready = is_ready && (is_direct(link) || frame_address(skb, link));
	return frame_send(skb, &leaving, &measure, is_ready, link->tunnel.device);
}

static __always_inline int
stray(__u32 kind)
{
	__u64 *count = bpf_map_lookup_elem(&vn_strays, &kind);

	if (count)
		(*count)++;
	return TC_ACT_SHOT;
}

/* Tags off, to measure, and on again. */
static __always_inline bool
frame_look(struct __sk_buff *skb, struct measure *measure)
{
	struct inner inner = {0};

	if (!inner_take(skb, &inner, measure))
		return false;
	measure_frames(skb, ETHERNET, skb->len - ETHERNET, measure);
	return tags_restore(skb, &inner, measure->n_tags);
}

static __always_inline int
deliver(struct __sk_buff *skb, const struct redirect_arrival_key *key, __be32 remote)
{
	struct redirect_arrival *link = bpf_map_lookup_elem(&vn_arrivals, key);
	struct redirect_count *count = link ? bpf_map_lookup_elem(&vn_counts, &link->slot) : NULL;
	struct measure measure = {0};

	if (!link || !count)
		return stray(REDIRECT_STRAY_KEY);
	if (remote != link->remote) {
		count->rx_source++;
		return TC_ACT_SHOT;
	}
	if (!(link->flags & REDIRECT_OPEN)) {
		count->rx_closed++;
		return TC_ACT_SHOT;
	}
	if (!frame_look(skb, &measure)) {
		count->rx_malformed++;
		return TC_ACT_SHOT;
	}
	count->rx_frames += measure.frames;
	count->rx_bytes += measure.bytes;
	return (int)bpf_redirect(link->port, 0);
}

SEC("tc")

int
vn_arrive(struct __sk_buff *skb)
{
	struct redirect_arrival_key key = {.underlay = skb->ifindex};
	struct bpf_tunnel_key tunnel = {0};

	if (bpf_skb_get_tunnel_key(skb, &tunnel, sizeof(tunnel), 0))
		return stray(REDIRECT_STRAY_MALFORMED);
	key.id = tunnel.tunnel_id;
	key.local = bpf_htonl(tunnel.local_ipv4);
	return deliver(skb, &key, bpf_htonl(tunnel.remote_ipv4));
}

SEC("tc")

int
vn_arrive_loop(struct __sk_buff *skb)
{
	struct redirect_arrival_key key = {.underlay = skb->ifindex, .id = skb->mark};

	skb->mark = 0;
	return deliver(skb, &key, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
