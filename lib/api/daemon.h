/*
 * What every daemon's main shares: command line, configuration, store, PKI, listeners, hello.
 *
 *     main: daemon_start (arguments, conf, store) -> the daemon's own parts -> daemon_serve
 *     (listens on address and socket, says hello to the controller, waits for SIGTERM).
 * SIGTERM and SIGINT are blocked from daemon_start on and SIGPIPE is ignored: a child process must
 * be given fresh signals. Command line: DAEMON [--config FILE] [--check-config] [--print-config]
 * [--version] [--help].
 */
#pragma once

#include "lib/api/peer.h"
#include "lib/base/conf.h"
#include "lib/engine/manager.h"
#include "lib/rpc/rpc.h"
#include "lib/store/store.h"

struct daemon;

struct daemon_config {
	const char
	    *program; /* "redirectord": /etc/vnode/redirectord.conf, certificate redirectord.crt */
	const char *role; /* "redirector": its role in certificates */
	const struct store_migration *migrations;
	size_t n_migrations;
};

void daemon_free(struct daemon *daemon);

/* Parses the command line, reads the configuration, opens state/DAEMON.db. NULL: *exit_code says
 * how to end. */
struct daemon *daemon_start(const struct daemon_config *config, int argc, char **argv,
    int *exit_code) malloc_by(daemon_free) must_check;

const struct conf *daemon_conf(const struct daemon *daemon);
struct store *daemon_store(struct daemon *daemon);
const char *daemon_host(const struct daemon *daemon);      /* [daemon] name */
const char *daemon_full_name(const struct daemon *daemon); /* "redirector@koganei" */

/*
 * A client of another daemon, with our certificate; cached, lives as long as the daemon. Any
 * thread. A call takes at most 15 s: who calls what takes longer (exec, a wait) copies the client
 * and gives the copy its own timeout_ms.
 */
const struct rpc_client *daemon_peer(
    struct daemon *daemon, const char *full_name, const char *address, struct err *err);

/* So many daemons may keep a connection each, besides the users (before daemon_serve). */
void daemon_expect(struct daemon *daemon, size_t n_daemons);

/* The RPC services of the daemon: rpc_server_add(daemon_rpc(d), &manager_service, …). */
struct rpc_server *daemon_rpc(struct daemon *daemon);

/*
 * Serves the resource protocol of `manager` (schemas/rpc/manager.def), and says hello to the
 * controller named in the configuration ([daemon] controller=snc@ctl 10.63.0.1:7701) at start,
 * every 10 s and at once after daemon_changed. `capacity` writes what the host has, lines
 * key=value; any thread.
 */
bool daemon_add_manager(struct daemon *daemon, struct manager *manager,
    void (*capacity)(void *self, struct str *lines), void *self, struct err *err) must_check;

/* The callback for manager_config.changed; self is the daemon. */
void daemon_changed(void *self, uint64_t rid);

/* The callback for manager_config.noted; self is the daemon. Notes go with the next hello, at once;
 * again when it was not answered. */
void daemon_noted(void *self);

/* Listens and blocks until SIGTERM or SIGINT; returns the exit code. */
int daemon_serve(struct daemon *daemon);
