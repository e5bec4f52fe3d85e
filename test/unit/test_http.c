/*
 * lib/http: a real server and real clients over TLS; who is let in.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "test/support/domain.h"
#include "test/support/suite.h"

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

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	client = domain_client(arena, domain_address(arena, server), "user");
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

	domain_make(arena);
	server = domain_server(arena, address, "server");
	client = domain_client(arena, address, "user");

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
	    {"forged", "not valid"},
	};
	auto_arena struct arena *arena = arena_new();
	struct http_server *server;

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_client *client =
		    domain_client(arena, domain_address(arena, server), bad[i].cert);
		auto_str struct str reply = {0};
		struct err err;

		if (post(client, "x", &reply, &err) != ERR_UNAUTHENTICATED ||
		    !strstr(err.text, bad[i].says))
			fprintf(stderr, "%s: %s %s\n", bad[i].cert ? bad[i].cert : "none",
			    err_code_text(err.code), err.text);
		CU_ASSERT_EQUAL(err.code, ERR_UNAUTHENTICATED);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, bad[i].says));
		CU_ASSERT_EQUAL(reply.len, 0);
		http_client_free(client);
	}
	http_server_free(server);
}

static void
a_server_that_is_not_whom_we_want_is_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	struct http_client_config other = {.name = "tnc.ctl.vnode"};
	struct http_server *impostor, *server;
	struct http_client *client;
	struct err err = {0};

	domain_make(arena);
	impostor = domain_server(arena, "127.0.0.1:0", "impostor");
	client = domain_client(arena, domain_address(arena, impostor), "user");
	assert_equal(post(client, "x", &reply, &err), ERR_UNAUTHENTICATED);
	assert_true(strstr(err.text, "does not prove that it is snc.ctl.vnode") != NULL);
	http_client_free(client);
	http_server_free(impostor);

	server = domain_server(arena, "127.0.0.1:0", "server");
	other.address = domain_address(arena, server);
	other.ca_file = domain_path(arena, "ca/ca.crt");
	other.cert_file = domain_path(arena, "user.crt");
	other.key_file = domain_path(arena, "user.key");
	client = http_client_new(&other, &err);
	assert_equal(post(client, "x", &reply, &err), ERR_UNAUTHENTICATED);
	assert_equal(reply.len, 0);
	http_client_free(client);
	http_server_free(server);
}

static void
nobody_at_the_address_is_unavailable(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	struct http_server *server;
	struct http_client *client;
	const char *address;
	struct err err = {0};

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	address = domain_address(arena, server);
	http_server_free(server);
	client = domain_client(arena, address, "user");
	assert_equal(post(client, "x", &reply, &err), ERR_UNAVAILABLE);
	http_client_free(client);
	client = domain_client(arena, arena_format(arena, "unix:%s/nothing", test_dir()), "user");
	assert_equal(post(client, "x", &reply, &err), ERR_UNAVAILABLE);
	http_client_free(client);
}

static void
a_client_finds_a_server_that_was_restarted(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *address = arena_format(arena, "unix:%s/restart", test_dir());
	auto_str struct str reply = {0};
	struct http_server *server;
	struct http_client *client;
	struct err err = {0};

	domain_make(arena);
	client = domain_client(arena, address, "user");
	for (int i = 0; i < 3; i++) {
		server = domain_server(arena, address, "server");
		assert_equal(post(client, "x", &reply, &err), ERR_NONE);
		http_server_free(server);
		assert_equal(post(client, "x", &reply, &err), ERR_UNAVAILABLE);
	}
	http_client_free(client);
}

static void
too_large_a_body_is_refused_and_the_next_is_served(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	char *text = arena_alloc(arena, 100002);
	struct http_server *server;
	struct http_client *client;
	struct err err = {0};

	domain_make(arena);
	memset(text, 'x', 100001);
	server = domain_server(arena, "127.0.0.1:0", "server");
	client = domain_client(arena, domain_address(arena, server), "user");

	assert_equal(post(client, text, &reply, &err), ERR_LIMIT);
	text[100000] = '\0';
	str_clear(&reply);
	assert_equal(post(client, text, &reply, &err), ERR_NONE);
	assert_text(str_text(&reply), "POST /RPC2 developer dev1 100000");
	http_client_free(client);
	http_server_free(server);
}

static void
too_large_an_answer_is_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str reply = {0};
	struct http_client_config config = {.name = "snc.ctl.vnode", .answer_max = 10};
	struct http_server *server;
	struct http_client *client;
	struct err err = {0};

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	config.address = domain_address(arena, server);
	config.ca_file = domain_path(arena, "ca/ca.crt");
	config.cert_file = domain_path(arena, "user.crt");
	config.key_file = domain_path(arena, "user.key");
	client = http_client_new(&config, &err);
	assert_equal(post(client, "x", &reply, &err), ERR_LIMIT);
	http_client_free(client);
	http_server_free(server);
}

struct crowd {
	struct http_client *client;
	_Atomic int n_good;
};

static void *
call_often(void *self)
{
	struct crowd *crowd = self;

	for (int i = 0; i < 50; i++) {
		struct str body = {0}, reply = {0};

		str_add(&body, "hello");
		if (http_client_post(crowd->client, "/RPC2", &body, &reply, 10000, NULL) &&
		    !strcmp(str_text(&reply), "POST /RPC2 developer dev1 5"))
			crowd->n_good++;
		str_done(&body);
		str_done(&reply);
	}
	return NULL;
}

static void
eight_threads_share_a_client(void)
{
	auto_arena struct arena *arena = arena_new();
	struct crowd crowd = {0};
	struct http_server *server;
	pthread_t threads[8];

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	crowd.client = domain_client(arena, domain_address(arena, server), "user");
	for (int i = 0; i < 8; i++)
		assert_equal(pthread_create(&threads[i], NULL, call_often, &crowd), 0);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);

	assert_equal(crowd.n_good, 400);
	http_client_free(crowd.client);
	http_server_free(server);
}

static void
a_connection_is_kept(void)
{
	auto_arena struct arena *arena = arena_new();
	struct http_server *server;
	struct http_client *client;
	struct err err = {0};
	auto_str struct str reply = {0};

	domain_make(arena);
	server = domain_server(arena, "127.0.0.1:0", "server");
	client = domain_client(arena, domain_address(arena, server), "user");
	for (int i = 0; i < 20; i++)
		assert_equal(post(client, "x", &reply, &err), ERR_NONE);

	assert_equal(http_server_connections(server), 1);
	http_client_free(client);
	http_server_free(server);
}

static void
addresses_that_would_listen_to_all_are_refused(void)
{
	static const char *const bad[] = {"0.0.0.0:0", "[::]:0", "127.0.0.1", "127.0.0.1:70000",
	    "localhost:0", ":0", "unix:", ""};
	auto_arena struct arena *arena = arena_new();

	domain_make(arena);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_server_config config = {.address = bad[i],
		    .ca_file = domain_path(arena, "ca/ca.crt"),
		    .cert_file = domain_path(arena, "server.crt"),
		    .key_file = domain_path(arena, "server.key")};
		struct err err = {0};

		assert_true(!http_server_new(&config, &err));
		assert_true(err.code == ERR_BAD_VALUE || err.code == ERR_UNAVAILABLE);
	}
}

static void
a_key_that_others_may_read_is_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	struct http_server_config config = {.address = "127.0.0.1:0"};
	struct err err = {0};

	domain_make(arena);
	config.ca_file = domain_path(arena, "ca/ca.crt");
	config.cert_file = domain_path(arena, "server.crt");
	config.key_file = domain_path(arena, "server.key");
	chmod(config.key_file, 0640);
	assert_true(!http_server_new(&config, &err));
	chmod(config.key_file, 0600);
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(strstr(err.hint, "chmod 0600") != NULL);
}

static void
a_unix_socket_in_use_is_not_taken_and_an_old_one_is(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *address = arena_format(arena, "unix:%s/taken", test_dir());
	struct http_server_config config = {.address = address};
	struct http_server *server;
	struct stat stat_of;
	struct err err = {0};

	domain_make(arena);
	config.ca_file = domain_path(arena, "ca/ca.crt");
	config.cert_file = domain_path(arena, "server.crt");
	config.key_file = domain_path(arena, "server.key");
	fclose(fopen(domain_path(arena, "taken"), "we"));
	server = domain_server(arena, address, "server");
	assert_equal(stat(domain_path(arena, "taken"), &stat_of), 0);
	assert_equal(stat_of.st_mode & 0777, 0600);
	assert_true(!http_server_new(&config, &err));
	assert_equal(err.code, ERR_CONFLICT);
	http_server_free(server);
}

static const struct test tests[] = {
    TEST(a_caller_is_known_by_its_certificate),
    TEST(a_unix_socket_serves_the_same_over_tls),
    TEST(callers_without_a_good_certificate_are_told_why),
    TEST(a_server_that_is_not_whom_we_want_is_refused),
    TEST(nobody_at_the_address_is_unavailable),
    TEST(a_client_finds_a_server_that_was_restarted),
    TEST(too_large_a_body_is_refused_and_the_next_is_served),
    TEST(too_large_an_answer_is_refused),
    TEST(eight_threads_share_a_client),
    TEST(a_connection_is_kept),
    TEST(addresses_that_would_listen_to_all_are_refused),
    TEST(a_key_that_others_may_read_is_refused),
    TEST(a_unix_socket_in_use_is_not_taken_and_an_old_one_is),
};

suite_main("http", tests)
