/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * VLAN devices for kernels without any: on the egress of a device `push_N` puts N tags on whatever
 * leaves, on its ingress `pop_N` takes them off. For system tests.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

enum { INNER = 101, OUTER = 202 };

SEC("tc")

int
push_1(struct __sk_buff *skb)
{
	return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), INNER) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")

int
push_2(struct __sk_buff *skb)
{
	return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), INNER) ||
		       bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021AD), OUTER)
		   ? TC_ACT_SHOT
		   : TC_ACT_OK;
}

SEC("tc")

int
pop_1(struct __sk_buff *skb)
{
	if (!skb->vlan_present || (skb->vlan_tci & 0xfff) != INNER)
		return TC_ACT_SHOT;
	return bpf_skb_vlan_pop(skb) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc")

int
pop_2(struct __sk_buff *skb)
{
	if (!skb->vlan_present || (skb->vlan_tci & 0xfff) != OUTER || bpf_skb_vlan_pop(skb))
		return TC_ACT_SHOT;
	return pop_1(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
