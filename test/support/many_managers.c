/*
 * The hosts of a large domain in one process: for each of N VNodes a redirector and a programmer,
 * and one tnc, each a daemon as it is (lib/api/daemon: certificate, store, listener, hello; the
 * protocol by lib/engine/manager) whose objects are nothing: what is asked for stands at once.
 *
 *     many_managers DIR N [FROM]
 *
 * DIR is made, with DIR/ca, DIR/snc (certificate of sncd, and of the user `noc`), sncd.conf and
 * substrate.xml for an sncd at 127.0.0.1:7701 whose state is to be in DIR/../state, and a folder
 * for each daemon; VNode I is 127.1.(I / 250).(I % 250 + 1). A process has 500 of the hosts, as
 * descriptors are bounded: with FROM, hosts from there on, of a DIR that is made. Prints `ready`
 * when all serve; ends at SIGTERM.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/daemon.h"
#include "lib/crypto/pki.h"
#include "test/support/plain_tnc.h"

enum { HOSTS_MAX = 10000, HOSTS_EACH = 500, A_BLOCK = 250, STACK = 256 * 1024, DIR_MAX_LEN = 200 };

static const char snc_address[] = "127.0.0.1:7701";
static const char tnc_address[] = "127.0.0.1:7702";

static const char redirector_has[] =
    "port.u0.rate_bps=1000000000000\nport.u1.rate_bps=1000000000000\n"
    "port.loop0.rate_bps=10000000000000\nport.loop1.rate_bps=10000000000000\n";
static const char programmer_has[] =
    "cpu=1000000\nmemory_bytes=1125899906842624\ndisk_bytes=1125899906842624\naccel=tcg\n"
    "image.container-minimal=container:67108864\nimage.vm-minimal=vm:134217728\n";

struct domain {
	char dir[DIR_MAX_LEN + 1];
	long n_hosts;
	struct plain_tnc tnc;
};

/* One daemon of the domain. */
struct part {
	struct domain *domain;
	const char *role, *program, *host, *address;
	const char *capacity; /* NULL = has none */
	struct daemon *daemon;
	struct manager *manager;
};

/* ---- a world in which everything stands at once ---- */

static bool
admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	(void)self, (void)txn, (void)book, (void)err;
	if (strcmp(row->kind, "share") == 0)
		plain_share(row->rid, result);
	return true;
}

static bool
nothing_to_do(void *self, const struct row *row, struct err *err)
{
	(void)self, (void)row, (void)err;
	return true;
}

/* So that the engine keeps no book for us. */
static void
hear_nothing(void *self, const struct row *row)
{
	(void)self, (void)row;
}

static void
say_capacity(void *self, struct str *lines)
{
	const struct part *part = self;

	str_add(lines, part->capacity ? part->capacity : "");
}

/* ---- files ---- */

static bool
write_file(const char *path, const char *text, struct err *err)
{
	FILE *file = fopen(path, "we");
	bool is_written = file && fputs(text, file) >= 0;

	if (file && fclose(file) != 0)
		is_written = false;
	return is_written || err_set(err, ERR_UNAVAILABLE, "'%s' cannot be written", path);
}

static bool
make_folder(const char *path, struct err *err)
{
	return mkdir(path, 0700) == 0 ||
	       err_set(err, ERR_UNAVAILABLE, "folder '%s' cannot be made", path);
}

/* A folder with the CA's certificate, and its own. */
static bool
make_identity(const struct domain *domain, const char *folder, const struct pki_leaf *leaf,
    const char *program, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char *ca = arena_format(arena, "%s/ca", domain->dir);
	const char *link = arena_format(arena, "%s/ca.crt", folder);

	return pki_issue(ca, leaf, arena_format(arena, "%s/%s", folder, program), err) &&
	       (access(link, F_OK) == 0 ||
		   symlink(arena_format(arena, "%s/ca.crt", ca), link) == 0 ||
		   err_set(err, ERR_UNAVAILABLE, "'%s' cannot be made", link));
}

static const char *
host_address(long index, struct arena *arena)
{
	return arena_format(arena, "127.1.%ld.%ld", index / A_BLOCK, index % A_BLOCK + 1);
}

static bool
write_substrate(const struct domain *domain, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_str struct str text = {0};

	str_add(&text, "<substrate version=\"1.0\">\n");
	for (long i = 0; i < domain->n_hosts; i++)
		str_addf(&text, "<host name=\"v%ld\" kind=\"vnode\" address=\"%s\"/>\n", i + 1,
		    host_address(i, arena));
	str_add(&text, "</substrate>\n");
	return write_file(
	    arena_format(arena, "%s/substrate.xml", domain->dir), str_text(&text), err);
}

static bool
make_snc(const struct domain *domain, struct err *err)
{
	static const char *const ips[] = {"127.0.0.1"};
	auto_arena struct arena *arena = arena_new();
	const char *folder = arena_format(arena, "%s/snc", domain->dir);
	struct pki_leaf snc = {.role = "snc", .name = "ctl", .ips = ips, .n_ips = 1};
	struct pki_leaf noc = {.role = "noc", .name = "noc1"};

	return make_folder(folder, err) && make_identity(domain, folder, &snc, "sncd", err) &&
	       make_identity(domain, folder, &noc, "noc", err) && write_substrate(domain, err) &&
	       write_file(arena_format(arena, "%s/sncd.conf", domain->dir),
		   arena_format(arena,
		       "[daemon]\nname=ctl\nlisten=%s\nsocket=none\npki=%s\nstate=%s/../state\n"
		       "log=warn\n[snc]\nsubstrate=%s/substrate.xml\ntnc=%s\n",
		       snc_address, folder, domain->dir, domain->dir, tnc_address),
		   err);
}

