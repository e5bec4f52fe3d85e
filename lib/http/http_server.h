/*
 * One HTTP server for everything (libmicrohttpd), over TLS with client certificates that are really
 * verified: in the handshake (own CA, clientAuth, dates) and before the handler (role in the SAN
 * URI). Thread per connection: handlers may block. The request guard runs before any handler.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/str.h"

struct http_server;

struct http_request {
	const char *method;
	const char *path;
	const char *role; /* from the verified certificate: urn:vnode:role:ROLE:NAME */
	const char *name;
	const char *body;
	size_t size;
	struct arena *arena; /* dies with the request */
};

struct http_response {
	int status;               /* 200 at start */
	const char *content_type; /* constant; "text/xml" at start */
	struct str body;
};

/* Answers one request. Any thread; may block. */
typedef void http_handler(
    void *self, const struct http_request *request, struct http_response *response);

struct http_server_config {
	const char *address; /* "10.63.0.1:7701" (port 0: any), "[fd00::1]:7701" or
				"unix:/run/vnode/sncd.sock" (mode 0600) */
	const char *ca_file; /* PEM: callers must be signed by it */
	const char *cert_file;
	const char *key_file; /* mode 0600 or stricter, else refused */
	http_handler *handler;
	void *self;
	size_t body_max;          /* bytes; larger: 413. 0 = 2 MiB */
	unsigned connections_max; /* 0 = 256 */
};

/* Stops listening, waits for running handlers. Takes NULL. */
void http_server_free(struct http_server *server);

/* Listens at once. NULL on failure. config is copied. Wildcard addresses are refused. */
struct http_server *http_server_new(const struct http_server_config *config, struct err *err)
    malloc_by(http_server_free) must_check;

/* The TCP port it listens on, 0 for a UNIX socket. */
unsigned http_server_port(const struct http_server *server);

/* Connections accepted since it started. */
unsigned long http_server_connections(struct http_server *server);

/* Takes no new connections from now on; true when within wait_ms no handler runs any more. */
bool http_server_drain(struct http_server *server, int wait_ms) must_check;
