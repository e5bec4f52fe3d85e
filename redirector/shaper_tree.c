/*
 * Making and removing classes. The kernel's tree is the only record of it: a slice's class has the
 * sum of what its leaves have.
 */
#include "redirector/shaper.h"

#include "lib/base/err.h"

enum {
	PORT = 1,
	OTHERS = 2,
	OTHERS_SHARE = 1000, /* the host's own frames have a thousandth of the port's rate */
	OTHERS_MIN_BPS = 100000,
	OTHERS_QUEUE_BYTES = 256 * 1024,
	BURST_MS = 50, /* absorbs late timers of a busy host */
	BURST_MIN_BYTES = 3200,
	QUEUE_MS = 30,
	QUEUE_MIN_BYTES = 12000,
	QUANTUM_MS = 2,
	QUANTUM_MAX_BYTES = 60000,
	BEST_EFFORT_BPS = 8000,
};

static uint64_t
bytes_in(uint64_t rate_bps, uint64_t ms)
{
	return rate_bps / 8 * ms / 1000;
}

static uint32_t
within(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least)
		return (uint32_t)least;
	return (uint32_t)(value > most ? most : value);
}

static struct tc_class
class_of(uint32_t minor, uint32_t parent, uint64_t rate_bps, uint64_t ceil_bps)
{
	return (struct tc_class){
	    .minor = minor,
	    .parent_minor = parent,
	    .rate_bps = rate_bps,
	    .ceil_bps = ceil_bps,
	    .burst_bytes = within(bytes_in(rate_bps, BURST_MS), BURST_MIN_BYTES, UINT32_MAX),
	    .cburst_bytes = within(bytes_in(ceil_bps, BURST_MS), BURST_MIN_BYTES, UINT32_MAX),
	    .quantum_bytes =
		within(bytes_in(rate_bps, QUANTUM_MS), BURST_MIN_BYTES / 2, QUANTUM_MAX_BYTES),
	};
}

struct tc_class
shaper_leaf(const struct shaper_link *link)
{
	struct tc_class leaf = class_of(link->class, link->slice_class,
	    link->rate_bps ? link->rate_bps : BEST_EFFORT_BPS, link->ceil_bps);

	if (leaf.ceil_bps < leaf.rate_bps)
		leaf.ceil_bps = leaf.rate_bps;
	if (link->burst_bytes)
		leaf.burst_bytes = within(link->burst_bytes, link->frame_bytes, UINT32_MAX);
	return leaf;
}

uint32_t
shaper_queue_bytes(const struct shaper_link *link)
{
	return within(bytes_in(link->ceil_bps, QUEUE_MS), QUEUE_MIN_BYTES, UINT32_MAX);
}

bool
shaper_root_ensure(struct netlink *netlink, uint32_t device, int64_t rate_bps, struct err *err)
{
	uint64_t rate = (uint64_t)rate_bps, share = rate / OTHERS_SHARE;
	struct tc_class port = class_of(PORT, 0, rate, rate), found;
	struct tc_class others =
	    class_of(OTHERS, PORT, share > OTHERS_MIN_BPS ? share : OTHERS_MIN_BPS, rate);
	struct err why;

	if (tc_class_find(netlink, device, PORT, &found, &why) &&
	    found.rate_bps / 8 == port.rate_bps / 8 &&
	    tc_class_find(netlink, device, OTHERS, &found, &why))
		return true;
	return tc_htb_ensure(netlink, device, OTHERS, err) &&
	       tc_class_put(netlink, device, &port, err) &&
	       tc_class_put(netlink, device, &others, err) &&
	       tc_leaf_put(netlink, device, OTHERS, OTHERS_QUEUE_BYTES, err);
}

/* The sum of the leaves below a slice's class; *rest: how many besides `except`. */
static uint64_t
leaves_sum(const struct tc_class *classes, size_t n_classes, uint32_t slice_class, uint32_t except,
    size_t *rest)
{
	uint64_t sum = 0;

	*rest = 0;
	for (size_t i = 0; i < n_classes; i++) {
		if (classes[i].parent_minor != slice_class || classes[i].minor == except)
			continue;
		sum += classes[i].rate_bps;
		(*rest)++;
	}
	return sum;
}

static bool
slice_put(
    struct netlink *netlink, const struct shaper_link *link, uint64_t rate_bps, struct err *err)
{
	struct tc_class slice = class_of(link->slice_class, PORT, rate_bps, link->port_bps);

	if (slice.ceil_bps < slice.rate_bps)
		slice.ceil_bps = slice.rate_bps;
	return tc_class_put(netlink, link->device, &slice, err);
}

bool
shaper_ensure(struct netlink *netlink, const struct shaper_link *link, struct err *err)
{
	struct tc_class leaf = shaper_leaf(link);
	auto_arena struct arena *arena = arena_new();
	const struct tc_class *classes;
	size_t n_classes, rest;
	uint64_t sum;

	if (!tc_class_list(netlink, link->device, arena, &classes, &n_classes, err))
		return false;
	sum = leaves_sum(classes, n_classes, link->slice_class, link->class, &rest);
	return slice_put(netlink, link, sum + leaf.rate_bps, err) &&
	       tc_class_put(netlink, link->device, &leaf, err) &&
	       tc_leaf_put(netlink, link->device, link->class, shaper_queue_bytes(link), err);
}

bool
shaper_is_there(struct netlink *netlink, const struct shaper_link *link, struct err *err)
{
	struct tc_class wanted = shaper_leaf(link), found;

	if (!tc_class_find(netlink, link->device, link->class, &found, err))
		return false;
	/* The kernel keeps bytes per second. */
	if (found.parent_minor != wanted.parent_minor ||
	    found.rate_bps / 8 != wanted.rate_bps / 8 || found.ceil_bps / 8 != wanted.ceil_bps / 8)
		return err_set(err, ERR_NOT_FOUND, "class 1:%x has other rates", link->class);
	return true;
}

static const struct tc_class *
class_at(const struct tc_class *classes, size_t n_classes, uint32_t minor)
{
	for (size_t i = 0; i < n_classes; i++)
		if (classes[i].minor == minor)
			return &classes[i];
	return NULL;
}

bool
shaper_remove(struct netlink *netlink, uint32_t device, uint32_t class, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct tc_class *classes, *found, *slice;
	struct tc_class changed;
	size_t n_classes, rest;

	if (!tc_class_list(netlink, device, arena, &classes, &n_classes, err))
		return false;
	found = class_at(classes, n_classes, class);
	if (!found)
		return true;
	if (!tc_class_remove(netlink, device, class, err))
		return false;
	slice = class_at(classes, n_classes, found->parent_minor);
	if (!slice || slice->minor < SHAPER_FIRST)
		return true;
	changed = *slice;
	changed.rate_bps = leaves_sum(classes, n_classes, slice->minor, class, &rest);
	if (!rest)
		return tc_class_remove(netlink, device, slice->minor, err);
	changed = class_of(slice->minor, PORT, changed.rate_bps, slice->ceil_bps);
	return tc_class_put(netlink, device, &changed, err);
}