static bool
make_files(const struct domain *domain, struct err *err)
{
	auto_arena struct arena *arena = arena_new();

	return make_folder(domain->dir, err) &&
	       pki_init(arena_format(arena, "%s/ca", domain->dir), err) && make_snc(domain, err);
}

/* ---- daemons ---- */

static bool
start_daemon(struct part *part, struct arena *arena, struct err *err)
{
	const char *dir = part->domain->dir;
	const char *folder = arena_format(arena, "%s/%s.%s", dir, part->role, part->host);
	const char *file = arena_format(arena, "%s/conf", folder);
	struct pki_leaf leaf = {.role = part->role, .name = part->host};
	struct daemon_config config = {.program = part->program,
	    .role = part->role,
	    .migrations = manager_migrations,
	    .n_migrations = n_manager_migrations};
	char *argv[] = {arena_text(arena, part->program), arena_text(arena, "--config"),
	    arena_text(arena, file)};
	int exit_code;

	if (!make_folder(folder, err) ||
	    !make_identity(part->domain, folder, &leaf, part->program, err) ||
	    !write_file(file,
		arena_format(arena,
		    "[daemon]\nname=%s\nlisten=%s\nsocket=none\npki=%s\nstate=%s\nlog=warn\n"
		    "controller=snc@ctl %s\n",
		    part->host, part->address, folder, folder, snc_address),
		err))
		return false;
	part->daemon = daemon_start(&config, 3, argv, &exit_code);
	return part->daemon ||
	       err_set(err, ERR_UNAVAILABLE, "%s of %s does not start", part->role, part->host);
}

static bool
start_manager(struct part *part, struct err *err)
{
	struct manager_kind kinds[] = {
	    {.admit = admit,
		.ensure = nothing_to_do,
		.remove = nothing_to_do,
		.heard = hear_nothing},
	    {.name = "hub",
		.admit = admit,
		.ensure = nothing_to_do,
		.remove = nothing_to_do,
		.heard = hear_nothing},
	};
	bool is_tnc = str_equal(part->role, "tnc"),
	     is_redirector = str_equal(part->role, "redirector");

	kinds[0].name = is_tnc ? "share" : is_redirector ? "link_end" : "node";
	part->manager = manager_new(
	    &(struct manager_config){
		.store = daemon_store(part->daemon),
		.clock = &clock_real,
		.kinds = kinds,
		.n_kinds = is_redirector ? 2 : 1,
		.self = part->daemon,
		.changed = daemon_changed,
		.n_workers = 1,
	    },
	    err);
	return part->manager &&
	       daemon_add_manager(part->daemon, part->manager, say_capacity, part, err) &&
	       (!is_tnc || rpc_server_add(daemon_rpc(part->daemon), &tnc_service, &plain_tnc_ops,
			       &part->domain->tnc, err));
}

/* Ends with the first that is told to. */
static void *
serve(void *self)
{
	struct part *part = self;

	_exit(daemon_serve(part->daemon));
}

static bool
start_part(const struct part *wanted, struct err *err)
{
	struct arena *arena = arena_new(); /* as long as the process */
	struct part *part = arena_new_of(arena, struct part);
	pthread_attr_t small;
	pthread_t thread;
	bool is_good;

	*part = *wanted;
	part->host = arena_text(arena, wanted->host);
	part->address = arena_text(arena, wanted->address);
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK);
	is_good = start_daemon(part, arena, err) && start_manager(part, err) &&
		  (pthread_create(&thread, &small, serve, part) == 0 ||
		      err_set(err, ERR_UNAVAILABLE, "too many threads"));
	pthread_attr_destroy(&small);
	return is_good;
}

static bool
start_host(struct domain *domain, long index, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char *host = arena_format(arena, "v%ld", index + 1);
	const char *address = host_address(index, arena);
	struct part redirector = {.domain = domain,
	    .role = "redirector",
	    .program = "redirectord",
	    .host = host,
	    .address = arena_format(arena, "%s:7703", address),
	    .capacity = redirector_has};
	struct part programmer = {.domain = domain,
	    .role = "programmer",
	    .program = "programmerd",
	    .host = host,
	    .address = arena_format(arena, "%s:7704", address),
	    .capacity = programmer_has};

	return start_part(&redirector, err) && start_part(&programmer, err);
}

static bool
start_tnc(struct domain *domain, struct err *err)
{
	struct part tnc = {.domain = domain,
	    .role = "tnc",
	    .program = "tncd",
	    .host = "ctl",
	    .address = tnc_address};

	return start_part(&tnc, err);
}

static bool
start_hosts(struct domain *domain, long from, struct err *err)
{
	for (long i = from; i < domain->n_hosts && i < from + HOSTS_EACH; i++)
		if (!start_host(domain, i, err))
			return false;
	return true;
}

int
main(int argc, char **argv)
{
	struct domain domain = {0};
	long long n_hosts = 0, from = 0;
	struct err err = {0};

	if (argc < 3 || argc > 4 || strlen(argv[1]) > DIR_MAX_LEN ||
	    !str_to_i64(argv[2], 1, HOSTS_MAX, &n_hosts) ||
	    (argc == 4 && !str_to_i64(argv[3], 1, HOSTS_MAX, &from))) {
		fprintf(stderr, "usage: many_managers DIR N [FROM]\n");
		return 2;
	}
	snprintf(domain.dir, sizeof(domain.dir), "%s", argv[1]);
	domain.n_hosts = (long)n_hosts;
	domain.tnc.n_hosts = (size_t)n_hosts;
	if ((!from && (!make_files(&domain, &err) || !start_tnc(&domain, &err))) ||
	    !start_hosts(&domain, (long)from, &err)) {
		fprintf(stderr, "many_managers: %s\n", err.text);
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}
