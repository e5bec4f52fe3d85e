/*
 * Link ends: what may be held, and what ensure and remove make of it. Devices, neighbours and
 * classes are real, in a network namespace of the test's own; the data plane is the fake.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/net/neigh.h"
#include "redirector/link.h"
#include "test/support/suite.h"

enum { PORT = 5 };

static const int64_t mbps = 1000000;

/* A host with underlay ports u0 and u1, the device of one port, and rows as a book. */
struct world {
	struct redirector redirector;
	struct arena *arena;
	vec_of(struct row) rows;
};

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_true(file != NULL);
	fputs(text, file);
	fclose(file);
}

static void
make_pair(struct world *world, const char *name, const char *peer)
{
	struct err err = {0};
	struct device device;

	assert_true(device_make_pair(world->redirector.netlink, name, peer, &err));
	assert_true(device_find(world->redirector.netlink, name, &device, &err));
	assert_true(device_up(world->redirector.netlink, &device, 1600, &err));
	assert_true(device_find(world->redirector.netlink, peer, &device, &err));
	assert_true(device_up(world->redirector.netlink, &device, 1600, &err));
}

/* A namespace with nothing in it but what the test makes. */
static void
world_open(struct world *world)
{
	auto_str struct str path = {0};
	auto_conf struct conf *conf = NULL;
	struct err err = {0};

	*world = (struct world){.arena = arena_new()};
	assert_equal(unshare(CLONE_NEWNET), 0);
	str_addf(&path, "%s/redirectord.conf", test_dir());
	write_file(path.text, "[underlay]\nu0=200Mbps\nu1=200Mbps\nloop=300Mbps\n");
	conf = conf_read(path.text, &err);
	assert_true(conf != NULL);
	assert_true(redirector_init(&world->redirector, conf, "koganei", &err));
	world->redirector.netlink = netlink_new(&err);
	assert_true(world->redirector.netlink != NULL);
	dataplane_fake_open(&world->redirector.dataplane);
	make_pair(world, "u0", "r0");
}

static void
world_close(struct world *world)
{
	redirector_done(&world->redirector);
	vec_done(&world->rows);
	arena_free(world->arena);
}

/* A row with spec `u0, 100 Mbit/s of 100`, but for what `changes` says (struct copied). */
static struct row
row_of(struct world *world, uint64_t rid, uint64_t port, const struct link_end_spec *changes)
{
	struct link_end_attr_spec attr = {
	    .open = "on", .local = "10.65.0.1", .remote = "10.65.0.2", .next_hop = "10.64.0.9"};
	struct link_end_spec spec = *changes;
	auto_str struct str spec_lines = {0}, attr_lines = {0};

	spec.link = "l1";
	spec.slice = spec.slice ? spec.slice : "s1";
	spec.underlay = spec.underlay ? spec.underlay : "u0";
	spec.isolation = spec.isolation ? spec.isolation : "shaping";
	spec.port = arena_text(world->arena, id_text(port).text);
	spec.key = spec.key ? spec.key : (int64_t)rid;
	spec.mtu = spec.mtu ? spec.mtu : 1500;
	spec.ceil_bps = spec.ceil_bps ? spec.ceil_bps : spec.rate_bps;
	spec_print(&link_end_spec_table, &spec, &spec_lines);
	spec_print(&link_end_attr_spec_table, &attr, &attr_lines);
	return (struct row){
	    .rid = rid,
	    .owner = "snc@ctl",
	    .kind = "link_end",
	    .spec = arena_text(world->arena, str_text(&spec_lines)),
	    .attr = arena_text(world->arena, str_text(&attr_lines)),
	    .rev = 1,
	    .state = ROW_COMMITTED,
	};
}

/* Admits a row and, when it may be held, puts it into the book with its answer. */
static enum err_code
admit(struct world *world, struct row *row, struct err *err)
{
	struct manager_book book = {world->rows.items, world->rows.n};
	auto_str struct str result = {0};
	struct err own = {0};

	err = err ? err : &own;
	if (!link_admit(&world->redirector, NULL, row, &book, &result, err))
		return err->code;
	row->result = arena_text(world->arena, str_text(&result));
	vec_push(&world->rows, *row);
	return ERR_NONE;
}

