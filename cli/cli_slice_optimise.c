/*
 * vnode slice optimise: shows the moves, asks, makes them. sncd begins those that have room; when
 * these are done it is asked again for the rest, which need not be the same as was shown.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/model/units.h"

enum { ROUNDS_MAX = 64, IDLE_MAX = 8, IDLE_MS = 500 };

/* "320 Mbps"; of a node "17% of a host, -20 Mbps". */
static const char *
frees(struct cli *cli, const struct snc_move *move)
{
	int64_t bps = move->gain_bps;
	const char *rate = arena_format(
	    cli->arena, "%s%s", bps < 0 ? "-" : "", rate_text(bps < 0 ? -bps : bps).text);

	if (!strcmp(move->kind, "link"))
		return rate;
	return arena_format(cli->arena, "%lld%% of a host%s%s", (long long)move->gain_room / 10,
	    bps ? ", " : "", bps ? rate : "");
}

static void
show_moves(struct cli *cli, const struct snc_slice_optimise_result *plan)
{
	struct cli_table *table =
	    cli_table_new(6, "SLICE", "ELEMENT", "WAY", "FREES", "FROM", "TO");

	for (size_t i = 0; i < plan->n_moves; i++) {
		const struct snc_move *move = &plan->moves[i];

		cli_table_row(table, move->slice,
		    arena_format(cli->arena, "%s %s", move->kind, move->name), move->way,
		    frees(cli, move), move->from, move->to);
	}
	cli_table_print(table);
	fflush(stdout);
}

static bool
is_confirmed(struct cli *cli, struct err *err)
{
	char answer[16];

	if (cli->flags.yes)
		return true;
	if (cli->flags.no_input || !isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE, "moving them wants --yes");
	fprintf(stderr, "move them? [y/N] ");
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = '\0';
	return answer[0] == 'y' || answer[0] == 'Y' || err_set(err, ERR_USAGE, "nothing done");
}

/* Waits for the slices that have begun to move; how many these are, and whether others are left.
 * Returns the exit code. */
static int
wait_all(struct cli *cli, const struct snc_slice_optimise_result *begun, int64_t seq, size_t *n,
    bool *is_left)
{
	*n = 0;
	for (size_t i = 0; i < begun->n_moves; i++) {
		const struct snc_move *move = &begun->moves[i];
		bool is_same = i && !strcmp(begun->moves[i - 1].slice_id, move->slice_id);
		int code;

		*is_left = *is_left || !move->under_way;
		if (!move->under_way || is_same)
			continue;
		++*n;
		code = cli_wait_slice(cli, move->slice_id, NULL, seq);
		if (code)
			return code;
	}
	return 0;
}

static int
fail_left(struct cli *cli, const struct snc_move *move)
{
	struct err err;

	err_set(&err, ERR_CAPACITY, "%s '%s' of slice '%s' could not be moved: %s", move->kind,
	    move->name, move->slice, move->reason);
	err_hint(&err, "what has moved stays; try again");
	return cli_fail(cli, &err, NULL);
}

/*
 * Each move gains, so they come to an end; should the world change under it, after some rounds. A
 * slice holds its old way for a moment longer than it is waited for: what was left in one round is
 * asked for some more times.
 */
static int
make_moves(struct cli *cli, const struct rpc_client *snc, struct snc_slice_optimise_args *args)
{
	struct snc_slice_optimise_result begun = {0};
	struct err err = {0};
	bool is_left = false;
	int n_idle = 0;

	args->plan = false;
	for (int round = 0; round < ROUNDS_MAX && n_idle < IDLE_MAX; round++) {
		int64_t seq = cli_last_event(cli, snc);
		bool was_left = is_left;
		size_t n;
		int code;

		if (!snc_slice_optimise_call(snc, cli->arena, args, &begun, &err))
			return cli_fail(cli, &err, NULL);
		if (!begun.n_moves && !was_left)
			return 0;
		if (cli->flags.json && begun.n_moves)
			cli_json(&snc_service, "slice_optimise", &begun);
		is_left = false;
		code = wait_all(cli, &begun, seq, &n, &is_left);
		if (code)
			return code;
		n_idle = n ? 0 : n_idle + 1;
		is_left = is_left || (!n && was_left);
		if (!n)
			nanosleep(&(struct timespec){.tv_nsec = IDLE_MS * 1000000L}, NULL);
	}
	return begun.n_moves ? fail_left(cli, &begun.moves[0]) : 0;
}

int
cli_slice_optimise(struct cli *cli)
{
	struct snc_slice_optimise_args args = {.plan = true, .nodes = cli->flags.nodes};
	struct snc_slice_optimise_result plan;
	const struct rpc_client *snc;
	struct err err = {0};

	if (cli->n_words && !cli_word(cli, "SLICE", &args.slice, &err))
		return cli_fail(cli, &err, NULL);
	if (!(snc = cli_snc(cli, &err)) ||
	    !snc_slice_optimise_call(snc, cli->arena, &args, &plan, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json && (cli->flags.plan || !plan.n_moves))
		cli_json(&snc_service, "slice_optimise", &plan);
	else if (!cli->flags.json)
		show_moves(cli, &plan);
	if (!plan.n_moves && !cli->flags.json)
		fprintf(stderr, "nothing would be gained by a move\n");
	if (cli->flags.plan || !plan.n_moves)
		return 0;
	if (!is_confirmed(cli, &err))
		return cli_fail(cli, &err, NULL);
	return make_moves(cli, snc, &args);
}
