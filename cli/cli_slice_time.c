/*
 * vnode slice find-slot, vnode slice renew; and what a slice that does not fit could be instead
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/when.h"

/* What find-slot asks, and the file that is spoken of. */
static bool
read_search(
    struct cli *cli, struct snc_slice_find_slot_args *args, const char **file, struct err *err)
{
	if (!cli_instant("after", cli->flags.after, &args->after_ms, err) ||
	    !cli_instant("before", cli->flags.before, &args->before_ms, err))
		return false;
	args->project = cli->flags.project;
	args->duration_ms.is_set = cli->flags.length != NULL;
	if (cli->flags.length &&
	    !when_length_parse(cli->flags.length, &args->duration_ms.value, err)) {
		err->code = ERR_USAGE;
		return err_in(err, "--duration");
	}
	return cli_read_document(cli, file, &args->document, err);
}

/* The two times as flags of vnode slice create. */
static void
print_slot(const struct snc_slice_find_slot_result *result)
{
	if (result->from_ms)
		printf("--from %s", when_text(result->from_ms).text);
	if (result->until_ms)
		printf(
		    "%s--until %s", result->from_ms ? " " : "", when_text(result->until_ms).text);
	puts(result->from_ms || result->until_ms ? "" : "now");
	for (size_t i = 0; i < result->n_nodes; i++)
		printf("%s -> %s\n", result->nodes[i].name, result->nodes[i].host);
}

/* Why there is none; the exit code. */
static int
print_none(const struct snc_slice_find_slot_result *result, const char *file)
{
	int code = 0;

	for (size_t i = 0; i < result->n_diagnoses; i++) {
		const struct snc_diagnosis *found = &result->diagnoses[i];

		cli_diagnosis(found, file);
		if (!code && found->severity[0] == 'e')
			code = err_code_exit(err_code_parse(found->code));
	}
	if (result->looked_until_ms)
		fprintf(stderr, "no start before %s fits; --after that looks further\n",
		    when_text(result->looked_until_ms).text);
	return code ? code : err_code_exit(ERR_R05);
}

int
cli_slice_find_slot(struct cli *cli)
{
	struct snc_slice_find_slot_args args = {0};
	struct snc_slice_find_slot_result result;
	const struct rpc_client *snc;
	const char *file = NULL;
	struct err err = {0};

	if (!read_search(cli, &args, &file, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_slice_find_slot_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "slice_find_slot", &result);
	else if (result.found)
		print_slot(&result);
	if (result.found)
		return 0;
	return cli->flags.json ? err_code_exit(ERR_R05) : print_none(&result, file);
}

int
cli_slice_renew(struct cli *cli)
{
	struct snc_slice_renew_args args = {0};
	struct snc_slice_renew_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "SLICE", &args.slice, &err) ||
	    !cli_instant("until", cli->flags.until, &args.until_ms, &err) ||
	    !(snc = cli_snc(cli, &err)) ||
	    !snc_slice_renew_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "slice_renew", &result);
	else if (result.until_ms)
		printf("until %s, then %s of grace\n", when_text(result.until_ms).text,
		    when_length_text(result.grace_ms).text);
	else
		puts("no end");
	return 0;
}

/* Is it capacity that is missing, and not a time that is wrong? */
static bool
is_short(const struct snc_slice_check_result *result)
{
	for (size_t i = 0; i < result->n_diagnoses; i++)
		if (result->diagnoses[i].severity[0] == 'e')
			return (result->diagnoses[i].code[0] == 'R' &&
				   strcmp(result->diagnoses[i].code, "R05") != 0) ||
			       !strcmp(result->diagnoses[i].code, "A03");
	return false;
}

void
cli_remedies(const struct snc_slice_check_result *result)
{
	const char *kind = "";

	for (size_t i = 0; i < result->n_remedies; i++) {
		const struct snc_remedy *remedy = &result->remedies[i];

		if (strcmp(remedy->kind, kind) != 0)
			fprintf(stderr, "fits %s (tried):\n", remedy->kind);
		kind = remedy->kind;
		fprintf(stderr, "  %s: %s %s instead of %s", remedy->subject, remedy->what,
		    remedy->offered, remedy->wanted);
		if (remedy->line)
			fprintf(stderr, ", line %lld", (long long)remedy->line);
		fputc('\n', stderr);
	}
	if (is_short(result))
		fprintf(stderr, "%s\n",
		    result->time_helps ? "it would fit if no other slice were there"
				       : "time alone does not help: it would not fit if no other "
					 "slice were there");
}

void
cli_quotas(struct cli *cli, const struct snc_slice_check_result *result)
{
	struct cli_table *table;

	if (!result->n_quotas)
		return;
	table = cli_table_new(5, "QUOTA", "OF", "WANTED", "USED", "LIMIT");
	for (size_t i = 0; i < result->n_quotas; i++) {
		const struct snc_quota_use *quota = &result->quotas[i];

		cli_table_row(table, quota->what, strcmp(quota->scope, "each") ? "project" : "you",
		    quota->wanted < 0 ? "without end" : cli_amount(cli, quota->what, quota->wanted),
		    cli_amount(cli, quota->what, quota->used),
		    cli_amount(cli, quota->what, quota->limit));
	}
	cli_table_print(table);
}
