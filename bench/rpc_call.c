/*
 * What does one call between two daemons cost? A server in a process of its own, XML-RPC over
 * mutual TLS on a UNIX socket: controller.hello on a new connection, then on a warm one with
 * 0, 20 and 256 rows.
 *     rpc_call [CALLS]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/api/controller_api.h"
#include "lib/crypto/pki.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"

enum { CALLS = 2000, PATH_SIZE = 128, TRIES = 500 };

/* Files in a folder of our own. */
struct files {
	char dir[PATH_SIZE / 2], address[PATH_SIZE], pki[PATH_SIZE], ca[PATH_SIZE];
	char server[PATH_SIZE], server_cert[PATH_SIZE], server_key[PATH_SIZE];
	char client[PATH_SIZE], client_cert[PATH_SIZE], client_key[PATH_SIZE];
};

static bool
hello(void *self, const struct rpc_call *call, const struct controller_hello_args *args,
    struct controller_hello_result *result, struct err *err)
{
	(void)self;
	(void)call;
	(void)args;
	(void)err;
	*result = (struct controller_hello_result){.epoch = 1, .interval_ms = 10000};
	return true;
}

static void
handle(void *self, const struct http_request *request, struct http_response *response)
{
	struct rpc_call call = {request->role, request->name, request->arena};

	rpc_server_handle(self, &call, request->body, request->size, &response->body);
}

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	auto_str struct str request = {0};

	str_add_bytes(&request, body, size);
	return http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
}

static bool
make_files(struct files *files, struct err *err)
{
	struct pki_leaf server = {.role = "snc", .name = "ctl"};
	struct pki_leaf client = {.role = "redirector", .name = "koganei"};

	snprintf(files->dir, sizeof(files->dir), "/tmp/vnode-rpc-call-XXXXXX");
	if (!mkdtemp(files->dir))
		return err_set(err, ERR_UNAVAILABLE, "no folder in /tmp");
	snprintf(files->address, PATH_SIZE, "unix:%s/sock", files->dir);
	snprintf(files->pki, PATH_SIZE, "%s/pki", files->dir);
	snprintf(files->ca, PATH_SIZE, "%s/pki/ca.crt", files->dir);
	snprintf(files->server, PATH_SIZE, "%s/server", files->dir);
	snprintf(files->server_cert, PATH_SIZE, "%s/server.crt", files->dir);
	snprintf(files->server_key, PATH_SIZE, "%s/server.key", files->dir);
	snprintf(files->client, PATH_SIZE, "%s/client", files->dir);
	snprintf(files->client_cert, PATH_SIZE, "%s/client.crt", files->dir);
	snprintf(files->client_key, PATH_SIZE, "%s/client.key", files->dir);
	return pki_init(files->pki, err) && pki_issue(files->pki, &server, files->server, err) &&
	       pki_issue(files->pki, &client, files->client, err);
}

static void
remove_files(const struct files *files)
{
	char key[PATH_SIZE], sock[PATH_SIZE];

	snprintf(key, sizeof(key), "%s/pki/ca.key", files->dir);
	snprintf(sock, sizeof(sock), "%s/sock", files->dir);
	unlink(key);
	unlink(sock);
	unlink(files->ca);
	unlink(files->server_cert);
	unlink(files->server_key);
	unlink(files->client_cert);
	unlink(files->client_key);
	rmdir(files->pki);
	rmdir(files->dir);
}

static int
serve(const struct files *files)
{
	static const struct controller_ops ops = {.hello = hello};
	struct rpc_server *rpc = rpc_server_new();
	struct http_server_config config = {.address = files->address,
	    .ca_file = files->ca,
	    .cert_file = files->server_cert,
	    .key_file = files->server_key,
	    .handler = handle,
	    .self = rpc};
	struct err err = {0};
	struct http_server *http;

	if (!rpc_server_add(rpc, &controller_service, &ops, NULL, &err) ||
	    !(http = http_server_new(&config, &err))) {
		fprintf(stderr, "rpc_call: %s\n", err.text);
		return 1;
	}
	pause();
	http_server_free(http);
	return 0;
}

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* One call; its time, negative when it failed. */
static double
call_us(struct http_client *http, size_t n_rows, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct controller_rid *rows = arena_alloc(arena, (n_rows + 1) * sizeof(*rows));
	struct rpc_client client = {.post = post, .self = http, .timeout_ms = 5000};
	struct controller_hello_args args = {.manager = "redirector@koganei",
	    .version = "0",
	    .db_uuid = "uuid",
	    .capacity = "cpu=4\n",
	    .changed = rows,
	    .n_changed = n_rows};
	struct controller_hello_result result;
	double from = now_us();

	for (size_t i = 0; i < n_rows; i++)
		rows[i].rid = "0000000000001";
	return controller_hello_call(&client, arena, &args, &result, err) ? now_us() - from : -1;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static bool
measure(struct http_client *http, size_t n_rows, size_t n_calls, struct err *err)
{
	auto_free double *us = xcalloc(n_calls, sizeof(*us));

	for (size_t i = 0; i < n_calls; i++)
		if ((us[i] = call_us(http, n_rows, err)) < 0)
			return false;
	qsort(us, n_calls, sizeof(*us), compare);
	printf("warm, %3zu rows  p50 %5.0f us  p99 %5.0f us\n", n_rows, us[n_calls / 2],
	    us[n_calls * 99 / 100]);
	return true;
}

static bool
run(const struct files *files, size_t n_calls, struct err *err)
{
	struct http_client_config config = {.address = files->address,
	    .name = "snc.ctl.vnode",
	    .ca_file = files->ca,
	    .cert_file = files->client_cert,
	    .key_file = files->client_key};
	struct timespec pause_of = {.tv_nsec = 10000000};
	struct http_client *http = http_client_new(&config, err);
	double first = -1;
	bool is_good;

	for (int i = 0; http && i < TRIES && first < 0; i++) {
		first = call_us(http, 0, err); /* the server is starting */
		if (first < 0)
			nanosleep(&pause_of, NULL);
	}
	if (first < 0) {
		http_client_free(http);
		return false;
	}
	printf("new connection   %9.0f us\n", first);
	is_good = measure(http, 0, n_calls, err) && measure(http, 20, n_calls, err) &&
		  measure(http, 256, n_calls, err);
	http_client_free(http);
	return is_good;
}

int
main(int argc, char **argv)
{
	struct files files = {0};
	struct err err = {0};
	long long n_calls = CALLS;
	bool is_good;
	pid_t child;

	if (argc > 1 && !str_to_i64(argv[1], 1, 10000000, &n_calls)) {
		fprintf(stderr, "usage: rpc_call [CALLS]\n");
		return 2;
	}
	if (!make_files(&files, &err)) {
		fprintf(stderr, "rpc_call: %s\n", err.text);
		return 1;
	}
	child = fork();
	if (child == 0)
		_exit(serve(&files));
	is_good = run(&files, (size_t)n_calls, &err);
	kill(child, SIGTERM);
	waitpid(child, NULL, 0);
	remove_files(&files);
	if (!is_good)
		fprintf(stderr, "rpc_call: %s\n", err.text);
	return is_good ? 0 : 1;
}
