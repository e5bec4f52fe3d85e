/*
 * The code behind tnc_api.h.
 */
#include "lib/api/tnc_api.h"

#define RPC_SERVICE tnc
#define RPC_ROWS "schemas/rpc/tnc.def"
#include "lib/rpc/service_code.h"
