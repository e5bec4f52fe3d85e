/*
 * vnode host, event, orphans: the site as NOC staff see it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static int run_hosts(struct cli *cli);
static int run_host(struct cli *cli);
static int run_events(struct cli *cli);
static int run_orphans(struct cli *cli);

const struct cli_verb cli_host_verbs[] = {
    {"host", "list", "", "List VNodes and access gateways with what is free.", "", run_hosts, NULL},
    {"host", "show", "HOST", "Show one host, and when it is in maintenance.", "", run_host, NULL},
    {"host", "drain", "HOST", "Place nothing new on a host for a time; what is there stays.",
	"from until reason plan", cli_host_drain,
	"  vnode host drain koganei --until +2h --reason \"new switch\"\n"
	"  vnode host drain koganei --from 2026-11-22T22:00Z --until 2026-11-23T02:00Z\n"
	"Without --from it begins at once, without --until it lasts until `vnode host undrain`. No "
	"slice\n"
	"is placed there that would hold something within that time. Lists the slices that have "
	"parts\n"
	"there then; --plan does nothing else. `vnode slice optimise --nodes` moves nodes off."},
    {"host", "undrain", "HOST", "Place on a host again before its maintenance is over.", "",
	cli_host_undrain, NULL},
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
    {"host", "retry", "HOST", "Try again what daemons of a host have died of and set aside.", "",
	cli_host_retry,
	"Prints how many parts of slices there were. A daemon sets aside what has killed it three "
	"times; a\n"
	"new version of it, and a host that was booted, try again by themselves. With the host of "
	"tncd goes\n"
	"all that is central: sncd, tncd and the routers."},
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

static const char *
cpu_of(struct cli *cli, const struct snc_host *host)
{
	return arena_format(
	    cli->arena, "%lld/%lld", (long long)host->cpu_free, (long long)host->cpu);
}

static const char *
memory_of(struct cli *cli, const struct snc_host *host)
{
	return arena_format(cli->arena, "%lld/%lld MiB", (long long)host->memory_free_bytes >> 20,
	    (long long)host->memory_bytes >> 20);
}

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
	table = cli_table_new(9, "HOST", "KIND", "STATE", "CPU FREE", "MEMORY FREE", "ACCEL",
	    "IMAGES", "DAEMONS", "MAINTENANCE");
	for (size_t i = 0; i < result.n_hosts; i++) {
		const struct snc_host *host = &result.hosts[i];

		cli_table_row(table, host->name, host->kind, host->state, cpu_of(cli, host),
		    memory_of(cli, host), host->accel, host->images, host->daemons,
		    host->maintenance);
	}
	cli_table_print(table);
	return 0;
}

static int
run_host(struct cli *cli)
{
	struct snc_host_list_result result, one = {0};
	const struct rpc_client *snc;
	const struct snc_host *host;
	const char *name;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &name, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_host_list_call(snc, cli->arena, &(struct snc_host_list_args){}, &result, &err))
		return cli_fail(cli, &err, NULL);
	for (size_t i = 0; i < result.n_hosts; i++)
		if (!strcmp(result.hosts[i].name, name))
			one = (struct snc_host_list_result){&result.hosts[i], 1};
	if (!one.n_hosts) {
		err_set(&err, ERR_NOT_FOUND, "there is no host '%s'", name);
		err_hint(&err, "`vnode host list` shows the hosts");
		return cli_fail(cli, &err, NULL);
	}
	if (cli->flags.json) {
		cli_json(&snc_service, "host_list", &one);
		return 0;
	}
	host = one.hosts;
	printf("%s: %s, %s\n", host->name, host->kind, host->state);
	printf("  daemons      %s\n", host->daemons);
	printf("  cpu free     %s\n", cpu_of(cli, host));
	printf("  memory free  %s\n", memory_of(cli, host));
	printf("  accel        %s\n", host->accel);
	printf("  images       %s\n", host->images);
	printf("  maintenance  %s\n", host->maintenance[0] ? host->maintenance : "none");
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
