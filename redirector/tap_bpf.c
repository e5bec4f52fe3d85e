/*
 * Filling vn_taps.
 */
#include "redirector/tap_bpf.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>

enum { RUN_OUT_S = 3, NS_PER_S = 1000000000 };

uint32_t
tap_flag(const struct trace *trace)
{
	return trace->taps ? REDIRECT_TAP : 0;
}

static bool
departure_flag(struct maps *maps, const struct trace *trace, uint32_t port)
{
	struct redirect_departure departure;

	if (!departure_find(maps, port, &departure) || departure.rid != trace->held.rid)
		return true;
	departure.flags = (departure.flags & ~(uint32_t)REDIRECT_TAP) | tap_flag(trace);
	return !bpf_map__update_elem(
	    maps->departures, &port, sizeof(port), &departure, sizeof(departure), BPF_EXIST);
}

static bool
arrival_flag(struct maps *maps, const struct trace *trace, const struct redirect_arrival_key *key)
{
	struct redirect_arrival arrival;

	if (!arrival_find(maps, key, &arrival) || arrival.rid != trace->held.rid)
		return true;
	arrival.flags = (arrival.flags & ~(uint32_t)REDIRECT_TAP) | tap_flag(trace);
	return !bpf_map__update_elem(
	    maps->arrivals, key, sizeof(*key), &arrival, sizeof(arrival), BPF_EXIST);
}

/* The entries of a link end have the flag that they should have. */
static bool
flag_entries(struct maps *maps, const struct trace *trace, struct err *err)
{
	bool good = true;

	vec_each (port, &trace->ports)
		good = departure_flag(maps, trace, *port) && good;
	vec_each (key, &trace->keys)
		good = arrival_flag(maps, trace, key) && good;
	return good || maps_failed(err, "setting the tap of a link end");
}

static bool
entry_put(struct maps *maps, unsigned nth, const struct redirect_tap *entry, struct err *err)
{
	uint32_t key = nth;

	return !bpf_map__update_elem(
		   maps->taps, &key, sizeof(key), entry, sizeof(*entry), BPF_ANY) ||
	       maps_failed(err, "setting a tap");
}

static uint32_t
flags_of(const struct tap_filter *filter)
{
	uint32_t flags = 0;

	flags |= filter->sent ? REDIRECT_TAP_SENT : 0;
	flags |= filter->received ? REDIRECT_TAP_RECEIVED : 0;
	flags |= filter->has_type ? REDIRECT_TAP_TYPE : 0;
	flags |= filter->has_protocol ? REDIRECT_TAP_PROTOCOL : 0;
	flags |= filter->has_port ? REDIRECT_TAP_PORT : 0;
	flags |= filter->host != TAP_ANY_HOST ? REDIRECT_TAP_HOST : 0;
	flags |= filter->host == TAP_IP6_HOST ? REDIRECT_TAP_IP6 : 0;
	return flags;
}

static struct redirect_tap
entry_of(const struct dataplane_tap *tap, uint32_t slot)
{
	struct timespec now;
	struct redirect_tap entry = {
	    .slot = slot,
	    .flags = flags_of(&tap->filter),
	    .serial = tap->serial,
	    .device = tap->device,
	    .snaplen = tap->snaplen,
	    .type = htons(tap->filter.type),
	    .port = htons(tap->filter.port),
	    .protocol = tap->filter.protocol,
	};

	memcpy(entry.address, tap->filter.address, sizeof(entry.address));
	clock_gettime(CLOCK_MONOTONIC, &now);
	entry.until_ns = ((uint64_t)now.tv_sec + RUN_OUT_S) * NS_PER_S + (uint64_t)now.tv_nsec;
	return entry;
}

static bool
tap_off(struct maps *maps, unsigned nth, struct err *err)
{
	struct trace *trace = trace_find(maps, maps->tapped[nth]);

	maps->tapped[nth] = 0;
	if (trace)
		trace->taps &= ~(1u << nth);
	return (!trace || flag_entries(maps, trace, err)) &&
	       entry_put(maps, nth, &(struct redirect_tap){0}, err);
}

bool
tap_put(struct maps *maps, unsigned nth, const struct dataplane_tap *tap, struct err *err)
{
	struct redirect_tap entry;
	struct trace *trace;

	if (maps->tapped[nth] && (!tap || tap->rid != maps->tapped[nth]) &&
	    !tap_off(maps, nth, err))
		return false;
	if (!tap)
		return true;
	trace = trace_find(maps, tap->rid);
	if (!trace)
		return err_set(err, ERR_NOT_FOUND, "there is no such link end here");
	entry = entry_of(tap, trace->slot);
	maps->tapped[nth] = tap->rid;
	trace->taps |= 1u << nth;
	return entry_put(maps, nth, &entry, err) && flag_entries(maps, trace, err);
}

bool
taps_leave(struct maps *maps, uint64_t rid, struct err *err)
{
	for (unsigned nth = 0; nth < REDIRECT_TAPS_MAX; nth++)
		if (maps->tapped[nth] == rid && !tap_off(maps, nth, err))
			return false;
	return true;
}

bool
taps_reset(struct maps *maps, struct err *err)
{
	const struct trace *trace;

	for (unsigned nth = 0; nth < REDIRECT_TAPS_MAX; nth++)
		if (!entry_put(maps, nth, &(struct redirect_tap){0}, err))
			return false;
	for (size_t at = 0; (trace = map_next(maps->traces, &at));)
		if (!flag_entries(maps, trace, err))
			return false;
	return true;
}

bool
tap_copy(const void *event, size_t size, struct dataplane_copy *copy)
{
	struct redirect_copy head;

	if (size < sizeof(head))
		return false;
	memcpy(&head, event, sizeof(head));
	*copy = (struct dataplane_copy){
	    .at_ns = head.at_ns,
	    .serial = head.serial,
	    .is_sent = head.direction == REDIRECT_TAP_SENT,
	    .size = head.size,
	    .segment = head.segment,
	    .tag_type = head.tag_type,
	    .tag = head.tag,
	    .bytes = (const char *)event + sizeof(head),
	    .n_bytes = (uint32_t)(size - sizeof(head)),
	};
	/* The ring pads events. */
	if (copy->n_bytes > head.kept)
		copy->n_bytes = head.kept;
	return true;
}
