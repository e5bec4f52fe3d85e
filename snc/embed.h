/*
 * Embedding: where the nodes of a slice go and which way its links take. Pure: no I/O, no globals,
 * time only to keep a deadline. Called by slice_check and slice_create; its answer is planned next.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/model/mapping.h"

/*
 * How much work sncd puts into looking for an answer, for each node and link, and into making it
 * better; in arcs looked at. And how long that may take where the machine is slow or busy. More
 * work finds a few more answers, but by ways so long that fewer of the slices to come have a place.
 */
enum { EMBED_SEARCH_STEPS = 12000, EMBED_IMPROVE_STEPS = 800000, EMBED_SEARCH_MS = 250 };

struct embed_request {
	const struct slice *slice;         /* checked, with its defaults, expanded */
	const struct substrate *substrate; /* with what is free; not changed */
	const struct clock *clock;
	int64_t deadline_ms; /* boot time: the search ends then */
};

/*
 * A mapping, in arena, that keeps every capacity, placement and latency bound; its pointers lead
 * into slice and substrate. Machines of a slice share a host only where there is no other way;
 * beside that it is the one of least rate times hops that was found. Deterministic unless time ends
 * the search. false: `found` has every fault that holds by itself, or else what stops the first
 * node that found no place beside the others: R01, R02, R03, R05 (what would do is in maintenance),
 * S13 (no host has the image), O03 (a host that was asked for is down), each with its line.
 */
bool embed(const struct embed_request *request, struct arena *arena, struct mapping **mapping,
    diagnoses *found) must_check;
