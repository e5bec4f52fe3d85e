/*
 * A domain of the test's own: CA, certificates (domain_path(NAME.crt)) and servers with them.
 *     server   snc ctl, for 127.0.0.1        user     developer dev1; noc  noc1
 *     expired  developer                     noclient, nousage  other or no extended key usage
 *     impostor, stranger: as server and user, but signed by another CA
 *     forged   signed by the user, whose certificate comes with it
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"

/* Makes the certificates unless they are there. */
void domain_make(struct arena *arena);

/* A file of the domain; in arena. */
const char *domain_path(struct arena *arena, const char *name);

/* A server with the given certificate; answers "METHOD PATH ROLE NAME SIZE", bodies up to 100000.
 */
struct http_server *domain_server(struct arena *arena, const char *address, const char *cert);
const char *domain_address(struct arena *arena, const struct http_server *server);

/* A client that wants snc.ctl.vnode, with the given certificate (NULL: none). */
struct http_client *domain_client(struct arena *arena, const char *address, const char *cert);
