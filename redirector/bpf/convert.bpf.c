/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The format converter: `vn_conv_in` on the ingress of each customer device takes the VLAN tag off
 * and wraps the frame into MAC-in-MAC (IEEE 802.1ah); `vn_conv_strip` and `vn_conv_out` on each
 * backbone device do the reverse. Loaded by convert_bpf.c. Stripping is XDP's: tc cannot shrink a
 * frame that is not IP. Frames of other formats are left to the host.
 */
#include "redirector/bpf/convert_abi.h"

#include <linux/pkt_cls.h>

#include "redirector/bpf/frame.bpf.h"

enum {
	TYPE_MAC_IN_MAC = 0x88e7,
	VLAN_ID = 0xfff,
	PRIORITY = 0xf000,  /* PCP and DEI of a VLAN tag */
	PRIORITY_SHIFT = 16, /* from there to the I-TAG's */
	ISID = 0xffffff,
	RESERVED = 0x3000000, /* Res2: a receiver drops what has it set */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONVERT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct convert_customer);
	__type(value, struct convert_departure);
} vn_customers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONVERT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct convert_backbone);
	__type(value, struct convert_arrival);
} vn_backbones SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, CONVERT_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u64);
	__type(value, struct convert_count);
} vn_conversions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CONVERT_STRAYS);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, __u64);
} vn_unconverted SEC(".maps");

/* In front of the customer's frame. */
struct outer {
	__u8 to[6];
	__u8 from[6];
	__be16 b_type;
	__be16 b_tag;
	__be16 i_type;
	__be32 i_tag;
} __attribute__((packed));

enum { OUTER = 22 };

_Static_assert(sizeof(struct outer) == OUTER, "layout of the outer header");

static __always_inline void
stray(__u32 kind)
{
	__u64 *count = bpf_map_lookup_elem(&vn_unconverted, &kind);

	if (count)
		(*count)++;
}

/* ---- to the backbone ------------------------------------------------------------------------- */

/* A frame taken apart: its tags (type and control information of each), the type behind them. */
struct parts {
	__be16 words[2 * (CONVERT_TAGS_MAX + 1)];
	__u32 n_tags;
};

/*
 * Take all tags off the frame, from where the kernel keeps them, to be written behind the new
 * header. False: more of them than there is room for.
 */
static __always_inline bool
tags_take(struct __sk_buff *skb, struct parts *parts)
{
	__be16 type = 0;

	if (tag_take(skb, &parts->words[0]))
		parts->n_tags = 1;
	if (parts->n_tags == 1 && tag_take(skb, &parts->words[2]))
		parts->n_tags = 2;
	if (parts->n_tags == 2 && tag_take(skb, &parts->words[4]))
		parts->n_tags = 3;
	return !skb->vlan_present && !bpf_skb_load_bytes(skb, 12, &type, 2) && !is_tag(type);
}

static __always_inline struct outer
outer_of(const struct convert_departure *way, __u16 priority)
{
	struct outer outer = {
	    .b_type = bpf_htons(ETH_P_8021AD),
	    .b_tag = bpf_htons(way->b_vid | priority),
	    .i_type = bpf_htons(TYPE_MAC_IN_MAC),
	    .i_tag = bpf_htonl(way->isid | (__u32)priority << PRIORITY_SHIFT),
	};

	__builtin_memcpy(outer.to, way->to, 6);
	__builtin_memcpy(outer.from, way->from, 6);
	return outer;
}

/*
 * Room in front for the new header and the frame's own tags, `first` of those left out. The
 * addresses go before the tags, type and payload stay where they are. Lengths are constants: easy
 * for the verifier.
 */
static __always_inline bool
frame_wrap(struct __sk_buff *skb, const struct outer *outer, const __be16 *tags, __u32 n_tags)
{
	__u8 addresses[12];

	if (bpf_skb_load_bytes(skb, 0, addresses, 12) ||
	    bpf_skb_change_head(skb, OUTER + TAG * n_tags, 0) ||
	    bpf_skb_store_bytes(skb, 0, outer, OUTER, 0) ||
	    bpf_skb_store_bytes(skb, OUTER, addresses, 12, 0))
		return false;
	if (n_tags == 0)
		return true;
	if (n_tags == 1)
		return !bpf_skb_store_bytes(skb, OUTER + 12, tags, TAG, 0);
	return !bpf_skb_store_bytes(skb, OUTER + 12, tags, 2 * TAG, 0);
}

/* The 802.1Q tag that chooses a conversion, wherever the kernel keeps it; 0 = the frame has none. */
static __always_inline __u16
choosing_tag(struct __sk_buff *skb)
{
	__be16 words[2];

	if (skb->vlan_present)
		return skb->vlan_proto == bpf_htons(ETH_P_8021Q) ? (__u16)skb->vlan_tci : 0;
	if (bpf_skb_load_bytes(skb, 12, words, 4) || words[0] != bpf_htons(ETH_P_8021Q))
		return 0;
	return bpf_ntohs(words[1]);
}

