/*
 * A hub becomes real: its bridge, then port after port. Each part is looked at first, so that a
 * repetition on a healthy hub touches no frame.
 */
#include "lib/base/fault.h"
#include "lib/net/offload.h"
#include "redirector/hub.h"

/* Addresses that one slice may have learned at one hub: memory of all who share the host. */
enum { LEARNED_MAX = 4096, AGEING_S = 300 };

/* The link ends hold frames to the mtu; behind them only the kernel's own room matters, which two
 * VLAN tags take. */
enum { TAGS_BYTES = 8 };

static const struct bridge settings = {.ageing_s = AGEING_S, .learned_max = LEARNED_MAX};

static struct bridge_port
port_of(const struct hub *hub, const struct hub_port *port)
{
	return (struct bridge_port){
	    port->inside, port->device, (uint32_t)hub->spec.mtu + TAGS_BYTES};
}

/* What a port of a node is given by programmerd: see ARCHITECTURE.md, port hygiene. */
static bool
keep_clean(struct redirector *redirector, const struct hub_port *port, struct err *err)
{
	struct device device;

	return offload_tunnels_off(port->inside, err) &&
	       (!port->gso_max_segs ||
		   (device_find(redirector->netlink, port->inside, &device, err) &&
		       offload_limit(
			   redirector->netlink, &device, (uint32_t)port->gso_max_segs, err)));
}

static bool
ensure_ports(struct redirector *redirector, const struct hub *hub, const struct device *bridge,
    struct err *err)
{
	for (size_t i = 0; i < hub->n_ports; i++) {
		struct bridge_port port = port_of(hub, &hub->ports[i]);

		if (!bridge_port_ensure(redirector->netlink, bridge, &port, err) ||
		    !keep_clean(redirector, &hub->ports[i], err))
			return false;
		FAULT_POINT("redirector.hub.port.after");
	}
	return true;
}

bool
hub_ensure(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct device bridge;
	struct hub hub = {0};

	if (!hub_read(row, arena, &hub, err))
		return false;
	if (!bridge_filter_off(err) ||
	    !bridge_ensure(redirector->netlink, hub.device, &settings, err) ||
	    !device_find(redirector->netlink, hub.device, &bridge, err))
		return err_in(err, "hub of link '%s'", hub.spec.link);
	return ensure_ports(redirector, &hub, &bridge, err);
}

bool
hub_is_there(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct device bridge;
	struct hub hub = {0};

	if (!hub_read(row, arena, &hub, err))
		return false;
	if (!bridge_filter_is_off())
		return err_set(err, ERR_NOT_FOUND, "the packet filter looks into bridges");
	if (!bridge_is_there(redirector->netlink, hub.device, &settings, err) ||
	    !device_find(redirector->netlink, hub.device, &bridge, err))
		return false;
	for (size_t i = 0; i < hub.n_ports; i++) {
		struct bridge_port port = port_of(&hub, &hub.ports[i]);

		if (!bridge_port_is_there(redirector->netlink, &bridge, &port, err))
			return false;
	}
	return true;
}
