/*
 * Types, server table and client functions of the service `redirector`: see
 * schemas/rpc/redirector.def.
 */
#pragma once

#define RPC_SERVICE redirector
#define RPC_ROWS "schemas/rpc/redirector.def"
#include "lib/rpc/service_types.h"
#undef RPC_SERVICE
#undef RPC_ROWS
