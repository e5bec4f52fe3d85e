/*
 * A daemon's start: command line, configuration, store; and its clients of other daemons.
 */
#include "lib/api/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/api/daemon_part.h"
#include "lib/base/log.h"
#include "lib/engine/wait.h"

enum { CALL_MS = 15000, ARENAS = 4, BALLAST_BYTES = 8 * 1024 * 1024 };

struct peer {
	struct http_client *http;
	struct rpc_client rpc;
};

/* The command line. */
struct options {
	const char *file;
	bool is_check, is_print;
};

static bool parse_options(const struct daemon_config *config, int argc, char **argv,
    struct options *options, int *exit_code);
static int print_help(const char *program);
static struct daemon *open_daemon(
    const struct daemon_config *config, const struct options *options, struct err *err);
static bool read_conf(struct daemon *daemon, const char *file, struct err *err);
static bool open_store(struct daemon *daemon, struct err *err);
static struct peer *open_peer(
    struct daemon *daemon, const char *full_name, const char *address, struct err *err);
static void peer_free(struct peer *peer);
static rpc_post post;

void
daemon_free(struct daemon *daemon)
{
	struct peer *peer;

	if (!daemon)
		return;
	daemon_hello_stop(daemon);
	http_server_free(daemon->servers[0]);
	http_server_free(daemon->servers[1]);
	for (size_t at = 0; (peer = map_next(daemon->peers, &at));)
		peer_free(peer);
	map_free(daemon->peers);
	rpc_server_free(daemon->rpc);
	store_close(daemon->store);
	conf_free(daemon->conf);
	vec_done(&daemon->hello.changed);
	pthread_cond_destroy(&daemon->hello.wake);
	pthread_mutex_destroy(&daemon->hello.lock);
	pthread_mutex_destroy(&daemon->lock);
	free(daemon);
}

static inline void
daemon_cleanup(struct daemon **daemon)
{
	daemon_free(*daemon);
}

#define auto_daemon __attribute__((cleanup(daemon_cleanup)))

struct daemon *
daemon_start(const struct daemon_config *config, int argc, char **argv, int *exit_code)
{
	auto_daemon struct daemon *daemon = NULL;
	auto_str struct str text = {0};
	struct options options = {0};
	struct err err = {0};

	if (!parse_options(config, argc, argv, &options, exit_code))
		return NULL;
	daemon = open_daemon(config, &options, &err);
	if (!daemon) {
		fprintf(stderr, "%s: %s\n", config->program, err.text);
		if (err.hint[0])
			fprintf(stderr, "  try: %s\n", err.hint);
		*exit_code = err_code_exit(err.code);
		return NULL;
	}
	*exit_code = 0;
	if (options.is_print) {
		conf_print(daemon->conf, &text);
		fputs(str_text(&text), stdout);
	}
	return options.is_print || options.is_check ? NULL : take(daemon);
}

/* ---- command line ---- */

static bool
parse_options(const struct daemon_config *config, int argc, char **argv, struct options *options,
    int *exit_code)
{
	*exit_code = 0;
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--config") && i + 1 < argc) {
			options->file = argv[++i];
		} else if (!strcmp(argv[i], "--check-config")) {
			options->is_check = true;
		} else if (!strcmp(argv[i], "--print-config")) {
			options->is_print = true;
		} else if (!strcmp(argv[i], "--version")) {
			printf("%s %s\n", config->program, VNODE_VERSION);
			return false;
		} else if (!strcmp(argv[i], "--help")) {
			return print_help(config->program);
		} else {
			fprintf(stderr, "%s: '%s' is not understood\n  try: %s --help\n",
			    config->program, argv[i], config->program);
			*exit_code = err_code_exit(ERR_USAGE);
			return false;
		}
	}
	return true;
}

static int
print_help(const char *program)
{
	printf(
	    "usage: %s [--config FILE] [--check-config | --print-config | --version | --help]\n\n"
	    "  --config FILE    instead of /etc/vnode/%s.conf (with drop-ins FILE.d/*.conf)\n"
	    "  --check-config   read the configuration; exit code 0 when it is good\n"
	    "  --print-config   print what is in effect, defaults included\n\n"
	    "It stays in the foreground, logs to stderr and ends at SIGTERM.\n",
	    program, program);
	return 0;
}

/* ---- start ---- */

/* Descriptors for all the connections there may be: as many as we are allowed. And few arenas of
 * malloc, each of which keeps what it needed at its worst: there is a thread a connection. */
