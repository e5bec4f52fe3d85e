/*
 * vnode project …, vnode quota …, vnode usage
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/base/when.h"
#include "lib/model/units.h"

static int run_list(struct cli *cli);
static int run_show(struct cli *cli);
static int run_create(struct cli *cli);
static int run_delete(struct cli *cli);
static int run_add(struct cli *cli);
static int run_remove(struct cli *cli);
static int run_quota(struct cli *cli);
static int run_quota_set(struct cli *cli);
static int run_usage(struct cli *cli);

const struct cli_verb cli_project_verbs[] = {
    {"project", "list", "", "List the projects that you are in.", "", run_list, NULL},
    {"project", "show", "[PROJECT]", "Show a project's members and quotas.", "", run_show,
	"Without a name the one that your slices are made in."},
    {"project", "create", "PROJECT", "Make a project (operators).", "user note", run_create,
	"  vnode project create relay --user alice --note 'Relays in the ring'\n--user is its "
	"first "
	"owner."},
    {"project", "delete", "PROJECT", "Forget a project without slices; its usage is kept.", "",
	run_delete, NULL},
    {"project", "add", "PROJECT USER ROLE", "Say what a user is in a project.", "", run_add,
	"  vnode project add relay bob member\n"
	"viewer: sees its slices; member: has slices of his own; owner: may do everything with all "
	"of\nits slices, and says who is in it."},
    {"project", "remove", "PROJECT USER", "Take a user out of a project; his slices stay.", "",
	run_remove, NULL},
    {0},
};

const struct cli_verb cli_quota_verbs[] = {
    {"quota", "show", "[PROJECT]", "Show what a project may have, and has.", "", run_quota, NULL},
    {"quota", "set", "[PROJECT]", "Set quotas (operators); the others stay.",
	"site each slices cpu memory rate rate-hours since", run_quota_set,
	"  vnode quota set relay --cpu 64 --memory 256GiB --rate 10Gbps\n"
	"  vnode quota set relay --each --slices 5\n"
	"  vnode quota set relay --rate-hours 500Gbps --since 2026-11-01T00:00Z\n"
	"  vnode quota set --site --each --slices 20\n"
	"none = no limit, site = what the site says. A lower quota than what is in use takes "
	"nothing\naway: it only refuses more."},
    {0},
};

const struct cli_verb cli_usage_verbs[] = {
    {"usage", "", "", "Say what was reserved for how long, by project and user.",
	"project user from until", run_usage,
	"Whether it was used or not. Yours and that of your projects; --from and --until say in "
	"which "
	"time."},
    {0},
};

/* ---- projects -------------------------------------------------------------------------------- */

static int
run_list(struct cli *cli)
{
	struct snc_project_list_result result;
	const struct rpc_client *snc;
	struct cli_table *table;
	struct err err = {0};

	if (!(snc = cli_snc(cli, &err)) || !snc_project_list_call(snc, cli->arena,
					       &(struct snc_project_list_args){}, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "project_list", &result);
		return 0;
	}
	table = cli_table_new(5, "NAME", "ROLE", "MEMBERS", "SLICES", "NOTE");
	for (size_t i = 0; i < result.n_projects; i++) {
		const struct snc_project *project = &result.projects[i];

		cli_table_row(table, project->name, project->role,
		    arena_format(cli->arena, "%lld", (long long)project->n_members),
		    arena_format(cli->arena, "%lld", (long long)project->n_slices), project->note);
	}
	cli_table_print(table);
	return 0;
}

const char *
cli_amount(struct cli *cli, const char *what, int64_t amount)
{
	if (!strcmp(what, "memory"))
		return arena_text(cli->arena, size_text(amount).text);
	if (!strcmp(what, "rate"))
		return arena_text(cli->arena, rate_text(amount).text);
	if (!strcmp(what, "rate-hours"))
		return arena_format(cli->arena, "%s x h", rate_text(amount).text);
	return arena_format(cli->arena, "%lld", (long long)amount);
}

