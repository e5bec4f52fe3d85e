/*
 * lib/http: a real server and real clients over TLS; who is let in, what is refused.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crypto/pki.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"
#include "test/support/suite.h"

/* Certificates of the test's own domain, made at first use: DIR/NAME.crt. */
static const char *
path(struct arena *arena, const char *name)
{
	return arena_format(arena, "%s/%s", test_dir(), name);
}

static void
issue(struct arena *arena, const char *ca, const struct pki_leaf *leaf, const char *name)
{
	struct err err = {0};

	CU_ASSERT_TRUE_FATAL(pki_issue(path(arena, ca), leaf, path(arena, name), &err));
}

static void
make_domain(struct arena *arena)
{
	static const char *const ips[] = {"127.0.0.1"};
	struct pki_leaf server = {.role = "snc", .name = "ctl", .ips = ips, .n_ips = 1};
	struct pki_leaf user = {.role = "developer", .name = "dev1"};
	struct pki_leaf expired = {.role = "developer", .name = "dev1", .days = -1};
	struct pki_leaf no_client = {.role = "snc", .name = "ctl", .usage = PKI_USAGE_SERVER};
	struct pki_leaf no_usage = {.role = "developer", .name = "dev1", .usage = PKI_USAGE_NONE};
	struct err err = {0};

	if (!pki_init(path(arena, "ca"), &err))
		return; /* made by a test before */
	assert_true(pki_init(path(arena, "other"), &err));
	issue(arena, "ca", &server, "server");
	issue(arena, "ca", &user, "user");
	issue(arena, "ca", &expired, "expired");
	issue(arena, "ca", &no_client, "noclient");
	issue(arena, "ca", &no_usage, "nousage");
	issue(arena, "other", &user, "stranger");
	issue(arena, "other", &server, "impostor");
}

/* Answers "METHOD PATH ROLE NAME SIZE". */
static void
echo(void *self, const struct http_request *request, struct http_response *response)
{
	(void)self;
	str_addf(&response->body, "%s %s %s %s %zu", request->method, request->path, request->role,
	    request->name, request->size);
}

static struct http_server *
start(struct arena *arena, const char *address, const char *cert)
{
	struct http_server_config config = {.address = address,
	    .ca_file = path(arena, "ca/ca.crt"),
	    .cert_file = path(arena, arena_format(arena, "%s.crt", cert)),
	    .key_file = path(arena, arena_format(arena, "%s.key", cert)),
	    .handler = echo,
	    .body_max = 100000};
	struct err err = {0};
	struct http_server *server = http_server_new(&config, &err);

	if (!server)
		fprintf(stderr, "%s\n", err.text);
	assert_true(server != NULL);
	return server;
}

static struct http_client *
client_of(struct arena *arena, const char *address, const char *cert)
{
	struct http_client_config config = {
	    .address = address, .name = "snc.ctl.vnode", .ca_file = path(arena, "ca/ca.crt")};
	struct err err = {0};
	struct http_client *client;

	if (cert) {
		config.cert_file = path(arena, arena_format(arena, "%s.crt", cert));
		config.key_file = path(arena, arena_format(arena, "%s.key", cert));
	}
	client = http_client_new(&config, &err);
	assert_true(client != NULL);
	return client;
}

static const char *
address_of(struct arena *arena, const struct http_server *server)
{
	return arena_format(arena, "127.0.0.1:%u", http_server_port(server));
}

static enum err_code
post(struct http_client *client, const char *text, struct str *reply, struct err *err)
{
	struct str body = {0};
	bool is_good;

	str_add(&body, text);
	*err = (struct err){0};
	is_good = http_client_post(client, "/RPC2", &body, reply, 5000, err);
	str_done(&body);
	CU_ASSERT_EQUAL_FATAL(is_good, err->code == ERR_NONE);
	return err->code;
}

static void
a_caller_is_known_by_its_certificate(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	struct err err = {0};
	struct http_server *server;
	struct http_client *client;

	make_domain(arena);
	server = start(arena, "127.0.0.1:0", "server");
	client = client_of(arena, address_of(arena, server), "user");
	if (post(client, "hello", &reply, &err))
		fprintf(stderr, "%s\n", err.text);

	assert_text(str_text(&reply), "POST /RPC2 developer dev1 5");

	http_client_free(client);
	http_server_free(server);
}

static void
a_unix_socket_serves_the_same_over_tls(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	struct err err = {0};
	const char *address = arena_format(arena, "unix:%s/sock", test_dir());
	struct http_server *server;
	struct http_client *client;

	make_domain(arena);
	server = start(arena, address, "server");
	client = client_of(arena, address, "user");

	assert_equal(post(client, "x", &reply, &err), ERR_NONE);
	assert_text(str_text(&reply), "POST /RPC2 developer dev1 1");

	http_client_free(client);
	http_server_free(server);
}

static void
callers_without_a_good_certificate_are_told_why(void)
{
	static const struct {
		const char *cert;
		const char *says;
	} bad[] = {
	    {NULL, "we show none"},
	    {"stranger", "CA that is not the peer's"},
	    {"expired", "expired"},
	    {"noclient", "not for clients"},
	    {"nousage", "not for clients"},
	};
	auto_arena struct arena *arena = arena_new();
	struct http_server *server;

	make_domain(arena);
	server = start(arena, "127.0.0.1:0", "server");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_client *client = client_of(arena, address_of(arena, server), bad[i].cert);
		auto_str struct str reply = {0};
		struct err err;

		if (post(client, "x", &reply, &err) != ERR_UNAUTHENTICATED || !strstr(err.text, bad[i].says))
			fprintf(stderr, "%s: %s %s\n", bad[i].cert ? bad[i].cert : "none",
			    err_code_text(err.code), err.text);
		CU_ASSERT_EQUAL(err.code, ERR_UNAUTHENTICATED);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].says));
		CU_ASSERT_EQUAL(reply.len, 0);
		http_client_free(client);
	}
	http_server_free(server);
}

static const struct test tests[] = {
    TEST(a_caller_is_known_by_its_certificate),
    TEST(a_unix_socket_serves_the_same_over_tls),
    TEST(callers_without_a_good_certificate_are_told_why),
};

suite_main("http", tests)
