/*
 * Flags and words of a command. Which flags a verb takes stands in its row; what they mean is the
 * same everywhere and stands here.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/when.h"

enum flag_kind { FLAG_BARE, FLAG_VALUE, FLAG_OPTIONAL };

static const struct flag {
	const char *name;
	char letter;
	enum flag_kind kind;
	size_t offset;       /* of the bool, or of the text */
	size_t offset_value; /* FLAG_OPTIONAL: of the text */
	const char *help;
} flags[] = {
    {"help", 'h', FLAG_BARE, offsetof(struct cli_flags, help), 0, "this text"},
    {"json", 'j', FLAG_BARE, offsetof(struct cli_flags, json), 0, "print what the API answers"},
    {"context", 0, FLAG_VALUE, offsetof(struct cli_flags, context), 0,
	"NAME of a context of the configuration"},
    {"file", 'f', FLAG_VALUE, offsetof(struct cli_flags, file), 0,
	"FILE with the document; - is stdin"},
    {"wait", 'w', FLAG_OPTIONAL, offsetof(struct cli_flags, wait),
	offsetof(struct cli_flags, wait_state), "until it is done, or until the given STATE"},
    {"no-wait", 0, FLAG_BARE, offsetof(struct cli_flags, no_wait), 0,
	"return at once (the default)"},
    {"timeout", 0, FLAG_VALUE, offsetof(struct cli_flags, timeout), 0, "TIME to wait: 30s, 5m"},
    {"goal", 0, FLAG_VALUE, offsetof(struct cli_flags, goal), 0,
	"STATE to reach: DEFINED, RESERVED or RUNNING"},
    {"from", 0, FLAG_VALUE, offsetof(struct cli_flags, from), 0,
	"WHEN it starts: 2026-11-22T08:00Z, or +90m from now"},
    {"until", 0, FLAG_VALUE, offsetof(struct cli_flags, until), 0,
	"WHEN it ends; without it never, if nothing else is said"},
    {"duration", 0, FLAG_VALUE, offsetof(struct cli_flags, length), 0,
	"TIME that it is to last: 2h; without it for ever"},
    {"after", 0, FLAG_VALUE, offsetof(struct cli_flags, after), 0,
	"WHEN it may start at the earliest; without it now"},
    {"before", 0, FLAG_VALUE, offsetof(struct cli_flags, before), 0,
	"WHEN it must end at the latest"},
    {"reason", 0, FLAG_VALUE, offsetof(struct cli_flags, reason), 0,
	"TEXT that refusals give to people"},
    {"project", 0, FLAG_VALUE, offsetof(struct cli_flags, project), 0, "NAME of the project"},
    {"user", 0, FLAG_VALUE, offsetof(struct cli_flags, user), 0, "NAME in the certificate"},
    {"note", 0, FLAG_VALUE, offsetof(struct cli_flags, note), 0, "TEXT for people"},
    {"slices", 0, FLAG_VALUE, offsetof(struct cli_flags, slices), 0, "N at a time"},
    {"cpu", 0, FLAG_VALUE, offsetof(struct cli_flags, cpu), 0, "N at a time"},
    {"memory", 0, FLAG_VALUE, offsetof(struct cli_flags, memory), 0, "SIZE at a time: 64GiB"},
    {"rate-hours", 0, FLAG_VALUE, offsetof(struct cli_flags, rate_hours), 0,
	"RATE times hours in all: 500Gbps is 500 Gbps for one hour, or 1 Gbps for 500"},
    {"since", 0, FLAG_VALUE, offsetof(struct cli_flags, since), 0,
	"WHEN rate-hours begin to count; without it always"},
    {"each", 0, FLAG_BARE, offsetof(struct cli_flags, each), 0,
	"of each user in it, not of all together"},
    {"site", 0, FLAG_BARE, offsetof(struct cli_flags, site), 0,
	"of all projects that say nothing else"},
    {"head", 0, FLAG_VALUE, offsetof(struct cli_flags, head), 0,
	"SEQ:HASH that was printed before"},
    {"slice", 's', FLAG_VALUE, offsetof(struct cli_flags, slice), 0, "NAME: of this slice only"},
    {"tnc", 0, FLAG_BARE, offsetof(struct cli_flags, tnc), 0, "of tncd, not of sncd"},
    {"once", 0, FLAG_BARE, offsetof(struct cli_flags, once), 0, "one sample, then end"},
    {"rate", 0, FLAG_VALUE, offsetof(struct cli_flags, rate), 0,
	"RATE guaranteed both ways: 50Mbps"},
    {"k", 0, FLAG_VALUE, offsetof(struct cli_flags, k), 0, "N ways at most (3)"},
    {"disjoint", 0, FLAG_VALUE, offsetof(struct cli_flags, disjoint), 0,
	"link, node or risk: two ways that have none of these in common"},
    {"metric", 0, FLAG_VALUE, offsetof(struct cli_flags, metric), 0,
	"delay (default), cost, load or widest: which way is the best"},
    {"latency", 0, FLAG_VALUE, offsetof(struct cli_flags, latency), 0,
	"TIME at most, one way: 20ms"},
    {"hops", 0, FLAG_VALUE, offsetof(struct cli_flags, hops), 0, "N links at most"},
    {"rate-up", 0, FLAG_VALUE, offsetof(struct cli_flags, rate_up), 0,
	"RATE guaranteed from the first end alone"},
    {"rate-down", 0, FLAG_VALUE, offsetof(struct cli_flags, rate_down), 0,
	"RATE guaranteed to the first end alone"},
    {"max", 0, FLAG_VALUE, offsetof(struct cli_flags, max), 0,
	"RATE that it may use while others leave it free"},
    {"burst", 0, FLAG_VALUE, offsetof(struct cli_flags, burst), 0, "SIZE: 64KiB"},
    {"isolation", 0, FLAG_VALUE, offsetof(struct cli_flags, isolation), 0,
	"shaping, policing or besteffort"},
    {"priority", 0, FLAG_VALUE, offsetof(struct cli_flags, priority), 0,
	"N: frames of DSCP 8 x N and above go first; 0 = all alike"},
    {"output", 'o', FLAG_VALUE, offsetof(struct cli_flags, output), 0,
	"FILE to write; without it stdout"},
    {"end", 0, FLAG_VALUE, offsetof(struct cli_flags, end), 0,
	"NODE whose end of the link is meant, or all; without it the first"},
    {"filter", 0, FLAG_VALUE, offsetof(struct cli_flags, filter), 0,
	"'tcp and port 80': which frames"},
    {"snaplen", 0, FLAG_VALUE, offsetof(struct cli_flags, snaplen), 0,
	"N bytes of a frame that are kept (2048)"},
    {"count", 0, FLAG_VALUE, offsetof(struct cli_flags, count), 0, "N frames, then end"},
    {"for", 0, FLAG_VALUE, offsetof(struct cli_flags, duration), 0, "TIME, then end (60s)"},
    {"device", 0, FLAG_VALUE, offsetof(struct cli_flags, device), 0,
	"NAME of a device of the host that the copies go to instead (operators)"},
    {"plan", 0, FLAG_BARE, offsetof(struct cli_flags, plan), 0,
	"say what would be done, and do nothing"},
    {"restart", 0, FLAG_BARE, offsetof(struct cli_flags, restart), 0,
	"nodes of a running slice may begin anew"},
    {"nodes", 0, FLAG_BARE, offsetof(struct cli_flags, nodes), 0,
	"nodes may move too, and begin anew"},
    {"yes", 'y', FLAG_BARE, offsetof(struct cli_flags, yes), 0, "do not ask"},
    {"no-input", 0, FLAG_BARE, offsetof(struct cli_flags, no_input), 0, "never ask"},
    {"read", 0, FLAG_BARE, offsetof(struct cli_flags, read), 0, "print what there is and end"},
    {"follow", 0, FLAG_BARE, offsetof(struct cli_flags, follow), 0, "go on until interrupted"},
    {"send", 0, FLAG_VALUE, offsetof(struct cli_flags, send), 0, "TEXT to type, and Enter"},
    {"expect", 0, FLAG_VALUE, offsetof(struct cli_flags, expect), 0,
	"TEXT to wait for in the output"},
};

