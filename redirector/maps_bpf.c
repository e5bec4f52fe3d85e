/*
 * Maps: opening and adopting, the record of what they have, single entries.
 */
#include "redirector/maps_bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct trace *trace_at(struct maps *maps, uint64_t rid, uint32_t slot);

/* ---- opening ----------------------------------------------------------------------------------
 */

/* What an earlier run has left is known again by its rids. */
static void
adopt(struct maps *maps)
{
	struct redirect_departure departure;
	struct redirect_arrival_key key, key_at, *key_last = NULL;
	struct redirect_arrival arrival;
	uint32_t port, port_at, *port_last = NULL;

	for (; !bpf_map__get_next_key(maps->departures, port_last, &port, sizeof(port));
	     port_last = &port_at) {
		port_at = port;
		if (departure_find(maps, port, &departure) && departure.slot < maps->n_slots)
			trace_port(trace_at(maps, departure.rid, departure.slot), port, &departure);
	}
	for (; !bpf_map__get_next_key(maps->arrivals, key_last, &key, sizeof(key));
	     key_last = &key_at) {
		key_at = key;
		if (arrival_find(maps, &key, &arrival) && arrival.slot < maps->n_slots)
			trace_key(trace_at(maps, arrival.rid, arrival.slot), &key);
	}
}

