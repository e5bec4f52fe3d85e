/*
 * redirectord: makes the virtual links of one VNode or access gateway. What it makes stays when it
 * ends: frames flow on, the next run takes over.
 */
#include <stdlib.h>

#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "redirector/link.h"
#include "redirector/redirector_service.h"

static const char pins[] = "/run/vnode/bpf";

static void
changed(void *self, uint64_t rid)
{
	const struct redirector *redirector = self;

	daemon_changed(redirector->daemon, rid);
}

static bool
world_open(struct redirector *redirector, struct daemon *daemon, struct err *err)
{
	if (!redirector_init(redirector, daemon_conf(daemon), daemon_host(daemon), err))
		return false;
	redirector->daemon = daemon;
	redirector->netlink = netlink_new(err);
	return redirector->netlink &&
	       dataplane_bpf_open(pins, redirector->netlink, &redirector->dataplane, err) &&
	       port_loop_ensure(redirector, err);
}

static bool
serve(struct redirector *redirector, struct daemon *daemon, struct manager *manager, int *exit_code,
    struct err *err)
{
	struct watch *watch = watch_new(manager, err);
	bool is_good = watch &&
		       rpc_server_add(daemon_rpc(daemon), &redirector_service, &redirector_rpc_ops,
			   redirector, err) &&
		       daemon_add_manager(daemon, manager, port_capacity, redirector, err);

	if (is_good)
		*exit_code = daemon_serve(daemon);
	watch_free(watch);
	return is_good;
}

static bool
run(struct redirector *redirector, struct daemon *daemon, int *exit_code, struct err *err)
{
	struct manager_kind kind = link_kind(redirector);
	struct manager_config config = {
	    .store = daemon_store(daemon),
	    .clock = &clock_real,
	    .kinds = &kind,
	    .n_kinds = 1,
	    .self = redirector,
	    .list = link_list,
	    .sweep = link_sweep,
	    .changed = changed,
	};
	struct manager *manager;
	bool is_good;

	if (!world_open(redirector, daemon, err))
		return false;
	manager = manager_new(&config, err);
	is_good = manager && serve(redirector, daemon, manager, exit_code, err);
	manager_free(manager);
	return is_good;
}

int
main(int argc, char **argv)
{
	struct daemon_config config = {
	    .program = "redirectord",
	    .role = "redirector",
	    .migrations = manager_migrations,
	    .n_migrations = n_manager_migrations,
	};
	struct redirector redirector = {0};
	struct err err = {0};
	int exit_code = EXIT_FAILURE;
	struct daemon *daemon = daemon_start(&config, argc, argv, &exit_code);

	if (!daemon)
		return exit_code;
	if (!run(&redirector, daemon, &exit_code, &err))
		log_error("redirector", "event=start_failed why=\"%s\"", err.text);
	redirector_done(&redirector);
	daemon_free(daemon);
	return exit_code;
}
