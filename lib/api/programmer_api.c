/*
 * The code behind programmer_api.h.
 */
#include "lib/api/programmer_api.h"

#define RPC_SERVICE programmer
#define RPC_ROWS "schemas/rpc/programmer.def"
#include "lib/rpc/service_code.h"
