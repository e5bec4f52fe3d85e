/*
 * The converter in the kernel: loads bpf/convert.bpf.c, fills its maps, attaches its programs. Maps
 * are pinned and devices hold the programs, so that frames flow while redirectord is away; the next
 * run adopts the maps and swaps the programs in place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "convert.skel.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/net/bpf.h"
#include "redirector/bpf/convert_abi.h"
#include "redirector/convert.h"

struct conversions {
	struct convert *skeleton;
	struct netlink *netlink;
	int n_cpus;
};

typedef vec_of(struct conversion_way) way_vec;

/* A key of either map, and the rid that its value begins with. */
struct entry {
	unsigned char key[sizeof(struct convert_backbone)];
};

union value {
	uint64_t rid;
	struct convert_departure departure;
	struct convert_arrival arrival;
};

static bool
failed(struct err *err, const char *what)
{
	enum err_code code = errno == E2BIG || errno == ENOSPC ? ERR_R04 : ERR_INTERNAL;

	return err_set(err, code, "%s: %s", what, strerror(errno));
}

/* ---- one conversion -------------------------------------------------------------------------- */

static struct convert_customer
customer_of(const struct conversion_way *way)
{
	return (struct convert_customer){.device = way->customer, .vlan = way->vlan};
}

static struct convert_departure
departure_of(const struct conversion_way *way)
{
	struct convert_departure departure = {
	    .rid = way->rid, .backbone = way->backbone, .isid = way->isid, .b_vid = way->b_vid};

	memcpy(departure.to, way->remote, 6);
	memcpy(departure.from, way->own, 6);
	return departure;
}

static struct convert_backbone
backbone_of(const struct conversion_way *way)
{
	struct convert_backbone backbone = {
	    .device = way->backbone, .isid = way->isid, .b_vid = way->b_vid};

	memcpy(backbone.from, way->remote, 6);
	return backbone;
}

static struct convert_arrival
arrival_of(const struct conversion_way *way)
{
	struct convert_arrival arrival = {
	    .rid = way->rid, .customer = way->customer, .vlan = way->vlan};

	memcpy(arrival.to, way->own, 6);
	return arrival;
}

/* Entries of a rid other than `kept` (NULL = none) are of an earlier device: remove them. */
static bool
trim(const struct bpf_map *map, uint64_t rid, const void *kept, struct err *err)
{
	size_t key_size = bpf_map__key_size(map), value_size = bpf_map__value_size(map);
	struct entry entry, last, *previous = NULL;
	vec_of(struct entry) stale = {0};
	union value value;
	bool good = true;

	for (; !bpf_map__get_next_key(map, previous, &entry, key_size); previous = &last) {
		last = entry;
		if (!bpf_map__lookup_elem(map, &entry, key_size, &value, value_size, 0) &&
		    value.rid == rid && (!kept || memcmp(&entry, kept, key_size) != 0))
			vec_push(&stale, entry);
	}
	vec_each (item, &stale)
		if (bpf_map__delete_elem(map, item, key_size, 0) && errno != ENOENT)
			good = failed(err, "removing an entry of a conversion");
	vec_done(&stale);
	return good;
}

static bool
counts_ensure(struct conversions *conversions, uint64_t rid, struct err *err)
{
	size_t size = (size_t)conversions->n_cpus * sizeof(struct convert_count);
	auto_free struct convert_count *zero = xcalloc(1, size);

	return !bpf_map__update_elem(conversions->skeleton->maps.vn_conversions, &rid, sizeof(rid),
		   zero, size, BPF_NOEXIST) ||
	       errno == EEXIST || failed(err, "making counters");
}

bool
conversions_put(struct conversions *conversions, const struct conversion_way *way, struct err *err)
{
	const struct bpf_map *customers = conversions->skeleton->maps.vn_customers;
	const struct bpf_map *backbones = conversions->skeleton->maps.vn_backbones;
	struct convert_customer customer = customer_of(way);
	struct convert_departure departure = departure_of(way);
	struct convert_backbone backbone = backbone_of(way);
	struct convert_arrival arrival = arrival_of(way);

	if (!trim(customers, way->rid, &customer, err) ||
	    !trim(backbones, way->rid, &backbone, err) ||
	    !counts_ensure(conversions, way->rid, err))
		return false;
	return (!bpf_map__update_elem(
		    backbones, &backbone, sizeof(backbone), &arrival, sizeof(arrival), BPF_ANY) &&
		   !bpf_map__update_elem(customers, &customer, sizeof(customer), &departure,
		       sizeof(departure), BPF_ANY)) ||
	       failed(err, "setting a conversion");
}

