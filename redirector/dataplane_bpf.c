/*
 * The driver `bpf`: loads bpf/redirect.bpf.c, fills its maps, attaches its programs by clsact.
 * Maps are pinned and filters hold their programs, so that frames flow while redirectord is away;
 * the next run adopts the maps and swaps the programs in place.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/net/bpf.h"
#include "lib/net/tc.h"
#include "redirect.skel.h"
#include "redirector/bpf/redirect_abi.h"
#include "redirector/dataplane.h"

struct driver {
	struct redirect *skeleton;
	struct netlink *netlink;
	int n_cpus;
};

typedef vec_of(struct dataplane_link) link_vec;

static struct redirect *load(const char *folder, struct err *err);
static bool failed(struct err *err, const char *what);
static bool departure_drop(struct driver *driver, uint32_t port, struct err *err);

/* ---- one link end ---------------------------------------------------------------------------- */

static uint32_t
flags_of(const struct dataplane_link *link)
{
	return link->is_open ? REDIRECT_OPEN : 0;
}

static bool
counts_ensure(struct driver *driver, uint64_t rid, struct err *err)
{
	auto_free struct redirect_count *zero =
	    xcalloc((size_t)driver->n_cpus, sizeof(struct redirect_count));
	size_t size = (size_t)driver->n_cpus * sizeof(*zero);

	if (!bpf_map__update_elem(
		driver->skeleton->maps.vn_counts, &rid, sizeof(rid), zero, size, BPF_NOEXIST) ||
	    errno == EEXIST)
		return true;
	return failed(err, "making counters");
}

static bool
arrival_put(struct driver *driver, const struct dataplane_link *link, struct err *err)
{
	struct redirect_arrival_key key = {.underlay = link->underlay, .key = link->key};
	struct redirect_arrival arrival = {
	    .rid = link->rid,
	    .port = link->port,
	    .local = link->local,
	    .remote = link->remote,
	    .flags = flags_of(link),
	};

	return !bpf_map__update_elem(driver->skeleton->maps.vn_arrivals, &key, sizeof(key),
		   &arrival, sizeof(arrival), BPF_ANY) ||
	       failed(err, "setting the key of a link end");
}

static bool
departure_put(struct driver *driver, const struct dataplane_link *link, struct err *err)
{
	struct redirect_departure departure = {
	    .rid = link->rid,
	    .underlay = link->underlay,
	    .priority = link->class_handle,
	    .local = link->local,
	    .remote = link->remote,
	    .key = link->key,
	    .mtu = link->mtu,
	    .flags = flags_of(link),
	};

	memcpy(departure.next_hop, link->next_hop, 6);
	memcpy(departure.own, link->own, 6);
	return !bpf_map__update_elem(driver->skeleton->maps.vn_departures, &link->port,
		   sizeof(link->port), &departure, sizeof(departure), BPF_ANY) ||
	       failed(err, "setting the port of a link end");
}

static bool
attach(struct driver *driver, uint32_t device, const struct bpf_program *program, struct err *err)
{
	int fd = bpf_program__fd(program);

	if (bpf_ingress_program(device) == bpf_program_id(fd))
		return true;
	return tc_clsact_ensure(driver->netlink, device, err) &&
	       bpf_ingress_attach(device, fd, err);
}

static bool
driver_watch(void *self, uint32_t underlay, struct err *err)
{
	struct driver *driver = self;

	return attach(driver, underlay, driver->skeleton->progs.vn_decap, err);
}

/* ---- walking the maps ------------------------------------------------------------------------ */

/* Entries of a rid other than these are of an earlier device or path: remove them. */
struct wanted {
	uint64_t rid;
	const uint32_t *port;                   /* NULL = none */
	const struct redirect_arrival_key *key; /* NULL = none */
};

static bool
departures_trim(struct driver *driver, const struct wanted *wanted, struct err *err)
{
	const struct bpf_map *map = driver->skeleton->maps.vn_departures;
	struct redirect_departure departure;
	uint32_t port, *last = NULL, at;
	vec_of(uint32_t) stale = {0};
	bool good = true;

	for (; !bpf_map__get_next_key(map, last, &port, sizeof(port)); last = &at) {
		at = port;
		if (!bpf_map__lookup_elem(
			map, &port, sizeof(port), &departure, sizeof(departure), 0) &&
		    departure.rid == wanted->rid && (!wanted->port || port != *wanted->port))
			vec_push(&stale, port);
	}
	vec_each (item, &stale)
		good = departure_drop(driver, *item, err) && good;
	vec_done(&stale);
	return good;
}

