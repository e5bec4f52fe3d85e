/*
 * A link end in place of another one at the same port: what the two are charged, who has the port,
 * and what remains when either goes.
 */
#include <string.h>

#include "lib/base/id.h"
#include "redirector/link_book.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

/* A row at port 101, in place of another one. */
static struct row
successor(struct link_world *world, uint64_t rid, uint64_t before, struct link_end_spec spec)
{
	spec.instead = arena_text(world->arena, id_text(before).text);
	return world_row(world, rid, 101, &spec);
}

static enum err_code
fill(struct link_world *world, uint64_t rid, int64_t rate_bps)
{
	return world_admit_spec(world, rid, &(struct link_end_spec){.rate_bps = rate_bps});
}

static void
only_the_difference_is_charged_while_both_are_there(void)
{
	struct link_world world;
	struct row first, second;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = 120 * mbps});
	assert_equal(world_admit(&world, &first, NULL), ERR_NONE);
	second = successor(&world, 2, 1, (struct link_end_spec){.rate_bps = 150 * mbps});
	assert_equal(world_admit(&world, &second, NULL), ERR_NONE);

	assert_equal(fill(&world, 3, 51 * mbps), ERR_R02);
	world_release(&world, &first);
	assert_equal(fill(&world, 3, 51 * mbps), ERR_R02);
	assert_equal(fill(&world, 3, 50 * mbps), ERR_NONE);
	world_close(&world);
}

static void
what_is_lowered_is_free_when_the_old_one_is_gone(void)
{
	struct link_world world;
	struct row first, second;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = 200 * mbps});
	assert_equal(world_admit(&world, &first, NULL), ERR_NONE);
	second = successor(&world, 2, 1, (struct link_end_spec){.rate_bps = 20 * mbps});
	assert_equal(world_admit(&world, &second, NULL), ERR_NONE);

	assert_equal(fill(&world, 3, 1 * mbps), ERR_R02);
	world_release(&world, &first);
	assert_equal(fill(&world, 3, 181 * mbps), ERR_R02);
	assert_equal(fill(&world, 3, 180 * mbps), ERR_NONE);
	world_close(&world);
}

static void
one_that_is_taken_back_leaves_the_port_to_the_old_one(void)
{
	struct link_world world;
	struct row first, second, third;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = 100 * mbps});
	assert_equal(world_admit(&world, &first, NULL), ERR_NONE);
	second = successor(&world, 2, 1, (struct link_end_spec){.rate_bps = 180 * mbps});
	assert_equal(world_admit(&world, &second, NULL), ERR_NONE);
	world_release(&world, &second);

	assert_equal(fill(&world, 3, 100 * mbps), ERR_NONE);
	third = world_row(&world, 4, 101, &(struct link_end_spec){.rate_bps = 0});
	assert_equal(world_admit(&world, &third, NULL), ERR_CONFLICT);
	world_close(&world);
}

static void
a_port_is_taken_over_only_from_the_one_that_has_it(void)
{
	struct link_end_spec other = {.slice = "s2", .rate_bps = mbps};
	struct link_world world;
	struct row first, second, third;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = mbps});
	assert_equal(world_admit(&world, &first, NULL), ERR_NONE);
	second = successor(&world, 2, 7, (struct link_end_spec){.rate_bps = mbps});
	assert_equal(world_admit(&world, &second, NULL), ERR_CONFLICT);
	third = successor(&world, 3, 1, other);
	assert_equal(world_admit(&world, &third, NULL), ERR_CONFLICT);
	world_close(&world);
}

static void
nothing_is_spared_for_the_place_of_one_at_another_port(void)
{
	struct link_world world;
	struct link_end_spec spec = {.rate_bps = 150 * mbps};
	struct row first, second;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = 120 * mbps});
	assert_equal(world_admit(&world, &first, NULL), ERR_NONE);
	spec.instead = arena_text(world.arena, id_text(1).text);
	second = world_row(&world, 2, 102, &spec);
	assert_equal(world_admit(&world, &second, NULL), ERR_R02);
	world_close(&world);
}

/* The rows are told again after a restart, in any order. */
static void
a_book_that_hears_the_new_one_first_counts_the_same(void)
{
	struct link_world world;
	struct row first, second;

	world_open(&world);
	first = world_row(&world, 1, 101, &(struct link_end_spec){.rate_bps = 120 * mbps});
	second = successor(&world, 2, 1, (struct link_end_spec){.rate_bps = 150 * mbps});
	first.result = "class=2000\nslice_class=2001\n";
	second.result = "class=2002\nslice_class=2001\n";
	link_heard(&world.redirector, &second);
	link_heard(&world.redirector, &first);

	assert_equal(fill(&world, 3, 51 * mbps), ERR_R02);
	world_release(&world, &first);
	assert_equal(fill(&world, 3, 50 * mbps), ERR_NONE);
	world_close(&world);
}

static void
one_that_only_receives_leaves_the_port_alone(void)
{
	struct link_end_attr_spec receive = {.open = "receive"};
	struct link_world world;
	struct row row;
	struct err err;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &(struct link_end_spec){.rate_bps = mbps});
	world_commit(&world, &row, world_attr(&world, mbps, &receive));
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(world_carried(&world).is_receiving);
	assert_true(world_carried(&world).is_open);
	world_commit(&world, &row, world_attr(&world, mbps, &(struct link_end_attr_spec){0}));
	assert_true(!link_is_there(&world.redirector, &row, &err));
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(!world_carried(&world).is_receiving);
	world_close(&world);
}

/* Frames that are on their way may still come; whoever removes it has other things to do. */
static void
one_that_only_receives_goes_a_little_later(void)
{
	struct link_end_attr_spec receive = {.open = "receive"};
	struct link_world world;
	struct row row;
	struct err err;

	world_open(&world);
	world_port(&world);
	world_next_hop(&world);
	row = world_admitted(&world, &(struct link_end_spec){.rate_bps = mbps});
	world_commit(&world, &row, world_attr(&world, mbps, &receive));
	assert_true(link_ensure(&world.redirector, &row, &err));
	world_release(&world, &row);
	assert_true(!dataplane_fake_link(&world.redirector.dataplane, 1));
	assert_equal(link_book_released_ms(world.redirector.book, row.rid), 0);
	world_close(&world);
}

static const struct test tests[] = {
    TEST(only_the_difference_is_charged_while_both_are_there),
    TEST(what_is_lowered_is_free_when_the_old_one_is_gone),
    TEST(one_that_is_taken_back_leaves_the_port_to_the_old_one),
    TEST(a_port_is_taken_over_only_from_the_one_that_has_it),
    TEST(nothing_is_spared_for_the_place_of_one_at_another_port),
    TEST(a_book_that_hears_the_new_one_first_counts_the_same),
    TEST(one_that_only_receives_leaves_the_port_alone),
    TEST(one_that_only_receives_goes_a_little_later),
};

suite_main("link_instead", tests)
