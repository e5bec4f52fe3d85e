/*
 * GRE with a key, Ethernet inside (RFC 2784, RFC 2890): the common type of link.
 */
#include "redirector/link_types.h"

enum { HEAD = 8, KEY_OFFSET = 4, KEY_BITS = 32, KEY_PRESENT = 0x20, ETHERNET = 0x6558 };

static void
head(const struct link_type_end *end, uint8_t *bytes)
{
	bytes[0] = KEY_PRESENT;
	bytes[2] = ETHERNET >> 8;
	bytes[3] = ETHERNET & 0xff;
	link_type_store(bytes + KEY_OFFSET, end->id, 4);
}

const struct link_type link_type_gre = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "gre",
    .doc = "IPv4 and GRE with a key, Ethernet inside",
    .protocol = 47,
    .discriminator = ETHERNET,
    .head_size = HEAD,
    .id_offset = KEY_OFFSET,
    .id_bits = KEY_BITS,
    .match_mask = 0xffffffff,
    .match_value = (uint32_t)KEY_PRESENT << 24 | ETHERNET,
    .head = head,
};
