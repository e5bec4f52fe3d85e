/*
 * Where the controllers are and who we are: a context of the configuration file.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/base/map.h"
#include "lib/http/http_client.h"

/* The longest call waits 30 s for its effect. */
enum { CALL_MS = 40000 };

struct cli_context {
	struct conf *conf;
	char section[80];
	struct map *https; /* those opened: key of the section to struct http_client */
};

static struct cli_context *context_open(struct cli *cli, struct err *err);
static struct http_client *http_open(struct cli_context *context, const char *key, struct err *err);
static struct cli_context *context_of(struct cli *cli, struct err *err);
static const struct rpc_client *client(struct cli *cli, const char *key, struct err *err);

const struct rpc_client *
cli_snc(struct cli *cli, struct err *err)
{
	return client(cli, "snc", err);
}

const struct rpc_client *
cli_tnc(struct cli *cli, struct err *err)
{
	return client(cli, "tnc", err);
}

void
cli_context_free(struct cli_context *context)
{
	struct http_client *http;

	if (!context)
		return;
	for (size_t at = 0; (http = map_next(context->https, &at));)
		http_client_free(http);
	map_free(context->https);
	conf_free(context->conf);
	free(context);
}

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct str request = {0};
	bool good;

	str_add_bytes(&request, body, size);
	good = http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
	str_done(&request);
	if (!good && err->code == ERR_UNAVAILABLE && !err->hint[0])
		err_hint(err, "does it run? vnode doctor tells who answers");
	return good;
}

static const struct rpc_client *
client(struct cli *cli, const char *key, struct err *err)
{
	struct rpc_client *client = arena_new_of(cli->arena, struct rpc_client);
	struct cli_context *context = context_of(cli, err);
	struct http_client *http = context ? map_get(context->https, key) : NULL;

	if (!context)
		return NULL;
	if (!http)
		http = http_open(context, key, err);
	if (!http)
		return NULL;
	*client = (struct rpc_client){post, http, CALL_MS};
	return client;
}

static struct http_client *
http_open(struct cli_context *context, const char *key, struct err *err)
{
	char name[32];
	struct http_client_config config = {
	    .address = conf_text(context->conf, context->section, key),
	    .name = name,
	    .ca_file = conf_text(context->conf, context->section, "ca"),
	    .cert_file = conf_text(context->conf, context->section, "cert"),
	    .key_file = conf_text(context->conf, context->section, "key"),
	};
	struct http_client *http;

	if (!config.address || !config.ca_file || !config.cert_file || !config.key_file) {
		err_set(err, ERR_USAGE,
		    "the client configuration has no [%s] with %s, ca, cert and key",
		    context->section, key);
		return NULL;
	}
	snprintf(name, sizeof(name), "%s.ctl.vnode", key);
	http = http_client_new(&config, err);
	if (http)
		map_put(context->https, key, http);
	return http;
}

const char *
cli_setting(struct cli *cli, const char *key, struct err *err)
{
	struct cli_context *context = context_of(cli, err);

	return context ? conf_text(context->conf, context->section, key) : NULL;
}

const char *
cli_config_file(struct cli *cli)
{
	const char *file = getenv("VNODE_CONFIG"), *base = getenv("XDG_CONFIG_HOME");

	if (file)
		return file;
	if (base)
		return arena_format(cli->arena, "%s/vnode/config.ini", base);
	return arena_format(
	    cli->arena, "%s/.config/vnode/config.ini", getenv("HOME") ? getenv("HOME") : "");
}

static struct cli_context *
context_of(struct cli *cli, struct err *err)
{
	if (!cli->context)
		cli->context = context_open(cli, err);
	return cli->context;
}

static struct cli_context *
context_open(struct cli *cli, struct err *err)
{
	const char *file = cli_config_file(cli), *name = cli->flags.context;
	struct cli_context *context;
	struct conf *conf = conf_read(file, err);

	if (!conf) {
		err_in(err, "client configuration");
		err_hint(err,
		    "./testbed up starts a network; of another one: set VNODE_CONFIG to the file");
		return NULL;
	}
	if (!name)
		name = getenv("VNODE_CONTEXT");
	if (!name)
		name = conf_text(conf, "vnode", "context");
	context = xcalloc(1, sizeof(*context));
	context->conf = conf;
	context->https = map_new();
	snprintf(context->section, sizeof(context->section), "context %s", name ? name : "default");
	return context;
}
