/*
 * From a document to its mapping and its rows, as golden text; and from rows back to charges.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "snc/embed.h"
#include "snc/resource.h"
#include "snc/slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const three[] = {"koganei", "nagoya", "osaka", NULL};

static bool
count_up(void *self, uint64_t *id, struct err *err)
{
	uint64_t *last = self;

	(void)err;
	*id = ++*last;
	return true;
}

struct planned {
	struct arena *arena;
	struct substrate *substrate;
	struct mapping *mapping;
	struct plan plan;
};

static struct planned
planned(const char *(*document)(struct arena *arena))
{
	struct planned planned = {.arena = arena_new()};
	uint64_t last = id_make(7, 0x1000);
	const struct slice *slice;
	diagnoses found = {0};
	struct err err;

	planned.substrate = site_new(planned.arena, three);
	slice = slice_expand(
	    site_slice(planned.arena, planned.substrate, document(planned.arena)), planned.arena);
	assert_true(embed(&(struct embed_request){slice, planned.substrate, &clock_real, INT64_MAX},
	    planned.arena, &planned.mapping, &found));
	assert_true(slice_plan(&(struct slice_plan_request){"0000000000007", "tnc@ctl", slice,
				   planned.substrate, planned.mapping, {count_up, &last}, NULL, 0},
	    planned.arena, &planned.plan, &err));
	vec_done(&found);
	return planned;
}

static const char *
hello_ring(struct arena *arena)
{
	size_t size;
	auto_free char *text = test_read("examples/hello-ring.xml", &size);

	return arena_text(arena, text);
}

static const char *
local_pair(struct arena *arena)
{
	return site_document(arena, "pair",
	    "node a cpu=2 memory=256MiB bootImage=image:vm-minimal : p spare\n"
	    "node b : p\n"
	    "link ab bandwidthUp=10Mbps bandwidthDown=20Mbps maxBandwidth=40Mbps mtu=1400 : a.p "
	    "b.p\n"
	    "amap a koganei\n"
	    "amap b koganei\n");
}

static const char *
best_effort(struct arena *arena)
{
	return site_document(arena, "easy",
	    "node a : p\nnode b : p\nlink ab isolation=besteffort : a.p b.p\n"
	    "amap a koganei\namap b nagoya\n");
}

static const char *
multipoint(struct arena *arena)
{
	return site_document(arena, "many",
	    "node a : p\nnode b : p r\nnode c : p q\n"
	    "link lan bandwidth=10Mbps maxBandwidth=30Mbps latency=20ms mtu=1400 : a.p b.p c.p\n"
	    "link bc bandwidth=5Mbps : b.r c.q\n"
	    "amap a koganei\namap b koganei\namap c nagoya\n");
}

static void
assert_golden(struct planned *planned, const char *file)
{
	auto_str struct str text = {0};

	str_add(&text, "mapping\n\n");
	mapping_print(planned->mapping, planned->substrate, &text);
	str_add(&text, "\nplan\n\n");
	plan_print(&planned->plan, &text);
	test_golden(file, str_text(&text));
	arena_free(planned->arena);
}

static void
the_plan_of_hello_ring_is_as_written_down(void)
{
	struct planned it = planned(hello_ring);

	assert_golden(&it, "plan-hello-ring.txt");
}

static void
the_plan_of_a_link_on_one_host_is_as_written_down(void)
{
	struct planned it = planned(local_pair);

	assert_golden(&it, "plan-local-pair.txt");
}

static void
the_plan_of_a_best_effort_link_is_as_written_down(void)
{
	struct planned it = planned(best_effort);

	assert_golden(&it, "plan-best-effort.txt");
}

static void
the_plan_of_a_multipoint_link_is_as_written_down(void)
{
	struct planned it = planned(multipoint);

	assert_golden(&it, "plan-multipoint.txt");
}

static const struct plan_row *
find_row(const struct plan *plan, const char *subject)
{
	for (size_t i = 0; i < plan->n_rows; i++)
		if (strcmp(plan->rows[i].subject, subject) == 0)
			return &plan->rows[i];
	CU_FAIL_FATAL("the plan has no such row");
	abort();
}

static void
charges_read_back_from_rows_are_what_the_mapping_takes(void)
{
	struct planned it = planned(hello_ring);
	struct substrate *substrate = it.substrate;
	struct resource_charge charge;
	struct err err;

	for (size_t i = 0; i < it.plan.n_rows; i++) {
		const struct plan_row *row = &it.plan.rows[i];

		assert_true(
		    resource_charge(row->manager, row->kind, row->spec, it.arena, &charge, &err));
		assert_true(resource_take(substrate, &charge, &err));
	}

	assert_equal(site_host(substrate, "osaka")->cpu_free, 3);
	assert_equal(site_host(substrate, "osaka")->memory_free_bytes, (4LL << 30) - (256LL << 20));
	/* 100 Mbps of full frames are 102.774 Mbps on the wire. */
	assert_equal(site_host(substrate, "koganei")->ports[1].free_bps, 1000000000 - 102774109);
	assert_equal(site_edge(substrate, "koganei:u1-r2")->free_ab_bps, 1000000000 - 102774109);
	assert_equal(site_edge(substrate, "koganei:u1-r2")->free_ba_bps, 1000000000 - 102774109);
	arena_free(it.arena);
}

static void
what_is_taken_twice_over_is_refused(void)
{
	struct planned it = planned(hello_ring);
	const struct plan_row *row = find_row(&it.plan, "link ab");
	struct resource_charge charge;
	struct err err;

	assert_true(resource_charge(row->manager, row->kind, row->spec, it.arena, &charge, &err));
	for (int i = 0; i < 9; i++)
		assert_true(resource_take(it.substrate, &charge, &err));
	assert_true(!resource_take(it.substrate, &charge, &err));
	assert_equal(err.code, ERR_R03);
	arena_free(it.arena);
}

static void
switching_changes_power_and_nothing_else(void)
{
	struct planned it = planned(hello_ring);
	const struct plan_row *node = find_row(&it.plan, "node alice");
	const struct plan_row *end = find_row(&it.plan, "link ab (koganei)");
	const char *off, *on;
	struct err err;

	assert_true(resource_switch("node", node->attr, false, it.arena, &off, &err));
	assert_true(strncmp(off, "power=off\n", 10) == 0);
	assert_true(resource_switch("node", off, true, it.arena, &on, &err));
	assert_text(on, node->attr);
	assert_true(resource_switch("link_end", end->attr, false, it.arena, &off, &err));
	assert_true(strncmp(off, "open=off\n", 9) == 0);
	assert_true(resource_switch("link_end", off, true, it.arena, &on, &err));
	assert_text(on, end->attr);
	arena_free(it.arena);
}

static const struct test tests[] = {
    TEST(the_plan_of_hello_ring_is_as_written_down),
    TEST(the_plan_of_a_link_on_one_host_is_as_written_down),
    TEST(the_plan_of_a_best_effort_link_is_as_written_down),
    TEST(the_plan_of_a_multipoint_link_is_as_written_down),
    TEST(charges_read_back_from_rows_are_what_the_mapping_takes),
    TEST(what_is_taken_twice_over_is_refused),
    TEST(switching_changes_power_and_nothing_else),
};

suite_main("plan", tests)
