/*
 * The programs of the driver `device`, run by the kernel over single frames: what is handed to the
 * tunnel device, what is dropped, what is counted. Needs the right to load BPF programs. What comes
 * by a tunnel device cannot be had without one: test/system/test_device_driver.sh.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "redirect_device.skel.h"
#include "redirector/entry_bpf.h"
#include "redirector/link_types.h"
#include "redirector/tunnels.h"
#include "test/support/programs.h"
#include "test/support/suite.h"

enum { TUNNEL = 9 };

static struct redirect_device *
device_programs(void)
{
	struct redirect_device *skeleton = redirect_device__open();
	struct bpf_map *map;

	assert_true(skeleton);
	bpf_object__for_each_map(map, skeleton->obj)
	{
		assert_equal(bpf_map__set_pin_path(map, NULL), 0);
	}
	assert_equal(redirect_device__load(skeleton), 0);
	return skeleton;
}

/* The link end RID on port LO; of the loop, its frames come in by LO, too. */
static struct dataplane_link
vxlan_link(void)
{
	return (struct dataplane_link){
	    .rid = RID,
	    .port = LO,
	    .underlay = LO,
	    .type = &link_type_vxlan,
	    .end = {.id = KEY},
	    .local = htonl(0x0a410001),
	    .remote = htonl(0x0a410002),
	    .mtu = MTU,
	    .class_handle = 0x10010,
	    .is_open = true,
	};
}

static void
put(struct redirect_device *skeleton, const struct dataplane_link *link)
{
	struct redirect_departure departure =
	    entry_tunnel_departure(link, SLOT, TUNNEL_VXLAN, link->is_loop ? LO : TUNNEL);
	struct redirect_arrival_key key = entry_tunnel_key(link, LO);
	struct redirect_arrival arrival = entry_tunnel_arrival(link, SLOT);
	uint32_t port = LO;

	assert_equal(bpf_map__update_elem(skeleton->maps.vn_departures, &port, sizeof(port),
			 &departure, sizeof(departure), 0),
	    0);
	assert_equal(bpf_map__update_elem(skeleton->maps.vn_arrivals, &key, sizeof(key), &arrival,
			 sizeof(arrival), 0),
	    0);
}

static struct redirect_count
counted(struct redirect_device *skeleton)
{
	return counts_of(skeleton->maps.vn_counts);
}

/* One run as if the frame came over the loop for this network. */
static int
arrive_by_loop(struct redirect_device *skeleton, const struct frame *frame, uint32_t id)
{
	struct __sk_buff in = {.ifindex = LO, .mark = id};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes, .data_size_in = frame->size,
	    .ctx_in = &in, .ctx_size_in = sizeof(in));
	int fd = bpf_program__fd(skeleton->progs.vn_arrive_loop);

	assert_equal(bpf_prog_test_run_opts(fd, &opts), 0);
	return (int)opts.retval;
}

static void
frames_of_any_type_are_handed_on_unchanged(void)
{
	static const uint16_t types[] = {ETH_P_IP, ETH_P_IPV6, ETH_P_ARP, 0x88b5, ETH_P_LLDP};
	static const uint16_t tags[] = {ETH_P_8021AD, 0x2064, ETH_P_8021Q, 0x0065};
	struct redirect_device *skeleton = device_programs();
	struct dataplane_link link = vxlan_link();
	struct frame tagged = frame_of(tags, 2, ETH_P_IP, 100);
	struct run result;

	put(skeleton, &link);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct frame frame = plain(types[i], 100);

		result = run(skeleton->progs.vn_depart, &frame);
		assert_equal(result.verdict, TC_ACT_REDIRECT);
		assert_equal(result.priority, 0x10010);
		assert_true(is_same(&result.out, &frame));
	}
	assert_equal(run(skeleton->progs.vn_depart, &tagged).verdict, TC_ACT_REDIRECT);
	assert_equal(counted(skeleton).tx_frames, 6);
	assert_equal(counted(skeleton).tx_bytes, 5 * 114 + 122);
	redirect_device__destroy(skeleton);
}