/* Maps of an earlier run keep their size: a pinned map fits no other. */
static bool
set_size(struct bpf_object *object, const char *pins, uint32_t n_links)
{
	static const char *const sized[] = {
	    "vn_departures", "vn_arrivals", "vn_counts", "vn_buckets", "vn_delays"};
	struct bpf_map_info info = {.max_entries = n_links};
	auto_str struct str path = {0};
	uint32_t size = sizeof(info);
	int fd;

	str_addf(&path, "%s/vn_departures", pins);
	fd = bpf_obj_get(path.text);
	if (fd >= 0) {
		if (bpf_obj_get_info_by_fd(fd, &info, &size))
			info.max_entries = n_links;
		close(fd);
	}
	for (size_t i = 0; i < sizeof(sized) / sizeof(sized[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(object, sized[i]);

		if (map && bpf_map__set_max_entries(map, info.max_entries))
			return false;
	}
	return true;
}

bool
maps_place(const char *folder, const char *name, struct str *pins, struct err *err)
{
	bpf_log_quietly();
	if (!bpf_fs_ensure(folder, err))
		return false;
	str_addf(pins, "%s/%s", folder, name);
	return true;
}

bool
maps_load(struct maps *maps, struct bpf_object *object, const char *pins, uint32_t n_links,
    struct err *err)
{
	int n_cpus = libbpf_num_possible_cpus();

	if (n_cpus < 1)
		return err_set(err, ERR_INTERNAL, "cannot tell the number of processors");
	if (!object || !set_size(object, pins, n_links) || bpf_object__load(object))
		return maps_failed(err, "loading the BPF programs");
	*maps = (struct maps){
	    .object = object,
	    .departures = bpf_object__find_map_by_name(object, "vn_departures"),
	    .arrivals = bpf_object__find_map_by_name(object, "vn_arrivals"),
	    .counts = bpf_object__find_map_by_name(object, "vn_counts"),
	    .buckets = bpf_object__find_map_by_name(object, "vn_buckets"),
	    .strays = bpf_object__find_map_by_name(object, "vn_strays"),
	    .delays = bpf_object__find_map_by_name(object, "vn_delays"),
	    .taps = bpf_object__find_map_by_name(object, "vn_taps"),
	    .n_cpus = n_cpus,
	    .traces = map_new(),
	};
	maps->n_slots = bpf_map__max_entries(maps->counts);
	maps->slots = xcalloc(maps->n_slots, 1);
	adopt(maps);
	return true;
}

void
maps_done(struct maps *maps)
{
	struct trace *trace;
	size_t at;

	for (at = 0; (trace = map_next(maps->traces, &at)); at = 0)
		trace_forget(maps, trace);
	map_free(maps->traces);
	free(maps->slots);
}

static uint32_t
map_id(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

/* Another map under our name is of somebody who does not know what he does. */
static bool
is_pinned(const struct bpf_map *map, const char *path)
{
	int fd = bpf_obj_get(path);
	bool is_ours;

	if (fd < 0)
		return false;
	is_ours = map_id(fd) == map_id(bpf_map__fd(map));
	close(fd);
	return is_ours;
}

bool
maps_keep(const struct maps *maps, struct str *found, struct err *err)
{
	const struct bpf_map *map;

	bpf_object__for_each_map(map, maps->object)
	{
		const char *path = bpf_map__pin_path(map);

		if (!path || is_pinned(map, path))
			continue;
		if (unlink(path) && errno != ENOENT)
			return maps_failed(err, "removing a pin that is not ours");
		if (bpf_obj_pin(bpf_map__fd(map), path))
			return maps_failed(err, "pinning a map again");
		str_addf(found, "%s%s", found->len ? ", " : "", bpf_map__name(map));
	}
	return true;
}

bool
maps_failed(struct err *err, const char *what)
{
	enum err_code code = errno == E2BIG || errno == ENOSPC ? ERR_R04 : ERR_INTERNAL;

	return err_set(err, code, "%s: %s", what, strerror(errno));
}

/* ---- traces -----------------------------------------------------------------------------------
 */

void
trace_forget(struct maps *maps, struct trace *trace)
{
	map_drop_id(maps->traces, trace->held.rid);
	maps->slots[trace->slot] = 0;
	vec_done(&trace->ports);
	vec_done(&trace->keys);
	free(trace);
}

struct trace *
trace_find(const struct maps *maps, uint64_t rid)
{
	return map_get_id(maps->traces, rid);
}

/* As adopted or made. */
static struct trace *
trace_at(struct maps *maps, uint64_t rid, uint32_t slot)
{
	struct trace *trace = map_get_id(maps->traces, rid);

	if (trace)
		return trace;
	trace = xcalloc(1, sizeof(*trace));
	trace->held.rid = rid;
	trace->slot = slot;
	maps->slots[slot] = 1;
	map_put_id(maps->traces, rid, trace);
	return trace;
}

/* The slot begins with counters of 0. */
static bool
slot_clear(struct maps *maps, uint32_t slot, struct err *err)
{
	size_t size = (size_t)maps->n_cpus * sizeof(struct redirect_count);
	auto_free struct redirect_count *zero = xcalloc(1, size);
	struct redirect_bucket bucket = {0};

	if (bpf_map__update_elem(maps->counts, &slot, sizeof(slot), zero, size, BPF_ANY) ||
	    bpf_map__update_elem(
		maps->buckets, &slot, sizeof(slot), &bucket, sizeof(bucket), BPF_ANY))
		return maps_failed(err, "clearing counters");
	return true;
}

struct trace *
trace_ensure(struct maps *maps, uint64_t rid, struct err *err)
{
	struct trace *trace = map_get_id(maps->traces, rid);
	unsigned char *free_slot;
	uint32_t slot;

	if (trace)
		return trace;
	free_slot = memchr(maps->slots, 0, maps->n_slots);
	if (!free_slot) {
		err_set(err, ERR_R04, "the data plane has room for %u link ends", maps->n_slots);
		return NULL;
	}
	slot = (uint32_t)(free_slot - maps->slots);
	return slot_clear(maps, slot, err) ? trace_at(maps, rid, slot) : NULL;
}

void
trace_port(struct trace *trace, uint32_t port, const struct redirect_departure *departure)
{
	trace->held.underlay = departure->underlay;
	trace->held.class_handle = departure->class;
	trace->held.first_handle = departure->first_class;
	vec_each (item, &trace->ports)
		if (*item == port)
			return;
	vec_push(&trace->ports, port);
}

void
trace_key(struct trace *trace, const struct redirect_arrival_key *key)
{
	vec_each (item, &trace->keys)
		if (!memcmp(item, key, sizeof(*key)))
			return;
	vec_push(&trace->keys, *key);
}

/* ---- single entries ---------------------------------------------------------------------------
 */

bool
departure_find(const struct maps *maps, uint32_t port, struct redirect_departure *departure)
{
	return !bpf_map__lookup_elem(
	    maps->departures, &port, sizeof(port), departure, sizeof(*departure), 0);
}

bool
arrival_find(const struct maps *maps, const struct redirect_arrival_key *key,
    struct redirect_arrival *arrival)
{
	return !bpf_map__lookup_elem(
	    maps->arrivals, key, sizeof(*key), arrival, sizeof(*arrival), 0);
}

bool
departure_drop(struct maps *maps, uint64_t rid, uint32_t port, struct err *err)
{
	struct redirect_departure departure;

	if (departure_find(maps, port, &departure) && departure.rid != rid)
		return true;
	return !bpf_map__delete_elem(maps->departures, &port, sizeof(port), 0) || errno == ENOENT ||
	       maps_failed(err, "removing the port of a link end");
}

bool
arrival_drop(
    struct maps *maps, uint64_t rid, const struct redirect_arrival_key *key, struct err *err)
{
	struct redirect_arrival arrival;

	if (!arrival_find(maps, key, &arrival) || arrival.rid != rid)
		return true;
	return !bpf_map__delete_elem(maps->arrivals, key, sizeof(*key), 0) || errno == ENOENT ||
	       maps_failed(err, "removing the key of a link end");
}