bool
conversions_has(struct conversions *conversions, const struct conversion_way *way)
{
	struct convert_customer customer = customer_of(way);
	struct convert_departure departure, wanted_departure = departure_of(way);
	struct convert_backbone backbone = backbone_of(way);
	struct convert_arrival arrival, wanted_arrival = arrival_of(way);
	struct conversion_counters counters;

	return !bpf_map__lookup_elem(conversions->skeleton->maps.vn_customers, &customer,
		   sizeof(customer), &departure, sizeof(departure), 0) &&
	       !memcmp(&departure, &wanted_departure, sizeof(departure)) &&
	       !bpf_map__lookup_elem(conversions->skeleton->maps.vn_backbones, &backbone,
		   sizeof(backbone), &arrival, sizeof(arrival), 0) &&
	       !memcmp(&arrival, &wanted_arrival, sizeof(arrival)) &&
	       conversions_counters(conversions, way->rid, &counters, NULL);
}

bool
conversions_drop(struct conversions *conversions, uint64_t rid, struct err *err)
{
	bool good = trim(conversions->skeleton->maps.vn_customers, rid, NULL, err);

	good = trim(conversions->skeleton->maps.vn_backbones, rid, NULL, err) && good;
	if (bpf_map__delete_elem(
		conversions->skeleton->maps.vn_conversions, &rid, sizeof(rid), 0) &&
	    errno != ENOENT)
		return failed(err, "removing counters");
	return good;
}

/* ---- looking --------------------------------------------------------------------------------- */

static struct conversion_way
way_of(const struct convert_customer *customer, const struct convert_departure *departure)
{
	struct conversion_way way = {
	    .rid = departure->rid,
	    .backbone = departure->backbone,
	    .customer = customer->device,
	    .isid = departure->isid,
	    .b_vid = departure->b_vid,
	    .vlan = (uint16_t)customer->vlan,
	};

	memcpy(way.remote, departure->to, 6);
	memcpy(way.own, departure->from, 6);
	return way;
}

static void
list_departures(const struct bpf_map *map, way_vec *found)
{
	struct convert_customer customer, last, *previous = NULL;
	struct convert_departure departure;
	size_t size = sizeof(customer);

	for (; !bpf_map__get_next_key(map, previous, &customer, size); previous = &last) {
		last = customer;
		if (!bpf_map__lookup_elem(map, &customer, size, &departure, sizeof(departure), 0))
			vec_push(found, way_of(&customer, &departure));
	}
}

static void
list_arrivals(const struct bpf_map *map, way_vec *found)
{
	struct convert_backbone backbone, last, *previous = NULL;
	struct convert_arrival arrival;
	size_t size = sizeof(backbone);

	for (; !bpf_map__get_next_key(map, previous, &backbone, size); previous = &last) {
		last = backbone;
		if (!bpf_map__lookup_elem(map, &backbone, size, &arrival, sizeof(arrival), 0))
			*vec_add(found) = (struct conversion_way){
			    .rid = arrival.rid, .backbone = backbone.device};
	}
}

static void
list_counts(const struct bpf_map *map, way_vec *found)
{
	uint64_t rid, last, *previous = NULL;

	for (; !bpf_map__get_next_key(map, previous, &rid, sizeof(rid)); previous = &last) {
		last = rid;
		*vec_add(found) = (struct conversion_way){.rid = rid};
	}
}

void
conversions_list(struct conversions *conversions, struct arena *arena,
    const struct conversion_way **ways, size_t *n_ways)
{
	way_vec found = {0};

	list_departures(conversions->skeleton->maps.vn_customers, &found);
	list_arrivals(conversions->skeleton->maps.vn_backbones, &found);
	list_counts(conversions->skeleton->maps.vn_conversions, &found);
	*n_ways = found.n;
	*ways = (const struct conversion_way *)(void *)arena_copy(
	    arena, found.items, found.n * sizeof(*found.items));
	vec_done(&found);
}

bool
conversions_counters(struct conversions *conversions, uint64_t rid,
    struct conversion_counters *counters, struct err *err)
{
	size_t size = (size_t)conversions->n_cpus * sizeof(struct convert_count);
	auto_free struct convert_count *counts = xcalloc(1, size);

