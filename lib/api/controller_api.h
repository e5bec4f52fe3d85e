/*
 * Types, server table and client functions of the service `controller`: see
 * schemas/rpc/controller.def.
 */
#pragma once

#define RPC_SERVICE controller
#define RPC_ROWS "schemas/rpc/controller.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
