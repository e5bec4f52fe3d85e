/*
 * Types, server table and client functions of the service `manager`: see schemas/rpc/manager.def.
 */
#pragma once

#define RPC_SERVICE manager
#define RPC_ROWS "schemas/rpc/manager.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
