/*
 * Running BPF programs over frames.
 */
#include "test/support/programs.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <stdlib.h>
#include <string.h>

#include "redirector/entry_bpf.h"
#include "redirector/link_types.h"
#include "test/support/suite.h"

static const uint32_t here = 0x0a410001, there = 0x0a410002; /* 10.65.0.1, 10.65.0.2 */
static const unsigned char hop_mac[6] = {2, 0, 0, 0, 0, 0xfe}, own_mac[6] = {2, 0, 0, 0, 0, 1};

struct redirect *
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

/* The link end as this end has it; `is_far`: as the other end has it. */
static struct dataplane_link
link_of(const struct link_type *type, bool is_far)
{
	struct dataplane_link link = {
	    .rid = RID,
	    .port = LO,
	    .underlay = LO,
	    .type = type,
	    .end = {.id = KEY},
	    .local = htonl(is_far ? there : here),
	    .remote = htonl(is_far ? here : there),
	    .mtu = MTU,
	    .class_handle = 0x10010,
	};

	memcpy(link.next_hop, hop_mac, 6);
	memcpy(link.own, own_mac, 6);
	return link;
}

void
link_put_as(
    struct redirect *skeleton, const struct link_type *type, uint32_t flags, uint64_t police_bps)
{
	struct dataplane_link link = link_of(type, false), far = link_of(type, true);
	struct redirect_format_key format_key = entry_format_key(type, 0);
	struct redirect_format format = entry_format(type);
	struct redirect_arrival_key key = entry_arrival_key(&far, 0);
	struct redirect_departure departure;
	struct redirect_arrival arrival;
	uint32_t port = LO;

	link.is_open = far.is_open = flags & REDIRECT_OPEN;
	link.police_bps = police_bps;
	link.police_burst_bytes = MTU;
	departure = entry_departure(&link, SLOT);
	arrival = entry_arrival(&far, SLOT);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_departures, &port, sizeof(port),
			 &departure, sizeof(departure), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_formats, &format_key,
			 sizeof(format_key), &format, sizeof(format), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_arrivals, &key, sizeof(key), &arrival,
			 sizeof(arrival), 0),
	    0);
}

void
link_put(struct redirect *skeleton, uint32_t flags)
{
	link_put_as(skeleton, &link_type_gre, flags, 0);
}

struct redirect_count
counts_of(const struct bpf_map *map)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct redirect_count *each = calloc((size_t)n_cpus, sizeof(*each)), sum = {0};
	uint64_t *total = (uint64_t *)(void *)&sum;
	uint32_t slot = SLOT;

	assert_equal(
	    bpf_map__lookup_elem(map, &slot, sizeof(slot), each, (size_t)n_cpus * sizeof(*each), 0),
	    0);
	for (int i = 0; i < n_cpus; i++) {
		const uint64_t *one = (const uint64_t *)(const void *)&each[i];

		for (size_t k = 0; k < sizeof(sum) / sizeof(*total); k++)
			total[k] += one[k];
	}
	free(each);
	return sum;
}

struct redirect_count
counts(struct redirect *skeleton)
{
	return counts_of(skeleton->maps.vn_counts);
}

uint64_t
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

struct run
run_gso(struct bpf_program *program, const struct frame *frame, uint32_t gso_size)
{
	struct __sk_buff in = {.ifindex = LO, .gso_size = gso_size}, out = {0};
	struct run run = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->size,
	    .data_out = run.out.bytes, .data_size_out = FRAME_SPACE, .ctx_in = &in,
	    .ctx_size_in = sizeof(in), .ctx_out = &out, .ctx_size_out = sizeof(out));

	assert_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
	run.verdict = (int)opts.retval;
	run.priority = out.priority;
	run.out.size = opts.data_size_out;
	return run;
}

struct run
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

struct frame
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

struct frame
plain(uint16_t type, uint32_t payload)
{
	return frame_of(NULL, 0, type, payload);
}

struct frame
tcp(bool is_v6, uint32_t data)
{
	struct frame frame = plain(is_v6 ? ETH_P_IPV6 : ETH_P_IP, (is_v6 ? 40 : 20) + 20 + data);
	unsigned char *ip = frame.bytes + ETHERNET, *header = ip + (is_v6 ? 40 : 20);

	ip[0] = is_v6 ? 0x60 : 0x45;
	ip[is_v6 ? 6 : 9] = IPPROTO_TCP;
	header[12] = 5 << 4;
	return frame;
}

struct frame
altered(const struct frame *frame, uint32_t offset, unsigned char value)
{
	struct frame changed = *frame;

	changed.bytes[offset] = value;
	return changed;
}

uint16_t
sum_of(const unsigned char *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

bool
is_same(const struct frame *a, const struct frame *b)
{
	return a->size == b->size && !memcmp(a->bytes, b->bytes, a->size);
}
