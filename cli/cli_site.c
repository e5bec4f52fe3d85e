/*
 * vnode host, event, orphans: the site as NOC staff see it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static int run_hosts(struct cli *cli);
static int run_events(struct cli *cli);
static int run_orphans(struct cli *cli);

const struct cli_verb cli_host_verbs[] = {
    {"host", "list", "", "List VNodes and access gateways with what is free.", "", run_hosts, NULL},
    {"host", "evict", "HOST", "Say that a host is gone for good; its parts of slices are given up.",
	"plan yes no-input", cli_host_evict,
	"  vnode host evict koganei --plan\n  vnode host evict koganei --yes\n"
	"--plan lists the slices that have parts there. Those that run go on without them, "
	"degraded:\n"
	"`vnode slice modify SLICE FILE --restart` with the document they have makes the parts "
	"anew on\n"
	"other hosts. Should the host be back, all that it still holds is released first."},
    {"host", "readmit", "HOST", "Place on an evicted host again, when it is back.", "",
	cli_host_readmit, "Exit code 5 as long as it has not released what it held before."},
    {0},
};

const struct cli_verb cli_event_verbs[] = {
    {"event", "list", "", "What happened, oldest first.", "slice follow", run_events, NULL},
    {0},
};

const struct cli_verb cli_orphans_verbs[] = {
    {"orphans", "", "",
	"What does not agree between books and world; prints nothing when all is well.", "",
	run_orphans, "Exit code 1 when something was found."},
    {0},
};

static int
run_hosts(struct cli *cli)
{
	struct snc_host_list_args args = {};
	struct snc_host_list_result result;
	const struct rpc_client *snc;
	struct cli_table *table;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) ||
	    !snc_host_list_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "host_list", &result);
		return 0;
	}
	table = cli_table_new(
	    8, "HOST", "KIND", "STATE", "CPU FREE", "MEMORY FREE", "ACCEL", "IMAGES", "DAEMONS");
	for (size_t i = 0; i < result.n_hosts; i++) {
		const struct snc_host *host = &result.hosts[i];

		cli_table_row(table, host->name, host->kind, host->state,
		    arena_format(
			cli->arena, "%lld/%lld", (long long)host->cpu_free, (long long)host->cpu),
		    arena_format(cli->arena, "%lld/%lld MiB",
			(long long)host->memory_free_bytes >> 20,
			(long long)host->memory_bytes >> 20),
		    host->accel, host->images, host->daemons);
	}
	cli_table_print(table);
	return 0;
}

static int
run_events(struct cli *cli)
{
	struct snc_events_args args = {.after = -1, .slice = cli->flags.slice};
	const struct rpc_client *snc = NULL;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	do {
		auto_arena struct arena *arena = arena_new();
		struct snc_events_result result;

		if (!snc_events_call(snc, arena, &args, &result, &err))
			return cli_fail(cli, &err, NULL);
		if (cli->flags.json)
			cli_json(&snc_service, "events", &result);
		for (size_t i = 0; i < result.n_events; i++) {
			if (!cli->flags.json)
				cli_print_event(&result.events[i]);
			args.after = result.events[i].seq;
		}
		if (args.after < 0)
			args.after = 0;
		args.wait_ms = 20000;
		fflush(stdout);
	} while (cli->flags.follow);
	return 0;
}

static int
run_orphans(struct cli *cli)
{
	struct snc_orphans_args args = {};
	struct snc_orphans_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) || !snc_orphans_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "orphans", &result);
	else
		for (size_t i = 0; i < result.n_orphans; i++)
			printf("%s: %s\n", result.orphans[i].manager, result.orphans[i].line);
	return result.n_orphans ? err_code_exit(ERR_INTERNAL) : 0;
}
