/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * The data plane: `vn_encap` on the ingress of each port puts the header of its link in front of
 * the frames of a node, chooses the class of the shaper and sends them by the underlay; `vn_decap`
 * on the ingress of each underlay port does the reverse. Loaded by dataplane_bpf.c. Which header
 * that is stands in the maps: the programs know no type of link.
 * GSO frames stay whole on their way; each frame of any EtherType, with up to two VLAN tags, passes
 * unchanged.
 */

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "redirector/bpf/direct.bpf.h"
#include "redirector/bpf/leave.bpf.h"
#include "redirector/bpf/maps.bpf.h"
#include "redirector/bpf/redirect_abi.h"
#include "redirector/bpf/stamp.bpf.h"
#include "redirector/bpf/tap.bpf.h"

/* Kernel 6.3; younger than the headers of Debian 12. */
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

enum {
	FRAGMENT = 0x3fff, /* more-fragments and offset */
	OUTER = ETHERNET + IPV4_HEADER, /* what every type of link begins with */
	COMMON_HEAD = OUTER + 8, /* of GRE */
	EPHEMERAL = 0xc000, /* first of the ports that tell flows apart (RFC 7348 section 5) */
	EPHEMERAL_PORTS = 0x4000,
	STT_TCP = 20, /* the header like TCP's */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REDIRECT_FORMATS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, struct redirect_format_key);
	__type(value, struct redirect_format);
} vn_formats SEC(".maps");

/* What every packet on the underlay begins with, and the first word behind it. */
struct outer {
	__u8 to[6];
	__u8 from[6];
	__be16 type;
	struct iphdr ip;
	__be16 flags;         /* of GRE; source port of UDP and TCP */
	__be16 discriminator; /* type of GRE; destination port */
} __attribute__((packed));

_Static_assert(sizeof(struct outer) == OUTER + 4, "layout of the outer header");

/* A header under way, as the link's entry has it; length and checksum are filled in. */
struct head {
	__u8 ethernet[ETHERNET];
	struct iphdr ip;
	__be16 source_port; /* of UDP */
	__be16 port;
	__be16 length;
	__u8 rest[REDIRECT_HEAD_MAX - OUTER - 6];
} __attribute__((packed));

_Static_assert(sizeof(struct head) == REDIRECT_HEAD_MAX, "layout of a header under way");

/* ---- the outer header --------------------------------------------------------------------------- */

static __always_inline __sum16
folded(__u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__sum16)~sum;
}

static __always_inline void
head_fill(struct head *head, const struct redirect_departure *link, __u32 size, __u32 hash)
{
	__builtin_memcpy(head, link->head, sizeof(*head));
	head->ip.tot_len = bpf_htons((__u16)size);
	head->ip.check = folded(link->ip_sum + head->ip.tot_len);
	if (link->flags & REDIRECT_UDP) {
		head->source_port = bpf_htons(EPHEMERAL | (hash & (EPHEMERAL_PORTS - 1)));
		head->length = bpf_htons((__u16)(size - IPV4_HEADER));
	}
}

/*
 * Room in front for the outer header and the tags. adjust_room keeps GSO alive, but takes IP alone
 * and no frame that is a tunnel already; what is not GSO can always be pushed.
 */
static __always_inline bool
room_make(struct __sk_buff *skb, const struct redirect_departure *link, __u32 n_tags)
{
	__u32 room = link->head_size + TAG * n_tags;
	__u64 flags = link->room | BPF_F_ADJ_ROOM_ENCAP_L2(ETHERNET + TAG * n_tags);

	if (!bpf_skb_adjust_room(skb, (__s32)room, BPF_ADJ_ROOM_MAC, flags))
		return true;
	return !skb->gso_size && !bpf_skb_change_head(skb, room, 0);
}

/* The inner Ethernet header of constant length for each number of tags: easy for the verifier. */
static __always_inline long
inner_store(struct __sk_buff *skb, __u32 offset, const struct inner *inner, __u32 n_tags)
{
	if (n_tags == 0)
		return bpf_skb_store_bytes(skb, offset, inner, ETHERNET, 0);
	if (n_tags == 1)
		return bpf_skb_store_bytes(skb, offset, inner, ETHERNET + TAG, 0);
	return bpf_skb_store_bytes(skb, offset, inner, ETHERNET + 2 * TAG, 0);
}

/* Both headers of the most common sizes at once, without a helper. */
static __always_inline bool
head_write(struct __sk_buff *skb, const struct head *head, const struct inner *inner)
{
	__u8 *bytes = (__u8 *)(long)skb->data;

	if (bytes + COMMON_HEAD + ETHERNET > (__u8 *)(long)skb->data_end)
		return false;
	__builtin_memcpy(bytes, head, COMMON_HEAD);
	__builtin_memcpy(bytes + COMMON_HEAD, inner, ETHERNET);
	return true;
}

/* What stands in the head beside the template: of a type that wants it. */
static __always_inline bool
head_finish(struct __sk_buff *skb, const struct redirect_departure *link, __u32 frames)
{
	__u32 stamp_at = link->head_size - sizeof(struct redirect_stamp);

	if (link->flags & REDIRECT_STT && !stt_put(skb, OUTER, skb->len - OUTER - STT_TCP))
		return false;
	return !(link->flags & REDIRECT_STAMP) || stamp_put(skb, link->rid, stamp_at, frames);
}

