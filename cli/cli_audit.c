/*
 * vnode audit …
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/api/audit_chain.h"
#include "lib/base/vec.h"
#include "lib/base/when.h"

static int run_list(struct cli *cli);
static int run_verify(struct cli *cli);

const struct cli_verb cli_audit_verbs[] = {
    {"audit", "list", "", "List the last 100 records, or those of a user or slice (operators).",
	"user slice", run_list,
	"  vnode audit list --user alice\nEvery call that changed something or was refused; never "
	"what was in a document or typed."},
    {"audit", "verify", "", "Test that no record was changed, taken out or put in (operators).",
	"head", run_verify,
	"  vnode audit verify --head 4711:9f86…\n"
	"Prints the head: kept elsewhere and given next time, it shows that nothing was cut off "
	"the "
	"end.\nExit code 5 when the trail is broken."},
    {0},
};

/* Those after a number; the last 100 with -1. */
static bool
ask(struct cli *cli, int64_t after, struct snc_audit_list_result *result, struct err *err)
{
	const struct rpc_client *snc = cli_snc(cli, err);

	return snc && snc_audit_list_call(
			  snc, cli->arena, &(struct snc_audit_list_args){after}, result, err);
}

static bool
is_wanted(const struct cli *cli, const struct snc_audit *record)
{
	const char *user = cli->flags.user, *slice = cli->flags.slice;
	size_t len = slice ? strlen(slice) : 0;

	return (!user || !strcmp(record->name, user)) &&
	       (!slice || (!strncmp(record->object, slice, len) &&
			      (!record->object[len] || record->object[len] == '/')));
}

static void
add_row(struct cli *cli, struct cli_table *table, const struct snc_audit *record)
{
	cli_table_row(table, arena_format(cli->arena, "%lld", (long long)record->seq),
	    when_text(record->at_ms).text,
	    arena_format(cli->arena, "%s@%s", record->role, record->name), record->method,
	    record->object, record->result, record->detail);
}

/* All that are wanted, from the first on when something is asked for, else the last ones. */
static bool
read_wanted(struct cli *cli, struct snc_audit_list_result *wanted, struct err *err)
{
	bool is_last = !cli->flags.user && !cli->flags.slice;
	struct snc_audit_list_result page;
	vec_of(struct snc_audit) records = {0};
	int64_t after = is_last ? -1 : 0;
	bool is_good;

	do {
		is_good = ask(cli, after, &page, err);
		for (size_t i = 0; is_good && i < page.n_records; i++) {
			after = page.records[i].seq;
			if (is_wanted(cli, &page.records[i]))
				vec_push(&records, page.records[i]);
		}
	} while (is_good && page.n_records && !is_last);
	*wanted = (struct snc_audit_list_result){
	    (void *)arena_copy(cli->arena, records.items, records.n * sizeof(records.items[0])),
	    records.n};
	vec_done(&records);
	return is_good;
}

static int
run_list(struct cli *cli)
{
	struct snc_audit_list_result wanted;
	struct cli_table *table;
	struct err err = {0};

	if (!read_wanted(cli, &wanted, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "audit_list", &wanted);
		return 0;
	}
	table = cli_table_new(7, "SEQ", "WHEN", "WHO", "WHAT", "OBJECT", "RESULT", "DETAIL");
	for (size_t i = 0; i < wanted.n_records; i++)
		add_row(cli, table, &wanted.records[i]);
	cli_table_print(table);
	return 0;
}

/* ---- verify ---------------------------------------------------------------------------------- */

/* The head that was kept; seq 0 = none. */
static bool
read_head(const struct cli *cli, struct audit_chain *head, struct err *err)
{
	const char *text = cli->flags.head, *colon = text ? strchr(text, ':') : NULL;
	auto_str struct str seq = {0};
	long long value;

	*head = (struct audit_chain){0};
	if (!text)
		return true;
	if (colon)
		str_add_bytes(&seq, text, (size_t)(colon - text));
	if (!colon || !str_to_i64(str_text(&seq), 1, INT64_MAX, &value) ||
	    strlen(colon + 1) != sizeof(head->hash.text) - 1)
		return err_set(err, ERR_USAGE, "--head '%s': SEQ:HASH was expected", text);
	head->seq = value;
	memcpy(head->hash.text, colon + 1, sizeof(head->hash.text));
	return true;
}

static bool
is_kept(const struct audit_chain *chain, const struct audit_chain *head, struct err *err)
{
	if (chain->seq != head->seq || !strcmp(chain->hash.text, head->hash.text))
		return true;
	return err_set(err, ERR_CONFLICT,
	    "the audit trail is broken: record %lld has another hash than was kept",
	    (long long)head->seq);
}

static bool
verify(struct cli *cli, const struct audit_chain *head, struct audit_chain *chain, struct err *err)
{
	struct snc_audit_list_result page;

	do {
		if (!ask(cli, chain->seq, &page, err))
			return false;
		for (size_t i = 0; i < page.n_records; i++)
			if (!audit_chain_follow(chain, &page.records[i], err) ||
			    !is_kept(chain, head, err))
				return false;
	} while (page.n_records);
	if (chain->seq >= head->seq)
		return true;
	return err_set(err, ERR_CONFLICT,
	    "the audit trail is broken: it ends with record %lld, and %lld was kept",
	    (long long)chain->seq, (long long)head->seq);
}

static int
run_verify(struct cli *cli)
{
	struct audit_chain head, chain = {0};
	struct err err = {0};

	if (!read_head(cli, &head, &err) || !verify(cli, &head, &chain, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		printf("{\"records\":%lld,\"head\":\"%lld:%s\"}\n", (long long)chain.seq,
		    (long long)chain.seq, chain.hash.text);
	else
		printf("%lld records, unbroken\nhead %lld:%s\n", (long long)chain.seq,
		    (long long)chain.seq, chain.hash.text);
	return 0;
}
