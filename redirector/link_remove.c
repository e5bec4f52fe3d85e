/*
 * A link end goes: frames first, then its class. And what belongs to no row: found and swept.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "redirector/link.h"
#include "redirector/link_book.h"

typedef vec_of(struct manager_object) object_vec;

/* How long frames may still be on their way to a link end whose port another one has. */
enum { LATE_MS = 100 };

static bool tree_leave(struct redirector *redirector, const struct link_end *end, struct err *err);

/* The row comes again: nobody waits here, a slice may have hundreds. */
static bool
is_late(struct redirector *redirector, const struct row *row, struct arena *arena)
{
	return row->attr && str_equal(spec_value(row->attr, "open", arena), "receive") &&
	       clock_boot_ms(&clock_real) - link_book_released_ms(redirector->book, row->rid) <
		   LATE_MS;
}

bool
link_remove(void *self, const struct row *row, struct err *err)
{
	struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	auto_arena struct arena *arena = arena_new();
	struct row bare = *row;
	struct link_end end;

	if (is_late(redirector, row, arena))
		return err_set(err, ERR_UNAVAILABLE, "frames may still be on their way to it");
	if (!dataplane->ops->drop(dataplane->self, row->rid, err))
		return err_in(err, "link end");
	FAULT_POINT("redirector.link.drop.after");
	/* A row that cannot be read was refused at reserve: it never had a class. */
	bare.attr = "";
	if (!row->spec || !link_read(redirector, &bare, arena, &end, NULL) || !end.number)
		return true;
	return tree_leave(redirector, &end, err);
}

/*
 * The book does not count a released row: what is left has the sums without it, and goes when
 * there is none. A device that is gone has taken its tree along.
 */
static bool
tree_leave(struct redirector *redirector, const struct link_end *end, struct err *err)
{
	struct shaper_link shape;
	struct device device;
	struct err why;
	bool is_good;

	if (!device_find(redirector->netlink, end->underlay->device, &device, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	pthread_mutex_lock(&redirector->trees);
	link_shape(redirector, end, device.index, &shape);
	is_good = port_tree_ensure(redirector, end->underlay, device.index, err) &&
		  shaper_ensure(redirector->netlink, &shape, err) &&
		  shaper_retire(redirector->netlink, &shape, true, err);
	pthread_mutex_unlock(&redirector->trees);
	return is_good;
}

/* ---- strays ---------------------------------------------------------------------------------- */

static bool
has_leaves(const struct tc_class *classes, size_t n_classes, uint32_t parent)
{
	for (size_t i = 0; i < n_classes; i++)
		if (classes[i].parent_minor == parent)
			return true;
	return false;
}

/* Nobody's, and not one that is kept ready. */
static bool
is_stray_class(const struct redirector *redirector, const struct underlay *underlay, uint32_t minor)
{
	struct tc_class parked;

	return minor >= SHAPER_FIRST &&
	       !link_book_has_class(redirector->book, underlay->place, minor) &&
	       !shaper_parked(minor, redirector->n_blocks, (uint64_t)underlay->rate_bps, &parked);
}

/* Classes of one tree that no link end stands for, leaves first. */
static bool
add_classes(const struct redirector *redirector, const struct underlay *underlay,
    struct arena *arena, object_vec *objects, struct err *err)
{
	const struct tc_class *classes;
	struct device device;
	size_t n_classes;
	struct err why;

	if (!device_find(redirector->netlink, underlay->device, &device, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	if (!tc_class_list(redirector->netlink, device.index, arena, &classes, &n_classes, err))
		return false;
	for (size_t i = 0; i < n_classes; i++) {
		uint32_t minor = classes[i].minor;

		if (is_stray_class(redirector, underlay, minor) &&
		    !has_leaves(classes, n_classes, minor))
			snprintf(vec_add(objects)->name, sizeof(objects->items->name),
			    "class %u of %s", minor, underlay->device);
	}
	return true;
}

static bool
list_all(struct redirector *redirector, struct arena *arena, object_vec *objects, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	const struct dataplane_held *held;
	size_t n_held;

	if (!dataplane->ops->list(dataplane->self, arena, &held, &n_held, err))
		return false;
	for (size_t i = 0; i < n_held; i++) {
		struct manager_object *object = vec_add(objects);

		object->rid = held[i].rid;
		snprintf(
		    object->name, sizeof(object->name), "link end %s", id_text(object->rid).text);
	}
	for (size_t i = 0; i < redirector->n_underlays; i++)
		if (!add_classes(redirector, &redirector->underlays[i], arena, objects, err))
			return false;
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
			   SHAPER_FIRST, 0xffff, &minor))
		return false;
	*class = (uint32_t)minor;
	*device_name = middle + sizeof(between) - 1;
	return true;
}

static const struct underlay *
underlay_of(const struct redirector *redirector, const char *device_name)
{
	for (size_t i = 0; i < redirector->n_underlays; i++)
		if (str_equal(redirector->underlays[i].device, device_name))
			return &redirector->underlays[i];
	return NULL;
}

bool
link_sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct redirector *redirector = self;
	const struct dataplane *dataplane = &redirector->dataplane;
	auto_arena struct arena *arena = arena_new();
	const struct underlay *underlay;
	const char *device_name = NULL;
	struct device device;
	struct err why;
	uint32_t minor;
	bool is_good;

	if (object->rid)
		return dataplane->ops->drop(dataplane->self, object->rid, err);
	if (!read_class(object->name, arena, &minor, &device_name) ||
	    !(underlay = underlay_of(redirector, device_name)) ||
	    !device_find(redirector->netlink, device_name, &device, &why))
		return true;
	/* Again, with the tree held: a link end may have come to it since it was listed. */
	pthread_mutex_lock(&redirector->trees);
	is_good = !is_stray_class(redirector, underlay, minor) ||
		  tc_class_remove(redirector->netlink, device.index, minor, err);
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
	    .heard = link_heard,
	};
}
