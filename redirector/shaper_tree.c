/*
 * Making, changing and removing classes. The kernel's tree is looked at class by class, never as a
 * whole: a change costs the same however many classes there are.
 */
#include "redirector/shaper.h"

#include "lib/base/err.h"
#include "lib/base/vec.h"

typedef vec_of(struct tc_class) class_vec;

/* Is it as wanted? Then *step has nothing to do, else what to put. */
static bool
look(struct netlink *netlink, uint32_t device, const struct tc_class *wanted, struct tc_class *step,
    struct err *err)
{
	struct tc_class found;
	struct err why;

	*step = *wanted;
	if (!tc_class_find(netlink, device, wanted->minor, &found, &why))
		return err_set(err, why.code, "%s", why.text);
	if (tc_class_is(&found, wanted))
		return true;
	if (found.has_queue && found.ceil_bps / 8 == wanted->ceil_bps / 8)
		step->queue_bytes = 0; /* its limit follows from the ceiling */
	return err_set(err, found.parent_minor == wanted->parent_minor ? ERR_WAIT : ERR_CONFLICT,
	    "class 1:%x has other values", wanted->minor);
}

/* A class cannot change its parent, so one from another time goes first. */
static bool
bring(struct netlink *netlink, uint32_t device, const struct tc_class *wanted, size_t n_wanted,
    struct err *err)
{
	struct tc_class steps[SHAPER_CLASSES_MAX];
	size_t n_steps = 0;
	struct err why;

	for (size_t i = 0; i < n_wanted; i++) {
		if (look(netlink, device, &wanted[i], &steps[n_steps], &why))
			continue;
		if (why.code == ERR_CONFLICT &&
		    !tc_class_remove(netlink, device, wanted[i].minor, err))
			return false;
		n_steps++;
	}
	return !n_steps || tc_class_put_many(netlink, device, steps, n_steps, NULL, err);
}

/* ---- the root -------------------------------------------------------------------------------- */

/* Parked classes are made where nothing is; those in use are somebody's. */
static bool
pool_ensure(struct netlink *netlink, const struct shaper_root *root, struct err *err)
{
	uint32_t end = SHAPER_FIRST + root->n_blocks * SHAPER_BLOCK;
	struct tc_class found, parked;
	class_vec missing = {0};
	struct err why;
	bool is_good;

	if (!root->n_blocks || tc_class_find(netlink, root->device, end - 1, &found, &why))
		return true;
	for (uint32_t minor = SHAPER_FIRST; minor < end; minor++)
		if (!tc_class_find(netlink, root->device, minor, &found, &why) &&
		    shaper_parked(minor, root->n_blocks, root->rate_bps, &parked))
			vec_push(&missing, parked);
	is_good = !missing.n ||
		  tc_class_put_many(netlink, root->device, missing.items, missing.n, NULL, err);
	vec_done(&missing);
	return is_good;
}

bool
shaper_root_ensure(struct netlink *netlink, const struct shaper_root *root, struct err *err)
{
	struct tc_class wanted[SHAPER_ROOT_CLASSES], found;
	struct err why;

	_Static_assert(SHAPER_ROOT_CLASSES <= SHAPER_CLASSES_MAX, "room in bring()");
	shaper_root_classes(root, wanted);
	if (!tc_class_find(netlink, root->device, SHAPER_PORT, &found, &why) &&
	    !tc_htb_ensure(netlink, root->device, SHAPER_OTHERS, err))
		return false;
	return bring(netlink, root->device, wanted, SHAPER_ROOT_CLASSES, err) &&
	       pool_ensure(netlink, root, err);
}

/* ---- a leaf and its slice -------------------------------------------------------------------- */

bool
shaper_ensure(struct netlink *netlink, const struct shaper_link *link, struct err *err)
{
	struct tc_class wanted[SHAPER_CLASSES_MAX];

	return bring(netlink, link->device, wanted, shaper_classes(link, wanted), err);
}

/* Are these classes there? */
static bool
are_there(struct kernel_view *view, struct netlink *netlink, uint32_t device,
    const struct tc_class *wanted, size_t n_wanted, struct err *err)
{
	struct tc_class found;

	for (size_t i = 0; i < n_wanted; i++) {
		if (!kernel_class(view, netlink, device, wanted[i].minor, &found, err))
			return err_set(
			    err, ERR_NOT_FOUND, "the shaper has no class 1:%x", wanted[i].minor);
		if (wanted[i].queue_bytes && !found.has_queue)
			return err_set(err, ERR_NOT_FOUND,
			    "class 1:%x of the shaper has not its queue", wanted[i].minor);
		if (!tc_class_is(&found, &wanted[i]))
			return err_set(err, ERR_CONFLICT,
			    "class 1:%x of the shaper has other values", wanted[i].minor);
	}
	return true;
}

bool
shaper_is_there(struct kernel_view *view, struct netlink *netlink, const struct shaper_link *link,
    struct err *err)
{
	struct tc_class wanted[SHAPER_CLASSES_MAX];

	return are_there(view, netlink, link->device, wanted, shaper_classes(link, wanted), err);
}

bool
shaper_root_is_there(struct kernel_view *view, struct netlink *netlink,
    const struct shaper_root *root, struct err *err)
{
	struct tc_class wanted[SHAPER_ROOT_CLASSES];

	shaper_root_classes(root, wanted);
	return are_there(view, netlink, root->device, wanted, SHAPER_ROOT_CLASSES, err);
}

/* ---- going ----------------------------------------------------------------------------------- */

static bool
dispose(struct netlink *netlink, const struct shaper_root *root, uint32_t minor, struct err *err)
{
	struct tc_class parked;

	if (shaper_parked(minor, root->n_blocks, root->rate_bps, &parked))
		return bring(netlink, root->device, &parked, 1, err);
	return tc_class_remove(netlink, root->device, minor, err);
}

/* The minors of a link that nothing stands for, children first; returns how many. */
static size_t
leftovers(const struct shaper_link *link, uint32_t minors[SHAPER_FORMS + 1])
{
	size_t n = 0;

	if (!link->is_wanted || !link->is_split) {
		minors[n++] = shaper_minor(link->number, SHAPER_FIRST_LEAF);
		minors[n++] = shaper_minor(link->number, SHAPER_REST);
		minors[n++] = shaper_minor(link->number, SHAPER_INNER);
	}
	if (!link->is_wanted || link->is_split)
		minors[n++] = shaper_minor(link->number, SHAPER_PLAIN);
	if (!link->is_slice_wanted && link->slice_number != SHAPER_PORT)
		minors[n++] = shaper_minor(link->slice_number, SHAPER_PLAIN);
	return n;
}

bool
shaper_retire(
    struct netlink *netlink, const struct shaper_link *link, bool is_hasty, struct err *err)
{
	struct shaper_root root = {
	    .device = link->device, .rate_bps = link->port_bps, .n_blocks = link->n_blocks};
	uint32_t minors[SHAPER_FORMS + 1];
	size_t n = leftovers(link, minors);
	struct tc_class found;
	struct err why;

	for (size_t i = 0; i < n; i++) {
		if (!tc_class_find(netlink, link->device, minors[i], &found, &why))
			continue;
		if (!is_hasty && found.backlog_bytes)
			return err_set(err, ERR_WAIT, "class 1:%x still has %u bytes", minors[i],
			    found.backlog_bytes);
		if (!dispose(netlink, &root, minors[i], err))
			return false;
	}
	return true;
}
