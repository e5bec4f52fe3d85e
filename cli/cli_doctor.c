/*
 * vnode doctor: what this client has, and what every host can do. Tells what it can even when no
 * controller answers.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/vec.h"
#include "lib/crypto/pki.h"

typedef vec_of(struct snc_fact) facts;

static int run_doctor(struct cli *cli);

const struct cli_verb cli_doctor_verbs[] = {
    {"doctor", "", "", "Probe what every host can do; say how to mend what it cannot.", "",
	run_doctor, "Exit code 5 when something is not as it should be."},
    {0},
};

static void add_local(struct cli *cli, facts *found);
static void add_remote(struct cli *cli, facts *found);
static void add_tncd(struct cli *cli, facts *found);

static int
run_doctor(struct cli *cli)
{
	facts found = {0};
	struct cli_table *table;
	int code = 0;

	add_local(cli, &found);
	add_tncd(cli, &found);
	add_remote(cli, &found);
	for (size_t i = 0; i < found.n; i++)
		if (!found.items[i].good)
			code = err_code_exit(ERR_CONFLICT);
	if (cli->flags.json) {
		cli_json(&snc_service, "doctor",
		    &(struct snc_doctor_result){.facts = found.items, .n_facts = found.n});
		vec_done(&found);
		return code;
	}
	table = cli_table_new(5, "HOST", "WHAT", "VERDICT", "FOUND", "REMEDY");
	vec_each (fact, &found)
		cli_table_row(table, fact->host, fact->name, fact->good ? "good" : "BAD",
		    fact->value, fact->hint);
	cli_table_print(table);
	vec_done(&found);
	return code;
}

static void
add(facts *found, const char *name, const char *value, const char *hint)
{
	vec_push(found, ((struct snc_fact){"here", name, !hint, value, hint ? hint : ""}));
}

/* What failed becomes a bad fact, with the error's own advice or ours. */
static void
add_failure(
    struct cli *cli, facts *found, const char *name, const struct err *err, const char *hint)
{
	add(found, name, arena_text(cli->arena, err->text),
	    err->hint[0] ? arena_text(cli->arena, err->hint) : hint);
}

static const char *
line_of(struct cli *cli, const char *text, const char *key)
{
	auto_str struct str mark = {0};
	const char *at;

	str_addf(&mark, "%s=", key);
	for (at = text; at && strncmp(at, mark.text, mark.len) != 0; at = at ? at + 1 : NULL)
		at = strchr(at, '\n');
	return at ? arena_copy(cli->arena, at + mark.len, strcspn(at + mark.len, "\n")) : "?";
}

static void
add_certificate(struct cli *cli, facts *found, const char *file)
{
	auto_str struct str text = {0};
	struct err err = {0};

	if (!pki_show(file, &text, &err)) {
		add_failure(cli, found, "certificate", &err, "vnode pki issue makes one");
		return;
	}
	add(found, "certificate",
	    arena_format(cli->arena, "%s %s until %s", line_of(cli, str_text(&text), "role"),
		line_of(cli, str_text(&text), "name"), line_of(cli, str_text(&text), "until")),
	    NULL);
}

static void
add_local(struct cli *cli, facts *found)
{
	struct err err = {0};
	const char *snc = cli_setting(cli, "snc", &err);
	const char *cert = snc ? cli_setting(cli, "cert", &err) : NULL;
	const char *key = snc ? cli_setting(cli, "key", &err) : NULL;

	if (err.code != ERR_NONE) {
		add_failure(cli, found, "configuration", &err, "set VNODE_CONFIG to the file");
		return;
	}
	add(found, "configuration", cli_config_file(cli),
	    snc ? NULL : "its context has no address of sncd (snc=)");
	if (cert)
		add_certificate(cli, found, cert);
	if (key)
		add(found, "key", key, access(key, R_OK) == 0 ? NULL : "this user may not read it");
}

/* Whoever is not allowed to list paths has still been answered. */
static void
add_tncd(struct cli *cli, facts *found)
{
	struct err err = {0};
	struct tnc_path_list_args args = {};
	struct tnc_path_list_result result;
	const struct rpc_client *tnc = cli_tnc(cli, &err);

	if (!tnc)
		return; /* no configuration, or none of tncd */
	if (tnc_path_list_call(tnc, cli->arena, &args, &result, &err) || err.code == ERR_FORBIDDEN)
		add(found, "tncd", "answers", NULL);
	else
		add_failure(cli, found, "tncd", &err, "is it running?");
}

static void
add_remote(struct cli *cli, facts *found)
{
	struct err err = {0};
	struct snc_doctor_args args = {};
	struct snc_doctor_result result;
	const struct rpc_client *snc = cli_snc(cli, &err);

	if (!snc)
		return;
	if (!snc_doctor_call(snc, cli->arena, &args, &result, &err)) {
		add_failure(cli, found, "sncd", &err, "is it running?");
		return;
	}
	add(found, "sncd", "answers", NULL);
	for (size_t i = 0; i < result.n_facts; i++)
		vec_push(found, result.facts[i]);
}