static void
set_limits(void)
{
	struct rlimit limit;

	(void)mallopt(M_ARENA_MAX, ARENAS);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void
init_locks(struct daemon *daemon)
{
	pthread_mutex_init(&daemon->lock, NULL);
	pthread_mutex_init(&daemon->hello.lock, NULL);
	wait_init(&daemon->hello.wake);
}

/* Threads inherit the mask: those made from now on leave the signals to daemon_serve. */
static void
block_signals(void)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static struct daemon *
open_daemon(const struct daemon_config *config, const struct options *options, struct err *err)
{
	auto_daemon struct daemon *daemon = xcalloc(1, sizeof(*daemon));
	char file[256];

	daemon->config = *config;
	init_locks(daemon);
	daemon->peers = map_new();
	daemon->rpc = rpc_server_new();
	snprintf(file, sizeof(file), "/etc/vnode/%s.conf", config->program);
	if (!read_conf(daemon, options->file ? options->file : file, err))
		return NULL;
	if (options->is_check || options->is_print)
		return take(daemon);
	block_signals();
	set_limits();
	if (!open_store(daemon, err))
		return NULL;
	return take(daemon);
}

static bool
read_conf(struct daemon *daemon, const char *file, struct err *err)
{
	enum log_level level;
	const char *pki;

	daemon->conf = conf_read(file, err);
	if (!daemon->conf)
		return false;
	if (!daemon_host(daemon) || !conf_text(daemon->conf, "daemon", "listen"))
		return err_set(err, ERR_BAD_VALUE, "%s: [daemon] must have name and listen", file);
	if (!log_level_parse(conf_text(daemon->conf, "daemon", "log"), &level, err))
		return err_in(err, "%s: [daemon] log", file);
	log_set_level(level);
	pki = conf_text(daemon->conf, "daemon", "pki");
	snprintf(daemon->files.ca, sizeof(daemon->files.ca), "%s/ca.crt", pki);
	snprintf(daemon->files.cert, sizeof(daemon->files.cert), "%s/%s.crt", pki,
	    daemon->config.program);
	snprintf(
	    daemon->files.key, sizeof(daemon->files.key), "%s/%s.key", pki, daemon->config.program);
	snprintf(daemon->full_name, sizeof(daemon->full_name), "%s@%s", daemon->config.role,
	    daemon_host(daemon));
	return true;
}

static bool
open_store(struct daemon *daemon, struct err *err)
{
	const char *state = conf_text(daemon->conf, "daemon", "state");
	auto_str struct str path = {0};

	if (state)
		str_add(&path, state);
	else
		str_addf(&path, "/var/lib/vnode/%s", daemon->config.program);
	if (mkdir(str_text(&path), 0700) < 0 && errno != EEXIST)
		return err_set(err, ERR_UNAVAILABLE, "'%s' cannot be made: %s", str_text(&path),
		    strerror(errno));
	str_addf(&path, "/%s.db", daemon->config.program);
	daemon->store = store_open(
	    str_text(&path), daemon->config.migrations, daemon->config.n_migrations, err);
	return daemon->store && store_keep_ballast(daemon->store, BALLAST_BYTES, err);
}

const struct conf *
daemon_conf(const struct daemon *daemon)
{
	return daemon->conf;
}

struct store *
daemon_store(struct daemon *daemon)
{
	return daemon->store;
}

const char *
daemon_host(const struct daemon *daemon)
{
	return conf_text(daemon->conf, "daemon", "name");
}

const char *
daemon_full_name(const struct daemon *daemon)
{
	return daemon->full_name;
}

struct rpc_server *
daemon_rpc(struct daemon *daemon)
{
	return daemon->rpc;
}

void
daemon_expect(struct daemon *daemon, size_t n_daemons)
{
	daemon->n_expected = n_daemons;
}

/* ---- peers ---- */

const struct rpc_client *
daemon_peer(struct daemon *daemon, const char *full_name, const char *address, struct err *err)
{
	auto_str struct str key = {0};
	struct peer *peer;

	str_addf(&key, "%s %s", full_name, address);
	pthread_mutex_lock(&daemon->lock);
	peer = map_get(daemon->peers, str_text(&key));
	if (!peer) {
		peer = open_peer(daemon, full_name, address, err);
		if (peer)
			map_put(daemon->peers, str_text(&key), peer);
	}
	pthread_mutex_unlock(&daemon->lock);
	return peer ? &peer->rpc : NULL;
}

static struct peer *
open_peer(struct daemon *daemon, const char *full_name, const char *address, struct err *err)
{
	const char *at = strchr(full_name, '@');
	auto_str struct str name = {0};
	struct http_client_config config = {.address = address,
	    .ca_file = daemon->files.ca,
	    .cert_file = daemon->files.cert,
	    .key_file = daemon->files.key};
	struct http_client *http;
	struct peer *peer;

	if (!at) {
		err_set(err, ERR_BAD_NAME, "'%s' is no name of a daemon (ROLE@NAME)", full_name);
		return NULL;
	}
	str_addf(&name, "%.*s.%s.vnode", (int)(at - full_name), full_name, at + 1);
	config.name = str_text(&name);
	http = http_client_new(&config, err);
	if (!http)
		return NULL;
	peer = xcalloc(1, sizeof(*peer));
	peer->http = http;
	peer->rpc = (struct rpc_client){.post = post, .self = http, .timeout_ms = CALL_MS};
	return peer;
}

static void
peer_free(struct peer *peer)
{
	http_client_free(peer->http);
	free(peer);
}

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	auto_str struct str request = {0};

	str_add_bytes(&request, body, size);
	return http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
}
