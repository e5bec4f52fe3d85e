/*
 * Certificates of every kind, good and bad, made by our own CA.
 */
#include "test/support/domain.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/crypto/pki.h"
#include "test/support/suite.h"

const char *
domain_path(struct arena *arena, const char *name)
{
	return arena_format(arena, "%s/%s", test_dir(), name);
}

static void
issue(struct arena *arena, const char *ca, const struct pki_leaf *leaf, const char *name)
{
	struct err err = {0};

	CU_ASSERT_TRUE_FATAL(
	    pki_issue(domain_path(arena, ca), leaf, domain_path(arena, name), &err));
}

/* Appends one file to another. */
static void
copy(struct arena *arena, const char *from, const char *to)
{
	size_t size;
	auto_free char *text = test_read(domain_path(arena, from), &size);
	FILE *file = fopen(domain_path(arena, to), "ae");

	if (!file)
		abort();
	fwrite(text, 1, size, file);
	fclose(file);
}

void
domain_make(struct arena *arena)
{
	static const char *const ips[] = {"127.0.0.1"};
	struct pki_leaf server = {.role = "snc", .name = "ctl", .ips = ips, .n_ips = 1};
	struct pki_leaf user = {.role = "developer", .name = "dev1"};
	struct pki_leaf noc = {.role = "noc", .name = "noc1"};
	struct pki_leaf expired = {.role = "developer", .name = "dev1", .days = -1};
	struct pki_leaf no_client = {.role = "snc", .name = "ctl", .usage = PKI_USAGE_SERVER};
	struct pki_leaf no_usage = {.role = "developer", .name = "dev1", .usage = PKI_USAGE_NONE};
	struct err err = {0};

	if (!pki_init(domain_path(arena, "ca"), &err))
		return; /* made by a test before */
	assert_true(pki_init(domain_path(arena, "other"), &err));
	issue(arena, "ca", &server, "server");
	issue(arena, "ca", &user, "user");
	issue(arena, "ca", &noc, "noc");
	issue(arena, "ca", &expired, "expired");
	issue(arena, "ca", &no_client, "noclient");
	issue(arena, "ca", &no_usage, "nousage");
	issue(arena, "other", &user, "stranger");
	issue(arena, "other", &server, "impostor");
	mkdir(domain_path(arena, "usurper"), 0700);
	copy(arena, "user.crt", "usurper/ca.crt");
	copy(arena, "user.key", "usurper/ca.key");
	issue(arena, "usurper", &user, "forged");
	copy(arena, "user.crt", "forged.crt");
}

/* Answers "METHOD PATH ROLE NAME SIZE". */
static void
echo(void *self, const struct http_request *request, struct http_response *response)
{
	(void)self;
	str_addf(&response->body, "%s %s %s %s %zu", request->method, request->path, request->role,
	    request->name, request->size);
}

struct http_server *
domain_server(struct arena *arena, const char *address, const char *cert)
{
	struct http_server_config config = {.address = address,
	    .ca_file = domain_path(arena, "ca/ca.crt"),
	    .cert_file = domain_path(arena, arena_format(arena, "%s.crt", cert)),
	    .key_file = domain_path(arena, arena_format(arena, "%s.key", cert)),
	    .handler = echo,
	    .body_max = 100000};
	struct err err = {0};
	struct http_server *server = http_server_new(&config, &err);

	if (!server)
		fprintf(stderr, "%s\n", err.text);
	assert_true(server != NULL);
	return server;
}

struct http_client *
domain_client(struct arena *arena, const char *address, const char *cert)
{
	struct http_client_config config = {.address = address,
	    .name = "snc.ctl.vnode",
	    .ca_file = domain_path(arena, "ca/ca.crt")};
	struct err err = {0};
	struct http_client *client;

	if (cert) {
		config.cert_file = domain_path(arena, arena_format(arena, "%s.crt", cert));
		config.key_file = domain_path(arena, arena_format(arena, "%s.key", cert));
	}
	client = http_client_new(&config, &err);
	assert_true(client != NULL);
	return client;
}

const char *
domain_address(struct arena *arena, const struct http_server *server)
{
	return arena_format(arena, "127.0.0.1:%u", http_server_port(server));
}
