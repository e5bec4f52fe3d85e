/*
 * The shaper's tree: what its classes are like, and what becomes of them when link ends come,
 * change and go. Classes are real, in a network namespace of the test's own; the data plane is the
 * fake.
 */
#include <string.h>

#include "lib/base/id.h"
#include "test/support/link_world.h"
#include "test/support/suite.h"

enum { OTHER = 102 }; /* port of a second link end */

/* Forms of the class numbers 16 (slice) and 17 (leaf). */
enum { SLICE = 16, LEAF = 17, INNER = 0x4011, FIRST = 0x8011, REST = 0xc011 };

static const struct link_end_attr_spec as_reserved = {0};

/* ---- what classes are like ------------------------------------------------------------------- */

static struct tc_class
leaf_of(int64_t rate_bps, int64_t ceil_bps, uint64_t burst_bytes)
{
	struct shaper_link link = {
	    .number = LEAF,
	    .slice_number = SLICE,
	    .is_wanted = true,
	    .is_slice_wanted = true,
	    .rate_bps = (uint64_t)rate_bps,
	    .ceil_bps = (uint64_t)ceil_bps,
	    .port_bps = 10000000000,
	    .burst_bytes = burst_bytes,
	};
	struct tc_class classes[SHAPER_CLASSES_MAX];

	assert_equal(shaper_classes(&link, classes), 2);
	assert_equal(classes[0].minor, SLICE);
	return classes[1];
}

static void
a_leaf_is_shaped_by_the_rules_of_the_house(void)
{
	assert_equal(leaf_of(2 * mbps, 2 * mbps, 0).burst_bytes, 12500);
	assert_equal(leaf_of(2 * mbps, 2 * mbps, 0).queue_bytes, 12000);
	assert_equal(leaf_of(1000 * mbps, 1000 * mbps, 0).burst_bytes, 6250000);
	assert_equal(leaf_of(1000 * mbps, 1000 * mbps, 0).quantum_bytes, 60000);
	assert_equal(leaf_of(1000 * mbps, 1000 * mbps, 0).queue_bytes, 3750000);
	assert_true(leaf_of(0, 2 * mbps, 0).rate_bps > 0);
	assert_equal(leaf_of(mbps, 2 * mbps, 9000).burst_bytes, 9000);
	assert_equal((int64_t)leaf_of(0, 2 * mbps, 0).ceil_bps, 2 * mbps);
	assert_equal((int64_t)leaf_of(0, 20000 * mbps, 0).ceil_bps, 10000 * mbps);
}

/* While a class has tokens it takes its turn with what others are guaranteed. */
static void
a_burst_is_no_way_around_the_rate(void)
{
	assert_equal(leaf_of(mbps, 2 * mbps, INT32_MAX).burst_bytes, 125000);
	assert_equal(leaf_of(0, 2 * mbps, INT32_MAX).burst_bytes, 65536);
	assert_equal((int64_t)shaper_police_burst(100000000, 100000000, INT32_MAX), 12500000);
	assert_equal((int64_t)shaper_police_burst(1000000, 100000000, INT32_MAX), 375000);
	assert_equal((int64_t)shaper_police_burst(0, 2000000, INT32_MAX), 65536);
}

static void
a_policed_link_may_send_at_once_what_a_queue_would_hold(void)
{
	assert_equal((int64_t)shaper_police_burst(0, 2000000, 0), 12000);
	assert_equal((int64_t)shaper_police_burst(100000000, 100000000, 0), 625000);
	assert_equal((int64_t)shaper_police_burst(1000000, 100000000, 0), 375000);
	assert_equal((int64_t)shaper_police_burst(1000000, 100000000, 5000), 5000);
}

/* ---- the tree of one host -------------------------------------------------------------------- */

struct pair {
	struct link_world world;
	struct row first, second; /* of slice s1 and nodes n1, n2; 30 Mbit/s each */
};

static void
pair_open(struct pair *pair, const char *more)
{
	struct link_end_spec first = {.rate_bps = 30 * mbps}, second = first;

	second.node = "n2";
	world_open_with(&pair->world, more);
	world_port(&pair->world);
	world_next_hop(&pair->world);
	world_pair(&pair->world, id_port_device(OTHER).name, "node2");
	pair->first = world_admitted(&pair->world, &first);
	pair->second = world_row(&pair->world, 2, OTHER, &second);
	assert_equal(world_admit(&pair->world, &pair->second, NULL), ERR_NONE);
}

