/*
 * What makes one document of another: each node and link with how it gets there, for people and
 * for the plan of a modify (docs/slice-language.md chapter 10). Pure.
 */
#pragma once

#include "lib/model/slice.h"

/* In the order of what it does to traffic; ADD and REMOVE are local. */
enum slice_way {
	SLICE_WAY_UNCHANGED,
	SLICE_WAY_HITLESS, /* no frame is lost by it */
	SLICE_WAY_LOCAL,   /* the element alone is touched */
	SLICE_WAY_ADD,
	SLICE_WAY_REMOVE,
	SLICE_WAY_RESTART /* the element begins anew */
};

/* "unchanged", "hitless" … */
const char *slice_way_text(enum slice_way way);

struct slice_change {
	bool is_link;     /* else a node */
	const char *name; /* in the new document; of what is removed in the old one */
	enum slice_way way;
	/* New resources are reserved in place of the old ones, which go when the new ones carry. */
	bool is_rebuilt;
	const char *text; /* "bandwidth 50Mbps, was 20Mbps"; "" = nothing to say */
	unsigned line;    /* of the element in the new document; of what is removed in the old */
};

struct slice_diff {
	struct slice_change *items; /* nodes, then links, in document order; removed ones last */
	size_t n;
};

/* Where a node of the old slice is. */
struct slice_place {
	const char *node, *host;
	bool is_lost; /* the host is gone for good */
};

struct slice_diff_request {
	const struct slice *before, *after; /* both checked, with their defaults, not expanded */
	const struct slice_place *places;
	size_t n_places;
};

/* In arena, borrowing from both slices. */
void slice_diff(
    const struct slice_diff_request *request, struct arena *arena, struct slice_diff *diff);

/* The change of one element; NULL when the new slice and the old have none of that name. */
const struct slice_change *slice_diff_find(
    const struct slice_diff *diff, bool is_link, const char *name);

/* The highest of all. */
enum slice_way slice_diff_way(const struct slice_diff *diff);

/* One line an element, for golden tests and people. */
void slice_diff_print(const struct slice_diff *diff, struct str *out);
