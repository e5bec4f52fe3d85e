/*
 * What tncd of the fake site publishes: the graph of test/support/site.h without what the shares
 * take that it holds; self is the struct fake_manager.
 */
#pragma once

#include "lib/api/tnc_api.h"

bool fake_tnc_view(void *self, const struct rpc_call *call, const struct tnc_view_args *args,
    struct tnc_view_result *result, struct err *err);
