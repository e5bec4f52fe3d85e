/*
 * vnode node …
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/clock.h"

enum { ESCAPE = 0x1d /* Ctrl-] */ };

static int run_list(struct cli *cli);
static int run_console(struct cli *cli);
static int run_exec(struct cli *cli);

const struct cli_verb cli_node_verbs[] = {
    {"node", "list", "", "List nodes and where they are.", "slice", run_list, NULL},
    {"node", "console", "SLICE/NODE", "The node's console.", "read send expect timeout",
	run_console,
	"On a terminal: everything typed goes to the node, Ctrl-] leaves.\n"
	"--expect fails with exit code 7 when the text does not come within --timeout (10s by\n"
	"default).\n"
	"  vnode node console ring/n1 --read\n"
	"  vnode node console ring/n1 --send 'ip -br addr' --expect 10.0.0.1 --timeout 10s"},
    {"node", "exec", "SLICE/NODE -- COMMAND…", "Run a command inside a container.", "timeout",
	run_exec,
	"  vnode node exec ring/n1 -- ping -c 3 10.0.1.2\n"
	"  vnode node exec ring/n1 -- sh -c 'ip -br addr; ip route'\n"
	"Prints the output when the command has ended, or is killed after --timeout (60s by\n"
	"default); the exit code is the command's. A virtual machine has only its console."},
    {0},
};

static int
run_list(struct cli *cli)
{
	struct snc_node_list_args args = {.slice = cli->flags.slice};
	struct snc_node_list_result result;
	const struct rpc_client *snc;
	struct cli_table *table;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) ||
	    !snc_node_list_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "node_list", &result);
		return 0;
	}
	table = cli_table_new(7, "NODE", "KIND", "IMAGE", "HOST", "STATE", "CPU", "MEMORY");
	for (size_t i = 0; i < result.n_nodes; i++) {
		const struct snc_node *node = &result.nodes[i];

		cli_table_row(table, arena_format(cli->arena, "%s/%s", node->slice, node->name),
		    node->kind, node->image, node->host,
		    arena_format(cli->arena, "%s%s", node->state, node->ready ? ", ready" : ""),
		    arena_format(cli->arena, "%lld", (long long)node->cpu),
		    arena_format(cli->arena, "%lld MiB", (long long)node->memory_bytes >> 20));
	}
	cli_table_print(table);
	return 0;
}

/* One console: where we are in its output. */
struct console {
	struct cli *cli;
	const struct rpc_client *snc;
	const char *slice, *node;
	int64_t offset;
	struct str seen; /* for --expect */
	bool is_quiet;   /* what came before the line was typed */
};

static bool
console_read(struct console *console, int64_t wait_ms, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct snc_console_read_args args = {
	    console->slice, console->node, console->offset, wait_ms};
	struct snc_console_read_result result;

	if (!snc_console_read_call(console->snc, arena, &args, &result, err))
		return false;
	console->offset = result.offset + (int64_t)result.output.size;
	if (console->is_quiet)
		return true;
	str_add_bytes(&console->seen, result.output.bytes, result.output.size);
	fwrite(result.output.bytes, 1, result.output.size, stdout);
	fflush(stdout);
	return true;
}

static bool
console_write(struct console *console, const void *bytes, size_t size, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct snc_console_write_args args = {console->slice, console->node, {bytes, size}};
	struct snc_console_write_result result;

	return snc_console_write_call(console->snc, arena, &args, &result, err);
}

/* Types a line, then reads until the expected text has come or time is up. */
static bool
converse(struct console *console, struct err *err)
{
	const struct cli_flags *flags = &console->cli->flags;
	int64_t limit_ms, end_ms;

	if (!cli_timeout(console->cli, 10000, &limit_ms, err))
		return false;
	end_ms = clock_boot_ms(&clock_real) + limit_ms;
	if (flags->send) {
		const char *line = arena_format(console->cli->arena, "%s\n", flags->send);

		if (!console_write(console, line, strlen(line), err))
			return false;
	}
	console->is_quiet = false;
	while (flags->expect && !memmem(str_text(&console->seen), console->seen.len, flags->expect,
				    strlen(flags->expect))) {
		int64_t left_ms = end_ms - clock_boot_ms(&clock_real);

		if (left_ms <= 0)
			return err_set(err, ERR_TIMEOUT, "'%s' did not come within %lld s",
			    flags->expect, (long long)limit_ms / 1000);
		if (!console_read(console, left_ms < 1000 ? left_ms : 1000, err))
			return false;
	}
	return true;
}

/* Raw terminal to console and back until Ctrl-]. */
static bool
interact(struct console *console, struct err *err)
{
	struct termios before, raw;
	bool good = true, is_leaving = false;

	tcgetattr(STDIN_FILENO, &before);
	raw = before;
	cfmakeraw(&raw);
	fprintf(stderr, "console of %s/%s; Ctrl-] leaves\n", console->slice, console->node);
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	while (good && !is_leaving) {
		struct pollfd input = {STDIN_FILENO, POLLIN, 0};
		char typed[512] = "";
		ssize_t size = 0;

		if (poll(&input, 1, 0) > 0)
			size = read(STDIN_FILENO, typed, sizeof(typed));
		is_leaving = size < 0 || memchr(typed, ESCAPE, (size_t)size);
		if (size > 0 && !is_leaving)
			good = console_write(console, typed, (size_t)size, err);
		str_clear(&console->seen);
		good = good && console_read(console, 100, err);
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	fputc('\n', stderr);
	return good;
}

static int
run_console(struct cli *cli)
{
	struct console console = {.cli = cli, .offset = -1};
	const char *word;
	struct err err = {0};
	bool good;

	if (!cli_word(cli, "SLICE/NODE", &word, &err) ||
	    !cli_split(cli, word, &console.slice, &console.node, &err) ||
	    !(console.snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	console.is_quiet = cli->flags.send != NULL;
	good = console_read(&console, 0, &err);
	if (cli->flags.send || cli->flags.expect)
		good = good && converse(&console, &err);
	else if (!cli->flags.read && isatty(STDIN_FILENO))
		good = good && interact(&console, &err);
	str_done(&console.seen);
	return good ? 0 : cli_fail(cli, &err, NULL);
}

static int
run_exec(struct cli *cli)
{
	struct snc_exec_args args = {0};
	struct snc_exec_result result;
	struct snc_word *argv;
	const struct rpc_client *snc;
	struct rpc_client patient;
	const char *word;
	struct err err = {0};

	if (!cli_word(cli, "SLICE/NODE -- COMMAND", &word, &err) ||
	    !cli_split(cli, word, &args.slice, &args.node, &err) ||
	    !cli_timeout(cli, 60000, &args.timeout_ms, &err))
		return cli_fail(cli, &err, NULL);
	if (!cli->n_rest) {
		err_set(&err, ERR_USAGE, "a command is wanted behind --");
		err_hint(&err, "vnode node exec %s -- ip -br addr", word);
		return cli_fail(cli, &err, NULL);
	}
	if (!(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	argv = arena_alloc(cli->arena, cli->n_rest * sizeof(*argv));
	for (size_t i = 0; i < cli->n_rest; i++)
		argv[i].word = cli->rest[i];
	args.argv = argv;
	args.n_argv = cli->n_rest;
	patient = *snc;
	patient.timeout_ms = (int)args.timeout_ms + 10000;
	if (!snc_exec_call(&patient, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "exec", &result);
		return (int)result.exit;
	}
	fwrite(result.output.bytes, 1, result.output.size, stdout);
	return (int)result.exit;
}