static void
what_may_not_go_is_counted_by_its_cause(void)
{
	static const uint16_t tags[] = {ETH_P_8021Q, 1, ETH_P_8021Q, 2, ETH_P_8021Q, 3};
	struct redirect_device *skeleton = device_programs();
	struct dataplane_link link = vxlan_link();
	struct frame large = plain(0x88b5, MTU + 1), thrice = frame_of(tags, 3, ETH_P_IP, 100);
	struct frame frame = plain(ETH_P_IP, 100);

	put(skeleton, &link);
	assert_equal(run(skeleton->progs.vn_depart, &large).verdict, TC_ACT_SHOT);
	assert_equal(run(skeleton->progs.vn_depart, &thrice).verdict, TC_ACT_SHOT);
	link.is_open = false;
	put(skeleton, &link);
	assert_equal(run(skeleton->progs.vn_depart, &frame).verdict, TC_ACT_SHOT);

	assert_equal(counted(skeleton).tx_oversize, 1);
	assert_equal(counted(skeleton).tx_unfit, 1);
	assert_equal(counted(skeleton).tx_closed, 1);
	assert_equal(counted(skeleton).tx_frames, 0);
	redirect_device__destroy(skeleton);
}

static void
a_policer_lets_a_burst_through_and_drops_the_rest(void)
{
	struct redirect_device *skeleton = device_programs();
	struct dataplane_link link = vxlan_link();
	struct frame frame = plain(0x88b5, MTU);
	int n_passed = 0;

	link.police_bps = 8000; /* a frame takes 1.5 s */
	link.police_burst_bytes = MTU;
	put(skeleton, &link);
	for (int i = 0; i < 20; i++)
		n_passed += run(skeleton->progs.vn_depart, &frame).verdict == TC_ACT_REDIRECT;

	assert_true(n_passed >= 1 && n_passed <= 3);
	assert_equal(counted(skeleton).tx_policed, 20 - (uint64_t)n_passed);
	redirect_device__destroy(skeleton);
}

static void
frames_of_a_higher_class_of_service_go_to_its_class(void)
{
	struct redirect_device *skeleton = device_programs();
	struct dataplane_link link = vxlan_link();
	struct frame plain_frame = tcp(false, 100), first;

	link.first_handle = 0x10011;
	link.first_dscp = 40;
	put(skeleton, &link);
	first = altered(&plain_frame, ETHERNET + 1, 46 << 2);

	assert_equal(run(skeleton->progs.vn_depart, &plain_frame).priority, 0x10010);
	assert_equal(run(skeleton->progs.vn_depart, &first).priority, 0x10011);
	redirect_device__destroy(skeleton);
}

static void
the_loop_hands_frames_to_the_network_of_their_mark(void)
{
	struct redirect_device *skeleton = device_programs();
	struct dataplane_link link = vxlan_link();
	struct frame frame = plain(0x88b5, 86);

	link.is_loop = true;
	put(skeleton, &link);
	assert_equal(run(skeleton->progs.vn_depart, &frame).verdict, TC_ACT_REDIRECT);
	assert_equal(arrive_by_loop(skeleton, &frame, KEY), TC_ACT_REDIRECT);
	assert_equal(arrive_by_loop(skeleton, &frame, KEY + 1), TC_ACT_SHOT);

	assert_equal(counted(skeleton).rx_frames, 1);
	assert_equal(counted(skeleton).rx_bytes, 100);
	redirect_device__destroy(skeleton);
}

static void
what_is_no_ones_is_dropped(void)
{
	struct redirect_device *skeleton = device_programs();
	struct frame frame = plain(ETH_P_IP, 100);

	assert_equal(run(skeleton->progs.vn_depart, &frame).verdict, TC_ACT_SHOT);
	assert_equal(run(skeleton->progs.vn_arrive, &frame).verdict, TC_ACT_SHOT);
	redirect_device__destroy(skeleton);
}

static void
types_without_a_tunnel_device_are_refused(void)
{
	enum tunnel_kind kind;
	struct err err = {0};

	assert_true(tunnels_kind(&link_type_vxlan, &kind, NULL));
	assert_equal(kind, TUNNEL_VXLAN);
	assert_true(tunnels_kind(&link_type_gre, &kind, NULL));
	assert_equal(kind, TUNNEL_GRETAP);
	assert_true(!tunnels_kind(&link_type_stt, &kind, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(strstr(err.text, "link type 'stt' needs the driver bpf"));
}

static void
this_kernel_does_for_the_driver_bpf(void)
{
	struct err err = {0};

	assert_true(dataplane_bpf_probe(&err));
}

static const struct test tests[] = {
    TEST(frames_of_any_type_are_handed_on_unchanged),
    TEST(what_may_not_go_is_counted_by_its_cause),
    TEST(a_policer_lets_a_burst_through_and_drops_the_rest),
    TEST(frames_of_a_higher_class_of_service_go_to_its_class),
    TEST(the_loop_hands_frames_to_the_network_of_their_mark),
    TEST(what_is_no_ones_is_dropped),
    TEST(types_without_a_tunnel_device_are_refused),
    TEST(this_kernel_does_for_the_driver_bpf),
};

suite_main("device_bpf", tests)
