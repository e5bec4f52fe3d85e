/*
 * The code behind controller_api.h.
 */
#include "lib/api/controller_api.h"

#define RPC_SERVICE controller
#define RPC_ROWS "schemas/rpc/controller.def"
#include "lib/rpc/service_code.h"
