/*
 * Nodes that are together and apart, over sncd's API: created, modified, optimised, refused.
 */
#include <string.h>
#include <unistd.h>

#include "test/support/fake_slice.h"
#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

/* Two nodes and a third: the link has no part in where that goes. */
#define THREE NODES "node c : p\nlink l1 bandwidth=100Mbps : a.p b.p\n"

static const char *
host_of(const struct scene *scene, const char *node)
{
	struct snc_slice_show_result shown = show(scene);

	for (size_t i = 0; i < shown.n_nodes; i++)
		if (str_equal(shown.nodes[i].name, node))
			return shown.nodes[i].host;
	return "";
}

/* Done with its last modify, and nothing of before is left. */
static bool
is_settled(const struct scene *scene, int n_objects)
{
	const struct snc_slice *slice = show(scene).slices;

	for (int i = 0; i < 12000 && !(str_equal(slice->state, "RUNNING") && !slice->progress[0]);
	     i++) {
		usleep(5000);
		slice = show(scene).slices;
	}
	return str_equal(slice->state, "RUNNING") && has_objects(scene->site, n_objects);
}

static struct scene
started(const char *text)
{
	struct fake_site *site = fake_site_new();
	struct scene scene = {site, NULL};

	scene.id = fake_create(site, site_document(site->arena, "s", text), NULL);
	assert_text(fake_wait(site, scene.id, "RUNNING")->state, "RUNNING");
	return scene;
}

static void
modify_keeps_company_and_brings_it_about(void)
{
	struct scene scene = started(THREE "amap a koganei\namap b osaka\ntogether a c\n");
	struct snc_slice_modify_args allowed = {.restart = true};
	struct snc_slice_modify_result result;
	struct err err = {0};

	assert_text(host_of(&scene, "c"), "koganei");
	/* A restart without its company: no new node goes where it must not be. */
	assert_true(modify(&scene, THREE "amap a koganei\namap b osaka\napart a c\napart b c\n",
	    allowed, &result, &err));
	assert_true(is_settled(&scene, NODE_ROWS + 1 + LINK_ROWS));
	assert_text(host_of(&scene, "c"), "nagoya");
	assert_text(host_of(&scene, "a"), "koganei");
	/* And back again. */
	assert_true(modify(
	    &scene, THREE "amap a koganei\namap b osaka\ntogether b c\n", allowed, &result, &err));
	assert_true(is_settled(&scene, NODE_ROWS + 1 + LINK_ROWS));
	assert_text(host_of(&scene, "c"), "osaka");
	assert_text(host_of(&scene, "a"), "koganei");
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
a_new_node_keeps_away_from_what_stands(void)
{
	struct scene scene = started(THREE "amap a koganei\namap b osaka\namap c nagoya\n");
	struct snc_slice_modify_args allowed = {.restart = true};
	struct snc_slice_modify_result result;
	struct err err = {0};

	assert_true(!modify(&scene,
	    NODES "node c : p\nnode d : p\nlink l1 bandwidth=100Mbps : a.p b.p\n"
		  "amap a koganei\namap b osaka\namap c nagoya\napart a b c d\n",
	    allowed, &result, &err));
	assert_equal(err.code, ERR_R07);
	assert_equal(err.line, 4);
	assert_true(modify(&scene,
	    NODES "node c : p\nnode d : p\nlink l1 bandwidth=100Mbps : a.p b.p\n"
		  "amap a koganei\namap b osaka\namap c nagoya\napart a b d\n",
	    allowed, &result, &err));
	assert_true(is_settled(&scene, NODE_ROWS + 2 + LINK_ROWS));
	assert_text(host_of(&scene, "d"), "nagoya");
	fake_site_free(scene.site);
}

static void
check_says_what_binds_and_what_would_do(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {.client = &site->developer,
	    .document = site_document(
		site->arena, "s", "node a cpu=3 : p\nnode b cpu=3 : p\ntogether a b\n")};
	struct snc_slice_check_result checked = tenant_check(site, &wish);
	bool is_told = false;

	assert_true(!checked.feasible && !checked.time_helps);
	for (size_t i = 0; i < checked.n_diagnoses; i++)
		is_told = is_told || (str_equal(checked.diagnoses[i].code, "R01") &&
					 strstr(checked.diagnoses[i].message, "together with"));
	assert_true(is_told);
	assert_text(tenant_offered(&checked, "smaller", "cpu"), "1");
	fake_site_free(site);
}

/* c begins anew with what it is together with, or not at all. */
static void
optimise_parts_nobody(void)
{
	struct scene scene = started(THREE "together a b c\n");
	struct snc_slice_optimise_args asked = {.nodes = true, .plan = true};
	struct snc_slice_optimise_result plan = {0};
	struct snc_host_drain_result drained;
	struct err err = {0};

	assert_text(host_of(&scene, "a"), host_of(&scene, "b"));
	assert_text(host_of(&scene, "a"), host_of(&scene, "c"));
	assert_true(snc_host_drain_call(&scene.site->noc, scene.site->arena,
	    &(struct snc_host_drain_args){.host = host_of(&scene, "a")}, &drained, &err));
	assert_equal(drained.n_slices, 1);
	assert_true(
	    snc_slice_optimise_call(&scene.site->noc, scene.site->arena, &asked, &plan, &err));
	assert_equal(plan.n_moves, 0);
	fake_site_free(scene.site);
}

static const struct test tests[] = {
    TEST(modify_keeps_company_and_brings_it_about),
    TEST(a_new_node_keeps_away_from_what_stands),
    TEST(check_says_what_binds_and_what_would_do),
    TEST(optimise_parts_nobody),
};

suite_main("snc_company", tests)
