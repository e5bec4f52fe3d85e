/*
 * Frames through the BPF programs by each built-in type of link, and what stamps tell. Needs the
 * right to load BPF programs.
 */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>

#include "redirector/delay_bpf.h"
#include "redirector/link_types.h"
#include "test/support/programs.h"
#include "test/support/suite.h"

static const struct link_type *const built_in[] = {
    &link_type_gre, &link_type_nvgre, &link_type_stt, &link_type_timestamp, &link_type_vxlan};

enum { BUILT_IN = sizeof(built_in) / sizeof(built_in[0]) };

static void
put_delays(struct redirect *skeleton, uint16_t run_number, uint32_t next)
{
	struct redirect_delay delay = {.run = run_number, .next = next}, old;
	uint64_t rid = RID;

	if (!bpf_map__lookup_elem(
		skeleton->maps.vn_delays, &rid, sizeof(rid), &old, sizeof(old), BPF_F_LOCK)) {
		old.run = run_number;
		old.next = next;
		delay = old;
	}
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_delays, &rid, sizeof(rid), &delay,
			 sizeof(delay), BPF_ANY),
	    0);
}

static struct dataplane_delays
delays(struct redirect *skeleton)
{
	struct redirect_delay delay;
	uint64_t rid = RID;

	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_delays, &rid, sizeof(rid), &delay,
			 sizeof(delay), BPF_F_LOCK),
	    0);
	return delay_summary(&delay);
}

static void
frames_pass_unchanged_by_each_type(void)
{
	static const uint16_t ethertypes[] = {ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, 0x88b5, 0x0600};
	static const uint16_t tag[] = {ETH_P_8021Q, 0x2065};
	struct redirect *skeleton = programs_new();

	put_delays(skeleton, 1, 0);
	for (size_t t = 0; t < BUILT_IN; t++) {
		struct frame tagged = frame_of(tag, 1, ETH_P_IP, 100);
		struct run wrapped, unwrapped;

		link_put_as(skeleton, built_in[t], REDIRECT_OPEN, 0);
		for (size_t i = 0; i < sizeof(ethertypes) / sizeof(ethertypes[0]); i++) {
			struct frame frame = plain(ethertypes[i], 46 + 300 * (uint32_t)i);

			wrapped = run(skeleton->progs.vn_encap, &frame);
			assert_equal(wrapped.verdict, TC_ACT_REDIRECT);
			assert_equal(
			    wrapped.out.size, frame.size + link_type_overhead(built_in[t]));
			assert_equal(sum_of(wrapped.out.bytes + ETHERNET, 20), 0xffff);
			unwrapped = run(skeleton->progs.vn_decap, &wrapped.out);
			assert_equal(unwrapped.verdict, TC_ACT_REDIRECT);
			assert_true(is_same(&unwrapped.out, &frame));
		}
		wrapped = run(skeleton->progs.vn_encap, &tagged);
		assert_equal(wrapped.verdict,
		    built_in[t]->flags & LINK_NO_TAGS ? TC_ACT_SHOT : TC_ACT_REDIRECT);
	}
	assert_equal(counts(skeleton).tx_unfit, 1);
	redirect__destroy(skeleton);
}

static void
vxlan_spreads_flows_over_source_ports(void)
{
	struct redirect *skeleton = programs_new();
	struct frame one = plain(ETH_P_IP, 100), other;
	struct run first, second;
	unsigned port;

	one.bytes[ETHERNET] = 0x45;
	memset(one.bytes + ETHERNET + 6, 0, 2); /* no fragment */
	one.bytes[ETHERNET + 9] = IPPROTO_UDP;
	other = one;
	other.bytes[ETHERNET + 20] ^= 1; /* another port */
	link_put_as(skeleton, &link_type_vxlan, REDIRECT_OPEN, 0);
	first = run(skeleton->progs.vn_encap, &one);
	second = run(skeleton->progs.vn_encap, &other);
	port = (unsigned)first.out.bytes[34] << 8 | first.out.bytes[35];

	assert_true(port >= 49152);
	assert_true(memcmp(first.out.bytes + 34, second.out.bytes + 34, 2) != 0);
	assert_equal(first.out.bytes[38] << 8 | first.out.bytes[39], 8 + 8 + (int)one.size);
	assert_equal(first.out.bytes[40] | first.out.bytes[41], 0);
	redirect__destroy(skeleton);
}