static enum err_code
admit_spec(struct world *world, uint64_t rid, const struct link_end_spec *spec)
{
	struct row row = row_of(world, rid, 100 + rid, spec);

	return admit(world, &row, NULL);
}

/* ---- admit ----------------------------------------------------------------------------------- */

static void
admit_fills_a_port_to_its_rate_and_no_further(void)
{
	struct link_end_spec most = {.rate_bps = 150 * mbps}, rest = {.rate_bps = 50 * mbps};
	struct link_end_spec more = {.rate_bps = 1 * mbps}, elsewhere = more;
	struct err err = {0};
	struct world world;
	struct row row;

	world_open(&world);
	elsewhere.underlay = "u1";
	row = row_of(&world, 3, 103, &more);

	assert_equal(admit_spec(&world, 1, &most), ERR_NONE);
	assert_equal(admit_spec(&world, 2, &rest), ERR_NONE);
	assert_equal(admit(&world, &row, &err), ERR_R02);
	assert_text(err.text, "port 'u0' of koganei: 1 Mbps wanted, 0 bps of 200 Mbps left");
	assert_equal(admit_spec(&world, 4, &elsewhere), ERR_NONE);
	world_close(&world);
}

static void
admit_takes_best_effort_on_a_full_port(void)
{
	struct link_end_spec full = {.rate_bps = 200 * mbps};
	struct link_end_spec rest = {.ceil_bps = 200 * mbps, .isolation = "besteffort"};
	struct world world;

	world_open(&world);

	assert_equal(admit_spec(&world, 1, &full), ERR_NONE);
	assert_equal(admit_spec(&world, 2, &rest), ERR_NONE);
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
	    {{.rate_bps = 1000, .ceil_bps = 999}, ERR_BAD_VALUE},
	    {{.rate_bps = -1, .ceil_bps = 1000}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .key = -1}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .key = 4294967296}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .isolation = "policing"}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .isolation = "besteffort"}, ERR_BAD_VALUE},
	    {{.rate_bps = 1000, .burst_bytes = -1}, ERR_BAD_VALUE},
	};
	struct world world;

	world_open(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_equal(admit_spec(&world, 1, &cases[i].spec), cases[i].code);
	world_close(&world);
}

static void
admit_refuses_a_key_and_a_port_in_use(void)
{
	struct link_end_spec first = {.rate_bps = mbps, .key = 77}, second = first;
	struct world world;
	struct row row;

	world_open(&world);
	assert_equal(admit_spec(&world, 1, &first), ERR_NONE);

	assert_equal(admit_spec(&world, 2, &second), ERR_R04);
	second.underlay = "u1";
	assert_equal(admit_spec(&world, 2, &second), ERR_NONE);
	second.key = 78;
	row = row_of(&world, 3, 101, &second);
	assert_equal(admit(&world, &row, NULL), ERR_CONFLICT);
	world_close(&world);
}

static void
classes_are_shared_by_a_slice_and_by_nobody_else(void)
{
	struct link_end_spec spec = {.rate_bps = mbps}, other = {.rate_bps = mbps, .slice = "s2"};
	struct world world;

	world_open(&world);

	assert_equal(admit_spec(&world, 1, &spec), ERR_NONE);
	assert_equal(admit_spec(&world, 2, &spec), ERR_NONE);
	assert_equal(admit_spec(&world, 3, &other), ERR_NONE);
	assert_text(world.rows.items[0].result, "class=17\nslice_class=16\n");
	assert_text(world.rows.items[1].result, "class=18\nslice_class=16\n");
	assert_text(world.rows.items[2].result, "class=20\nslice_class=19\n");
	world.rows.items[0] = world.rows.items[--world.rows.n];
	assert_equal(admit_spec(&world, 4, &spec), ERR_NONE);
	assert_text(world.rows.items[2].result, "class=17\nslice_class=16\n");
	world_close(&world);
}

