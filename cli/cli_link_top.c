/*
 * vnode link top: a table of links, the busiest first, new every second. Each line is measured by
 * the hosts over the second before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/vec.h"

enum { OVER_MS = 1000, LINES_OTHERWISE = 24, LINES_AROUND = 3 };

/* One link: its ends as they came; b is missing while its host is down. */
struct line {
	const struct snc_end_counters *a, *b;
	int64_t bps; /* both ways */
};

typedef vec_of(struct line) line_vec;

static int
busiest_first(const void *a, const void *b)
{
	const struct line *one = a, *other = b;

	return (one->bps < other->bps) - (one->bps > other->bps);
}

static void
pair(const struct snc_link_counters_result *result, line_vec *to)
{
	for (size_t i = 0; i < result->n_ends; i++) {
		const struct snc_end_counters *end = &result->ends[i];
		struct line *last = to->n ? &to->items[to->n - 1] : NULL;

		if (last && !last->b && str_equal(last->a->slice, end->slice) &&
		    str_equal(last->a->link, end->link)) {
			last->b = end;
			last->bps += end->tx_bps;
		} else {
			vec_push(to, ((struct line){.a = end, .bps = end->tx_bps}));
		}
	}
	if (to->n)
		qsort(to->items, to->n, sizeof(*to->items), busiest_first);
}

/* Short and of even width: 0, 950 bps, 12.3 kbps, 4.56 Mbps. */
static const char *
short_rate(struct arena *arena, int64_t bps)
{
	static const char *const units[] = {"bps", "kbps", "Mbps", "Gbps", "Tbps"};
	double value = (double)bps;
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	return bps ? arena_format(arena, "%.3g %s", value, units[unit]) : "0";
}

static const char *
number(struct arena *arena, int64_t value)
{
	return arena_format(arena, "%lld", (long long)value);
}

static void
add_line(struct arena *arena, struct cli_table *table, const struct line *line)
{
	const struct snc_end_counters none = {.node = "-"};
	const struct snc_end_counters *a = line->a, *b = line->b ? line->b : &none;

	cli_table_row(table, arena_format(arena, "%s/%s", a->slice, a->link), a->node, b->node,
	    short_rate(arena, a->tx_bps), short_rate(arena, b->tx_bps),
	    number(arena, a->tx_fps + b->tx_fps), number(arena, a->dropped_fps + b->dropped_fps),
	    number(arena, a->queue_bytes + b->queue_bytes));
}

/* Lines of the terminal that a table may have. */
static size_t
room(void)
{
	struct winsize size = {0};
	size_t n = LINES_OTHERWISE;

	if (!isatty(STDOUT_FILENO))
		return SIZE_MAX;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row)
		n = size.ws_row;
	return n > LINES_AROUND ? n - LINES_AROUND : 1;
}

static void
print_lines(struct arena *arena, const line_vec *lines, size_t n_most)
{
	struct cli_table *table = cli_table_new(
	    8, "LINK", "A", "B", "A TO B", "B TO A", "FRAMES/S", "DROPPED/S", "BYTES WAITING");

	for (size_t i = 0; i < lines->n && i < n_most; i++)
		add_line(arena, table, &lines->items[i]);
	cli_table_print(table);
	if (lines->n > n_most)
		printf("and %zu more\n", lines->n - n_most);
}

static bool
sample(struct cli *cli, const struct rpc_client *snc, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct snc_link_counters_args args = {.slice = cli->flags.slice, .over_ms = OVER_MS};
	struct snc_link_counters_result result;
	line_vec found = {0};

	if (!snc_link_counters_call(snc, arena, &args, &result, err))
		return false;
	if (cli->flags.json) {
		cli_json(&snc_service, "link_counters", &result);
		return true;
	}
	pair(&result, &found);
	if (!cli->flags.once && isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout); /* home, clear */
	print_lines(arena, &found, cli->flags.once ? SIZE_MAX : room());
	vec_done(&found);
	return true;
}

int
cli_link_top(struct cli *cli)
{
	struct err err = {0};
	const struct rpc_client *snc = cli_snc(cli, &err);
	bool is_good;

	do
		is_good = snc && sample(cli, snc, &err) && fflush(stdout) == 0;
	while (is_good && !cli->flags.once && !cli->flags.json);
	return err.code == ERR_NONE ? 0 : cli_fail(cli, &err, NULL);
}
