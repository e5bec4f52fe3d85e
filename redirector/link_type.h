/*
 * A type of virtual link: how a frame of the slice looks on the way between two hosts. A type is a
 * description, not a program: which bytes stand between the outer IPv4 header and the frame, and
 * how an arriving packet is told from others. The data plane does the rest, so a plug-in brings no
 * code into the kernel.
 *
 * This header is the whole interface of plug-ins: a shared object exports one constant struct
 * link_type by the name LINK_TYPE_SYMBOL. Include nothing else of the house.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Raised when anything below changes; the host accepts its own version and no other. */
#define LINK_TYPE_ABI 1
#define LINK_TYPE_SYMBOL "vnode_link_type"

enum {
	LINK_HEAD_MAX = 62, /* bytes between IPv4 header and the slice's frame */
	LINK_NAME_MAX = 31, /* of a type or key: [A-Za-z][A-Za-z0-9_-]* */
	LINK_KEYS_MAX = 16,
};

/* What the data plane fills in, frame by frame; bits of link_type.flags. */
enum {
	LINK_UDP = 1 << 0, /* a UDP header at 0: its length, and its source port by the flow */
	LINK_STT = 1 << 1, /* a header like TCP's at 0: length of the frame, number of the packet */
	LINK_STAMP = 1 << 2, /* the last 16 bytes: time of departure and sequence number */
	/* What a frame may be. */
	LINK_NO_TAGS = 1 << 3, /* frames with a VLAN tag are dropped and counted */
	LINK_NO_GSO = 1 << 4,  /* so are large frames that are to be segmented on the way */
	LINK_FLAGS_ALL = (1 << 5) - 1,
};

/* A parameter that a slice document may give to links of this type. */
struct link_type_key {
	const char *name;
	const char *doc;
	int64_t least, most; /* a number in this range */
	int64_t otherwise;   /* its value when absent */
};

/* One end of a link, for `head`. */
struct link_type_end {
	uint64_t id;           /* of the virtual network: below 1 << id_bits */
	const int64_t *values; /* of the keys, in their order */
};

struct link_type {
	uint32_t abi;     /* LINK_TYPE_ABI */
	uint32_t size;    /* sizeof(struct link_type) */
	const char *kind; /* "link" */
	const char *name; /* as slice documents and rows call it */
	const char *doc;  /* one sentence */

	uint8_t protocol; /* of IPv4: 47 GRE, 17 UDP, 6 TCP */
	/* Tells arriving packets apart: type field of GRE, destination port of UDP and TCP. */
	uint16_t discriminator;
	uint32_t flags;
	uint8_t head_size; /* up to LINK_HEAD_MAX; the frame begins behind it */
	uint8_t id_offset; /* in the head: the id's first byte, big-endian */
	uint8_t id_bits;   /* 8 to 64 */
	/* An arriving head must have these bits, big-endian, at match_offset; mask 0: anything. */
	uint8_t match_offset;
	uint32_t match_mask, match_value;

	const struct link_type_key *keys; /* ended by one without a name; NULL = none */
	/*
	 * Writes the head of every frame that this end sends: head_size bytes, zero before. Pure;
	 * any thread.
	 */
	void (*head)(const struct link_type_end *end, uint8_t *head);
};