/* ---- ensure, remove -------------------------------------------------------------------------- */

static void
add_port(struct world *world)
{
	make_pair(world, id_port_device(PORT).name, "node0");
}

/* The next hop answers: as far as the kernel knows, for ever. */
static void
add_next_hop(struct world *world)
{
	static const unsigned char mac[6] = {2, 0, 0, 0, 0, 9};
	struct err err = {0};
	struct device device;

	assert_true(device_find(world->redirector.netlink, "u0", &device, &err));
	assert_true(
	    neigh_set(world->redirector.netlink, device.index, inet_addr("10.64.0.9"), mac, &err));
}

static struct row
admitted(struct world *world, const struct link_end_spec *spec)
{
	struct row row = row_of(world, 1, PORT, spec);

	assert_equal(admit(world, &row, NULL), ERR_NONE);
	return row;
}

/* The link end 1, as the data plane was told. */
static struct dataplane_link
carried(struct world *world)
{
	const struct dataplane *dataplane = &world->redirector.dataplane;
	struct dataplane_link link = {0};
	struct device port = {0};
	struct err err;

	assert_true(device_find(world->redirector.netlink, id_port_device(PORT).name, &port, &err));
	assert_true(dataplane->ops->get(dataplane->self, 1, port.index, &link, &err));
	return link;
}

static bool
class_find(struct world *world, const char *name, uint32_t minor, struct tc_class *class)
{
	struct device device;
	struct err err;

	assert_true(device_find(world->redirector.netlink, name, &device, &err));
	return tc_class_find(world->redirector.netlink, device.index, minor, class, &err);
}

static void
ensure_waits_for_device_and_next_hop(void)
{
	struct link_end_spec spec = {.rate_bps = 80 * mbps};
	struct err err = {0};
	struct world world;
	struct row row, closed;

	world_open(&world);
	row = admitted(&world, &spec);

	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	closed = row;
	closed.attr = "open=off\n";
	assert_true(link_ensure(&world.redirector, &closed, &err));
	add_port(&world);
	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_true(!link_is_there(&world.redirector, &row, &err));
	add_next_hop(&world);
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(link_is_there(&world.redirector, &row, &err));
	world_close(&world);
}

static void
ensure_makes_what_the_row_says(void)
{
	struct link_end_spec spec = {.rate_bps = 80 * mbps, .ceil_bps = 100 * mbps};
	struct dataplane_link link;
	struct device underlay;
	struct tc_class class;
	struct err err = {0};
	struct world world;
	struct row row;

	world_open(&world);
	add_port(&world);
	add_next_hop(&world);
	row = admitted(&world, &spec);
	assert_true(link_ensure(&world.redirector, &row, &err));

	link = carried(&world);
	assert_true(device_find(world.redirector.netlink, "u0", &underlay, &err));
	assert_equal(link.underlay, underlay.index);
	assert_equal(link.local, inet_addr("10.65.0.1"));
	assert_equal(link.remote, inet_addr("10.65.0.2"));
	assert_equal(link.key, htonl(1));
	assert_equal(link.class_handle, 0x10011);
	assert_equal(link.next_hop[5], 9);
	assert_equal(memcmp(link.own, underlay.mac, 6), 0);
	assert_true(link.is_open);
	assert_true(class_find(&world, "u0", 17, &class));
	assert_equal((int64_t) class.rate_bps, 80 * mbps);
	assert_equal((int64_t) class.ceil_bps, 100 * mbps);
	assert_equal((int64_t) class.parent_minor, 16);
	world_close(&world);
}

