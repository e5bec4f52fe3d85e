/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The data plane: `vn_encap` on the ingress of each port wraps frames of a node into IPv4 + GRE
 * with key (Ethernet inside), chooses the class of the shaper and sends them by the underlay;
 * `vn_decap` on the ingress of each underlay port does the reverse. Loaded by dataplane_bpf.c.
 * GSO frames stay whole on their way; each frame of any EtherType, with up to two VLAN tags, passes
 * unchanged.
 */
#include "redirector/bpf/redirect_abi.h"

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* Kernel 6.3; younger than the headers of Debian 12. */
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

enum {
	ETHERNET = 14,
	TAG = 4,
	OUTER = 14 + 20 + 8, /* Ethernet, IPv4, GRE with key */
	GRE_KEY_ONLY = 0x2000,
	GRE_ETHERNET = 0x6558,
	FRAGMENT = 0x3fff, /* more-fragments and offset */
	DONT_FRAGMENT = 0x4000,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	UDP_HEADER = 8,
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REDIRECT_LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct redirect_departure);
} vn_departures SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REDIRECT_LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct redirect_arrival_key);
	__type(value, struct redirect_arrival);
} vn_arrivals SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, REDIRECT_LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u64);
	__type(value, struct redirect_count);
} vn_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REDIRECT_STRAYS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} vn_strays SEC(".maps");

struct outer {
	__u8 to[6];
	__u8 from[6];
	__be16 type;
	struct iphdr ip;
	__be16 gre_flags;
	__be16 gre_type;
	__be32 gre_key;
} __attribute__((packed));

_Static_assert(sizeof(struct outer) == OUTER, "layout of the outer header");

/* The slice's own Ethernet header: addresses, then proto and tci of each tag, then the type. */
struct inner {
	__u8 addresses[12];
	__be16 words[2 * REDIRECT_TAGS_MAX + 1];
};

/* One skb as the slice sees it: how many frames of which size. */
struct measure {
	__be16 type; /* behind the tags */
	__u32 n_tags;
	__u32 frames;
	__u32 largest; /* bytes of the largest frame, tags not counted */
	__u64 bytes;   /* of all frames, tags counted */
};

static __always_inline bool
is_tag(__be16 type)
{
	return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

/* Bytes of the TCP or UDP header at `offset`; 0 when it is something else. */
static __always_inline __u32
transport_size(struct __sk_buff *skb, __u32 offset, __u8 protocol)
{
	__u8 words = 0;

	if (protocol == IPPROTO_UDP)
		return UDP_HEADER;
	if (protocol != IPPROTO_TCP || bpf_skb_load_bytes(skb, offset + 12, &words, 1))
		return 0;
	return (words >> 4) * 4;
}

/* Bytes of network and transport header at `offset`: what each segment of a GSO frame repeats. */
static __always_inline __u32
headers_size(struct __sk_buff *skb, __u32 offset, __be16 type)
{
	__u8 first = 0, protocol = 0;
	__u32 size;

	if (type == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, offset, &first, 1);
		bpf_skb_load_bytes(skb, offset + 9, &protocol, 1);
		size = (first & 15) * 4;
		return size + transport_size(skb, offset + size, protocol);
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		bpf_skb_load_bytes(skb, offset + 6, &protocol, 1);
		return IPV6_HEADER + transport_size(skb, offset + IPV6_HEADER, protocol);
	}
	return 0;
}

/*
 * Fill in frames and bytes; `payload` begins at `offset`. The segments are counted from the sizes:
 * gso_segs is 0 for frames from a guest.
 */
static __always_inline void
measure_frames(struct __sk_buff *skb, __u32 offset, __u32 payload, struct measure *measure)
{
	__u32 segment = skb->gso_size, headers, data;

	measure->frames = 1;
	measure->largest = ETHERNET + payload;
	if (segment) {
		headers = headers_size(skb, offset, measure->type);
		data = payload > headers ? payload - headers : 0;
		measure->frames = data > segment ? (data + segment - 1) / segment : 1;
		measure->bytes = (__u64)(measure->frames - 1) * headers;
		measure->largest = ETHERNET + headers + (data < segment ? data : segment);
	} else {
		measure->bytes = 0;
	}
	measure->bytes += payload + (__u64)measure->frames * (ETHERNET + TAG * measure->n_tags);
}

/* Take the outermost VLAN tag off the frame, wherever the kernel keeps it. False: there is none. */
static __always_inline bool
tag_take(struct __sk_buff *skb, __be16 *words)
{
	if (skb->vlan_present) {
		words[0] = (__be16)skb->vlan_proto;
		words[1] = bpf_htons((__u16)skb->vlan_tci);
	} else {
		if (bpf_skb_load_bytes(skb, 12, words, 4) || !is_tag(words[0]))
			return false;
	}
	return bpf_skb_vlan_pop(skb) == 0;
}

static __always_inline __sum16
ipv4_checksum(const struct iphdr *ip)
{
	const __u16 *words = (const __u16 *)ip;
	__u32 sum = 0;

	for (int i = 0; i < IPV4_HEADER / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__sum16)~sum;
}

