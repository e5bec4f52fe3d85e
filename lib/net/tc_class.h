/*
 * What the house thinks a class of an HTB tree should be like: bursts that absorb late timers,
 * turns and queues by rate. Numbers alone, no kernel: the shapers of hosts and of routers share it.
 * Any thread.
 */
#pragma once

#include "lib/net/tc.h"

/* Order in which leaves share what nobody is guaranteed. */
enum { TC_PRIO_FIRST, TC_PRIO_SHAPED, TC_PRIO_LEFT = 7 };

enum {
	TC_NOTHING_BPS = 8000, /* the least that a class can have */
	TC_BURST_MIN_BYTES = 3200,
	TC_QUANTUM_MAX_BYTES = 60000
};

/* Bytes that a rate sends in a time. */
uint64_t tc_bytes_in(uint64_t rate_bps, uint64_t ms);

uint32_t tc_within(uint64_t value, uint64_t least, uint64_t most);

/* What a rate sends in BURST_MS. */
uint64_t tc_burst_bytes(uint64_t rate_bps);

/* A class without a queue, TC_PRIO_SHAPED; a ceiling below the rate is the rate. */
struct tc_class tc_class_of(
    uint32_t minor, uint32_t parent_minor, uint64_t rate_bps, uint64_t ceil_bps);

/* The two classes that every port has: itself (minor), and a leaf for whatever is nobody's
 * (others): served first, so that ARP comes through, guaranteed a thousandth. */
void tc_class_port(uint32_t minor, uint32_t others, uint64_t rate_bps, struct tc_class classes[2]);