static void
a_slices_class_has_the_sum_of_its_links(void)
{
	struct link_end_spec spec = {.rate_bps = 30 * mbps};
	struct err err = {0};
	struct tc_class class;
	struct world world;
	struct row first, second;

	world_open(&world);
	add_port(&world);
	add_next_hop(&world);
	make_pair(&world, id_port_device(102).name, "node2");
	first = admitted(&world, &spec);
	second = row_of(&world, 2, 102, &spec);
	assert_equal(admit(&world, &second, NULL), ERR_NONE);

	assert_true(link_ensure(&world.redirector, &first, &err));
	assert_true(link_ensure(&world.redirector, &second, &err));
	assert_true(class_find(&world, "u0", 16, &class));
	assert_equal((int64_t) class.rate_bps, 60 * mbps);
	assert_equal((int64_t) class.ceil_bps, 200 * mbps);
	assert_true(link_remove(&world.redirector, &first, &err));
	assert_true(class_find(&world, "u0", 16, &class));
	assert_equal((int64_t) class.rate_bps, 30 * mbps);
	assert_true(link_remove(&world.redirector, &second, &err));
	assert_true(link_remove(&world.redirector, &second, &err));
	assert_true(!class_find(&world, "u0", 16, &class));
	assert_true(class_find(&world, "u0", 1, &class));
	world_close(&world);
}

static void
an_underlay_too_narrow_for_the_mtu_is_refused(void)
{
	struct link_end_spec spec = {.rate_bps = mbps, .mtu = 1559};
	struct err err = {0};
	struct world world;
	struct row row;

	world_open(&world);
	add_port(&world);
	add_next_hop(&world);
	row = admitted(&world, &spec);

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
	struct world world;
	struct row row;

	world_open(&world);
	add_port(&world);
	row = admitted(&world, &spec);
	row.attr = "open=on\n";

	assert_true(link_ensure(&world.redirector, &row, &err));
	link = carried(&world);
	assert_true(device_find(world.redirector.netlink, "vnloop0", &loop0, &err));
	assert_true(device_find(world.redirector.netlink, "vnloop1", &loop1, &err));
	assert_equal(link.underlay, loop1.index);
	assert_equal(memcmp(link.next_hop, loop0.mac, 6), 0);
	assert_equal(memcmp(link.own, loop1.mac, 6), 0);
	assert_true(link.local != link.remote);
	assert_true(class_find(&world, "vnloop1", 17, &class));
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
	struct world world;
	size_t n_objects;
	struct row row;

	world_open(&world);
	add_port(&world);
	add_next_hop(&world);
	row = admitted(&world, &spec);
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

static void
a_leaf_is_shaped_by_the_rules_of_the_house(void)
{
	struct shaper_link slow = {
	    .class = 17, .slice_class = 16, .rate_bps = 2 * mbps, .ceil_bps = 2 * mbps};
	struct shaper_link fast = slow, spare = slow;

	fast.rate_bps = fast.ceil_bps = 1000 * mbps;
	spare.rate_bps = 0;
	spare.burst_bytes = 9000;

	assert_equal(shaper_leaf(&slow).burst_bytes, 12500);
	assert_equal(shaper_queue_bytes(&slow), 12000);
	assert_equal(shaper_leaf(&fast).burst_bytes, 6250000);
	assert_equal(shaper_leaf(&fast).quantum_bytes, 60000);
	assert_equal(shaper_queue_bytes(&fast), 3750000);
	assert_true(shaper_leaf(&spare).rate_bps > 0);
	assert_equal(shaper_leaf(&spare).burst_bytes, 9000);
	assert_equal((int64_t)shaper_leaf(&spare).ceil_bps, 2 * mbps);
}

static const struct test tests[] = {
    TEST(admit_fills_a_port_to_its_rate_and_no_further),
    TEST(admit_takes_best_effort_on_a_full_port),
    TEST(admit_refuses_what_makes_no_sense),
    TEST(admit_refuses_a_key_and_a_port_in_use),
    TEST(classes_are_shared_by_a_slice_and_by_nobody_else),
    TEST(ensure_waits_for_device_and_next_hop),
    TEST(ensure_makes_what_the_row_says),
    TEST(a_slices_class_has_the_sum_of_its_links),
    TEST(an_underlay_too_narrow_for_the_mtu_is_refused),
    TEST(the_loop_needs_no_addresses),
    TEST(only_what_no_link_end_uses_is_a_stray),
    TEST(a_leaf_is_shaped_by_the_rules_of_the_house),
};

suite_main("link_end", tests)
