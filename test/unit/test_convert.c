/*
 * The format converter: its programs run by the kernel over single frames, and what may be held.
 * Needs the right to load BPF programs.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convert.skel.h"
#include "redirector/bpf/convert_abi.h"
#include "redirector/convert.h"
#include "test/support/programs.h"
#include "test/support/suite.h"

enum { ISID = 0x12345, B_VID = 7, VLAN = 101, HEADER = 22, NOTE = 8, ROWS_MAX = 8 };

static const unsigned char remote[6] = {2, 0xbb, 0, 0, 0, 2}, own[6] = {2, 0xbb, 0, 0, 0, 1};

/* ---- programs -------------------------------------------------------------------------------- */

/* The programs with one conversion between LO and LO. */
static struct convert *
converter_new(uint32_t vlan)
{
	struct convert *skeleton = convert__open();
	struct convert_customer customer = {.device = LO, .vlan = vlan};
	struct convert_departure departure = {
	    .rid = RID, .backbone = LO, .isid = ISID, .b_vid = B_VID};
	struct convert_backbone backbone = {.device = LO, .isid = ISID, .b_vid = B_VID};
	struct convert_arrival arrival = {.rid = RID, .customer = LO, .vlan = vlan};
	int n_cpus = libbpf_num_possible_cpus();
	struct convert_count *zero = calloc((size_t)n_cpus, sizeof(*zero));
	uint64_t rid = RID;
	struct bpf_map *map;

	if (!skeleton || !zero)
		abort();
	bpf_object__for_each_map(map, skeleton->obj)
	{
		assert_equal(bpf_map__set_pin_path(map, NULL), 0);
	}
	assert_equal(convert__load(skeleton), 0);
	memcpy(departure.to, remote, 6);
	memcpy(departure.from, own, 6);
	memcpy(backbone.from, remote, 6);
	memcpy(arrival.to, own, 6);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_customers, &customer, sizeof(customer),
			 &departure, sizeof(departure), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_backbones, &backbone, sizeof(backbone),
			 &arrival, sizeof(arrival), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_conversions, &rid, sizeof(rid), zero,
			 (size_t)n_cpus * sizeof(*zero), 0),
	    0);
	free(zero);
	return skeleton;
}

static struct convert_count
count_of(struct convert *skeleton)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct convert_count *each = calloc((size_t)n_cpus, sizeof(*each)), sum = {0};
	uint64_t rid = RID;

	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_conversions, &rid, sizeof(rid), each,
			 (size_t)n_cpus * sizeof(*each), 0),
	    0);
	for (int i = 0; i < n_cpus; i++) {
		sum.to_frames += each[i].to_frames;
		sum.to_bytes += each[i].to_bytes;
		sum.to_oversize += each[i].to_oversize;
		sum.to_dropped += each[i].to_dropped;
		sum.from_frames += each[i].from_frames;
		sum.from_bytes += each[i].from_bytes;
		sum.from_dropped += each[i].from_dropped;
	}
	free(each);
	return sum;
}

static uint64_t
unconverted(struct convert *skeleton, uint32_t kind)
{
	int n_cpus = libbpf_num_possible_cpus();
	uint64_t *each = calloc((size_t)n_cpus, sizeof(*each)), sum = 0;

	assert_equal(bpf_map__lookup_elem(skeleton->maps.vn_unconverted, &kind, sizeof(kind), each,
			 (size_t)n_cpus * sizeof(*each), 0),
	    0);
	for (int i = 0; i < n_cpus; i++)
		sum += each[i];
	free(each);
	return sum;
}

/* What XDP left: the frame, and the note in front of it. */
struct stripped {
	int verdict;
	bool has_note;
	struct convert_note note;
	struct frame out;
};

static struct stripped
strip(struct convert *skeleton, const struct frame *frame)
{
	struct xdp_md in = {.data_end = frame->size, .ingress_ifindex = LO}, out = {0};
	struct stripped stripped = {0};
	unsigned char bytes[FRAME_SPACE];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->size,
	    .data_out = bytes, .data_size_out = sizeof(bytes), .ctx_in = &in,
	    .ctx_size_in = sizeof(in), .ctx_out = &out, .ctx_size_out = sizeof(out));

	assert_equal(
	    bpf_prog_test_run_opts(bpf_program__fd(skeleton->progs.vn_conv_strip), &opts), 0);
	stripped.verdict = (int)opts.retval;
	stripped.has_note = out.data >= NOTE;
	if (stripped.has_note)
		memcpy(&stripped.note, bytes, NOTE);
	stripped.out.size = opts.data_size_out - out.data;
	memcpy(stripped.out.bytes, bytes + out.data, stripped.out.size);
	return stripped;
}