static __always_inline void
outer_fill(struct outer *outer, const struct redirect_departure *link, __u32 size)
{
	struct iphdr ip = {
	    .version = 4,
	    .ihl = IPV4_HEADER / 4,
	    .tot_len = bpf_htons((__u16)size),
	    .frag_off = bpf_htons(DONT_FRAGMENT),
	    .ttl = 64,
	    .protocol = IPPROTO_GRE,
	    .saddr = link->local,
	    .daddr = link->remote,
	};

	ip.check = ipv4_checksum(&ip);
	__builtin_memcpy(outer->to, link->next_hop, 6);
	__builtin_memcpy(outer->from, link->own, 6);
	outer->type = bpf_htons(ETH_P_IP);
	outer->ip = ip;
	outer->gre_flags = bpf_htons(GRE_KEY_ONLY);
	outer->gre_type = bpf_htons(GRE_ETHERNET);
	outer->gre_key = link->key;
}

/*
 * Room in front for the outer header and the tags. adjust_room keeps GSO alive, but takes IP alone
 * and no frame that is a tunnel already; what is not GSO can always be pushed.
 */
static __always_inline bool
room_make(struct __sk_buff *skb, __u32 n_tags)
{
	__u32 room = OUTER + TAG * n_tags;
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO | BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 |
		      BPF_F_ADJ_ROOM_ENCAP_L4_GRE | BPF_F_ADJ_ROOM_ENCAP_L2_ETH |
		      BPF_F_ADJ_ROOM_ENCAP_L2(ETHERNET + TAG * n_tags);

	if (!bpf_skb_adjust_room(skb, (__s32)room, BPF_ADJ_ROOM_MAC, flags))
		return true;
	return !skb->gso_size && !bpf_skb_change_head(skb, room, 0);
}

/* The inner Ethernet header of constant length for each number of tags: easy for the verifier. */
static __always_inline long
inner_store(struct __sk_buff *skb, const struct inner *inner, __u32 n_tags)
{
	if (n_tags == 0)
		return bpf_skb_store_bytes(skb, OUTER, inner, ETHERNET, 0);
	if (n_tags == 1)
		return bpf_skb_store_bytes(skb, OUTER, inner, ETHERNET + TAG, 0);
	return bpf_skb_store_bytes(skb, OUTER, inner, ETHERNET + 2 * TAG, 0);
}

/* Take the tags off the frame and put all of the Ethernet header into `inner`. */
static __always_inline bool
inner_take(struct __sk_buff *skb, struct inner *inner, struct measure *measure)
{
	if (tag_take(skb, &inner->words[0]))
		measure->n_tags = tag_take(skb, &inner->words[2]) ? 2 : 1;
	if (bpf_skb_load_bytes(skb, 0, inner->addresses, 12) ||
	    bpf_skb_load_bytes(skb, 12, &measure->type, 2))
		return false;
	/* A third tag cannot be kept: the kernel has room for one beside the frame. */
	if (skb->vlan_present || is_tag(measure->type))
		return false;
	if (measure->n_tags == 0)
		inner->words[0] = measure->type;
	else if (measure->n_tags == 1)
		inner->words[2] = measure->type;
	else
		inner->words[4] = measure->type;
	return true;
}

static __always_inline bool
frame_wrap(struct __sk_buff *skb, const struct redirect_departure *link, const struct inner *inner,
    __u32 n_tags)
{
	struct outer outer = {0};

	if (!room_make(skb, n_tags))
		return false;
	outer_fill(&outer, link, skb->len - ETHERNET);
	return !bpf_skb_store_bytes(skb, 0, &outer, OUTER, 0) && !inner_store(skb, inner, n_tags);
}

SEC("tc")

int
vn_encap(struct __sk_buff *skb)
{
	__u32 port = skb->ifindex;
	struct redirect_departure *link = bpf_map_lookup_elem(&vn_departures, &port);
	struct redirect_count *count = link ? bpf_map_lookup_elem(&vn_counts, &link->rid) : NULL;
	struct measure measure = {0};
	struct inner inner = {0};

	if (!link || !count)
		return TC_ACT_SHOT;
	if (!(link->flags & REDIRECT_OPEN) || !inner_take(skb, &inner, &measure)) {
		count->tx_dropped++;
		return TC_ACT_SHOT;
	}
	measure_frames(skb, ETHERNET, skb->len - ETHERNET, &measure);
	if (measure.largest > ETHERNET + link->mtu) {
		count->tx_oversize += measure.frames;
		return TC_ACT_SHOT;
	}
	if (!frame_wrap(skb, link, &inner, measure.n_tags)) {
		count->tx_dropped += measure.frames;
		return TC_ACT_SHOT;
	}
	count->tx_frames += measure.frames;
	count->tx_bytes += measure.bytes;
	skb->priority = link->priority;
	return (int)bpf_redirect(link->underlay, 0);
}

static __always_inline int
stray(__u32 kind)
{
	__u64 *count = bpf_map_lookup_elem(&vn_strays, &kind);

	if (count)
		(*count)++;
	return TC_ACT_SHOT;
}

