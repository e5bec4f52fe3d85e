/*
 * The picture: devices are listed when an event tells of a change, and now and then; classes and
 * next hops when they are asked for first in a round.
 */
#include "redirector/kernel_view.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/net/neigh.h"

enum { DEVICES_MS = 5000, FAR_MS = 5000, MINORS = 65536 };

/* The classes of one device. */
struct tree {
	struct tree *next;
	uint32_t device;
	const struct tc_class *classes; /* in the round's arena */
	size_t n_classes;
	uint32_t places[MINORS]; /* minor to place in classes + 1; 0 = absent */
};

struct next_hop {
	uint32_t device, address;
	bool is_known;
	unsigned char mac[6];
	struct err why;
};

/* What is known of the other half of a veth. */
struct far {
	struct device near;
	bool is_known;
	unsigned char mac[6];
};

struct kernel_view {
	struct netlink *netlink;
	pthread_mutex_t lock; /* of all but is_stale */
	atomic_bool is_stale; /* the devices */
	/* When they were listed, the round began, the first other half was asked for. */
	int64_t devices_ms, round_ms, fars_ms;
	struct arena *device_arena, *arena, *far_arena;
	struct map *devices, *fars; /* by name */
	struct tree *trees;
	vec_of(struct next_hop) next_hops;
};

static void
drop_trees(struct kernel_view *view)
{
	while (view->trees) {
		struct tree *tree = view->trees;

		view->trees = tree->next;
		free(tree);
	}
}

void
kernel_view_free(struct kernel_view *view)
{
	if (!view)
		return;
	drop_trees(view);
	vec_done(&view->next_hops);
	map_free(view->devices);
	map_free(view->fars);
	arena_free(view->device_arena);
	arena_free(view->arena);
	arena_free(view->far_arena);
	pthread_mutex_destroy(&view->lock);
	free(view);
}

struct kernel_view *
kernel_view_new(struct netlink *netlink)
{
	struct kernel_view *view = xcalloc(1, sizeof(*view));

	view->netlink = netlink;
	view->device_arena = arena_new();
	view->arena = arena_new();
	view->far_arena = arena_new();
	view->devices = map_new();
	view->fars = map_new();
	view->is_stale = true;
	view->round_ms = -VIEW_MS;
	pthread_mutex_init(&view->lock, NULL);
	return view;
}

void
kernel_view_stale(struct kernel_view *view)
{
	view->is_stale = true;
}

/* A device that is new, perhaps by another name, is listed with the others. */
void
kernel_view_device(struct kernel_view *view, const struct device *device, bool is_gone)
{
	struct device *known;

	pthread_mutex_lock(&view->lock);
	known = map_get(view->devices, device->name);
	if (!known || known->index != device->index)
		view->is_stale = view->is_stale || !is_gone;
	else if (is_gone)
		map_drop(view->devices, device->name);
	else
		*known = *device;
	pthread_mutex_unlock(&view->lock);
}

/* ---- rounds: under the lock ------------------------------------------------------------------ */

static void
list_devices(struct kernel_view *view, int64_t now_ms)
{
	const struct device *devices;
	struct device *kept;
	size_t n_devices;
	struct err why;

	view->is_stale = false; /* first: what changes meanwhile is listed once more */
	view->devices_ms = now_ms;
	map_clear(view->devices);
	arena_free(view->device_arena);
	view->device_arena = arena_new();
	if (!device_list(view->netlink, view->device_arena, &devices, &n_devices, &why))
		return;
	kept = (void *)arena_copy(view->device_arena, devices, n_devices * sizeof(*kept));
	for (size_t i = 0; i < n_devices; i++)
		map_put(view->devices, kept[i].name, &kept[i]);
}

static void
begin_round(struct kernel_view *view, int64_t now_ms)
{
	view->round_ms = now_ms;
	drop_trees(view);
	vec_done(&view->next_hops);
	arena_free(view->arena);
	view->arena = arena_new();
}

static void
forget_fars(struct kernel_view *view, int64_t now_ms)
{
	view->fars_ms = now_ms;
	map_clear(view->fars);
	arena_free(view->far_arena);
	view->far_arena = arena_new();
}

static void
refresh(struct kernel_view *view)
{
	int64_t now_ms = clock_boot_ms(&clock_real);

	if (now_ms - view->fars_ms >= FAR_MS)
		forget_fars(view, now_ms);
	if (view->is_stale || now_ms - view->devices_ms >= DEVICES_MS)
		list_devices(view, now_ms);
	if (now_ms - view->round_ms >= VIEW_MS)
		begin_round(view, now_ms);
}

