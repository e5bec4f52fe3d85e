/*
 * NVGRE (RFC 7637): GRE whose key is a subnet id of 24 bits and a flow id, which is 0 here. Frames
 * carry no VLAN tag. A packet of NVGRE looks like one of `gre`: whoever gives the ids (sncd) keeps
 * them apart.
 */
#include "redirector/link_types.h"

enum {
	HEAD = 8,
	TYPE_OFFSET = 2,
	VSID_OFFSET = 4,
	VSID_BITS = 24,
	KEY_PRESENT = 0x20,
	ETHERNET = 0x6558,
};

static void
head(const struct link_type_end *end, uint8_t *bytes)
{
	bytes[0] = KEY_PRESENT;
	link_type_store(bytes + TYPE_OFFSET, ETHERNET, 2);
	link_type_store(bytes + VSID_OFFSET, end->id, 3);
}

const struct link_type link_type_nvgre = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "nvgre",
    .doc = "NVGRE, RFC 7637: GRE, id of 24 bits, frames without tags",
    .protocol = 47,
    .discriminator = ETHERNET,
    .flags = LINK_NO_TAGS,
    .head_size = HEAD,
    .id_offset = VSID_OFFSET,
    .id_bits = VSID_BITS,
    .match_mask = 0xffffffff,
    .match_value = (uint32_t)KEY_PRESENT << 24 | ETHERNET,
    .head = head,
};
