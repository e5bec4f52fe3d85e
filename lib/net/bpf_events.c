/*
 * Perf rings by libbpf.
 */
#include "lib/net/bpf_events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct bpf_events {
	struct perf_buffer *rings;
	struct bpf_events_taker taker;
};

static void
one_event(void *self, int cpu, void *bytes, __u32 size)
{
	const struct bpf_events *events = self;

	(void)cpu;
	events->taker.event(events->taker.self, bytes, size);
}

static void
some_lost(void *self, int cpu, __u64 n)
{
	const struct bpf_events *events = self;

	(void)cpu;
	events->taker.lost(events->taker.self, n);
}

void
bpf_events_free(struct bpf_events *events)
{
	if (!events)
		return;
	perf_buffer__free(events->rings);
	free(events);
}

struct bpf_events *
bpf_events_open(int map_fd, size_t n_pages, const struct bpf_events_taker *taker, struct err *err)
{
	struct bpf_events *events = xcalloc(1, sizeof(*events));

	events->taker = *taker;
	events->rings = perf_buffer__new(map_fd, n_pages, one_event, some_lost, events, NULL);
	if (events->rings)
		return events;
	err_set(err, ERR_INTERNAL, "opening the rings of events: %s", strerror(errno));
	free(events);
	return NULL;
}

void
bpf_events_poll(struct bpf_events *events, int wait_ms)
{
	(void)perf_buffer__poll(events->rings, wait_ms);
}
