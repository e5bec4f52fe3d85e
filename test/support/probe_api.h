/*
 * Types, server table and client functions of the service `probe`: see test/support/probe.def.
 */
#pragma once

#define RPC_SERVICE probe
#define RPC_ROWS "test/support/probe.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
