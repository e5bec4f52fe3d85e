/*
 * A hub goes: ports, then the bridge. And what belongs to no row: found and swept.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "redirector/hub.h"

typedef vec_of(struct manager_object) object_vec;

static const char named_port[] = "hub port ";

/* Of a row that can be read no more, too: what is in the bridge is its own. */
static bool
remove_all(struct redirector *redirector, uint64_t rid, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char *name = arena_format(arena, "vb%s", id_text(rid).text);
	const struct device *devices;
	struct device bridge;
	struct err why;
	size_t n_devices;

	if (!device_find(redirector->netlink, name, &bridge, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	if (!device_list(redirector->netlink, arena, &devices, &n_devices, err))
		return false;
	for (size_t i = 0; i < n_devices; i++)
		if (devices[i].master == bridge.index &&
		    !device_remove(redirector->netlink, devices[i].name, err))
			return false;
	FAULT_POINT("redirector.hub.ports.gone");
	return device_remove(redirector->netlink, name, err);
}

bool
hub_remove(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct hub hub = {0};

	/* Also those that somebody took out of the bridge. */
	if (row->spec && hub_read(row, arena, &hub, NULL))
		for (size_t i = 0; i < hub.n_ports; i++)
			if (!device_remove(redirector->netlink, hub.ports[i].inside, err))
				return false;
	return remove_all(redirector, row->rid, err);
}

/* ---- strays ---------------------------------------------------------------------------------- */

/* The id in the name of a device of ours; false: it is none. */
static bool
read_name(const struct device *device, const char *prefix, uint64_t *id)
{
	return !strncmp(device->name, prefix, strlen(prefix)) &&
	       id_parse(device->name + strlen(prefix), id, NULL);
}

static void
add_device(const struct device *device, object_vec *objects)
{
	uint64_t id;

	if (read_name(device, "vb", &id)) {
		struct manager_object *object = vec_add(objects);

		object->rid = id;
		snprintf(object->name, sizeof(object->name), "hub %s", id_text(id).text);
	} else if (!device->master && read_name(device, "vp", &id)) {
		snprintf(vec_add(objects)->name, sizeof(objects->items->name), "%s%s", named_port,
		    device->name);
	}
}

bool
hub_list(void *self, struct arena *arena, const struct manager_object **objects, size_t *n_objects,
    struct err *err)
{
	struct redirector *redirector = self;
	const struct device *devices;
	object_vec found = {0};
	size_t n_devices;

	if (!device_list(redirector->netlink, arena, &devices, &n_devices, err))
		return false;
	for (size_t i = 0; i < n_devices; i++)
		add_device(&devices[i], &found);
	*objects = (const struct manager_object *)(void *)arena_copy(
	    arena, found.items, found.n * sizeof(*found.items));
	*n_objects = found.n;
	vec_done(&found);
	return true;
}

bool
hub_sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct redirector *redirector = self;

	if (object->rid)
		return remove_all(redirector, object->rid, err);
	return device_remove(redirector->netlink, object->name + sizeof(named_port) - 1, err);
}

struct manager_kind
hub_kind(struct redirector *redirector)
{
	return (struct manager_kind){
	    .name = "hub",
	    .self = redirector,
	    .admit = hub_admit,
	    .ensure = hub_ensure,
	    .remove = hub_remove,
	    .is_there = hub_is_there,
	};
}
