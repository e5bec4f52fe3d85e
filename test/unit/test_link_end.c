/*
 * Link ends: what may be held, and what ensure and remove make of it. Devices, neighbours and
 * classes are real, in a network namespace of the test's own; the data plane is the fake.
 */
#include <arpa/inet.h>
#include <string.h>

#include "lib/base/id.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

/* ---- admit ----------------------------------------------------------------------------------- */

static void
admit_fills_a_port_to_its_rate_and_no_further(void)
{
	struct link_end_spec most = {.rate_bps = 150 * mbps}, rest = {.rate_bps = 50 * mbps};
	struct link_end_spec more = {.rate_bps = 1 * mbps}, elsewhere = more;
	struct err err = {0};
	struct link_world world;
	struct row row;

	world_open(&world);
	elsewhere.underlay = "u1";
	row = world_row(&world, 3, 103, &more);

	assert_equal(world_admit_spec(&world, 1, &most), ERR_NONE);
	assert_equal(world_admit_spec(&world, 2, &rest), ERR_NONE);
	assert_equal(world_admit(&world, &row, &err), ERR_R02);
	assert_text(err.text, "port 'u0' of koganei: 1 Mbps wanted, 0 bps of 200 Mbps left");
	assert_equal(world_admit_spec(&world, 4, &elsewhere), ERR_NONE);
	world_close(&world);
}

static void
admit_takes_what_reserves_nothing_on_a_full_port(void)
{
	struct link_end_spec full = {.rate_bps = 200 * mbps}, rest = {.queue = "none"};
	struct link_world world;

	world_open(&world);

	assert_equal(world_admit_spec(&world, 1, &full), ERR_NONE);
	assert_equal(world_admit_spec(&world, 2, &rest), ERR_NONE);
	world_close(&world);
}

static void
admit_refuses_what_makes_no_sense(void)
{
	static const struct {
		struct link_end_spec spec;
		enum err_code code;
	} cases[] = {
	    {{.rate_bps = 1000, .underlay = "u7"}, ERR_NOT_FOUND},
	    {{.rate_bps = 1000, .mtu = 67}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .mtu = 65001}, ERR_BAD_VALUE},
	    {{.rate_bps = -1}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .key = -1}, ERR_S08},
	    {{.rate_bps = 1000, .key = 4294967296}, ERR_S08},
	    {{.rate_bps = 1000, .queue = "some"}, ERR_BAD_VALUE},
	};
	struct link_world world;

	world_open(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_equal(world_admit_spec(&world, 1, &cases[i].spec), cases[i].code);
	world_close(&world);
}

static void
admit_refuses_a_key_and_a_port_in_use(void)
{
	struct link_end_spec first = {.rate_bps = mbps, .key = 77}, second = first;
	struct link_world world;
	struct row row;

	world_open(&world);
	assert_equal(world_admit_spec(&world, 1, &first), ERR_NONE);

	assert_equal(world_admit_spec(&world, 2, &second), ERR_R04);
	second.underlay = "u1";
	assert_equal(world_admit_spec(&world, 2, &second), ERR_NONE);
	second.key = 78;
	row = world_row(&world, 3, 101, &second);
	assert_equal(world_admit(&world, &row, NULL), ERR_CONFLICT);
	world_close(&world);
}

/* The upper 24 bits of a GRE key are where NVGRE has its id. */
static void
admit_refuses_ids_that_types_cannot_tell_apart(void)
{
	struct link_end_spec gre = {.key = 0x12345678}, nvgre = {.type = "nvgre", .key = 0x123456};
	struct link_end_spec vxlan = {.type = "vxlan", .key = 0x123456};
	struct link_world world;
	struct err err = {0};
	struct row row;

	world_open(&world);
	assert_equal(world_admit_spec(&world, 1, &gre), ERR_NONE);
	assert_equal(world_admit_spec(&world, 2, &vxlan), ERR_NONE);

	row = world_row(&world, 3, 103, &nvgre);
	assert_equal(world_admit(&world, &row, &err), ERR_R04);
	assert_text(err.text, "key 1193046 of type 'nvgre' cannot be told from key 305419896 "
			      "of type 'gre' on port 'u0'");
	nvgre.underlay = "u1";
	assert_equal(world_admit_spec(&world, 3, &nvgre), ERR_NONE);
	nvgre.underlay = "u0";
	nvgre.key = 0x123457;
	assert_equal(world_admit_spec(&world, 4, &nvgre), ERR_NONE);
	gre.key = 0x123457ff;
	assert_equal(world_admit_spec(&world, 5, &gre), ERR_R04);
	gre.key = 0x12345800;
	assert_equal(world_admit_spec(&world, 5, &gre), ERR_NONE);
	world_close(&world);
}

