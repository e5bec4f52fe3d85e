/*
 * Delays, jitter and loss of links with stamps.
 */
#include "redirector/delay_bpf.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/random.h>

enum { QUARTERS = 4, PER_MILLE = 1000 };

static const struct bpf_map *
map_of(const struct maps *maps)
{
	return maps->delays;
}

bool
delay_is_there(const struct maps *maps, uint64_t rid)
{
	struct redirect_delay delay;

	return !bpf_map__lookup_elem(
	    map_of(maps), &rid, sizeof(rid), &delay, sizeof(delay), BPF_F_LOCK);
}

bool
delay_ensure(struct maps *maps, uint64_t rid, struct err *err)
{
	struct redirect_delay delay = {0};

	if (delay_is_there(maps, rid))
		return true;
	if (getrandom(&delay.run, sizeof(delay.run), 0) != sizeof(delay.run) ||
	    getrandom(&delay.next, sizeof(delay.next), 0) != sizeof(delay.next))
		return err_set(err, ERR_INTERNAL, "no random numbers for a link with stamps");
	delay.run &= UINT16_MAX;
	return !bpf_map__update_elem(
		   map_of(maps), &rid, sizeof(rid), &delay, sizeof(delay), BPF_ANY) ||
	       maps_failed(err, "making the delays of a link end");
}

bool
delay_drop(struct maps *maps, uint64_t rid, struct err *err)
{
	return !bpf_map__delete_elem(map_of(maps), &rid, sizeof(rid), 0) || errno == ENOENT ||
	       maps_failed(err, "removing the delays of a link end");
}

/* Where a bucket begins. */
static int64_t
bucket_begin(size_t bucket)
{
	size_t octave = bucket ? (bucket - 1) / QUARTERS : 0;

	return bucket ? (int64_t)(QUARTERS + (bucket - 1) % QUARTERS) << octave : 0;
}

/*
 * The delay that so many of a thousand packets do not exceed: within its bucket all are taken to be
 * spread evenly, and none outside of what was seen.
 */
static int64_t
quantile(const struct redirect_delay *delay, uint64_t per_mille)
{
	double rank = (double)delay->packets * (double)per_mille / PER_MILLE, before = 0;
	int64_t value = delay->max_ns;

	for (size_t i = 0; i < REDIRECT_DELAY_BUCKETS; i++) {
		double here = (double)delay->buckets[i];

		if (here > 0 && before + here >= rank) {
			double begin = (double)bucket_begin(i);
			double width = (double)bucket_begin(i + 1) - begin;

			value = (int64_t)(begin + width * (rank - before) / here);
			break;
		}
		before += here;
	}
	if (value < delay->min_ns)
		return delay->min_ns;
	return value > delay->max_ns ? delay->max_ns : value;
}

struct dataplane_delays
delay_summary(const struct redirect_delay *delay)
{
	struct dataplane_delays delays = {.packets = delay->packets};

	if (!delay->packets)
		return delays;
	delays.received = delay->received;
	delays.lost = delay->expected > delay->received ? delay->expected - delay->received : 0;
	delays.min_ns = delay->min_ns;
	delays.avg_ns = delay->sum_ns / (int64_t)delay->packets;
	delays.p50_ns = quantile(delay, 500);
	delays.p99_ns = quantile(delay, 990);
	delays.max_ns = delay->max_ns;
	delays.jitter_ns = (int64_t)(delay->jitter_16ns / 16);
	return delays;
}

bool
delay_read(const struct maps *maps, uint64_t rid, struct dataplane_delays *delays, struct err *err)
{
	struct redirect_delay delay;

	if (bpf_map__lookup_elem(
		map_of(maps), &rid, sizeof(rid), &delay, sizeof(delay), BPF_F_LOCK))
		return err_set(err, ERR_NOT_FOUND, "it is no link end with stamps");
	*delays = delay_summary(&delay);
	return true;
}
