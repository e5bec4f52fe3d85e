/*
 * The ends of the links of a slice as their rows stand: which host has them, at which port of which
 * node, what is reserved and what is in force.
 */
#pragma once

#include "lib/model/spec_types.h"
#include "snc/slice.h"

struct link_end_place {
	uint64_t rid;
	const char *rid_text;
	const char *manager; /* "redirector@koganei" */
	const char *host;
	const char *name; /* "n1.p1" */
	uint64_t port;
	struct link_end_spec spec;
	struct link_end_attr_spec attr; /* wanted; the host may not have it yet */
	const struct controller_row_state *row;
};

struct link_end_places {
	const char *link;             /* in: of this link alone; NULL = of all */
	struct link_end_place *items; /* those of a link one behind the other, its first vport
				       * first; of a multipoint link each node's
				       * and its hub's */
	size_t n;
	const struct controller_row_state *rows; /* all of the slice */
	size_t n_rows;
};

/* Those that are not given back; in arena. */
bool link_ends_read(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct link_end_places *ends, struct err *err) must_check;

/* The same for a link that must be in place: ERR_NOT_FOUND. */
bool link_ends_find(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct link_end_places *ends, struct err *err) must_check;
