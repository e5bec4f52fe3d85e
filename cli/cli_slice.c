/*
 * vnode slice …
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/base/when.h"

enum { DOCUMENT_MAX = 1 << 20 };

static int run_check(struct cli *cli);
static int run_create(struct cli *cli);
static int run_show(struct cli *cli);
static int run_define(struct cli *cli);
static int run_reserve(struct cli *cli);
static int run_run(struct cli *cli);
static int run_stop(struct cli *cli);
static int run_delete(struct cli *cli);
static int run_watch(struct cli *cli);

const struct cli_verb cli_slice_verbs[] = {
    {"slice", "check", "FILE", "Say all that is wrong with a document; change nothing.",
	"file from until project", run_check,
	"  vnode slice check ring.xml\nExit code 6 when only capacity is missing."},
    {"slice", "create", "FILE", "Define, reserve and run a slice.",
	"file wait no-wait timeout goal from until project", run_create,
	"  vnode slice create ring.xml --wait\n  vnode slice create -f - < ring.xml\n"
	"Without --wait it returns when all is reserved; vnode slice watch shows the rest.\n"
	"--wait gives up after --timeout, 5m by default; the slice stays.\n"
	"  vnode slice create ring.xml --from 2026-11-22T08:00Z --until 2026-11-22T10:00Z\n"
	"With --from it is booked, and starts by itself. With --until it is warned of its end, "
	"and\n"
	"deleted a tenth of its time later, at most 10m; vnode slice renew moves the end."},
    {"slice", "define", "FILE", "Store a slice's document; reserve nothing yet.", "file project",
	run_define,
	"  vnode slice define ring.xml && vnode slice reserve ring\n"
	"vnode slice modify stores another one."},
    {"slice", "reserve", "SLICE",
	"Reserve all that a slice that is DEFINED needs; run nothing yet.", "wait no-wait timeout",
	run_reserve, NULL},
    {"slice", "find-slot", "FILE", "Find the first time at which a slice fits; change nothing.",
	"file duration after before project", cli_slice_find_slot,
	"  vnode slice find-slot ring.xml --duration 2h --after 2026-11-22T08:00Z\n"
	"Prints the times as vnode slice create takes them. Exit code 6 when there is none."},
    {"slice", "renew", "SLICE", "Give a slice another end.", "until", cli_slice_renew,
	"  vnode slice renew ring --until +2h\nWithout --until it has no end any more."},
    {"slice", "list", "", "List slices.", "", cli_slice_list, NULL},
    {"slice", "show", "SLICE", "Show a slice with its nodes and links.", "", run_show, NULL},
    {"slice", "run", "SLICE", "Start a slice that is DEFINED, RESERVED or STOPPED.",
	"wait no-wait timeout", run_run, NULL},
    {"slice", "stop", "SLICE", "Stop its nodes and close its links; all stays reserved.",
	"wait no-wait timeout", run_stop, NULL},
    {"slice", "modify", "SLICE FILE", "Change a slice into what a whole new document says.",
	"file plan restart yes no-input wait no-wait timeout", cli_slice_modify,
	"  vnode slice modify ring ring2.xml --plan\n  vnode slice modify ring ring2.xml --yes "
	"--wait\n"
	"unchanged, hitless (no frame is lost), add, remove, local (this element alone is "
	"touched),\n"
	"restart (the element begins anew; on a running slice only with --restart). What cannot "
	"be\n"
	"had leaves everything as it is."},
    {"slice", "optimise", "[SLICE]",
	"Lead links other ways, so that what is free can be used; no frame is lost.",
	"plan nodes yes no-input timeout", cli_slice_optimise,
	"  vnode slice optimise --plan\n  vnode slice optimise ring --yes\n"
	"Without SLICE all of yours; the noc's are everybody's. FREES: of rates, added up over "
	"all\n"
	"that a link passes, or of a host. With --nodes also nodes, which begin anew."},
    {"slice", "delete", "SLICE", "Give everything back; exit code 3 when it is gone already.",
	"wait no-wait timeout yes no-input", run_delete, NULL},
    {"slice", "watch", "SLICE", "Print what happened and happens to a slice, until it is gone.", "",
	run_watch, NULL},
    {0},
};

/* What is asked of a check: a document, and for when. */
struct question {
	const char *file;
	struct rpc_blob document;
	struct rpc_opt_i64 from, until;
};