enum { N_FLAGS = sizeof(flags) / sizeof(flags[0]) };

static const char always[] = "help json context";

static bool take_flag(struct cli *cli, int argc, char **argv, int *at, struct err *err);
static bool is_among(const char *list, const char *word);
static bool is_understood(const struct cli *cli, struct err *err);

bool
cli_parse(struct cli *cli, int argc, char **argv, struct err *err)
{
	cli->words = arena_alloc(cli->arena, ((size_t)argc + 1) * sizeof(*cli->words));
	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			cli->rest = argv + i + 1;
			cli->n_rest = (size_t)(argc - i - 1);
			break;
		}
		if (argv[i][0] == '-' && argv[i][1]) {
			if (!take_flag(cli, argc, argv, &i, err))
				return false;
		} else {
			cli->words[cli->n_words++] = argv[i];
		}
	}
	return is_understood(cli, err);
}

/* What would be ignored, or refused after something has been done, is refused now. */
static bool
is_understood(const struct cli *cli, struct err *err)
{
	int64_t ms;

	if (cli->flags.help)
		return true;
	if (!cli_timeout(cli, 0, &ms, err))
		return false;
	if (cli->verb->usage[0] || !cli->n_words)
		return true;
	err_set(err, ERR_USAGE, "vnode %s%s%s takes no name, but there is '%s'", cli->verb->noun,
	    cli->verb->verb[0] ? " " : "", cli->verb->verb, cli->words[0]);
	if (is_among(cli->verb->flags, "slice"))
		return err_hint(err, "--slice %s", cli->words[0]);
	return err_hint(err, "vnode %s%s%s --help", cli->verb->noun, cli->verb->verb[0] ? " " : "",
	    cli->verb->verb);
}

