/*
 * Looking at link ends: the picture of the kernel that rows share, and what is told of what is
 * found amiss.
 */
#include "redirector/kernel_view.h"

#include <poll.h>

#include "lib/base/clock.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

/* A world with a picture, its link end 1 as it should be. */
static struct row
settled(struct link_world *world)
{
	struct link_end_spec spec = {.rate_bps = 80 * mbps};
	struct err err = {0};
	struct row row;

	world_open(world);
	world->redirector.view = kernel_view_new(world->redirector.netlink);
	row = world_admitted(world, &spec);
	world_port(world);
	world_next_hop(world);
	kernel_view_stale(world->redirector.view);
	assert_true(link_ensure(&world->redirector, &row, &err));
	assert_true(link_is_there(&world->redirector, &row, &err));
	return row;
}

static bool
sees(struct link_world *world, const char *name)
{
	struct device device;
	struct err err;

	return kernel_device(
	    world->redirector.view, world->redirector.netlink, name, &device, &err);
}

static uint32_t
index_of(struct link_world *world, const char *name)
{
	struct device device = {0};
	struct err err;

	assert_true(device_find(world->redirector.netlink, name, &device, &err));
	return device.index;
}

static void
without_a_picture_the_kernel_is_asked(void)
{
	struct link_world world;
	struct device device;
	struct err err;

	world_open(&world);
	assert_true(kernel_device(NULL, world.redirector.netlink, "u0", &device, &err));
	assert_text(device.name, "u0");
	assert_true(!kernel_device(NULL, world.redirector.netlink, "u9", &device, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	world_close(&world);
}

static void
devices_are_listed_anew_when_they_have_changed(void)
{
	struct link_world world;

	world_open(&world);
	world.redirector.view = kernel_view_new(world.redirector.netlink);
	assert_true(sees(&world, "u0"));
	assert_true(!sees(&world, "u1"));
	world_pair(&world, "u1", "r1");
	kernel_view_stale(world.redirector.view);

	assert_true(sees(&world, "u1"));
	world_close(&world);
}

/* One that is new is listed with all; one that is known is as the event says. */
static void
an_event_changes_the_picture(void)
{
	struct link_world world;
	struct device device = {0};
	struct err err;

	world_open(&world);
	world.redirector.view = kernel_view_new(world.redirector.netlink);
	assert_true(sees(&world, "u0"));
	world_pair(&world, "u1", "r1");
	assert_true(device_find(world.redirector.netlink, "u1", &device, &err));
	kernel_view_device(world.redirector.view, &device, true);
	assert_true(!sees(&world, "u1"));
	kernel_view_device(world.redirector.view, &device, false);
	assert_true(sees(&world, "u1"));
	device.mtu = 1234;
	kernel_view_device(world.redirector.view, &device, false);
	assert_true(
	    kernel_device(world.redirector.view, world.redirector.netlink, "u1", &device, &err));
	assert_equal(device.mtu, 1234);
	kernel_view_device(world.redirector.view, &device, true);
	assert_true(!sees(&world, "u1"));
	world_close(&world);
}

static bool
has_others(struct link_world *world)
{
	struct tc_class class;
	struct err err;

	return kernel_class(world->redirector.view, world->redirector.netlink,
	    index_of(world, "u0"), SHAPER_OTHERS, &class, &err);
}

static void
take_others(struct link_world *world)
{
	struct err err = {0};

	assert_true(
	    tc_class_remove(world->redirector.netlink, index_of(world, "u0"), SHAPER_OTHERS, &err));
}

/* The next picture is a new one. */
static void
look_anew(struct link_world *world)
{
	kernel_view_free(world->redirector.view);
	world->redirector.view = kernel_view_new(world->redirector.netlink);
}

static void
a_picture_of_classes_is_soon_replaced(void)
{
	struct link_world world;
	int left = 10000;

	(void)settled(&world);
	assert_true(has_others(&world));
	take_others(&world);
	while (has_others(&world) && left--)
		(void)poll(NULL, 0, 1);

	assert_true(!has_others(&world));
	world_close(&world);
}

static void
what_is_taken_away_is_missed_and_looking_changes_nothing(void)
{
	struct link_world world;
	struct row row = settled(&world);
	struct err err = {0};

	take_others(&world);
	look_anew(&world);
	for (int i = 0; i < 2; i++) {
		assert_true(!link_is_there(&world.redirector, &row, &err));
		assert_equal(err.code, ERR_NOT_FOUND);
		assert_text(err.text, "underlay port 'u0': the shaper has no class 1:2");
	}
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(link_is_there(&world.redirector, &row, &err));
	world_close(&world);
}

/* While the book changes, other values are on their way there; when it rests, somebody's doing. */
static void
what_others_are_changing_is_no_loss(void)
{
	struct link_world world;
	struct row row = settled(&world);
	struct tc_class class;
	struct err err = {0};
	uint32_t device = index_of(&world, "u0");

	assert_true(tc_class_find(world.redirector.netlink, device, SHAPER_PORT, &class, &err));
	class.rate_bps /= 2;
	assert_true(tc_class_put(world.redirector.netlink, device, &class, &err));
	look_anew(&world);

	world.redirector.heard_ms = clock_boot_ms(&clock_real);
	assert_true(!link_is_there(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	world.redirector.heard_ms = clock_boot_ms(&clock_real) - 60000;
	assert_true(!link_is_there(&world.redirector, &row, &err));
	assert_equal(err.code, ERR_CONFLICT);
	assert_true(link_ensure(&world.redirector, &row, &err));
	assert_true(link_is_there(&world.redirector, &row, &err));
	world_close(&world);
}

static const struct test tests[] = {
    TEST(without_a_picture_the_kernel_is_asked),
    TEST(devices_are_listed_anew_when_they_have_changed),
    TEST(an_event_changes_the_picture),
    TEST(a_picture_of_classes_is_soon_replaced),
    TEST(what_is_taken_away_is_missed_and_looking_changes_nothing),
    TEST(what_others_are_changing_is_no_loss),
};

suite_main("kernel_view", tests)
