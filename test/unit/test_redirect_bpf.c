/*
 * The BPF programs, run by the kernel over single frames: what leaves, what is dropped, what is
 * counted. Needs the right to load BPF programs.
 */
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <string.h>
#include <time.h>

#include "redirector/link_types.h"
#include "test/support/programs.h"
#include "test/support/suite.h"

static void
the_outer_header_is_ipv4_and_gre_with_key(void)
{
	static const unsigned char wanted[] = {2, 0, 0, 0, 0, 0xfe, 2, 0, 0, 0, 0, 1, 8,
	    0,                                            /* next hop, own, IPv4 */
	    0x45, 0, 0, 142, 0, 0, 0x40, 0, 64, 47, 0, 0, /* DF, TTL 64, GRE */
	    10, 65, 0, 1, 10, 65, 0, 2,                   /* path addresses */
	    0x20, 0, 0x65, 0x58, 0, 0, 3, 0xe9};          /* key 1001, Ethernet inside */
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100);
	struct run result;

	link_put(skeleton, REDIRECT_OPEN);
	result = run(skeleton->progs.vn_encap, &frame);

	assert_equal(result.verdict, TC_ACT_REDIRECT);
	assert_equal(result.priority, 0x10010);
	assert_equal(result.out.size, frame.size + OUTER);
	assert_equal(sum_of(result.out.bytes + ETHERNET, 20), 0xffff);
	memset(result.out.bytes + 24, 0, 2); /* the checksum, just verified */
	assert_equal(memcmp(result.out.bytes, wanted, OUTER), 0);
	assert_equal(memcmp(result.out.bytes + OUTER, frame.bytes, frame.size), 0);
	redirect__destroy(skeleton);
}

static void
frames_of_any_type_come_out_as_they_went_in(void)
{
	static const uint16_t types[] = {
	    ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, 0x88b5, ETH_P_LLDP, 0x88e7, 0x0600, 0x0040};
	struct redirect *skeleton = programs_new();

	link_put(skeleton, REDIRECT_OPEN);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (uint32_t payload = 46; payload <= MTU; payload += 727) {
			struct frame frame = plain(types[i], payload);
			struct run wrapped = run(skeleton->progs.vn_encap, &frame), unwrapped;

			assert_equal(wrapped.verdict, TC_ACT_REDIRECT);
			unwrapped = run(skeleton->progs.vn_decap, &wrapped.out);
			assert_equal(unwrapped.verdict, TC_ACT_REDIRECT);
			assert_true(is_same(&unwrapped.out, &frame));
		}
	redirect__destroy(skeleton);
}

static void
counters_count_the_slices_own_bytes(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(0x88b5, 86);
	struct redirect_count count;
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	run(skeleton->progs.vn_decap, &wrapped.out);
	count = counts(skeleton);

	assert_equal(count.tx_frames, 1);
	assert_equal(count.tx_bytes, 100);
	assert_equal(count.rx_frames, 1);
	assert_equal(count.rx_bytes, 100);
	redirect__destroy(skeleton);
}

static void
tags_travel_inside_the_tunnel(void)
{
	static const uint16_t tags[] = {ETH_P_8021AD, 0x2064, ETH_P_8021Q, 0x0065};
	struct redirect *skeleton = programs_new();
	struct frame single = frame_of(tags + 2, 1, ETH_P_IP, 100);
	struct frame twice = frame_of(tags, 2, 0x88b5, 100);
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);

	wrapped = run(skeleton->progs.vn_encap, &single);
	assert_equal(wrapped.verdict, TC_ACT_REDIRECT);
	assert_equal(wrapped.out.size, OUTER + single.size);
	assert_equal(memcmp(wrapped.out.bytes + OUTER, single.bytes, single.size), 0);
	assert_equal(counts(skeleton).tx_bytes, 118);

	wrapped = run(skeleton->progs.vn_encap, &twice);
	assert_equal(wrapped.verdict, TC_ACT_REDIRECT);
	assert_equal(wrapped.out.size, OUTER + twice.size);
	assert_equal(memcmp(wrapped.out.bytes + OUTER, twice.bytes, twice.size), 0);
	assert_equal(counts(skeleton).tx_bytes, 118 + 122);
	redirect__destroy(skeleton);
}

