/*
 * A controller for tests, one call at a time: speaks the resource protocol to any manager, as sncd
 * would.
 *
 *     managerctl ADDRESS PEER CERTS reserve RID KIND SPECFILE
 *     managerctl ADDRESS PEER CERTS commit  RID ATTRFILE [REV]
 *     managerctl ADDRESS PEER CERTS release RID
 *     managerctl ADDRESS PEER CERTS status | orphans | doctor
 *     managerctl ADDRESS PEER CERTS counters RID                 (redirectord)
 *     managerctl ADDRESS PEER CERTS node RID | console RID | facts  (programmerd)
 *     managerctl ADDRESS PEER CERTS type RID TEXT | exec RID TIMEOUT_MS WORD…
 * ADDRESS: IP:PORT or unix:PATH. PEER: name in its certificate, redirector.v1.vnode. CERTS: folder
 * with ca.crt, client.crt, client.key. Exit code 0 when the answer is as asked for; the answer is
 * printed as one line, a refusal as "CODE sentence".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/peer.h"
#include "lib/api/programmer_api.h"
#include "lib/api/redirector_api.h"
#include "lib/base/id.h"
#include "lib/http/http_client.h"

enum { DEADLINE_MS = 8000, EPOCH = 1, EXIT_CODE_REFUSED = 1, EXIT_CODE_USAGE = 2 };

struct tool {
	struct rpc_client client;
	struct arena *arena;
	int argc;
	char **argv; /* from the verb on */
};

static bool
post(void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	auto_str struct str request = {0};

	str_add_bytes(&request, body, size);
	return http_client_post(self, "/RPC2", &request, reply, timeout_ms, err);
}

static const char *
read_file(struct arena *arena, const char *path, struct err *err)
{
	FILE *file = fopen(path, "re");
	auto_str struct str text = {0};
	char chunk[4096];
	size_t got;

	if (!file) {
		err_set(err, ERR_NOT_FOUND, "cannot read '%s'", path);
		return NULL;
	}
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0)
		str_add_bytes(&text, chunk, got);
	fclose(file);
	return arena_text(arena, str_text(&text));
}

static bool
verb_call(struct tool *tool, enum verb verb, struct row_want *want, struct err *err)
{
	struct row_have have = {0};
	struct manager_call call = {
	    .caller = {.epoch = EPOCH, .deadline_ms = DEADLINE_MS},
	    .verb = verb,
	    .want = want,
	    .n = 1,
	    .have = &have,
	    .arena = tool->arena,
	};

	if (!peer_manager_call(&tool->client, &call, err))
		return false;
	if (have.why.code != ERR_NONE) {
		*err = have.why;
		return false;
	}
	printf("%s real=%d rev=%" PRId64 "\n%s", row_state_text(have.state), have.is_real, have.rev,
	    have.result ? have.result : "");
	if (have.state != verb_target(verb) || (verb != VERB_RESERVE && !have.is_real))
		return err_set(err, ERR_TIMEOUT, "the row is not as asked for");
	return true;
}

static bool
run_verb(struct tool *tool, enum verb verb, struct err *err)
{
	struct row_want want = {0};
	long long rev = 1;

	if (!id_parse(tool->argv[1], &want.rid, err))
		return false;
	if (verb == VERB_RESERVE) {
		want.kind = tool->argv[2];
		want.spec = read_file(tool->arena, tool->argv[3], err);
		if (!want.spec)
			return false;
	} else if (verb == VERB_COMMIT) {
		want.attr = read_file(tool->arena, tool->argv[2], err);
		if (!want.attr)
			return false;
		if (tool->argc > 3 && !str_to_i64(tool->argv[3], 1, INT64_MAX, &rev))
			return err_set(err, ERR_USAGE, "REV is a number");
		want.rev = rev;
	}
	return verb_call(tool, verb, &want, err);
}

static bool
run_reserve(struct tool *tool, struct err *err)
{
	return run_verb(tool, VERB_RESERVE, err);
}

static bool
run_commit(struct tool *tool, struct err *err)
{
	return run_verb(tool, VERB_COMMIT, err);
}

static bool
run_release(struct tool *tool, struct err *err)
{
	return run_verb(tool, VERB_RELEASE, err);
}

static bool
run_status(struct tool *tool, struct err *err)
{
	struct manager_status_args args = {.after = "0000000000000"};
	struct manager_status_result result;

	if (!manager_status_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_rows; i++)
		printf("%s %s %s real=%" PRId64 " %s\n", result.rows[i].rid, result.rows[i].kind,
		    result.rows[i].state, result.rows[i].real.value,
		    result.rows[i].why ? result.rows[i].why : "");
	return true;
}

static bool
run_orphans(struct tool *tool, struct err *err)
{
	struct manager_orphans_args args = {};
	struct manager_orphans_result result;

	if (!manager_orphans_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_orphans; i++)
		printf("%s\n", result.orphans[i].line);
	return true;
}

