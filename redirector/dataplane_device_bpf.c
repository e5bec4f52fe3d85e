/*
 * The driver `device`: tunnel devices of the kernel, told packet by packet by bpf/device.bpf.c
 * where to send. For kernels and hosts where these serve better than headers made in BPF. As with
 * the driver `bpf`, maps are pinned and hooks hold their programs, and the tunnel devices stay:
 * frames flow while redirectord is away.
 */
#include <bpf/libbpf.h>
#include <stdlib.h>

#include "redirect_device.skel.h"
#include "redirector/driver_bpf.h"
#include "redirector/entry_bpf.h"
#include "redirector/tunnels.h"

static const char pin_dir[] = "device-1";

struct device_driver {
	struct driver driver;
	struct redirect_device *skeleton;
	struct tunnels *tunnels;
};

/* Where frames of a link end go and come from. */
struct passage {
	bool has_path; /* through a tunnel device; else over the loop, or from port to port */
	struct tunnel_path path;
	uint32_t device;                   /* to send by */
	const struct bpf_program *arrival; /* what stands where frames come in; NULL = nothing */
};

/* All but the tunnel's device. */
static bool
passage_plan(struct device_driver *self, const struct dataplane_link *link, struct passage *passage,
    struct err *err)
{
	*passage = (struct passage){.device = link->underlay};
	if (!link->type)
		return true;
	passage->arrival = self->skeleton->progs.vn_arrive_loop;
	if (link->is_loop)
		return true;
	passage->has_path = true;
	passage->arrival = self->skeleton->progs.vn_arrive;
	passage->path = (struct tunnel_path){
	    .udp_port = link->type->discriminator,
	    .local = link->local,
	    .remote = link->remote,
	    .next_hop = link->next_hop_address,
	    .underlay = link->underlay,
	};
	return tunnels_kind(link->type, &passage->path.kind, err);
}

/* ---- one link end -----------------------------------------------------------------------------
 */

/* Frames that are ours come by tunnel devices, which `put` sees to. */
static bool
device_watch(void *self, uint32_t underlay, struct err *err)
{
	(void)self, (void)underlay, (void)err;
	return true;
}

static bool
arrival_put(struct device_driver *self, const struct dataplane_link *link,
    const struct passage *passage, struct trace *trace, struct err *err)
{
	struct redirect_arrival_key key = entry_tunnel_key(link, passage->device);
	struct redirect_arrival arrival = entry_tunnel_arrival(link, trace->slot);

	return driver_arrive(&self->driver, trace, &key, &arrival, err) &&
	       driver_attach(&self->driver, passage->device, passage->arrival, err);
}

/* The new first, then what is of an earlier device or path: frames on their way still arrive. */
static bool
put(struct device_driver *self, const struct dataplane_link *link, struct err *err)
{
	struct redirect_departure departure;
	struct redirect_arrival_key key;
	struct passage passage;
	struct trace *trace;

	if (!passage_plan(self, link, &passage, err))
		return false;
	trace = trace_ensure(&self->driver.maps, link->rid, err);
	if (!trace ||
	    (passage.has_path &&
		!tunnels_ensure(self->tunnels, link->rid, &passage.path, &passage.device, err)) ||
	    (passage.arrival && !arrival_put(self, link, &passage, trace, err)))
		return false;
	departure =
	    entry_tunnel_departure(link, trace->slot, (uint8_t)passage.path.kind, passage.device);
	key = entry_tunnel_key(link, passage.device);
	return (link->is_receiving ||
		   driver_depart(&self->driver, trace, link->port, &departure, err)) &&
	       driver_trim(&self->driver, trace, link->port, passage.arrival ? &key : NULL, err) &&
	       tunnels_settle(
		   self->tunnels, link->rid, passage.has_path ? &passage.path : NULL, err);
}

static bool
device_put(void *self, const struct dataplane_link *link, struct err *err)
{
	struct device_driver *device = self;
	bool good;

	pthread_mutex_lock(&device->driver.lock);
	good = put(device, link, err);
	pthread_mutex_unlock(&device->driver.lock);
	return good;
}

static bool
arrival_is_there(struct device_driver *self, const struct dataplane_link *link,
    const struct passage *passage, uint32_t slot, struct err *err)
{
	struct redirect_arrival_key key = entry_tunnel_key(link, passage->device);
	struct redirect_arrival arrival = entry_tunnel_arrival(link, slot);

	if (!driver_arrives(&self->driver, &key, &arrival, err))
		return false;
	return bpf_ingress_has(passage->device, bpf_program_id(bpf_program__fd(passage->arrival)),
		   self->driver.hook) ||
	       err_set(err, ERR_NOT_FOUND, "the program for arrivals is not attached");
}

static bool
is_there(struct device_driver *self, const struct dataplane_link *link, struct err *err)
{
	const struct trace *trace = trace_find(&self->driver.maps, link->rid);
	struct redirect_departure departure;
	struct passage passage;

	if (!trace)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	if (!passage_plan(self, link, &passage, err) ||
	    (passage.has_path &&
		!tunnels_is_there(self->tunnels, &passage.path, &passage.device, err)))
		return false;
	departure =
	    entry_tunnel_departure(link, trace->slot, (uint8_t)passage.path.kind, passage.device);
	return (link->is_receiving || driver_departs(&self->driver, link->port, &departure, err)) &&
	       (!passage.arrival || arrival_is_there(self, link, &passage, trace->slot, err));
}

