/*
 * What BPF programs tell by bpf_perf_event_output: a ring for each processor, read by one thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct bpf_events;

struct bpf_events_taker {
	/* One event; its bytes are aligned to four, and gone after the call. */
	void (*event)(void *self, const void *bytes, size_t size);
	/* So many found a full ring. */
	void (*lost)(void *self, uint64_t n);
	void *self;
};

/* Opens rings of 2^n pages on a map of type PERF_EVENT_ARRAY; what comes before is nowhere. */
void bpf_events_free(struct bpf_events *events);
struct bpf_events *bpf_events_open(int map_fd, size_t n_pages, const struct bpf_events_taker *taker,
    struct err *err) malloc_by(bpf_events_free) must_check;

/* Hands over all there is; waits at most so long when there is nothing. */
void bpf_events_poll(struct bpf_events *events, int wait_ms);
