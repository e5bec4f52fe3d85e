/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What the BPF programs and dataplane_bpf.c both see: keys and values of the pinned maps. Fixed
 * widths, no implicit padding. A changed layout needs a new REDIRECT_PIN_DIR, so that an upgraded
 * daemon never adopts maps of another shape.
 */
#pragma once

#include <linux/types.h>

#define REDIRECT_PIN_DIR "redirect-1"

enum { REDIRECT_LINKS_MAX = 16384, REDIRECT_TAGS_MAX = 2 };

/* Bits of `flags`. */
enum { REDIRECT_OPEN = 1 };

/* Where frames of a port go; map vn_departures by the port's ifindex. */
struct redirect_departure {
	__u64 rid;      /* of the link end */
	__u32 underlay; /* ifindex to send by */
	__u32 priority; /* class of the shaper: major and minor of HTB */
	__be32 local;   /* outer source */
	__be32 remote;  /* outer destination */
	__be32 key;     /* of GRE */
	__u32 mtu;      /* largest payload of a frame */
	__u32 flags;
	__u8 next_hop[6]; /* outer MAC addresses */
	__u8 own[6];
	__u32 pad;
};

_Static_assert(sizeof(struct redirect_departure) == 56, "layout of redirect_departure");

/* Map vn_arrivals: which link end a frame from the underlay belongs to. */
struct redirect_arrival_key {
	__u32 underlay; /* ifindex of arrival */
	__be32 key;
};

_Static_assert(sizeof(struct redirect_arrival_key) == 8, "layout of redirect_arrival_key");

struct redirect_arrival {
	__u64 rid;
	__u32 port;    /* ifindex to hand the frame to */
	__be32 local;  /* the only accepted outer destination */
	__be32 remote; /* the only accepted outer source */
	__u32 flags;
};

_Static_assert(sizeof(struct redirect_arrival) == 24, "layout of redirect_arrival");

/* Map vn_counts, per CPU, by rid: frames and bytes as the slice sees them (14-byte header, no FCS;
 * a GSO frame counts as its segments). */
struct redirect_count {
	__u64 tx_frames;
	__u64 tx_bytes;
	__u64 tx_oversize;
	__u64 tx_dropped;
	__u64 rx_frames;
	__u64 rx_bytes;
	__u64 rx_dropped;
};

_Static_assert(sizeof(struct redirect_count) == 56, "layout of redirect_count");

/* Map vn_strays, per CPU: GRE frames on the underlay that belong to no link end; dropped. */
enum { REDIRECT_STRAY_KEY, REDIRECT_STRAY_MALFORMED, REDIRECT_STRAYS };
