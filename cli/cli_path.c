/*
 * vnode path …: transport paths, and where one could run.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/when.h"
#include "lib/model/units.h"

static int run_list(struct cli *cli);
static int run_show(struct cli *cli);
static int run_candidates(struct cli *cli);

const struct cli_verb cli_path_verbs[] = {
    {"path", "list", "", "List transport paths, their routers and what uses them.", "", run_list,
	NULL},
    {"path", "show", "PATH", "One transport path with its links and addresses.", "", run_show,
	NULL},
    {"path", "candidates", "A B", "Ways that a path from A to B could take. Books nothing.",
	"rate k disjoint metric latency hops from until", run_candidates,
	"  vnode path candidates koganei osaka --rate 200Mbps --k 5\n"
	"  vnode path candidates koganei osaka --rate 1Gbps --disjoint risk --latency 20ms\n"
	"  vnode path candidates r1 nagoya:u0 --rate 50Mbps --from 2026-11-22T08:00Z --until "
	"2026-11-22T10:00Z\n"
	"A and B are hosts (any of their ports), HOST:PORT or routers. RATE is that of the wire, "
	"both ways. With\n"
	"--from and --until a link counts as free as it is at its worst instant in between, links "
	"under maintenance\n"
	"are out; without --until it is the instant --from, without both it is now. What two ways "
	"of --disjoint node\n"
	"have not in common are links and routers, of risk also groups of what fails together. "
	"--metric load is cost\n"
	"that grows to 32 times as much as a link fills up: it leaves the most room to others. "
	"When there is no way,\n"
	"the exit code is 6, and what would do is said: each of it has been tried."},
    {0},
};

static const char *
rate(struct cli *cli, int64_t bps)
{
	return arena_format(cli->arena, "%.6g Mbps", (double)bps / 1e6);
}

static const char *
milliseconds(struct cli *cli, int64_t us)
{
	return arena_format(cli->arena, "%.6g ms", (double)us / 1e3);
}

static int
run_list(struct cli *cli)
{
	struct tnc_path_list_args args = {0};
	struct tnc_path_list_result result;
	const struct rpc_client *tnc;
	struct cli_table *table;
	struct err err = {0};

	if (!(tnc = cli_tnc(cli, &err)) ||
	    !tnc_path_list_call(tnc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&tnc_service, "path_list", &result);
		return 0;
	}
	table = cli_table_new(
	    9, "PATH", "STATE", "A", "B", "ROUTERS", "LATENCY", "A TO B", "B TO A", "LINKS");
	for (size_t i = 0; i < result.n_paths; i++) {
		const struct tnc_path *path = &result.paths[i];

		cli_table_row(table, path->name, path->state, path->a, path->b, path->hops,
		    milliseconds(cli, path->latency_us), rate(cli, path->rate_ab_bps),
		    rate(cli, path->rate_ba_bps),
		    arena_format(cli->arena, "%lld", (long long)path->n_shares));
	}
	cli_table_print(table);
	return 0;
}

static int
run_show(struct cli *cli)
{
	struct tnc_path_list_args args = {0};
	struct tnc_path_list_result result;
	const struct rpc_client *tnc;
	const struct tnc_path *path;
	struct err err = {0};

	if (!cli_word(cli, "PATH", &args.name, &err) || !(tnc = cli_tnc(cli, &err)) ||
	    !tnc_path_list_call(tnc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&tnc_service, "path_list", &result);
		return 0;
	}
	path = &result.paths[0];
	printf("path      %s  %s\n", path->name, path->state);
	printf("a         %s  %s\n", path->a, path->address_a);
	printf("b         %s  %s\n", path->b, path->address_b);
	printf("routers   %s\n", path->hops);
	printf("links     %s\n", path->links);
	printf("latency   %s\n", milliseconds(cli, path->latency_us));
	printf("reserved  %s to b, %s to a, of %lld virtual links\n", rate(cli, path->rate_ab_bps),
	    rate(cli, path->rate_ba_bps), (long long)path->n_shares);
	return 0;
}

/* ---- candidates ------------------------------------------------------------------------------ */