static void
the_outermost_tag_is_put_beside_the_frame(void)
{
	static const uint16_t tags[] = {ETH_P_8021AD, 0x2064, ETH_P_8021Q, 0x0065};
	struct redirect *skeleton = programs_new();
	struct frame twice = frame_of(tags, 2, ETH_P_IP, 100);
	struct frame inner = frame_of(tags + 2, 1, ETH_P_IP, 100);
	struct run wrapped, unwrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &twice);
	unwrapped = run(skeleton->progs.vn_decap, &wrapped.out);

	assert_equal(unwrapped.verdict, TC_ACT_REDIRECT);
	assert_true(is_same(&unwrapped.out, &inner));
	assert_equal(counts(skeleton).rx_bytes, twice.size);
	redirect__destroy(skeleton);
}

static void
a_third_tag_is_dropped_and_counted(void)
{
	static const uint16_t tags[] = {ETH_P_8021Q, 1, ETH_P_8021Q, 2, ETH_P_8021Q, 3};
	struct redirect *skeleton = programs_new();
	struct frame frame = frame_of(tags, 3, ETH_P_IP, 100);

	link_put(skeleton, REDIRECT_OPEN);

	assert_equal(run(skeleton->progs.vn_encap, &frame).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).tx_unfit, 1);
	redirect__destroy(skeleton);
}

static void
a_frame_larger_than_the_mtu_is_dropped_and_counted(void)
{
	static const uint16_t tags[] = {ETH_P_8021Q, 5};
	struct redirect *skeleton = programs_new();
	struct frame fits = plain(0x88b5, MTU), large = plain(0x88b5, MTU + 1);
	struct frame tagged_fits = frame_of(tags, 1, 0x88b5, MTU);
	struct frame tagged_large = frame_of(tags, 1, 0x88b5, MTU + 1);

	link_put(skeleton, REDIRECT_OPEN);

	assert_equal(run(skeleton->progs.vn_encap, &fits).verdict, TC_ACT_REDIRECT);
	assert_equal(run(skeleton->progs.vn_encap, &tagged_fits).verdict, TC_ACT_REDIRECT);
	assert_equal(counts(skeleton).tx_oversize, 0);
	assert_equal(run(skeleton->progs.vn_encap, &large).verdict, TC_ACT_SHOT);
	assert_equal(run(skeleton->progs.vn_encap, &tagged_large).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).tx_oversize, 2);
	redirect__destroy(skeleton);
}

/* A test run cannot say that a GSO frame is TCP, so none is wrapped here: the size is judged
 * before.
 */
static void
a_gso_frame_is_judged_by_its_segments(void)
{
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct redirect *skeleton = programs_new();
		uint32_t most = is_v6 ? 1440 : 1460;
		struct frame frame = tcp(is_v6, 3300);

		link_put(skeleton, REDIRECT_OPEN);

		assert_equal(run_gso(skeleton->progs.vn_encap, &frame, most).verdict, TC_ACT_SHOT);
		assert_equal(counts(skeleton).tx_oversize, 0);
		assert_equal(
		    run_gso(skeleton->progs.vn_encap, &frame, most + 1).verdict, TC_ACT_SHOT);
		assert_equal(counts(skeleton).tx_oversize, 3);
		redirect__destroy(skeleton);
	}
}

/* IPv6 with 1024 bytes of options before TCP and 1400 bytes of data. */
static struct frame
with_options(void)
{
	struct frame frame = plain(ETH_P_IPV6, 40 + 1024 + 20 + 1400);
	unsigned char *ip = frame.bytes + ETHERNET;

	ip[0] = 0x60;
	ip[6] = IPPROTO_DSTOPTS;
	ip[40] = IPPROTO_TCP;
	ip[41] = 1024 / 8 - 1;
	ip[40 + 1024 + 12] = 5 << 4;
	return frame;
}

