/*
 * vnode restore: the database of sncd, or tncd, was put back to an older state, and managers know
 * of something newer.
 */
#include <stdio.h>

#include "cli/cli.h"

static int run_show(struct cli *cli);
static int run_confirm(struct cli *cli);

const struct cli_verb cli_restore_verbs[] = {
    {"restore", "show", "",
	"Say whether the database is older than what the hosts know, and what it lacks.", "",
	run_show,
	"Exit code 5 when it is. Then sncd changes and deletes nothing until it is confirmed: put "
	"back a\n"
	"newer database, or go on with this one."},
    {"restore", "confirm", "",
	"Go on with the database as it is; what it does not know is released.", "yes tnc",
	run_confirm,
	"Every host must answer, or be evicted. Slices are asked for anew; what was made since the "
	"backup\n"
	"is deleted."},
    {0},
};

static bool
ask_snc(struct cli *cli, bool confirm, struct snc_restore_result *result, struct err *err)
{
	const struct rpc_client *snc = cli_snc(cli, err);

	return snc &&
	       snc_restore_call(snc, cli->arena, &(struct snc_restore_args){confirm}, result, err);
}

/* In the form of the other one's answer. */
static bool
ask_tnc(struct cli *cli, bool confirm, struct snc_restore_result *result, struct err *err)
{
	const struct rpc_client *tnc = cli_tnc(cli, err);
	struct tnc_restore_result got = {0};
	struct snc_held *unknown;

	if (!tnc ||
	    !tnc_restore_call(tnc, cli->arena, &(struct tnc_restore_args){confirm}, &got, err))
		return false;
	unknown = arena_alloc(cli->arena, (got.n_unknown + 1) * sizeof(unknown[0]));
	for (size_t i = 0; i < got.n_unknown; i++)
		unknown[i] = (struct snc_held){got.unknown[i].manager, got.unknown[i].line};
	*result = (struct snc_restore_result){got.why, unknown, got.n_unknown};
	return true;
}

static void
print(struct cli *cli, const struct snc_restore_result *result)
{
	struct cli_table *table;

	if (cli->flags.json) {
		cli_json(&snc_service, "restore", result);
		return;
	}
	if (result->why[0])
		printf("older than what is known: %s\n", result->why);
	if (!result->n_unknown)
		return;
	table = cli_table_new(2, "MANAGER", "UNKNOWN");
	for (size_t i = 0; i < result->n_unknown; i++)
		cli_table_row(table, result->unknown[i].manager, result->unknown[i].rid);
	cli_table_print(table);
}

static int
run(struct cli *cli, bool confirm)
{
	struct snc_restore_result result;
	struct err err = {0};

	if (!(cli->flags.tnc ? ask_tnc : ask_snc)(cli, confirm, &result, &err))
		return cli_fail(cli, &err, NULL);
	print(cli, &result);
	return result.why[0] && !confirm ? err_code_exit(ERR_CONFLICT) : 0;
}

static int
run_show(struct cli *cli)
{
	return run(cli, false);
}

static int
run_confirm(struct cli *cli)
{
	struct err err = {0};

	if (cli->flags.yes)
		return run(cli, true);
	(void)err_set(&err, ERR_USAGE, "giving up what the database does not know wants --yes");
	(void)err_hint(&err, "`vnode restore show` lists it");
	return cli_fail(cli, &err, NULL);
}
