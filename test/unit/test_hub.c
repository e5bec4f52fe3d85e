/*
 * Hubs: what may be held, and what ensure and remove make of it. Devices are real, in a network
 * namespace of the test's own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "redirector/hub.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

enum { HUB = 60, PORT = 20 };

static void
hub_world_open(struct link_world *world)
{
	bpf_log_quietly();
	world_open(world);
}

/* A hub `rid` with n ports, the first of them number `port`. */
static struct row
row_of(struct link_world *world, uint64_t rid, uint64_t port, int n)
{
	auto_str struct str spec = {0}, attr = {0};

	str_add(&spec, "slice=s1\nlink=lan\nmtu=1500\n");
	for (int i = 0; i < n; i++) {
		str_addf(&spec, "port=%s e%d\n", id_text(port + (uint64_t)i).text, i + 1);
		str_addf(&attr, "gso=%s 3\n", id_text(port + (uint64_t)i).text);
	}
	return (struct row){
	    .rid = rid,
	    .owner = "snc@ctl",
	    .kind = "hub",
	    .spec = arena_text(world->arena, str_text(&spec)),
	    .attr = arena_text(world->arena, str_text(&attr)),
	    .rev = 1,
	    .state = ROW_COMMITTED,
	};
}

static const char *
inside(struct link_world *world, uint64_t port)
{
	return arena_format(world->arena, "vp%s", id_text(port).text);
}

static const char *
bridge_name(struct link_world *world, uint64_t rid)
{
	return arena_format(world->arena, "vb%s", id_text(rid).text);
}

static bool
has_device(struct link_world *world, const char *name)
{
	struct device device;
	struct err err;

	return device_find(world->redirector.netlink, name, &device, &err);
}

static size_t
count_devices(struct link_world *world)
{
	const struct device *devices;
	struct err err;
	size_t n;

	assert_true(device_list(world->redirector.netlink, world->arena, &devices, &n, &err));
	return n;
}

static enum err_code
admit(struct link_world *world, const struct row *row, const struct row *other)
{
	struct manager_book book = {other, other != NULL};
	auto_str struct str result = {0};
	struct err err = {0};

	return hub_admit(&world->redirector, NULL, row, &book, &result, &err) ? ERR_NONE : err.code;
}

static void
admit_refuses_what_makes_no_sense(void)
{
	struct link_world world;
	struct row good, many;
	static const char *const specs[] = {
	    "slice=s1\nmtu=1500\nport=0000000000001 e1\n",
	    "link=lan\nmtu=1500\nport=0000000000001 e1\n",
	    "slice=s1\nlink=lan\nmtu=20\nport=0000000000001 e1\n",
	    "slice=s1\nlink=lan\nmtu=65001\nport=0000000000001 e1\n",
	    "slice=s1\nlink=lan\nmtu=1500\n",
	    "slice=s1\nlink=lan\nmtu=1500\nport=xyz e1\n",
	    "slice=s1\nlink=lan\nmtu=1500\nport=0000000000001 e1\nport=0000000000001 e2\n",
	};
	static const char *const attrs[] = {
	    "gso=0000000000001 3\n", "gso=xyz 3\n", "gso=000000000000k\n", "what=3\n"};

	hub_world_open(&world);
	good = row_of(&world, HUB, PORT, 3);
	many = row_of(&world, HUB, PORT, HUB_PORTS_MAX + 1);

	assert_equal(admit(&world, &good, NULL), ERR_NONE);
	assert_equal(admit(&world, &many, NULL), ERR_BAD_VALUE);
	for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		struct row row = {.rid = HUB, .kind = "hub", .spec = specs[i], .attr = ""};

		assert_equal(admit(&world, &row, NULL), ERR_BAD_VALUE);
	}
	for (size_t i = 0; i < sizeof(attrs) / sizeof(attrs[0]); i++) {
		struct row row = good;

		row.attr = attrs[i];
		assert_equal(admit(&world, &row, NULL), ERR_BAD_VALUE);
	}
	world_close(&world);
}

static void
admit_refuses_a_port_of_another_hub(void)
{
	struct link_world world;
	struct row first, second, third;

	hub_world_open(&world);
	first = row_of(&world, HUB, PORT, 3);
	second = row_of(&world, HUB + 1, PORT + 2, 3);
	third = row_of(&world, HUB + 1, PORT + 3, 3);

	assert_equal(admit(&world, &second, &first), ERR_CONFLICT);
	assert_equal(admit(&world, &third, &first), ERR_NONE);
	assert_equal(admit(&world, &first, &first), ERR_NONE);
	world_close(&world);
}

static void
ensure_makes_a_bridge_with_its_ports_and_remove_leaves_nothing(void)
{
	struct device bridge, port, outside;
	struct link_world world;
	struct err err = {0};
	size_t n_before;
	struct row row;

	hub_world_open(&world);
	n_before = count_devices(&world);
	row = row_of(&world, HUB, PORT, 3);

	assert_true(!hub_is_there(&world.redirector, &row, &err));
	for (int i = 0; i < 2; i++)
		assert_true(hub_ensure(&world.redirector, &row, &err));
	assert_true(hub_is_there(&world.redirector, &row, &err));
	assert_equal(count_devices(&world), n_before + 7);
	assert_true(device_find(world.redirector.netlink, bridge_name(&world, HUB), &bridge, &err));
	assert_true(device_find(world.redirector.netlink, inside(&world, PORT + 2), &port, &err));
	assert_true(
	    device_find(world.redirector.netlink, id_port_device(PORT + 2).name, &outside, &err));
	assert_equal(port.master, bridge.index);
	assert_equal(outside.master, 0);
	assert_true(bridge.is_up && port.is_running && outside.is_running);
	assert_true(outside.mtu >= 1500 + 8);
	assert_true(bpf_ingress_is_closed(bridge.index) && bpf_ingress_is_closed(outside.index));
	for (int i = 0; i < 2; i++)
		assert_true(hub_remove(&world.redirector, &row, &err));
	assert_equal(count_devices(&world), n_before);
	world_close(&world);
}

