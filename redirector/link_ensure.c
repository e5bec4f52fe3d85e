/*
 * A link end becomes real: port device, underlay, next hop, class, frames. Each part is looked at
 * first, so that a repetition on a healthy link end touches no frame.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/net/neigh.h"
#include "redirector/link.h"
#include "redirector/link_book.h"
#include "redirector/link_types.h"

enum { ETHERNET_BYTES = 14, TAGS_BYTES = 8, DSCP_STEP = 8 };

/* How long a queue that frames no longer go to may take to run empty. */
enum { DRAIN_STEP_MS = 5, DRAIN_STEPS = 60 };

/* How long a change of others that share its classes may take. */
enum { CHANGE_MS = 3000 };

/*
 * What a link end stands on is put right, or looked at: in the picture that all rows share, which
 * is cheap and may be old, or in the kernel.
 */
enum look { PUT_RIGHT, IN_PICTURE, IN_KERNEL };

/* What the kernel should have for a link end. */
struct wanted {
	struct dataplane_link link;
	struct shaper_link shape;
	int64_t values[LINK_KEYS_MAX]; /* of link.end */
};

static bool want(struct redirector *redirector, const struct link_end *end, enum look look,
    struct wanted *wanted, struct err *err);

static struct kernel_view *
view_of(struct redirector *redirector, enum look look)
{
	return look == IN_PICTURE ? redirector->view : NULL;
}

/* The classes of a link end as the book has them now. Under `trees`. */
static bool
shape(struct redirector *redirector, const struct link_end *end, struct shaper_link *shape,
    struct err *err)
{
	link_shape(redirector, end, shape->device, shape);
	return shaper_ensure(redirector->netlink, shape, err);
}

/*
 * What frames went to before is gone when it is empty; whatever takes longer is left to the sweep.
 */
static bool
retire(struct redirector *redirector, const struct link_end *end, struct shaper_link *shape,
    struct err *err)
{
	struct err why = {.code = ERR_WAIT};
	bool is_gone = false;

	for (int i = 0; !is_gone && why.code == ERR_WAIT && i < DRAIN_STEPS; i++) {
		if (i)
			(void)poll(NULL, 0, DRAIN_STEP_MS);
		pthread_mutex_lock(&redirector->trees);
		link_shape(redirector, end, shape->device, shape);
		is_gone = shaper_retire(redirector->netlink, shape, false, &why);
		pthread_mutex_unlock(&redirector->trees);
	}
	return is_gone || why.code == ERR_WAIT || err_set(err, why.code, "%s", why.text);
}

/* Classes before the entry that sends frames to them, those of before behind it. */
static bool
carry(struct redirector *redirector, const struct link_end *end, struct wanted *wanted,
    struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	bool is_good;

	if (end->peer)
		return dataplane->ops->put(dataplane->self, &wanted->link, err);
	FAULT_POINT("redirector.link.class.before");
	pthread_mutex_lock(&redirector->trees);
	is_good = shape(redirector, end, &wanted->shape, err);
	pthread_mutex_unlock(&redirector->trees);
	FAULT_POINT("redirector.link.class.after");
	return is_good && dataplane->ops->put(dataplane->self, &wanted->link, err) &&
	       retire(redirector, end, &wanted->shape, err);
}

/*
 * Of a stopped node the port is gone, and a closed link end without a port is as closed as can be:
 * nothing to make, nothing amiss.
 */
static bool
is_at_rest(struct redirector *redirector, const struct link_end *end, enum look look)
{
	struct device port;
	struct err why;

	return str_equal(end->attr.open, "off") &&
	       !kernel_device(view_of(redirector, look), redirector->netlink,
		   id_port_device(end->port).name, &port, &why) &&
	       why.code == ERR_NOT_FOUND;
}

bool
link_ensure(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct wanted wanted = {0};
	struct link_end end;

	if (!link_read(redirector, row, arena, &end, err))
		return false;
	return is_at_rest(redirector, &end, PUT_RIGHT) ||
	       (want(redirector, &end, PUT_RIGHT, &wanted, err) &&
		   carry(redirector, &end, &wanted, err));
}

static bool
is_there(struct redirector *redirector, const struct link_end *end, enum look look, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct wanted wanted = {0};

	return is_at_rest(redirector, end, look) ||
	       (want(redirector, end, look, &wanted, err) &&
		   dataplane->ops->is_there(dataplane->self, &wanted.link, err) &&
		   (end->peer || shaper_is_there(view_of(redirector, look), redirector->netlink,
				     &wanted.shape, err)));
}

/*
 * What the picture shows amiss is asked of the kernel. What has other values than the book while
 * the book changes is just on its way there, on behalf of another row: put right, but no loss.
 */
