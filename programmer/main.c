/*
 * programmerd: runs the nodes of one VNode. Nodes stay when it ends; the next run takes over.
 *
 *     programmerd --probe-kvm KERNEL INITRD    prints kvm or tcg: does KVM boot them?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/api/daemon.h"
#include "lib/base/log.h"
#include "lib/net/bpf.h"
#include "programmer/port_hygiene.h"
#include "programmer/probe.h"
#include "programmer/programmer_service.h"
#include "programmer/sliver.h"

/* They wait for libvirt, which starts several nodes at once, most of the time. */
enum { WORKERS = 32 };

static const char state_default[] = "/var/lib/vnode/programmerd";

/* What main holds together. Events may come before the engine is there. */
struct parts {
	struct daemon *daemon;
	struct hypervisor_libvirt *libvirt;
	struct port_watch *watch;
	struct programmer *programmer;
	_Atomic(struct manager *) manager;
};

static int
print_probe(const char *kernel, const char *initrd)
{
	auto_str struct str why = {0};
	enum node_accel accel = probe_kvm(kernel, initrd, &why);

	puts(node_accel_text(accel));
	if (why.len)
		fprintf(stderr, "programmerd: %s\n", str_text(&why));
	return EXIT_SUCCESS;
}

static void
on_event(void *self, const char *name)
{
	struct parts *parts = self;
	struct manager *manager = atomic_load(&parts->manager);
	uint64_t rid;

	if (!manager || !sliver_name_rid(parts->programmer, name, &rid))
		return;
	if (!rid)
		return;
	manager_wake_row(manager, rid);
	daemon_changed(parts->daemon, rid);
}

static void
on_changed(void *self, uint64_t rid)
{
	const struct programmer *programmer = self;

	daemon_changed(programmer->daemon, rid);
}

static void
on_noted(void *self)
{
	const struct programmer *programmer = self;

	daemon_noted(programmer->daemon);
}

static bool
open_programmer(struct parts *parts, struct err *err)
{
	const struct conf *conf = daemon_conf(parts->daemon);
	const char *state = conf_text(conf, "daemon", "state");
	auto_str struct str cache = {0}, why = {0};
	struct node_conf node = {0};
	enum node_accel accel;

	bpf_log_quietly();
	state = state ? state : state_default;
	str_addf(&cache, "%s/kvm", state);
	if (!node_conf_read(conf, daemon_host(parts->daemon), state, &node, err)) {
		node_conf_done(&node);
		return false;
	}
	/* The containers' own users must get through to their roots; the rest is for root alone. */
	(void)chmod(state, 0711);
	if (!strcmp(node.kvm, "auto"))
		accel = probe_cached(node.images, str_text(&cache), &why);
	else
		accel = !strcmp(node.kvm, "yes") ? ACCEL_KVM : ACCEL_TCG;
	if (!why.len && accel == ACCEL_TCG)
		str_addf(&why, "[node] kvm=%s", node.kvm);
	log_info(
	    "programmer", "event=accel is=%s why=\"%s\"", node_accel_text(accel), str_text(&why));
	parts->watch = port_watch_new(err);
	parts->libvirt = parts->watch ? hypervisor_libvirt_new(on_event, parts, err) : NULL;
	if (parts->libvirt)
		parts->programmer =
		    programmer_new(&node, hypervisor_libvirt(parts->libvirt), accel, err);
	node_conf_done(&node);
	if (!parts->programmer)
		return false;
	free(parts->programmer->kvm_why);
	parts->programmer->kvm_why = str_take(&why);
	parts->programmer->daemon = parts->daemon;
	return true;
}

static bool
run(struct parts *parts, int *exit_code, struct err *err)
{
	struct programmer *programmer = parts->programmer;
	struct manager_kind kind = {
	    .name = sliver_kind,
	    .self = programmer,
	    .admit = sliver_admit,
	    .ensure = sliver_start,
	    .remove = sliver_stop,
	    .is_there = sliver_is_there,
	};
	struct manager_config config = {
	    .store = daemon_store(parts->daemon),
	    .clock = &clock_real,
	    .kinds = &kind,
	    .n_kinds = 1,
	    .self = programmer,
	    .list = sliver_list,
	    .sweep = sliver_sweep,
	    .changed = on_changed,
	    .noted = on_noted,
	    .n_workers = WORKERS,
	    .rows_are_apart = true,
	};
	struct manager *manager = manager_new(&config, err);
	bool is_good;

	if (!manager)
		return false;
	atomic_store(&parts->manager, manager);
	is_good = rpc_server_add(daemon_rpc(parts->daemon), &programmer_service,
		      &programmer_rpc_ops, programmer, err) &&
		  daemon_add_manager(parts->daemon, manager, programmer_capacity, programmer, err);
	if (is_good)
		*exit_code = daemon_serve(parts->daemon);
	hypervisor_libvirt_quiet(parts->libvirt); /* no event finds a manager that is gone */
	manager_free(manager);
	return is_good;
}

int
main(int argc, char **argv)
{
	struct daemon_config config = {
	    .program = "programmerd",
	    .role = "programmer",
	    .migrations = manager_migrations,
	    .n_migrations = n_manager_migrations,
	};
	struct parts parts = {0};
	struct err err = {0};
	int exit_code = EXIT_FAILURE;

	if (argc == 4 && !strcmp(argv[1], "--probe-kvm"))
		return print_probe(argv[2], argv[3]);
	parts.daemon = daemon_start(&config, argc, argv, &exit_code);
	if (!parts.daemon)
		return exit_code;
	exit_code = EXIT_FAILURE;
	if (!open_programmer(&parts, &err) || !run(&parts, &exit_code, &err))
		log_error("programmer", "event=start_failed why=\"%s\"", err.text);
	programmer_free(parts.programmer);
	hypervisor_libvirt_free(parts.libvirt);
	port_watch_free(parts.watch);
	daemon_free(parts.daemon);
	return exit_code;
}
