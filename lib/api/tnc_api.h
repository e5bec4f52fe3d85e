/*
 * Types, server table and client functions of the service `tnc`: see schemas/rpc/tnc.def.
 */
#pragma once

#define RPC_SERVICE tnc
#define RPC_ROWS "schemas/rpc/tnc.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
