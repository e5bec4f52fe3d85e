/*
 * Why a slice does not fit, beyond what its embedding says: what would fit instead. Nothing is
 * named that was not tried by slice_place with just these changes.
 */
#pragma once

#include "snc/slice.h"

/* One change of what was asked for. Those of one kind make it fit together. */
struct slice_remedy {
	const char *kind;    /* smaller, elsewhere, later */
	const char *subject; /* "node 'n1'" */
	struct slice_where where;
	const char
	    *what; /* cpu, memory, disk, bandwidth, latency, nodes (the first), host, start */
	const char *wanted, *offered;
};

struct slice_remedies {
	struct slice_remedy *items;
	size_t n;
	bool does_time_help; /* it would fit if no other slice were there */
};

/*
 * For a slice that was read and checked and found no place; `found` is why. In arena. Takes a few
 * seconds at most: what could not be tried until then is not named. No transaction may be open.
 */
void slice_why_not(struct snc *snc, const struct slice_examination *examination,
    const diagnoses *found, struct arena *arena, struct slice_remedies *remedies);