/* Is the word among the blank-separated ones of list? */
static bool
is_among(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = list; (at = strstr(at, word)); at += length)
		if ((at == list || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return false;
}

static const struct flag *
find_flag(const struct cli_verb *verb, const char *arg)
{
	size_t length = strcspn(arg, "=");

	for (size_t i = 0; i < N_FLAGS; i++) {
		const struct flag *flag = &flags[i];
		bool is_long = arg[1] == '-' && strlen(flag->name) == length - 2 &&
			       !strncmp(arg + 2, flag->name, length - 2);
		bool is_short = arg[1] == flag->letter && flag->letter && !arg[2];

		if ((is_long || is_short) &&
		    (is_among(always, flag->name) || is_among(verb->flags, flag->name)))
			return flag;
	}
	return NULL;
}

static bool
take_flag(struct cli *cli, int argc, char **argv, int *at, struct err *err)
{
	const char *arg = argv[*at], *equals = strchr(arg, '=');
	const struct flag *flag = find_flag(cli->verb, arg);
	char *slots = (char *)&cli->flags;

	if (!flag) {
		err_set(err, ERR_USAGE, "'%s' is no flag of vnode %s %s", arg, cli->verb->noun,
		    cli->verb->verb);
		return err_hint(err, "vnode %s %s --help", cli->verb->noun, cli->verb->verb);
	}
	if (flag->kind == FLAG_BARE && equals)
		return err_set(err, ERR_USAGE, "--%s takes no value", flag->name);
	if (flag->kind != FLAG_VALUE)
		*(bool *)(slots + flag->offset) = true;
	if (flag->kind == FLAG_OPTIONAL && equals)
		*(const char **)(slots + flag->offset_value) = equals + 1;
	if (flag->kind != FLAG_VALUE)
		return true;
	if (!equals && *at + 1 >= argc)
		return err_set(err, ERR_USAGE, "--%s wants a value", flag->name);
	*(const char **)(slots + flag->offset) = equals ? equals + 1 : argv[++*at];
	return true;
}

bool
cli_time(const char *flag, const char *text, int64_t *ms, struct err *err)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};

	char number[16];
	size_t digits;
	long long value;

	digits = strspn(text, "0123456789");
	snprintf(number, sizeof(number), "%.*s", (int)(digits < 15 ? digits : 15), text);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(text + digits, units[i].unit) &&
		    str_to_i64(number, 0, 1000000, &value)) {
			*ms = value * units[i].ms;
			return true;
		}
	return err_set(
	    err, ERR_USAGE, "--%s '%s': a number with ms, s, m or h was expected", flag, text);
}

bool
cli_instant(const char *flag, const char *text, struct rpc_opt_i64 *at, struct err *err)
{
	*at = (struct rpc_opt_i64){.is_set = text != NULL};
	if (!text || when_parse(text, clock_wall_ms(&clock_real), &at->value, err))
		return true;
	err->code = ERR_USAGE;
	return err_in(err, "--%s", flag);
}

bool
cli_timeout(const struct cli *cli, int64_t otherwise_ms, int64_t *ms, struct err *err)
{
	*ms = otherwise_ms;
	return !cli->flags.timeout || cli_time("timeout", cli->flags.timeout, ms, err);
}

bool
cli_word(const struct cli *cli, const char *what, const char **word, struct err *err)
{
	if (cli->n_words != 1) {
		err_set(err, ERR_USAGE, "vnode %s %s wants one %s", cli->verb->noun,
		    cli->verb->verb, what);
		return err_hint(err, "vnode %s %s --help", cli->verb->noun, cli->verb->verb);
	}
	*word = cli->words[0];
	return true;
}

bool
cli_split(struct cli *cli, const char *word, const char **slice, const char **name, struct err *err)
{
	const char *slash = strchr(word, '/');

	if (!slash || slash == word || !slash[1]) {
		err_set(err, ERR_USAGE, "'%s': SLICE/NAME was expected", word);
		return err_hint(err, "vnode %s list", cli->verb->noun);
	}
	*slice = arena_copy(cli->arena, word, (size_t)(slash - word));
	*name = slash + 1;
	return true;
}

void
cli_help_verb(const struct cli_verb *verb)
{
	printf("usage: vnode %s%s%s%s%s\n\n%s\n", verb->noun, verb->verb[0] ? " " : "", verb->verb,
	    verb->usage[0] ? " " : "", verb->usage, verb->summary);
	if (verb->detail)
		printf("\n%s\n", verb->detail);
	puts("\nflags:");
	for (size_t i = 0; i < N_FLAGS; i++) {
		const struct flag *flag = &flags[i];

		if (!is_among(always, flag->name) && !is_among(verb->flags, flag->name))
			continue;
		printf("  %s%c%s --%-10s %s\n", flag->letter ? "-" : " ",
		    flag->letter ? flag->letter : ' ', flag->letter ? "," : " ", flag->name,
		    flag->help);
	}
}
