/*
 * vnode link …
 */
#include <stdio.h>

#include "cli/cli.h"

static int run_list(struct cli *cli);
static int run_show(struct cli *cli);

const struct cli_verb cli_link_verbs[] = {
    {"link", "list", "", "List virtual links with their rates and paths.", "slice", run_list, NULL},
    {"link", "show", "SLICE/LINK", "Counters of a link's two ends.", "", run_show, NULL},
    {0},
};

static const char *
rate(struct cli *cli, int64_t bps)
{
	return arena_format(cli->arena, "%.6g Mbps", (double)bps / 1e6);
}

static const char *
number(struct cli *cli, int64_t value)
{
	return arena_format(cli->arena, "%lld", (long long)value);
}

static int
run_list(struct cli *cli)
{
	struct snc_link_list_args args = {.slice = cli->flags.slice};
	struct snc_link_list_result result;
	const struct rpc_client *snc;
	struct cli_table *table;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) ||
	    !snc_link_list_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "link_list", &result);
		return 0;
	}
	table =
	    cli_table_new(8, "LINK", "A", "B", "GUARANTEED", "CEILING", "LATENCY", "STATE", "PATH");
	for (size_t i = 0; i < result.n_links; i++) {
		const struct snc_link *link = &result.links[i];

		cli_table_row(table, arena_format(cli->arena, "%s/%s", link->slice, link->name),
		    link->a, link->b, rate(cli, link->rate_ab_bps), rate(cli, link->ceiling_bps),
		    arena_format(cli->arena, "%.6g ms", (double)link->latency_us / 1e3),
		    link->state, link->path);
	}
	cli_table_print(table);
	return 0;
}

static int
run_show(struct cli *cli)
{
	struct snc_link_counters_args args;
	struct snc_link_counters_result result;
	const struct rpc_client *snc;
	const char *word;
	struct cli_table *table;
	struct err err = {0};

	if (!cli_word(cli, "SLICE/LINK", &word, &err) ||
	    !cli_split(cli, word, &args.slice, &args.link, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_link_counters_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "link_counters", &result);
		return 0;
	}
	table = cli_table_new(9, "END", "SENT", "BYTES", "OVERSIZE", "DROPPED", "RECEIVED", "BYTES",
	    "DROPPED", "OVER CEILING");
	for (size_t i = 0; i < result.n_ends; i++) {
		const struct snc_end_counters *end = &result.ends[i];

		cli_table_row(table, end->node, number(cli, end->tx_frames),
		    number(cli, end->tx_bytes), number(cli, end->tx_oversize),
		    number(cli, end->tx_dropped), number(cli, end->rx_frames),
		    number(cli, end->rx_bytes), number(cli, end->rx_dropped),
		    number(cli, end->queue_drops));
	}
	cli_table_print(table);
	return 0;
}
