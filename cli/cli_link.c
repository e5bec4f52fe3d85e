/*
 * vnode link …
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/model/units.h"

enum { RATES_OVER_MS = 1000, REAL_WITHIN_MS = 10000 };

static int run_list(struct cli *cli);
static int run_show(struct cli *cli);
static int run_delays(struct cli *cli);
static int run_set(struct cli *cli);

const struct cli_verb cli_link_verbs[] = {
    {"link", "list", "", "List virtual links with their rates and paths.", "slice", run_list, NULL},
    {"link", "show", "SLICE/LINK", "What a link is, what it carries and drops, and how fast.", "",
	run_show, NULL},
    {"link", "top", "", "Links by what they carry, again every second.", "slice once", cli_link_top,
	"  vnode link top --slice ring\n"
	"  vnode link top --once --json"},
    {"link", "set", "SLICE/LINK", "Change a link while it runs, without loss.",
	"rate rate-up rate-down max burst isolation priority timeout", run_set,
	"A guarantee can be lowered and raised again up to what the slice has reserved; a ceiling "
	"that\nwas the same follows it. The document stays as it is.\n\n"
	"  vnode link set ring/l1 --rate 50Mbps\n"
	"  vnode link set ring/l1 --rate 50Mbps --max 200Mbps --priority 5\n"
	"  vnode link set ring/l1 --isolation besteffort"},
    {"link", "delays", "", "One-way delay, jitter and loss of links of type TimestampLink.",
	"slice", run_delays, NULL},
    {"link", "capture", "SLICE/LINK", "Copy the frames of a link into a pcapng file or stream.",
	"output end filter snaplen count for device", cli_link_capture,
	"Frames are those that the node at one end sends and receives. It ends after 60 s, --for, "
	"--count\nor 64 MiB. A filter is words joined by 'and': ether TYPE, arp, ip, ip6, icmp, "
	"icmp6, tcp, udp,\nhost ADDRESS, port N, sent, received.\n\n"
	"  vnode link capture ring/l1 -o l1.pcapng --filter 'host 10.0.0.1 and udp' --for 10s\n"
	"  vnode link capture ring/l1 --end bob --count 20 | tshark -r -"},
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

const char *
cli_link_b(struct cli *cli, const struct snc_link *link)
{
	return link->b[0] ? link->b : arena_format(cli->arena, "… %zu ends", link->n_ends);
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
		    link->a, cli_link_b(cli, link), rate(cli, link->rate_ab_bps),
		    rate(cli, link->ceiling_bps),
		    arena_format(cli->arena, "%.6g ms", (double)link->latency_us / 1e3),
		    link->state, link->path);
	}
	cli_table_print(table);
	return 0;
}

/* ---- show -------------------------------------------------------------------------------------
 */

static void
print_end(const char *name, const char *host)
{
	printf("  %-12s %s%s%s\n", "end", name, host[0] ? " on " : "", host);
}

static void
print_link(const struct snc_link *link)
{
	printf("link %s/%s\n", link->slice, link->name);
	print_end(link->a, link->host_a);
	print_end(link->b, link->host_b);
	printf("  %-12s %s\n", "state", link->state);
	printf("  %-12s %s, mtu %lld, key %lld\n", "type", link->type[0] ? link->type : "-",
	    (long long)link->mtu, (long long)link->key);
	printf("  %-12s %s, %.6g ms\n", "path", link->path[0] ? link->path : "-",
	    (double)link->latency_us / 1e3);
	printf("  %-12s %s, priority %lld, burst %s\n\n", "isolation", link->isolation,
	    (long long)link->priority,
	    link->burst_bytes ? size_text(link->burst_bytes).text : "chosen by the host");
}

static void
print_rates(struct cli *cli, const struct snc_link_show_result *result)
{
	const struct snc_link *link = &result->links[0];
	struct cli_table *table = cli_table_new(
	    7, "FROM", "GUARANTEED", "CEILING", "RESERVED", "NOW", "FRAMES/S", "WAITING");

	for (size_t i = 0; i < result->n_ends; i++) {
		const struct snc_end_counters *end = &result->ends[i];
		bool is_b = i > 0;

		cli_table_row(table, end->node,
		    rate(cli, is_b ? link->rate_ba_bps : link->rate_ab_bps),
		    rate(cli, is_b ? link->ceiling_ba_bps : link->ceiling_ab_bps),
		    rate(cli, is_b ? link->reserved_ba_bps : link->reserved_ab_bps),
		    rate(cli, end->tx_bps), number(cli, end->tx_fps),
		    arena_format(cli->arena, "%lld B", (long long)end->queue_bytes));
	}
	cli_table_print(table);
}

