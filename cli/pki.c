/*
 * vnode pki …
 */
#include "cli/pki.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/crypto/pki.h"

enum { NAMES_MAX = 16, DAYS_MAX = 3650 };

/* What was written behind the verb. */
struct words {
	const char *word; /* DIR or FILE */
	const char *role, *name, *out;
	const char *ips[NAMES_MAX], *dns[NAMES_MAX];
	size_t n_ips, n_dns;
	long long days;
};

static int help(void);
static bool parse(struct words *words, int argc, char **argv, struct err *err);
static bool take_flag(struct words *words, const char *flag, const char *value, struct err *err);
static bool run(const char *verb, const struct words *words, struct err *err);
static bool issue(const struct words *words, struct err *err);

int
cli_pki(int argc, char **argv)
{
	struct words words = {0};
	struct err err = {0};

	for (int i = 0; i < argc; i++)
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return help();
	if (argc == 0)
		return help();
	if (parse(&words, argc - 1, argv + 1, &err) && run(argv[0], &words, &err))
		return 0;
	fprintf(stderr, "error: %s [%s]\n", err.text, err_code_text(err.code));
	if (err.hint[0])
		fprintf(stderr, "  try: %s\n", err.hint);
	return err_code_exit(err.code);
}

static int
help(void)
{
	puts("usage: vnode pki VERB …\n\n"
	     "  vnode pki init DIR\n"
	     "      Make the CA of a domain: DIR/ca.crt for everybody, DIR/ca.key for nobody.\n"
	     "  vnode pki issue DIR --role ROLE --name NAME [--ip ADDRESS]… [--dns NAME]…\n"
	     "                  [--days N] --out PREFIX\n"
	     "      Make PREFIX.crt and PREFIX.key (mode 0600), signed by that CA.\n"
	     "      ROLE of a daemon: snc tnc redirector programmer agw router portal sep;\n"
	     "      of a user: viewer developer vendor noc admin peer.\n"
	     "      A daemon's certificate also has the name ROLE.NAME.vnode; --ip and --dns add\n"
	     "      others. It is good for 90 days, or --days.\n"
	     "  vnode pki show FILE\n"
	     "      Print what a certificate says, lines key=value.\n\n"
	     "example: vnode pki init pki && vnode pki issue pki --role developer --name dev1 "
	     "--out dev1");
	return 0;
}

static bool
parse(struct words *words, int argc, char **argv, struct err *err)
{
	for (int i = 0; i < argc; i++) {
		if (argv[i][0] != '-' && words->word)
			return err_set(err, ERR_USAGE, "'%s' is one word too many", argv[i]);
		if (argv[i][0] != '-') {
			words->word = argv[i];
		} else if (i + 1 >= argc) {
			return err_set(err, ERR_USAGE, "%s wants a value", argv[i]);
		} else {
			if (!take_flag(words, argv[i], argv[i + 1], err))
				return false;
			i++;
		}
	}
	if (words->word)
		return true;
	err_set(err, ERR_USAGE, "the folder or file is missing");
	return err_hint(err, "vnode pki --help");
}

static bool
add(const char **list, size_t *n, const char *value, struct err *err)
{
	if (*n == NAMES_MAX)
		return err_set(err, ERR_USAGE, "more than %d names or addresses", NAMES_MAX);
	list[(*n)++] = value;
	return true;
}

static bool
take_flag(struct words *words, const char *flag, const char *value, struct err *err)
{
	if (!strcmp(flag, "--ip"))
		return add(words->ips, &words->n_ips, value, err);
	if (!strcmp(flag, "--dns"))
		return add(words->dns, &words->n_dns, value, err);
	if (!strcmp(flag, "--role")) {
		words->role = value;
	} else if (!strcmp(flag, "--name")) {
		words->name = value;
	} else if (!strcmp(flag, "--out")) {
		words->out = value;
	} else if (!strcmp(flag, "--days")) {
		if (!str_to_i64(value, 1, DAYS_MAX, &words->days))
			return err_set(
			    err, ERR_USAGE, "--days %s: 1 to %d are possible", value, DAYS_MAX);
	} else {
		err_set(err, ERR_USAGE, "'%s' is no flag of vnode pki", flag);
		return err_hint(err, "vnode pki --help");
	}
	return true;
}

static bool
run(const char *verb, const struct words *words, struct err *err)
{
	auto_str struct str text = {0};

	if (!strcmp(verb, "issue"))
		return issue(words, err);
	if (words->role || words->name || words->out || words->n_ips || words->n_dns || words->days)
		return err_set(err, ERR_USAGE, "vnode pki %s takes no flags", verb);
	if (!strcmp(verb, "init")) {
		if (!pki_init(words->word, err))
			return false;
		printf("%s/ca.crt\n%s/ca.key\n", words->word, words->word);
		return true;
	}
	if (!strcmp(verb, "show")) {
		if (!pki_show(words->word, &text, err))
			return false;
		fputs(str_text(&text), stdout);
		return true;
	}
	err_set(err, ERR_USAGE, "'%s' is no verb of vnode pki", verb);
	return err_hint(err, "vnode pki --help");
}

static bool
issue(const struct words *words, struct err *err)
{
	struct pki_leaf leaf = {.role = words->role,
	    .name = words->name,
	    .ips = words->ips,
	    .n_ips = words->n_ips,
	    .dns = words->dns,
	    .n_dns = words->n_dns,
	    .days = (int)words->days};

	if (!words->role || !words->name || !words->out)
		return err_set(err, ERR_USAGE, "--role, --name and --out are wanted");
	if (!pki_issue(words->word, &leaf, words->out, err))
		return false;
	printf("%s.crt\n%s.key\n", words->out, words->out);
	return true;
}
