/*
 * Trees, leaves and filters of paths at the ports of a router.
 */
#include "tnc/routerd/port_class.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "lib/net/tc.h"
#include "lib/net/tc_address.h"
#include "lib/net/tc_class.h"
#include "lib/net/tc_root.h"

enum { QUEUE_MS = 30, QUEUE_MIN_BYTES = 256 * 1024 /* four of what TCP hands over at once */ };

typedef vec_of(struct port_object) object_vec;

/* What stands at one port. */
struct port_view {
	const struct tc_class *classes;
	const struct tc_address *addresses;
	size_t n_classes, n_addresses;
};

static struct tc_class leaf_of(const struct port_class *class, uint32_t minor);
static bool tree_ensure(struct netlink *netlink, const struct port_class *class, struct err *err);
static bool choose_minor(
    struct netlink *netlink, const struct port_class *class, uint32_t *minor, struct err *err);

static bool
is_our_tree(const struct tc_root *root)
{
	return !strcmp(root->kind, "htb") && root->handle == (uint32_t)TC_HTB_MAJOR << 16 &&
	       root->default_minor == PORT_CLASS_OTHERS;
}

static bool
is_there(struct netlink *netlink, uint32_t device, const struct tc_class *wanted)
{
	struct tc_class found;
	struct err why;

	return tc_class_find(netlink, device, wanted->minor, &found, &why) &&
	       tc_class_is(&found, wanted);
}

/* In place where it is there: a change of a class loses nothing. */
static bool
bring(struct netlink *netlink, uint32_t device, const struct tc_class *wanted, struct err *err)
{
	return is_there(netlink, device, wanted) || tc_class_put(netlink, device, wanted, err);
}

bool
port_class_put(struct netlink *netlink, const struct port_class *class, struct err *err)
{
	struct tc_address entry = {.address = class->address};
	struct tc_class leaf;
	bool is_found;

	if (!tree_ensure(netlink, class, err) ||
	    !tc_address_find(netlink, class->device, &entry, &is_found, err) ||
	    (!is_found && !choose_minor(netlink, class, &entry.minor, err)))
		return false;
	leaf = leaf_of(class, entry.minor);
	return bring(netlink, class->device, &leaf, err) &&
	       (is_found || tc_address_put(netlink, class->device, &entry, err));
}

bool
port_class_is_there(struct netlink *netlink, const struct port_class *class, struct err *err)
{
	struct tc_address entry = {.address = class->address};
	struct tc_class wanted[3];
	bool is_found;

	if (!tc_address_find(netlink, class->device, &entry, &is_found, err))
		return false;
	if (!is_found)
		return err_set(err, ERR_WAIT, "the filter at port %s is missing", class->port);
	tc_class_port(PORT_CLASS_PORT, PORT_CLASS_OTHERS, class->port_bps, wanted);
	wanted[2] = leaf_of(class, entry.minor);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (!is_there(netlink, class->device, &wanted[i]))
			return err_set(err, ERR_WAIT, "class 1:%x at port %s is missing or another",
			    wanted[i].minor, class->port);
	return true;
}

/* ---- making ---------------------------------------------------------------------------------- */

/* A GSO frame of 64 KiB must have room in the slowest queue. */
static struct tc_class
leaf_of(const struct port_class *class, uint32_t minor)
{
	uint64_t rate_bps = class->rate_bps < class->port_bps ? class->rate_bps : class->port_bps;
	struct tc_class leaf = tc_class_of(minor, PORT_CLASS_PORT, rate_bps, class->port_bps);

	if (!rate_bps)
		leaf.prio = TC_PRIO_LEFT;
	leaf.queue_bytes = tc_within(tc_bytes_in(rate_bps, QUEUE_MS), QUEUE_MIN_BYTES, UINT32_MAX);
	return leaf;
}

static bool
tree_ensure(struct netlink *netlink, const struct port_class *class, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct tc_root *roots;
	struct tc_class wanted[2];
	size_t n_roots;

	if (!tc_root_list(netlink, arena, &roots, &n_roots, err))
		return false;
	for (size_t i = 0; i < n_roots; i++)
		if (roots[i].device == class->device && roots[i].handle && !is_our_tree(&roots[i]))
			return err_set(err, ERR_WAIT,
			    "port %s is shaped by somebody else (%s %x:): remove that with 'tc "
			    "qdisc del dev %s root'",
			    class->port, roots[i].kind, roots[i].handle >> 16, class->port);
	tc_class_port(PORT_CLASS_PORT, PORT_CLASS_OTHERS, class->port_bps, wanted);
	return tc_htb_ensure(netlink, class->device, PORT_CLASS_OTHERS, err) &&
	       bring(netlink, class->device, &wanted[0], err) &&
	       bring(netlink, class->device, &wanted[1], err);
}

static bool
view(struct netlink *netlink, uint32_t device, struct arena *arena, struct port_view *view,
    struct err *err)
{
	return tc_class_list(netlink, device, arena, &view->classes, &view->n_classes, err) &&
	       tc_address_list(netlink, device, arena, &view->addresses, &view->n_addresses, err);
}