static bool
run_counters(struct tool *tool, struct err *err)
{
	struct redirector_counters_args args = {.rid = tool->argv[1]};
	struct redirector_counters_result result;

	if (!redirector_counters_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	printf("tx_frames=%" PRId64 "\ntx_bytes=%" PRId64 "\ntx_oversize=%" PRId64
	       "\ntx_dropped=%" PRId64 "\n",
	    result.tx_frames, result.tx_bytes, result.tx_oversize, result.tx_dropped);
	printf("rx_frames=%" PRId64 "\nrx_bytes=%" PRId64 "\nrx_dropped=%" PRId64
	       "\nqueue_drops=%" PRId64 "\n",
	    result.rx_frames, result.rx_bytes, result.rx_dropped, result.queue_drops);
	return true;
}

static bool
run_doctor(struct tool *tool, struct err *err)
{
	struct redirector_doctor_args args = {};
	struct redirector_doctor_result result;

	if (!redirector_doctor_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_facts; i++)
		printf("%s %s %s\n", result.facts[i].name, result.facts[i].good ? "good" : "bad",
		    result.facts[i].value);
	return true;
}

static bool
run_node(struct tool *tool, struct err *err)
{
	struct programmer_node_status_args args = {.rid = tool->argv[1]};
	struct programmer_node_status_result result;

	if (!programmer_node_status_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	printf("%s ready=%d %s\n", result.state, result.ready, result.accel);
	return true;
}

/* All that is kept of the console; the wait is over at the first output. */
static bool
run_console(struct tool *tool, struct err *err)
{
	struct programmer_console_read_args args = {.rid = tool->argv[1]};
	struct programmer_console_read_result result;

	do {
		if (!programmer_console_read_call(&tool->client, tool->arena, &args, &result, err))
			return false;
		fwrite(result.output.bytes, 1, result.output.size, stdout);
		args.offset = result.offset + (int64_t)result.output.size;
	} while (result.output.size);
	return true;
}

static bool
run_type(struct tool *tool, struct err *err)
{
	struct programmer_console_write_args args = {
	    .rid = tool->argv[1], .input = {tool->argv[2], strlen(tool->argv[2])}};
	struct programmer_console_write_result result;

	return programmer_console_write_call(&tool->client, tool->arena, &args, &result, err);
}

/* The first line is the exit code, then comes the output. */
static bool
run_exec(struct tool *tool, struct err *err)
{
	size_t n = (size_t)tool->argc - 3;
	struct programmer_word *words = arena_alloc(tool->arena, n * sizeof(*words));
	struct programmer_exec_args args = {.rid = tool->argv[1], .argv = words, .n_argv = n};
	struct programmer_exec_result result;
	long long timeout_ms;

	if (!str_to_i64(tool->argv[2], 1, INT64_MAX, &timeout_ms))
		return err_set(err, ERR_USAGE, "TIMEOUT_MS is a number");
	args.timeout_ms = timeout_ms;
	for (size_t i = 0; i < n; i++)
		words[i].word = tool->argv[3 + i];
	if (!programmer_exec_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	printf("exit=%" PRId64 "\n", result.exit);
	fwrite(result.output.bytes, 1, result.output.size, stdout);
	return true;
}

static bool
run_facts(struct tool *tool, struct err *err)
{
	struct programmer_doctor_args args = {};
	struct programmer_doctor_result result;

	if (!programmer_doctor_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	for (size_t i = 0; i < result.n_facts; i++)
		printf("%s %s %s\n", result.facts[i].name, result.facts[i].good ? "good" : "bad",
		    result.facts[i].value);
	return true;
}

static const struct command {
	const char *name;
	int n_words;
	bool (*run)(struct tool *tool, struct err *err);
} commands[] = {
    {"reserve", 4, run_reserve},
    {"commit", 3, run_commit},
    {"release", 2, run_release},
    {"status", 1, run_status},
    {"orphans", 1, run_orphans},
    {"counters", 2, run_counters},
    {"doctor", 1, run_doctor},
    {"node", 2, run_node},
    {"console", 2, run_console},
    {"type", 3, run_type},
    {"exec", 4, run_exec},
    {"facts", 1, run_facts},
};

static const struct command *
command_find(int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, argv[0]) && argc >= commands[i].n_words)
			return &commands[i];
	return NULL;
}

int
main(int argc, char **argv)
{
	const struct command *command = argc > 4 ? command_find(argc - 4, argv + 4) : NULL;
	auto_arena struct arena *arena = arena_new();
	struct tool tool = {.arena = arena, .argc = argc - 4, .argv = argv + 4};
	struct http_client *client;
	struct err err = {0};
	bool is_good;

	if (!command) {
		fprintf(stderr, "usage: managerctl ADDRESS PEER CERTS VERB …: see the source\n");
		return EXIT_CODE_USAGE;
	}
	client = http_client_new(
	    &(struct http_client_config){
		.address = argv[1],
		.name = argv[2],
		.ca_file = arena_format(arena, "%s/ca.crt", argv[3]),
		.cert_file = arena_format(arena, "%s/client.crt", argv[3]),
		.key_file = arena_format(arena, "%s/client.key", argv[3]),
	    },
	    &err);
	tool.client = (struct rpc_client){post, client, DEADLINE_MS + 2000};
	is_good = client && command->run(&tool, &err);
	http_client_free(client);
	if (is_good)
		return EXIT_SUCCESS;
	printf("%s %s\n", err_code_text(err.code), err.text);
	return EXIT_CODE_REFUSED;
}
