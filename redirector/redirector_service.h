/*
 * Handlers of schemas/rpc/redirector.def; self is the struct redirector.
 */
#pragma once

#include "lib/api/redirector_api.h"
#include "redirector/redirector.h"

extern const struct redirector_ops redirector_rpc_ops;
