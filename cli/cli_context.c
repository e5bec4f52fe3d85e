/*
 * Where the controllers are and who we are: a context of the configuration file.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/http/http_client.h"

struct cli_context {
	struct conf *conf;
	char section[80];
	struct http_client *https[2];
	struct rpc_client clients[2];
};

enum { SNC, TNC };

static struct cli_context *context_open(struct cli *cli, struct err *err);
static const struct rpc_client *client(struct cli *cli, int which, struct err *err);

const struct rpc_client *
cli_snc(struct cli *cli, struct err *err)
{
	return client(cli, SNC, err);
}

const struct rpc_client *
cli_tnc(struct cli *cli, struct err *err)
{
	return client(cli, TNC, err);
}

void
cli_context_free(struct cli_context *context)
{
	if (!context)
		return;
	http_client_free(context->https[SNC]);
	http_client_free(context->https[TNC]);
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
	return good;
}

static const struct rpc_client *
client(struct cli *cli, int which, struct err *err)
{
	static const char *const keys[] = {"snc", "tnc"};
	static const char *const names[] = {"snc.ctl.vnode", "tnc.ctl.vnode"};
	struct cli_context *context = cli->context;
	struct http_client_config config;

	if (!context)
		context = cli->context = context_open(cli, err);
	if (!context)
		return NULL;
	if (context->https[which])
		return &context->clients[which];
	config = (struct http_client_config){
	    .address = conf_text(context->conf, context->section, keys[which]),
	    .name = names[which],
	    .ca_file = conf_text(context->conf, context->section, "ca"),
	    .cert_file = conf_text(context->conf, context->section, "cert"),
	    .key_file = conf_text(context->conf, context->section, "key"),
	};
	if (!config.address || !config.ca_file || !config.cert_file || !config.key_file) {
		err_set(err, ERR_USAGE, "[%s] must have %s, ca, cert and key", context->section,
		    keys[which]);
		return NULL;
	}
	context->https[which] = http_client_new(&config, err);
	if (!context->https[which])
		return NULL;
	context->clients[which] = (struct rpc_client){post, context->https[which], 40000};
	return &context->clients[which];
}

const char *
cli_setting(struct cli *cli, const char *key, struct err *err)
{
	if (!cli->context)
		cli->context = context_open(cli, err);
	return cli->context ? conf_text(cli->context->conf, cli->context->section, key) : NULL;
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
context_open(struct cli *cli, struct err *err)
{
	const char *file = cli_config_file(cli), *name = cli->flags.context;
	struct cli_context *context;
	struct conf *conf = conf_read(file, err);

	if (!conf) {
		err_in(err, "client configuration");
		err_hint(err, "set VNODE_CONFIG to the file, or run ./vnode beside ./testbed");
		return NULL;
	}
	if (!name)
		name = getenv("VNODE_CONTEXT");
	if (!name)
		name = conf_text(conf, "vnode", "context");
	context = xcalloc(1, sizeof(*context));
	context->conf = conf;
	snprintf(context->section, sizeof(context->section), "context %s", name ? name : "default");
	return context;
}
