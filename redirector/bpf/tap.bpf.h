/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Copies of a link end's frames, to user space or to a device. A link end without one costs a bit
 * of its flags, which are loaded anyway.
 */
#pragma once

#include <linux/ip.h>

#include "redirector/bpf/frame.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REDIRECT_TAPS_MAX);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u32);
	__type(value, struct redirect_tap);
} vn_taps SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} vn_copies SEC(".maps");

/* What filters look at. */
struct flow {
	__be16 type; /* behind the tags */
	__u8 protocol;
	__u8 has_ports;
	__be16 ports[2];
	__be32 addresses[2][4]; /* IPv4 in the first word, the others 0 */
};

/* Of this run on this processor: too much for the stack beside that of the caller. */
struct scratch {
	struct flow flow;
	struct iphdr ip;
	struct redirect_copy copy;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} vn_scratch SEC(".maps");

static __always_inline void
flow_read_ports(struct __sk_buff *skb, __u32 offset, struct flow *flow)
{
	flow->has_ports = (flow->protocol == IPPROTO_TCP || flow->protocol == IPPROTO_UDP) &&
			  !bpf_skb_load_bytes(skb, offset, flow->ports, sizeof(flow->ports));
}

/* Fields that the frame does not have stay 0. */
static __always_inline void
flow_read_packet(struct __sk_buff *skb, __u32 offset, struct flow *flow, struct iphdr *ip)
{
	if (flow->type == bpf_htons(ETH_P_IP) && !bpf_skb_load_bytes(skb, offset, ip, sizeof(*ip))) {
		flow->protocol = ip->protocol;
		flow->addresses[0][0] = ip->saddr;
		flow->addresses[1][0] = ip->daddr;
		if (!(ip->frag_off & bpf_htons(REDIRECT_TAP_OFFSET)))
			flow_read_ports(skb, offset + ip->ihl * 4, flow);
	}
	if (flow->type == bpf_htons(ETH_P_IPV6) &&
	    !bpf_skb_load_bytes(skb, offset + 8, flow->addresses, sizeof(flow->addresses)) &&
	    !bpf_skb_load_bytes(skb, offset + 6, &flow->protocol, 1))
		flow_read_ports(skb, offset + IPV6_HEADER, flow);
	if (flow->type == bpf_htons(ETH_P_ARP)) {
		bpf_skb_load_bytes(skb, offset + 14, flow->addresses[0], 4);
		bpf_skb_load_bytes(skb, offset + 24, flow->addresses[1], 4);
	}
}

/* One tag is beside the frame as a rule; up to two are within. */
static __always_inline void
flow_read(struct __sk_buff *skb, struct flow *flow, struct iphdr *ip)
{
	__u32 offset = 12;

	__builtin_memset(flow, 0, sizeof(*flow));
	bpf_skb_load_bytes(skb, offset, &flow->type, sizeof(flow->type));
	if (is_tag(flow->type)) {
		offset += TAG;
		bpf_skb_load_bytes(skb, offset, &flow->type, sizeof(flow->type));
	}
	if (is_tag(flow->type)) {
		offset += TAG;
		bpf_skb_load_bytes(skb, offset, &flow->type, sizeof(flow->type));
	}
	flow_read_packet(skb, offset + sizeof(flow->type), flow, ip);
}

static __always_inline bool
is_address(const struct redirect_tap *tap, const __be32 *address)
{
	return tap->address[0] == address[0] && tap->address[1] == address[1] &&
	       tap->address[2] == address[2] && tap->address[3] == address[3];
}

static __always_inline bool
is_host(const struct redirect_tap *tap, const struct flow *flow)
{
	bool is_ip6 = flow->type == bpf_htons(ETH_P_IPV6);

	if (is_ip6 != !!(tap->flags & REDIRECT_TAP_IP6))
		return false;
	return is_address(tap, flow->addresses[0]) || is_address(tap, flow->addresses[1]);
}

static __always_inline bool
is_wanted(const struct redirect_tap *tap, const struct flow *flow)
{
	if (tap->flags & REDIRECT_TAP_TYPE && tap->type != flow->type)
		return false;
	if (tap->flags & REDIRECT_TAP_PROTOCOL && tap->protocol != flow->protocol)
		return false;
	if (tap->flags & REDIRECT_TAP_PORT &&
	    (!flow->has_ports || (tap->port != flow->ports[0] && tap->port != flow->ports[1])))
		return false;
	return !(tap->flags & REDIRECT_TAP_HOST) || is_host(tap, flow);
}

static __always_inline void
copy_out(struct __sk_buff *skb, const struct redirect_tap *tap, __u32 direction,
    struct redirect_copy *copy)
{
	__builtin_memset(copy, 0, sizeof(*copy));
	copy->at_ns = bpf_ktime_get_ns();
	copy->serial = tap->serial;
	copy->direction = direction;
	copy->size = skb->len;
	copy->segment = skb->gso_size;
	copy->kept = skb->len < tap->snaplen ? skb->len : tap->snaplen;
	if (skb->vlan_present) {
		copy->tag_type = (__be16)skb->vlan_proto;
		copy->tag = bpf_htons((__u16)skb->vlan_tci);
	}
	bpf_perf_event_output(
	    skb, &vn_copies, BPF_F_CURRENT_CPU | (__u64)copy->kept << 32, copy, sizeof(*copy));
}

/* To whoever wants this frame of the link end. A tap that nobody renews runs out by itself. */
static __noinline int
taps_serve(struct __sk_buff *skb, __u32 slot, __u32 direction)
{
	__u32 zero = 0;
	struct scratch *scratch = bpf_map_lookup_elem(&vn_scratch, &zero);
	__u64 now_ns = bpf_ktime_get_ns();

	if (!scratch)
		return 0;
	flow_read(skb, &scratch->flow, &scratch->ip);
#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < REDIRECT_TAPS_MAX; i++) {
		__u32 nth = i;
		const struct redirect_tap *tap = bpf_map_lookup_elem(&vn_taps, &nth);

		if (!tap || tap->slot != slot || tap->until_ns < now_ns ||
		    !(tap->flags & direction) || !is_wanted(tap, &scratch->flow))
			continue;
		if (tap->device)
			bpf_clone_redirect(skb, tap->device, 0);
		else
			copy_out(skb, tap, direction, &scratch->copy);
	}
	return 0;
}
