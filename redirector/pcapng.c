/*
 * Writing pcapng.
 */
#include "redirector/pcapng.h"

#include <string.h>

enum {
	SECTION = 0x0a0d0d0a,
	INTERFACE = 1,
	STATISTICS = 5,
	FRAME = 6,
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	ETHERNET = 1, /* LINKTYPE_ETHERNET */
	NANOSECONDS = 9,
	INBOUND = 1,
	OUTBOUND = 2,
};

/* Options; the same number means another thing in another block. */
enum {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_TSRESOL = 9,
	EPB_FLAGS = 2,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
};

static void
add_u16(struct str *out, uint16_t value)
{
	str_add_bytes(out, &value, sizeof(value));
}

static void
add_u32(struct str *out, uint32_t value)
{
	str_add_bytes(out, &value, sizeof(value));
}

/* Times are two words, the high one first, whatever the byte order. */
static void
add_time(struct str *out, uint64_t ns)
{
	add_u32(out, (uint32_t)(ns >> 32));
	add_u32(out, (uint32_t)ns);
}

static void
add_padded(struct str *out, const void *bytes, size_t size)
{
	static const char zeros[4];

	str_add_bytes(out, bytes, size);
	str_add_bytes(out, zeros, -size % 4);
}

static void
add_option(struct str *out, uint16_t code, const void *bytes, size_t size)
{
	add_u16(out, code);
	add_u16(out, (uint16_t)size);
	add_padded(out, bytes, size);
}

static void
add_text(struct str *out, uint16_t code, const char *text)
{
	size_t size = text ? strlen(text) : 0;

	if (size)
		add_option(out, code, text, size > UINT16_MAX ? UINT16_MAX : size);
}

static size_t
block_begin(struct str *out, uint32_t type)
{
	size_t at = out->len;

	add_u32(out, type);
	add_u32(out, 0);
	return at;
}

/* The length stands at both ends of a block. */
static void
block_end(struct str *out, size_t at)
{
	uint32_t length;

	add_u16(out, OPT_END);
	add_u16(out, 0);
	length = (uint32_t)(out->len - at + sizeof(length));
	add_u32(out, length);
	memcpy(out->text + at + sizeof(uint32_t), &length, sizeof(length));
}

void
pcapng_section(struct str *out, const char *application)
{
	size_t at = block_begin(out, SECTION);
	int64_t unknown_length = -1;

	add_u32(out, BYTE_ORDER_MAGIC);
	add_u16(out, 1);
	add_u16(out, 0);
	str_add_bytes(out, &unknown_length, sizeof(unknown_length));
	add_text(out, SHB_USERAPPL, application);
	block_end(out, at);
}

void
pcapng_interface(struct str *out, const struct pcapng_interface *interface)
{
	static const uint8_t resolution = NANOSECONDS;
	size_t at = block_begin(out, INTERFACE);

	add_u16(out, ETHERNET);
	add_u16(out, 0);
	add_u32(out, interface->snaplen);
	add_text(out, OPT_COMMENT, interface->comment);
	add_text(out, IF_NAME, interface->name);
	add_option(out, IF_TSRESOL, &resolution, sizeof(resolution));
	block_end(out, at);
}

void
pcapng_frame(struct str *out, const struct pcapng_frame *frame)
{
	uint32_t flags = frame->is_sent ? OUTBOUND : INBOUND;
	size_t at = block_begin(out, FRAME);

	add_u32(out, frame->interface);
	add_time(out, frame->at_ns);
	add_u32(out, frame->n_bytes);
	add_u32(out, frame->size);
	add_padded(out, frame->bytes, frame->n_bytes);
	add_text(out, OPT_COMMENT, frame->comment);
	add_option(out, EPB_FLAGS, &flags, sizeof(flags));
	block_end(out, at);
}

static void
add_time_option(struct str *out, uint16_t code, uint64_t ns)
{
	uint32_t words[2] = {(uint32_t)(ns >> 32), (uint32_t)ns};

	add_option(out, code, words, sizeof(words));
}

void
pcapng_statistics(struct str *out, const struct pcapng_statistics *statistics)
{
	size_t at = block_begin(out, STATISTICS);

	add_u32(out, statistics->interface);
	add_time(out, statistics->to_ns);
	add_time_option(out, ISB_STARTTIME, statistics->from_ns);
	add_time_option(out, ISB_ENDTIME, statistics->to_ns);
	add_option(out, ISB_IFRECV, &statistics->n_seen, sizeof(statistics->n_seen));
	add_option(out, ISB_IFDROP, &statistics->n_dropped, sizeof(statistics->n_dropped));
	block_end(out, at);
}