static __always_inline bool
frame_wrap(struct __sk_buff *skb, const struct redirect_departure *link, const struct inner *inner,
    const struct measure *measure)
{
	__u32 size = link->head_size, n_tags = measure->n_tags, hash = 0;
	struct head head __attribute__((aligned(8)));

	if (link->flags & REDIRECT_DIRECT)
		return tags_restore(skb, inner, n_tags);
	if (link->flags & REDIRECT_UDP)
		hash = bpf_get_hash_recalc(skb);
	if (size < OUTER || size > REDIRECT_HEAD_MAX || !room_make(skb, link, n_tags))
		return false;
	head_fill(&head, link, skb->len - ETHERNET, hash);
	if (size == COMMON_HEAD && !n_tags && head_write(skb, &head, inner))
		return true;
	return !bpf_skb_store_bytes(skb, 0, &head, size, 0) &&
	       !inner_store(skb, size, inner, n_tags) && head_finish(skb, link, measure->frames);
}

/* The other end takes it, and whoever taps that one has a copy. */
static __always_inline bool
direct_pass(struct __sk_buff *skb, const struct leaving *leaving, const struct measure *measure)
{
	const struct redirect_departure *peer = direct_arrive(skb, leaving, measure);

	if (peer && peer->flags & REDIRECT_TAP)
		taps_serve(skb, peer->slot, REDIRECT_TAP_RECEIVED);
	return peer;
}

SEC("tc")

int
vn_encap(struct __sk_buff *skb)
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
	if (!leaving.count || !leaving.bucket)
		return TC_ACT_SHOT;
	if (link->flags & REDIRECT_TAP)
		taps_serve(skb, link->slot, REDIRECT_TAP_SENT);
	if (!frame_admit(skb, &leaving, &inner, &measure))
		return TC_ACT_SHOT;
	is_ready = frame_wrap(skb, link, &inner, &measure);
	if (is_ready && is_direct(link) && !direct_pass(skb, &leaving, &measure))
		return TC_ACT_SHOT;
	return frame_send(skb, &leaving, &measure, is_ready, link->underlay);
}

static __always_inline int
stray(__u32 kind)
{
	__u64 *count = bpf_map_lookup_elem(&vn_strays, &kind);

	if (count)
		(*count)++;
	return TC_ACT_SHOT;
}

/* Cut or pad the packet to what the outer header says and the kernel can shrink to. */
static __always_inline bool
length_settle(struct __sk_buff *skb, __u32 length, __u32 head)
{
	if (skb->gso_size)
		return true;
	if (length > skb->len)
		return false;
	if (length < head + IPV4_HEADER)
		length = head + IPV4_HEADER;
	return length == skb->len || !bpf_skb_change_tail(skb, length, 0);
}

/* Take off all in front of the payload but an Ethernet header, and fill that in. */
static __always_inline bool
outer_remove(struct __sk_buff *skb, struct inner *inner, const struct measure *measure, __u32 head)
{
	__u64 flags = BPF_F_ADJ_ROOM_FIXED_GSO;

	/* Segmentation would run with the wrong protocol otherwise. */
	if (measure->type == bpf_htons(ETH_P_IPV6) && skb->len >= head + IPV6_HEADER)
		flags |= ADJ_ROOM_DECAP_L3_IPV6;
	return !bpf_skb_adjust_room(skb, -(__s32)(head - ETHERNET), BPF_ADJ_ROOM_MAC, flags) &&
	       !bpf_skb_store_bytes(skb, 0, inner->addresses, 12, 0) &&
	       !bpf_skb_store_bytes(skb, 12, &measure->type, 2, 0) &&
	       tags_restore(skb, inner, measure->n_tags);
}

/* An arriving packet of a link end. */
struct arriving {
	const struct redirect_arrival *link;
	__u32 head;   /* bytes in front of the frame */
	__u32 length; /* as the outer header says, with Ethernet */
	bool is_home; /* the frame is for the very device behind the port */
};

/* What stands in the head beside id and match; false: it is not to be taken. */
static __always_inline bool
head_read(struct __sk_buff *skb, const struct arriving *packet, struct redirect_stamp *stamp)
{
	if (packet->link->flags & REDIRECT_STT &&
	    !stt_is_whole(skb, OUTER, packet->length - OUTER - STT_TCP))
		return false;
	return !(packet->link->flags & REDIRECT_STAMP) ||
	       !bpf_skb_load_bytes(
		   skb, packet->head - sizeof(*stamp), stamp, sizeof(*stamp));
}

static __always_inline bool
is_home(const struct redirect_arrival *link, const struct inner *inner)
{
	const __u8 *to = inner->addresses, *far = link->far;

	return link->flags & REDIRECT_FAR &&
	       !((to[0] ^ far[0]) | (to[1] ^ far[1]) | (to[2] ^ far[2]) | (to[3] ^ far[3]) |
		   (to[4] ^ far[4]) | (to[5] ^ far[5]));
}

