/*
 * Link ends of type internal: what may be held, and what the data plane is told. Devices are real,
 * in a network namespace of the test's own; the data plane is the fake.
 */
#include "lib/base/id.h"
#include "redirector/link_book.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

/* A spec of an end whose peer is that port. */
static struct link_end_spec
internal_to(struct link_world *world, uint64_t peer)
{
	return (struct link_end_spec){
	    .type = "internal", .peer = arena_text(world->arena, id_text(peer).text)};
}

static void
an_internal_end_leads_to_its_peers_device(void)
{
	struct link_end_attr_spec ceiling = {.ceil_bps = 5 * mbps}, closed = {.open = "off"};
	struct dataplane_link link;
	struct link_end_spec spec;
	struct err err = {0};
	struct link_world world;
	struct device peer;
	struct row row;
	uint64_t rids[LINK_BOOK_AT_PORT];

	world_open(&world);
	world_port(&world);
	spec = internal_to(&world, 6);
	row = world_admitted(&world, &spec);
	assert_text(row.result, "class=none\n");
	world_commit(&world, &row, world_attr(&world, 6 * mbps, &ceiling));
	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	world_commit(&world, &row, world_attr(&world, 0, &ceiling));
	assert_equal(link_book_at_port(world.redirector.book, 6, rids), 0);
	assert_equal(link_book_at_port(world.redirector.book, WORLD_PORT, rids), 1);
	assert_equal(rids[0], row.rid);

	assert_true(!link_ensure(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	world_pair(&world, id_port_device(6).name, "node1");
	assert_true(device_find(world.redirector.netlink, id_port_device(6).name, &peer, &err));
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(link_is_there(&world.redirector, &row, &err));
	link = world_carried(&world);
	assert_true(!link.type && link.is_open);
	assert_equal(link.underlay, peer.index);
	assert_equal((int64_t)link.police_ceil_bps, 5000000);
	assert_true(link.excess_handle && link.police_burst_bytes);
	world_commit(&world, &row, world_attr(&world, 0, &closed));
	assert_true(!link_is_there(&world.redirector, &row, &err));
	assert_true(link_ensure(&world.redirector, &row, &err));
	link = world_carried(&world);
	assert_true(!link.is_open && !link.police_ceil_bps);
	assert_true(!world_class(&world, "u0", 1, &(struct tc_class){0}));
	world_release(&world, &row);
	assert_true(!dataplane_fake_link(&world.redirector.dataplane, 1));
	world_close(&world);
}

static void
an_internal_end_books_nothing_but_its_port(void)
{
	struct link_end_spec full = {.rate_bps = 200 * mbps}, spec, back, stranger;
	struct link_world world;
	struct row row;

	world_open(&world);
	assert_equal(world_admit_spec(&world, 1, &full), ERR_NONE);
	spec = internal_to(&world, 103);
	spec.rate_bps = 900 * mbps;
	back = internal_to(&world, 102);
	stranger = internal_to(&world, 101);

	assert_equal(world_admit_spec(&world, 2, &spec), ERR_NONE);
	row = world_row(&world, 4, 102, &spec);
	assert_equal(world_admit(&world, &row, NULL), ERR_CONFLICT);
	row = world_row(&world, 4, 104, &back);
	assert_equal(world_admit(&world, &row, NULL), ERR_CONFLICT);
	row = world_row(&world, 4, 104, &stranger);
	assert_equal(world_admit(&world, &row, NULL), ERR_CONFLICT);
	back.slice = "s2";
	assert_equal(world_admit_spec(&world, 3, &back), ERR_CONFLICT);
	back.slice = NULL;
	assert_equal(world_admit_spec(&world, 3, &back), ERR_NONE);
	world_close(&world);
}

static void
an_internal_end_has_nothing_of_a_path(void)
{
	const struct link_end_spec cases[] = {
	    {.type = "internal"},
	    {.type = "internal", .peer = "nobody"},
	    {.type = "internal", .peer = "00000000006G0"},
	    {.underlay = "u0"},
	    {.key = 7},
	    {.config = {(const char *const[]){"ttl 9"}, 1}},
	    {.type = "gre"},
	};
	struct link_end_spec own;
	struct link_world world;
	struct row row;

	world_open(&world);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link_end_spec spec = cases[i];

		if (i >= 3)
			spec.peer = internal_to(&world, 7).peer;
		spec.type = spec.type ? spec.type : "internal";
		assert_equal(world_admit_spec(&world, 1, &spec), ERR_BAD_VALUE);
	}
	own = internal_to(&world, 101);
	row = world_row(&world, 1, 101, &own);
	assert_equal(world_admit(&world, &row, NULL), ERR_BAD_VALUE);
	world_close(&world);
}

static const struct test tests[] = {
    TEST(an_internal_end_leads_to_its_peers_device),
    TEST(an_internal_end_books_nothing_but_its_port),
    TEST(an_internal_end_has_nothing_of_a_path),
};

suite_main("link_internal", tests)
