/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only) */
/*
 * What two types of link want beside a constant head: the stamp of LINK_STAMP, written when a frame
 * leaves and noted when it arrives, and length and number of LINK_STT. Included by redirect.bpf.c
 * alone.
 */
#pragma once

#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "redirector/bpf/redirect_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REDIRECT_LINKS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
	__type(key, __u64);
	__type(value, struct redirect_delay);
} vn_delays SEC(".maps");

/* ---- stamps -------------------------------------------------------------------------------------
 */

/* The stamp of a packet of so many frames, as it stands at `offset`. */
static __always_inline bool
stamp_put(struct __sk_buff *skb, __u64 rid, __u32 offset, __u32 frames)
{
	struct redirect_delay *delay = bpf_map_lookup_elem(&vn_delays, &rid);
	struct redirect_stamp stamp = {.frames = bpf_htons((__u16)frames)};
	__u32 first, run;

	if (!delay)
		return false;
	bpf_spin_lock(&delay->lock);
	first = delay->next;
	run = delay->run;
	delay->next = first + frames;
	bpf_spin_unlock(&delay->lock);
	stamp.first = bpf_htonl(first);
	stamp.run = bpf_htons((__u16)run);
	stamp.sent_ns = bpf_cpu_to_be64(bpf_ktime_get_tai_ns());
	return !bpf_skb_store_bytes(skb, offset, &stamp, sizeof(stamp), 0);
}

static __always_inline __u32
delay_bucket(__s64 delay_ns)
{
	__u64 rest = (__u64)delay_ns;
	__u32 octave = 0;

	if (delay_ns < 4)
		return 0;
	for (__u32 bits = 32; bits; bits >>= 1)
		if (rest >> (bits + 2)) {
			octave += bits;
			rest >>= bits;
		}
	return 1 + 4 * octave + ((__u32)rest & 3);
}

/* Frames that the sender has counted until now: a new run begins anew, and that is no loss. */
static __always_inline void
delay_expect(struct redirect_delay *delay, __u32 first, __u32 frames, __u32 run)
{
	__u32 end = first + frames;

	if (!delay->packets || run != delay->high_run)
		delay->expected += frames;
	else if ((__s32)(end - delay->high) > 0)
		delay->expected += end - delay->high;
	else
		return;
	delay->high = end;
	delay->high_run = run;
}

/* Notes a packet that carried `stamp` and arrived just now as so many frames. */
static __always_inline void
delay_note(__u64 rid, const struct redirect_stamp *stamp, __u32 frames)
{
	struct redirect_delay *delay = bpf_map_lookup_elem(&vn_delays, &rid);
	__s64 delay_ns = (__s64)(bpf_ktime_get_tai_ns() - bpf_be64_to_cpu(stamp->sent_ns));
	__u32 bucket = delay_bucket(delay_ns), first = bpf_ntohl(stamp->first);
	__u32 sent = bpf_ntohs(stamp->frames), run = bpf_ntohs(stamp->run);
	__s64 step_ns;

	if (!delay)
		return;
	if (bucket >= REDIRECT_DELAY_BUCKETS)
		bucket = REDIRECT_DELAY_BUCKETS - 1;
	bpf_spin_lock(&delay->lock);
	delay_expect(delay, first, sent, run);
	step_ns = delay->packets ? delay_ns - delay->last_ns : 0;
	delay->jitter_16ns += (__u64)(step_ns < 0 ? -step_ns : step_ns);
	delay->jitter_16ns -= (delay->jitter_16ns + 8) >> 4;
	if (!delay->packets || delay_ns < delay->min_ns)
		delay->min_ns = delay_ns;
	if (!delay->packets || delay_ns > delay->max_ns)
		delay->max_ns = delay_ns;
	delay->last_ns = delay_ns;
	delay->sum_ns += delay_ns;
	delay->received += frames;
	delay->packets++;
	delay->buckets[bucket]++;
	bpf_spin_unlock(&delay->lock);
}

/* ---- STT
 * ------------------------------------------------------------------------------------------ */

enum { STT_HEAD = 18 };

/* Where TCP has sequence and acknowledgement. */
struct stt_words {
	__be16 length; /* of the STT frame, which is one packet here */
	__be16 offset; /* of the packet in it */
	__be32 number;
};

/* `size` bytes of STT header and frame, behind the header like TCP's at `offset`. */
static __always_inline bool
stt_put(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	struct stt_words words = {
	    .length = bpf_htons((__u16)size),
	    .number = bpf_get_prandom_u32(),
	};

	return !bpf_skb_store_bytes(skb, offset + 4, &words, sizeof(words), 0);
}

/* Is it one packet, and all of it? */
static __always_inline bool
stt_is_whole(struct __sk_buff *skb, __u32 offset, __u32 size)
{
	struct stt_words words;

	return !bpf_skb_load_bytes(skb, offset + 4, &words, sizeof(words)) && !words.offset &&
	       bpf_ntohs(words.length) == size;
}
