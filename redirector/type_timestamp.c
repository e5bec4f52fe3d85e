/*
 * `TimestampLink`: GRE as of the common type, and behind it 16 bytes that the slice never sees:
 * when the packet left and which frame it is. What arrives tells delay, jitter and loss of the
 * link.
 *
 *     be64 nanoseconds TAI ▸ be32 number of the first frame ▸ be16 frames of the packet ▸ be16 run
 *
 * A packet that is cut into segments on its way repeats all of it; `run` differs after the sender
 * has begun to count anew. The protocol type is the one for local experiments (IEEE 802).
 */
#include "redirector/link_types.h"

enum {
	HEAD = 24,
	TYPE_OFFSET = 2,
	KEY_OFFSET = 4,
	KEY_BITS = 32,
	KEY_PRESENT = 0x20,
	LOCAL_EXPERIMENT = 0x88b5,
};

static void
head(const struct link_type_end *end, uint8_t *bytes)
{
	bytes[0] = KEY_PRESENT;
	link_type_store(bytes + TYPE_OFFSET, LOCAL_EXPERIMENT, 2);
	link_type_store(bytes + KEY_OFFSET, end->id, 4);
}

const struct link_type link_type_timestamp = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "TimestampLink",
    .doc = "GRE with a hidden time stamp and number in every packet: delay, jitter, loss",
    .protocol = 47,
    .discriminator = LOCAL_EXPERIMENT,
    .flags = LINK_STAMP,
    .head_size = HEAD,
    .id_offset = KEY_OFFSET,
    .id_bits = KEY_BITS,
    .match_mask = 0xffffffff,
    .match_value = (uint32_t)KEY_PRESENT << 24 | LOCAL_EXPERIMENT,
    .head = head,
};
