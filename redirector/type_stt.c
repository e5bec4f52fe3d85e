/*
 * The framing of STT (draft-davie-stt-08): a header like TCP's, where sequence and acknowledgement
 * are length and number of the frame, then one of 18 bytes with a context id of 64 bits. One frame
 * a packet: large frames, which STT would leave to the network card to cut, are dropped.
 */
#include "redirector/link_types.h"

enum {
	PORT = 7471,
	SOURCE_PORT = 0xc000,
	TCP_HEAD = 20,
	HEAD = TCP_HEAD + 18,
	PORT_OFFSET = 2,
	WORDS_OFFSET = 12,
	WORDS = 5 << 4, /* of the TCP header */
	FLAGS_OFFSET = 13,
	ACKNOWLEDGE = 0x10,
	WINDOW_OFFSET = 14,
	WINDOW = 0xffff,
	CONTEXT_OFFSET = TCP_HEAD + 8,
	CONTEXT_BITS = 64,
};

static void
head(const struct link_type_end *end, uint8_t *bytes)
{
	link_type_store(bytes, SOURCE_PORT, 2);
	link_type_store(bytes + PORT_OFFSET, PORT, 2);
	bytes[WORDS_OFFSET] = WORDS;
	bytes[FLAGS_OFFSET] = ACKNOWLEDGE;
	link_type_store(bytes + WINDOW_OFFSET, WINDOW, 2);
	link_type_store(bytes + CONTEXT_OFFSET, end->id, 8);
}

const struct link_type link_type_stt = {
    .abi = LINK_TYPE_ABI,
    .size = sizeof(struct link_type),
    .kind = "link",
    .name = "stt",
    .doc =
	"framing of STT, draft-davie-stt: like TCP, port 7471, id of 64 bits, one frame a packet",
    .protocol = 6,
    .discriminator = PORT,
    .flags = LINK_STT | LINK_NO_GSO,
    .head_size = HEAD,
    .id_offset = CONTEXT_OFFSET,
    .id_bits = CONTEXT_BITS,
    .match_offset = TCP_HEAD, /* version 0 */
    .match_mask = 0xff000000,
    .head = head,
};
