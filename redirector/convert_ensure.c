/*
 * A conversion becomes real, is looked at, and goes.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/net/offload.h"
#include "redirector/convert.h"

/* ---- devices --------------------------------------------------------------------------------- */

static bool
device_ready(struct converter *converter, const char *name, struct device *device, struct err *err)
{
	struct err why = {0};

	if (!device_find(converter->netlink, name, device, &why))
		return err_set(err, why.code == ERR_NOT_FOUND ? ERR_WAIT : why.code,
		    "device of the converter: %s", why.text);
	return device->is_up ||
	       err_set(err, ERR_WAIT, "device '%s' of the converter is down", name);
}

bool
converter_device_ready(struct converter *converter, const struct converter_device *at,
    struct device *device, struct err *err)
{
	return device_ready(converter, at->name, device, err) && offload_receive_off(at->name, err);
}

static bool
is_used(const struct conversion_way *ways, size_t n_ways, uint32_t device)
{
	for (size_t i = 0; i < n_ways; i++)
		if (ways[i].backbone == device || ways[i].customer == device)
			return true;
	return false;
}

/* Of devices without conversions; what the kernel has tells, so that a repetition finds the rest.
 */
static bool
programs_trim(struct converter *converter, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct conversion_way *ways;
	struct device device;
	size_t n_ways;
	bool good = true;

	conversions_list(converter->kernel, arena, &ways, &n_ways);
	for (size_t i = 0; i < converter->n_devices; i++) {
		if (!device_find(converter->netlink, converter->devices[i].name, &device, NULL) ||
		    is_used(ways, n_ways, device.index))
			continue;
		good = conversions_detach(converter->kernel, device.index, err) && good;
		if (device.is_promiscuous)
			good = device_promiscuous(converter->netlink, &device, false, err) && good;
	}
	return good;
}

/* ---- the verbs ------------------------------------------------------------------------------- */

/* What the kernel should have for a row, its devices as they are. */
struct wanted {
	struct conversion_way way;
	struct device backbone, customer;
};

static bool
want(struct converter *converter, const struct row *row, struct wanted *wanted, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct conversion conversion;

	if (!conversion_read(converter, row, arena, &conversion, err) ||
	    !device_ready(converter, conversion.spec.backbone, &wanted->backbone, err) ||
	    !device_ready(converter, conversion.spec.customer, &wanted->customer, err))
		return false;
	wanted->way = (struct conversion_way){
	    .rid = row->rid,
	    .backbone = wanted->backbone.index,
	    .customer = wanted->customer.index,
	    .isid = (uint32_t)conversion.spec.isid,
	    .b_vid = (uint16_t)conversion.spec.b_vid,
	    .vlan = (uint16_t)conversion.spec.vlan,
	};
	memcpy(wanted->way.remote, conversion.remote, 6);
	memcpy(wanted->way.own, conversion.own, 6);
	return true;
}

/* Entries before programs: a device with programs and no conversion drops what has a tag. */
static bool
carry(struct converter *converter, const struct wanted *wanted, struct err *err)
{
	const struct conversion_way *way = &wanted->way;

	if (!conversions_has(converter->kernel, way) &&
	    !conversions_put(converter->kernel, way, err))
		return false;
	FAULT_POINT("redirector.conversion.put.after");
	return conversions_attach(converter->kernel, way->backbone, true, err) &&
	       conversions_attach(converter->kernel, way->customer, false, err);
}

/* Frames are for the nodes, not for the device: it takes in all of them. */
static bool
device_take(struct converter *converter, const struct device *device, struct err *err)
{
	return offload_receive_off(device->name, err) &&
	       (device->is_promiscuous ||
		   device_promiscuous(converter->netlink, device, true, err));
}

bool
conversion_ensure(void *self, const struct row *row, struct err *err)
{
	struct converter *converter = self;
	struct wanted wanted = {0};
	bool is_good;

	if (!want(converter, row, &wanted, err))
		return false;
	pthread_mutex_lock(&converter->programs);
	is_good = device_take(converter, &wanted.backbone, err) &&
		  device_take(converter, &wanted.customer, err) && carry(converter, &wanted, err);
	pthread_mutex_unlock(&converter->programs);
	return is_good;
}

static bool
device_is_taken(
    struct converter *converter, const struct device *device, bool is_backbone, struct err *err)
{
	if (!device->is_promiscuous)
		return err_set(
		    err, ERR_NOT_FOUND, "device '%s' takes in its own frames alone", device->name);
	return conversions_is_attached(converter->kernel, device->index, is_backbone, err) ||
	       err_in(err, "device '%s'", device->name);
}

bool
conversion_is_there(void *self, const struct row *row, struct err *err)
{
	struct converter *converter = self;
	struct wanted wanted = {0};

	if (!want(converter, row, &wanted, err))
		return false;
	if (!conversions_has(converter->kernel, &wanted.way))
		return err_set(err, ERR_NOT_FOUND, "the kernel's entries of it are gone or others");
	return device_is_taken(converter, &wanted.backbone, true, err) &&
	       device_is_taken(converter, &wanted.customer, false, err);
}

static bool
drop(struct converter *converter, uint64_t rid, struct err *err)
{
	bool is_good;

	pthread_mutex_lock(&converter->programs);
	is_good = conversions_drop(converter->kernel, rid, err);
	FAULT_POINT("redirector.conversion.drop.after");
	is_good = is_good && programs_trim(converter, err);
	pthread_mutex_unlock(&converter->programs);
	return is_good;
}

bool
conversion_remove(void *self, const struct row *row, struct err *err)
{
	return drop(self, row->rid, err) || err_in(err, "conversion");
}

/* ---- strays ---------------------------------------------------------------------------------- */

bool
conversion_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err)
{
	struct converter *converter = self;
	const struct conversion_way *ways;
	struct manager_object *found;

	(void)err;
	*n_objects = 0;
	if (converter->kernel)
		conversions_list(converter->kernel, arena, &ways, n_objects);
	found = arena_alloc(arena, *n_objects * sizeof(*found));
	for (size_t i = 0; i < *n_objects; i++) {
		found[i].rid = ways[i].rid;
		snprintf(found[i].name, sizeof(found[i].name), "conversion %s",
		    id_text(ways[i].rid).text);
	}
	*objects = found;
	return true;
}

bool
conversion_sweep(void *self, const struct manager_object *object, struct err *err)
{
	return drop(self, object->rid, err);
}

struct manager_kind
conversion_kind(struct converter *converter)
{
	return (struct manager_kind){
	    .name = "conversion",
	    .self = converter,
	    .admit = conversion_admit,
	    .ensure = conversion_ensure,
	    .remove = conversion_remove,
	    .is_there = conversion_is_there,
	};
}
