/*
 * sncd, the Service Network Controller: wiring.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "snc/snc_service.h"

enum { INVENTORY_MAX = 1 << 20, MIGRATIONS_MAX = 16 };

/* The whole file into text. */
static bool
read_file(const char *path, struct str *text, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buffer[4096];
	ssize_t n = -1;

	if (fd < 0)
		return err_set(
		    err, ERR_NOT_FOUND, "'%s' cannot be opened: %s", path, strerror(errno));
	while (text->len <= INVENTORY_MAX && (n = read(fd, buffer, sizeof(buffer))) > 0)
		str_add_bytes(text, buffer, (size_t)n);
	close(fd);
	return n == 0 ||
	       err_set(err, ERR_LIMIT, "'%s' cannot be read, or has more than 1 MiB", path);
}

static struct inventory *
open_inventory(const struct conf *conf, struct err *err)
{
	const char *path = conf_text(conf, "snc", "substrate");
	auto_str struct str text = {0};
	struct inventory *inventory;

	if (!read_file(path, &text, err))
		return NULL;
	inventory = inventory_read(str_text(&text), text.len, &clock_real, err);
	if (!inventory && err->line)
		err_in(err, "%s:%u", path, err->line);
	else if (!inventory)
		err_in(err, "%s", path);
	return inventory;
}

static const struct rpc_client *
peer(void *self, const char *manager, const char *address, struct err *err)
{
	return daemon_peer(self, manager, address, err);
}

/* Each says hello on a connection that it keeps. */
static void
expect_managers(struct daemon *daemon, struct inventory *inventory)
{
	auto_arena struct arena *arena = arena_new();
	struct inventory_managers managers;

	inventory_managers(inventory, arena, &managers);
	daemon_expect(daemon, managers.n + 1);
}

static struct snc *
open_snc(struct daemon *daemon, struct err *err)
{
	const struct conf *conf = daemon_conf(daemon);
	const char *tnc_address = conf_text(conf, "snc", "tnc");
	auto_str struct str tnc = {0};
	struct inventory *inventory;

	if (!tnc_address) {
		err_set(err, ERR_BAD_VALUE, "[snc] tnc is missing: the address of tncd");
		return NULL;
	}
	inventory = open_inventory(conf, err);
	if (!inventory)
		return NULL;
	expect_managers(daemon, inventory);
	str_addf(&tnc, "tnc@%s", daemon_host(daemon));
	return snc_new(
	    &(struct snc_config){
		.store = daemon_store(daemon),
		.clock = &clock_real,
		.inventory = inventory,
		.tnc = str_text(&tnc),
		.tnc_address = tnc_address,
		.peer = peer,
		.self = daemon,
		.conf = conf,
	    },
	    err);
}

static int
fail(const struct err *err)
{
	log_error("sncd", "event=no_start why=\"%s\"", err->text);
	fprintf(stderr, "sncd: %s\n", err->text);
	return err_code_exit(err->code);
}

int
main(int argc, char **argv)
{
	struct store_migration migrations[MIGRATIONS_MAX];
	struct daemon_config config = {.program = "sncd", .role = "snc", .migrations = migrations};
	struct daemon *daemon;
	struct snc *snc;
	struct err err = {0};
	int exit_code;

	config.n_migrations = store_migrations_add(migrations, 0, snc_migrations, n_snc_migrations);
	config.n_migrations = store_migrations_add(
	    migrations, config.n_migrations, controller_migrations, n_controller_migrations);
	daemon = daemon_start(&config, argc, argv, &exit_code);
	if (!daemon)
		return exit_code;
	snc = open_snc(daemon, &err);
	if (snc && snc_serve(snc, daemon_rpc(daemon), &err))
		exit_code = daemon_serve(daemon);
	else
		exit_code = fail(&err);
	snc_free(snc);
	daemon_free(daemon);
	return exit_code;
}
