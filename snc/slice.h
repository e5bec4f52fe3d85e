/*
 * The pipeline of a slice: the verbs in the order of life, one file each. A slice document is
 * checked, embedded, planned and admitted; from then on its rows lead (lib/engine/controller), and
 * what these verbs change are the rows' goals and attributes, each in one transaction.
 *
 *     slice_check -> embed -> slice_plan -> slice_admit -> (engine) -> slice_run / slice_stop
 *     -> slice_delete; slice_watch tells what happened meanwhile.
 */
#pragma once

#include "lib/model/mapping.h"
#include "lib/model/plan.h"

/* Where new ids come from: the engine's counter, inside a transaction. */
struct slice_ids {
	bool (*next)(void *self, uint64_t *id, struct err *err);
	void *self;
};

struct slice_plan_request {
	const char *slice_id;
	const char *tnc; /* "tnc@ctl": manager of the shares */
	const struct slice *slice;
	const struct substrate *substrate; /* that the mapping points into */
	const struct mapping *mapping;
	struct slice_ids ids;
};

/* The rows that make a mapping real, in arena. Fails only when no id can be had. */
bool slice_plan(const struct slice_plan_request *request, struct arena *arena, struct plan *plan,
    struct err *err) must_check;
