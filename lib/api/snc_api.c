/*
 * The code behind snc_api.h.
 */
#include "lib/api/snc_api.h"

#define RPC_SERVICE snc
#define RPC_ROWS "schemas/rpc/snc.def"
#include "lib/rpc/service_code.h"
