/*
 * The engine's calls over RPC: struct manager_call <-> manager.reserve/commit/release.
 */
#pragma once

#include "lib/api/manager_api.h"
#include "lib/engine/manager.h"
#include "lib/rpc/rpc.h"

enum { NOTES_AT_ONCE = 256 }; /* of a manager, in one message */

/* Makes one engine call to the manager behind client; what controller_config.call wants. */
bool peer_manager_call(
    const struct rpc_client *client, struct manager_call *call, struct err *err) must_check;

/* The same of manager_status: what the caller has there, and has told of itself. */
bool peer_manager_status(const struct rpc_client *client, uint64_t after, struct manager_call *call,
    struct err *err) must_check;

/* The server's side: handlers of manager.def whose self is a struct manager. */
extern const struct manager_ops peer_manager_ops;
