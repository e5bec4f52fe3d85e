/*
 * One manager as a process: the daemon as it is (lib/api/daemon: certificate, store, listener,
 * hello; the protocol by lib/engine/manager), whose objects are files. They outlive it, as what
 * stands in a kernel does, and so does what is wrong with them: when more stands at once than there
 * may be, that is noted beside them.
 *
 *     file_manager ROLE OBJECTS CAPACITY TOLD N_HOSTS --config FILE
 *
 * ROLE is tnc, redirector or programmer. A node takes as many units as it has CPUs, each other row
 * one, of CAPACITY units. A programmer tells the controller that it has TOLD of them, the others
 * say nothing of it: so all of them have to refuse. While OBJECTS.fails exists nothing can be made
 * or removed. OBJECTS.overfull: see above.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/api/daemon.h"
#include "lib/model/spec.h"
#include "test/support/plain_tnc.h"
#include "test/support/world.h"

enum {
	N_ARGS = 6, /* ours, the name included */
	LOOK_MS = 500,
	N_KINDS = 2,
	UNITS_MAX = 1000000,
	SLOW_US = 20000
};

struct part {
	struct world world; /* first: what world.c does is handed the part */
	struct daemon *daemon;
	const char *role;
	int told;
	struct plain_tnc tnc;
	char fails[220], overfull[220];
};

static int
units_of(const char *spec)
{
	auto_arena struct arena *arena = arena_new();
	const char *cpu = spec_value(spec, "cpu", arena);

	return cpu ? (int)strtol(cpu, NULL, 10) : 1;
}

static bool
admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	struct part *part = self;
	int used = 0, wanted = units_of(row->spec);

	(void)txn;
	for (size_t i = 0; i < book->n_rows; i++)
		if (book->rows[i].rid != row->rid)
			used += units_of(book->rows[i].spec);
	if (used + wanted > part->world.capacity)
		return err_set(err, ERR_R01, "%d wanted, %d of %d free", wanted,
		    part->world.capacity - used, part->world.capacity);
	if (str_equal(row->kind, "share"))
		plain_share(row->rid, result);
	else if (str_equal(row->kind, "node"))
		str_add(result, "disk_bytes=0\n");
	return true;
}

static bool
can_work(const struct part *part, struct err *err)
{
	return access(part->fails, F_OK) != 0 ||
	       err_set(err, ERR_UNAVAILABLE, "nothing can be made or removed");
}

static void
note_overfull(const struct part *part, int units)
{
	int fd = open(part->overfull, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd < 0 || dprintf(fd, "%d units stand, of %d\n", units, part->world.capacity) < 0)
		abort();
	close(fd);
}

/* Slow enough that something can happen meanwhile. */
static bool
ensure(void *self, const struct row *row, struct err *err)
{
	struct part *part = self;
	auto_str struct str text = {0};
	int units;

	if (!can_work(part, err))
		return false;
	usleep((useconds_t)(row->rid % SLOW_US));
	str_addf(
	    &text, "units=%d\n%s\n%s\n%s", units_of(row->spec), row->kind, row->spec, row->attr);
	world_put(&part->world, row->rid, str_text(&text));
	units = world_units(&part->world);
	if (units > part->world.capacity)
		note_overfull(part, units);
	return true;
}

static bool
take_away(void *self, const struct row *row, struct err *err)
{
	struct part *part = self;

	if (!can_work(part, err))
		return false;
	usleep((useconds_t)(row->rid % SLOW_US));
	world_drop(&part->world, row->rid);
	return true;
}

static void
say_capacity(void *self, struct str *lines)
{
	const struct part *part = self;

	if (str_equal(part->role, "redirector"))
		str_add(lines,
		    "port.u0.rate_bps=1000000000000\nport.u1.rate_bps=1000000000000\n"
		    "port.loop0.rate_bps=10000000000000\nport.loop1.rate_bps=10000000000000\n");
	else if (str_equal(part->role, "programmer"))
		str_addf(lines,
		    "cpu=%d\nmemory_bytes=1125899906842624\ndisk_bytes=1125899906842624\n"
		    "accel=tcg\nimage.container-minimal=container:67108864\n",
		    part->told);
}

static void
changed(void *self, uint64_t rid)
{
	const struct part *part = self;

	daemon_changed(part->daemon, rid);
}

static struct manager *
make_manager(struct part *part, struct err *err)
{
	struct manager_kind kinds[N_KINDS];
	struct manager_config config = {.store = daemon_store(part->daemon),
	    .clock = &clock_real,
	    .look_ms = LOOK_MS,
	    .n_workers = 2};

	world_config(&part->world, &kinds[0], &config);
	config.changed = changed;
	kinds[0].admit = admit;
	kinds[0].ensure = ensure;
	kinds[0].remove = take_away;
	kinds[1] = kinds[0];
	kinds[1].name = "hub";
	kinds[0].name = str_equal(part->role, "tnc")          ? "share"
			: str_equal(part->role, "redirector") ? "link_end"
							      : "node";
	config.kinds = kinds;
	config.n_kinds = str_equal(part->role, "redirector") ? 2 : 1;
	return manager_new(&config, err);
}

static bool
serve(struct part *part, struct err *err)
{
	struct manager *manager = make_manager(part, err);

	return manager && daemon_add_manager(part->daemon, manager, say_capacity, part, err) &&
	       (!str_equal(part->role, "tnc") ||
		   rpc_server_add(
		       daemon_rpc(part->daemon), &tnc_service, &plain_tnc_ops, &part->tnc, err));
}

static bool
read_arguments(struct part *part, char **argv)
{
	long long capacity, told, n_hosts;

	if (!str_to_i64(argv[2], 1, UNITS_MAX, &capacity) ||
	    !str_to_i64(argv[3], 1, UNITS_MAX, &told) ||
	    !str_to_i64(argv[4], 1, UNITS_MAX, &n_hosts))
		return false;
	part->role = argv[0];
	world_init(&part->world, argv[1], (int)capacity);
	part->told = (int)told;
	part->tnc.n_hosts = (size_t)n_hosts;
	snprintf(part->fails, sizeof(part->fails), "%s.fails", argv[1]);
	snprintf(part->overfull, sizeof(part->overfull), "%s.overfull", argv[1]);
	return true;
}

int
main(int argc, char **argv)
{
	static const char *const programs[][2] = {
	    {"tnc", "tncd"}, {"redirector", "redirectord"}, {"programmer", "programmerd"}};
	struct part part = {0};
	struct daemon_config config = {
	    .migrations = manager_migrations, .n_migrations = n_manager_migrations};
	struct err err = {0};
	int exit_code = 2;

	if (argc <= N_ARGS || !read_arguments(&part, argv + 1)) {
		fprintf(stderr,
		    "usage: file_manager ROLE OBJECTS CAPACITY TOLD N_HOSTS --config FILE\n");
		return exit_code;
	}
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (str_equal(part.role, programs[i][0]))
			config.program = programs[i][1];
	config.role = part.role;
	argv[N_ARGS - 1] = argv[0];
	part.daemon = daemon_start(&config, argc - N_ARGS + 1, argv + N_ARGS - 1, &exit_code);
	if (!part.daemon)
		return exit_code;
	if (serve(&part, &err))
		return daemon_serve(part.daemon);
	fprintf(stderr, "file_manager: %s\n", err.text);
	return err_code_exit(err.code);
}