/* One cause a row, one end a column. */
static void
print_counters(struct cli *cli, const struct snc_link_show_result *result)
{
	static const struct {
		const char *words;
		size_t offset;
	} lines[] = {
	    {"frames sent", offsetof(struct snc_end_counters, tx_frames)},
	    {"bytes sent", offsetof(struct snc_end_counters, tx_bytes)},
	    {"frames received", offsetof(struct snc_end_counters, rx_frames)},
	    {"bytes received", offsetof(struct snc_end_counters, rx_bytes)},
	    {"dropped: queue full", offsetof(struct snc_end_counters, queue_drops)},
	    {"dropped: over the ceiling", offsetof(struct snc_end_counters, tx_policed)},
	    {"dropped: larger than the mtu", offsetof(struct snc_end_counters, tx_oversize)},
	    {"dropped: sent while closed", offsetof(struct snc_end_counters, tx_closed)},
	    {"dropped: not for this type", offsetof(struct snc_end_counters, tx_unfit)},
	    {"dropped: no memory", offsetof(struct snc_end_counters, tx_failed)},
	    {"dropped: from elsewhere", offsetof(struct snc_end_counters, rx_source)},
	    {"dropped: arrived while closed", offsetof(struct snc_end_counters, rx_closed)},
	    {"dropped: malformed", offsetof(struct snc_end_counters, rx_malformed)},
	};
	const struct snc_end_counters *a = &result->ends[0], *b = &result->ends[result->n_ends - 1];
	struct cli_table *table = cli_table_new(3, "COUNTED AT", a->node, b->node);

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		cli_table_row(table, lines[i].words,
		    number(
			cli, *(const int64_t *)(const void *)((const char *)a + lines[i].offset)),
		    number(
			cli, *(const int64_t *)(const void *)((const char *)b + lines[i].offset)));
	puts("");
	cli_table_print(table);
}

static int
run_show(struct cli *cli)
{
	struct snc_link_show_args args = {.over_ms = RATES_OVER_MS};
	struct snc_link_show_result result;
	const struct rpc_client *snc;
	const char *word;
	struct err err = {0};

	if (!cli_word(cli, "SLICE/LINK", &word, &err) ||
	    !cli_split(cli, word, &args.slice, &args.link, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_link_show_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "link_show", &result);
		return 0;
	}
	print_link(&result.links[0]);
	if (result.n_ends) {
		print_rates(cli, &result);
		print_counters(cli, &result);
	}
	return 0;
}

static const char *
micros(struct cli *cli, int64_t ns)
{
	return arena_format(cli->arena, "%.1f us", (double)ns / 1e3);
}

static int
run_delays(struct cli *cli)
{
	struct snc_delays_args args = {.slice = cli->flags.slice};
	struct snc_delays_result result;
	const struct rpc_client *snc;
	struct cli_table *table;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) || !snc_delays_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "delays", &result);
		return 0;
	}
	table = cli_table_new(11, "LINK", "AT", "FROM", "TO", "MIN", "MEDIAN", "99 %", "MAX",
	    "JITTER", "LOST", "CLOCKS");
	for (size_t i = 0; i < result.n_delays; i++) {
		const struct snc_delay *delay = &result.delays[i];
		int64_t sent = delay->lost + delay->received;

		cli_table_row(table, arena_format(cli->arena, "%s/%s", delay->slice, delay->link),
		    delay->node, delay->from_host, delay->to_host, micros(cli, delay->min_ns),
		    micros(cli, delay->p50_ns), micros(cli, delay->p99_ns),
		    micros(cli, delay->max_ns), micros(cli, delay->jitter_ns),
		    arena_format(
			cli->arena, "%lld of %lld", (long long)delay->lost, (long long)sent),
		    delay->clock_error_ns < 0
			? "not held"
			: arena_format(cli->arena, "+-%s", micros(cli, delay->clock_error_ns)));
	}
	cli_table_print(table);
	return 0;
}