static bool
arrivals_trim(struct driver *driver, const struct wanted *wanted, struct err *err)
{
	const struct bpf_map *map = driver->skeleton->maps.vn_arrivals;
	struct redirect_arrival_key key, *last = NULL, at;
	struct redirect_arrival arrival;
	vec_of(struct redirect_arrival_key) stale = {0};
	bool good = true;

	for (; !bpf_map__get_next_key(map, last, &key, sizeof(key)); last = &at) {
		at = key;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &arrival, sizeof(arrival), 0) &&
		    arrival.rid == wanted->rid &&
		    (!wanted->key || memcmp(&key, wanted->key, sizeof(key)) != 0))
			vec_push(&stale, key);
	}
	vec_each (item, &stale)
		if (bpf_map__delete_elem(map, item, sizeof(*item), 0) && errno != ENOENT)
			good = failed(err, "removing the key of a link end");
	vec_done(&stale);
	return good;
}

/* Detach first: a port without an entry drops frames, one without a program leads nowhere. */
static bool
departure_drop(struct driver *driver, uint32_t port, struct err *err)
{
	if (!tc_clsact_remove(driver->netlink, port, err))
		return false;
	return !bpf_map__delete_elem(
		   driver->skeleton->maps.vn_departures, &port, sizeof(port), 0) ||
	       errno == ENOENT || failed(err, "removing the port of a link end");
}

static bool
driver_put(void *self, const struct dataplane_link *link, struct err *err)
{
	struct redirect_arrival_key key = {.underlay = link->underlay, .key = link->key};
	struct wanted wanted = {.rid = link->rid, .port = &link->port, .key = &key};
	struct driver *driver = self;

	return departures_trim(driver, &wanted, err) && arrivals_trim(driver, &wanted, err) &&
	       counts_ensure(driver, link->rid, err) && arrival_put(driver, link, err) &&
	       departure_put(driver, link, err) &&
	       attach(driver, link->port, driver->skeleton->progs.vn_encap, err);
}

static struct dataplane_link
link_of(uint32_t port, const struct redirect_departure *departure)
{
	struct dataplane_link link = {
	    .rid = departure->rid,
	    .port = port,
	    .underlay = departure->underlay,
	    .key = departure->key,
	    .local = departure->local,
	    .remote = departure->remote,
	    .class_handle = departure->priority,
	    .mtu = departure->mtu,
	    .is_open = departure->flags & REDIRECT_OPEN,
	};

	memcpy(link.next_hop, departure->next_hop, 6);
	memcpy(link.own, departure->own, 6);
	return link;
}

static bool
driver_get(void *self, uint64_t rid, uint32_t port, struct dataplane_link *link, struct err *err)
{
	struct driver *driver = self;
	struct redirect_departure departure;
	struct redirect_arrival arrival;
	struct redirect_arrival_key key;

	if (bpf_map__lookup_elem(driver->skeleton->maps.vn_departures, &port, sizeof(port),
		&departure, sizeof(departure), 0) ||
	    departure.rid != rid)
		return err_set(err, ERR_NOT_FOUND, "the port has no entry");
	key = (struct redirect_arrival_key){.underlay = departure.underlay, .key = departure.key};
	if (bpf_map__lookup_elem(driver->skeleton->maps.vn_arrivals, &key, sizeof(key), &arrival,
		sizeof(arrival), 0) ||
	    arrival.rid != rid || arrival.port != port || arrival.local != departure.local ||
	    arrival.remote != departure.remote || arrival.flags != departure.flags)
		return err_set(err, ERR_NOT_FOUND, "the key has no entry");
	if (bpf_ingress_program(port) !=
	    bpf_program_id(bpf_program__fd(driver->skeleton->progs.vn_encap)))
		return err_set(err, ERR_NOT_FOUND, "the port is not attached");
	*link = link_of(port, &departure);
	return true;
}

static bool
driver_drop(void *self, uint64_t rid, struct err *err)
{
	struct driver *driver = self;
	struct wanted none = {.rid = rid};
	bool good = departures_trim(driver, &none, err);

	good = arrivals_trim(driver, &none, err) && good;
	if (bpf_map__delete_elem(driver->skeleton->maps.vn_counts, &rid, sizeof(rid), 0) &&
	    errno != ENOENT)
		return failed(err, "removing counters");
	return good;
}

/* ---- looking --------------------------------------------------------------------------------- */

static bool
driver_counters(void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err)
{
	struct driver *driver = self;
	size_t size = (size_t)driver->n_cpus * sizeof(struct redirect_count);
	auto_free struct redirect_count *counts = xcalloc(1, size);

	if (bpf_map__lookup_elem(
		driver->skeleton->maps.vn_counts, &rid, sizeof(rid), counts, size, 0))
		return err_set(err, ERR_NOT_FOUND, "there are no counters of this link end");
	*counters = (struct dataplane_counters){0};
	for (int i = 0; i < driver->n_cpus; i++) {
		counters->tx_frames += counts[i].tx_frames;
		counters->tx_bytes += counts[i].tx_bytes;
		counters->tx_oversize += counts[i].tx_oversize;
		counters->tx_dropped += counts[i].tx_dropped;
		counters->rx_frames += counts[i].rx_frames;
		counters->rx_bytes += counts[i].rx_bytes;
		counters->rx_dropped += counts[i].rx_dropped;
	}
	return true;
}

