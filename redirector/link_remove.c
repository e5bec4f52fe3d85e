/*
 * A link end goes: frames first, then its class. And what belongs to no row: found and swept.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "redirector/link.h"

typedef vec_of(struct manager_object) object_vec;

static bool tree_remove(
    struct redirector *redirector, const char *device_name, uint32_t class, struct err *err);

bool
link_remove(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	auto_arena struct arena *arena = arena_new();
	struct link_end end;

	if (!dataplane->ops->drop(dataplane->self, row->rid, err))
		return err_in(err, "link end");
	FAULT_POINT("redirector.link.drop.after");
	/* A row that cannot be read was refused at reserve: it never had a class. */
	if (!row->spec || !link_read(redirector, row, arena, &end, NULL) || !end.class)
		return true;
	return tree_remove(redirector, end.underlay->device, end.class, err);
}

/* A device that is gone has taken its tree along. */
static bool
tree_remove(struct redirector *redirector, const char *device_name, uint32_t class, struct err *err)
{
	struct device device;
	struct err why;
	bool is_good;

	if (!device_find(redirector->netlink, device_name, &device, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	pthread_mutex_lock(&redirector->trees);
	is_good = shaper_remove(redirector->netlink, device.index, class, err);
	pthread_mutex_unlock(&redirector->trees);
	return is_good;
}

/* ---- strays ---------------------------------------------------------------------------------- */

/* What the data plane has. */
struct links {
	const struct dataplane_link *items;
	size_t n;
};

static bool
links_list(
    const struct dataplane *dataplane, struct arena *arena, struct links *links, struct err *err)
{
	return dataplane->ops->list(dataplane->self, arena, &links->items, &links->n, err);
}

static bool
is_used(const struct links *links, uint32_t device, uint32_t class)
{
	for (size_t i = 0; i < links->n; i++)
		if (links->items[i].underlay == device &&
		    links->items[i].class_handle == tc_handle(class))
			return true;
	return false;
}

static bool
has_leaves(const struct tc_class *classes, size_t n_classes, uint32_t parent)
{
	for (size_t i = 0; i < n_classes; i++)
		if (classes[i].parent_minor == parent)
			return true;
	return false;
}

/* Classes of one tree that no link end uses. */
struct tree_search {
	struct netlink *netlink;
	const char *device_name;
	const struct links *links;
};

static bool
add_classes(
    const struct tree_search *search, struct arena *arena, object_vec *objects, struct err *err)
{
	const struct tc_class *classes;
	struct device device;
	size_t n_classes;
	struct err why;

	if (!device_find(search->netlink, search->device_name, &device, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	if (!tc_class_list(search->netlink, device.index, arena, &classes, &n_classes, err))
		return false;
	for (size_t i = 0; i < n_classes; i++) {
		uint32_t minor = classes[i].minor;

		if (minor >= SHAPER_FIRST && !has_leaves(classes, n_classes, minor) &&
		    !is_used(search->links, device.index, minor))
			snprintf(vec_add(objects)->name, sizeof(objects->items->name),
			    "class %u of %s", minor, search->device_name);
	}
	return true;
}

static bool
list_all(struct redirector *redirector, struct arena *arena, object_vec *objects, struct err *err)
{
	struct tree_search search = {.netlink = redirector->netlink};
	struct links links;

	if (!links_list(&redirector->dataplane, arena, &links, err))
		return false;
	search.links = &links;
	for (size_t i = 0; i < links.n; i++) {
		struct manager_object *object = vec_add(objects);

		object->rid = links.items[i].rid;
		snprintf(
		    object->name, sizeof(object->name), "link end %s", id_text(object->rid).text);
	}
	for (size_t i = 0; i < redirector->n_underlays; i++) {
		search.device_name = redirector->underlays[i].device;
		if (!add_classes(&search, arena, objects, err))
			return false;
	}
	return true;
}

bool
link_list(void *self, struct arena *arena, const struct manager_object **objects, size_t *n_objects,
    struct err *err)
{
	object_vec found = {0};
	bool is_good = list_all(self, arena, &found, err);

	if (is_good) {
		*objects = (const struct manager_object *)(void *)arena_copy(
		    arena, found.items, found.n * sizeof(*found.items));
		*n_objects = found.n;
	}
	vec_done(&found);
	return is_good;
}

/* What add_classes has named. False: it is none of those. */
static bool
read_class(const char *name, struct arena *arena, uint32_t *class, const char **device_name)
{
	static const char before[] = "class ", between[] = " of ";
	const char *number = name + sizeof(before) - 1, *middle;
	long long minor;

	if (strncmp(name, before, sizeof(before) - 1) != 0)
		return false;
	middle = strstr(number, between);
	if (!middle || !str_to_i64(arena_copy(arena, number, (size_t)(middle - number)),
			   SHAPER_FIRST, SHAPER_LAST, &minor))
		return false;
	*class = (uint32_t)minor;
	*device_name = middle + sizeof(between) - 1;
	return true;
}

bool
link_sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	const char *device_name;
	struct device device;
	struct err why;
	uint32_t class;
	auto_arena struct arena *arena = arena_new();
	struct links links;
	bool is_good;

	if (object->rid)
		return dataplane->ops->drop(dataplane->self, object->rid, err);
	if (!read_class(object->name, arena, &class, &device_name) ||
	    !device_find(redirector->netlink, device_name, &device, &why))
		return true;
	/* Again, with the tree held: a link end may have come to it since it was listed. */
	pthread_mutex_lock(&redirector->trees);
	is_good = links_list(dataplane, arena, &links, err) &&
		  (is_used(&links, device.index, class) ||
		      shaper_remove(redirector->netlink, device.index, class, err));
	pthread_mutex_unlock(&redirector->trees);
	return is_good;
}

struct manager_kind
link_kind(struct redirector *redirector)
{
	return (struct manager_kind){
	    .name = "link_end",
	    .self = redirector,
	    .admit = link_admit,
	    .ensure = link_ensure,
	    .remove = link_remove,
	    .is_there = link_is_there,
	};
}