static void
print_limits(struct cli *cli, const struct snc_project_show_result *result)
{
	struct cli_table *table = cli_table_new(5, "QUOTA", "OF", "LIMIT", "USED", "SINCE");

	for (size_t i = 0; i < result->n_limits; i++) {
		const struct snc_limit *limit = &result->limits[i];
		bool is_site = !strcmp(limit->from, "site");
		const char *bound =
		    limit->limit < 0 ? "none" : cli_amount(cli, limit->what, limit->limit);

		cli_table_row(table, limit->what, strcmp(limit->scope, "each") ? "project" : "you",
		    is_site ? arena_format(cli->arena, "%s (site)", bound) : bound,
		    cli_amount(cli, limit->what, limit->used),
		    limit->since_ms ? when_text(limit->since_ms).text : "");
	}
	cli_table_print(table);
}

/* The project named, or one's own. */
static bool
ask_project(struct cli *cli, struct snc_project_show_result *result, struct err *err)
{
	struct snc_project_show_args args = {cli->n_words ? cli->words[0] : NULL};
	const struct rpc_client *snc;

	if (cli->n_words > 1) {
		err_set(err, ERR_USAGE, "vnode %s show wants at most one PROJECT", cli->verb->noun);
		return false;
	}
	return (snc = cli_snc(cli, err)) &&
	       snc_project_show_call(snc, cli->arena, &args, result, err);
}

static int
run_show(struct cli *cli)
{
	struct snc_project_show_result result;
	struct cli_table *table;
	struct err err = {0};

	if (!ask_project(cli, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "project_show", &result);
		return 0;
	}
	printf("%s  %lld slices  %s\n\n", result.projects[0].name,
	    (long long)result.projects[0].n_slices, result.projects[0].note);
	table = cli_table_new(2, "USER", "ROLE");
	for (size_t i = 0; i < result.n_members; i++)
		cli_table_row(table, result.members[i].user, result.members[i].role);
	cli_table_print(table);
	puts("");
	print_limits(cli, &result);
	return 0;
}