/* The lowest that neither a class nor a filter has: a filter may have lost its class. */
static bool
choose_minor(
    struct netlink *netlink, const struct port_class *class, uint32_t *minor, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	bool *is_taken = arena_alloc(arena, UINT16_MAX + 1);
	struct port_view at;

	if (!view(netlink, class->device, arena, &at, err))
		return false;
	for (size_t i = 0; i < at.n_classes; i++)
		is_taken[at.classes[i].minor & UINT16_MAX] = true;
	for (size_t i = 0; i < at.n_addresses; i++)
		is_taken[at.addresses[i].minor & UINT16_MAX] = true;
	for (*minor = PORT_CLASS_FIRST; *minor <= PORT_CLASS_LAST; (*minor)++)
		if (!is_taken[*minor])
			return true;
	return err_set(err, ERR_R04, "port %s: all its %d classes are taken", class->port,
	    PORT_CLASS_LAST - PORT_CLASS_FIRST + 1);
}

/* ---- going ----------------------------------------------------------------------------------- */

/* Without leaves there is nothing to share: the kernel's own queue does. */
static bool
tree_remove_unused(struct netlink *netlink, uint32_t device, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct port_view at;

	if (!view(netlink, device, arena, &at, err))
		return false;
	for (size_t i = 0; i < at.n_classes; i++)
		if (at.classes[i].minor >= PORT_CLASS_FIRST)
			return true;
	return at.n_addresses || tc_root_remove(netlink, device, err);
}

static bool
remove_at(struct netlink *netlink, uint32_t device, uint32_t address, struct err *err)
{
	struct tc_address entry = {.address = address};
	bool is_found;

	if (!tc_address_find(netlink, device, &entry, &is_found, err))
		return false;
	return !is_found || (tc_address_remove(netlink, device, address, err) &&
				tc_class_remove(netlink, device, entry.minor, err) &&
				tree_remove_unused(netlink, device, err));
}

bool
port_class_remove(struct netlink *netlink, uint32_t address, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct tc_root *roots;
	size_t n_roots;

	if (!tc_root_list(netlink, arena, &roots, &n_roots, err))
		return false;
	for (size_t i = 0; i < n_roots; i++)
		if (is_our_tree(&roots[i]) && !remove_at(netlink, roots[i].device, address, err))
			return false;
	return true;
}

static int
by_minor(const void *a, const void *b)
{
	const struct tc_address *one = a, *two = b;

	return (one->minor > two->minor) - (one->minor < two->minor);
}

/* Leaves that no filter leads to, and the tree where there is neither. */
static void
add_objects(object_vec *found, uint32_t device, const struct port_view *at)
{
	size_t before = found->n;

	for (size_t i = 0; i < at->n_addresses; i++)
		vec_push(found, ((struct port_object){
				    device, at->addresses[i].minor, at->addresses[i].address}));
	for (size_t i = 0; i < at->n_classes; i++) {
		struct tc_address wanted = {.minor = at->classes[i].minor};

		if (wanted.minor >= PORT_CLASS_FIRST &&
		    !(at->n_addresses &&
			bsearch(&wanted, at->addresses, at->n_addresses, sizeof(wanted), by_minor)))
			vec_push(found, ((struct port_object){device, wanted.minor, 0}));
	}
	if (found->n == before)
		vec_push(found, ((struct port_object){device, 0, 0}));
}

static bool
list_port(struct netlink *netlink, uint32_t device, object_vec *found, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct tc_address *sorted;
	struct port_view at;

	if (!view(netlink, device, arena, &at, err))
		return false;
	sorted = arena_alloc(arena, at.n_addresses * sizeof(*sorted));
	if (at.n_addresses) {
		memcpy(sorted, at.addresses, at.n_addresses * sizeof(*sorted));
		qsort(sorted, at.n_addresses, sizeof(*sorted), by_minor);
	}
	at.addresses = sorted;
	add_objects(found, device, &at);
	return true;
}

bool
port_object_list(struct netlink *netlink, struct arena *arena, const struct port_object **objects,
    size_t *n_objects, struct err *err)
{
	object_vec found = {0};
	const struct tc_root *roots;
	size_t n_roots;
	bool is_good = tc_root_list(netlink, arena, &roots, &n_roots, err);

	for (size_t i = 0; is_good && i < n_roots; i++)
		is_good =
		    !is_our_tree(&roots[i]) || list_port(netlink, roots[i].device, &found, err);
	if (is_good) {
		*objects = (const struct port_object *)(void *)arena_copy(
		    arena, found.items, found.n * sizeof(struct port_object));
		*n_objects = found.n;
	}
	vec_done(&found);
	return is_good;
}

bool
port_object_remove(struct netlink *netlink, const struct port_object *object, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct port_object *now;
	bool is_still = false;
	size_t n_now;

	if (!port_object_list(netlink, arena, &now, &n_now, err))
		return false;
	for (size_t i = 0; i < n_now; i++)
		is_still |= now[i].device == object->device && now[i].minor == object->minor &&
			    !now[i].address;
	if (!is_still)
		return true;
	return (!object->minor || tc_class_remove(netlink, object->device, object->minor, err)) &&
	       tree_remove_unused(netlink, object->device, err);
}
