/*
 * A host with underlay ports and rows by hand, in a network namespace of its own.
 */
#include "test/support/link_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>

#include "lib/base/id.h"
#include "lib/net/neigh.h"
#include "test/support/suite.h"

enum { STEP_MS = 10, STEPS_MAX = 1000 };

static void
write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_true(file != NULL);
	fputs(text, file);
	fclose(file);
}

void
world_pair(struct link_world *world, const char *name, const char *peer)
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
void
world_open(struct link_world *world)
{
	world_open_with(world, "");
}

void
world_open_with(struct link_world *world, const char *more)
{
	auto_str struct str path = {0}, text = {0};
	auto_conf struct conf *conf = NULL;
	struct err err = {0};

	*world = (struct link_world){.arena = arena_new()};
	assert_equal(unshare(CLONE_NEWNET), 0);
	str_addf(&path, "%s/redirectord.conf", test_dir());
	str_addf(&text, "[underlay]\nu0=200Mbps\nu1=200Mbps\nloop=300Mbps\n%s", more);
	write_file(path.text, text.text);
	conf = conf_read(path.text, &err);
	assert_true(conf != NULL);
	assert_true(redirector_init(&world->redirector, conf, "koganei", &err));
	world->redirector.netlink = netlink_new(&err);
	assert_true(world->redirector.netlink != NULL);
	dataplane_fake_open(&world->redirector.dataplane);
	world_pair(world, "u0", "r0");
}

void
world_close(struct link_world *world)
{
	redirector_done(&world->redirector);
	arena_free(world->arena);
}

/* Attributes as text: shaped at rate_bps, but for what `changes` says. */
const char *
world_attr(struct link_world *world, int64_t rate_bps, const struct link_end_attr_spec *changes)
{
	struct link_end_attr_spec attr = *changes;
	auto_str struct str lines = {0};

	attr.open = attr.open ? attr.open : "on";
	attr.local = "10.65.0.1";
	attr.remote = "10.65.0.2";
	attr.next_hop = "10.64.0.9";
	attr.isolation = attr.isolation ? attr.isolation : "shaping";
	attr.rate_bps = attr.rate_bps ? attr.rate_bps : rate_bps;
	attr.ceil_bps = attr.ceil_bps ? attr.ceil_bps : attr.rate_bps;
	spec_print(&link_end_attr_spec_table, &attr, &lines);
	return arena_text(world->arena, str_text(&lines));
}

/* A row of slice s1 by u0, but for what `changes` says, shaped at what it reserves. */
struct row
world_row(
    struct link_world *world, uint64_t rid, uint64_t port, const struct link_end_spec *changes)
{
	struct link_end_spec spec = *changes;
	auto_str struct str spec_lines = {0};

	spec.link = "l1";
	spec.node = spec.node ? spec.node : "n1";
	spec.slice = spec.slice ? spec.slice : "s1";
	spec.port = arena_text(world->arena, id_text(port).text);
	if (!str_equal(spec.type, "internal")) {
		spec.underlay = spec.underlay ? spec.underlay : "u0";
		spec.key = spec.key ? spec.key : (int64_t)rid;
	}
	spec.mtu = spec.mtu ? spec.mtu : 1500;
	spec_print(&link_end_spec_table, &spec, &spec_lines);
	return (struct row){
	    .rid = rid,
	    .owner = "snc@ctl",
	    .kind = "link_end",
	    .spec = arena_text(world->arena, str_text(&spec_lines)),
	    .attr = world_attr(world, spec.rate_bps, &(struct link_end_attr_spec){0}),
	    .rev = 1,
	    .state = ROW_COMMITTED,
	};
}

/* Admits a row and, when it may be held, puts it into the book with its answer. */
enum err_code
world_admit(struct link_world *world, struct row *row, struct err *err)
{
	struct manager_book book = {0};
	auto_str struct str result = {0};
	struct row reserved = *row;
	struct err own = {0};

	err = err ? err : &own;
	reserved.attr = "";
	if (!link_admit(&world->redirector, NULL, &reserved, &book, &result, err))
		return err->code;
	row->result = arena_text(world->arena, str_text(&result));
	link_heard(&world->redirector, row);
	return ERR_NONE;
}

enum err_code
world_admit_spec(struct link_world *world, uint64_t rid, const struct link_end_spec *spec)
{
	struct row row = world_row(world, rid, 100 + rid, spec);

	return world_admit(world, &row, NULL);
}

void
world_port(struct link_world *world)
{
	world_pair(world, id_port_device(WORLD_PORT).name, "node0");
}

/* The next hop answers: as far as the kernel knows, for ever. */
void
world_next_hop(struct link_world *world)
{
	static const unsigned char mac[6] = {2, 0, 0, 0, 0, 9};
	struct err err = {0};
	struct device device;

	assert_true(device_find(world->redirector.netlink, "u0", &device, &err));
	assert_true(
	    neigh_set(world->redirector.netlink, device.index, inet_addr("10.64.0.9"), mac, &err));
}

struct row
world_admitted(struct link_world *world, const struct link_end_spec *spec)
{
	struct row row = world_row(world, 1, WORLD_PORT, spec);

	assert_equal(world_admit(world, &row, NULL), ERR_NONE);
	return row;
}

/* The link end 1, as the data plane was told. */
struct dataplane_link
world_carried(struct link_world *world)
{
	const struct dataplane_link *link = dataplane_fake_link(&world->redirector.dataplane, 1);
	struct device port = {0};
	struct err err;

	assert_true(
	    device_find(world->redirector.netlink, id_port_device(WORLD_PORT).name, &port, &err));
	assert_true(link && link->port == port.index);
	return *link;
}

bool
world_class(struct link_world *world, const char *name, uint32_t minor, struct tc_class *class)
{
	struct device device;
	struct err err;

	assert_true(device_find(world->redirector.netlink, name, &device, &err));
	return tc_class_find(world->redirector.netlink, device.index, minor, class, &err);
}

void
world_commit(struct link_world *world, struct row *row, const char *attr)
{
	row->attr = attr;
	row->rev++;
	link_heard(&world->redirector, row);
}

void
world_release(struct link_world *world, struct row *row)
{
	struct err err = {0};
	bool is_gone = false;

	row->state = ROW_RELEASED;
	row->has_effect = true;
	link_heard(&world->redirector, row);
	/* One that only receives is let go a little later. */
	for (int i = 0; !is_gone && i < STEPS_MAX; i++) {
		is_gone = link_remove(&world->redirector, row, &err);
		assert_true(is_gone || err.code == ERR_UNAVAILABLE);
		(void)poll(NULL, 0, is_gone ? 0 : STEP_MS);
	}
	assert_true(is_gone);
	row->has_effect = false;
	link_heard(&world->redirector, row);
}
