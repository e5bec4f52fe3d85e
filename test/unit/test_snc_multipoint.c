/*
 * Multipoint links in sncd: to its users each is one link, whatever rows it is made of.
 */
#include <stdio.h>
#include <string.h>

#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define LAN                                                                                        \
	"node a : p\n"                                                                             \
	"node b : p\n"                                                                             \
	"node c : p\n"                                                                             \
	"link lan bandwidth=100Mbps : a.p b.p c.p\n"                                               \
	"amap a koganei\namap b koganei\namap c osaka\n"

/* Two ends with the hub on koganei, one on osaka. */
enum { LAN_ROWS = 3 + 1 + 6 + 1 };

static struct snc_slice_show_result
show(struct fake_site *site, const char *slice)
{
	struct snc_slice_show_result result = {0};
	struct err err = {0};

	assert_true(snc_slice_show_call(
	    &site->developer, site->arena, &(struct snc_slice_show_args){slice}, &result, &err));
	return result;
}

static void
a_multipoint_link_is_one_link_with_all_its_ends(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "lan", LAN), NULL);
	struct snc_slice_show_result shown;
	const struct snc_link *link;

	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	shown = show(site, id);
	link = &shown.links[0];

	assert_equal(fake_objects(site), LAN_ROWS);
	assert_equal(shown.slices[0].n_nodes, 3);
	assert_equal(shown.slices[0].n_links, 1);
	assert_equal(shown.n_nodes, 3);
	assert_equal(shown.n_links, 1);
	assert_text(link->name, "lan");
	assert_text(link->a, "a.p");
	assert_text(link->b, "");
	assert_text(link->state, "open");
	assert_text(link->path, "hub koganei");
	assert_equal(link->latency_us, 2000);
	assert_equal(link->n_ends, 3);
	assert_text(link->ends[1].end, "b.p");
	assert_text(link->ends[1].path, "local");
	assert_text(link->ends[2].end, "c.p");
	assert_equal(link->ends[2].latency_us, 2000);
	assert_true(link->ends[0].key && link->ends[0].key != link->ends[1].key);
	fake_site_free(site);
}

static void
a_multipoint_link_is_closed_opened_and_removed_as_one(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "lan", LAN), NULL);
	struct err err;

	fake_wait(site, id, "RUNNING");
	assert_true(snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){id}, &(struct snc_slice_stop_result){}, &err));
	assert_text(fake_wait(site, id, "STOPPED")->state, "STOPPED");
	assert_text(show(site, id).links[0].state, "closed");
	assert_true(snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){id}, &(struct snc_slice_run_result){}, &err));
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_text(show(site, id).links[0].state, "open");
	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){id}, &(struct snc_slice_delete_result){}, &err));
	assert_true(fake_wait(site, id, "GONE") == NULL);
	assert_equal(fake_objects(site), 0);
	fake_site_free(site);
}

static void
the_counters_of_a_multipoint_link_are_those_of_all_ends(void)
{
	static const char *const names[] = {"a.p", "lan.e1", "b.p", "lan.e2", "c.p", "lan.e3"};
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "lan", LAN), NULL);
	struct snc_link_counters_result counters;
	struct err err;

	fake_wait(site, id, "RUNNING");
	assert_true(snc_link_counters_call(&site->developer, site->arena,
	    &(struct snc_link_counters_args){id, "lan", 0}, &counters, &err));

	assert_equal(counters.n_ends, 6);
	for (size_t i = 0; i < 6; i++)
		assert_text(counters.ends[i].node, names[i]);
	fake_site_free(site);
}

static void
a_multipoint_link_too_wide_is_refused_at_its_line(void)
{
	struct fake_site *site = fake_site_new();
	struct err why =
	    fake_create_refused(site, site_document(site->arena, "wide",
					  "node a : p\nnode b : p\nnode c : p\n"
					  "link lan bandwidth=2Gbps : a.p b.p c.p\n"
					  "amap a koganei\namap b nagoya\namap c osaka\n"));

	assert_equal(why.code, ERR_R02);
	assert_equal(why.line, 4);
	assert_text(why.subject, "link 'lan'");
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_multipoint_link_is_one_link_with_all_its_ends),
    TEST(a_multipoint_link_is_closed_opened_and_removed_as_one),
    TEST(the_counters_of_a_multipoint_link_are_those_of_all_ends),
    TEST(a_multipoint_link_too_wide_is_refused_at_its_line),
};

suite_main("snc_multipoint", tests)
