/*
 * What the house thinks the classes of a tree should be like. Numbers alone, no kernel.
 */
#include "redirector/shaper.h"

enum {
	OTHERS_SHARE = 1000, /* the host's own frames have a thousandth of the port's rate */
	OTHERS_MIN_BPS = 100000,
	OTHERS_QUEUE_BYTES = 256 * 1024,
	BURST_MS = 50, /* absorbs late timers of a busy host */
	BURST_MIN_BYTES = 3200,
	BURST_MOST_MS = 1000,     /* asked for: others wait while it is sent */
	BURST_MOST_BYTES = 65536, /* whatever the rate */
	QUEUE_MS = 30,
	QUEUE_MIN_BYTES = 12000,
	QUANTUM_MS = 2,
	QUANTUM_MAX_BYTES = 60000,
	NOTHING_BPS = 8000, /* the least that a class can have */
};

/* Order in which leaves share what nobody is guaranteed. */
enum { PRIO_FIRST, PRIO_SHAPED, PRIO_LEFT = 7 };

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

static uint32_t
quantum(uint64_t rate_bps)
{
	return within(bytes_in(rate_bps, QUANTUM_MS), BURST_MIN_BYTES / 2, QUANTUM_MAX_BYTES);
}

static struct tc_class
class_of(uint32_t minor, uint32_t parent, uint64_t rate_bps, uint64_t ceil_bps)
{
	struct tc_class class = {
	    .minor = minor,
	    .parent_minor = parent,
	    .rate_bps = rate_bps > NOTHING_BPS ? rate_bps : NOTHING_BPS,
	    .quantum_bytes = quantum(rate_bps),
	    .prio = PRIO_SHAPED,
	};

	class.ceil_bps = ceil_bps > class.rate_bps ? ceil_bps : class.rate_bps;
	class.burst_bytes = within(bytes_in(class.rate_bps, BURST_MS), BURST_MIN_BYTES, UINT32_MAX);
	class.cburst_bytes =
	    within(bytes_in(class.ceil_bps, BURST_MS), BURST_MIN_BYTES, UINT32_MAX);
	return class;
}

static uint64_t
burst_most(uint64_t rate_bps)
{
	uint64_t most = bytes_in(rate_bps, BURST_MOST_MS);

	return most > BURST_MOST_BYTES ? most : BURST_MOST_BYTES;
}

uint32_t
shaper_queue_bytes(uint64_t ceil_bps)
{
	return within(bytes_in(ceil_bps, QUEUE_MS), QUEUE_MIN_BYTES, UINT32_MAX);
}

/* It must let through what the queue of a shaped link would: a large frame and a window's burst. */
uint64_t
shaper_police_burst(uint64_t rate_bps, uint64_t ceil_bps, uint64_t asked_bytes)
{
	uint64_t least = shaper_queue_bytes(ceil_bps), own = bytes_in(rate_bps, BURST_MS);
	uint64_t most = least > burst_most(rate_bps) ? least : burst_most(rate_bps);

	if (asked_bytes)
		return asked_bytes < most ? asked_bytes : most;
	return own > least ? own : least;
}

/* The two leaves take all that they get from the class above them, the first one first. */
static size_t
split(const struct shaper_link *link, struct tc_class *inner, struct tc_class *classes)
{
	inner->minor = shaper_minor(link->number, SHAPER_INNER);
	for (int i = 0; i < 2; i++) {
		enum shaper_form form = i ? SHAPER_REST : SHAPER_FIRST_LEAF;

		classes[i] = class_of(
		    shaper_minor(link->number, form), inner->minor, NOTHING_BPS, inner->ceil_bps);
		classes[i].quantum_bytes = inner->quantum_bytes;
		classes[i].prio = i ? PRIO_SHAPED : PRIO_FIRST;
		classes[i].queue_bytes = shaper_queue_bytes(inner->ceil_bps);
	}
	return 2;
}

size_t
shaper_classes(const struct shaper_link *link, struct tc_class classes[SHAPER_CLASSES_MAX])
{
	uint64_t ceil_bps = link->ceil_bps < link->port_bps ? link->ceil_bps : link->port_bps;
	struct tc_class *leaf;
	size_t n = 0;

	if (link->is_slice_wanted && link->slice_number != SHAPER_PORT)
		classes[n++] =
		    class_of(link->slice_number, SHAPER_PORT, link->slice_bps, link->port_bps);
	if (!link->is_wanted)
		return n;
	leaf = &classes[n++];
	*leaf = class_of(link->number, link->slice_number, link->rate_bps, ceil_bps);
	if (link->burst_bytes)
		leaf->burst_bytes =
		    within(link->burst_bytes, link->frame_bytes, burst_most(link->rate_bps));
	if (link->is_split)
		return n + split(link, leaf, &classes[n]);
	leaf->queue_bytes = shaper_queue_bytes(ceil_bps);
	return n;
}

void
shaper_root_classes(const struct shaper_root *root, struct tc_class classes[SHAPER_ROOT_CLASSES])
{
	uint64_t rate = root->rate_bps, share = rate / OTHERS_SHARE;

	classes[0] = class_of(SHAPER_PORT, 0, rate, rate);
	classes[1] = class_of(
	    SHAPER_OTHERS, SHAPER_PORT, share > OTHERS_MIN_BPS ? share : OTHERS_MIN_BPS, rate);
	classes[1].prio = PRIO_FIRST;
	classes[1].queue_bytes = OTHERS_QUEUE_BYTES;
	classes[2] = class_of(SHAPER_POLICED, SHAPER_PORT, root->policed_bps, rate);
	classes[2].queue_bytes = shaper_queue_bytes(rate);
	classes[3] = class_of(SHAPER_LEFT, SHAPER_PORT, NOTHING_BPS, rate);
	classes[3].prio = PRIO_LEFT;
	classes[3].quantum_bytes = QUANTUM_MAX_BYTES;
	classes[3].queue_bytes = shaper_queue_bytes(rate);
}

bool
shaper_parked(uint32_t minor, uint32_t n_blocks, uint64_t port_bps, struct tc_class *parked)
{
	uint32_t at = minor - SHAPER_FIRST;

	if (minor < SHAPER_FIRST || at >= n_blocks * SHAPER_BLOCK)
		return false;
	if (at % SHAPER_BLOCK == 0) {
		*parked = class_of(minor, SHAPER_PORT, NOTHING_BPS, port_bps);
	} else {
		*parked = class_of(minor, minor - at % SHAPER_BLOCK, NOTHING_BPS, NOTHING_BPS);
		parked->queue_bytes = QUEUE_MIN_BYTES;
	}
	return true;
}
