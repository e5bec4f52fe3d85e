/*
 * The command line: `vnode NOUN VERB [NAME] [FLAGS]`. One file a noun, one row a verb; this header
 * is what the nouns share. Results go to stdout; progress, hints and errors to stderr; exit codes
 * are those of schemas/err.def.
 */
#pragma once

#include <stdio.h>

#include "lib/api/snc_api.h"
#include "lib/api/tnc_api.h"
#include "lib/base/arena.h"
#include "lib/base/str.h"

struct cli;

/* One verb of a noun. Its function returns the exit code. */
struct cli_verb {
	const char *noun;
	const char *verb;    /* "" = the noun alone is the command */
	const char *usage;   /* what follows: "SLICE/NODE -- COMMAND…" */
	const char *summary; /* one line */
	const char *flags;   /* names of the flags it takes, blank-separated */
	int (*run)(struct cli *cli);
	const char *detail; /* examples and remarks for --help; may be NULL */
};

/* What the verbs of slices share (cli_slice.c): a document from a file, - is stdin, and all faults
 * of one. */
bool cli_document(
    struct cli *cli, const char *file, struct rpc_blob *document, struct err *err) must_check;
int cli_check(struct cli *cli, const struct rpc_client *snc, const char *file,
    const struct rpc_blob *document, bool is_quiet);

/* Verbs that have a file of their own. */
int cli_slice_modify(struct cli *cli);
int cli_slice_optimise(struct cli *cli);
int cli_host_evict(struct cli *cli);
int cli_host_readmit(struct cli *cli);
int cli_host_retry(struct cli *cli);
int cli_host_drain(struct cli *cli);
int cli_host_undrain(struct cli *cli);
int cli_link_top(struct cli *cli);
int cli_link_capture(struct cli *cli);

/* Of slices. */
int cli_slice_find_slot(struct cli *cli);
int cli_slice_list(struct cli *cli);
int cli_slice_renew(struct cli *cli);

/* What would fit instead of a slice that does not, on stderr. */
void cli_remedies(const struct snc_slice_check_result *result);

/* What a slice would use of its quotas, as a table. */
void cli_quotas(struct cli *cli, const struct snc_slice_check_result *result);

/* An amount of what a quota counts. */
const char *cli_amount(struct cli *cli, const char *what, int64_t amount);

extern const struct cli_verb cli_slice_verbs[], cli_node_verbs[], cli_link_verbs[],
    cli_path_verbs[], cli_host_verbs[], cli_event_verbs[], cli_doctor_verbs[], cli_orphans_verbs[],
    cli_restore_verbs[], cli_project_verbs[], cli_quota_verbs[], cli_usage_verbs[],
    cli_audit_verbs[];

struct cli_flags {
	bool json, yes, no_input, no_wait, wait, help, read, follow, ctl;
	const char *wait_state; /* --wait=STATE */
	const char *file;       /* -f FILE */
	const char *timeout;    /* --timeout 5m */
	const char *context;    /* --context NAME */
	const char *send;       /* --send TEXT */
	const char *expect;     /* --expect TEXT */
	const char *goal;       /* --goal STATE */
	const char *slice;      /* --slice NAME */
	bool once, plan, restart, nodes, tnc;
	/* of projects */
	const char *project, *user, *note, *slices, *cpu, *memory, *rate_hours, *since, *head;
	bool each, site;
	/* of links */
	const char *rate, *rate_up, *rate_down, *max, *burst, *isolation, *priority;
	/* of paths */
	const char *k, *disjoint, *metric, *latency, *hops;
	/* of times */
	const char *from, *until, *length, *after, *before, *reason;
	/* of captures */
	const char *output, *end, *filter, *snaplen, *count, *duration, *device;
};

struct cli {
	const struct cli_verb *verb;
	struct cli_flags flags;
	const char **words; /* what is neither flag nor behind `--` */
	size_t n_words;
	char **rest; /* behind `--` */
	size_t n_rest;
	struct arena *arena;         /* of the command: all results */
	struct cli_context *context; /* made at first use */
};

