/*
 * Company: which nodes are together on one VNode, and which are apart (`together` and `apart` of a
 * mapping). Pure.
 */
#pragma once

#include "lib/model/slice.h"

/* By node: the first node of the slice that it is together with, over however many companies;
 * itself when there is none. In arena. */
size_t *slice_together(const struct slice *slice, struct arena *arena);

/* The index of a node; n_nodes when there is none of that name. */
size_t slice_node_at(const struct slice *slice, const char *name);

/* By node: a bit for each `apart` that it is a member of. Two with a common bit are apart. In
 * arena. */
uint64_t *slice_apart(const struct slice *slice, struct arena *arena);