static void
set(struct pair *pair, struct row *row, struct link_end_attr_spec attr)
{
	struct err err = {0};
	bool has_rate = attr.isolation && strcmp(attr.isolation, "besteffort") == 0;

	world_commit(&pair->world, row, world_attr(&pair->world, has_rate ? 0 : 30 * mbps, &attr));
	assert_true(link_ensure(&pair->world.redirector, row, &err));
	assert_true(link_is_there(&pair->world.redirector, row, &err));
}

static int64_t
rate_of(struct pair *pair, uint32_t minor)
{
	struct tc_class class;

	return world_class(&pair->world, "u0", minor, &class) ? (int64_t) class.rate_bps : -1;
}

static int64_t
ceil_of(struct pair *pair, uint32_t minor)
{
	struct tc_class class;

	return world_class(&pair->world, "u0", minor, &class) ? (int64_t) class.ceil_bps : -1;
}

static void
sums_are_those_of_the_rows_whatever_is_made_by_now(void)
{
	struct pair pair;

	pair_open(&pair, "");

	set(&pair, &pair.first, as_reserved);
	assert_equal(rate_of(&pair, SLICE), 60 * mbps);
	assert_equal(rate_of(&pair, LEAF), 30 * mbps);
	assert_equal(rate_of(&pair, LEAF + 1), -1);
	world_close(&pair.world);
}

static void
attributes_change_a_class_in_place(void)
{
	struct tc_class before, after;
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, as_reserved);
	set(&pair, &pair.second, as_reserved);
	assert_true(world_class(&pair.world, "u0", LEAF, &before));

	set(&pair, &pair.first,
	    (struct link_end_attr_spec){.rate_bps = 10 * mbps, .ceil_bps = 80 * mbps});
	assert_true(world_class(&pair.world, "u0", LEAF, &after));
	assert_equal((int64_t)after.rate_bps, 10 * mbps);
	assert_equal((int64_t)after.ceil_bps, 80 * mbps);
	assert_true(before.has_queue && after.has_queue);
	assert_equal(rate_of(&pair, SLICE), 40 * mbps);
	set(&pair, &pair.first, (struct link_end_attr_spec){.burst_bytes = 20000});
	assert_true(world_class(&pair.world, "u0", LEAF, &after));
	assert_true(after.burst_bytes > 19990 && after.burst_bytes <= 20000);
	world_close(&pair.world);
}

static void
modes_need_a_class_only_when_shaped(void)
{
	struct link_end_attr_spec policed = {.isolation = "policing", .ceil_bps = 50 * mbps};
	struct link_end_attr_spec rest = {.isolation = "besteffort", .ceil_bps = 300 * mbps};
	struct dataplane_link link;
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, policed);

	link = world_carried(&pair.world);
	assert_equal(link.class_handle, 0x10003);
	assert_equal(link.excess_handle, 0x10004);
	assert_equal((int64_t)link.police_bps, 30 * mbps);
	assert_equal((int64_t)link.police_ceil_bps, 50 * mbps);
	assert_true(link.police_burst_bytes > 0);
	assert_equal(rate_of(&pair, LEAF), -1);
	assert_equal(rate_of(&pair, SHAPER_POLICED), 30 * mbps);
	set(&pair, &pair.first, rest);
	link = world_carried(&pair.world);
	assert_equal(link.class_handle, 0x10004);
	assert_equal((int64_t)link.police_ceil_bps, 0);
	assert_true(rate_of(&pair, SHAPER_POLICED) < mbps);
	set(&pair, &pair.first, as_reserved);
	link = world_carried(&pair.world);
	assert_equal(link.class_handle, 0x10000 | LEAF);
	assert_equal(rate_of(&pair, LEAF), 30 * mbps);
	world_close(&pair.world);
}

static void
best_effort_below_the_port_has_a_bucket(void)
{
	struct link_end_attr_spec rest = {.isolation = "besteffort", .ceil_bps = 20 * mbps};
	struct dataplane_link link;
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, rest);

	link = world_carried(&pair.world);
	assert_equal(link.excess_handle, 0x10004);
	assert_equal((int64_t)link.police_bps, 0);
	assert_equal((int64_t)link.police_ceil_bps, 20 * mbps);
	world_close(&pair.world);
}

