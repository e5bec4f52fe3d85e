/*
 * Links in sncd while they run: shown, changed, captured.
 */
#include <stdio.h>
#include <string.h>

#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define PAIR                                                                                       \
	"node a : p q\n"                                                                           \
	"node b : p q\n"                                                                           \
	"link l1 bandwidth=100Mbps : a.p b.p\n"                                                    \
	"link l2 isolation=besteffort maxBandwidth=10Mbps : a.q b.q\n"                             \
	"amap a koganei\namap b osaka\n"

struct scene {
	struct fake_site *site;
	const char *id;
};

static struct scene
scene_start(void)
{
	struct scene scene = {.site = fake_site_new()};

	scene.id = fake_create(scene.site, site_document(scene.site->arena, "pair", PAIR), NULL);
	assert_text(fake_wait(scene.site, scene.id, "RUNNING")->state, "RUNNING");
	return scene;
}

static struct snc_link
show(const struct scene *scene, const char *link)
{
	struct snc_link_show_result result = {0};
	struct err err = {0};

	assert_true(snc_link_show_call(&scene->site->developer, scene->site->arena,
	    &(struct snc_link_show_args){scene->id, link, 0}, &result, &err));
	assert_equal(result.n_links, 1);
	return result.links[0];
}

static bool
set(const struct scene *scene, struct snc_link_set_args args, struct snc_link_set_result *result,
    struct err *err)
{
	*err = (struct err){0};
	args.slice = scene->id;
	args.wait_ms = 5000;
	return snc_link_set_call(&scene->site->developer, scene->site->arena, &args, result, err);
}

static struct rpc_opt_i64
mbps(int64_t value)
{
	return (struct rpc_opt_i64){true, value * 1000000};
}

static const char *
last_event(const struct scene *scene)
{
	struct snc_events_result events;
	struct err err;

	assert_true(snc_events_call(&scene->site->developer, scene->site->arena,
	    &(struct snc_events_args){-1, scene->id, 0}, &events, &err));
	for (size_t i = events.n_events; i-- > 0;)
		if (!strcmp(events.events[i].what, "changed"))
			return arena_format(scene->site->arena, "%s: %s", events.events[i].subject,
			    events.events[i].text);
	return "";
}

static void
a_link_is_shown_as_it_is_in_force(void)
{
	struct scene scene = scene_start();
	struct snc_link link = show(&scene, "l1"), other = show(&scene, "l2");

	CU_ASSERT_STRING_EQUAL(link.host_a, "koganei");
	CU_ASSERT_STRING_EQUAL(link.host_b, "osaka");
	CU_ASSERT_STRING_EQUAL(link.isolation, "shaping");
	CU_ASSERT_EQUAL(link.rate_ab_bps, 100000000);
	CU_ASSERT_EQUAL(link.rate_ba_bps, 100000000);
	CU_ASSERT_EQUAL(link.reserved_ab_bps, 100000000);
	CU_ASSERT_EQUAL(link.ceiling_ab_bps, 100000000);
	CU_ASSERT_STRING_EQUAL(other.isolation, "besteffort");
	CU_ASSERT_EQUAL(other.rate_ab_bps, 0);
	CU_ASSERT_EQUAL(other.ceiling_ba_bps, 10000000);
	fake_site_free(scene.site);
}

static void
a_changed_guarantee_is_in_force_and_can_be_raised_again(void)
{
	struct scene scene = scene_start();
	struct snc_link_set_result result;
	struct snc_link link;
	struct err err;

	assert_true(set(&scene, (struct snc_link_set_args){.link = "l1", .rate_ab_bps = mbps(40)},
	    &result, &err));
	CU_ASSERT_TRUE(result.real);
	CU_ASSERT_EQUAL(result.links[0].rate_ab_bps, 100000000);
	CU_ASSERT_EQUAL(result.links[1].rate_ab_bps, 40000000);
	CU_ASSERT_STRING_EQUAL(last_event(&scene),
	    "link l1: guaranteed to b 40 Mbps, was 100 Mbps; ceiling to b 40 Mbps, was 100 Mbps");
	link = show(&scene, "l1");
	CU_ASSERT_EQUAL(link.rate_ab_bps, 40000000);
	CU_ASSERT_EQUAL(link.ceiling_ab_bps, 40000000);
	CU_ASSERT_EQUAL(link.reserved_ab_bps, 100000000);
	CU_ASSERT_EQUAL(link.rate_ba_bps, 100000000);
	CU_ASSERT_STRING_EQUAL(link.state, "open");
	assert_true(set(&scene, (struct snc_link_set_args){.link = "l1", .rate_ab_bps = mbps(100)},
	    &result, &err));
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ab_bps, 100000000);
	fake_site_free(scene.site);
}

