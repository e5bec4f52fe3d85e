/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * A frame on its way out: may it go, and in which class of the shaper? The same whatever carries
 * it.
 */
#pragma once

#include <linux/pkt_cls.h>

#include "redirector/bpf/frame.bpf.h"

/* The entry of the frame's link, where it is counted, its class. */
struct leaving {
	const struct redirect_departure *link;
	struct redirect_count *count;
	struct redirect_bucket *bucket;
	__u32 class;
};

static __always_inline __u64
later(__u64 until_ns, __u64 now_ns)
{
	return until_ns > now_ns ? until_ns : now_ns;
}

/* Nanoseconds of so many bytes. In two parts, as a large frame cut into small ones would overflow. */
static __always_inline __u64
time_of(__u64 cost, __u64 bytes)
{
	return (cost * (bytes >> 10) >> (REDIRECT_COST_SHIFT - 10)) +
	       (cost * (bytes & 1023) >> REDIRECT_COST_SHIFT);
}

/*
 * Two buckets, kept as the time when what was let through would have been sent (virtual scheduling,
 * ITU-T I.371): the guarantee's, and the one of what the ceiling allows beyond. A bucket that is
 * not empty lets a whole GSO frame through and owes the rest. The class; 0: drop.
 */
static __always_inline __u32
police(const struct redirect_departure *link, struct redirect_bucket *bucket, __u64 bytes)
{
	__u64 now_ns = bpf_ktime_get_ns(), until_ns;
	__u64 cost_ns = time_of(link->cost, bytes);
	__u64 excess_ns = time_of(link->excess_cost, bytes);
	__u32 class = 0;

	bpf_spin_lock(&bucket->lock);
	until_ns = later(bucket->until_ns, now_ns);
	if (link->cost && until_ns <= now_ns + link->burst_ns) {
		bucket->until_ns = until_ns + cost_ns;
		class = link->class;
	}
	until_ns = later(bucket->excess_until_ns, now_ns);
	if (!class && link->excess_cost && until_ns <= now_ns + link->excess_burst_ns) {
		bucket->excess_until_ns = until_ns + excess_ns;
		class = link->excess_class;
	}
	bpf_spin_unlock(&bucket->lock);
	return class;
}

/* From port to port of the same host? Over the loop of driver `device` there is a type, so a head. */
static __always_inline bool
is_direct(const struct redirect_departure *link)
{
	return link->flags & REDIRECT_DIRECT && !link->head_size;
}

static __always_inline bool
is_fit(const struct __sk_buff *skb, const struct redirect_departure *link, __u32 n_tags)
{
	return !(n_tags && link->flags & REDIRECT_NO_TAGS) &&
	       !(skb->gso_size && link->flags & REDIRECT_NO_GSO);
}

/* The class of the shaper. False: over the ceiling of a policed link. */
static __always_inline bool
class_choose(struct __sk_buff *skb, struct leaving *leaving, const struct measure *measure)
{
	const struct redirect_departure *link = leaving->link;

	leaving->class = link->class;
	if (link->flags & REDIRECT_POLICE)
		leaving->class = police(link, leaving->bucket,
		    measure->bytes + (__u64)measure->frames * link->head_size);
	else if (link->flags & REDIRECT_FIRST && dscp_of(skb, measure->type) >= link->first_dscp)
		leaving->class = link->first_class;
	return leaving->class || !(link->flags & REDIRECT_POLICE);
}

/* May it go? If not, it is counted why. If so, its tags are taken off into `inner`. */
static __always_inline bool
frame_admit(struct __sk_buff *skb, struct leaving *leaving, struct inner *inner,
    struct measure *measure)
{
	const struct redirect_departure *link = leaving->link;
	struct redirect_count *count = leaving->count;

	if (!(link->flags & REDIRECT_OPEN)) {
		count->tx_closed++;
		return false;
	}
	if (!inner_take(skb, inner, measure) || !is_fit(skb, link, measure->n_tags)) {
		count->tx_unfit++;
		return false;
	}
	measure_frames(skb, ETHERNET, skb->len - ETHERNET, measure);
	if (measure->largest > ETHERNET + link->mtu) {
		count->tx_oversize += measure->frames;
		return false;
	}
	if (!class_choose(skb, leaving, measure)) {
		count->tx_policed += measure->frames;
		return false;
	}
	return true;
}

static __always_inline void
count_sent(struct redirect_count *count, const struct measure *measure)
{
	count->tx_frames += measure->frames;
	count->tx_bytes += measure->bytes;
}

/* It goes, or it could not be made ready; counted. */
static __always_inline int
frame_send(struct __sk_buff *skb, const struct leaving *leaving, const struct measure *measure,
    bool is_ready, __u32 device)
{
	if (!is_ready) {
		leaving->count->tx_failed += measure->frames;
		return TC_ACT_SHOT;
	}
	count_sent(leaving->count, measure);
	skb->priority = leaving->class;
	return (int)bpf_redirect(device, 0);
}
