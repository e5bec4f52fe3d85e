/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Does the kernel take an IPv6 frame out of a tunnel? Run once at the start over a frame of IPv4,
 * by dataplane_probe_bpf.c.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

/* Kernel 6.3; younger than the headers of Debian 12. */
#define ADJ_ROOM_DECAP_L3_IPV6 (1ULL << 8)

enum { IPV4_HEADER = 20 };

SEC("tc")

int
vn_probe(struct __sk_buff *skb)
{
	return (int)-bpf_skb_adjust_room(skb, -IPV4_HEADER, BPF_ADJ_ROOM_MAC,
	    BPF_F_ADJ_ROOM_FIXED_GSO | ADJ_ROOM_DECAP_L3_IPV6);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
