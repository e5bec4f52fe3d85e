/*
 * Handlers of tnc.def that have a file of their own; self is a struct tnc.
 */
#pragma once

#include "tnc/path.h"

#define TNC_HANDLER(method)                                                                        \
	bool service_##method(void *self, const struct rpc_call *call,                             \
	    const struct tnc_##method##_args *args, struct tnc_##method##_result *result,          \
	    struct err *err)

/* tnc_service_path.c */
/* All paths, in arena. */
bool service_paths(
    struct tnc *tnc, struct arena *arena, struct paths *paths, struct err *err) must_check;

TNC_HANDLER(path_list);
TNC_HANDLER(path_candidates);