static bool
stray_sum(struct driver *driver, uint32_t kind, uint64_t *sum, struct err *err)
{
	size_t size = (size_t)driver->n_cpus * sizeof(uint64_t);
	auto_free uint64_t *counts = xcalloc(1, size);

	if (bpf_map__lookup_elem(
		driver->skeleton->maps.vn_strays, &kind, sizeof(kind), counts, size, 0))
		return failed(err, "reading the strays");
	*sum = 0;
	for (int i = 0; i < driver->n_cpus; i++)
		*sum += counts[i];
	return true;
}

static bool
driver_strays(void *self, struct dataplane_strays *strays, struct err *err)
{
	return stray_sum(self, REDIRECT_STRAY_KEY, &strays->unknown_key, err) &&
	       stray_sum(self, REDIRECT_STRAY_MALFORMED, &strays->malformed, err);
}

static void
list_departures(const struct bpf_map *map, link_vec *found)
{
	struct redirect_departure departure;
	uint32_t port, last, *previous = NULL;

	for (; !bpf_map__get_next_key(map, previous, &port, sizeof(port)); previous = &last) {
		last = port;
		if (!bpf_map__lookup_elem(
			map, &port, sizeof(port), &departure, sizeof(departure), 0))
			vec_push(found, link_of(port, &departure));
	}
}

static void
list_arrivals(const struct bpf_map *map, link_vec *found)
{
	struct redirect_arrival_key key, last, *previous = NULL;
	struct redirect_arrival arrival;

	for (; !bpf_map__get_next_key(map, previous, &key, sizeof(key)); previous = &last) {
		last = key;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &arrival, sizeof(arrival), 0))
			vec_push(found, (struct dataplane_link){.rid = arrival.rid});
	}
}

static void
list_counts(const struct bpf_map *map, link_vec *found)
{
	uint64_t rid, last, *previous = NULL;

	for (; !bpf_map__get_next_key(map, previous, &rid, sizeof(rid)); previous = &last) {
		last = rid;
		vec_push(found, (struct dataplane_link){.rid = rid});
	}
}

static bool
driver_list(void *self, struct arena *arena, const struct dataplane_link **links, size_t *n_links,
    struct err *err)
{
	struct driver *driver = self;
	link_vec found = {0};

	(void)err;
	list_departures(driver->skeleton->maps.vn_departures, &found);
	list_arrivals(driver->skeleton->maps.vn_arrivals, &found);
	list_counts(driver->skeleton->maps.vn_counts, &found);
	*n_links = found.n;
	*links = (const struct dataplane_link *)(void *)arena_copy(
	    arena, found.items, found.n * sizeof(*found.items));
	vec_done(&found);
	return true;
}

/* ---- opening --------------------------------------------------------------------------------- */

static void
driver_free(void *self)
{
	struct driver *driver = self;

	redirect__destroy(driver->skeleton);
	free(driver);
}

static const struct dataplane_ops driver_ops = {
    .name = "bpf",
    .watch = driver_watch,
    .put = driver_put,
    .get = driver_get,
    .drop = driver_drop,
    .counters = driver_counters,
    .strays = driver_strays,
    .list = driver_list,
    .free = driver_free,
};

bool
dataplane_bpf_open(
    const char *folder, struct netlink *netlink, struct dataplane *dataplane, struct err *err)
{
	struct redirect *skeleton;
	struct driver *driver;
	int n_cpus = libbpf_num_possible_cpus();

	bpf_log_quietly();
	if (n_cpus < 1)
		return err_set(err, ERR_INTERNAL, "cannot tell the number of processors");
	skeleton = load(folder, err);
	if (!skeleton)
		return err_in(err, "data plane");
	driver = xcalloc(1, sizeof(*driver));
	*driver = (struct driver){.skeleton = skeleton, .netlink = netlink, .n_cpus = n_cpus};
	*dataplane = (struct dataplane){.ops = &driver_ops, .self = driver};
	return true;
}

static struct redirect *
load(const char *folder, struct err *err)
{
	auto_str struct str pins = {0};
	struct redirect *skeleton;

	if (!bpf_fs_ensure(folder, err))
		return NULL;
	str_addf(&pins, "%s/" REDIRECT_PIN_DIR, folder);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = pins.text);
	skeleton = redirect__open_opts(&opts);
	if (skeleton && !redirect__load(skeleton))
		return skeleton;
	failed(err, "loading the BPF programs");
	redirect__destroy(skeleton);
	return NULL;
}

static bool
failed(struct err *err, const char *what)
{
	enum err_code code = errno == E2BIG || errno == ENOSPC ? ERR_R04 : ERR_INTERNAL;

	return err_set(err, code, "%s: %s", what, strerror(errno));
}
