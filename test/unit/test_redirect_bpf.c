/*
 * The BPF programs, run by the kernel over single frames: what leaves, what is dropped, what is
 * counted. Needs the right to load BPF programs.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "redirect.skel.h"
#include "redirector/bpf/redirect_abi.h"
#include "test/support/suite.h"

/* Programs run as if on the loopback device. */
enum { LO = 1, RID = 7, KEY = 1001, MTU = 1500, OUTER = 42, ETHERNET = 14, SPACE = 4096 };

static const uint32_t here = 0x0a410001, there = 0x0a410002; /* 10.65.0.1, 10.65.0.2 */
static const unsigned char hop_mac[6] = {2, 0, 0, 0, 0, 0xfe}, own_mac[6] = {2, 0, 0, 0, 0, 1};

struct frame {
	unsigned char bytes[SPACE];
	uint32_t size;
};

/* What a run of a program gave. */
struct run {
	int verdict;
	uint32_t priority;
	struct frame out;
};

static struct redirect *
programs_new(void)
{
	struct redirect *skeleton = redirect__open();
	struct bpf_map *map;

	if (!skeleton)
		abort();
	bpf_object__for_each_map(map, skeleton->obj)
	{
		assert_equal(bpf_map__set_pin_path(map, NULL), 0);
	}
	assert_equal(redirect__load(skeleton), 0);
	return skeleton;
}

static void
link_put(struct redirect *skeleton, uint32_t flags)
{
	struct redirect_departure departure = {
	    .rid = RID,
	    .underlay = LO,
	    .priority = 0x10010,
	    .local = htonl(here),
	    .remote = htonl(there),
	    .key = htonl(KEY),
	    .mtu = MTU,
	    .flags = flags,
	};
	/* The other end's view, so that what was wrapped can be unwrapped here. */
	struct redirect_arrival arrival = {
	    .rid = RID,
	    .port = LO,
	    .local = htonl(there),
	    .remote = htonl(here),
	    .flags = flags,
	};
	struct redirect_arrival_key key = {.underlay = LO, .key = htonl(KEY)};
	int n_cpus = libbpf_num_possible_cpus();
	struct redirect_count *zero = calloc((size_t)n_cpus, sizeof(*zero));
	uint64_t rid = RID;
	uint32_t port = LO;

	memcpy(departure.next_hop, hop_mac, 6);
	memcpy(departure.own, own_mac, 6);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_departures, &port, sizeof(port),
			 &departure, sizeof(departure), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_arrivals, &key, sizeof(key), &arrival,
			 sizeof(arrival), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_counts, &rid, sizeof(rid), zero,
			 (size_t)n_cpus * sizeof(*zero), 0),
	    0);
	free(zero);
}

static struct redirect_count
counts(struct redirect *skeleton)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct redirect_count *each = calloc((size_t)n_cpus, sizeof(*each)), sum = {0};
	uint64_t rid = RID;

	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_counts, &rid, sizeof(rid), each,
			 (size_t)n_cpus * sizeof(*each), 0),
	    0);
	for (int i = 0; i < n_cpus; i++) {
		sum.tx_frames += each[i].tx_frames;
		sum.tx_bytes += each[i].tx_bytes;
		sum.tx_oversize += each[i].tx_oversize;
		sum.tx_dropped += each[i].tx_dropped;
		sum.rx_frames += each[i].rx_frames;
		sum.rx_bytes += each[i].rx_bytes;
		sum.rx_dropped += each[i].rx_dropped;
	}
	free(each);
	return sum;
}

static uint64_t
strays(struct redirect *skeleton, uint32_t kind)
{
	int n_cpus = libbpf_num_possible_cpus();
	uint64_t *each = calloc((size_t)n_cpus, sizeof(*each)), sum = 0;

	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_strays, &kind, sizeof(kind), each,
			 (size_t)n_cpus * sizeof(*each), 0),
	    0);
	for (int i = 0; i < n_cpus; i++)
		sum += each[i];
	free(each);
	return sum;
}

static struct run
run_gso(struct bpf_program *program, const struct frame *frame, uint32_t gso_size)
{
	struct __sk_buff in = {.ifindex = LO, .gso_size = gso_size}, out = {0};
	struct run run = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->size,
	    .data_out = run.out.bytes, .data_size_out = SPACE, .ctx_in = &in,
	    .ctx_size_in = sizeof(in), .ctx_out = &out, .ctx_size_out = sizeof(out));

	assert_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	run.verdict = (int)opts.retval;
	run.priority = out.priority;
	run.out.size = opts.data_size_out;
	return run;
}