/* The frame as the other end would send it to us: B-DA and B-SA the other way round. */
static struct frame
answer(const struct frame *wrapped)
{
	struct frame frame = *wrapped;

	memcpy(frame.bytes, own, 6);
	memcpy(frame.bytes + 6, remote, 6);
	return frame;
}

static void
the_outer_header_is_mac_in_mac(void)
{
	static const uint16_t tags[] = {ETH_P_8021Q, 0xb000 | VLAN};
	static const unsigned char wanted[HEADER] = {2, 0xbb, 0, 0, 0, 2, 2, 0xbb, 0, 0, 0,
	    1,                                   /* B-DA, B-SA */
	    0x88, 0xa8, 0xb0, B_VID,             /* B-TAG, the priority of the VLAN */
	    0x88, 0xe7, 0xb0, 0x01, 0x23, 0x45}; /* I-TAG, the same */
	struct convert *skeleton = converter_new(VLAN);
	struct frame tagged = frame_of(tags, 1, 0x88b5, 86), frame = plain(0x88b5, 86);
	struct run result = run(skeleton->progs.vn_conv_in, &tagged);

	assert_equal(result.verdict, TC_ACT_REDIRECT);
	assert_equal(result.out.size, HEADER + frame.size);
	assert_equal(memcmp(result.out.bytes, wanted, HEADER), 0);
	assert_equal(memcmp(result.out.bytes + HEADER, frame.bytes, frame.size), 0);
	assert_equal(count_of(skeleton).to_frames, 1);
	assert_equal(count_of(skeleton).to_bytes, 100);
	convert__destroy(skeleton);
}

static void
frames_come_out_as_they_went_in(void)
{
	static const uint16_t types[] = {
	    ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, 0x88b5, ETH_P_LLDP, 0x88e7, 0x0600, 0x0040};
	static const uint16_t tags[] = {
	    ETH_P_8021Q, 0x6000 | VLAN, ETH_P_8021AD, 0x2064, ETH_P_8021Q, 0x0065};
	struct convert *skeleton = converter_new(VLAN);

	for (size_t i = 0; i < 3 * sizeof(types) / sizeof(types[0]); i++) {
		struct frame tagged = frame_of(tags, 1 + i % 3, types[i / 3], 700);
		struct frame frame = frame_of(tags + 2, i % 3, types[i / 3], 700), wire;
		struct run wrapped = run(skeleton->progs.vn_conv_in, &tagged);
		struct stripped stripped;

		wire = answer(&wrapped.out);
		stripped = strip(skeleton, &wire);
		assert_equal(stripped.verdict, XDP_PASS);
		assert_true(stripped.has_note && is_same(&stripped.out, &frame));
		assert_equal(stripped.note.customer, LO);
		assert_equal(stripped.note.tag, 0x6000 | VLAN);
	}
	assert_equal(count_of(skeleton).from_frames, 24);
	assert_equal(count_of(skeleton).from_bytes, count_of(skeleton).to_bytes);
	convert__destroy(skeleton);
}

static void
a_whole_conversion_keeps_the_tags(void)
{
	static const uint16_t tags[] = {ETH_P_8021AD, 0x2064, ETH_P_8021Q, 0x0065};
	struct convert *skeleton = converter_new(CONVERT_WHOLE);

	for (size_t n_tags = 0; n_tags <= 2; n_tags++) {
		struct frame frame = frame_of(tags, n_tags, ETH_P_IP, 100), wire;
		struct run wrapped = run(skeleton->progs.vn_conv_in, &frame);
		struct stripped stripped;

		wire = answer(&wrapped.out);
		stripped = strip(skeleton, &wire);
		assert_true(stripped.has_note && is_same(&stripped.out, &frame));
		assert_equal(stripped.note.tag, CONVERT_WHOLE);
	}
	convert__destroy(skeleton);
}