static void
a_priority_splits_the_leaf_and_its_loss_joins_it(void)
{
	struct dataplane_link link;
	struct tc_class first, rest;
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, as_reserved);
	set(&pair, &pair.first, (struct link_end_attr_spec){.priority = 5});

	link = world_carried(&pair.world);
	assert_equal(link.class_handle, 0x10000 | REST);
	assert_equal(link.first_handle, 0x10000 | FIRST);
	assert_equal(link.first_dscp, 40);
	assert_equal(rate_of(&pair, INNER), 30 * mbps);
	assert_equal(rate_of(&pair, LEAF), -1);
	assert_true(world_class(&pair.world, "u0", FIRST, &first));
	assert_true(world_class(&pair.world, "u0", REST, &rest));
	assert_equal(first.parent_minor, INNER);
	assert_equal((int64_t)first.ceil_bps, 30 * mbps);
	assert_true(first.prio < rest.prio);
	set(&pair, &pair.first, as_reserved);
	link = world_carried(&pair.world);
	assert_equal(link.class_handle, 0x10000 | LEAF);
	assert_equal(link.first_dscp, 0);
	assert_equal(rate_of(&pair, LEAF), 30 * mbps);
	assert_equal(rate_of(&pair, INNER), -1);
	assert_equal(rate_of(&pair, FIRST), -1);
	world_close(&pair.world);
}

/* Two links of a slice that share what `per` says; the number of the leaf they have. */
static void
check_shared(const char *more, const char *result, const char *other_result)
{
	struct pair pair;

	pair_open(&pair, more);
	assert_text(pair.first.result, result);
	assert_text(pair.second.result, other_result);
	set(&pair, &pair.first, as_reserved);
	set(&pair, &pair.second, (struct link_end_attr_spec){.ceil_bps = 200 * mbps});
	world_release(&pair.world, &pair.first);
	world_release(&pair.world, &pair.second);
	for (uint32_t number = SLICE; number < SLICE + 4; number++)
		for (int form = 0; form < SHAPER_FORMS; form++)
			assert_equal(
			    rate_of(&pair, shaper_minor(number, (enum shaper_form)form)), -1);
	world_close(&pair.world);
}

static void
what_shares_a_leaf_is_configured(void)
{
	check_shared("", "class=17\nslice_class=16\n", "class=18\nslice_class=16\n");
	check_shared("[shaper]\nper=node\n", "class=17\nslice_class=16\nper=node\n",
	    "class=18\nslice_class=16\nper=node\n");
	check_shared("[shaper]\nper=slice\n", "class=16\nslice_class=1\nper=slice\n",
	    "class=16\nslice_class=1\nper=slice\n");
}

static void
a_shared_leaf_has_the_sum_of_its_links(void)
{
	struct pair pair;

	pair_open(&pair, "[shaper]\nper=slice\n");
	set(&pair, &pair.first, as_reserved);
	set(&pair, &pair.second, (struct link_end_attr_spec){.ceil_bps = 90 * mbps});

	assert_equal(rate_of(&pair, shaper_minor(16, SHAPER_INNER)), 60 * mbps);
	assert_equal(ceil_of(&pair, shaper_minor(16, SHAPER_INNER)), 120 * mbps);
	assert_equal(ceil_of(&pair, shaper_minor(16, SHAPER_REST)), 120 * mbps);
	set(&pair, &pair.second, (struct link_end_attr_spec){.ceil_bps = 190 * mbps});
	assert_equal(ceil_of(&pair, shaper_minor(16, SHAPER_INNER)), 200 * mbps);
	world_release(&pair.world, &pair.first);
	assert_equal(rate_of(&pair, shaper_minor(16, SHAPER_INNER)), 30 * mbps);
	world_close(&pair.world);
}

static void
queues_end_where_the_configuration_says(void)
{
	struct link_end_spec spec = {.rate_bps = mbps}, none = {.rate_bps = mbps, .queue = "none"};
	struct err err = {0};
	struct pair pair;
	struct row row;

	pair_open(&pair, "[shaper]\nqueues=2\n");
	row = world_row(&pair.world, 3, 103, &spec);
	assert_equal(world_admit(&pair.world, &row, &err), ERR_R04);
	assert_text(err.text, "port 'u0' of koganei: all 2 queues of its shaper are taken");
	assert_true(err.hint[0]);
	row = world_row(&pair.world, 3, 103, &none);
	row.attr =
	    world_attr(&pair.world, mbps, &(struct link_end_attr_spec){.isolation = "policing"});
	assert_equal(world_admit(&pair.world, &row, &err), ERR_NONE);
	world_pair(&pair.world, id_port_device(103).name, "node3");
	assert_true(link_ensure(&pair.world.redirector, &row, &err));
	world_commit(&pair.world, &row, world_attr(&pair.world, mbps, &as_reserved));
	assert_true(!link_ensure(&pair.world.redirector, &row, &err));
	assert_equal(err.code, ERR_R04);
	assert_equal(rate_of(&pair, SHAPER_POLICED), mbps);
	world_release(&pair.world, &pair.second);
	world_commit(&pair.world, &row, row.attr);
	assert_true(link_ensure(&pair.world.redirector, &row, &err));
	world_close(&pair.world);
}