static void
a_hub_may_have_as_many_ports_as_a_link_has_vports(void)
{
	struct link_world world;
	struct err err = {0};
	size_t n_before;
	struct row row;

	hub_world_open(&world);
	n_before = count_devices(&world);
	row = row_of(&world, HUB, PORT, HUB_PORTS_MAX);

	assert_true(hub_ensure(&world.redirector, &row, &err));
	assert_true(hub_is_there(&world.redirector, &row, &err));
	assert_equal(count_devices(&world), n_before + 1 + 2 * (size_t)HUB_PORTS_MAX);
	assert_true(hub_remove(&world.redirector, &row, &err));
	assert_equal(count_devices(&world), n_before);
	world_close(&world);
}

/* One part amiss at a time: is_there tells, ensure mends. */
static void
what_is_amiss_is_seen_and_mended(void)
{
	static const char *const harms[] = {
	    "ip link del vb%s",
	    "ip link set vb%s down",
	    "ip link set vb%s type bridge stp_state 1",
	    "ip link set vb%s type bridge mcast_snooping 1",
	    "ip link set vb%s type bridge ageing_time 100",
	    "ip link del vp%s",
	    "ip link set vp%s nomaster",
	    "ip link set vp%s down",
	    "ip link set vp%s mtu 600",
	    "ip link set vn%s down",
	    "ip link set vp%s type bridge_slave group_fwd_mask 0",
	};
	struct link_world world;
	struct err err = {0};
	struct row row;

	hub_world_open(&world);
	row = row_of(&world, HUB, PORT, 2);
	assert_true(hub_ensure(&world.redirector, &row, &err));
	for (size_t i = 0; i < sizeof(harms) / sizeof(harms[0]); i++) {
		bool is_bridge = strstr(harms[i], "vb") != NULL;
		char command[100];

		(void)snprintf(command, sizeof(command), "%.*s%s%s",
		    (int)(strstr(harms[i], "%s") - harms[i]), harms[i],
		    id_text(is_bridge ? HUB : PORT).text, strstr(harms[i], "%s") + 2);
		/* NOLINTNEXTLINE(cert-env33-c): somebody else's hands */
		assert_equal(system(command), 0);
		if (hub_is_there(&world.redirector, &row, &err))
			printf("\nnot seen: %s", command);
		assert_true(!hub_is_there(&world.redirector, &row, &err));
		assert_true(hub_ensure(&world.redirector, &row, &err));
		assert_true(hub_is_there(&world.redirector, &row, &err));
	}
	world_close(&world);
}

static void
a_device_of_that_name_that_is_no_bridge_is_refused(void)
{
	struct link_world world;
	struct err err = {0};
	struct row row;

	hub_world_open(&world);
	row = row_of(&world, HUB, PORT, 2);
	assert_true(
	    device_make_pair(world.redirector.netlink, bridge_name(&world, HUB), "other", &err));

	assert_true(!hub_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_CONFLICT);
	world_close(&world);
}

static void
strays_are_bridges_of_ours_and_ports_outside_of_any(void)
{
	const struct manager_object *objects;
	struct link_world world;
	struct err err = {0};
	struct device port;
	size_t n_objects;
	struct row row;

	hub_world_open(&world);
	row = row_of(&world, HUB, PORT, 2);
	assert_true(hub_ensure(&world.redirector, &row, &err));
	assert_true(device_make_pair(
	    world.redirector.netlink, inside(&world, 9), id_port_device(9).name, &err));
	assert_true(device_make_pair(world.redirector.netlink, "vbox0", "vpn0", &err));

	assert_true(hub_list(&world.redirector, world.arena, &objects, &n_objects, &err));
	assert_equal(n_objects, 2);
	for (size_t i = 0; i < n_objects; i++) {
		assert_true(objects[i].rid == HUB || objects[i].rid == 0);
		assert_true(hub_sweep(&world.redirector, &objects[i], &err));
	}
	assert_true(!has_device(&world, bridge_name(&world, HUB)));
	assert_true(!device_find(world.redirector.netlink, inside(&world, PORT), &port, &err));
	assert_true(!has_device(&world, id_port_device(9).name));
	assert_true(has_device(&world, "vbox0"));
	world_close(&world);
}

static const struct test tests[] = {
    TEST(admit_refuses_what_makes_no_sense),
    TEST(admit_refuses_a_port_of_another_hub),
    TEST(ensure_makes_a_bridge_with_its_ports_and_remove_leaves_nothing),
    TEST(a_hub_may_have_as_many_ports_as_a_link_has_vports),
    TEST(what_is_amiss_is_seen_and_mended),
    TEST(a_device_of_that_name_that_is_no_bridge_is_refused),
    TEST(strays_are_bridges_of_ours_and_ports_outside_of_any),
};

suite_main("hub", tests)
