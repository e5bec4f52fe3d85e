/*
 * A link end becomes real: port device, underlay, next hop, class, frames. Each part is looked at
 * first, so that a repetition on a healthy link end touches no frame.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/net/neigh.h"
#include "redirector/link.h"

enum { TUNNEL_BYTES = 42, ETHERNET_BYTES = 14 };

/* What the kernel should have for a link end. */
struct wanted {
	struct dataplane_link link;
	struct shaper_link shape;
};

static bool want(
    struct redirector *redirector, const struct row *row, struct wanted *wanted, struct err *err);

static bool
is_same(const struct dataplane_link *a, const struct dataplane_link *b)
{
	return a->port == b->port && a->underlay == b->underlay && a->key == b->key &&
	       a->local == b->local && a->remote == b->remote && a->mtu == b->mtu &&
	       a->class_handle == b->class_handle && a->is_open == b->is_open &&
	       !memcmp(a->next_hop, b->next_hop, 6) && !memcmp(a->own, b->own, 6);
}

/*
 * Entry before class, closed at first: a class that no entry points at is a stray to the sweep,
 * and no frame may go before its class is there.
 */
static bool
carry(struct redirector *redirector, const struct wanted *wanted, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct dataplane_link found, closed = wanted->link;
	struct err why;
	bool is_good;

	closed.is_open = false;
	if (!dataplane->ops->get(dataplane->self, wanted->link.rid, closed.port, &found, &why) &&
	    !dataplane->ops->put(dataplane->self, &closed, err))
		return false;
	FAULT_POINT("redirector.link.class.before");
	pthread_mutex_lock(&redirector->trees);
	is_good = shaper_is_there(redirector->netlink, &wanted->shape, &why) ||
		  shaper_ensure(redirector->netlink, &wanted->shape, err);
	pthread_mutex_unlock(&redirector->trees);
	FAULT_POINT("redirector.link.class.after");
	return is_good && dataplane->ops->put(dataplane->self, &wanted->link, err);
}

/*
 * Of a stopped node the port is gone, and a closed link end without a port is as closed as can be:
 * nothing to make, nothing amiss.
 */
static bool
is_at_rest(struct redirector *redirector, const struct row *row)
{
	auto_arena struct arena *arena = arena_new();
	struct link_end end;
	struct device port;
	struct err why;

	return link_read(redirector, row, arena, &end, &why) && str_equal(end.attr.open, "off") &&
	       !device_find(redirector->netlink, id_port_device(end.port).name, &port, &why) &&
	       why.code == ERR_NOT_FOUND;
}

bool
link_ensure(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	struct wanted wanted = {0};

	if (is_at_rest(redirector, row))
		return true;
	return want(redirector, row, &wanted, err) && carry(redirector, &wanted, err);
}

