/*
 * tncd: the Transport Network Controller. Reads the inventory, keeps paths for sncd, has their
 * routes made by the routerds.
 */
#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "tnc/tnc.h"
#include "tnc/tnc_store.h"

enum { MIGRATIONS_MAX = 16 };

static const struct rpc_client *
peer(void *self, const char *full_name, const char *address, struct err *err)
{
	return daemon_peer(self, full_name, address, err);
}

static void
capacity(void *self, struct str *lines)
{
	const struct inventory *inventory = self;

	str_addf(lines, "routers=%zu\nlinks=%zu\n", inventory->n_routers, inventory->n_links);
}

static bool
serve(struct daemon *daemon, const struct inventory *inventory, int *exit_code, struct err *err)
{
	struct tnc *tnc = tnc_new(&(struct tnc_config){.store = daemon_store(daemon),
				      .clock = &clock_real,
				      .inventory = inventory,
				      .full_name = daemon_full_name(daemon),
				      .self = daemon,
				      .peer = peer,
				      .changed = daemon_changed,
				      .noted = daemon_noted},
	    err);

	union {
		const void *constant;
		void *plain;
	} self = {.constant = inventory};

	bool is_ready = tnc &&
			rpc_server_add(daemon_rpc(daemon), &tnc_service, &tnc_ops, tnc, err) &&
			rpc_server_add(daemon_rpc(daemon), &controller_service, &tnc_controller_ops,
			    tnc, err) &&
			daemon_add_manager(daemon, tnc->manager, capacity, self.plain, err);

	if (is_ready)
		*exit_code = daemon_serve(daemon);
	tnc_free(tnc);
	return is_ready;
}

int
main(int argc, char **argv)
{
	struct store_migration migrations[MIGRATIONS_MAX];
	struct daemon_config config = {.program = "tncd", .role = "tnc", .migrations = migrations};
	auto_inventory struct inventory *inventory = NULL;
	struct daemon *daemon;
	struct err err = {0};
	int exit_code = 1;

	config.n_migrations =
	    store_migrations_add(migrations, 0, manager_migrations, n_manager_migrations);
	config.n_migrations = store_migrations_add(
	    migrations, config.n_migrations, controller_migrations, n_controller_migrations);
	config.n_migrations =
	    store_migrations_add(migrations, config.n_migrations, tnc_migrations, n_tnc_migrations);
	daemon = daemon_start(&config, argc, argv, &exit_code);
	if (!daemon)
		return exit_code;
	inventory = inventory_load(conf_text(daemon_conf(daemon), "tnc", "transport"), &err);
	if (!inventory || !serve(daemon, inventory, &exit_code, &err))
		log_error("tncd", "event=start_failed why=\"%s\"", err.text);
	daemon_free(daemon);
	return exit_code;
}
