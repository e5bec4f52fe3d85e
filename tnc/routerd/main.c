/*
 * routerd: keeps routes and guaranteed rates of transport paths on one Linux router, for tncd.
 */
#include <pthread.h>

#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "tnc/routerd/route.h"

enum { MIGRATIONS_MAX = 16 };

/* The listener starts before the manager and ends after it: in between it has somebody to wake. */
struct routerd {
	struct route_keeper keeper;
	pthread_mutex_t lock;
	struct manager *manager; /* under lock */
};

static void
changed(void *self)
{
	struct routerd *routerd = self;

	pthread_mutex_lock(&routerd->lock);
	if (routerd->manager)
		manager_wake(routerd->manager);
	pthread_mutex_unlock(&routerd->lock);
}

static void
set_manager(struct routerd *routerd, struct manager *manager)
{
	pthread_mutex_lock(&routerd->lock);
	routerd->manager = manager;
	pthread_mutex_unlock(&routerd->lock);
}

static void
capacity(void *self, struct str *lines)
{
	(void)self;
	str_addf(lines, "driver=%s\n", route_kernel_ops.name);
}

static bool
serve(struct daemon *daemon, struct routerd *routerd, int *exit_code, struct err *err)
{
	struct manager *manager = route_manager_new(&routerd->keeper, &clock_real, err);
	bool is_ready = manager && daemon_add_manager(daemon, manager, capacity, NULL, err);

	set_manager(routerd, manager);
	if (is_ready)
		*exit_code = daemon_serve(daemon);
	set_manager(routerd, NULL);
	manager_free(manager);
	return is_ready;
}

int
main(int argc, char **argv)
{
	struct store_migration migrations[MIGRATIONS_MAX];
	struct daemon_config config = {
	    .program = "routerd", .role = "router", .migrations = migrations};
	struct routerd routerd = {
	    .keeper = {.ops = &route_kernel_ops, .changed = daemon_changed, .noted = daemon_noted}};
	struct route_kernel *kernel;
	struct daemon *daemon;
	struct err err = {0};
	int exit_code = 1;

	config.n_migrations =
	    store_migrations_add(migrations, 0, manager_migrations, n_manager_migrations);
	config.n_migrations = store_migrations_add(
	    migrations, config.n_migrations, route_migrations, n_route_migrations);
	daemon = daemon_start(&config, argc, argv, &exit_code);
	if (!daemon)
		return exit_code;
	pthread_mutex_init(&routerd.lock, NULL);
	kernel = route_kernel_new(changed, &routerd, &err);
	routerd.keeper.store = daemon_store(daemon);
	routerd.keeper.driver = kernel;
	routerd.keeper.self = daemon;
	if (!kernel || !serve(daemon, &routerd, &exit_code, &err))
		log_error("routerd", "event=start_failed why=\"%s\"", err.text);
	route_kernel_free(kernel);
	pthread_mutex_destroy(&routerd.lock);
	daemon_free(daemon);
	return exit_code;
}
