/*
 * Rates to bursts, turns and queues.
 */
#include "lib/net/tc_class.h"

enum {
	OTHERS_SHARE = 1000, /* a thousandth of the port's rate */
	OTHERS_MIN_BPS = 100000,
	OTHERS_QUEUE_BYTES = 256 * 1024,
	BURST_MS = 50, /* absorbs late timers of a busy host */
	QUANTUM_MS = 2
};

uint64_t
tc_bytes_in(uint64_t rate_bps, uint64_t ms)
{
	return rate_bps / 8 * ms / 1000;
}

uint32_t
tc_within(uint64_t value, uint64_t least, uint64_t most)
{
	if (value < least)
		return (uint32_t)least;
	return (uint32_t)(value > most ? most : value);
}

uint64_t
tc_burst_bytes(uint64_t rate_bps)
{
	return tc_bytes_in(rate_bps, BURST_MS);
}

struct tc_class
tc_class_of(uint32_t minor, uint32_t parent_minor, uint64_t rate_bps, uint64_t ceil_bps)
{
	struct tc_class class = {
	    .minor = minor,
	    .parent_minor = parent_minor,
	    .rate_bps = rate_bps > TC_NOTHING_BPS ? rate_bps : TC_NOTHING_BPS,
	    .quantum_bytes = tc_within(
		tc_bytes_in(rate_bps, QUANTUM_MS), TC_BURST_MIN_BYTES / 2, TC_QUANTUM_MAX_BYTES),
	    .prio = TC_PRIO_SHAPED,
	};

	class.ceil_bps = ceil_bps > class.rate_bps ? ceil_bps : class.rate_bps;
	class.burst_bytes =
	    tc_within(tc_burst_bytes(class.rate_bps), TC_BURST_MIN_BYTES, UINT32_MAX);
	class.cburst_bytes =
	    tc_within(tc_burst_bytes(class.ceil_bps), TC_BURST_MIN_BYTES, UINT32_MAX);
	return class;
}

void
tc_class_port(uint32_t minor, uint32_t others, uint64_t rate_bps, struct tc_class classes[2])
{
	uint64_t share = rate_bps / OTHERS_SHARE;

	classes[0] = tc_class_of(minor, 0, rate_bps, rate_bps);
	classes[1] =
	    tc_class_of(others, minor, share > OTHERS_MIN_BPS ? share : OTHERS_MIN_BPS, rate_bps);
	classes[1].prio = TC_PRIO_FIRST;
	classes[1].queue_bytes = OTHERS_QUEUE_BYTES;
}