static __always_inline bool
frame_unwrap(struct __sk_buff *skb, struct arriving *packet, struct measure *measure)
{
	__u32 length = packet->length, head = packet->head;
	struct redirect_stamp stamp = {0};
	struct inner inner = {0};

	if (!inner_read(skb, head, &inner, measure) || !head_read(skb, packet, &stamp))
		return false;
	head += ETHERNET + TAG * measure->n_tags;
	if (length < head || skb->len < head || !length_settle(skb, length, head))
		return false;
	measure_frames(skb, head, (skb->gso_size ? skb->len : length) - head, measure);
	if (!outer_remove(skb, &inner, measure, head))
		return false;
	if (packet->link->flags & REDIRECT_STAMP)
		delay_note(packet->link->rid, &stamp, measure->frames);
	packet->is_home = is_home(packet->link, &inner);
	return true;
}

/*
 * To the port, or right into the device behind it, which spares a passage through a queue of the
 * kernel. The latter does not look at the Ethernet header again: it is for what that would tell
 * nothing new of, an untagged frame for the device itself of the protocol the kernel knows already.
 */
static __always_inline int
frame_deliver(
    const struct __sk_buff *skb, const struct arriving *packet, const struct measure *measure)
{
	if (packet->is_home && !skb->vlan_present && skb->protocol == measure->type)
		return (int)bpf_redirect_peer(packet->link->port, 0);
	return (int)bpf_redirect(packet->link->port, 0);
}

/* ---- which link it is --------------------------------------------------------------------------- */

/* What has been found out about an arriving packet. */
struct match {
	const struct redirect_format *format;
	const struct redirect_arrival *link;
	bool is_formed; /* it is as one of the formats wants it */
};

static __always_inline bool
is_formed(struct __sk_buff *skb, const struct redirect_format *format)
{
	__be32 word;

	return !bpf_skb_load_bytes(skb, format->match_offset, &word, 4) &&
	       (word & format->match_mask) == format->match_value;
}

static __always_inline void
link_find(struct __sk_buff *skb, const struct redirect_format_key *key, struct match *match)
{
	struct redirect_arrival_key at = {.underlay = skb->ifindex, .format = *key};
	struct redirect_format *format = bpf_map_lookup_elem(&vn_formats, key);
	__be64 id;

	match->format = format;
	if (!format || !is_formed(skb, format) ||
	    bpf_skb_load_bytes(skb, format->id_offset, &id, sizeof(id)))
		return;
	match->is_formed = true;
	at.id = bpf_be64_to_cpu(id) >> (format->id_shift & 63);
	match->link = bpf_map_lookup_elem(&vn_arrivals, &at);
}

SEC("tc")

int
vn_decap(struct __sk_buff *skb)
{
	struct redirect_format_key key = {0};
	struct redirect_count *count;
	struct measure measure = {0};
	struct arriving packet;
	struct match match = {0};
	struct outer outer;
	bool is_gre;

	if (skb->protocol != bpf_htons(ETH_P_IP) || skb->vlan_present ||
	    bpf_skb_load_bytes(skb, 0, &outer, sizeof(outer)))
		return TC_ACT_UNSPEC;
	is_gre = outer.ip.protocol == IPPROTO_GRE;
	key.protocol = outer.ip.protocol;
	key.discriminator = outer.discriminator;
	link_find(skb, &key, &match);
	/* All GRE is ours: passed on, the host would answer it with ICMP. */
	if (!match.format)
		return is_gre ? stray(REDIRECT_STRAY_MALFORMED) : TC_ACT_UNSPEC;
	if (outer.ip.ihl != IPV4_HEADER / 4 || outer.ip.frag_off & bpf_htons(FRAGMENT) ||
	    !match.is_formed)
		return is_gre ? stray(REDIRECT_STRAY_MALFORMED) : TC_ACT_UNSPEC;
	if (!match.link) {
		key.nth = 1;
		link_find(skb, &key, &match);
	}
	if (!match.format || !match.link)
		return stray(REDIRECT_STRAY_KEY);
	count = bpf_map_lookup_elem(&vn_counts, &match.link->slot);
	if (!count)
		return stray(REDIRECT_STRAY_KEY);
	if (outer.ip.saddr != match.link->remote || outer.ip.daddr != match.link->local) {
		count->rx_source++;
		return TC_ACT_SHOT;
	}
	if (!(match.link->flags & REDIRECT_OPEN)) {
		count->rx_closed++;
		return TC_ACT_SHOT;
	}
	packet = (struct arriving){
	    .link = match.link,
	    .head = match.format->head_size,
	    .length = ETHERNET + bpf_ntohs(outer.ip.tot_len),
	};
	if (!frame_unwrap(skb, &packet, &measure)) {
		count->rx_malformed++;
		return TC_ACT_SHOT;
	}
	count->rx_frames += measure.frames;
	count->rx_bytes += measure.bytes;
	if (match.link->flags & REDIRECT_TAP)
		taps_serve(skb, match.link->slot, REDIRECT_TAP_RECEIVED);
	return frame_deliver(skb, &packet, &measure);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
