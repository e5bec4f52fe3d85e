/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What the BPF programs of the format converter and convert_bpf.c both see: keys and values of the
 * pinned maps. Fixed widths, no implicit padding. A changed layout needs a new CONVERT_PIN_DIR, so
 * that an upgraded daemon never adopts maps of another shape.
 */
#pragma once

#include <linux/types.h>

#define CONVERT_PIN_DIR "convert-1"

/* Conversions of one host, and VLAN tags of a customer's frame beside the conversion's own. */
enum { CONVERT_MAX = 16384, CONVERT_TAGS_MAX = 2 };

/* VLAN id of a conversion that takes all frames of its customer device as they are. */
enum { CONVERT_WHOLE = 0 };

/* Map vn_customers: which conversion a frame from a customer device belongs to. */
struct convert_customer {
	__u32 device; /* ifindex of arrival */
	__u32 vlan;
};

_Static_assert(sizeof(struct convert_customer) == 8, "layout of convert_customer");

/* How it goes on: MAC-in-MAC to the backbone. */
struct convert_departure {
	__u64 rid;       /* of the conversion */
	__u32 backbone;  /* ifindex to send by */
	__u32 isid;
	__u16 b_vid;
	__u8 to[6];      /* B-DA */
	__u8 from[6];    /* B-SA */
	__u8 pad[2];
};

_Static_assert(sizeof(struct convert_departure) == 32, "layout of convert_departure");

/* Map vn_backbones: which conversion a frame from a backbone device belongs to. */
struct convert_backbone {
	__u32 device; /* ifindex of arrival */
	__u32 isid;
	__u16 b_vid;
	__u8 from[6]; /* B-SA of the arriving frame: our B-DA */
};

_Static_assert(sizeof(struct convert_backbone) == 16, "layout of convert_backbone");

struct convert_arrival {
	__u64 rid;
	__u32 customer; /* ifindex to hand the frame to */
	__u32 vlan;     /* to tag it with; CONVERT_WHOLE = none */
	__u8 to[6];     /* the only accepted B-DA */
	__u8 pad[2];
};

_Static_assert(sizeof(struct convert_arrival) == 24, "layout of convert_arrival");

/* Map vn_conversions, per CPU, by rid: frames and bytes as the slice sees them (14-byte header, its
 * own tags, no FCS). */
struct convert_count {
	__u64 to_frames; /* towards the backbone */
	__u64 to_bytes;
	__u64 to_oversize; /* too large for the backbone with their new header: dropped */
	__u64 to_dropped;
	__u64 from_frames; /* from the backbone */
	__u64 from_bytes;
	__u64 from_dropped;
};

_Static_assert(sizeof(struct convert_count) == 56, "layout of convert_count");

/* Map vn_unconverted, per CPU: frames that belong to no conversion; dropped. */
enum {
	CONVERT_STRAY_ISID, /* unknown (B-SA, B-VID, I-SID) */
	CONVERT_STRAY_VLAN, /* unknown VLAN of a customer device */
	CONVERT_STRAY_MALFORMED,
	CONVERT_STRAYS
};

/* Written in front of a frame from the backbone for the program that hands it on. */
struct convert_note {
	__u32 customer;
	__u32 tag; /* 802.1Q tag control information; CONVERT_WHOLE = none */
};

_Static_assert(sizeof(struct convert_note) == 8, "layout of convert_note");
