/*
 * vnode slice modify: shows what would be done, asks, does it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* NAME FILE, or NAME -f FILE. */
static bool
read_words(struct cli *cli, struct snc_slice_modify_args *args, const char **file, struct err *err)
{
	size_t n_wanted = cli->flags.file ? 1 : 2;

	if (cli->n_words != n_wanted) {
		err_set(err, ERR_USAGE, "SLICE and FILE are wanted");
		return err_hint(err, "vnode slice modify ring ring2.xml --plan");
	}
	args->slice = cli->words[0];
	*file = cli->flags.file ? cli->flags.file : cli->words[1];
	return cli_document(cli, *file, &args->document, err);
}

static void
show_plan(struct cli *cli, const struct snc_slice_modify_result *plan)
{
	struct cli_table *table = cli_table_new(4, "ELEMENT", "LINE", "WAY", "WHAT");

	for (size_t i = 0; i < plan->n_changes; i++) {
		const struct snc_change *change = &plan->changes[i];

		cli_table_row(table, arena_format(cli->arena, "%s %s", change->kind, change->name),
		    arena_format(cli->arena, "%lld", (long long)change->line), change->way,
		    change->text);
	}
	cli_table_print(table);
}

/* What the call itself has against the document: all of it, if it is about the document alone. */
static int
fail(struct cli *cli, const struct rpc_client *snc, const char *file,
    const struct snc_slice_modify_args *args, const struct err *err)
{
	int code = 0;

	if (strchr("XS", err_code_text(err->code)[0]) && !cli->flags.json)
		code = cli_check(cli, snc, file, &args->document, true);
	return code ? code : cli_fail(cli, err, file);
}

static bool
is_confirmed(struct cli *cli, const struct snc_slice_modify_result *plan, struct err *err)
{
	char answer[16];

	if (cli->flags.yes)
		return true;
	if (cli->flags.no_input || !isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE, "modifying '%s' wants --yes", plan->name);
	fprintf(stderr, "modify slice '%s' like this? [y/N] ", plan->name);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = '\0';
	return answer[0] == 'y' || answer[0] == 'Y' || err_set(err, ERR_USAGE, "nothing done");
}

static int
apply(struct cli *cli, const struct rpc_client *snc, const char *file,
    struct snc_slice_modify_args *args)
{
	struct snc_slice_modify_result result;
	struct err err = {0};
	int64_t seq = cli->flags.wait ? cli_last_event(cli, snc) : 0;

	args->plan = false;
	if (!snc_slice_modify_call(snc, cli->arena, args, &result, &err))
		return fail(cli, snc, file, args, &err);
	if (cli->flags.json)
		cli_json(&snc_service, "slice_modify", &result);
	return cli->flags.wait ? cli_wait_slice(cli, result.id, cli->flags.wait_state, seq) : 0;
}

int
cli_slice_modify(struct cli *cli)
{
	struct snc_slice_modify_args args = {.plan = true, .restart = cli->flags.restart};
	struct snc_slice_modify_result plan;
	const struct rpc_client *snc;
	const char *file = NULL;
	struct err err = {0};

	if (!read_words(cli, &args, &file, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	if (!snc_slice_modify_call(snc, cli->arena, &args, &plan, &err))
		return fail(cli, snc, file, &args, &err);
	if (cli->flags.plan && cli->flags.json)
		cli_json(&snc_service, "slice_modify", &plan);
	else if (!cli->flags.json)
		show_plan(cli, &plan);
	fflush(stdout);
	if (cli->flags.plan)
		return 0;
	if (!is_confirmed(cli, &plan, &err))
		return cli_fail(cli, &err, NULL);
	return apply(cli, snc, file, &args);
}
