/*
 * A slice as the API shows it: its nodes and links from the stored document, with what their rows
 * say. Texts in arena.
 */
#pragma once

#include "lib/api/snc_api.h"
#include "snc/ready.h"
#include "snc/slice.h"

struct slice_picture {
	struct snc_slice slice;
	struct snc_node *nodes;
	struct ready_node *ready; /* one a node, for ready_fill after the transaction */
	size_t n_nodes;
	struct snc_link *links;
	size_t n_links;
	struct slice_document document;
};

/* Just the slice. */
bool picture_slice(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct snc_slice *slice, struct err *err) must_check;

/* All of it; readiness is left open. */
bool picture_take(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct slice_picture *picture, struct err *err) must_check;

/* Whose port it is: "NODE.VPORT", or "LINK.VPORT" of a hub; "" when no row has it. */
const char *picture_port(
    const struct controller_row_state *rows, size_t n_rows, const char *port, struct arena *arena);

/* Nodes of a mapping that is no slice yet (slice_check). */
void picture_mapping(const struct slice *slice, const struct mapping *mapping, struct arena *arena,
    struct snc_node **nodes, size_t *n_nodes);
