/*
 * A link type of one's own, as an example: Geneve (RFC 8926), UDP port 6081, a network id of 24
 * bits and one option of 8 bytes. Built outside the tree (see the Makefile); nothing but the
 * interface is included. Put geneve.so into the folder that `[plugin] links` names.
 */
#include "redirector/link_type.h"

enum {
	UDP_HEAD = 8,
	BASE_HEAD = 8,
	OPTION = 8,
	HEAD = UDP_HEAD + BASE_HEAD + OPTION,
	PORT = 6081,
	ETHERNET = 0x6558,
	HAS_CRITICAL = 0x40,    /* in the second byte of the base header */
	OPTION_CRITICAL = 0x80, /* of the option's type: who does not know it drops the packet */
	OPTION_TYPE = 1,
	VNI_OFFSET = UDP_HEAD + 4,
	OPTION_OFFSET = UDP_HEAD + BASE_HEAD,
};

/* Positions in geneve_keys. */
enum { CRITICAL, CLASS, DATA };

/* Parameters that a slice document may give. */
static const struct link_type_key geneve_keys[] = {
    {"critical", "1: a receiver that does not know the option drops the packet", 0, 1, 0},
    {"class", "of the option; from 65280 on they are free for experiments", 65280, 65535, 65535},
    {"data", "what the option carries", 0, UINT32_MAX, 0},
    {0},
};

static void
store(uint8_t *at, uint64_t value, unsigned n_bytes)
{
	while (n_bytes--) {
		at[n_bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* Source port and length are the host's business (LINK_UDP). */
static void
geneve_head(const struct link_type_end *end, uint8_t *head)
{
	uint8_t *base = head + UDP_HEAD, *option = head + OPTION_OFFSET;

	store(head + 2, PORT, 2);
	base[0] = OPTION / 4;
	store(base + 2, ETHERNET, 2);
	store(head + VNI_OFFSET, end->id, 3);
	store(option, (uint64_t)end->values[CLASS], 2);
	option[2] = OPTION_TYPE;
	option[3] = OPTION / 4 - 1; /* words of data */
	store(option + 4, (uint64_t)end->values[DATA], 4);
	if (end->values[CRITICAL]) {
		base[1] |= HAS_CRITICAL;
		option[2] |= OPTION_CRITICAL;
	}
}

extern const struct link_type vnode_link_type;

__attribute__((visibility("default"))) const struct link_type vnode_link_type = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "geneve",
    .doc = "Geneve, RFC 8926: UDP port 6081, id of 24 bits, one option",
    .protocol = 17,
    .discriminator = PORT,
    .flags = LINK_UDP,
    .head_size = HEAD,
    .id_offset = VNI_OFFSET,
    .id_bits = 24,
    /* Version 0 and as many options as we send: the frame begins where we look for it. */
    .match_offset = UDP_HEAD,
    .match_mask = 0xff00ffff,
    .match_value = (uint32_t)(OPTION / 4) << 24 | ETHERNET,
    .keys = geneve_keys,
    .head = geneve_head,
};
