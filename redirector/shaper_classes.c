/*
 * What the house thinks the classes of a tree should be like. Numbers alone, no kernel.
 */
#include "redirector/shaper.h"

#include "lib/net/tc_class.h"

enum {
	BURST_MOST_MS = 1000,     /* asked for: others wait while it is sent */
	BURST_MOST_BYTES = 65536, /* whatever the rate */
	QUEUE_MS = 30,
	QUEUE_MIN_BYTES = 12000,
};

static uint64_t
burst_most(uint64_t rate_bps)
{
	uint64_t most = tc_bytes_in(rate_bps, BURST_MOST_MS);

	return most > BURST_MOST_BYTES ? most : BURST_MOST_BYTES;
}

uint32_t
shaper_queue_bytes(uint64_t ceil_bps)
{
	return tc_within(tc_bytes_in(ceil_bps, QUEUE_MS), QUEUE_MIN_BYTES, UINT32_MAX);
}

/* It must let through what the queue of a shaped link would: a large frame and a window's burst. */
uint64_t
shaper_police_burst(uint64_t rate_bps, uint64_t ceil_bps, uint64_t asked_bytes)
{
	uint64_t least = shaper_queue_bytes(ceil_bps), own = tc_burst_bytes(rate_bps);
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

		classes[i] = tc_class_of(shaper_minor(link->number, form), inner->minor,
		    TC_NOTHING_BPS, inner->ceil_bps);
		classes[i].quantum_bytes = inner->quantum_bytes;
		classes[i].prio = i ? TC_PRIO_SHAPED : TC_PRIO_FIRST;
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
		    tc_class_of(link->slice_number, SHAPER_PORT, link->slice_bps, link->port_bps);
	if (!link->is_wanted)
		return n;
	leaf = &classes[n++];
	*leaf = tc_class_of(link->number, link->slice_number, link->rate_bps, ceil_bps);
	if (link->burst_bytes)
		leaf->burst_bytes =
		    tc_within(link->burst_bytes, link->frame_bytes, burst_most(link->rate_bps));
	if (link->is_split)
		return n + split(link, leaf, &classes[n]);
	leaf->queue_bytes = shaper_queue_bytes(ceil_bps);
	return n;
}

void
shaper_root_classes(const struct shaper_root *root, struct tc_class classes[SHAPER_ROOT_CLASSES])
{
	uint64_t rate = root->rate_bps;

	tc_class_port(SHAPER_PORT, SHAPER_OTHERS, rate, classes);
	classes[2] = tc_class_of(SHAPER_POLICED, SHAPER_PORT, root->policed_bps, rate);
	classes[2].queue_bytes = shaper_queue_bytes(rate);
	classes[3] = tc_class_of(SHAPER_LEFT, SHAPER_PORT, TC_NOTHING_BPS, rate);
	classes[3].prio = TC_PRIO_LEFT;
	classes[3].quantum_bytes = TC_QUANTUM_MAX_BYTES;
	classes[3].queue_bytes = shaper_queue_bytes(rate);
}

bool
shaper_parked(uint32_t minor, uint32_t n_blocks, uint64_t port_bps, struct tc_class *parked)
{
	uint32_t at = minor - SHAPER_FIRST;

	if (minor < SHAPER_FIRST || at >= n_blocks * SHAPER_BLOCK)
		return false;
	if (at % SHAPER_BLOCK == 0) {
		*parked = tc_class_of(minor, SHAPER_PORT, TC_NOTHING_BPS, port_bps);
	} else {
		*parked =
		    tc_class_of(minor, minor - at % SHAPER_BLOCK, TC_NOTHING_BPS, TC_NOTHING_BPS);
		parked->queue_bytes = QUEUE_MIN_BYTES;
	}
	return true;
}