	if (bpf_map__lookup_elem(
		conversions->skeleton->maps.vn_conversions, &rid, sizeof(rid), counts, size, 0))
		return err_set(err, ERR_NOT_FOUND, "there are no counters of this conversion");
	*counters = (struct conversion_counters){0};
	for (int i = 0; i < conversions->n_cpus; i++) {
		counters->to_frames += counts[i].to_frames;
		counters->to_bytes += counts[i].to_bytes;
		counters->to_drops += counts[i].to_oversize + counts[i].to_dropped;
		counters->from_frames += counts[i].from_frames;
		counters->from_bytes += counts[i].from_bytes;
		counters->from_drops += counts[i].from_dropped;
	}
	return true;
}

static bool
stray_sum(struct conversions *conversions, uint32_t kind, uint64_t *sum, struct err *err)
{
	size_t size = (size_t)conversions->n_cpus * sizeof(uint64_t);
	auto_free uint64_t *counts = xcalloc(1, size);

	if (bpf_map__lookup_elem(
		conversions->skeleton->maps.vn_unconverted, &kind, sizeof(kind), counts, size, 0))
		return failed(err, "reading the strays of the converter");
	*sum = 0;
	for (int i = 0; i < conversions->n_cpus; i++)
		*sum += counts[i];
	return true;
}

bool
conversions_strays(
    struct conversions *conversions, struct conversion_strays *strays, struct err *err)
{
	return stray_sum(conversions, CONVERT_STRAY_ISID, &strays->unknown_isid, err) &&
	       stray_sum(conversions, CONVERT_STRAY_VLAN, &strays->unknown_vlan, err) &&
	       stray_sum(conversions, CONVERT_STRAY_MALFORMED, &strays->malformed, err);
}

/* ---- programs of a device -------------------------------------------------------------------- */

struct programs {
	int xdp;
	int tc;
};

static struct programs
programs_of(const struct conversions *conversions, bool is_backbone)
{
	const struct convert *skeleton = conversions->skeleton;

	return (struct programs){
	    .xdp = bpf_program__fd(
		is_backbone ? skeleton->progs.vn_conv_strip : skeleton->progs.vn_conv_single),
	    .tc = bpf_program__fd(
		is_backbone ? skeleton->progs.vn_conv_out : skeleton->progs.vn_conv_in),
	};
}

/* tc first: XDP takes headers off that nobody else could make sense of. */
bool
conversions_attach(
    struct conversions *conversions, uint32_t device, bool is_backbone, struct err *err)
{
	struct programs programs = programs_of(conversions, is_backbone);

	if (bpf_ingress_program(device) != bpf_program_id(programs.tc) &&
	    !bpf_ingress_attach(conversions->netlink, device, programs.tc, BPF_HOOK_AUTO, err))
		return false;
	return bpf_native_program(device) == bpf_program_id(programs.xdp) ||
	       bpf_native_attach(device, programs.xdp, err);
}

bool
conversions_is_attached(
    struct conversions *conversions, uint32_t device, bool is_backbone, struct err *err)
{
	struct programs programs = programs_of(conversions, is_backbone);

	return (bpf_ingress_program(device) == bpf_program_id(programs.tc) &&
		   bpf_native_program(device) == bpf_program_id(programs.xdp)) ||
	       err_set(err, ERR_NOT_FOUND, "not both programs of the converter are attached");
}

bool
conversions_detach(struct conversions *conversions, uint32_t device, struct err *err)
{
	return bpf_native_detach(device, err) &&
	       bpf_ingress_detach(conversions->netlink, device, err);
}

/* ---- opening --------------------------------------------------------------------------------- */

static struct convert *
load(const char *folder, struct err *err)
{
	auto_str struct str pins = {0};
	struct convert *skeleton;

	if (!bpf_fs_ensure(folder, err))
		return NULL;
	str_addf(&pins, "%s/" CONVERT_PIN_DIR, folder);
	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = pins.text);
	skeleton = convert__open_opts(&opts);
	if (skeleton && !convert__load(skeleton))
		return skeleton;
	failed(err, "loading the BPF programs");
	convert__destroy(skeleton);
	return NULL;
}

struct conversions *
conversions_open(const char *folder, struct netlink *netlink, struct err *err)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct conversions *conversions;
	struct convert *skeleton;

	bpf_log_quietly();
	if (n_cpus < 1) {
		err_set(err, ERR_INTERNAL, "cannot tell the number of processors");
		return NULL;
	}
	skeleton = load(folder, err);
	if (!skeleton) {
		err_in(err, "converter");
		return NULL;
	}
	conversions = xcalloc(1, sizeof(*conversions));
	*conversions =
	    (struct conversions){.skeleton = skeleton, .netlink = netlink, .n_cpus = n_cpus};
	return conversions;
}

void
conversions_free(struct conversions *conversions)
{
	if (!conversions)
		return;
	convert__destroy(conversions->skeleton);
	free(conversions);
}
