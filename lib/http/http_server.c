/*
 * libmicrohttpd, thread per connection, over TLS. One exchange lives from a request's headers to
 * the end of its answer; who calls is read from the certificate once per connection.
 */
#include "lib/http/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/http/http_internal.h"

enum {
	BODY_MAX = 2 << 20,
	CONNECTIONS_MAX = 256,
	CONNECTION_MEMORY = 64 << 10,
	IDLE_S = 60,
	SWALLOW_FACTOR = 4
};

struct http_server {
	struct http_server_config config;
	struct http_identity identity;
	struct MHD_Daemon *daemon;
	int fd;
	unsigned port;
	char *socket_path; /* NULL for TCP */
	pthread_mutex_t lock;
	pthread_cond_t is_quiet;
	unsigned n_running; /* handlers */
	unsigned long n_connections;
};

struct exchange {
	struct str body;
	size_t swallowed; /* of a body that is too large: read, and thrown away, up to a limit */
};

static void destroy(struct http_server *server);
static bool start_daemon(struct http_server *server, struct err *err);
static void connection_changed(void *self, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code);
static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *data, size_t *size, void **context);
static enum MHD_Result take_body(
    const struct http_server *server, struct exchange *exchange, const char *data, size_t *size);
static enum MHD_Result run(struct http_server *server, struct MHD_Connection *connection,
    const char *method, const char *path, const struct exchange *exchange);
static void exchange_ended(void *self, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code);
static enum MHD_Result send_plain(
    struct MHD_Connection *connection, unsigned status, const char *why);
static enum MHD_Result send_response(
    struct MHD_Connection *connection, struct http_response *response, bool is_last);
static const struct http_peer *peer_of(struct MHD_Connection *connection);
static size_t keep_escaped(void *self, struct MHD_Connection *connection, char *text);
static void log_line(void *self, const char *format, va_list args) printf_like(2, 0);

void
http_server_free(struct http_server *server)
{
	if (server)
		destroy(server);
}

static void
destroy(struct http_server *server)
{
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->fd >= 0)
		close(server->fd);
	if (server->socket_path)
		unlink(server->socket_path);
	http_identity_done(&server->identity);
	pthread_cond_destroy(&server->is_quiet);
	pthread_mutex_destroy(&server->lock);
	free(server->socket_path);
	free(server);
}

static inline void
server_cleanup(struct http_server **server)
{
	if (*server)
		destroy(*server);
}

struct http_server *
http_server_new(const struct http_server_config *config, struct err *err)
{
	__attribute__((cleanup(server_cleanup))) struct http_server *server =
	    xcalloc(1, sizeof(*server));

	server->fd = -1;
	server->config = *config;
	server->config.body_max = config->body_max ? config->body_max : BODY_MAX;
	server->config.connections_max =
	    config->connections_max ? config->connections_max : CONNECTIONS_MAX;
	pthread_mutex_init(&server->lock, NULL);
	pthread_cond_init(&server->is_quiet, NULL);
	if (!http_identity_init(&server->identity, config, err))
		return NULL;
	server->fd = http_listen(config->address, err);
	if (server->fd < 0)
		return NULL;
	if (!strncmp(config->address, "unix:", 5))
		server->socket_path = xstrdup(config->address + 5);
	server->port = http_listen_port(server->fd);
	if (!start_daemon(server, err))
		return NULL;
	return take(server);
}

unsigned
http_server_port(const struct http_server *server)
{
	return server->port;
}

unsigned long
http_server_connections(struct http_server *server)
{
	unsigned long n;

	pthread_mutex_lock(&server->lock);
	n = server->n_connections;
	pthread_mutex_unlock(&server->lock);
	return n;
}

bool
http_server_drain(struct http_server *server, int wait_ms)
{
	struct timespec until;
	bool is_quiet;
	int code = 0;

	MHD_quiesce_daemon(server->daemon); /* the descriptor stays ours */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&server->lock);
	while (server->n_running && code == 0)
		code = pthread_cond_timedwait(&server->is_quiet, &server->lock, &until);
	is_quiet = server->n_running == 0;
	pthread_mutex_unlock(&server->lock);
	return is_quiet;
}

static bool
start_daemon(struct http_server *server, struct err *err)
{
	server->daemon =
	    MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
				 MHD_USE_POLL | MHD_USE_ITC | MHD_USE_TLS | MHD_USE_ERROR_LOG,
		0, NULL, NULL, answer, server, MHD_OPTION_EXTERNAL_LOGGER, log_line, server,
		MHD_OPTION_LISTEN_SOCKET, server->fd, MHD_OPTION_HTTPS_MEM_CERT,
		server->identity.cert, MHD_OPTION_HTTPS_MEM_KEY, server->identity.key,
		MHD_OPTION_HTTPS_MEM_TRUST, server->identity.ca, MHD_OPTION_HTTPS_PRIORITIES,
		"NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE",
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
		MHD_OPTION_NOTIFY_COMPLETED, exchange_ended, server, MHD_OPTION_UNESCAPE_CALLBACK,
		keep_escaped, server, MHD_OPTION_CONNECTION_LIMIT, server->config.connections_max,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		MHD_OPTION_END);
	if (!server->daemon)
		return err_set(err, ERR_INTERNAL,
		    "'%s': the HTTP server does not start (see the log)", server->config.address);
	return true;
}

