/*
 * What daemons say of their hosts, lines key=value: cpu, memory_bytes, disk_bytes, accel,
 * image.NAME=KIND:MEMORY_BYTES, link_type.NAME=OVERHEAD:ID_BITS[:whole], port.NAME.rate_bps (u0,
 * u1, …; loop0 and loop1 between its own nodes). A VNode may lie: numbers that make no sense count
 * as nothing.
 */
#pragma once

#include "lib/base/vec.h"
#include "lib/model/slice.h"
#include "lib/model/substrate.h"

struct capacity_images {
	struct slice_image *items;
	size_t n;
	size_t cap;
};

struct capacity_carriers {
	struct slice_carrier *items;
	size_t n;
	size_t cap;
};

/* Adds what the lines say to the host, all of it free. Texts in arena. */
void capacity_read(const char *lines, struct arena *arena, struct substrate_host *host);

/* Adds the images that are not in the list yet. The caller frees it by vec_done. */
void capacity_images(const char *lines, struct arena *arena, struct capacity_images *images);

/* The same of types of links. */
void capacity_carriers(const char *lines, struct arena *arena, struct capacity_carriers *carriers);

/* The value of a key, in arena; NULL when absent. */
const char *capacity_text(const char *lines, const char *key, struct arena *arena);