/* Stopping and running a slice keeps what was changed. */
static void
a_change_outlives_a_stop(void)
{
	struct scene scene = scene_start();
	struct fake_site *site = scene.site;
	struct snc_link_set_result result;
	struct err err;

	assert_true(set(&scene,
	    (struct snc_link_set_args){.link = "l1",
		.ceiling_ab_bps = mbps(200),
		.ceiling_ba_bps = mbps(300),
		.priority = {true, 3}},
	    &result, &err));
	assert_true(snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){scene.id}, &(struct snc_slice_stop_result){}, &err));
	fake_wait(site, scene.id, "STOPPED");
	fake_site_restart_snc(site);
	assert_true(snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){scene.id}, &(struct snc_slice_run_result){}, &err));
	fake_wait(site, scene.id, "RUNNING");
	CU_ASSERT_EQUAL(show(&scene, "l1").ceiling_ab_bps, 200000000);
	CU_ASSERT_EQUAL(show(&scene, "l1").ceiling_ba_bps, 300000000);
	CU_ASSERT_EQUAL(show(&scene, "l1").priority, 3);
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ab_bps, 100000000);
	fake_site_free(site);
}

static void
best_effort_gives_the_guarantee_back_when_it_ends(void)
{
	struct scene scene = scene_start();
	struct snc_link_set_result result;
	struct err err;

	assert_true(set(&scene, (struct snc_link_set_args){.link = "l1", .isolation = "besteffort"},
	    &result, &err));
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ab_bps, 0);
	CU_ASSERT_EQUAL(show(&scene, "l1").ceiling_ab_bps, 100000000);
	assert_true(set(&scene, (struct snc_link_set_args){.link = "l1", .isolation = "policing"},
	    &result, &err));
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ab_bps, 100000000);
	CU_ASSERT_STRING_EQUAL(show(&scene, "l1").isolation, "policing");
	fake_site_free(scene.site);
}

static void
what_cannot_be_is_refused_and_changes_nothing(void)
{
	static const struct {
		struct snc_link_set_args args;
		enum err_code code;
		const char *why, *hint;
	} cases[] = {
	    {{.link = "l1", .rate_ba_bps = {true, 100000001}}, ERR_R02,
		"are to be guaranteed from 'b.p', but 100 Mbps are reserved", "at most 100 Mbps"},
	    {{.link = "l1", .ceiling_ab_bps = {true, 50000000}}, ERR_BAD_VALUE,
		"a ceiling of 50 Mbps is less than the 100 Mbps", "--rate and --max"},
	    {{.link = "l1", .isolation = "none"}, ERR_BAD_VALUE, "'none' is not shaping", ""},
	    {{.link = "l2", .isolation = "shaping"}, ERR_R04, "no queue of the shaper", "policing"},
	    {{.link = "l1", .isolation = "besteffort", .rate_ab_bps = {true, 1000000}},
		ERR_BAD_VALUE, "best effort guarantees no rate", "--max"},
	    {{.link = "l2", .ceiling_ab_bps = {true, 10}}, ERR_BAD_VALUE, "1 kbps", ""},
	    {{.link = "l1", .rate_ab_bps = {true, -1}}, ERR_BAD_VALUE, "0 and 1 Tbps", ""},
	    {{.link = "l1", .priority = {true, 8}}, ERR_BAD_VALUE, "0 and 7", ""},
	    {{.link = "l1", .burst_bytes = {true, INT64_MAX}}, ERR_BAD_VALUE, "burst", ""},
	    {{.link = "l3", .priority = {true, 1}}, ERR_NOT_FOUND, "no link 'l3'", "slice show"},
	};
	struct scene scene = scene_start();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snc_link_set_result result;
		struct err err;
		bool is_refused = !set(&scene, cases[i].args, &result, &err);
		bool is_explained = err.code == cases[i].code && strstr(err.text, cases[i].why) &&
				    strstr(err.hint, cases[i].hint);

		if (!is_explained)
			printf("\ncase %zu: [%s] %s (%s)\n", i, err_code_text(err.code), err.text,
			    err.hint);
		CU_ASSERT_TRUE(is_refused && is_explained);
	}
	CU_ASSERT_STRING_EQUAL(last_event(&scene), "");
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ab_bps, 100000000);
	fake_site_free(scene.site);
}