/* ---- connections ---- */

static void
connection_changed(void *self, struct MHD_Connection *connection, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	struct http_server *server = self;
	const union MHD_ConnectionInfo *info;
	int on = 1;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*context);
		*context = NULL;
		return;
	}
	pthread_mutex_lock(&server->lock);
	server->n_connections++;
	pthread_mutex_unlock(&server->lock);
	*context = xcalloc(1, sizeof(struct http_peer));
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	http_peer_require(info->tls_session);
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	setsockopt(info->connect_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* NULL: the certificate is not acceptable (the handshake should have seen it). */
static const struct http_peer *
peer_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct http_peer *peer = info->socket_context;

	if (!peer || peer->role[0])
		return peer;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	return http_peer_read(info->tls_session, peer) ? peer : NULL;
}

/* ---- one exchange ---- */

static enum MHD_Result
answer(void *self, struct MHD_Connection *connection, const char *path, const char *method,
    const char *version, const char *data, size_t *size, void **context)
{
	struct http_server *server = self;
	struct http_guard guard = {&server->identity, server->config.body_max};
	struct exchange *exchange = *context;
	const char *why = NULL;
	unsigned status;

	(void)version;
	if (!exchange) {
		*context = xcalloc(1, sizeof(*exchange));
		status = http_guard_check(&guard, connection, method, path, &why);
		return status ? send_plain(connection, status, why) : MHD_YES;
	}
	if (*size)
		return take_body(server, exchange, data, size);
	if (exchange->swallowed)
		return send_plain(connection, 413, "too large a body");
	return run(server, connection, method, path, exchange);
}

static enum MHD_Result
take_body(
    const struct http_server *server, struct exchange *exchange, const char *data, size_t *size)
{
	size_t max = server->config.body_max;

	if (exchange->swallowed || *size > max - exchange->body.len) {
		str_done(&exchange->body);
		exchange->swallowed += *size;
	} else {
		str_add_bytes(&exchange->body, data, *size);
	}
	*size = 0;
	return exchange->swallowed > SWALLOW_FACTOR * max ? MHD_NO : MHD_YES;
}

static void
count_running(struct http_server *server, unsigned change)
{
	pthread_mutex_lock(&server->lock);
	server->n_running += change;
	if (!server->n_running)
		pthread_cond_broadcast(&server->is_quiet);
	pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result
run(struct http_server *server, struct MHD_Connection *connection, const char *method,
    const char *path, const struct exchange *exchange)
{
	const struct http_peer *peer = peer_of(connection);
	auto_arena struct arena *arena = arena_new();
	struct http_response response = {.status = 200, .content_type = "text/xml"};
	struct http_request request = {.method = method, .path = path, .arena = arena};

	if (!peer)
		return send_plain(connection, 403, "a certificate that names no role");
	request.role = peer->role;
	request.name = peer->name;
	request.body = str_text(&exchange->body);
	request.size = exchange->body.len;
	/* The timeout is one of inactivity, and a handler at work looks inactive. */
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
	count_running(server, 1);
	server->config.handler(server->config.self, &request, &response);
	count_running(server, -1U);
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)IDLE_S);
	return send_response(connection, &response, false);
}

static void
exchange_ended(void *self, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *context;

	(void)self;
	(void)connection;
	(void)code;
	if (!exchange)
		return;
	str_done(&exchange->body);
	free(exchange);
	*context = NULL;
}

/* A refusal, after which nothing more is read from this connection. */
static enum MHD_Result
send_plain(struct MHD_Connection *connection, unsigned status, const char *why)
{
	struct http_response response = {.status = (int)status, .content_type = "text/plain"};

	log_info("http", "request refused: status=%u why=%s", status, why);
	str_addf(&response.body, "%s\n", why);
	return send_response(connection, &response, true);
}

static enum MHD_Result
send_response(struct MHD_Connection *connection, struct http_response *response, bool is_last)
{
	size_t size = response->body.len;
	struct MHD_Response *made =
	    MHD_create_response_from_buffer(size, str_take(&response->body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!made)
		return MHD_NO;
	MHD_add_response_header(made, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type);
	if (is_last)
		MHD_add_response_header(made, MHD_HTTP_HEADER_CONNECTION, "close");
	result = MHD_queue_response(connection, (unsigned)response->status, made);
	MHD_destroy_response(made);
	return result;
}

/* Paths stay as they were sent: the guard and the handlers see what a proxy would see. */
static size_t
keep_escaped(void *self, struct MHD_Connection *connection, char *text)
{
	(void)self;
	(void)connection;
	return strlen(text);
}

static void
log_line(void *self, const char *format, va_list args)
{
	auto_str struct str line = {0};

	(void)self;
	str_addv(&line, format, args);
	log_debug("http", "%s", str_text(&line));
}
