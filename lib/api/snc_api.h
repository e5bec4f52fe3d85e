/*
 * Types, server table and client functions of the service `snc`: see schemas/rpc/snc.def.
 */
#pragma once

#define RPC_SERVICE snc
#define RPC_ROWS "schemas/rpc/snc.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