static struct run
run(struct bpf_program *program, const struct frame *frame)
{
	return run_gso(program, frame, 0);
}

/* ---- frames ---------------------------------------------------------------------------------- */

static void
add(struct frame *frame, const void *bytes, size_t size)
{
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += (uint32_t)size;
}

static void
add_word(struct frame *frame, uint16_t word)
{
	word = htons(word);
	add(frame, &word, 2);
}

/* Addresses, tags (proto, tci, …), type, and a payload of pseudo-random bytes. */
static struct frame
frame_of(const uint16_t *tags, size_t n_tags, uint16_t type, uint32_t payload)
{
	struct frame frame = {0};
	unsigned value = 12345;

	add(&frame, "\x02\x0a\x0b\x0c\x0d\x0e\x02\x01\x02\x03\x04\x05", 12);
	for (size_t i = 0; i < 2 * n_tags; i++)
		add_word(&frame, tags[i]);
	add_word(&frame, type);
	for (uint32_t i = 0; i < payload; i++) {
		value = value * 1103515245 + 12345;
		frame.bytes[frame.size++] = (unsigned char)(value >> 16);
	}
	return frame;
}

static struct frame
plain(uint16_t type, uint32_t payload)
{
	return frame_of(NULL, 0, type, payload);
}

/* IPv4 or IPv6 with TCP, `data` bytes of it. */
static struct frame
tcp(bool is_v6, uint32_t data)
{
	struct frame frame = plain(is_v6 ? ETH_P_IPV6 : ETH_P_IP, (is_v6 ? 40 : 20) + 20 + data);
	unsigned char *ip = frame.bytes + ETHERNET, *header = ip + (is_v6 ? 40 : 20);

	ip[0] = is_v6 ? 0x60 : 0x45;
	ip[is_v6 ? 6 : 9] = IPPROTO_TCP;
	header[12] = 5 << 4;
	return frame;
}

/* The outer header changed: byte at `offset` becomes `value`. */
static struct frame
altered(const struct frame *frame, uint32_t offset, unsigned char value)
{
	struct frame changed = *frame;

	changed.bytes[offset] = value;
	return changed;
}

static uint16_t
sum_of(const unsigned char *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static bool
is_same(const struct frame *a, const struct frame *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}

/* ---- tests ----------------------------------------------------------------------------------- */

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
	assert_equal(counts(skeleton).tx_dropped, 1);
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

/* A test run cannot say that a GSO frame is TCP, so none is wrapped here: the size is judged before.
 */
static void
a_gso_frame_is_judged_by_its_segments(void)
{
	for (int is_v6 = 0; is_v6 < 2; is_v6++) {
		struct redirect *skeleton = programs_new();
		uint32_t most = is_v6 ? 1440 : 1460;
		struct frame frame = tcp(is_v6, 3300);

		link_put(skeleton, REDIRECT_OPEN);

		assert_equal(
		    run_gso(skeleton->progs.vn_encap, &frame, most).verdict, TC_ACT_SHOT);
		assert_equal(counts(skeleton).tx_oversize, 0);
		assert_equal(
		    run_gso(skeleton->progs.vn_encap, &frame, most + 1).verdict, TC_ACT_SHOT);
		assert_equal(counts(skeleton).tx_oversize, 3);
		redirect__destroy(skeleton);
	}
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
	assert_equal(counts(skeleton).tx_dropped, 1);
	assert_equal(counts(skeleton).rx_dropped, 1);
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
	assert_equal(counts(skeleton).rx_dropped, 2);
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
	assert_equal(counts(skeleton).rx_dropped, 1);
	cut.size = OUTER + 5;
	assert_equal(run(skeleton->progs.vn_decap, &cut).verdict, TC_ACT_SHOT);
	assert_equal(counts(skeleton).rx_dropped, 2);
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
    TEST(a_closed_link_end_drops_both_ways),
    TEST(a_port_without_a_link_leads_nowhere),
    TEST(an_unknown_key_is_dropped_and_counted),
    TEST(foreign_outer_addresses_are_dropped_and_counted),
    TEST(other_forms_of_gre_are_dropped_and_counted),
    TEST(a_frame_cut_short_is_dropped_and_padding_is_cut_off),
    TEST(what_is_not_gre_is_left_to_the_host),
};

suite_main("redirect_bpf", tests)
