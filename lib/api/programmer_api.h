/*
 * Types, server table and client functions of the service `programmer`: see
 * schemas/rpc/programmer.def.
 */
#pragma once

#define RPC_SERVICE programmer
#define RPC_ROWS "schemas/rpc/programmer.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
