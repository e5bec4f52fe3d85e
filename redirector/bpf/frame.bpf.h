/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * A frame as the slice sees it: its Ethernet header with the tags, its segments, its class of
 * service. Shared by the programs that take frames from ports and hand them back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "redirector/bpf/redirect_abi.h"

enum { ETHERNET = 14, TAG = 4, IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, EXTENSIONS_MAX = 8 };

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

/* Bytes of an IPv6 header with the extensions that the kernel cuts behind; `protocol` follows. */
static __always_inline __u32
ipv6_size(struct __sk_buff *skb, __u32 offset, __u8 *protocol)
{
	__u8 extension[2] = {0};
	__u32 size = IPV6_HEADER;

	bpf_skb_load_bytes(skb, offset + 6, protocol, 1);
#pragma clang loop unroll(disable)
	for (int i = 0; i < EXTENSIONS_MAX; i++) {
		if ((*protocol != IPPROTO_HOPOPTS && *protocol != IPPROTO_ROUTING &&
			*protocol != IPPROTO_DSTOPTS) ||
		    bpf_skb_load_bytes(skb, offset + size, extension, sizeof(extension)))
			break;
		*protocol = extension[0];
		size += (extension[1] + 1u) * 8;
	}
	return size;
}

/*
 * Bytes of network and transport header at `offset`: what each segment of a GSO frame repeats. 0:
 * it is neither TCP nor UDP.
 */
static __always_inline __u32
headers_size(struct __sk_buff *skb, __u32 offset, __be16 type)
{
	__u8 first = 0, protocol = 0;
	__u32 size, transport;

	if (type == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, offset, &first, 1);
		bpf_skb_load_bytes(skb, offset + 9, &protocol, 1);
		size = (first & 15) * 4;
	} else if (type == bpf_htons(ETH_P_IPV6)) {
		size = ipv6_size(skb, offset, &protocol);
	} else {
		return 0;
	}
	transport = transport_size(skb, offset + size, protocol);
	return transport ? size + transport : 0;
}

/*
 * Fill in frames and bytes; `payload` begins at `offset`. The segments are counted from the sizes:
 * gso_segs is 0 for frames from a guest. What cannot be cut is judged as it is.
 */
static __always_inline void
measure_frames(struct __sk_buff *skb, __u32 offset, __u32 payload, struct measure *measure)
{
	__u32 segment = skb->gso_size, data;
	__u32 headers = segment ? headers_size(skb, offset, measure->type) : 0;

	measure->frames = 1;
	measure->largest = ETHERNET + payload;
	if (headers) {
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

/* Take the tags off the frame and put all of the Ethernet header into `inner`. */
static __always_inline bool
tagged_take(struct __sk_buff *skb, struct inner *inner, struct measure *measure)
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

/* The same; what has no tags, nearly everything, is read where it lies. */
static __always_inline bool
inner_take(struct __sk_buff *skb, struct inner *inner, struct measure *measure)
{
	const __u8 *bytes = (const __u8 *)(long)skb->data;
	const struct ethhdr *ethernet = (const struct ethhdr *)bytes;

	if (skb->vlan_present || bytes + ETHERNET > (const __u8 *)(long)skb->data_end ||
	    is_tag(ethernet->h_proto))
		return tagged_take(skb, inner, measure);
	__builtin_memcpy(inner, bytes, ETHERNET);
	measure->type = ethernet->h_proto;
	return true;
}

/* Put the tags back where the kernel wants them, beside the frame. */
static __always_inline bool
tags_restore(struct __sk_buff *skb, const struct inner *inner, __u32 n_tags)
{
	if (n_tags == 2 && bpf_skb_vlan_push(skb, inner->words[2], bpf_ntohs(inner->words[3])))
		return false;
	return !n_tags || !bpf_skb_vlan_push(skb, inner->words[0], bpf_ntohs(inner->words[1]));
}

/* The own Ethernet header of an encapsulated frame. False: it is cut short or has too many tags. */
static __always_inline bool
inner_read(struct __sk_buff *skb, __u32 offset, struct inner *inner, struct measure *measure)
{
	if (bpf_skb_load_bytes(skb, offset, inner, ETHERNET))
		return false;
	measure->type = inner->words[0];
	if (!is_tag(measure->type))
		return true;
	if (bpf_skb_load_bytes(skb, offset + ETHERNET, &inner->words[1], TAG))
		return false;
	measure->n_tags = 1;
	measure->type = inner->words[2];
	if (!is_tag(measure->type))
		return true;
	if (bpf_skb_load_bytes(skb, offset + ETHERNET + TAG, &inner->words[3], TAG))
		return false;
	measure->n_tags = 2;
	measure->type = inner->words[4];
	return !is_tag(measure->type);
}

/* The differentiated services of the frame, tags taken off; 0 when it is not IP. */
static __always_inline __u32
dscp_of(struct __sk_buff *skb, __be16 type)
{
	__u8 bytes[2] = {0};

	bpf_skb_load_bytes(skb, ETHERNET, bytes, sizeof(bytes));
	if (type == bpf_htons(ETH_P_IP))
		return bytes[1] >> 2;
	if (type == bpf_htons(ETH_P_IPV6))
		return (bytes[0] & 15) << 2 | bytes[1] >> 6;
	return 0;
}
