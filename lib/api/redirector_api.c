/*
 * The code behind redirector_api.h.
 */
#include "lib/api/redirector_api.h"

#define RPC_SERVICE redirector
#define RPC_ROWS "schemas/rpc/redirector.def"
#include "lib/rpc/service_code.h"
