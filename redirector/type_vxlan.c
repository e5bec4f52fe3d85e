/*
 * VXLAN (RFC 7348): UDP, a network id of 24 bits. The source port tells flows apart, the UDP
 * checksum is 0.
 */
#include "redirector/link_types.h"

enum {
	PORT = 4789,
	HEAD = 16,
	PORT_OFFSET = 2,
	FLAGS_OFFSET = 8,
	VNI_OFFSET = 12,
	VNI_BITS = 24,
	VNI_VALID = 0x08,
};

static void
head(const struct link_type_end *end, uint8_t *bytes)
{
	link_type_store(bytes + PORT_OFFSET, PORT, 2);
	bytes[FLAGS_OFFSET] = VNI_VALID;
	link_type_store(bytes + VNI_OFFSET, end->id, 3);
}

const struct link_type link_type_vxlan = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "vxlan",
    .doc = "VXLAN, RFC 7348: UDP port 4789, id of 24 bits",
    .protocol = 17,
    .discriminator = PORT,
    .flags = LINK_UDP,
    .head_size = HEAD,
    .id_offset = VNI_OFFSET,
    .id_bits = VNI_BITS,
    .match_offset = FLAGS_OFFSET,
    /* The other bits are to be ignored on arrival. */
    .match_mask = (uint32_t)VNI_VALID << 24,
    .match_value = (uint32_t)VNI_VALID << 24,
    .head = head,
};
