/*
 * What the files of lib/http share: listening sockets, who is at the other end, the request guard.
 */
#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>

#include "lib/http/http_server.h"

/* A listening socket for address (http_server_config), CLOEXEC; -1: err. The caller closes it. */
int http_listen(const char *address, struct err *err);
unsigned http_listen_port(int fd);

enum { HTTP_WORD_MAX = 32 };

/* The other end, as its certificate says. */
struct http_peer {
	char role[HTTP_WORD_MAX + 1];
	char name[HTTP_WORD_MAX + 1];
};

/* Our certificate, key and CA as PEM; the certificate also parsed, for the Host check. */
struct http_identity {
	char *ca;
	char *cert;
	char *key;
	gnutls_x509_crt_t certificate;
};

void http_identity_done(struct http_identity *identity);
bool http_identity_init(struct http_identity *identity, const struct http_server_config *config,
    struct err *err) must_check;

/* Makes the handshake of this session require a certificate and verify it, all of it; failures are
 * told to the peer by an alert and logged. */
void http_peer_require(gnutls_session_t session);

/* After the handshake: who it is. false: a certificate that names no role, or is not for clients.
 */
bool http_peer_read(gnutls_session_t session, struct http_peer *peer) must_check;

/* 0, or the status to refuse a request with before its body is read, and why (a constant). */
struct http_guard {
	const struct http_identity *identity;
	size_t body_max;
};

unsigned http_guard_check(const struct http_guard *guard, struct MHD_Connection *connection,
    const char *method, const char *path, const char **why);
