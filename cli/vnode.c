/*
 * vnode: the command line's main. Finds the row of the verb, parses its flags, runs it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pki.h"
#include "lib/base/log.h"
#include "lib/base/nearest.h"

static const struct {
	const char *name;
	const struct cli_verb *verbs;
	const char *summary;
	int (*run)(int argc, char **argv); /* a noun with a grammar of its own, instead of verbs */
} nouns[] = {
    {"slice", cli_slice_verbs, "slices: check, create, show, run, stop, delete", NULL},
    {"node", cli_node_verbs, "virtual nodes: list, console, exec", NULL},
    {"link", cli_link_verbs, "virtual links: list, show, top, set, capture", NULL},
    {"path", cli_path_verbs, "transport paths", NULL},
    {"host", cli_host_verbs, "VNodes and access gateways", NULL},
    {"event", cli_event_verbs, "what happened", NULL},
    {"project", cli_project_verbs, "projects: who shares slices, and their members", NULL},
    {"quota", cli_quota_verbs, "how much a project may have, and has", NULL},
    {"usage", cli_usage_verbs, "what was reserved for how long", NULL},
    {"audit", cli_audit_verbs, "who did what", NULL},
    {"doctor", cli_doctor_verbs, "what the hosts can do, and what to do about it", NULL},
    {"restore", cli_restore_verbs, "when sncd's database was put back to an older state", NULL},
    {"orphans", cli_orphans_verbs, "what does not agree between books and world", NULL},
    {"pki", NULL, "the private CA and its certificates", cli_pki},
};

enum { N_NOUNS = sizeof(nouns) / sizeof(nouns[0]) };

static int help(void);
static int help_noun(const char *noun, const struct cli_verb *verbs);
static int refuse_noun(const char *word);
static int refuse_verb(const char *noun, const struct cli_verb *verbs, const char *word);
static const struct cli_verb *find_verb(const struct cli_verb *verbs, const char *word);
static int run(const struct cli_verb *verb, int argc, char **argv);

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help"))
		return help();
	if (!strcmp(argv[1], "--version")) {
		puts("vnode " VNODE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < N_NOUNS; i++) {
		const struct cli_verb *verb;
		const char *word = argc > 2 ? argv[2] : "--help";

		if (strcmp(argv[1], nouns[i].name) != 0)
			continue;
		if (nouns[i].run)
			return nouns[i].run(argc - 2, argv + 2);
		if (!nouns[i].verbs[0].verb[0])
			return run(&nouns[i].verbs[0], argc - 2, argv + 2);
		if (!strcmp(word, "--help") || !strcmp(word, "-h"))
			return help_noun(argv[1], nouns[i].verbs);
		verb = find_verb(nouns[i].verbs, word);
		if (verb)
			return run(verb, argc - 3, argv + 3);
		return refuse_verb(nouns[i].name, nouns[i].verbs, word);
	}
	return refuse_noun(argv[1]);
}

static int
refuse_noun(const char *word)
{
	struct nearest nearest = {.word = word};

	for (size_t i = 0; i < N_NOUNS; i++)
		nearest_offer(&nearest, nouns[i].name);
	fprintf(stderr, "error: '%s' is no command\n  try: vnode %s%s--help\n", word,
	    nearest.best ? nearest.best : "", nearest.best ? " " : "");
	return err_code_exit(ERR_USAGE);
}

static int
refuse_verb(const char *noun, const struct cli_verb *verbs, const char *word)
{
	struct nearest nearest = {.word = word};

	for (; verbs->noun; verbs++)
		nearest_offer(&nearest, verbs->verb);
	fprintf(stderr, "error: '%s' is no verb of %s\n  try: vnode %s %s\n", word, noun, noun,
	    nearest.best ? nearest.best : "--help");
	return err_code_exit(ERR_USAGE);
}

static int
help(void)
{
	puts("usage: vnode NOUN VERB [NAME] [FLAGS]\n");
	for (size_t i = 0; i < N_NOUNS; i++)
		printf("  %-8s  %s\n", nouns[i].name, nouns[i].summary);
	puts("\nvnode NOUN --help lists the verbs, vnode NOUN VERB --help explains one.\n"
	     "--json prints what the API answers; exit codes: 0 ok, 1 failed, 2 usage, 3 not "
	     "found,\n"
	     "4 not allowed, 5 conflict, 6 not feasible, 7 timeout, 8 unreachable, 9 quota.");
	return 0;
}

static int
help_noun(const char *noun, const struct cli_verb *verbs)
{
	printf("usage: vnode %s VERB [NAME] [FLAGS]\n\n", noun);
	for (; verbs->noun; verbs++)
		printf("  vnode %s %s%s%s\n      %s\n", noun, verbs->verb,
		    verbs->usage[0] ? " " : "", verbs->usage, verbs->summary);
	return 0;
}

static const struct cli_verb *
find_verb(const struct cli_verb *verbs, const char *word)
{
	for (; verbs->noun; verbs++)
		if (!strcmp(verbs->verb, word))
			return verbs;
	return NULL;
}

static int
run(const struct cli_verb *verb, int argc, char **argv)
{
	auto_arena struct arena *arena = arena_new();
	struct cli cli = {.verb = verb, .arena = arena};
	struct err err = {0};
	int code;

	if (!cli_parse(&cli, argc, argv, &err))
		return cli_fail(&cli, &err, NULL);
	if (cli.flags.help) {
		cli_help_verb(verb);
		return 0;
	}
	code = verb->run(&cli);
	cli_context_free(cli.context);
	return code;
}