/* What they repeat is part of each. */
static void
segments_have_their_options(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = with_options();

	link_put(skeleton, REDIRECT_OPEN);

	run_gso(skeleton->progs.vn_encap, &frame, 1500 - 1084);
	assert_equal(counts(skeleton).tx_oversize, 0);
	run_gso(skeleton->progs.vn_encap, &frame, 1500 - 1083);
	assert_equal(counts(skeleton).tx_oversize, 4);
	redirect__destroy(skeleton);
}

static void
what_cannot_be_cut_is_judged_as_it_is(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = tcp(false, 2000);

	link_put(skeleton, REDIRECT_OPEN);
	frame = altered(&frame, ETHERNET + 9, IPPROTO_SCTP);

	run_gso(skeleton->progs.vn_encap, &frame, 1000);
	assert_equal(counts(skeleton).tx_oversize, 1);
	redirect__destroy(skeleton);
}

static void
a_closed_link_end_drops_both_ways(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100);
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	link_put(skeleton, 0);

	assert_equal(run(skeleton->progs.vn_encap, &frame).verdict, TC_ACT_SHOT);
	assert_equal(run(skeleton->progs.vn_decap, &wrapped.out).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).tx_closed, 1);
	assert_equal(counts(skeleton).rx_closed, 1);
	redirect__destroy(skeleton);
}

/* At 8 kbit/s a byte takes a millisecond: nothing comes back into the bucket during the test. */
static void
a_policer_lets_a_burst_through_and_drops_the_rest(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(0x88b5, MTU);
	uint64_t dropped;

	link_put_as(skeleton, &link_type_gre, REDIRECT_OPEN, 8000);

	assert_equal(run(skeleton->progs.vn_encap, &frame).verdict, TC_ACT_REDIRECT);
	for (int i = 0; i < 10; i++)
		run(skeleton->progs.vn_encap, &frame);
	dropped = counts(skeleton).tx_policed;
	assert_true(dropped >= 9);
	assert_equal((int64_t)(counts(skeleton).tx_frames + dropped), 11);
	redirect__destroy(skeleton);
}

/* At 160 bit/s a byte takes 50 ms; 3628 frames of a byte, with all that is around each, hours. */
static void
a_policer_counts_what_many_small_segments_take(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = tcp(false, 3628);
	struct redirect_bucket bucket;
	uint32_t slot = SLOT;
	struct timespec now;

	link_put_as(skeleton, &link_type_gre, REDIRECT_OPEN, 160);
	run_gso(skeleton->progs.vn_encap, &frame, 1);

	clock_gettime(CLOCK_MONOTONIC, &now);
	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_buckets, &slot, sizeof(slot), &bucket,
			 sizeof(bucket), 0),
	    0);
	assert_true(bucket.until_ns / 1000000000 > (uint64_t)now.tv_sec + 3600);
	redirect__destroy(skeleton);
}

static void
a_port_without_a_link_leads_nowhere(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100);

	assert_equal(run(skeleton->progs.vn_encap, &frame).verdict, TC_ACT_SHOT);
	redirect__destroy(skeleton);
}

static void
an_unknown_key_is_dropped_and_counted(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100), wrong;
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	wrong = altered(&wrapped.out, 41, 0xea);

	assert_equal(run(skeleton->progs.vn_decap, &wrong).verdict, TC_ACT_SHOT);
	assert_equal(strays(skeleton, REDIRECT_STRAY_KEY), 1);
	assert_equal(counts(skeleton).rx_frames, 0);
	redirect__destroy(skeleton);
}

static void
foreign_outer_addresses_are_dropped_and_counted(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100), wrong_source, wrong_destination;
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	wrong_source = altered(&wrapped.out, 29, 9);
	wrong_destination = altered(&wrapped.out, 33, 9);

	assert_equal(run(skeleton->progs.vn_decap, &wrong_source).verdict, TC_ACT_SHOT);
	assert_equal(run(skeleton->progs.vn_decap, &wrong_destination).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).rx_source, 2);
	redirect__destroy(skeleton);
}

