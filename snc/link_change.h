/*
 * A verb beside the pipeline of slice.h: other rates, another isolation for a link that runs. It
 * writes new attributes of the link's ends; the hosts change their kernels in place, and no frame
 * is lost. What was reserved is neither given back nor added to.
 */
#pragma once

#include "lib/api/snc_api.h"
#include "snc/snc.h"

/* A row whose new attributes are waited for. */
struct link_change_row {
	uint64_t rid;
	int64_t rev;
};

struct link_change {
	struct snc_caller caller;
	const char *slice; /* name or id */
	const char *link;
	/*
	 * Of own frames; ab is what the link's first end sends. What is not set stays, but for a
	 * ceiling that was the guarantee: it follows.
	 */
	struct rpc_opt_i64 rate_ab_bps, rate_ba_bps, ceiling_ab_bps, ceiling_ba_bps;
	struct rpc_opt_i64 burst_bytes, priority;
	const char *isolation; /* NULL = as it is */
	/* filled in, in the arena of the call */
	struct snc_link before, after;
	const char *id; /* of the slice */
	struct link_change_row *rows;
	size_t n_rows;
};

/*
 * Durable when it returns. ERR_O01: the slice has no rows in force; ERR_R02: more than is reserved;
 * ERR_R04: no queue of the shaper is; ERR_BAD_VALUE: values that cannot be together.
 */
bool link_change(
    struct snc *snc, struct link_change *change, struct arena *arena, struct err *err) must_check;

/* Do the hosts have it? The error is what one of them has against it. */
bool link_change_is_real(
    struct snc *snc, const struct link_change *change, bool *is_real, struct err *err) must_check;