static void
too_many_tags_and_packets_of_many_segments_are_dropped(void)
{
	static const uint16_t tags[] = {
	    ETH_P_8021Q, VLAN, ETH_P_8021Q, 1, ETH_P_8021Q, 2, ETH_P_8021Q, 3};
	struct convert *skeleton = converter_new(VLAN), *whole = converter_new(CONVERT_WHOLE);
	struct frame four = frame_of(tags, 4, ETH_P_IP, 100),
		     three = frame_of(tags, 3, ETH_P_IP, 100);
	struct frame segments = tcp(false, 3000);

	assert_equal(run(skeleton->progs.vn_conv_in, &three).verdict, TC_ACT_REDIRECT);
	assert_equal(run(skeleton->progs.vn_conv_in, &four).verdict, TC_ACT_SHOT);
	assert_equal(count_of(skeleton).to_dropped, 1);
	assert_equal(run(whole->progs.vn_conv_in, &three).verdict, TC_ACT_SHOT);
	assert_equal(run_gso(whole->progs.vn_conv_in, &segments, 1400).verdict, TC_ACT_SHOT);
	assert_equal(count_of(whole).to_dropped, 2);
	convert__destroy(skeleton);
	convert__destroy(whole);
}

static void
a_vlan_without_conversion_is_dropped_and_the_rest_is_the_hosts(void)
{
	static const uint16_t other[] = {ETH_P_8021Q, VLAN + 1}, priority[] = {ETH_P_8021Q, 0xe000};
	struct convert *skeleton = converter_new(VLAN);
	struct frame unknown = frame_of(other, 1, ETH_P_IP, 100), untagged = plain(ETH_P_IP, 100);
	struct frame urgent = frame_of(priority, 1, ETH_P_IP, 100);

	assert_equal(run(skeleton->progs.vn_conv_in, &unknown).verdict, TC_ACT_SHOT);
	assert_equal(unconverted(skeleton, CONVERT_STRAY_VLAN), 1);
	assert_equal(run(skeleton->progs.vn_conv_in, &untagged).verdict, TC_ACT_UNSPEC);
	assert_equal(run(skeleton->progs.vn_conv_in, &urgent).verdict, TC_ACT_UNSPEC);
	assert_equal(unconverted(skeleton, CONVERT_STRAY_VLAN), 1);
	convert__destroy(skeleton);
}

static void
frames_of_nobody_are_dropped_and_counted(void)
{
	static const uint32_t offsets[] = {21, 19, 15, 11}; /* I-SID twice, B-VID, B-SA */
	static const uint16_t types[] = {ETH_P_8021Q, 0x88e7};
	struct convert *skeleton = converter_new(CONVERT_WHOLE);
	struct frame frame = plain(ETH_P_IP, 100), wire, wrong;
	struct run wrapped = run(skeleton->progs.vn_conv_in, &frame);

	wire = answer(&wrapped.out);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		wrong = altered(&wire, offsets[i], 0x77);
		assert_equal(strip(skeleton, &wrong).verdict, XDP_DROP);
		assert_equal(unconverted(skeleton, CONVERT_STRAY_ISID), i + 1);
	}
	wrong = altered(&wire, 5, 0x77); /* B-DA */
	assert_equal(strip(skeleton, &wrong).verdict, XDP_DROP);
	assert_equal(count_of(skeleton).from_dropped, 1);
	assert_equal(count_of(skeleton).from_frames, 0);
	convert__destroy(skeleton);
	skeleton = converter_new(CONVERT_WHOLE);
	wrong = altered(&wire, 18, 1); /* reserved bits */
	assert_equal(strip(skeleton, &wrong).verdict, XDP_DROP);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		wrong = altered(&wire, 12, (unsigned char)(types[i] >> 8));
		wrong = altered(&wrong, 13, (unsigned char)types[i]);
		assert_equal(strip(skeleton, &wrong).verdict, XDP_DROP);
	}
	assert_equal(unconverted(skeleton, CONVERT_STRAY_MALFORMED), 3);
	convert__destroy(skeleton);
}

static void
what_is_not_mac_in_mac_is_left_to_the_host(void)
{
	static const uint16_t tags[] = {ETH_P_8021AD, B_VID};
	struct convert *skeleton = converter_new(VLAN);
	struct frame frames[] = {
	    plain(ETH_P_IP, 100), plain(ETH_P_ARP, 46), frame_of(tags, 1, ETH_P_IP, 100)};

	for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct stripped stripped = strip(skeleton, &frames[i]);

		assert_equal(stripped.verdict, XDP_PASS);
		assert_true(!stripped.has_note && is_same(&stripped.out, &frames[i]));
		assert_equal(run(skeleton->progs.vn_conv_out, &frames[i]).verdict, TC_ACT_UNSPEC);
	}
	convert__destroy(skeleton);
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Rows that are held, and a converter with devices b0, b1 (backbone) and c0, c1 (customer). */
struct book {
	struct converter converter;
	struct arena *arena;
	struct row rows[ROWS_MAX];
	size_t n_rows;
};