static __always_inline int
wrap(struct __sk_buff *skb, const struct convert_departure *way, struct convert_count *count,
    __u16 tag)
{
	struct outer outer = outer_of(way, tag & PRIORITY);
	struct parts parts = {0};
	__u32 first = tag ? 1 : 0, own, bytes, mtu = 0;

	/* A large packet of many segments cannot be cut again behind a header that is not IP. */
	if (skb->gso_size || !tags_take(skb, &parts) || parts.n_tags - first > CONVERT_TAGS_MAX) {
		count->to_dropped++;
		return TC_ACT_SHOT;
	}
	own = parts.n_tags - first;
	bytes = skb->len + TAG * own;
	if (bpf_check_mtu(skb, way->backbone, &mtu, (__s32)(OUTER - TAG + TAG * own), 0)) {
		count->to_oversize++;
		return TC_ACT_SHOT;
	}
	if (!frame_wrap(skb, &outer, tag ? parts.words + 2 : parts.words, own)) {
		count->to_dropped++;
		return TC_ACT_SHOT;
	}
	count->to_frames++;
	count->to_bytes += bytes;
	return (int)bpf_redirect(way->backbone, 0);
}

SEC("tc")

int
vn_conv_in(struct __sk_buff *skb)
{
	struct convert_customer at = {.device = skb->ifindex, .vlan = CONVERT_WHOLE};
	struct convert_departure *way = bpf_map_lookup_elem(&vn_customers, &at);
	struct convert_count *count;
	__u16 tag = 0;

	if (!way) {
		tag = choosing_tag(skb);
		at.vlan = tag & VLAN_ID;
		if (!at.vlan)
			return TC_ACT_UNSPEC;
		way = bpf_map_lookup_elem(&vn_customers, &at);
	}
	count = way ? bpf_map_lookup_elem(&vn_conversions, &way->rid) : NULL;
	if (!count) {
		stray(CONVERT_STRAY_VLAN);
		return TC_ACT_SHOT;
	}
	return wrap(skb, way, count, tag);
}

/*
 * Nothing but its presence: a device with XDP gets each segment of TCP as a frame of its own from
 * the other end of a veth, in whatever namespace that is.
 */
SEC("xdp.frags")

int
vn_conv_single(struct xdp_md *xdp)
{
	(void)xdp;
	return XDP_PASS;
}

/* ---- from the backbone ----------------------------------------------------------------------- */

/* Is this MAC-in-MAC? Without its B-TAG, too: that is for us to drop. */
static __always_inline bool
is_mac_in_mac(const struct outer *outer)
{
	__be16 type = bpf_htons(TYPE_MAC_IN_MAC);

	return outer->b_type == type || (is_tag(outer->b_type) && outer->i_type == type);
}

static __always_inline bool
is_good(const struct outer *outer)
{
	return outer->b_type == bpf_htons(ETH_P_8021AD) &&
	       !(outer->i_tag & bpf_htonl(RESERVED));
}

static __always_inline bool
is_same_mac(const __u8 *a, const __u8 *b)
{
	return !((a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) | (a[4] ^ b[4]) |
		 (a[5] ^ b[5]));
}

static __always_inline struct convert_note
note_of(const struct convert_arrival *way, __u32 i_tag)
{
	return (struct convert_note){
	    .customer = way->customer,
	    .tag = way->vlan ? way->vlan | (i_tag >> PRIORITY_SHIFT & PRIORITY) : CONVERT_WHOLE,
	};
}

/* Take the outer header off and leave a note for vn_conv_out. */
static __always_inline bool
strip(struct xdp_md *xdp, const struct convert_note *note)
{
	struct convert_note *room;

	if (bpf_xdp_adjust_head(xdp, OUTER) || bpf_xdp_adjust_meta(xdp, -(int)sizeof(*room)))
		return false;
	room = (void *)(long)xdp->data_meta;
	if ((void *)(room + 1) > (void *)(long)xdp->data)
		return false;
	*room = *note;
	return true;
}

SEC("xdp.frags")

int
vn_conv_strip(struct xdp_md *xdp)
{
	const struct outer *outer = (void *)(long)xdp->data;
	const __u8 *end = (void *)(long)xdp->data_end;
	struct convert_backbone at = {.device = xdp->ingress_ifindex};
	__u64 bytes = bpf_xdp_get_buff_len(xdp) - OUTER;
	struct convert_arrival *way;
	struct convert_count *count;
	struct convert_note note;

	/* The shortest frame of Ethernet is longer. */
	if ((const __u8 *)(outer + 1) + ETHERNET > end || !is_mac_in_mac(outer))
		return XDP_PASS;
	if (!is_good(outer)) {
		stray(CONVERT_STRAY_MALFORMED);
		return XDP_DROP;
	}
	at.isid = bpf_ntohl(outer->i_tag) & ISID;
	at.b_vid = bpf_ntohs(outer->b_tag) & VLAN_ID;
	__builtin_memcpy(at.from, outer->from, 6);
	way = bpf_map_lookup_elem(&vn_backbones, &at);
	count = way ? bpf_map_lookup_elem(&vn_conversions, &way->rid) : NULL;
	if (!count) {
		stray(CONVERT_STRAY_ISID);
		return XDP_DROP;
	}
	note = note_of(way, bpf_ntohl(outer->i_tag));
	if (!is_same_mac(outer->to, way->to) || !strip(xdp, &note)) {
		count->from_dropped++;
		return XDP_DROP;
	}
	count->from_frames++;
	count->from_bytes += bytes;
	return XDP_PASS;
}

SEC("tc")

int
vn_conv_out(struct __sk_buff *skb)
{
	const struct convert_note *note = (void *)(long)skb->data_meta;
	__u32 customer;

	if ((const void *)(note + 1) > (const void *)(long)skb->data)
		return TC_ACT_UNSPEC;
	customer = note->customer;
	if (note->tag && bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), (__u16)note->tag))
		return TC_ACT_SHOT;
	return (int)bpf_redirect(customer, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
