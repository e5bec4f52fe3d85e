/*
 * redirectord: makes the virtual links of one VNode or access gateway. What it makes stays when it
 * ends: frames flow on, the next run takes over.
 */
#include <stdlib.h>

#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "redirector/hub.h"
#include "redirector/link.h"
#include "redirector/redirector_service.h"
#include "redirector/strays.h"

/* Half of the two seconds in which what somebody took away is back. */
enum { LOOK_MS = 1000 };

static const char pins[] = "/run/vnode/bpf";

static void
changed(void *self, uint64_t rid)
{
	const struct redirector *redirector = self;

	daemon_changed(redirector->daemon, rid);
}

static void
noted(void *self)
{
	const struct redirector *redirector = self;

	daemon_noted(redirector->daemon);
}

/* The converter has its devices in the same configuration, and its pins beside the links'. */
static bool
converter_open(struct redirector *redirector, struct daemon *daemon, struct err *err)
{
	struct converter *converter = &redirector->converter;

	if (!converter_init(converter, daemon_conf(daemon), redirector->host, err))
		return false;
	converter->netlink = redirector->netlink;
	converter->kernel = conversions_open(pins, redirector->netlink, err);
	return converter->kernel != NULL;
}

static bool
world_open(struct redirector *redirector, struct daemon *daemon, struct err *err)
{
	struct dataplane_config plane = {.folder = pins, .n_links = REDIRECTOR_LINKS_MAX};

	if (!redirector_init(redirector, daemon_conf(daemon), daemon_host(daemon), err))
		return false;
	redirector->daemon = daemon;
	redirector->netlink = netlink_new(err);
	if (!redirector->netlink)
		return false;
	redirector->view = kernel_view_new(redirector->netlink);
	plane.netlink = redirector->netlink;
	if (!dataplane_choose(daemon_conf(daemon), &plane, &redirector->dataplane, err))
		return false;
	redirector->taps = taps_new(&redirector->dataplane, &clock_real, err);
	return redirector->taps && port_loop_ensure(redirector, err) &&
	       converter_open(redirector, daemon, err);
}

static bool
serve(struct redirector *redirector, struct daemon *daemon, struct manager *manager, int *exit_code,
    struct err *err)
{
	struct watch *watch = watch_new(redirector, manager, err);
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
	struct manager_kind kinds[] = {
	    link_kind(redirector), hub_kind(redirector), conversion_kind(&redirector->converter)};
	struct manager_config config = {
	    .store = daemon_store(daemon),
	    .clock = &clock_real,
	    .kinds = kinds,
	    .n_kinds = sizeof(kinds) / sizeof(kinds[0]),
	    .self = redirector,
	    .list = strays_list,
	    .sweep = strays_sweep,
	    .changed = changed,
	    .noted = noted,
	    .look_ms = LOOK_MS,
	    .rows_are_apart = true, /* what they wait for are devices: port_watch.c */
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
	converter_done(&redirector.converter);
	redirector_done(&redirector);
	daemon_free(daemon);
	return exit_code;
}
