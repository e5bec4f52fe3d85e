/*
 * Which guests are up. A node that was seen ready stays so until it is switched; others are asked
 * for, all at once. Thread-safe.
 */
#pragma once

#include "lib/api/snc_api.h"
#include "snc/snc.h"

struct ready;

void ready_free(struct ready *ready);
struct ready *ready_new(void) malloc_by(ready_free) must_check;

/* One node of a list, and the revision of its row that is real; rid 0 = not running, not asked. */
struct ready_node {
	uint64_t rid;
	int64_t rev;
	const char *host;
	struct snc_node *node; /* its `ready` is filled in */
};

/* Fills in the nodes. Blocks for the slowest host, at most 2 s; no transaction may be open. */
void ready_fill(struct snc *snc, struct ready_node *nodes, size_t n_nodes);
