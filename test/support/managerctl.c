/*
 * A controller for tests, one call at a time: speaks the resource protocol to any manager, as sncd
 * would.
 *
 *     managerctl ADDRESS PEER CERTS reserve RID KIND SPECFILE
 *     managerctl ADDRESS PEER CERTS commit  RID ATTRFILE [REV]
 *     managerctl ADDRESS PEER CERTS release RID
 *     managerctl ADDRESS PEER CERTS status | notes | orphans | doctor
 *     managerctl ADDRESS PEER CERTS counters RID [OVER_MS] | delays | conversions   (redirectord)
 *     managerctl ADDRESS PEER CERTS capture RID [KEY=VALUE…]      to stdout
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
run_notes(struct tool *tool, struct err *err)
{
	struct manager_notes_args args = {0};
	struct manager_notes_result result;

	do {
		if (!manager_notes_call(&tool->client, tool->arena, &args, &result, err))
			return false;
		for (size_t i = 0; i < result.n_notes; i++) {
			printf("%s %s %s\n", result.notes[i].rid, result.notes[i].what,
			    result.notes[i].text);
			args.after = result.notes[i].seq;
		}
	} while (result.n_notes);
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

/* All numbers of the first link end, and two sums of causes. */
static void
print_counts(const struct redirector_counts *counts)
{
	const struct rpc_struct *type = NULL;

	for (size_t i = 0; i < redirector_service.n_methods; i++)
		if (!strcmp(redirector_service.methods[i].name, "counters"))
			type = redirector_service.methods[i].result->fields[0].element;
	for (const struct rpc_field *field = type ? type->fields : NULL; field && field->name;
	     field++) {
		const void *at = (const char *)counts + field->offset;

		if (field->type == RPC_I64)
			printf("%s=%" PRId64 "\n", field->name, *(const int64_t *)at);
	}
	printf("tx_dropped=%" PRId64 "\nrx_dropped=%" PRId64 "\n",
	    counts->tx_policed + counts->tx_closed + counts->tx_unfit + counts->tx_failed,
	    counts->rx_source + counts->rx_closed + counts->rx_malformed);
}

static bool
run_counters(struct tool *tool, struct err *err)
{
	struct redirector_link link = {.rid = tool->argv[1]};
	struct redirector_counters_args args = {.links = &link, .n_links = 1};
	struct redirector_counters_result result;
	long long over_ms = 0;

	if (tool->argc > 2 && !str_to_i64(tool->argv[2], 0, INT64_MAX, &over_ms))
		return err_set(err, ERR_USAGE, "OVER_MS is a number");
	args.over_ms = over_ms;
	if (!redirector_counters_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	if (!result.n_counts)
		return err_set(err, ERR_NOT_FOUND, "there are no counters of this link end");
	print_counts(result.counts);
	return true;
}

static bool
run_delays(struct tool *tool, struct err *err)
{
	struct redirector_delays_args args = {};
	struct redirector_delays_result result;

	if (!redirector_delays_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	printf("clock_error_ns=%" PRId64 "\n", result.clock_error_ns);
	for (size_t i = 0; i < result.n_delays; i++) {
		const struct redirector_delay *delay = &result.delays[i];

		printf("%s received=%" PRId64 " lost=%" PRId64 " min=%" PRId64 " avg=%" PRId64
		       " p50=%" PRId64 " p99=%" PRId64 " max=%" PRId64 " jitter=%" PRId64 "\n",
		    delay->rid, delay->received, delay->lost, delay->min_ns, delay->avg_ns,
		    delay->p50_ns, delay->p99_ns, delay->max_ns, delay->jitter_ns);
	}
	return true;
}

static bool
read_wish(struct tool *tool, struct redirector_capture_start_args *wish, struct err *err)
{
	for (int i = 2; i < tool->argc; i++) {
		char *word = tool->argv[i], *value = strchr(word, '=');
		long long number = 0;
		bool is_number = value && str_to_i64(value + 1, INT64_MIN, INT64_MAX, &number);

		if (!value)
			return err_set(err, ERR_USAGE, "'%s': KEY=VALUE was expected", word);
		if (!strncmp(word, "filter=", 7))
			wish->filter = value + 1;
		else if (!strncmp(word, "by=", 3))
			wish->by = value + 1;
		else if (!strncmp(word, "device=", 7))
			wish->device = value + 1;
		else if (!strncmp(word, "snaplen=", 8) && is_number)
			wish->snaplen = number;
		else if (!strncmp(word, "frames=", 7) && is_number)
			wish->frames = number;
		else if (!strncmp(word, "bytes=", 6) && is_number)
			wish->bytes = number;
		else if (!strncmp(word, "ms=", 3) && is_number)
			wish->ms = number;
		else
			return err_set(err, ERR_USAGE, "'%s' is not understood", word);
	}
	return true;
}

/* The whole stream to stdout, as it comes; then why it ended to stderr. */
static bool
run_capture(struct tool *tool, struct err *err)
{
	struct redirector_capture_start_args wish = {
	    .rid = tool->argv[1], .name = "n.p", .comment = "", .filter = ""};
	struct redirector_capture_start_result started;
	struct redirector_capture_read_args args = {.rid = tool->argv[1], .wait_ms = 2000};
	struct redirector_capture_read_result result = {0};
	struct redirector_capture_stop_result stopped;

	if (!read_wish(tool, &wish, err) ||
	    !redirector_capture_start_call(&tool->client, tool->arena, &wish, &started, err))
		return false;
	fwrite(started.head.bytes, 1, started.head.size, stdout);
	fflush(stdout);
	args.capture = started.capture;
	while (!result.ended) {
		if (!redirector_capture_read_call(&tool->client, tool->arena, &args, &result, err))
			return false;
		fwrite(result.bytes.bytes, 1, result.bytes.size, stdout);
		fflush(stdout);
		args.cursor = result.cursor;
	}
	fprintf(stderr, "%s: %" PRId64 " seen, %" PRId64 " dropped\n", result.why, result.seen,
	    result.dropped);
	return redirector_capture_stop_call(&tool->client, tool->arena,
	    &(struct redirector_capture_stop_args){args.rid, args.capture}, &stopped, err);
}

static bool
run_conversions(struct tool *tool, struct err *err)
{
	struct redirector_conversions_args args = {};
	struct redirector_conversions_result result;

	if (!redirector_conversions_call(&tool->client, tool->arena, &args, &result, err))
		return false;
	printf("unknown_isid=%" PRId64 "\nunknown_vlan=%" PRId64 "\nmalformed=%" PRId64 "\n",
	    result.unknown_isid, result.unknown_vlan, result.malformed);
	for (size_t i = 0; i < result.n_conversions; i++) {
		const struct redirector_conversion *at = &result.conversions[i];

		printf("%s %s isid=%" PRId64 " b_vid=%" PRId64 " %s vlan=%" PRId64, at->rid,
		    at->backbone, at->isid, at->b_vid, at->customer, at->vlan);
		printf(" to_frames=%" PRId64 " to_bytes=%" PRId64 " to_drops=%" PRId64,
		    at->to_frames, at->to_bytes, at->to_drops);
		printf(" from_frames=%" PRId64 " from_bytes=%" PRId64 " from_drops=%" PRId64 "\n",
		    at->from_frames, at->from_bytes, at->from_drops);
	}
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
    {"notes", 1, run_notes},
    {"orphans", 1, run_orphans},
    {"counters", 2, run_counters},
    {"delays", 1, run_delays},
    {"capture", 2, run_capture},
    {"conversions", 1, run_conversions},
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
