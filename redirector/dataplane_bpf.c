/*
 * The driver `bpf`: loads bpf/redirect.bpf.c, fills its maps, attaches its programs. Maps are
 * pinned and hooks hold their programs, so that frames flow while redirectord is away; the next run
 * adopts the maps and swaps the programs in place.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/bpf_events.h"
#include "redirect.skel.h"
#include "redirector/dataplane.h"
#include "redirector/delay_bpf.h"
#include "redirector/driver_bpf.h"
#include "redirector/entry_bpf.h"
#include "redirector/tap_bpf.h"

enum { COPIES_PAGES = 128 }; /* for each processor, while there is a tap */

struct bpf_driver {
	struct driver driver;
	struct redirect *skeleton;
	uint32_t arrive;           /* id of the program of underlay ports */
	struct bpf_events *copies; /* NULL = nobody wants any */
	struct dataplane_taker taker;
};

/* ---- formats ----------------------------------------------------------------------------------
 */

/* Packets of this type are recognised; *nth of its kind. They stay so: there are few types. */
static bool
format_ensure(struct bpf_driver *self, const struct link_type *type, uint8_t *nth, struct err *err)
{
	const struct bpf_map *map = self->skeleton->maps.vn_formats;
	struct redirect_format wanted = entry_format(type), found;

	for (*nth = 0; *nth < REDIRECT_SAME_MAX; (*nth)++) {
		struct redirect_format_key key = entry_format_key(type, *nth);

		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &found, sizeof(found), 0)) {
			if (!memcmp(&found, &wanted, sizeof(wanted)))
				return true;
			continue;
		}
		return !bpf_map__update_elem(
			   map, &key, sizeof(key), &wanted, sizeof(wanted), BPF_ANY) ||
		       maps_failed(err, "setting the format of a type of link");
	}
	return err_set(err, ERR_CONFLICT,
	    "link type '%s': %d others have the same protocol and discriminator", type->name,
	    REDIRECT_SAME_MAX);
}

/* ---- one link end -----------------------------------------------------------------------------
 */

static bool
bpf_watch(void *self, uint32_t underlay, struct err *err)
{
	struct bpf_driver *bpf = self;

	return driver_attach(&bpf->driver, underlay, bpf->skeleton->progs.vn_decap, err);
}

static bool
bpf_is_watched(void *self, uint32_t underlay, struct err *err)
{
	struct bpf_driver *bpf = self;

	return bpf_ingress_has(underlay, bpf->arrive, bpf->driver.hook) ||
	       err_set(err, ERR_NOT_FOUND, "its program is not attached");
}

static bool
arrival_put(struct bpf_driver *self, const struct dataplane_link *link, struct trace *trace,
    struct redirect_arrival_key *key, struct err *err)
{
	struct redirect_arrival arrival = entry_arrival(link, trace->slot);
	uint8_t nth;

	arrival.flags |= tap_flag(trace);
	if (!format_ensure(self, link->type, &nth, err))
		return false;
	*key = entry_arrival_key(link, nth);
	return driver_arrive(&self->driver, trace, key, &arrival, err);
}

static bool
has_stamps(const struct dataplane_link *link)
{
	return link->type && link->type->flags & LINK_STAMP;
}

/* The new first, then what is of an earlier device or path: frames on their way still arrive. */
static bool
put(struct bpf_driver *self, const struct dataplane_link *link, struct err *err)
{
	struct trace *trace = trace_ensure(&self->driver.maps, link->rid, err);
	struct redirect_arrival_key key;
	struct redirect_departure departure;

	if (!trace || (has_stamps(link) && !delay_ensure(&self->driver.maps, link->rid, err)) ||
	    (link->type && !arrival_put(self, link, trace, &key, err)))
		return false;
	departure = entry_departure(link, trace->slot);
	departure.flags |= tap_flag(trace);
	return (link->is_receiving ||
		   driver_depart(&self->driver, trace, link->port, &departure, err)) &&
	       driver_trim(&self->driver, trace, link->port, link->type ? &key : NULL, err);
}