static void
book_open(struct book *book)
{
	static const char *const names[] = {"b0", "b1", "c0", "c1"};

	*book = (struct book){.arena = arena_new()};
	snprintf(book->converter.host, sizeof(book->converter.host), "koganei");
	for (size_t i = 0; i < 4; i++) {
		snprintf(book->converter.devices[i].name, 16, "%s", names[i]);
		book->converter.devices[i].is_backbone = i < 2;
	}
	book->converter.n_devices = 4;
}

/* Asks for a conversion c0 <-> b0, service instance 5, but for what `changes` says. */
static enum err_code
hold(struct book *book, const struct conversion_spec *changes)
{
	struct conversion_spec spec = *changes;
	auto_str struct str lines = {0}, result = {0};
	struct manager_book rows = {book->rows, book->n_rows};
	struct err err = {0};
	struct row row;

	spec.backbone = spec.backbone ? spec.backbone : "b0";
	spec.customer = spec.customer ? spec.customer : "c0";
	spec.b_da = spec.b_da ? spec.b_da : "02:bb:00:00:00:02";
	spec.b_sa = spec.b_sa ? spec.b_sa : "02:bb:00:00:00:01";
	spec.isid = spec.isid ? spec.isid : 5;
	spec.b_vid = spec.b_vid ? spec.b_vid : B_VID;
	spec_print(&conversion_spec_table, &spec, &lines);
	row = (struct row){.rid = book->n_rows + 1,
	    .owner = "snc@ctl",
	    .kind = "conversion",
	    .spec = arena_text(book->arena, str_text(&lines))};
	if (!conversion_admit(&book->converter, NULL, &row, &rows, &result, &err))
		return err.code;
	book->rows[book->n_rows++] = row;
	return ERR_NONE;
}

static void
each_instance_and_each_vlan_is_held_once(void)
{
	struct book book;

	book_open(&book);
	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 101}), ERR_NONE);

	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 102}), ERR_CONFLICT);
	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 101, .isid = 6}), ERR_CONFLICT);
	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 0, .isid = 6}), ERR_CONFLICT);
	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 102, .isid = 6}), ERR_NONE);
	assert_equal(hold(&book, &(struct conversion_spec){.vlan = 103, .b_vid = 8}), ERR_NONE);
	assert_equal(
	    hold(&book, &(struct conversion_spec){.vlan = 104, .b_da = "02:BB:00:00:00:03"}),
	    ERR_NONE);
	assert_equal(
	    hold(&book, &(struct conversion_spec){.customer = "c1", .backbone = "b1"}), ERR_NONE);
	assert_equal(hold(&book, &(struct conversion_spec){.customer = "c1", .isid = 7, .vlan = 1}),
	    ERR_CONFLICT);
	arena_free(book.arena);
}

static void
a_senseless_row_is_refused(void)
{
	static const struct {
		struct conversion_spec spec;
		enum err_code code;
	} cases[] = {
	    {{.backbone = "c0"}, ERR_NOT_FOUND},
	    {{.customer = "b0"}, ERR_NOT_FOUND},
	    {{.customer = "c9"}, ERR_NOT_FOUND},
	    {{.isid = -1}, ERR_BAD_VALUE},
	    {{.isid = 0xffffff}, ERR_BAD_VALUE},
	    {{.b_vid = 4095}, ERR_BAD_VALUE},
	    {{.vlan = 4095}, ERR_BAD_VALUE},
	    {{.vlan = -1}, ERR_BAD_VALUE},
	    {{.b_da = "03:bb:00:00:00:02"}, ERR_BAD_VALUE},
	    {{.b_sa = "02:bb:00:00:00:0g"}, ERR_BAD_VALUE},
	    {{.b_sa = "02-bb-00-00-00-01"}, ERR_BAD_VALUE},
	    {{.b_sa = "02:bb:00:00:00"}, ERR_BAD_VALUE},
	};
	struct book book;

	book_open(&book);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_equal(hold(&book, &cases[i].spec), cases[i].code);
	arena_free(book.arena);
}

static const struct test tests[] = {
    TEST(the_outer_header_is_mac_in_mac),
    TEST(frames_come_out_as_they_went_in),
    TEST(a_whole_conversion_keeps_the_tags),
    TEST(too_many_tags_and_packets_of_many_segments_are_dropped),
    TEST(a_vlan_without_conversion_is_dropped_and_the_rest_is_the_hosts),
    TEST(frames_of_nobody_are_dropped_and_counted),
    TEST(what_is_not_mac_in_mac_is_left_to_the_host),
    TEST(each_instance_and_each_vlan_is_held_once),
    TEST(a_senseless_row_is_refused),
};

suite_main("convert", tests)
