/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * Port to port of the same host: a frame leaves one link end and has arrived at the other in the
 * same moment.
 */
#pragma once

#include "redirector/bpf/leave.bpf.h"
#include "redirector/bpf/maps.bpf.h"

/*
 * The other end, if it takes the frame: it leads back to us, so that no frame gets to a port whose
 * row does not want it or whose device's number is another one's by now. Counted at both ends
 * unless it goes on: NULL when it is to be dropped.
 */
static __always_inline struct redirect_departure *
direct_arrive(
    const struct __sk_buff *skb, const struct leaving *leaving, const struct measure *measure)
{
	__u32 port = leaving->link->underlay;
	struct redirect_departure *peer = bpf_map_lookup_elem(&vn_departures, &port);
	struct redirect_count *count = peer ? bpf_map_lookup_elem(&vn_counts, &peer->slot) : NULL;

	if (!peer || !count || !is_direct(peer) || peer->underlay != skb->ifindex) {
		leaving->count->tx_closed += measure->frames;
		return NULL;
	}
	if (!(peer->flags & REDIRECT_OPEN)) {
		count_sent(leaving->count, measure);
		count->rx_closed += measure->frames;
		return NULL;
	}
	count->rx_frames += measure->frames;
	count->rx_bytes += measure->bytes;
	return peer;
}