static bool
bpf_put(void *self, const struct dataplane_link *link, struct err *err)
{
	struct bpf_driver *bpf = self;
	bool good;

	pthread_mutex_lock(&bpf->driver.lock);
	good = put(bpf, link, err);
	pthread_mutex_unlock(&bpf->driver.lock);
	return good;
}

/* Packets of the type are recognised as the nth of its kind. */
static bool
format_is_there(const struct bpf_driver *self, const struct link_type *type, uint8_t nth)
{
	const struct bpf_map *map = self->skeleton->maps.vn_formats;
	struct redirect_format_key key = entry_format_key(type, nth);
	struct redirect_format wanted = entry_format(type), found;

	return !bpf_map__lookup_elem(map, &key, sizeof(key), &found, sizeof(found), 0) &&
	       !memcmp(&found, &wanted, sizeof(wanted));
}

static bool
arrival_is_there(struct bpf_driver *self, const struct dataplane_link *link,
    const struct trace *trace, struct err *err)
{
	struct redirect_arrival wanted = entry_arrival(link, trace->slot);

	wanted.flags |= tap_flag(trace);
	vec_each (key, &trace->keys) {
		struct redirect_arrival_key right = entry_arrival_key(link, key->format.nth);

		if (memcmp(key, &right, sizeof(right)) != 0)
			continue;
		if (!format_is_there(self, link->type, key->format.nth))
			return err_set(err, ERR_NOT_FOUND, "the type of link is not recognised");
		return driver_arrives(&self->driver, key, &wanted, err);
	}
	return err_set(err, ERR_NOT_FOUND, "the key has no entry");
}

static bool
is_there(struct bpf_driver *self, const struct dataplane_link *link, struct err *err)
{
	const struct trace *trace = trace_find(&self->driver.maps, link->rid);
	struct redirect_departure wanted;

	if (!trace)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	wanted = entry_departure(link, trace->slot);
	wanted.flags |= tap_flag(trace);
	if (has_stamps(link) && !delay_is_there(&self->driver.maps, link->rid))
		return err_set(err, ERR_NOT_FOUND, "its delays have no entry");
	return (link->is_receiving || driver_departs(&self->driver, link->port, &wanted, err)) &&
	       (!link->type || arrival_is_there(self, link, trace, err));
}

static bool
bpf_is_there(void *self, const struct dataplane_link *link, struct err *err)
{
	struct bpf_driver *bpf = self;
	bool good;

	pthread_mutex_lock(&bpf->driver.lock);
	good = is_there(bpf, link, err);
	pthread_mutex_unlock(&bpf->driver.lock);
	return good;
}

static bool
bpf_way(void *self, uint64_t rid, uint32_t port, struct dataplane_way *way, struct err *err)
{
	struct bpf_driver *bpf = self;
	struct redirect_departure departure;

	if (!departure_find(&bpf->driver.maps, port, &departure) || departure.rid != rid)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	*way = entry_way(&departure);
	return true;
}

static bool
bpf_drop(void *self, uint64_t rid, struct err *err)
{
	struct bpf_driver *bpf = self;
	bool good;

	pthread_mutex_lock(&bpf->driver.lock);
	good = taps_leave(&bpf->driver.maps, rid, err) && driver_forget(&bpf->driver, rid, err) &&
	       delay_drop(&bpf->driver.maps, rid, err);
	pthread_mutex_unlock(&bpf->driver.lock);
	return good;
}

static bool
bpf_delays(void *self, uint64_t rid, struct dataplane_delays *delays, struct err *err)
{
	struct bpf_driver *bpf = self;
	bool good;

	pthread_mutex_lock(&bpf->driver.lock);
	good = delay_read(&bpf->driver.maps, rid, delays, err);
	pthread_mutex_unlock(&bpf->driver.lock);
	return good;
}

