/*
 * The plan: the resource rows that make a mapping real. Plain data, printable, golden-tested.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/str.h"

struct plan_row {
	uint64_t rid;
	const char *manager; /* "programmer@koganei" */
	const char *kind;    /* node, link_end, share */
	const char *subject; /* "node n1", "link l1 (koganei)" */
	const char *spec;
	const char *attr; /* may hold ${RID.KEY} */
};

struct plan {
	struct plan_row *rows;
	size_t n_rows;
};

/* All rows as text, ids replaced by <0>, <1>, … in order of appearance. */
void plan_print(const struct plan *plan, struct str *out);