static bool
misused(struct err *err, const char *flag)
{
	err->code = ERR_USAGE;
	return err_in(err, "--%s", flag);
}

static bool
read_count(const char *flag, const char *text, struct rpc_opt_i64 *count, struct err *err)
{
	count->is_set = text != NULL;
	return !text || unit_count(text, &count->value, err) || misused(err, flag);
}

static bool
read_args(struct cli *cli, struct tnc_path_candidates_args *args, struct err *err)
{
	const struct cli_flags *flags = &cli->flags;

	if (cli->n_words != 2 || !flags->rate) {
		err_set(err, ERR_USAGE, "A, B and --rate are wanted");
		return err_hint(err, "vnode path candidates --help");
	}
	*args = (struct tnc_path_candidates_args){.a = cli->words[0],
	    .b = cli->words[1],
	    .disjoint = flags->disjoint,
	    .metric = flags->metric,
	    .latency_us = {.is_set = flags->latency != NULL}};
	if (!unit_rate(flags->rate, &args->rate_bps, err))
		return misused(err, "rate");
	if (flags->latency && !unit_time(flags->latency, &args->latency_us.value, err))
		return misused(err, "latency");
	return read_count("k", flags->k, &args->k, err) &&
	       read_count("hops", flags->hops, &args->hops, err) &&
	       cli_instant("from", flags->from, &args->from_ms, err) &&
	       cli_instant("until", flags->until, &args->until_ms, err);
}

static void
show_ways(struct cli *cli, const struct tnc_path_candidates_result *result)
{
	struct cli_table *table =
	    cli_table_new(6, "ROUTERS", "LINKS", "LATENCY", "COST", "FREE", "RISKS");

	for (size_t i = 0; i < result->n_ways; i++) {
		const struct tnc_way *way = &result->ways[i];

		cli_table_row(table, way->hops, way->links, milliseconds(cli, way->latency_us),
		    arena_format(cli->arena, "%lld", (long long)way->cost),
		    rate(cli, way->free_bps), way->risks);
	}
	cli_table_print(table);
	if (!result->proven)
		fprintf(stderr, "the search was given up: there may be better ones\n");
}

static void
show_hindrance(const struct tnc_hindrance *hindrance)
{
	fprintf(stderr, "  %s ", hindrance->subject);
	if (hindrance->lacks_bps)
		fprintf(stderr, "lacks %s", rate_text(hindrance->lacks_bps).text);
	else if (!strcmp(hindrance->why, "needed"))
		fprintf(stderr, "is one that every way leads over");
	else
		fprintf(stderr, "is %s%s", !strcmp(hindrance->why, "down") ? "" : "under ",
		    hindrance->why);
	if (hindrance->until_ms.is_set)
		fprintf(stderr, " until %s", when_text(hindrance->until_ms.value).text);
	fputc('\n', stderr);
}

static int
fail_candidates(const struct tnc_path_candidates_result *result)
{
	fprintf(stderr, "error: %s%s [%s]\n", result->why,
	    result->proven ? "" : " (the search was given up)", err_code_text(ERR_R03));
	for (size_t i = 0; i < result->n_hindrances; i++)
		show_hindrance(&result->hindrances[i]);
	for (size_t i = 0; i < result->n_remedies; i++) {
		const struct tnc_remedy *remedy = &result->remedies[i];

		if (strcmp(remedy->value, "none") != 0)
			fprintf(stderr, "  try: --%s %s\n", remedy->change, remedy->value);
		else
			fprintf(stderr, "  try: without --%s\n", remedy->change);
	}
	return err_code_exit(ERR_R03);
}

static int
run_candidates(struct cli *cli)
{
	struct tnc_path_candidates_args args;
	struct tnc_path_candidates_result result;
	const struct rpc_client *tnc;
	struct err err = {0};

	if (!read_args(cli, &args, &err) || !(tnc = cli_tnc(cli, &err)) ||
	    !tnc_path_candidates_call(tnc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&tnc_service, "path_candidates", &result);
	if (!result.n_ways)
		return cli->flags.json ? err_code_exit(ERR_R03) : fail_candidates(&result);
	if (!cli->flags.json)
		show_ways(cli, &result);
	return 0;
}
