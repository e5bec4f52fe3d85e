/*
 * From copies to blocks.
 */
#include "redirector/tap_frame.h"

#include <stdio.h>

#include "redirector/pcapng.h"

enum { TAG_AT = 12, TAG = 4 };

/* The frame as its sender made it: a tag beside it goes back in. */
static void
restore(const struct dataplane_copy *copy, struct str *frame)
{
	size_t head = copy->n_bytes < TAG_AT ? copy->n_bytes : TAG_AT;

	str_add_bytes(frame, copy->bytes, head);
	if (copy->tag_type && head == TAG_AT) {
		str_add_bytes(frame, &copy->tag_type, sizeof(copy->tag_type));
		str_add_bytes(frame, &copy->tag, sizeof(copy->tag));
	}
	str_add_bytes(frame, (const char *)copy->bytes + head, copy->n_bytes - head);
}

void
tap_frame_write(
    struct str *stream, const struct tap_frame *frame, const struct dataplane_copy *copy)
{
	auto_str struct str bytes = {0};
	struct pcapng_frame block = {
	    .interface = frame->interface,
	    .at_ns = copy->at_ns + frame->wall_ns,
	    .is_sent = copy->is_sent,
	    .size = copy->size + (copy->tag_type ? TAG : 0),
	};
	char comment[64];

	restore(copy, &bytes);
	block.bytes = str_text(&bytes);
	block.n_bytes = (uint32_t)(bytes.len < frame->snaplen ? bytes.len : frame->snaplen);
	if (copy->segment) {
		snprintf(comment, sizeof(comment), "one of several: %u bytes of data each",
		    copy->segment);
		block.comment = comment;
	}
	pcapng_frame(stream, &block);
}