/* ---- flags and words (cli_args.c) ---- */

/* Fills flags, words, rest. ERR_USAGE. */
bool cli_parse(struct cli *cli, int argc, char **argv, struct err *err) must_check;

/* --timeout in milliseconds, or what is given. ERR_USAGE. */
bool cli_timeout(
    const struct cli *cli, int64_t otherwise_ms, int64_t *ms, struct err *err) must_check;

/* "30s" and the like in milliseconds. ERR_USAGE naming the flag. */
bool cli_time(const char *flag, const char *text, int64_t *ms, struct err *err) must_check;

/* The instant of a flag as people write it; not set when the text is NULL. ERR_USAGE naming the
 * flag. */
bool cli_instant(
    const char *flag, const char *text, struct rpc_opt_i64 *at, struct err *err) must_check;

/* The only word; ERR_USAGE naming `what` when there is none or more than one. */
bool cli_word(
    const struct cli *cli, const char *what, const char **word, struct err *err) must_check;

/* Splits SLICE/NAME; ERR_USAGE. */
bool cli_split(struct cli *cli, const char *word, const char **slice, const char **name,
    struct err *err) must_check;

void cli_help_verb(const struct cli_verb *verb);

/* ---- the other side (cli_context.c) ---- */

/* Clients of sncd and tncd by the configuration: $VNODE_CONFIG, else
 * $XDG_CONFIG_HOME/vnode/config.ini. */
const struct rpc_client *cli_snc(struct cli *cli, struct err *err);
const struct rpc_client *cli_tnc(struct cli *cli, struct err *err);
void cli_context_free(struct cli_context *context);

/* The file that is read, and a value of the context in use (snc, tnc, ca, cert, key). Borrowed;
 * NULL when absent, and with err set when there is no configuration. */
const char *cli_config_file(struct cli *cli);
const char *cli_setting(struct cli *cli, const char *key, struct err *err);

/* ---- documents (cli_slice.c) ---- */

/* The document of --file or of the only word. ERR_USAGE, ERR_X19. */
bool cli_read_document(
    struct cli *cli, const char **file, struct rpc_blob *document, struct err *err) must_check;

/* ---- output (cli_output.c) ---- */

/* Prints the error as the portal and the REST API would say it, returns its exit code. file may be
 * NULL. */
int cli_fail(const struct cli *cli, const struct err *err, const char *file);

/* One diagnosis of a check. */
void cli_diagnosis(const struct snc_diagnosis *diagnosis, const char *file);

/* The result of a call as JSON on stdout. */
void cli_json(const struct rpc_service *service, const char *method, const void *result);

/* One event: as a line of JSON, and as a line on stdout with date and time. */
void cli_json_event(const struct snc_event *event, FILE *out);
void cli_print_event(const struct snc_event *event);

/* A table: a row of cells a time, printed aligned at the end. Cells are copied. */
struct cli_table;
struct cli_table *cli_table_new(size_t n_columns, ...); /* headings: const char * */
void cli_table_row(struct cli_table *table, ...); /* cells: const char *; NULL or "" shows as - */
void cli_table_print(struct cli_table *table);    /* to stdout; frees it */

/* The far end of a link as a cell; of a multipoint link how many ends there are. In arena. */
const char *cli_link_b(struct cli *cli, const struct snc_link *link);

/* "3m12s" since a wall time; in arena. */
const char *cli_age(struct cli *cli, int64_t since_ms);

/* ---- waiting (cli_wait.c) ---- */

/* The highest event number there is; 0 on failure. */
int64_t cli_last_event(struct cli *cli, const struct rpc_client *snc);

/*
 * Waits until the slice has `state` ("GONE" = deleted; NULL = nothing under way) or cannot get
 * there, printing events after `seq` to stderr. Returns the exit code: 7 when time ran out.
 */
int cli_wait_slice(struct cli *cli, const char *slice_id, const char *state, int64_t seq);

/* Prints all events of the slice to stdout until it is deleted. Returns the exit code. */
int cli_watch_slice(struct cli *cli, const char *slice_id);