static int
run_create(struct cli *cli)
{
	struct snc_project_create_args args = {
	    .user = cli->flags.user, .note = cli->flags.note ? cli->flags.note : ""};
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "PROJECT", &args.project, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_project_create_call(
		snc, cli->arena, &args, &(struct snc_project_create_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

static int
run_delete(struct cli *cli)
{
	struct snc_project_delete_args args;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "PROJECT", &args.project, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_project_delete_call(
		snc, cli->arena, &args, &(struct snc_project_delete_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

static bool
check_words(const struct cli *cli, size_t n, struct err *err)
{
	if (cli->n_words == n)
		return true;
	err_set(err, ERR_USAGE, "vnode %s %s wants %s", cli->verb->noun, cli->verb->verb,
	    cli->verb->usage);
	return err_hint(err, "vnode %s %s --help", cli->verb->noun, cli->verb->verb);
}

static int
run_add(struct cli *cli)
{
	struct snc_member_set_args args;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!check_words(cli, 3, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	args = (struct snc_member_set_args){cli->words[0], cli->words[1], cli->words[2]};
	if (!snc_member_set_call(snc, cli->arena, &args, &(struct snc_member_set_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

static int
run_remove(struct cli *cli)
{
	struct snc_member_remove_args args;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!check_words(cli, 2, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	args = (struct snc_member_remove_args){cli->words[0], cli->words[1]};
	if (!snc_member_remove_call(
		snc, cli->arena, &args, &(struct snc_member_remove_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

/* ---- quotas ---------------------------------------------------------------------------------- */

static int
run_quota(struct cli *cli)
{
	struct snc_project_show_result result;
	struct err err = {0};

	if (!ask_project(cli, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "project_show", &result);
	else
		print_limits(cli, &result);
	return 0;
}

static bool
read_count(const char *text, int64_t *amount, struct err *err)
{
	long long value;

	if (!str_to_i64(text, 0, 1000000000, &value))
		return err_set(err, ERR_BAD_VALUE, "'%s' is no number", text);
	*amount = value;
	return true;
}

/* 0, none, site, or a value with its unit. */
static bool
read_amount(const char *what, const char *text, int64_t *amount, struct err *err)
{
	bool is_good;

	if (!strcmp(text, "none") || !strcmp(text, "site") || !strcmp(text, "0")) {
		*amount = !strcmp(text, "none") ? -1 : !strcmp(text, "site") ? -2 : 0;
		return true;
	}
	if (!strcmp(what, "memory"))
		is_good = unit_size(text, amount, err);
	else if (!strncmp(what, "rate", 4))
		is_good = unit_rate(text, amount, err);
	else
		is_good = read_count(text, amount, err);
	if (is_good)
		return true;
	err->code = ERR_USAGE;
	err_in(err, "--%s", what);
	return err_hint(err, "an amount, none for no limit, site for what the site says");
}

static bool
read_limits(struct cli *cli, struct snc_quota_set_args *args, struct err *err)
{
	const struct cli_flags *flags = &cli->flags;

	const struct {
		const char *what, *text;
	} given[] = {{"slices", flags->slices}, {"cpu", flags->cpu}, {"memory", flags->memory},
	    {"rate", flags->rate}, {"rate-hours", flags->rate_hours}};

	enum { N = sizeof(given) / sizeof(given[0]) };
	struct snc_limit_change *limits = arena_alloc(cli->arena, N * sizeof(limits[0]));

	args->limits = limits;
	for (size_t i = 0; i < N; i++) {
		struct snc_limit_change *limit = &limits[args->n_limits];

		if (!given[i].text)
			continue;
		limit->what = given[i].what;
		if (!read_amount(given[i].what, given[i].text, &limit->amount, err))
			return false;
		args->n_limits++;
	}
	if (args->n_limits)
		return true;
	err_set(err, ERR_USAGE, "no quota is given");
	return err_hint(err, "vnode quota set --help");
}

static int
run_quota_set(struct cli *cli)
{
	struct snc_quota_set_args args = {
	    .project = cli->n_words ? cli->words[0] : NULL,
	    .scope = cli->flags.each ? "each" : "project",
	};
	const struct rpc_client *snc;
	struct err err = {0};

	if (cli->n_words != (cli->flags.site ? 0U : 1U)) {
		err_set(&err, ERR_USAGE, "vnode quota set wants one PROJECT, or --site");
		err_hint(&err, "vnode quota set --help");
		return cli_fail(cli, &err, NULL);
	}
	if (!read_limits(cli, &args, &err) ||
	    !cli_instant("since", cli->flags.since, &args.since_ms, &err) ||
	    !(snc = cli_snc(cli, &err)) ||
	    !snc_quota_set_call(snc, cli->arena, &args, &(struct snc_quota_set_result){}, &err))
		return cli_fail(cli, &err, NULL);
	return 0;
}

/* ---- usage ----------------------------------------------------------------------------------- */

/* Hours with two digits behind the point. */
static const char *
hours_text(struct cli *cli, double hours)
{
	return arena_format(cli->arena, "%.2f", hours);
}

static void
print_usage(struct cli *cli, const struct snc_usage_result *result)
{
	struct cli_table *table =
	    cli_table_new(7, "PROJECT", "USER", "SLICES", "SLICE-H", "CPU-H", "GIB-H", "GBPS-H");

	for (size_t i = 0; i < result->n_usage; i++) {
		const struct snc_usage *usage = &result->usage[i];

		cli_table_row(table, usage->project, usage->user,
		    arena_format(cli->arena, "%lld", (long long)usage->n_slices),
		    hours_text(cli, (double)usage->slice_seconds / 3600),
		    hours_text(cli, (double)usage->cpu_seconds / 3600),
		    hours_text(cli, (double)usage->memory_byte_hours / (1 << 30)),
		    hours_text(cli, (double)usage->rate_bps_hours / 1e9));
	}
	cli_table_print(table);
}

static int
run_usage(struct cli *cli)
{
	struct snc_usage_args args = {.project = cli->flags.project, .user = cli->flags.user};
	struct snc_usage_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_instant("from", cli->flags.from, &args.from_ms, &err) ||
	    !cli_instant("until", cli->flags.until, &args.until_ms, &err) ||
	    !(snc = cli_snc(cli, &err)) || !snc_usage_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json)
		cli_json(&snc_service, "usage", &result);
	else
		print_usage(cli, &result);
	return 0;
}
