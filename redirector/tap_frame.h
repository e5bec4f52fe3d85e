/*
 * A copied frame as a block of a stream: complete again, and with the time of day.
 */
#pragma once

#include "lib/base/str.h"
#include "redirector/dataplane.h"

/* What is the same for all frames of a capture. */
struct tap_frame {
	uint32_t interface;
	uint32_t snaplen;
	uint64_t wall_ns; /* between a copy's time and 1970 */
};

/* Appends it. */
void tap_frame_write(
    struct str *stream, const struct tap_frame *frame, const struct dataplane_copy *copy);