bool
link_is_there(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	struct dataplane_link found;
	struct wanted wanted = {0};

	if (is_at_rest(redirector, row))
		return true;
	if (!want(redirector, row, &wanted, err) ||
	    !dataplane->ops->get(dataplane->self, row->rid, wanted.link.port, &found, err))
		return false;
	if (!is_same(&found, &wanted.link))
		return err_set(err, ERR_NOT_FOUND, "the data plane has other values");
	return shaper_is_there(redirector->netlink, &wanted.shape, err);
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static bool
read_address(const char *key, const char *text, uint32_t *address, struct err *err)
{
	if (text && inet_pton(AF_INET, text, address) == 1)
		return true;
	return err_set(
	    err, ERR_BAD_VALUE, "link_end: %s='%.40s' is no IPv4 address", key, text ? text : "");
}

/* Over the loop the addresses are ours to choose, the next hop is the other device. */
static bool
want_loop(struct redirector *redirector, const struct underlay *underlay,
    struct dataplane_link *link, struct err *err)
{
	static const uint32_t first = 0xa9fe4d00; /* 169.254.77.0 */
	bool is_second = !strcmp(underlay->name, "loop1");
	struct device peer;

	link->local = htonl(first + (is_second ? 2 : 1));
	link->remote = htonl(first + (is_second ? 1 : 2));
	if (!device_find(redirector->netlink, underlay->peer, &peer, err))
		return err_in(err, "loop");
	memcpy(link->next_hop, peer.mac, 6);
	return true;
}

/*
 * A next hop that is not known just now keeps the address that frames are going to already: the
 * kernel forgets neighbours that it does not talk to itself.
 */
static bool
want_next_hop(
    struct redirector *redirector, uint32_t address, struct dataplane_link *link, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct dataplane_link found;
	struct err why;

	if (neigh_resolve(redirector->netlink, link->underlay, address, link->next_hop, err))
		return true;
	if (err->code != ERR_WAIT ||
	    !dataplane->ops->get(dataplane->self, link->rid, link->port, &found, &why) ||
	    found.remote != link->remote || found.underlay != link->underlay || !found.is_open)
		return false;
	memcpy(link->next_hop, found.next_hop, 6);
	return true;
}

static bool
want_path(struct redirector *redirector, const struct link_end *end, struct dataplane_link *link,
    struct err *err)
{
	uint32_t next_hop = 0;

	if (end->underlay->peer[0])
		return want_loop(redirector, end->underlay, link, err);
	return read_address("local", end->attr.local, &link->local, err) &&
	       read_address("remote", end->attr.remote, &link->remote, err) &&
	       read_address("next_hop", end->attr.next_hop, &next_hop, err) &&
	       want_next_hop(redirector, next_hop, link, err);
}

static bool
want_port(
    struct redirector *redirector, const struct link_end *end, uint32_t *index, struct err *err)
{
	struct port_device name = id_port_device(end->port);
	struct device device;
	struct err why;

	if (!device_find(redirector->netlink, name.name, &device, &why))
		return err_set(
		    err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code, "port: %s", why.text);
	*index = device.index;
	return true;
}

static void
want_shape(const struct link_end *end, uint32_t underlay, struct shaper_link *shape)
{
	*shape = (struct shaper_link){
	    .device = underlay,
	    .class = end->class,
	    .slice_class = end->slice_class,
	    .rate_bps = (uint64_t)end->spec.rate_bps,
	    .ceil_bps = (uint64_t)end->spec.ceil_bps,
	    .port_bps = (uint64_t)end->underlay->rate_bps,
	    .burst_bytes = (uint64_t)end->spec.burst_bytes,
	    .frame_bytes = (uint32_t)end->spec.mtu + ETHERNET_BYTES + TUNNEL_BYTES,
	};
}

static bool
want(struct redirector *redirector, const struct row *row, struct wanted *wanted, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct link_end end;
	struct device underlay = {0};
	uint32_t port = 0;

	if (!link_read(redirector, row, arena, &end, err))
		return false;
	if (!end.class)
		return err_set(err, ERR_INTERNAL, "link_end: the row was never reserved");
	if (!port_ensure(redirector, end.underlay, &underlay, err) ||
	    !want_port(redirector, &end, &port, err))
		return false;
	if (underlay.mtu < (uint64_t)end.spec.mtu + TUNNEL_BYTES)
		return err_set(err, ERR_BAD_VALUE,
		    "underlay port '%s' has mtu %u, but %lld and %d bytes of tunnel are needed",
		    end.underlay->name, underlay.mtu, (long long)end.spec.mtu, TUNNEL_BYTES);
	wanted->link = (struct dataplane_link){
	    .rid = row->rid,
	    .port = port,
	    .underlay = underlay.index,
	    .key = htonl((uint32_t)end.spec.key),
	    .class_handle = tc_handle(end.class),
	    .mtu = (uint32_t)end.spec.mtu,
	    .is_open = !str_equal(end.attr.open, "off"),
	};
	memcpy(wanted->link.own, underlay.mac, 6);
	want_shape(&end, underlay.index, &wanted->shape);
	return want_path(redirector, &end, &wanted->link, err);
}
