/*
 * Handlers of schemas/rpc/programmer.def; self is the struct programmer.
 */
#pragma once

#include "lib/api/programmer_api.h"
#include "programmer/programmer.h"

extern const struct programmer_ops programmer_rpc_ops;