/* ---- copies -----------------------------------------------------------------------------------
 */

static bool
bpf_tap(void *self, unsigned nth, const struct dataplane_tap *tap, struct err *err)
{
	struct bpf_driver *bpf = self;
	bool good;

	pthread_mutex_lock(&bpf->driver.lock);
	good = tap_put(&bpf->driver.maps, nth, tap, err);
	pthread_mutex_unlock(&bpf->driver.lock);
	return good;
}

static void
take_copy(void *self, const void *event, size_t size)
{
	const struct bpf_driver *bpf = self;
	struct dataplane_copy copy;

	if (tap_copy(event, size, &copy))
		bpf->taker.copied(bpf->taker.self, &copy);
}

static void
lose_copies(void *self, uint64_t n)
{
	const struct bpf_driver *bpf = self;

	bpf->taker.lost(bpf->taker.self, n);
}

static bool
bpf_copies_open(void *self, const struct dataplane_taker *taker, struct err *err)
{
	struct bpf_driver *bpf = self;
	struct bpf_events_taker events = {take_copy, lose_copies, bpf};

	bpf->taker = *taker;
	bpf->copies =
	    bpf_events_open(bpf_map__fd(bpf->skeleton->maps.vn_copies), COPIES_PAGES, &events, err);
	return bpf->copies != NULL;
}

static void
bpf_copies_poll(void *self, int wait_ms)
{
	const struct bpf_driver *bpf = self;

	bpf_events_poll(bpf->copies, wait_ms);
}

static void
bpf_copies_close(void *self)
{
	struct bpf_driver *bpf = self;

	bpf_events_free(bpf->copies);
	bpf->copies = NULL;
}

/* ---- opening ----------------------------------------------------------------------------------
 */

static void
bpf_free(void *self)
{
	struct bpf_driver *bpf = self;

	bpf_events_free(bpf->copies);
	driver_done(&bpf->driver);
	redirect__destroy(bpf->skeleton);
	free(bpf);
}

static const struct dataplane_ops bpf_ops = {
    .name = "bpf",
    .watch = bpf_watch,
    .is_watched = bpf_is_watched,
    .keep = driver_keep,
    .put = bpf_put,
    .is_there = bpf_is_there,
    .way = bpf_way,
    .drop = bpf_drop,
    .counters = driver_counters,
    .strays = driver_strays,
    .delays = bpf_delays,
    .list = driver_list,
    .tap = bpf_tap,
    .copies_open = bpf_copies_open,
    .copies_poll = bpf_copies_poll,
    .copies_close = bpf_copies_close,
    .free = bpf_free,
};

static bool
load(struct bpf_driver *self, const struct dataplane_config *config, struct err *err)
{
	auto_str struct str pins = {0};

	if (!maps_place(config->folder, REDIRECT_PIN_DIR, &pins, err))
		return false;
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = pins.text);
	self->skeleton = redirect__open_opts(&opts);
	return maps_load(&self->driver.maps, self->skeleton ? self->skeleton->obj : NULL, pins.text,
	    config->n_links, err);
}

bool
dataplane_bpf_open(
    const struct dataplane_config *config, struct dataplane *dataplane, struct err *err)
{
	struct bpf_driver *self = xcalloc(1, sizeof(*self));

	if (!dataplane_device_leave(config, err) || !load(self, config, err)) {
		redirect__destroy(self->skeleton);
		free(self);
		return err_in(err, "data plane");
	}
	driver_init(&self->driver, config, self->skeleton->progs.vn_encap);
	self->arrive = bpf_program_id(bpf_program__fd(self->skeleton->progs.vn_decap));
	if (!taps_reset(&self->driver.maps, err)) {
		bpf_free(self);
		return err_in(err, "data plane");
	}
	*dataplane = (struct dataplane){.ops = &bpf_ops, .self = self};
	return true;
}
