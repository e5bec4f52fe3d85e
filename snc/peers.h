/*
 * Calls to other daemons: who answered is up, who did not is not. All block; no transaction may be
 * open. Any thread.
 */
#pragma once

#include "snc/snc.h"

/* A client of a manager ("redirector@koganei", "tnc@ctl") with its own time limit. */
bool peers_client(struct snc *snc, const char *manager, int timeout_ms, struct rpc_client *client,
    struct err *err) must_check;

/* Notes how a call went, and gives `is_good` back. */
bool peers_note(struct snc *snc, const char *manager, bool is_good, const struct err *err);

/* One call of the engine; what controller_config.call wants. self is the struct snc. */
bool peers_manager_call(
    void *self, const char *manager, struct manager_call *call, struct err *err);

/* The same of controller_config.status. */
bool peers_manager_status(
    void *self, const char *manager, uint64_t after, struct manager_call *call, struct err *err);

/* Asks a manager for the first of its rows, to see whether it lives. */
bool peers_ping(struct snc *snc, const char *manager, struct err *err);

/* Does job(self, 0 … n - 1), several at a time; returns when all are done. */
typedef void peers_job(void *self, size_t index);

void peers_each(size_t n, peers_job *job, void *self);
