/*
 * Blocks of a pcapng stream (draft-ietf-opsawg-pcapng), appended to a string: the section's header,
 * a description of each interface, frames with nanoseconds and direction, statistics. In the byte
 * order of this machine, as the format allows. Pure.
 */
#pragma once

#include <stdint.h>

#include "lib/base/str.h"

/* The first block. Readers know the number of an interface by the order of the descriptions. */
void pcapng_section(struct str *out, const char *application);

struct pcapng_interface {
	const char *name;
	const char *comment;
	uint32_t snaplen; /* longest part of a frame that is kept */
};

void pcapng_interface(struct str *out, const struct pcapng_interface *interface);

struct pcapng_frame {
	uint32_t interface;
	uint64_t at_ns; /* since 1970 */
	bool is_sent;   /* into the interface; false: out of it */
	uint32_t size;  /* of the whole frame, Ethernet header and tags */
	const void *bytes;
	uint32_t n_bytes;    /* that are kept */
	const char *comment; /* NULL = none */
};

void pcapng_frame(struct str *out, const struct pcapng_frame *frame);

struct pcapng_statistics {
	uint32_t interface;
	uint64_t from_ns, to_ns; /* since 1970 */
	uint64_t n_seen;         /* frames that fitted, those dropped too */
	uint64_t n_dropped;      /* that nobody took in time */
};

/* What was lost: the last block of an interface. */
void pcapng_statistics(struct str *out, const struct pcapng_statistics *statistics);
