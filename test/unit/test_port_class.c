/*
 * routerd: classes and filters of paths at the ports of a router, in a network namespace of the
 * test's own. That packets find their class is a matter of test/system/test_tnc.sh.
 */
#include "tnc/routerd/port_class.h"

#include <arpa/inet.h>
#include <sched.h>
#include <string.h>

#include "lib/net/device.h"
#include "lib/net/tc.h"
#include "lib/net/tc_address.h"
#include "lib/net/tc_class.h"
#include "lib/net/tc_root.h"
#include "test/support/suite.h"

static const uint64_t mbps = 1000000;

struct router {
	struct netlink *netlink;
	struct arena *arena;
	uint32_t device; /* p0 */
};

static struct router
router_open(void)
{
	struct router router = {.arena = arena_new()};
	struct device device;
	struct err err = {0};

	assert_equal(unshare(CLONE_NEWNET), 0);
	router.netlink = netlink_new(&err);
	assert_true(device_make_pair(router.netlink, "p0", "far0", &err));
	assert_true(device_find(router.netlink, "p0", &device, &err));
	assert_true(device_up(router.netlink, &device, 0, &err));
	router.device = device.index;
	return router;
}

static void
router_close(struct router *router)
{
	netlink_free(router->netlink);
	arena_free(router->arena);
}

/* What packets to that address have at p0, a port of 100 Mbit/s. */
static struct port_class
class_of(const struct router *router, const char *address, uint64_t rate_bps)
{
	struct port_class class = {"p0", router->device, 0, rate_bps, 100 * mbps};

	assert_equal(inet_pton(AF_INET, address, &class.address), 1);
	return class;
}

static struct port_class
put(struct router *router, const char *address, uint64_t rate_bps)
{
	struct port_class class = class_of(router, address, rate_bps);
	struct err err = {0};

	assert_true(port_class_put(router->netlink, &class, &err));
	assert_true(port_class_is_there(router->netlink, &class, &err));
	return class;
}

static enum err_code
look(struct router *router, const struct port_class *class)
{
	struct err err = {0};

	return port_class_is_there(router->netlink, class, &err) ? ERR_NONE : err.code;
}

/* The class that the filter of an address leads to; fails without one. */
static struct tc_class
leaf(struct router *router, const struct port_class *class)
{
	struct tc_address entry = {.address = class->address};
	struct tc_class found;
	struct err err = {0};
	bool is_found;

	assert_true(
	    tc_address_find(router->netlink, router->device, &entry, &is_found, &err) && is_found);
	assert_true(tc_class_find(router->netlink, router->device, entry.minor, &found, &err));
	return found;
}

/* Has p0 a root qdisc that somebody put there? */
static bool
has_root(struct router *router)
{
	const struct tc_root *roots;
	struct err err = {0};
	size_t n;

	assert_true(tc_root_list(router->netlink, router->arena, &roots, &n, &err));
	for (size_t i = 0; i < n; i++)
		if (roots[i].device == router->device && roots[i].handle)
			return true;
	return false;
}

static size_t
count(struct router *router, const struct port_object **objects)
{
	struct err err = {0};
	size_t n;

	assert_true(port_object_list(router->netlink, router->arena, objects, &n, &err));
	return n;
}

static void
a_path_has_a_leaf_and_the_port_its_tree_as_long_as_there_is_one(void)
{
	struct router router = router_open();
	struct port_class one, two;
	struct err err = {0};

	assert_true(!has_root(&router));
	one = put(&router, "10.65.0.1", 60 * mbps);
	two = put(&router, "10.65.0.3", 0);
	assert_equal(leaf(&router, &one).rate_bps, 60 * mbps);
	assert_equal(leaf(&router, &one).ceil_bps, 100 * mbps);
	assert_equal(leaf(&router, &two).rate_bps, 8000);
	assert_true(leaf(&router, &two).prio > leaf(&router, &one).prio);

	assert_true(port_class_remove(router.netlink, one.address, &err));
	assert_equal(look(&router, &one), ERR_WAIT);
	assert_equal(look(&router, &two), ERR_NONE);
	assert_true(port_class_remove(router.netlink, one.address, &err));
	assert_true(port_class_remove(router.netlink, two.address, &err));
	assert_true(!has_root(&router));
	assert_true(port_class_remove(router.netlink, two.address, &err));
	router_close(&router);
}

static void
a_rate_changes_in_place(void)
{
	struct router router = router_open();
	struct port_class class = put(&router, "10.65.0.1", 10 * mbps);
	struct tc_class before = leaf(&router, &class), after;

	class = put(&router, "10.65.0.1", 90 * mbps);
	after = leaf(&router, &class);
	assert_equal(after.minor, before.minor);
	assert_equal(after.rate_bps, 90 * mbps);
	assert_true(after.has_queue);

	class.port_bps = 50 * mbps; /* the link carries less than is guaranteed by now */
	assert_equal(look(&router, &class), ERR_WAIT);
	assert_true(port_class_put(router.netlink, &class, NULL));
	assert_equal(look(&router, &class), ERR_NONE);
	assert_equal(leaf(&router, &class).rate_bps, 50 * mbps);
	router_close(&router);
}