bool
link_is_there(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct link_end end;
	bool is_shared;

	if (!link_read(redirector, row, arena, &end, err))
		return false;
	if (is_there(redirector, &end, IN_PICTURE, err) ||
	    is_there(redirector, &end, IN_KERNEL, err))
		return true;
	is_shared = err->code == ERR_CONFLICT || end.per != SHAPER_PER_LINK;
	if (is_shared && clock_boot_ms(&clock_real) - redirector->heard_ms < CHANGE_MS)
		err->code = ERR_UNAVAILABLE;
	return false;
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
want_loop(struct redirector *redirector, const struct underlay *underlay, enum look look,
    struct dataplane_link *link, struct err *err)
{
	static const uint32_t first = 0xa9fe4d00; /* 169.254.77.0 */
	bool is_second = !strcmp(underlay->name, "loop1");
	struct device peer;

	link->is_loop = true;
	link->local = htonl(first + (is_second ? 2 : 1));
	link->remote = htonl(first + (is_second ? 1 : 2));
	if (!kernel_device(
		view_of(redirector, look), redirector->netlink, underlay->peer, &peer, err))
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
    struct redirector *redirector, enum look look, struct dataplane_link *link, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	struct dataplane_way way;
	struct err why;

	if (kernel_next_hop(view_of(redirector, look), redirector->netlink, link->underlay,
		link->next_hop_address, link->next_hop, err))
		return true;
	if (err->code != ERR_WAIT ||
	    !dataplane->ops->way(dataplane->self, link->rid, link->port, &way, &why) ||
	    way.remote != link->remote || way.underlay != link->underlay || !way.is_open)
		return false;
	memcpy(link->next_hop, way.next_hop, sizeof(way.next_hop));
	return true;
}

static bool
want_path(struct redirector *redirector, const struct link_end *end, enum look look,
    struct dataplane_link *link, struct err *err)
{
	if (end->underlay->peer[0])
		return want_loop(redirector, end->underlay, look, link, err);
	return read_address("local", end->attr.local, &link->local, err) &&
	       read_address("remote", end->attr.remote, &link->remote, err) &&
	       read_address("next_hop", end->attr.next_hop, &link->next_hop_address, err) &&
	       want_next_hop(redirector, look, link, err);
}

static bool
want_port(struct redirector *redirector, uint64_t port, enum look look, struct device *device,
    struct err *err)
{
	struct port_device name = id_port_device(port);
	struct err why;

	return kernel_device(
		   view_of(redirector, look), redirector->netlink, name.name, device, &why) ||
	       err_set(err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code, "port: %s", why.text);
}

void
link_shape(struct redirector *redirector, const struct link_end *end, uint32_t device,
    struct shaper_link *shape)
{
	bool has_own = end->per == SHAPER_PER_LINK;
	struct link_sums sums;

	link_book_sums(redirector->book, end, &sums);
	*shape = (struct shaper_link){
	    .device = device,
	    .number = end->number,
	    .slice_number = end->slice_number,
	    .n_blocks = redirector->n_blocks,
	    .is_wanted = sums.n_leaf,
	    .is_slice_wanted = sums.n_slice,
	    .is_split = sums.is_split,
	    .rate_bps = sums.rate_bps,
	    .ceil_bps = sums.ceil_bps,
	    .slice_bps = sums.slice_bps,
	    .port_bps = (uint64_t)end->underlay->rate_bps,
	    .burst_bytes = has_own ? (uint64_t)end->attr.burst_bytes : 0,
	    .frame_bytes = (uint32_t)end->spec.mtu + ETHERNET_BYTES + link_type_overhead(end->type),
	};
}

/* A packet that is too large would be lost without a word. */
static bool
check_mtu(const struct link_end *end, const struct device *underlay, struct err *err)
{
	uint32_t overhead = link_type_overhead(end->type) +
			    (end->type->flags & LINK_NO_TAGS ? 0 : (uint32_t)TAGS_BYTES);

	if (underlay->mtu >= (uint64_t)end->spec.mtu + overhead)
		return true;
	return err_set(err, ERR_BAD_VALUE,
	    "underlay port '%s' has mtu %u, but %lld and %u bytes of type '%s' are needed",
	    end->underlay->name, underlay->mtu, (long long)end->spec.mtu, overhead,
	    end->type->name);
}

/* Its own leaf, or the one that it shares. */
static void
want_shaped(const struct link_end *end, bool is_split, struct dataplane_link *link)
{
	bool has_first = is_split && end->attr.priority;

	link->class_handle =
	    tc_handle(shaper_minor(end->number, is_split ? SHAPER_REST : SHAPER_PLAIN));
	link->excess_handle = link->class_handle;
	link->first_dscp = has_first ? (uint32_t)end->attr.priority * DSCP_STEP : 0;
	link->first_handle =
	    has_first ? tc_handle(shaper_minor(end->number, SHAPER_FIRST_LEAF)) : 0;
}

/*
 * A bucket of its own in front of a class that all share. Best effort has one where it may not use
 * the whole port.
 */
static void
want_policed(const struct link_end *end, struct dataplane_link *link)
{
	uint64_t rate_bps = (uint64_t)end->attr.rate_bps, ceil_bps = (uint64_t)end->attr.ceil_bps;

	link->excess_handle = tc_handle(SHAPER_LEFT);
	link->class_handle = rate_bps ? tc_handle(SHAPER_POLICED) : link->excess_handle;
	if (!rate_bps && ceil_bps >= (uint64_t)end->underlay->rate_bps)
		return;
	link->police_bps = rate_bps;
	link->police_ceil_bps = ceil_bps;
	link->police_burst_bytes =
	    shaper_police_burst(rate_bps, ceil_bps, (uint64_t)end->attr.burst_bytes);
}

static bool
want_classes(struct redirector *redirector, const struct link_end *end, struct wanted *wanted,
    struct err *err)
{
	struct link_sums sums;

	link_shape(redirector, end, wanted->link.underlay, &wanted->shape);
	if (end->mode != SHAPER_SHAPING) {
		want_policed(end, &wanted->link);
		return true;
	}
	link_book_sums(redirector->book, end, &sums);
	if (!sums.has_queue) {
		err_set(err, ERR_R04, "port '%s' of %s: all queues of its shaper are taken",
		    end->underlay->name, redirector->host);
		return err_hint(err, "isolation policing or besteffort needs no queue");
	}
	want_shaped(end, wanted->shape.is_split, &wanted->link);
	return true;
}

/*
 * From port to port. A ceiling is the policer's, whose class only has to be some; what is closed
 * needs no other end.
 */
static bool
want_internal(struct redirector *redirector, const struct link_end *end, enum look look,
    struct dataplane_link *link, struct err *err)
{
	bool is_open = !str_equal(end->attr.open, "off");
	uint64_t ceil_bps = (uint64_t)end->attr.ceil_bps;
	struct device port = {0}, peer = {0};

	if (!want_port(redirector, end->port, look, &port, err))
		return false;
	if (!want_port(redirector, end->peer, look, &peer, err) &&
	    (is_open || err->code != ERR_WAIT))
		return err_in(err, "peer");
	if (peer.index && peer.mtu < (uint64_t)end->spec.mtu)
		return err_set(err, ERR_BAD_VALUE, "port %s has mtu %u, but %lld is needed",
		    end->spec.peer, peer.mtu, (long long)end->spec.mtu);
	*link = (struct dataplane_link){
	    .rid = end->rid,
	    .port = port.index,
	    .underlay = peer.index,
	    .mtu = (uint32_t)end->spec.mtu,
	    .is_open = is_open,
	    .excess_handle = tc_handle(SHAPER_LEFT),
	    .police_ceil_bps = ceil_bps,
	};
	if (ceil_bps)
		link->police_burst_bytes =
		    shaper_police_burst(0, ceil_bps, (uint64_t)end->attr.burst_bytes);
	return true;
}

static bool
want(struct redirector *redirector, const struct link_end *end, enum look look,
    struct wanted *wanted, struct err *err)
{
	struct kernel_view *view = view_of(redirector, look);
	struct device underlay = {0}, port = {0};
	bool is_ready;

	if (!end->is_reserved || !end->has_attr)
		return err_set(
		    err, ERR_INTERNAL, "link_end: the row was never reserved or committed");
	if (end->peer)
		return want_internal(redirector, end, look, &wanted->link, err);
	/* The port first: it is what most link ends wait for. */
	if (!want_port(redirector, end->port, look, &port, err))
		return false;
	is_ready = look == PUT_RIGHT
		       ? port_ensure(redirector, end->underlay, &underlay, err)
		       : port_is_there(redirector, view, end->underlay, &underlay, err);
	if (!is_ready || !check_mtu(end, &underlay, err))
		return false;
	wanted->link = (struct dataplane_link){
	    .rid = end->rid,
	    .port = port.index,
	    .underlay = underlay.index,
	    .type = end->type,
	    .end = end->id,
	    .mtu = (uint32_t)end->spec.mtu,
	    .is_open = !str_equal(end->attr.open, "off"),
	    .is_receiving = str_equal(end->attr.open, "receive"),
	};
	memcpy(wanted->values, end->id.values, sizeof(wanted->values));
	wanted->link.end.values = wanted->values;
	memcpy(wanted->link.own, underlay.mac, 6);
	wanted->link.is_far = kernel_far(view, redirector->netlink, &port, wanted->link.far);
	return want_classes(redirector, end, wanted, err) &&
	       want_path(redirector, end, look, &wanted->link, err);
}