static void
pooled_classes_are_changed_and_parked(void)
{
	const struct manager_object *objects;
	struct err err = {0};
	size_t n_objects;
	struct pair pair;

	pair_open(&pair, "[shaper]\npool=16\n");
	assert_text(pair.second.result, "class=18\nslice_class=16\n");
	set(&pair, &pair.first, as_reserved);
	assert_equal(rate_of(&pair, LEAF), 30 * mbps);
	assert_equal(rate_of(&pair, LEAF + 1), 8000);
	assert_equal(rate_of(&pair, 33), 8000);
	world_release(&pair.world, &pair.first);
	world_release(&pair.world, &pair.second);
	assert_equal(rate_of(&pair, LEAF), 8000);
	assert_equal(ceil_of(&pair, LEAF), 8000);
	assert_equal(rate_of(&pair, SLICE), 8000);
	assert_true(
	    link_list(&pair.world.redirector, pair.world.arena, &objects, &n_objects, &err));
	assert_equal(n_objects, 0);
	world_close(&pair.world);
}

static void
what_somebody_did_to_a_class_is_undone(void)
{
	struct tc_class elsewhere = {.minor = LEAF,
	    .parent_minor = 1,
	    .rate_bps = 8000,
	    .ceil_bps = 8000,
	    .burst_bytes = 3200,
	    .cburst_bytes = 3200};
	struct device underlay;
	struct err err = {0};
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, as_reserved);
	assert_true(device_find(pair.world.redirector.netlink, "u0", &underlay, &err));
	assert_true(tc_class_remove(pair.world.redirector.netlink, underlay.index, LEAF, &err));
	assert_true(tc_class_put(pair.world.redirector.netlink, underlay.index, &elsewhere, &err));

	assert_true(!link_is_there(&pair.world.redirector, &pair.first, &err));
	assert_true(link_ensure(&pair.world.redirector, &pair.first, &err));
	assert_true(link_is_there(&pair.world.redirector, &pair.first, &err));
	assert_equal(rate_of(&pair, LEAF), 30 * mbps);
	world_close(&pair.world);
}

static void
many_classes_tell_which_one_failed(void)
{
	struct tc_class classes[150];
	int errors[150];
	struct device underlay;
	struct err err = {0};
	struct pair pair;

	pair_open(&pair, "");
	set(&pair, &pair.first, as_reserved);
	assert_true(device_find(pair.world.redirector.netlink, "u0", &underlay, &err));
	for (uint32_t i = 0; i < 150; i++)
		classes[i] = (struct tc_class){.minor = 0x100 + i,
		    .parent_minor = 1,
		    .rate_bps = 8000,
		    .ceil_bps = i == 70 ? 7 : 8000, /* less than a byte per second */
		    .burst_bytes = 3200,
		    .cburst_bytes = 3200,
		    .queue_bytes = 12000};

	assert_true(!tc_class_put_many(
	    pair.world.redirector.netlink, underlay.index, classes, 150, errors, &err));
	for (uint32_t i = 0; i < 150; i++) {
		assert_equal(errors[i] != 0, i == 70);
		assert_equal(rate_of(&pair, 0x100 + i), i == 70 ? -1 : 8000);
	}
	assert_true(strstr(err.text, "1:146"));
	world_close(&pair.world);
}

static const struct test tests[] = {
    TEST(a_leaf_is_shaped_by_the_rules_of_the_house),
    TEST(a_burst_is_no_way_around_the_rate),
    TEST(a_policed_link_may_send_at_once_what_a_queue_would_hold),
    TEST(sums_are_those_of_the_rows_whatever_is_made_by_now),
    TEST(attributes_change_a_class_in_place),
    TEST(modes_need_a_class_only_when_shaped),
    TEST(best_effort_below_the_port_has_a_bucket),
    TEST(a_priority_splits_the_leaf_and_its_loss_joins_it),
    TEST(what_shares_a_leaf_is_configured),
    TEST(a_shared_leaf_has_the_sum_of_its_links),
    TEST(queues_end_where_the_configuration_says),
    TEST(pooled_classes_are_changed_and_parked),
    TEST(what_somebody_did_to_a_class_is_undone),
    TEST(many_classes_tell_which_one_failed),
};

suite_main("shaper", tests)