static void
classes_are_shared_by_a_slice_and_by_nobody_else(void)
{
	static const struct link_end_spec spec = {.rate_bps = 1000000};
	struct link_end_spec other = {.rate_bps = mbps, .slice = "s2"};
	struct link_world world;
	struct row rows[4];

	world_open(&world);
	for (uint64_t i = 0; i < 4; i++)
		rows[i] = world_row(&world, i + 1, 101 + i, i == 2 ? &other : &spec);

	for (size_t i = 0; i < 3; i++)
		assert_equal(world_admit(&world, &rows[i], NULL), ERR_NONE);
	assert_text(rows[0].result, "class=17\nslice_class=16\n");
	assert_text(rows[1].result, "class=18\nslice_class=16\n");
	assert_text(rows[2].result, "class=20\nslice_class=19\n");
	world_release(&world, &rows[0]);
	assert_equal(world_admit(&world, &rows[3], NULL), ERR_NONE);
	assert_text(rows[3].result, "class=17\nslice_class=16\n");
	world_close(&world);
}

static void
what_was_admitted_and_never_stored_goes_back(void)
{
	struct link_end_spec all = {.rate_bps = 200 * mbps};
	auto_str struct str result = {0};
	struct manager_book none = {0}, book;
	struct link_world world;
	struct row lost, next;
	struct err err = {0};

	world_open(&world);
	lost = world_row(&world, 1, 101, &all);
	next = world_row(&world, 2, 102, &all);
	lost.attr = next.attr = "";
	book = (struct manager_book){&lost, 1};

	assert_true(link_admit(&world.redirector, NULL, &lost, &none, &result, &err));
	assert_true(!link_admit(&world.redirector, NULL, &next, &book, &result, &err));
	assert_equal(err.code, ERR_R02);
	assert_true(link_admit(&world.redirector, NULL, &next, &none, &result, &err));
	world_close(&world);
}

/* ---- ensure, remove -------------------------------------------------------------------------- */

static void
ensure_waits_for_device_and_next_hop(void)
{
	struct link_end_spec spec = {.rate_bps = 80 * mbps};
	struct err err = {0};
	struct link_world world;
	struct row row, closed;

	world_open(&world);
	row = world_admitted(&world, &spec);

	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	closed = row;
	closed.attr =
	    world_attr(&world, spec.rate_bps, &(struct link_end_attr_spec){.open = "off"});
	assert_true(link_ensure(&world.redirector, &closed, &err));
	world_port(&world);
	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_true(!link_is_there(&world.redirector, &row, &err));
	world_next_hop(&world);
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(link_is_there(&world.redirector, &row, &err));
	world_close(&world);
}

static void
ensure_makes_what_the_row_says(void)
{
	struct link_end_attr_spec attr = {.ceil_bps = 100 * mbps};
	struct link_end_spec spec = {.rate_bps = 80 * mbps};
	struct dataplane_link link;
	struct device underlay;
	struct tc_class class;
	struct err err = {0};
	struct link_world world;
	struct row row;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &spec);
	world_commit(&world, &row, world_attr(&world, 80 * mbps, &attr));
	assert_true(link_ensure(&world.redirector, &row, &err));

	link = world_carried(&world);
	assert_true(device_find(world.redirector.netlink, "u0", &underlay, &err));
	assert_equal(link.underlay, underlay.index);
	assert_equal(link.local, inet_addr("10.65.0.1"));
	assert_equal(link.remote, inet_addr("10.65.0.2"));
	assert_equal((int64_t)link.end.id, 1);
	assert_equal(link.class_handle, 0x10011);
	assert_equal(link.next_hop[5], 9);
	assert_equal(memcmp(link.own, underlay.mac, 6), 0);
	assert_true(link.is_open);
	assert_true(world_class(&world, "u0", 17, &class));
	assert_equal((int64_t) class.rate_bps, 80 * mbps);
	assert_equal((int64_t) class.ceil_bps, 100 * mbps);
	assert_equal((int64_t) class.parent_minor, 16);
	world_close(&world);
}

static void
attributes_that_make_no_sense_change_nothing(void)
{
	static const struct link_end_attr_spec cases[] = {
	    {.rate_bps = 81000000},
	    {.rate_bps = 1000, .ceil_bps = 999},
	    {.rate_bps = -1, .ceil_bps = 1000},
	    {.burst_bytes = -1},
	    {.priority = 8},
	    {.isolation = "fair"},
	    {.isolation = "besteffort"},
	};
	struct link_end_spec spec = {.rate_bps = 80 * mbps};
	struct tc_class class;
	struct err err = {0};
	struct link_world world;
	struct row row;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &spec);
	assert_true(link_ensure(&world.redirector, &row, &err));

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_commit(&world, &row, world_attr(&world, 80 * mbps, &cases[i]));
		assert_true(!link_ensure(&world.redirector, &row, &err));
		assert_equal(err.code, ERR_BAD_VALUE);
	}
	assert_true(world_class(&world, "u0", 17, &class));
	assert_equal((int64_t) class.rate_bps, 80 * mbps);
	world_close(&world);
}

