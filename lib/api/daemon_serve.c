/*
 * A daemon's life between start and SIGTERM: two listeners with the same service.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/daemon_part.h"
#include "lib/base/log.h"

enum { DRAIN_MS = 2000, CONNECTIONS = 256 };

static bool start_servers(struct daemon *daemon, struct err *err);
static struct http_server *listen_on(struct daemon *daemon, const char *address, struct err *err);
static http_handler handle;
static void wait_for_signal(struct daemon *daemon);
static void stop_servers(struct daemon *daemon);

int
daemon_serve(struct daemon *daemon)
{
	struct err err = {0};

	if (!start_servers(daemon, &err)) {
		log_error(daemon->config.program, "%s", err.text);
		fprintf(stderr, "%s: %s\n", daemon->config.program, err.text);
		return err_code_exit(err.code);
	}
	log_info(daemon->config.program, "serving name=%s version=%s listen=%s port=%u",
	    daemon->full_name, VNODE_VERSION, conf_text(daemon->conf, "daemon", "listen"),
	    http_server_port(daemon->servers[0]));
	daemon_hello_start(daemon);
	wait_for_signal(daemon);
	daemon_hello_stop(daemon);
	stop_servers(daemon);
	return 0;
}

static bool
start_servers(struct daemon *daemon, struct err *err)
{
	const char *socket = conf_text(daemon->conf, "daemon", "socket");
	auto_str struct str address = {0};

	daemon->servers[0] = listen_on(daemon, conf_text(daemon->conf, "daemon", "listen"), err);
	if (!daemon->servers[0])
		return false;
	if (socket && !strcmp(socket, "none"))
		return true;
	if (socket)
		str_addf(&address, "unix:%s", socket);
	else if (mkdir("/run/vnode", 0755) == 0 || errno == EEXIST)
		str_addf(&address, "unix:/run/vnode/%s.sock", daemon->config.program);
	daemon->servers[1] = listen_on(daemon, str_text(&address), err);
	return daemon->servers[1] != NULL;
}

static struct http_server *
listen_on(struct daemon *daemon, const char *address, struct err *err)
{
	struct http_server_config config = {.address = address,
	    .ca_file = daemon->files.ca,
	    .cert_file = daemon->files.cert,
	    .key_file = daemon->files.key,
	    .handler = handle,
	    .self = daemon,
	    .connections_max = CONNECTIONS + (unsigned)daemon->n_expected};

	return http_server_new(&config, err);
}

static void
handle(void *self, const struct http_request *request, struct http_response *response)
{
	struct daemon *daemon = self;
	struct rpc_call call = {request->role, request->name, request->arena};

	if (!strcmp(request->path, "/RPC2") && !strcmp(request->method, "POST")) {
		rpc_server_handle(
		    daemon->rpc, &call, request->body, request->size, &response->body);
		return;
	}
	response->status = 404;
	response->content_type = "text/plain";
	str_add(&response->body, "XML-RPC is at POST /RPC2\n");
}

static void
wait_for_signal(struct daemon *daemon)
{
	sigset_t ends;
	int number = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	while (sigwait(&ends, &number) != 0)
		;
	log_info(daemon->config.program, "ending signal=%d", number);
}

/*
 * Handlers still at work (a long exec, a wait) are not worth waiting for: what is durable is in
 * the store, and a start after a kill is the ordinary start.
 */
static void
stop_servers(struct daemon *daemon)
{
	for (size_t i = 0; i < 2; i++) {
		if (!daemon->servers[i])
			continue;
		if (!http_server_drain(daemon->servers[i], DRAIN_MS)) {
			log_info(daemon->config.program, "ending with calls under way");
			_exit(0);
		}
		http_server_free(daemon->servers[i]);
		daemon->servers[i] = NULL;
	}
}