static void
only_its_owner_and_the_noc_change_a_link(void)
{
	struct scene scene = scene_start();
	struct snc_link_set_args args = {
	    .slice = scene.id, .link = "l1", .rate_ab_bps = mbps(50), .wait_ms = 5000};
	struct snc_link_set_result result;
	struct err err;

	CU_ASSERT_FALSE(
	    snc_link_set_call(&scene.site->other, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	CU_ASSERT_FALSE(
	    snc_link_set_call(&scene.site->viewer, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_FORBIDDEN);
	CU_ASSERT_TRUE(
	    snc_link_set_call(&scene.site->noc, scene.site->arena, &args, &result, &err));
	fake_site_free(scene.site);
}

static void
what_is_not_real_yet_is_told(void)
{
	struct scene scene = scene_start();
	struct fake_manager *manager = fake_manager(scene.site, "redirector@osaka");
	struct snc_link_set_args args = {.slice = scene.id,
	    .link = "l1",
	    .rate_ab_bps = mbps(50),
	    .rate_ba_bps = mbps(50),
	    .wait_ms = 300};
	struct snc_link_set_result result;
	struct err err;

	manager->is_away = true;
	assert_true(
	    snc_link_set_call(&scene.site->developer, scene.site->arena, &args, &result, &err));
	CU_ASSERT_FALSE(result.real);
	manager->is_away = false;
	args.wait_ms = 20000;
	assert_true(
	    snc_link_set_call(&scene.site->developer, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(show(&scene, "l1").rate_ba_bps, 50000000);
	fake_site_free(scene.site);
}

static void
all_links_cost_one_call_to_each_host(void)
{
	struct scene scene = scene_start();
	struct fake_manager *koganei = fake_manager(scene.site, "redirector@koganei");
	struct fake_manager *nagoya = fake_manager(scene.site, "redirector@nagoya");
	struct snc_link_counters_result result;
	struct err err;

	assert_true(snc_link_counters_call(&scene.site->developer, scene.site->arena,
	    &(struct snc_link_counters_args){NULL, NULL, 100}, &result, &err));
	CU_ASSERT_EQUAL(koganei->n_asked, 1);
	CU_ASSERT_EQUAL(nagoya->n_asked, 0);
	assert_equal(result.n_ends, 4);
	CU_ASSERT_STRING_EQUAL(result.ends[0].link, "l1");
	CU_ASSERT_STRING_EQUAL(result.ends[0].node, "a.p");
	CU_ASSERT_STRING_EQUAL(result.ends[1].node, "b.p");
	CU_ASSERT_STRING_EQUAL(result.ends[1].host, "osaka");
	CU_ASSERT_STRING_EQUAL(result.ends[2].link, "l2");
	CU_ASSERT_EQUAL(result.ends[3].tx_bps, 5000);
	CU_ASSERT_EQUAL(result.ends[3].over_us, 100000);
	assert_true(snc_link_counters_call(&scene.site->other, scene.site->arena,
	    &(struct snc_link_counters_args){NULL, NULL, 0}, &result, &err));
	CU_ASSERT_EQUAL(result.n_ends, 0);
	fake_site_free(scene.site);
}

static void
a_host_that_is_away_leaves_the_others_ends(void)
{
	struct scene scene = scene_start();
	struct snc_link_counters_result result;
	struct err err;

	fake_manager(scene.site, "redirector@osaka")->is_away = true;
	assert_true(snc_link_counters_call(&scene.site->developer, scene.site->arena,
	    &(struct snc_link_counters_args){scene.id, "l1", 0}, &result, &err));
	assert_equal(result.n_ends, 1);
	CU_ASSERT_STRING_EQUAL(result.ends[0].node, "a.p");
	fake_site_free(scene.site);
}

static void
a_capture_goes_to_the_host_of_its_end(void)
{
	struct scene scene = scene_start();
	struct fake_site *site = scene.site;
	struct snc_capture_start_args args = {.slice = scene.id, .link = "l1", .filter = ""};
	struct snc_capture_start_result result;
	struct err err = {0};

	assert_true(snc_capture_start_call(&site->developer, site->arena, &args, &result, &err));
	CU_ASSERT_STRING_EQUAL(result.end, "a.p");
	CU_ASSERT_STRING_EQUAL(result.host, "koganei");
	args.end = "b";
	assert_true(snc_capture_start_call(&site->developer, site->arena, &args, &result, &err));
	CU_ASSERT_STRING_EQUAL(result.end, "b.p");
	CU_ASSERT_STRING_EQUAL(result.host, "osaka");
	CU_ASSERT_STRING_EQUAL(arena_copy(site->arena, result.head.bytes, result.head.size),
	    "b.p: link l1 at b.p on osaka");
	args.end = "c";
	CU_ASSERT_FALSE(
	    snc_capture_start_call(&site->developer, site->arena, &args, &result, &err));
	CU_ASSERT_STRING_EQUAL(err.hint, "its ends are a.p and b.p");
	args.end = NULL;
	CU_ASSERT_FALSE(snc_capture_start_call(&site->other, site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	args.device = "eth0";
	CU_ASSERT_FALSE(
	    snc_capture_start_call(&site->developer, site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_FORBIDDEN);
	CU_ASSERT_TRUE(snc_capture_start_call(&site->noc, site->arena, &args, &result, &err));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_link_is_shown_as_it_is_in_force),
    TEST(a_changed_guarantee_is_in_force_and_can_be_raised_again),
    TEST(a_change_outlives_a_stop),
    TEST(best_effort_gives_the_guarantee_back_when_it_ends),
    TEST(what_cannot_be_is_refused_and_changes_nothing),
    TEST(only_its_owner_and_the_noc_change_a_link),
    TEST(what_is_not_real_yet_is_told),
    TEST(all_links_cost_one_call_to_each_host),
    TEST(a_host_that_is_away_leaves_the_others_ends),
    TEST(a_capture_goes_to_the_host_of_its_end),
};

suite_main("snc_link", tests)
