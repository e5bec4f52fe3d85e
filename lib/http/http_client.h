/*
 * HTTPS requests to one peer (libcurl), with our certificate and the peer's verified: signed by our
 * CA and issued for `name`. Connections are kept alive and pooled. Answers have a size cap.
 */
#pragma once

#include "lib/base/str.h"

struct http_client;

struct http_client_config {
	const char *address; /* "10.63.0.11:7703", or "unix:/path" */
	const char *name;    /* DNS name in the peer's certificate: ROLE.NAME.vnode,
				"redirector.koganei.vnode" */
	const char *ca_file;
	const char *cert_file;
	const char *key_file;
	size_t answer_max; /* bytes; 0 = 4 MiB */
};

void http_client_free(struct http_client *client);
struct http_client *http_client_new(const struct http_client_config *config, struct err *err)
    malloc_by(http_client_free) must_check;

/*
 * Posts text/xml to path and appends the answer to reply. Connect within 1 s. Any number of threads
 * at once. ERR_UNAVAILABLE: not reached, refused, cut off. ERR_TIMEOUT. ERR_UNAUTHENTICATED: one
 * side's certificate was not accepted. ERR_INTERNAL: a status other than 200.
 */
bool http_client_post(struct http_client *client, const char *path, const struct str *body,
    struct str *reply, int timeout_ms, struct err *err) must_check;