static bool
device_is_there(void *self, const struct dataplane_link *link, struct err *err)
{
	struct device_driver *device = self;
	bool good;

	pthread_mutex_lock(&device->driver.lock);
	good = is_there(device, link, err);
	pthread_mutex_unlock(&device->driver.lock);
	return good;
}

static bool
device_way(void *self, uint64_t rid, uint32_t port, struct dataplane_way *way, struct err *err)
{
	struct device_driver *device = self;
	struct redirect_departure departure;

	if (!departure_find(&device->driver.maps, port, &departure) || departure.rid != rid)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	*way = entry_tunnel_way(&departure);
	return true;
}

static bool
device_drop(void *self, uint64_t rid, struct err *err)
{
	struct device_driver *device = self;
	bool good;

	pthread_mutex_lock(&device->driver.lock);
	good = driver_forget(&device->driver, rid, err) &&
	       tunnels_settle(device->tunnels, rid, NULL, err);
	pthread_mutex_unlock(&device->driver.lock);
	return good;
}

/* Tunnel devices put no stamps into frames. */
static bool
device_delays(void *self, uint64_t rid, struct dataplane_delays *delays, struct err *err)
{
	(void)self, (void)rid, (void)delays;
	return err_set(err, ERR_NOT_FOUND, "the driver device has no links with stamps");
}

/* Nor do they copy frames. */
static bool
device_tap(void *self, unsigned nth, const struct dataplane_tap *tap, struct err *err)
{
	(void)self, (void)nth;
	return !tap || err_set(err, ERR_UNAVAILABLE, "the driver device copies no frames");
}

static bool
device_copies_open(void *self, const struct dataplane_taker *taker, struct err *err)
{
	(void)self, (void)taker;
	return err_set(err, ERR_UNAVAILABLE, "the driver device copies no frames");
}

static void
device_copies_poll(void *self, int wait_ms)
{
	(void)self, (void)wait_ms;
}

static void
device_copies_close(void *self)
{
	(void)self;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static void
device_free(void *self)
{
	struct device_driver *device = self;

	tunnels_free(device->tunnels);
	driver_done(&device->driver);
	redirect_device__destroy(device->skeleton);
	free(device);
}

static const struct dataplane_ops device_ops = {
    .name = "device",
    .watch = device_watch,
    .is_watched = device_watch,
    .keep = driver_keep,
    .put = device_put,
    .is_there = device_is_there,
    .way = device_way,
    .drop = device_drop,
    .counters = driver_counters,
    .strays = driver_strays,
    .delays = device_delays,
    .list = driver_list,
    .tap = device_tap,
    .copies_open = device_copies_open,
    .copies_poll = device_copies_poll,
    .copies_close = device_copies_close,
    .free = device_free,
};

/* The paths of what an earlier run has left. */
static void
adopt(struct device_driver *self)
{
	const struct map *traces = self->driver.maps.traces;
	struct redirect_departure departure;
	const struct trace *trace;

	for (size_t at = 0; (trace = map_next(traces, &at));)
		vec_each (port, &trace->ports) {
			struct tunnel_path path = {0};

			if (!departure_find(&self->driver.maps, *port, &departure) ||
			    departure.flags & REDIRECT_DIRECT)
				continue;
			path.kind = departure.tunnel.kind;
			path.local = departure.tunnel.local;
			path.remote = departure.tunnel.remote;
			tunnels_adopt(self->tunnels, trace->held.rid, &path);
		}
}

static bool
load(struct device_driver *self, const struct dataplane_config *config, struct err *err)
{
	auto_str struct str pins = {0};

	if (!maps_place(config->folder, pin_dir, &pins, err))
		return false;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = pins.text);
	self->skeleton = redirect_device__open_opts(&opts);
	return maps_load(&self->driver.maps, self->skeleton ? self->skeleton->obj : NULL, pins.text,
	    config->n_links, err);
}

bool
dataplane_device_open(
    const struct dataplane_config *config, struct dataplane *dataplane, struct err *err)
{
	struct device_driver *self = xcalloc(1, sizeof(*self));

	if (!load(self, config, err)) {
		redirect_device__destroy(self->skeleton);
		free(self);
		return err_in(err, "data plane");
	}
	driver_init(&self->driver, config, self->skeleton->progs.vn_depart);
	self->tunnels = tunnels_new(config->netlink);
	adopt(self);
	*dataplane = (struct dataplane){.ops = &device_ops, .self = self};
	if (!driver_succeed(config, REDIRECT_PIN_DIR, err) || !tunnels_sweep(self->tunnels, err)) {
		device_free(self);
		return err_in(err, "data plane");
	}
	return true;
}

bool
dataplane_device_leave(const struct dataplane_config *config, struct err *err)
{
	struct tunnels *tunnels;
	bool good;

	tunnels = tunnels_new(config->netlink);
	good = driver_succeed(config, pin_dir, err) && tunnels_sweep(tunnels, err);
	tunnels_free(tunnels);
	return good;
}