static void
stt_takes_whole_frames_alone(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100), segment = tcp(false, 3000), part;
	struct run wrapped;

	link_put_as(skeleton, &link_type_stt, REDIRECT_OPEN, 0);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	assert_equal(wrapped.out.bytes[38] << 8 | wrapped.out.bytes[39], 18 + (int)frame.size);

	part = altered(&wrapped.out, 41, 1);
	assert_equal(run(skeleton->progs.vn_decap, &part).verdict, TC_ACT_SHOT);
	part = altered(&wrapped.out, 39, 1);
	assert_equal(run(skeleton->progs.vn_decap, &part).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).rx_malformed, 2);
	assert_equal(run_gso(skeleton->progs.vn_encap, &segment, 1448).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).tx_unfit, 1);
	redirect__destroy(skeleton);
}

static void
stamps_tell_delay_and_loss(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(0x88b5, 100);
	struct dataplane_delays seen;
	struct run wrapped;

	put_delays(skeleton, 9, 0xfffffffe);
	link_put_as(skeleton, &link_type_timestamp, REDIRECT_OPEN, 0);
	for (int i = 0; i < 10; i++) {
		wrapped = run(skeleton->progs.vn_encap, &frame);
		if (i != 4 && i != 5)
			run(skeleton->progs.vn_decap, &wrapped.out);
	}
	seen = delays(skeleton);
	assert_equal(seen.packets, 8);
	assert_equal(seen.received, 8);
	assert_equal(seen.lost, 2);
	assert_true(seen.min_ns > 0 && seen.min_ns <= seen.p50_ns && seen.p50_ns <= seen.p99_ns);
	assert_true(seen.p99_ns <= seen.max_ns && seen.max_ns < 1000000000);
	assert_true(seen.min_ns <= seen.avg_ns && seen.avg_ns <= seen.max_ns);

	redirect__destroy(skeleton);
}

static void
a_sender_that_counts_anew_has_lost_nothing(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(0x88b5, 100);

	link_put_as(skeleton, &link_type_timestamp, REDIRECT_OPEN, 0);
	for (int i = 0; i < 3; i++) {
		struct run wrapped;

		put_delays(skeleton, (uint16_t)i, 1000000u * (unsigned)(3 - i));
		wrapped = run(skeleton->progs.vn_encap, &frame);
		run(skeleton->progs.vn_decap, &wrapped.out);
	}

	assert_equal(delays(skeleton).received, 3);
	assert_equal(delays(skeleton).lost, 0);
	redirect__destroy(skeleton);
}

static void
quantiles_come_from_the_buckets(void)
{
	struct redirect_delay delay = {.packets = 1000, .min_ns = 4096, .max_ns = 1000000};
	struct dataplane_delays seen;

	delay.buckets[1 + 4 * 10] = 980;    /* 4096 to 5119 ns */
	delay.buckets[1 + 4 * 17 + 3] = 20; /* 917504 to 1048575 */
	seen = delay_summary(&delay);

	assert_true(seen.p50_ns >= 4096 && seen.p50_ns < 5120);
	assert_true(seen.p99_ns >= 917504 && seen.p99_ns <= 1000000);
}

static const struct test tests[] = {
    TEST(frames_pass_unchanged_by_each_type),
    TEST(vxlan_spreads_flows_over_source_ports),
    TEST(stt_takes_whole_frames_alone),
    TEST(stamps_tell_delay_and_loss),
    TEST(a_sender_that_counts_anew_has_lost_nothing),
    TEST(quantiles_come_from_the_buckets),
};

suite_main("link_frames", tests)