static void
other_forms_of_gre_are_dropped_and_counted(void)
{
	static const struct {
		uint32_t offset;
		unsigned char value;
	} cases[] = {
	    {14, 0x46}, /* IP options */
	    {20, 0x20}, /* more fragments */
	    {21, 1},    /* a later fragment */
	    {34, 0xa0}, /* GRE checksum */
	    {34, 0x30}, /* GRE sequence number */
	    {34, 0},    /* no key */
	    {35, 1},    /* GRE version 1 */
	    {36, 8},    /* not Ethernet inside */
	};
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100);
	struct run wrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame wrong = altered(&wrapped.out, cases[i].offset, cases[i].value);

		assert_equal(run(skeleton->progs.vn_decap, &wrong).verdict, TC_ACT_SHOT);
		assert_equal(strays(skeleton, REDIRECT_STRAY_MALFORMED), i + 1);
	}
	redirect__destroy(skeleton);
}

static void
a_frame_cut_short_is_dropped_and_padding_is_cut_off(void)
{
	struct redirect *skeleton = programs_new();
	struct frame frame = plain(ETH_P_IP, 100), cut, padded;
	struct run wrapped, unwrapped;

	link_put(skeleton, REDIRECT_OPEN);
	wrapped = run(skeleton->progs.vn_encap, &frame);
	cut = padded = wrapped.out;
	cut.size -= 1;
	padded.size += 7;

	assert_equal(run(skeleton->progs.vn_decap, &cut).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).rx_malformed, 1);
	cut.size = OUTER + 5;
	assert_equal(run(skeleton->progs.vn_decap, &cut).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).rx_malformed, 2);
	unwrapped = run(skeleton->progs.vn_decap, &padded);
	assert_equal(unwrapped.verdict, TC_ACT_REDIRECT);
	assert_true(is_same(&unwrapped.out, &frame));
	redirect__destroy(skeleton);
}

static void
what_is_not_gre_is_left_to_the_host(void)
{
	struct redirect *skeleton = programs_new();
	struct frame arp = plain(ETH_P_ARP, 46), udp = plain(ETH_P_IP, 46);

	link_put(skeleton, REDIRECT_OPEN);
	udp.bytes[14] = 0x45;
	udp.bytes[23] = IPPROTO_UDP;

	assert_equal(run(skeleton->progs.vn_decap, &arp).verdict, TC_ACT_UNSPEC);
	assert_equal(run(skeleton->progs.vn_decap, &udp).verdict, TC_ACT_UNSPEC);
	redirect__destroy(skeleton);
}

static const struct test tests[] = {
    TEST(the_outer_header_is_ipv4_and_gre_with_key),
    TEST(frames_of_any_type_come_out_as_they_went_in),
    TEST(counters_count_the_slices_own_bytes),
    TEST(tags_travel_inside_the_tunnel),
    TEST(the_outermost_tag_is_put_beside_the_frame),
    TEST(a_third_tag_is_dropped_and_counted),
    TEST(a_frame_larger_than_the_mtu_is_dropped_and_counted),
    TEST(a_gso_frame_is_judged_by_its_segments),
    TEST(segments_have_their_options),
    TEST(what_cannot_be_cut_is_judged_as_it_is),
    TEST(a_closed_link_end_drops_both_ways),
    TEST(a_policer_lets_a_burst_through_and_drops_the_rest),
    TEST(a_policer_counts_what_many_small_segments_take),
    TEST(a_port_without_a_link_leads_nowhere),
    TEST(an_unknown_key_is_dropped_and_counted),
    TEST(foreign_outer_addresses_are_dropped_and_counted),
    TEST(other_forms_of_gre_are_dropped_and_counted),
    TEST(a_frame_cut_short_is_dropped_and_padding_is_cut_off),
    TEST(what_is_not_gre_is_left_to_the_host),
};

suite_main("redirect_bpf", tests)
