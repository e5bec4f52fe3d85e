/*
 * What sncd says to tncd, by hand: for the system test of tncd and routerd.
 *
 *     tnc_client issue DIR ROLE NAME IP        a certificate DIR/ROLE-NAME.crt, .key (and DIR/ca.*)
 *     tnc_client VERB ADDRESS DIR RID [LINE…]  reserve (lines of a share), commit, release
 *     tnc_client ASK ADDRESS DIR               view, paths, routers, orphans
 * Answers are lines; exit code 1 when the call failed or the row was refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/peer.h"
#include "lib/api/tnc_api.h"
#include "lib/base/id.h"
#include "lib/crypto/pki.h"
#include "lib/http/http_client.h"

enum { TIMEOUT_MS = 20000 };

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	auto_str struct str text = {0};

	str_add_bytes(&text, body, size);
	return http_client_post(self, "/RPC2", &text, reply, timeout_ms, err);
}

static bool
issue(char **args, struct err *err)
{
	const char *dir = args[0], *ips[] = {args[3]};
	auto_str struct str prefix = {0}, ca = {0};
	FILE *known;

	str_addf(&ca, "%s/ca.crt", dir);
	str_addf(&prefix, "%s/%s-%s", dir, args[1], args[2]);
	known = fopen(ca.text, "re");
	if (known)
		fclose(known);
	else if (!pki_init(dir, err))
		return false;
	return pki_issue(dir,
	    &(struct pki_leaf){.role = args[1], .name = args[2], .ips = ips, .n_ips = 1},
	    prefix.text, err);
}

static enum verb
verb_of(const char *text)
{
	if (!strcmp(text, "reserve"))
		return VERB_RESERVE;
	return strcmp(text, "commit") ? VERB_RELEASE : VERB_COMMIT;
}

static bool
run_verb(const struct rpc_client *client, const char *verb, char **args, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str spec = {0};
	struct row_want want = {.kind = "share", .rev = 1, .attr = ""};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.owner = "", .epoch = 1, .deadline_ms = 5000},
	    .verb = verb_of(verb),
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = arena};

	want.rid = id_make(1, strtoull(args[0], NULL, 10));
	for (char **line = args + 1; *line; line++)
		str_addf(&spec, "%s\n", *line);
	want.spec = str_text(&spec);
	if (!peer_manager_call(client, &call, err))
		return false;
	printf("state=%s\nreal=%d\n", row_state_text(have.state), have.is_real);
	printf("%s", have.result ? have.result : "");
	if (have.why.code == ERR_NONE)
		return true;
	*err = have.why;
	return false;
}

static bool
ask_view(const struct rpc_client *client, struct arena *arena, struct err *err)
{
	struct tnc_view_result view = {0};

	if (!tnc_view_call(client, arena, &(struct tnc_view_args){}, &view, err))
		return false;
	printf("revision=%lld\n", (long long)view.revision);
	for (size_t i = 0; i < view.n_edges; i++)
		printf("%s %s %s %lld %lld\n", view.edges[i].name, view.edges[i].a, view.edges[i].b,
		    (long long)view.edges[i].free_ab_bps, (long long)view.edges[i].free_ba_bps);
	return true;
}

static bool
ask_paths(const struct rpc_client *client, struct arena *arena, struct err *err)
{
	struct tnc_path_list_result list = {0};

	if (!tnc_path_list_call(client, arena, &(struct tnc_path_list_args){}, &list, err))
		return false;
	for (size_t i = 0; i < list.n_paths; i++) {
		const struct tnc_path *path = &list.paths[i];

		printf("%s %s %s %s %s %s via %s shares %lld\n", path->name, path->state, path->a,
		    path->b, path->address_a, path->address_b, path->hops,
		    (long long)path->n_shares);
	}
	return true;
}

static bool
ask(const struct rpc_client *client, const char *what, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct tnc_router_list_result routers;
	struct tnc_orphans_result orphans;

	if (!strcmp(what, "view"))
		return ask_view(client, arena, err);
	if (!strcmp(what, "paths"))
		return ask_paths(client, arena, err);
	if (!strcmp(what, "routers")) {
		if (!tnc_router_list_call(
			client, arena, &(struct tnc_router_list_args){}, &routers, err))
			return false;
		for (size_t i = 0; i < routers.n_routers; i++)
			printf("%s %s\n", routers.routers[i].name, routers.routers[i].state);
		return true;
	}
	if (!tnc_orphans_call(client, arena, &(struct tnc_orphans_args){}, &orphans, err))
		return false;
	for (size_t i = 0; i < orphans.n_orphans; i++)
		printf("%s: %s\n", orphans.orphans[i].manager, orphans.orphans[i].line);
	return true;
}

static bool
call(int argc, char **argv, struct err *err)
{
	auto_str struct str ca = {0}, cert = {0}, key = {0};
	struct http_client_config config = {.address = argv[2], .name = "tnc.ctl.vnode"};
	struct rpc_client client = {.post = post, .timeout_ms = TIMEOUT_MS};
	struct http_client *http;
	bool is_done;

	str_addf(&ca, "%s/ca.crt", argv[3]);
	str_addf(&cert, "%s/snc-ctl.crt", argv[3]);
	str_addf(&key, "%s/snc-ctl.key", argv[3]);
	config.ca_file = ca.text;
	config.cert_file = cert.text;
	config.key_file = key.text;
	http = http_client_new(&config, err);
	if (!http)
		return false;
	client.self = http;
	is_done = argc > 4 ? run_verb(&client, argv[1], argv + 4, err) : ask(&client, argv[1], err);
	http_client_free(http);
	return is_done;
}

int
main(int argc, char **argv)
{
	struct err err = {0};
	bool is_done = false;

	if (argc == 6 && !strcmp(argv[1], "issue"))
		is_done = issue(argv + 2, &err);
	else if (argc >= 4)
		is_done = call(argc, argv, &err);
	else
		err_set(&err, ERR_USAGE, "see the head of test/support/tnc_client.c");
	if (!is_done)
		printf("code=%s\nwhy=%s\n", err_code_text(err.code), err.text);
	return is_done ? 0 : 1;
}
