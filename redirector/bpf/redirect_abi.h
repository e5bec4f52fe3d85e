/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What the BPF programs and dataplane_bpf*.c both see: keys and values of the pinned maps. Fixed
 * widths, no implicit padding. A changed layout needs a new REDIRECT_PIN_DIR, so that an upgraded
 * daemon never adopts maps of another shape.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>

#define REDIRECT_PIN_DIR "redirect-3"

enum {
	REDIRECT_LINKS_MAX = 16384, /* until maps_bpf.c sets another size */
	REDIRECT_TAGS_MAX = 2,
	REDIRECT_HEAD_MAX = 96, /* Ethernet, IPv4, and what the type of link puts behind */
	REDIRECT_FORMATS_MAX = 256,
	REDIRECT_SAME_MAX = 2, /* types that share protocol and discriminator */
	REDIRECT_COST_SHIFT = 20,
};

#define REDIRECT_COST_MAX (1ULL << 48) /* times bytes >> 10 of the largest frame is below 1 << 64 */

/* Bits of `flags`. */
enum {
	REDIRECT_OPEN = 1 << 0,
	REDIRECT_DIRECT = 1 << 1, /* port to port: nothing is put in front */
	REDIRECT_POLICE = 1 << 2,
	REDIRECT_FIRST = 1 << 3, /* some frames go to first_class */
	REDIRECT_UDP = 1 << 4,
	REDIRECT_STT = 1 << 5,
	REDIRECT_STAMP = 1 << 6,
	REDIRECT_NO_TAGS = 1 << 7,
	REDIRECT_NO_GSO = 1 << 8,
	REDIRECT_FAR = 1 << 9, /* of an arrival: `far` is known */
	REDIRECT_TAP = 1 << 15, /* somebody wants copies: see vn_taps */
};

/* For driver `device`: what its tunnel device is told of every frame. */
struct redirect_tunnel {
	__u32 device; /* ifindex to send by; of the loop the same as `underlay` */
	__u32 id;     /* of the virtual network */
	__be32 local;
	__be32 remote;
	__be32 next_hop_address;
	__u8 next_hop[6];
	__u8 kind; /* enum tunnel_kind */
	__u8 pad[REDIRECT_HEAD_MAX - 27]; /* as large as what it stands for */
};

_Static_assert(sizeof(struct redirect_tunnel) == REDIRECT_HEAD_MAX, "layout of redirect_tunnel");

/* Where frames of a port go; map vn_departures by the port's ifindex. What every frame needs comes
 * first, in as few cache lines as it takes. */
struct redirect_departure {
	__u64 rid;  /* of the link end */
	__u64 room; /* flags of bpf_skb_adjust_room, without the size of the inner header */
	__u32 slot; /* of its counters and buckets */
	__u32 underlay; /* ifindex to send by */
	__u32 flags;
	__u32 mtu;   /* largest payload of a frame */
	__u32 class; /* of the shaper: major and minor of HTB */
	__u32 head_size;
	__u32 ip_sum; /* of the outer IPv4 header with a length of 0, not folded */
	__u32 first_dscp;

	union {
		__u8 head[REDIRECT_HEAD_MAX]; /* what is put in front of every frame */
		struct redirect_tunnel tunnel;
	};

	__u32 first_class;
	__u32 excess_class; /* for what exceeds the guarantee of a policed link */
	/* Nanoseconds a byte takes << REDIRECT_COST_SHIFT; 0: that bucket is always empty. */
	__u64 cost;
	__u64 excess_cost;
	__u64 burst_ns;
	__u64 excess_burst_ns;
};

_Static_assert(sizeof(struct redirect_departure) == 184, "layout of redirect_departure");

/* Map vn_formats: what arriving packets may look like. */
struct redirect_format_key {
	__u8 protocol;
	__u8 nth; /* counted from 0 without a gap */
	__be16 discriminator;
};

_Static_assert(sizeof(struct redirect_format_key) == 4, "layout of redirect_format_key");

struct redirect_format {
	__u32 head_size; /* with Ethernet and IPv4 */
	__u32 id_offset; /* in the packet */
	__u32 id_shift;  /* 64 less the bits of the id */
	__u32 match_offset;
	__be32 match_mask;
	__be32 match_value;
	__u32 flags;
	__u32 pad;
};

_Static_assert(sizeof(struct redirect_format) == 32, "layout of redirect_format");

/* Map vn_arrivals: which link end a packet from the underlay belongs to. */
struct redirect_arrival_key {
	__u64 id;
	__u32 underlay; /* ifindex of arrival */

	union {
		struct redirect_format_key format;
		__be32 local; /* driver `device`: outer destination; 0 on the loop */
	};
};

_Static_assert(sizeof(struct redirect_arrival_key) == 16, "layout of redirect_arrival_key");

struct redirect_arrival {
	__u64 rid;
	__u32 slot;
	__u32 port;    /* ifindex to hand the frame to */
	__be32 local;  /* the only accepted outer destination */
	__be32 remote; /* the only accepted outer source */
	__u32 flags;
	__u8 far[6]; /* address of the port's other half, a veth in another network namespace */
	__u8 pad[6];
};

