/*
 * vnode host evict and readmit: hosts that are gone for good, and those that are back; drain and
 * undrain: those in maintenance; retry: those whose daemons have died of something.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* On a terminal the name must be typed; elsewhere --yes is wanted. */
static bool
is_confirmed(struct cli *cli, const char *host, size_t n_slices, struct err *err)
{
	char answer[128];

	if (cli->flags.yes)
		return true;
	if (cli->flags.no_input || !isatty(STDIN_FILENO))
		return err_set(err, ERR_USAGE,
		    "evicting '%s', with parts of %zu slices, wants --yes", host, n_slices);
	fprintf(
	    stderr, "give up host '%s' with parts of %zu slices? Type its name: ", host, n_slices);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return !strcmp(answer, host) ||
	       err_set(err, ERR_USAGE, "'%s' is not '%s': nothing done", answer, host);
}

static void
print_slices(const struct snc_affected *slices, size_t n)
{
	struct cli_table *table;

	if (!n)
		return;
	table = cli_table_new(3, "SLICE", "OWNER", "ID");
	for (size_t i = 0; i < n; i++)
		cli_table_row(table, slices[i].name, slices[i].owner, slices[i].id);
	cli_table_print(table);
}

int
cli_host_evict(struct cli *cli)
{
	struct snc_host_evict_args args = {.plan = true};
	struct snc_host_evict_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &args.host, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_host_evict_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (!cli->flags.plan) {
		args.plan = false;
		if (!is_confirmed(cli, args.host, result.n_slices, &err) ||
		    !snc_host_evict_call(snc, cli->arena, &args, &result, &err))
			return cli_fail(cli, &err, NULL);
	}
	if (cli->flags.json)
		cli_json(&snc_service, "host_evict", &result);
	else
		print_slices(result.slices, result.n_slices);
	return 0;
}

int
cli_host_readmit(struct cli *cli)
{
	struct snc_host_readmit_args args = {0};
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &args.host, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_host_readmit_call(
		snc, cli->arena, &args, &(struct snc_host_readmit_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

int
cli_host_drain(struct cli *cli)
{
	struct snc_host_drain_args args = {.reason = cli->flags.reason, .plan = cli->flags.plan};
	struct snc_host_drain_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &args.host, &err) ||
	    !cli_instant("from", cli->flags.from, &args.from_ms, &err) ||
	    !cli_instant("until", cli->flags.until, &args.until_ms, &err) ||
	    !(snc = cli_snc(cli, &err)) ||
	    !snc_host_drain_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "host_drain", &result);
		return 0;
	}
	printf("slices with parts there%s: %zu\n", result.n_slices ? ", which stay" : "",
	    result.n_slices);
	print_slices(result.slices, result.n_slices);
	return 0;
}

int
cli_host_undrain(struct cli *cli)
{
	struct snc_host_undrain_args args = {0};
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &args.host, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_host_undrain_call(
		snc, cli->arena, &args, &(struct snc_host_undrain_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

int
cli_host_retry(struct cli *cli)
{
	struct snc_host_retry_args args = {0};
	struct snc_host_retry_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "HOST", &args.host, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_host_retry_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "host_retry", &result);
	else
		printf("%lld tried again\n", (long long)result.n);
	return 0;
}