static const struct tree *
tree_of(struct kernel_view *view, uint32_t device)
{
	struct tree *tree;
	struct err why;

	for (tree = view->trees; tree; tree = tree->next)
		if (tree->device == device)
			return tree;
	tree = xcalloc(1, sizeof(*tree));
	tree->device = device;
	tree->next = view->trees;
	view->trees = tree;
	if (!tc_class_list(
		view->netlink, device, view->arena, &tree->classes, &tree->n_classes, &why))
		return tree; /* as empty as can be: what is missed is asked of the kernel */
	for (size_t i = 0; i < tree->n_classes; i++)
		tree->places[tree->classes[i].minor % MINORS] = (uint32_t)i + 1;
	return tree;
}

static const struct next_hop *
next_hop_of(struct kernel_view *view, uint32_t device, uint32_t address)
{
	struct next_hop *next_hop;

	vec_each (known, &view->next_hops)
		if (known->device == device && known->address == address)
			return known;
	next_hop = vec_add(&view->next_hops);
	next_hop->device = device;
	next_hop->address = address;
	next_hop->is_known =
	    neigh_resolve(view->netlink, device, address, next_hop->mac, &next_hop->why);
	return next_hop;
}

static struct far
ask_far(struct netlink *netlink, const struct device *device)
{
	struct far far = {.near = *device};
	struct err why;

	far.is_known = device->is_far && device_far_mac(netlink, device, far.mac, &why);
	return far;
}

/* A name may be another device's by now, and so may what is behind it. */
static const struct far *
far_of(struct kernel_view *view, const struct device *device)
{
	struct far *far = map_get(view->fars, device->name);

	if (far && far->near.index == device->index && far->near.is_far == device->is_far &&
	    far->near.far_namespace == device->far_namespace &&
	    far->near.far_index == device->far_index)
		return far;
	if (!far)
		far = arena_alloc(view->far_arena, sizeof(*far));
	*far = ask_far(view->netlink, device);
	map_put(view->fars, device->name, far);
	return far;
}

/* ---- questions ------------------------------------------------------------------------------- */

bool
kernel_device(struct kernel_view *view, struct netlink *netlink, const char *name,
    struct device *device, struct err *err)
{
	const struct device *found;

	if (!view)
		return device_find(netlink, name, device, err);
	pthread_mutex_lock(&view->lock);
	refresh(view);
	found = map_get(view->devices, name);
	if (found)
		*device = *found;
	pthread_mutex_unlock(&view->lock);
	return found || err_set(err, ERR_NOT_FOUND, "there is no device '%s'", name);
}

bool
kernel_class(struct kernel_view *view, struct netlink *netlink, uint32_t device, uint32_t minor,
    struct tc_class *class, struct err *err)
{
	const struct tree *tree;
	uint32_t place;

	if (!view)
		return tc_class_find(netlink, device, minor, class, err);
	pthread_mutex_lock(&view->lock);
	refresh(view);
	tree = tree_of(view, device);
	place = tree->places[minor % MINORS];
	if (place)
		*class = tree->classes[place - 1];
	pthread_mutex_unlock(&view->lock);
	return place || err_set(err, ERR_NOT_FOUND, "there is no class %x:%x", TC_HTB_MAJOR, minor);
}

bool
kernel_next_hop(struct kernel_view *view, struct netlink *netlink, uint32_t device,
    uint32_t address, unsigned char mac[6], struct err *err)
{
	const struct next_hop *found;
	bool is_known;

	if (!view)
		return neigh_resolve(netlink, device, address, mac, err);
	pthread_mutex_lock(&view->lock);
	refresh(view);
	found = next_hop_of(view, device, address);
	is_known = found->is_known;
	if (is_known)
		memcpy(mac, found->mac, sizeof(found->mac));
	else
		*err = found->why;
	pthread_mutex_unlock(&view->lock);
	return is_known;
}

bool
kernel_far(struct kernel_view *view, struct netlink *netlink, const struct device *device,
    unsigned char mac[6])
{
	struct far far;

	if (view) {
		pthread_mutex_lock(&view->lock);
		refresh(view);
		far = *far_of(view, device);
		pthread_mutex_unlock(&view->lock);
	} else {
		far = ask_far(netlink, device);
	}
	memcpy(mac, far.mac, sizeof(far.mac));
	return far.is_known;
}