static void
many_addresses_have_leaves_of_their_own(void)
{
	enum { MANY = 600 };

	struct router router = router_open();
	struct port_class classes[MANY];
	const struct port_object *objects;
	bool is_seen[PORT_CLASS_FIRST + MANY] = {false};
	struct err err = {0};

	for (int i = 0; i < MANY; i++) {
		classes[i] = class_of(&router,
		    arena_format(router.arena, "10.%d.%d.%d", 65 + i % 2, i / 200, i % 250), mbps);
		assert_true(port_class_put(router.netlink, &classes[i], &err));
	}
	assert_equal(count(&router, &objects), MANY);
	for (int i = 0; i < MANY; i++) {
		uint32_t minor = leaf(&router, &classes[i]).minor;

		assert_equal(look(&router, &classes[i]), ERR_NONE);
		assert_true(minor < PORT_CLASS_FIRST + MANY && !is_seen[minor]);
		is_seen[minor] = true;
	}
	for (int i = 0; i < MANY; i++)
		assert_true(port_class_remove(router.netlink, classes[i].address, &err));
	assert_equal(count(&router, &objects), 0);
	assert_true(!has_root(&router));
	router_close(&router);
}

/* 0x1a3e is 0x0a41 + 4093: the two have one handle. */
static void
an_address_that_has_anothers_place_is_refused(void)
{
	struct router router = router_open();
	struct port_class class = put(&router, "10.65.0.1", mbps), other;
	struct err err = {0};

	other = class_of(&router, "26.62.0.1", mbps);
	assert_true(!port_class_put(router.netlink, &other, &err));
	assert_equal(err.code, ERR_CONFLICT);
	assert_true(port_class_remove(router.netlink, other.address, &err));
	assert_equal(look(&router, &class), ERR_NONE);
	router_close(&router);
}

static void
what_was_taken_away_is_missed_and_made_again(void)
{
	struct router router = router_open();
	struct port_class class = put(&router, "10.65.0.1", 10 * mbps);
	struct port_class other = put(&router, "10.65.0.3", 20 * mbps);
	const struct port_object *objects;
	struct err err = {0};
	uint32_t minor = leaf(&router, &class).minor;

	/* its filter: the leaf that it had is nobody's then */
	assert_true(tc_address_remove(router.netlink, router.device, class.address, &err));
	assert_equal(look(&router, &class), ERR_WAIT);
	assert_true(port_class_put(router.netlink, &class, &err));
	assert_equal(look(&router, &class), ERR_NONE);
	assert_true(leaf(&router, &class).minor != minor);
	assert_equal(count(&router, &objects), 3);
	for (size_t i = 0; i < 3; i++)
		assert_true(
		    objects[i].address || port_object_remove(router.netlink, &objects[i], &err));
	assert_equal(count(&router, &objects), 2);

	/* the whole tree */
	assert_true(tc_root_remove(router.netlink, router.device, &err));
	assert_equal(look(&router, &class), ERR_WAIT);
	assert_true(port_class_put(router.netlink, &class, &err));
	assert_true(port_class_put(router.netlink, &other, &err));
	assert_equal(look(&router, &class), ERR_NONE);
	assert_equal(look(&router, &other), ERR_NONE);
	router_close(&router);
}

/* A leaf in use is no stray, whatever was listed before. */
static void
only_what_is_nobodys_is_removed_as_such(void)
{
	struct router router = router_open();
	struct port_class class = put(&router, "10.65.0.1", 10 * mbps);
	struct port_object object = {router.device, leaf(&router, &class).minor, 0};
	const struct port_object *objects;
	struct err err = {0};

	assert_true(port_object_remove(router.netlink, &object, &err));
	assert_equal(look(&router, &class), ERR_NONE);
	object.minor = 0;
	assert_true(port_object_remove(router.netlink, &object, &err));
	assert_equal(look(&router, &class), ERR_NONE);

	assert_true(port_class_remove(router.netlink, class.address, &err));
	assert_true(tc_htb_ensure(router.netlink, router.device, PORT_CLASS_OTHERS, &err));
	assert_equal(count(&router, &objects), 1);
	assert_equal(objects[0].minor, 0);
	assert_true(port_object_remove(router.netlink, &objects[0], &err));
	assert_true(!has_root(&router));
	router_close(&router);
}

static void
a_port_that_somebody_else_shapes_is_left_alone(void)
{
	struct router router = router_open();
	struct port_class class = class_of(&router, "10.65.0.1", mbps);
	const struct port_object *objects;
	struct err err = {0};

	assert_true(tc_htb_ensure(router.netlink, router.device, 0x77, &err));
	assert_true(!port_class_put(router.netlink, &class, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_true(strstr(err.text, "tc qdisc del dev p0 root") != NULL);
	assert_true(port_class_remove(router.netlink, class.address, &err));
	assert_equal(count(&router, &objects), 0);
	assert_true(has_root(&router));

	assert_true(tc_root_remove(router.netlink, router.device, &err));
	assert_true(port_class_put(router.netlink, &class, &err));
	assert_equal(look(&router, &class), ERR_NONE);
	router_close(&router);
}

static void
a_device_that_has_gone_is_waited_for(void)
{
	struct router router = router_open();
	struct port_class class = put(&router, "10.65.0.1", mbps);
	const struct port_object *objects;
	struct err err = {0};

	assert_true(device_remove(router.netlink, "p0", &err));
	assert_equal(look(&router, &class), ERR_WAIT);
	assert_true(!port_class_put(router.netlink, &class, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_equal(count(&router, &objects), 0);
	assert_true(port_class_remove(router.netlink, class.address, &err));
	router_close(&router);
}

static const struct test tests[] = {
    TEST(a_path_has_a_leaf_and_the_port_its_tree_as_long_as_there_is_one),
    TEST(a_rate_changes_in_place),
    TEST(many_addresses_have_leaves_of_their_own),
    TEST(an_address_that_has_anothers_place_is_refused),
    TEST(what_was_taken_away_is_missed_and_made_again),
    TEST(only_what_is_nobodys_is_removed_as_such),
    TEST(a_port_that_somebody_else_shapes_is_left_alone),
    TEST(a_device_that_has_gone_is_waited_for),
};

suite_main("port_class", tests)