_Static_assert(sizeof(struct redirect_arrival) == 40, "layout of redirect_arrival");

/* Map vn_counts, per CPU, by slot: frames and bytes as the slice sees them (14-byte header, no FCS;
 * a GSO frame counts as its segments). The fields of struct dataplane_counters, in their order. */
struct redirect_count {
	__u64 tx_frames;
	__u64 tx_bytes;
	__u64 tx_oversize;
	__u64 tx_policed;
	__u64 tx_closed;
	__u64 tx_unfit;
	__u64 tx_failed;
	__u64 rx_frames;
	__u64 rx_bytes;
	__u64 rx_source;
	__u64 rx_closed;
	__u64 rx_malformed;
};

_Static_assert(sizeof(struct redirect_count) == 96, "layout of redirect_count");

/* Map vn_buckets, by slot: when what was let through so far would have been sent at its rate. */
struct redirect_bucket {
	struct bpf_spin_lock lock;
	__u32 pad;
	__u64 until_ns;
	__u64 excess_until_ns;
};

_Static_assert(sizeof(struct redirect_bucket) == 24, "layout of redirect_bucket");

/* Map vn_strays, per CPU: packets on the underlay that belong to no link end; dropped. */
enum { REDIRECT_STRAY_KEY, REDIRECT_STRAY_MALFORMED, REDIRECT_STRAYS };

/* What LINK_STAMP puts into the last bytes of its head; redirector/type_timestamp.c. */
struct redirect_stamp {
	__be64 sent_ns; /* TAI */
	__be32 first;   /* number of the first frame */
	__be16 frames;  /* of the packet as it was sent, before any segmentation */
	__be16 run;
};

_Static_assert(sizeof(struct redirect_stamp) == 16, "layout of redirect_stamp");

/*
 * Delays by quarters of an octave: bucket 0 is what is below 4 ns (also below 0: clocks differ);
 * bucket 1 + 4 x o + q begins at (4 + q) << o.
 */
enum { REDIRECT_DELAY_BUCKETS = 145 };

/* Map vn_delays, by rid: one entry for each end of a link with stamps. */
struct redirect_delay {
	struct bpf_spin_lock lock;
	/* What is sent. */
	__u32 next; /* number of the next frame */
	__u32 run;  /* drawn when the entry was made */
	/* What was received. */
	__u32 high; /* number behind the last frame seen */
	__u32 high_run;
	__u32 pad;
	__u64 packets;
	__u64 received; /* frames */
	__u64 expected; /* frames that the sender has counted */
	__s64 sum_ns;
	__s64 min_ns;
	__s64 max_ns;
	__s64 last_ns;
	__u64 jitter_16ns; /* RFC 3550 section 6.4.1, times 16 */
	__u64 buckets[REDIRECT_DELAY_BUCKETS];
};

_Static_assert(
    sizeof(struct redirect_delay) == 88 + 8 * REDIRECT_DELAY_BUCKETS, "layout of redirect_delay");
/* Bits of redirect_tap.flags: directions, and which fields a frame must have. */
enum {
	REDIRECT_TAP_SENT = 1 << 0, /* by the node at this end */
	REDIRECT_TAP_RECEIVED = 1 << 1,
	REDIRECT_TAP_TYPE = 1 << 2,
	REDIRECT_TAP_PROTOCOL = 1 << 3,
	REDIRECT_TAP_PORT = 1 << 4,
	REDIRECT_TAP_HOST = 1 << 5,
	REDIRECT_TAP_IP6 = 1 << 6, /* the host's address */
};

enum {
	REDIRECT_TAPS_MAX = 8,
	REDIRECT_TAP_OFFSET = 0x1fff, /* of a fragment: what is no first one has no ports */
};

/* Map vn_taps: who wants copies of which frames. All 0: nobody. */
struct redirect_tap {
	__u64 until_ns; /* of bpf_ktime_get_ns; it has ended after */
	__u32 slot;     /* of the link end */
	__u32 flags;
	__u32 serial; /* comes with every copy: another one is an earlier tap's */
	__u32 device; /* ifindex to send the copies by; 0: to vn_copies */
	__u32 snaplen;
	__be16 type;
	__be16 port;
	__be32 address[4];
	__u8 protocol;
	__u8 pad[3];
	__u32 pad_end;
};

_Static_assert(sizeof(struct redirect_tap) == 56, "layout of redirect_tap");

/* What comes by vn_copies, the frame's bytes behind it. */
struct redirect_copy {
	__u64 at_ns;
	__u32 serial;
	__u32 direction;
	__u32 size;      /* of the whole frame, the tag below not counted */
	__u32 segment;   /* bytes that each segment of a large frame will carry; 0: it is none */
	__u32 kept;      /* bytes that follow */
	__be16 tag_type; /* the outermost tag when it is beside the frame; 0: it is not */
	__be16 tag;
};

_Static_assert(sizeof(struct redirect_copy) == 32, "layout of redirect_copy");