static bool read_question(struct cli *cli, struct question *question, struct err *err);
static int check(
    struct cli *cli, const struct rpc_client *snc, const struct question *question, bool is_quiet);

static int
run_check(struct cli *cli)
{
	const struct rpc_client *snc;
	struct question question;
	struct err err = {0};

	if (!read_question(cli, &question, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	return check(cli, snc, &question, false);
}

int
cli_check(struct cli *cli, const struct rpc_client *snc, const char *file,
    const struct rpc_blob *document, bool is_quiet)
{
	struct question question = {.file = file, .document = *document};

	return check(cli, snc, &question, is_quiet);
}

static void
print_place(struct cli *cli, const struct snc_slice_check_result *result)
{
	for (size_t i = 0; i < result->n_nodes; i++)
		printf("%s -> %s\n", result->nodes[i].name, result->nodes[i].host);
	cli_quotas(cli, result);
}

/* Prints all diagnoses, only errors when quiet; exit code of the first error. */
static int
check(struct cli *cli, const struct rpc_client *snc, const struct question *question, bool is_quiet)
{
	struct snc_slice_check_args args = {
	    question->document, question->from, question->until, cli->flags.project};
	struct snc_slice_check_result result;
	struct err err = {0};
	int code = 0;

	if (!snc_slice_check_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, question->file);
	for (size_t i = 0; i < result.n_diagnoses; i++) {
		const struct snc_diagnosis *found = &result.diagnoses[i];

		if (!cli->flags.json && (!is_quiet || !strcmp(found->severity, "error")))
			cli_diagnosis(found, question->file);
		if (!code && !strcmp(found->severity, "error"))
			code = err_code_exit(err_code_parse(found->code));
	}
	if (!cli->flags.json)
		cli_remedies(&result);
	if (is_quiet)
		return code;
	if (cli->flags.json)
		cli_json(&snc_service, "slice_check", &result);
	else if (!code)
		print_place(cli, &result);
	return code;
}

/* A fresh operation id: the server answers a repeated call with it as it did the first time. */
static const char *
operation_id(struct cli *cli)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return arena_text(cli->arena, id_text(random).text);
}

static int
run_create(struct cli *cli)
{
	struct snc_slice_create_args args = {
	    .goal = cli->flags.goal, .project = cli->flags.project};
	struct snc_slice_create_result result;
	const struct rpc_client *snc;
	struct question question;
	struct err err = {0};
	int64_t seq;

	if (!read_question(cli, &question, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	args.document = question.document;
	args.from_ms = question.from;
	args.until_ms = question.until;
	args.op_id = operation_id(cli);
	seq = cli->flags.wait ? cli_last_event(cli, snc) : 0;
	if (!snc_slice_create_call(snc, cli->arena, &args, &result, &err)) {
		int code = 0;

		if (strchr("XSRA", err_code_text(err.code)[0]) && !cli->flags.json)
			code = check(cli, snc, &question, true);
		return code ? code : cli_fail(cli, &err, question.file);
	}
	if (cli->flags.json)
		cli_json(&snc_service, "slice_create", &result);
	else
		printf("%s\n", result.name);
	if (!cli->flags.wait)
		return 0;
	fflush(stdout);
	if (cli->flags.wait_state)
		return cli_wait_slice(cli, result.id, cli->flags.wait_state, seq);
	if (question.from.is_set) /* it will run when nobody waits any more */
		return cli_wait_slice(cli, result.id, "RESERVED", seq);
	return cli_wait_slice(cli, result.id, args.goal ? args.goal : "RUNNING", seq);
}

static int
run_define(struct cli *cli)
{
	cli->flags.goal = "DEFINED";
	return run_create(cli);
}

static void
show_nodes(struct cli *cli, const struct snc_slice_show_result *result)
{
	struct cli_table *table =
	    cli_table_new(6, "NODE", "KIND", "IMAGE", "HOST", "STATE", "PORTS");

	for (size_t i = 0; i < result->n_nodes; i++) {
		const struct snc_node *node = &result->nodes[i];
		const char *ports = "";

		for (size_t k = 0; k < node->n_ports; k++)
			ports = arena_format(
			    cli->arena, "%s%s%s", ports, ports[0] ? " " : "", node->ports[k].name);
		cli_table_row(table, node->name, node->kind, node->image, node->host,
		    arena_format(cli->arena, "%s%s", node->state, node->ready ? ", ready" : ""),
		    ports);
	}
	cli_table_print(table);
}

static void
show_links(struct cli *cli, const struct snc_slice_show_result *result)
{
	struct cli_table *table =
	    cli_table_new(7, "LINK", "A", "B", "GUARANTEED", "CEILING", "STATE", "PATH");

	for (size_t i = 0; i < result->n_links; i++) {
		const struct snc_link *link = &result->links[i];

		cli_table_row(table, link->name, link->a, cli_link_b(cli, link),
		    arena_format(cli->arena, "%.6g Mbps", (double)link->rate_ab_bps / 1e6),
		    arena_format(cli->arena, "%.6g Mbps", (double)link->ceiling_bps / 1e6),
		    link->state, link->path);
	}
	cli_table_print(table);
}

static void
show_slice(struct cli *cli, const struct snc_slice *slice)
{
	printf("%s  %s%s  owner %s  project %s  id %s  age %s\n", slice->name, slice->state,
	    slice->degraded ? " (DEGRADED)" : "", slice->owner, slice->project, slice->id,
	    cli_age(cli, slice->created_ms));
	if (slice->progress[0])
		printf("under way: %s\n", slice->progress);
	if (slice->from_ms || slice->until_ms)
		printf("time:%s%s%s%s\n", slice->from_ms ? " from " : "",
		    slice->from_ms ? when_text(slice->from_ms).text : "",
		    slice->until_ms ? " until " : "",
		    slice->until_ms ? when_text(slice->until_ms).text : "");
	if (slice->reason[0])
		printf("reason: %s%s%s%s\n", slice->reason, slice->code[0] ? " [" : "", slice->code,
		    slice->code[0] ? "]" : "");
	if (slice->hint[0])
		printf("try: %s\n", slice->hint);
}

static int
run_show(struct cli *cli)
{
	struct snc_slice_show_args args;
	struct snc_slice_show_result result;
	const struct rpc_client *snc;
	struct err err = {0};

	if (!cli_word(cli, "SLICE", &args.slice, &err) || !(snc = cli_snc(cli, &err)) ||
	    !snc_slice_show_call(snc, cli->arena, &args, &result, &err))
		return cli_fail(cli, &err, NULL);
	if (cli->flags.json) {
		cli_json(&snc_service, "slice_show", &result);
		return 0;
	}
	for (size_t i = 0; i < result.n_slices; i++)
		show_slice(cli, &result.slices[i]);
	puts("");
	show_nodes(cli, &result);
	puts("");
	show_links(cli, &result);
	return 0;
}

/* The id of a slice, so that waiting works after its name is gone. */
static bool
slice_id(struct cli *cli, const struct rpc_client *snc, const char *name, const char **id,
    struct err *err)
{
	struct snc_slice_wait_args args = {.slice = name};
	struct snc_slice_wait_result result;

	if (!snc_slice_wait_call(snc, cli->arena, &args, &result, err))
		return false;
	if (!result.n_slices)
		return err_set(err, ERR_NOT_FOUND, "there is no slice '%s'", name);
	*id = result.slices->id;
	return true;
}

typedef bool change(
    const struct rpc_client *snc, struct cli *cli, const char *slice, struct err *err);

static int
change_slice(struct cli *cli, change *call, const char *goal)
{
	const struct rpc_client *snc;
	const char *name = NULL, *id = NULL;
	struct err err = {0};
	int64_t seq;

	if (!cli_word(cli, "SLICE", &name, &err) || !(snc = cli_snc(cli, &err)))
		return cli_fail(cli, &err, NULL);
	if (!slice_id(cli, snc, name, &id, &err))
		return cli_fail(cli, &err, NULL);
	seq = cli->flags.wait ? cli_last_event(cli, snc) : 0;
	if (!call(snc, cli, id, &err))
		return cli_fail(cli, &err, NULL);
	if (!cli->flags.wait)
		return 0;
	return cli_wait_slice(cli, id, cli->flags.wait_state ? cli->flags.wait_state : goal, seq);
}

static bool
call_run(const struct rpc_client *snc, struct cli *cli, const char *slice, struct err *err)
{
	struct snc_slice_run_result result;

	return snc_slice_run_call(
	    snc, cli->arena, &(struct snc_slice_run_args){slice}, &result, err);
}

static bool
call_reserve(const struct rpc_client *snc, struct cli *cli, const char *slice, struct err *err)
{
	struct snc_slice_reserve_result result;

	return snc_slice_reserve_call(
	    snc, cli->arena, &(struct snc_slice_reserve_args){slice}, &result, err);
}

static bool
call_stop(const struct rpc_client *snc, struct cli *cli, const char *slice, struct err *err)
{
	struct snc_slice_stop_result result;

	return snc_slice_stop_call(
	    snc, cli->arena, &(struct snc_slice_stop_args){slice}, &result, err);
}

static bool
call_delete(const struct rpc_client *snc, struct cli *cli, const char *slice, struct err *err)
{
	struct snc_slice_delete_result result;

	return snc_slice_delete_call(
	    snc, cli->arena, &(struct snc_slice_delete_args){slice}, &result, err);
}

static int
run_reserve(struct cli *cli)
{
	return change_slice(cli, call_reserve, "RESERVED");
}

static int
run_run(struct cli *cli)
{
	return change_slice(cli, call_run, "RUNNING");
}

static int
run_stop(struct cli *cli)
{
	return change_slice(cli, call_stop, "STOPPED");
}

/* On a terminal the name must be typed; elsewhere --yes is wanted. */
static bool
is_confirmed(struct cli *cli, const char *name, struct err *err)
{
	char answer[128];

	if (cli->flags.yes)
		return true;
	if (cli->flags.no_input || !isatty(STDIN_FILENO)) {
		err_set(err, ERR_USAGE, "deleting '%s' wants --yes", name);
		return false;
	}
	fprintf(stderr, "delete slice '%s' and all its nodes? Type its name: ", name);
	if (!fgets(answer, sizeof(answer), stdin))
		answer[0] = '\0';
	answer[strcspn(answer, "\n")] = '\0';
	return !strcmp(answer, name) ||
	       err_set(err, ERR_USAGE, "'%s' is not '%s': nothing done", answer, name);
}

static int
run_delete(struct cli *cli)
{
	const char *name = NULL;
	struct err err = {0};

	if (!cli_word(cli, "SLICE", &name, &err) || !is_confirmed(cli, name, &err))
		return cli_fail(cli, &err, NULL);
	return change_slice(cli, call_delete, "GONE");
}

static int
run_watch(struct cli *cli)
{
	const struct rpc_client *snc;
	const char *name = NULL, *id = NULL;
	struct err err = {0};

	if (!cli_word(cli, "SLICE", &name, &err) || !(snc = cli_snc(cli, &err)) ||
	    !slice_id(cli, snc, name, &id, &err))
		return cli_fail(cli, &err, NULL);
	return cli_watch_slice(cli, id);
}

/* The only word, or -f. */
static bool
read_question(struct cli *cli, struct question *question, struct err *err)
{
	return cli_instant("from", cli->flags.from, &question->from, err) &&
	       cli_instant("until", cli->flags.until, &question->until, err) &&
	       cli_read_document(cli, &question->file, &question->document, err);
}

bool
cli_read_document(struct cli *cli, const char **file, struct rpc_blob *document, struct err *err)
{
	*file = cli->flags.file;
	return (*file || cli_word(cli, "FILE", file, err)) &&
	       cli_document(cli, *file, document, err);
}

bool
cli_document(struct cli *cli, const char *file, struct rpc_blob *document, struct err *err)
{
	auto_str struct str text = {0};
	char chunk[65536];
	ssize_t got;
	int fd = !strcmp(file, "-") ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, ERR_USAGE, "'%s': %s", file, strerror(errno));
	while ((got = read(fd, chunk, sizeof(chunk))) > 0 && text.len <= DOCUMENT_MAX)
		str_add_bytes(&text, chunk, (size_t)got);
	close(fd);
	if (got < 0)
		return err_set(err, ERR_USAGE, "'%s': %s", file, strerror(errno));
	if (text.len > DOCUMENT_MAX)
		return err_set(err, ERR_X19, "'%s' is larger than 1 MiB", file);
	*document = (struct rpc_blob){arena_copy(cli->arena, str_text(&text), text.len), text.len};
	return true;
}
