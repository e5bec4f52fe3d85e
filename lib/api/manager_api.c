/*
 * The code behind manager_api.h.
 */
#include "lib/api/manager_api.h"

#define RPC_SERVICE manager
#define RPC_ROWS "schemas/rpc/manager.def"
#include "lib/rpc/service_code.h"