/* The own Ethernet header of an encapsulated frame. False: it is cut short or has too many tags. */
static __always_inline bool
inner_read(struct __sk_buff *skb, struct inner *inner, struct measure *measure)
{
	if (bpf_skb_load_bytes(skb, OUTER, inner, ETHERNET))
		return false;
	measure->type = inner->words[0];
	if (!is_tag(measure->type))
		return true;
	if (bpf_skb_load_bytes(skb, OUTER + ETHERNET, &inner->words[1], TAG))
		return false;
	measure->n_tags = 1;
	measure->type = inner->words[2];
	if (!is_tag(measure->type))
		return true;
	if (bpf_skb_load_bytes(skb, OUTER + ETHERNET + TAG, &inner->words[3], TAG))
		return false;
	measure->n_tags = 2;
	measure->type = inner->words[4];
	return !is_tag(measure->type);
}

/* Cut or pad the frame to what the outer header says and the kernel can shrink to. */
static __always_inline bool
length_settle(struct __sk_buff *skb, __u32 length, __u32 n_tags)
{
	__u32 smallest = OUTER + ETHERNET + TAG * n_tags + IPV4_HEADER;

	if (skb->gso_size)
		return true;
	if (length > skb->len)
		return false;
	if (length < smallest)
		length = smallest;
	return length == skb->len || !bpf_skb_change_tail(skb, length, 0);
}

/* Take off the outer header and put the tags where the kernel wants them, beside the frame. */
static __always_inline bool
outer_remove(struct __sk_buff *skb, struct inner *inner, const struct measure *measure, __u32 size)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;
	__u32 n_tags = measure->n_tags;

	/* Segmentation would run with the wrong protocol otherwise. */
	if (measure->type == bpf_htons(ETH_P_IPV6) && size >= IPV6_HEADER)
		flags |= ADJ_ROOM_DECAP_L3_IPV6;
	if (bpf_skb_adjust_room(skb, -(__s32)(OUTER + TAG * n_tags), BPF_ADJ_ROOM_MAC, flags) ||
	    bpf_skb_store_bytes(skb, 0, inner->addresses, 12, 0) ||
	    bpf_skb_store_bytes(skb, 12, &measure->type, 2, 0))
		return false;
	if (n_tags == 2 && bpf_skb_vlan_push(skb, inner->words[2], bpf_ntohs(inner->words[3])))
		return false;
	return !n_tags || !bpf_skb_vlan_push(skb, inner->words[0], bpf_ntohs(inner->words[1]));
}

static __always_inline bool
frame_unwrap(struct __sk_buff *skb, const struct outer *outer, struct measure *measure)
{
	__u32 length = ETHERNET + bpf_ntohs(outer->ip.tot_len), head;
	struct inner inner = {0};

	if (!inner_read(skb, &inner, measure))
		return false;
	head = OUTER + ETHERNET + TAG * measure->n_tags;
	if (length < head || skb->len < head || !length_settle(skb, length, measure->n_tags))
		return false;
	measure_frames(skb, head, (skb->gso_size ? skb->len : length) - head, measure);
	return outer_remove(skb, &inner, measure, skb->len - head);
}

static __always_inline bool
is_ours(const struct outer *outer)
{
	return outer->ip.ihl == IPV4_HEADER / 4 && !(outer->ip.frag_off & bpf_htons(FRAGMENT)) &&
	       outer->gre_flags == bpf_htons(GRE_KEY_ONLY) &&
	       outer->gre_type == bpf_htons(GRE_ETHERNET);
}

SEC("tc")

int
vn_decap(struct __sk_buff *skb)
{
	struct redirect_arrival_key at = {.underlay = skb->ifindex};
	struct redirect_arrival *link;
	struct redirect_count *count;
	struct measure measure = {0};
	struct outer outer = {0};

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
	    bpf_skb_load_bytes(skb, 0, &outer, ETHERNET + IPV4_HEADER) ||
	    outer.ip.protocol != IPPROTO_GRE)
		return TC_ACT_UNSPEC;
	/* All GRE is ours: passed on, the host would answer it with ICMP. */
	if (bpf_skb_load_bytes(skb, 0, &outer, OUTER) || !is_ours(&outer))
		return stray(REDIRECT_STRAY_MALFORMED);
	at.key = outer.gre_key;
	link = bpf_map_lookup_elem(&vn_arrivals, &at);
	count = link ? bpf_map_lookup_elem(&vn_counts, &link->rid) : NULL;
	if (!link || !count)
		return stray(REDIRECT_STRAY_KEY);
	if (outer.ip.saddr != link->remote || outer.ip.daddr != link->local ||
	    !(link->flags & REDIRECT_OPEN) || !frame_unwrap(skb, &outer, &measure)) {
		count->rx_dropped++;
		return TC_ACT_SHOT;
	}
	count->rx_frames += measure.frames;
	count->rx_bytes += measure.bytes;
	return (int)bpf_redirect(link->port, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