static void
a_slices_class_has_the_sum_of_its_links(void)
{
	struct link_end_spec spec = {.rate_bps = 30 * mbps};
	struct err err = {0};
	struct tc_class class;
	struct link_world world;
	struct row first, second;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	world_pair(&world, id_port_device(102).name, "node2");
	first = world_admitted(&world, &spec);
	second = world_row(&world, 2, 102, &spec);
	assert_equal(world_admit(&world, &second, NULL), ERR_NONE);

	assert_true(link_ensure(&world.redirector, &first, &err));
	assert_true(link_ensure(&world.redirector, &second, &err));
	assert_true(world_class(&world, "u0", 16, &class));
	assert_equal((int64_t) class.rate_bps, 60 * mbps);
	assert_equal((int64_t) class.ceil_bps, 200 * mbps);
	world_release(&world, &first);
	assert_true(world_class(&world, "u0", 16, &class));
	assert_equal((int64_t) class.rate_bps, 30 * mbps);
	world_release(&world, &second);
	assert_true(link_remove(&world.redirector, &second, &err));
	assert_true(!world_class(&world, "u0", 16, &class));
	assert_true(world_class(&world, "u0", 1, &class));
	world_close(&world);
}

static void
an_underlay_too_narrow_for_the_mtu_is_refused(void)
{
	struct link_end_spec spec = {.rate_bps = mbps, .mtu = 1559};
	struct err err = {0};
	struct link_world world;
	struct row row;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &spec);

	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	world_close(&world);
}

static void
the_loop_needs_no_addresses(void)
{
	struct link_end_spec spec = {.rate_bps = 30 * mbps, .underlay = "loop1"};
	struct device loop0, loop1;
	struct dataplane_link link;
	struct err err = {0};
	struct tc_class class;
	struct link_world world;
	struct row row;

	world_open(&world);
	world_port(&world);
	row = world_admitted(&world, &spec);
	row.attr = "open=on\nrate_bps=30000000\nceil_bps=30000000\nburst_bytes=0\n"
		   "isolation=shaping\npriority=0\n";

	assert_true(link_ensure(&world.redirector, &row, &err));
	link = world_carried(&world);
	assert_true(device_find(world.redirector.netlink, "vnloop0", &loop0, &err));
	assert_true(device_find(world.redirector.netlink, "vnloop1", &loop1, &err));
	assert_equal(link.underlay, loop1.index);
	assert_equal(memcmp(link.next_hop, loop0.mac, 6), 0);
	assert_equal(memcmp(link.own, loop1.mac, 6), 0);
	assert_true(link.local != link.remote);
	assert_true(world_class(&world, "vnloop1", 17, &class));
	world_close(&world);
}

static void
only_what_no_link_end_uses_is_a_stray(void)
{
	struct link_end_spec spec = {.rate_bps = 30 * mbps};
	struct tc_class stray = {
	    .minor = 99, .parent_minor = 1, .rate_bps = 8000, .ceil_bps = 8000};
	const struct manager_object *objects;
	struct device underlay;
	struct err err = {0};
	struct link_world world;
	size_t n_objects;
	struct row row;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &spec);
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(device_find(world.redirector.netlink, "u0", &underlay, &err));
	assert_true(tc_class_put(world.redirector.netlink, underlay.index, &stray, &err));

	assert_true(link_list(&world.redirector, world.arena, &objects, &n_objects, &err));
	assert_equal(n_objects, 2);
	assert_equal(objects[0].rid, 1);
	assert_equal(objects[1].rid, 0);
	assert_text(objects[1].name, "class 99 of u0");
	assert_true(link_sweep(&world.redirector, &objects[1], &err));
	assert_true(link_list(&world.redirector, world.arena, &objects, &n_objects, &err));
	assert_equal(n_objects, 1);
	world_close(&world);
}

static const struct test tests[] = {
    TEST(admit_fills_a_port_to_its_rate_and_no_further),
    TEST(admit_takes_what_reserves_nothing_on_a_full_port),
    TEST(admit_refuses_what_makes_no_sense),
    TEST(admit_refuses_a_key_and_a_port_in_use),
    TEST(admit_refuses_ids_that_types_cannot_tell_apart),
    TEST(classes_are_shared_by_a_slice_and_by_nobody_else),
    TEST(what_was_admitted_and_never_stored_goes_back),
    TEST(ensure_waits_for_device_and_next_hop),
    TEST(ensure_makes_what_the_row_says),
    TEST(attributes_that_make_no_sense_change_nothing),
    TEST(a_slices_class_has_the_sum_of_its_links),
    TEST(an_underlay_too_narrow_for_the_mtu_is_refused),
    TEST(the_loop_needs_no_addresses),
    TEST(only_what_no_link_end_uses_is_a_stray),
};

suite_main("link_end", tests)