/* ---- set --------------------------------------------------------------------------------------
 */

typedef bool unit_reader(const char *text, int64_t *value, struct err *err);

static bool
read_flag(
    const char *flag, const char *text, unit_reader *read, struct rpc_opt_i64 *to, struct err *err)
{
	if (!text)
		return true;
	to->is_set = true;
	if (read(text, &to->value, err))
		return true;
	err->code = ERR_USAGE;
	return err_in(err, "--%s", flag);
}

static bool
read_priority(const char *text, int64_t *value, struct err *err)
{
	long long read;

	if (!str_to_i64(text, 0, 7, &read))
		return err_set(err, ERR_USAGE, "'%s' is no number from 0 to 7", text);
	*value = read;
	return true;
}

static bool
read_change(const struct cli_flags *flags, struct snc_link_set_args *args, struct err *err)
{
	args->isolation = flags->isolation;
	return read_flag("rate", flags->rate, unit_rate, &args->rate_ab_bps, err) &&
	       read_flag("rate", flags->rate, unit_rate, &args->rate_ba_bps, err) &&
	       read_flag("rate-up", flags->rate_up, unit_rate, &args->rate_ab_bps, err) &&
	       read_flag("rate-down", flags->rate_down, unit_rate, &args->rate_ba_bps, err) &&
	       read_flag("max", flags->max, unit_rate, &args->ceiling_ab_bps, err) &&
	       read_flag("max", flags->max, unit_rate, &args->ceiling_ba_bps, err) &&
	       read_flag("burst", flags->burst, unit_size, &args->burst_bytes, err) &&
	       read_flag("priority", flags->priority, read_priority, &args->priority, err);
}

static bool
is_nothing(const struct cli_flags *flags)
{
	return !flags->rate && !flags->rate_up && !flags->rate_down && !flags->max &&
	       !flags->burst && !flags->isolation && !flags->priority;
}

static void
print_change(const char *what, const char *before, const char *after)
{
	if (strcmp(before, after) != 0)
		printf("  %-16s %s, was %s\n", what, after, before);
}

static void
print_changes(struct cli *cli, const struct snc_link *before, const struct snc_link *after)
{
	printf("link %s/%s\n", after->slice, after->name);
	print_change(
	    "guaranteed up", rate(cli, before->rate_ab_bps), rate(cli, after->rate_ab_bps));
	print_change(
	    "guaranteed down", rate(cli, before->rate_ba_bps), rate(cli, after->rate_ba_bps));
	print_change(
	    "ceiling up", rate(cli, before->ceiling_ab_bps), rate(cli, after->ceiling_ab_bps));
	print_change(
	    "ceiling down", rate(cli, before->ceiling_ba_bps), rate(cli, after->ceiling_ba_bps));
	print_change("isolation", before->isolation, after->isolation);
	print_change("priority", number(cli, before->priority), number(cli, after->priority));
	print_change("burst", number(cli, before->burst_bytes), number(cli, after->burst_bytes));
}

static int
run_set(struct cli *cli)
{
	struct snc_link_set_args args = {0};
	struct snc_link_set_result result;
	const struct rpc_client *snc;
	const char *word;
	struct err err = {0};

	if (!cli_word(cli, "SLICE/LINK", &word, &err) ||
	    !cli_split(cli, word, &args.slice, &args.link, &err) ||
	    !read_change(&cli->flags, &args, &err) ||
	    !cli_timeout(cli, REAL_WITHIN_MS, &args.wait_ms, &err))
		return cli_fail(cli, &err, NULL);
	if (is_nothing(&cli->flags)) {
		err_set(&err, ERR_USAGE, "nothing is to be changed");
		err_hint(&err, "vnode link set --help");
		return cli_fail(cli, &err, NULL);
	}
	if (!(snc = cli_snc(cli, &err)) ||
	    !snc_link_set_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "link_set", &result);
	else
		print_changes(cli, &result.links[0], &result.links[1]);
	if (result.real)
		return 0;
	err_set(&err, ERR_TIMEOUT, "link '%s': written, but a host has not made it real yet", word);
	err_hint(&err, "vnode link show %s; vnode host list", word);
	return cli_fail(cli, &err, NULL);
}
