/*
 * Slices that are modified in sncd, over real managers whose objects are flags: what comes, what
 * goes, what stays, and that a modify that cannot be had leaves everything as it was.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/support/fake_slice.h"
#include "test/support/site.h"
#include "test/support/suite.h"

/* Modified, and nothing under way any more. */
static const struct snc_slice *
become(const struct scene *scene, const char *text, bool may_restart)
{
	struct snc_slice_modify_result result;
	struct err err;

	if (!modify(
		scene, text, (struct snc_slice_modify_args){.restart = may_restart}, &result, &err))
		printf("\n[%s] %s\n", err_code_text(err.code), err.text);
	assert_equal(err.code, ERR_NONE);
	return fake_wait(scene->site, scene->id, NULL);
}

static void
the_same_document_changes_nothing(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_slice_modify_result result;
	struct err err;

	assert_true(modify(&scene, PAIR, (struct snc_slice_modify_args){}, &result, &err));
	assert_text(result.way, "unchanged");
	assert_true(!result.under_way);
	assert_text(fake_wait(scene.site, scene.id, NULL)->state, "RUNNING");
	fake_site_free(scene.site);
}

static void
a_plan_does_nothing(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_slice_modify_result result;
	struct err err;

	assert_true(modify(&scene,
	    NODES "node c : p\nlink l1 bandwidth=200Mbps : a.p b.p\nlink l2 : a.q c.p\n" PLACES,
	    (struct snc_slice_modify_args){.plan = true}, &result, &err));
	assert_text(result.way, "add");
	assert_equal(result.n_changes, 5);
	assert_text(result.changes[2].name, "c");
	assert_text(result.changes[2].way, "add");
	assert_text(result.changes[3].way, "hitless");
	assert_true(result.changes[3].rebuilt);
	assert_text(result.changes[3].text, "bandwidth 200Mbps, was 100Mbps");
	assert_equal(result.changes[3].line, 4);
	assert_equal(fake_objects(scene.site), NODE_ROWS + LINK_ROWS);
	assert_equal(show(&scene).n_nodes, 2);
	fake_site_free(scene.site);
}

static void
a_guarantee_is_raised_and_lowered(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_slice_show_result before = show(&scene), after;

	assert_text(
	    become(&scene, NODES "link l1 bandwidth=600Mbps : a.p b.p\n" PLACES, false)->state,
	    "RUNNING");
	after = show(&scene);
	assert_equal(after.links[0].rate_ab_bps, 600000000);
	assert_equal(after.links[0].reserved_ba_bps, 600000000);
	assert_text(after.links[0].state, "open");
	assert_true(after.links[0].key != before.links[0].key);
	assert_text(after.nodes[0].rid, before.nodes[0].rid);
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));

	/* More than half of the port, twice: only the difference has to be free. */
	assert_text(
	    become(&scene, NODES "link l1 bandwidth=900Mbps : a.p b.p\n" PLACES, false)->state,
	    "RUNNING");
	assert_equal(show(&scene).links[0].rate_ab_bps, 900000000);
	assert_text(become(&scene, PAIR, false)->state, "RUNNING");
	assert_equal(show(&scene).links[0].reserved_ab_bps, 100000000);
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
a_ceiling_is_changed_in_place(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_slice_show_result before = show(&scene), after;

	(void)become(&scene,
	    NODES "link l1 bandwidth=100Mbps maxBandwidth=300Mbps priority=2 : a.p b.p\n" PLACES,
	    false);
	after = show(&scene);
	assert_equal(after.links[0].ceiling_ab_bps, 300000000);
	assert_equal(after.links[0].priority, 2);
	assert_equal(after.links[0].key, before.links[0].key);
	fake_site_free(scene.site);
}

static void
nodes_and_links_come_and_go(void)
{
	struct scene scene = scene_start(NULL);
	struct snc_slice_show_result before = show(&scene), after;

	assert_text(become(&scene,
			NODES "node c : p q\nlink l1 bandwidth=100Mbps : a.p b.p\n"
			      "link l2 bandwidth=10Mbps : a.q c.p\nlink l3 : b.q c.q\n" PLACES,
			false)
			->state,
	    "RUNNING");
	after = show(&scene);
	assert_equal(after.slices[0].n_nodes, 3);
	assert_equal(after.n_links, 3);
	assert_text(after.nodes[2].state, "running");
	assert_text(after.links[1].state, "open");
	assert_text(after.links[1].a, "a.q");
	assert_text(after.nodes[0].rid, before.nodes[0].rid);
	assert_equal(after.links[0].key, before.links[0].key);
	assert_text(become(&scene, NODES PLACES, false)->state, "RUNNING");
	assert_equal(show(&scene).n_links, 0);
	assert_true(has_objects(scene.site, NODE_ROWS));
	assert_text(become(&scene, PAIR, false)->state, "RUNNING");
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
a_node_begins_anew_only_when_that_is_allowed(void)
{
	static const char moved[] =
	    NODES "link l1 bandwidth=100Mbps : a.p b.p\namap a koganei\namap b nagoya\n";
	struct scene scene = scene_start(NULL);
	struct snc_slice_modify_result result;
	struct snc_slice_show_result before = show(&scene), after;
	struct err err;

	CU_ASSERT_FALSE(modify(&scene, moved, (struct snc_slice_modify_args){}, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_O04);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "on nagoya, was on osaka"));
	assert_text(become(&scene, moved, true)->state, "RUNNING");
	after = show(&scene);
	assert_text(after.nodes[1].host, "nagoya");
	assert_text(after.nodes[0].rid, before.nodes[0].rid);
	assert_text(after.links[0].host_b, "nagoya");
	assert_text(after.links[0].state, "open");
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	fake_site_free(scene.site);
}

static void
what_cannot_be_had_leaves_all_as_it_was(void)
{
	static const char more[] = NODES "node c : p\nlink l1 bandwidth=200Mbps : a.p b.p\n"
					 "link l2 : a.q c.p\namap a koganei\namap b osaka\n"
					 "amap c nagoya\n";
	struct scene scene = scene_start(NULL);
	struct snc_slice_show_result before = show(&scene), after;
	struct snc_slice_modify_result result;
	const struct snc_slice *slice;
	struct err err;

	CU_ASSERT_FALSE(modify(&scene, NODES "link l1 bandwidth=1200Mbps : a.p b.p\n" PLACES,
	    (struct snc_slice_modify_args){}, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_R02);
	CU_ASSERT_EQUAL(err.line, 3);
	fake_manager(scene.site, "programmer@nagoya")->refuse_code = ERR_R01;
	slice = become(&scene, more, false);
	assert_text(slice->state, "RUNNING");
	assert_text(slice->code, "R01");
	assert_equal(slice->line, 3);
	after = show(&scene);
	assert_equal(after.n_nodes, 2);
	assert_equal(after.links[0].key, before.links[0].key);
	assert_text(after.links[0].state, "open");
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	fake_manager(scene.site, "programmer@nagoya")->refuse_code = 0;
	slice = become(&scene, more, false);
	assert_text(slice->state, "RUNNING");
	assert_text(slice->reason, "");
	assert_true(has_objects(scene.site, 3 + 2 * LINK_ROWS));
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
nothing_comes_between(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_slice_modify_result result;
	struct err err;

	fake_manager(site, "programmer@nagoya")->is_blocked = true;
	assert_true(modify(&scene, NODES "node c : p\n" PLACES "amap c nagoya\n",
	    (struct snc_slice_modify_args){}, &result, &err));
	assert_true(result.under_way);
	assert_text(show(&scene).slices[0].state, "MODIFYING");
	CU_ASSERT_FALSE(snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){scene.id}, &(struct snc_slice_stop_result){}, &err));
	CU_ASSERT_EQUAL(err.code, ERR_O02);
	CU_ASSERT_FALSE(modify(&scene, PAIR, (struct snc_slice_modify_args){}, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_O02);
	fake_site_restart_snc(site);
	assert_text(show(&scene).slices[0].state, "MODIFYING");
	fake_manager(site, "programmer@nagoya")->is_blocked = false;
	assert_text(fake_wait(site, scene.id, NULL)->state, "RUNNING");
	assert_equal(show(&scene).n_nodes, 3);
	fake_site_free(site);
}

static void
a_slice_is_deleted_in_the_middle(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_slice_modify_result result;
	struct err err;

	fake_manager(site, "programmer@nagoya")->is_blocked = true;
	assert_true(modify(&scene,
	    NODES "node c : p\nlink l1 bandwidth=1Mbps : a.p b.p\n" PLACES "amap c nagoya\n",
	    (struct snc_slice_modify_args){}, &result, &err));
	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){scene.id}, &(struct snc_slice_delete_result){}, &err));
	CU_ASSERT_PTR_NULL(fake_wait(site, scene.id, "GONE"));
	assert_equal(fake_objects(site), 0);
	nothing_orphaned(site);
	fake_site_free(site);
}

/* What is removed where nobody answers goes when it does; the slice is done before. */
static void
a_host_that_is_away_holds_up_only_what_it_has(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;

	(void)become(&scene,
	    NODES "node c : p\nlink l1 bandwidth=100Mbps : a.p b.p\n" PLACES "amap c nagoya\n",
	    false);
	fake_manager(site, "programmer@nagoya")->is_away = true;
	assert_text(become(&scene, PAIR, false)->state, "RUNNING");
	assert_equal(fake_objects(site), NODE_ROWS + LINK_ROWS + 1);
	fake_manager(site, "programmer@nagoya")->is_away = false;
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	fake_site_free(site);
}

/* As often as the ledger is asked meanwhile, with the old rows there and without. */
static void
wait_asking(struct fake_site *site, int n_objects)
{
	struct snc_host_list_result hosts;
	struct err err;

	for (int i = 0; i < 5000 && fake_objects(site) != n_objects; i++) {
		assert_true(snc_host_list_call(
		    &site->noc, site->arena, &(struct snc_host_list_args){}, &hosts, &err));
		usleep(1000);
	}
	assert_equal(fake_objects(site), n_objects);
}

/* Has sncd heard that so many rows of the subject are gone? */
static bool
have_gone(const struct scene *scene, const char *subject, int n)
{
	struct fake_site *site = scene->site;
	struct snc_events_result result;
	struct err err;
	int n_gone = 0;

	for (int i = 0; i < 1000 && n_gone < n; i++, usleep(5000)) {
		n_gone = 0;
		assert_true(snc_events_call(&site->noc, site->arena,
		    &(struct snc_events_args){-1, scene->id, 0}, &result, &err));
		for (size_t k = 0; k < result.n_events; k++)
			n_gone += !strcmp(result.events[k].subject, subject) &&
				  !strcmp(result.events[k].what, "removed");
	}
	return n_gone == n;
}

static void
a_link_is_charged_in_full_when_the_one_before_it_is_gone(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_slice_modify_result result;
	struct err err;

	(void)become(&scene,
	    NODES "node c : p\nlink l1 bandwidth=900Mbps : a.p b.p\n" PLACES "amap c nagoya\n",
	    false);
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS + 1));
	fake_manager(site, "programmer@nagoya")->is_away = true; /* what goes is not all gone */
	assert_true(modify(&scene, NODES "link l1 bandwidth=800Mbps : a.p b.p\n" PLACES,
	    (struct snc_slice_modify_args){}, &result, &err));
	wait_asking(site, NODE_ROWS + 2 * LINK_ROWS + 1);
	wait_asking(site, NODE_ROWS + LINK_ROWS + 1);
	assert_true(have_gone(&scene, "link l1 (koganei)", 2));
	assert_equal(show(&scene).links[0].rate_ab_bps, 800000000);
	CU_ASSERT_EQUAL(
	    fake_create_refused(site, site_document(site->arena, "t",
					  NODES "link l1 bandwidth=700Mbps : a.p b.p\n"
						"link l2 bandwidth=700Mbps : a.q b.q\n" PLACES))
		.code,
	    ERR_R02);
	fake_site_free(site);
}

/* Rows of the slice of that kind which take the place of another. */
static size_t
count_followers(const struct scene *scene, const char *kind)
{
	struct fake_site *site = scene->site;
	auto_txn struct txn *txn = store_begin(site->store);
	const struct controller_row_state *rows;
	size_t n, n_followers = 0;

	assert_true(controller_rows(site->snc->controller, txn, scene->id, site->arena, &rows, &n));
	for (size_t i = 0; i < n; i++)
		n_followers += !strcmp(rows[i].row.kind, kind) &&
			       spec_value(rows[i].row.spec, "instead", site->arena);
	return n_followers;
}

/* Both ports of a link go to two links: each end has one that comes after it, the share too, and
 * neither twice; a link that runs the other way has another share. */
static void
a_share_is_followed_by_one_share_alone(void)
{
	struct scene scene = scene_start(NULL);

	assert_text(become(&scene,
			NODES "link l2 bandwidth=600Mbps : a.p b.q\n"
			      "link l3 bandwidth=300Mbps : b.p a.q\n" PLACES,
			false)
			->state,
	    "RUNNING");
	assert_equal(count_followers(&scene, "share"), 1);
	assert_equal(count_followers(&scene, "link_end"), 2);
	assert_text(become(&scene,
			NODES "link l4 bandwidth=10Mbps : b.q a.p\n"
			      "link l5 bandwidth=10Mbps : a.q b.p\n" PLACES,
			false)
			->state,
	    "RUNNING");
	assert_equal(count_followers(&scene, "share"), 0);
	assert_equal(count_followers(&scene, "link_end"), 4);
	assert_true(has_objects(scene.site, NODE_ROWS + 2 * LINK_ROWS));
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
a_slice_goes_step_by_step(void)
{
	struct scene scene = scene_start("DEFINED");
	struct fake_site *site = scene.site;
	struct snc_slice_show_result shown;
	struct err err;

	(void)become(&scene, NODES "link l1 bandwidth=50Mbps : a.p b.p\n" PLACES, false);
	assert_equal(fake_objects(site), 0);
	assert_true(snc_slice_reserve_call(&site->developer, site->arena,
	    &(struct snc_slice_reserve_args){scene.id}, &(struct snc_slice_reserve_result){},
	    &err));
	assert_text(fake_wait(site, scene.id, "RESERVED")->state, "RESERVED");
	assert_text(become(&scene, PAIR, false)->state, "RESERVED");
	assert_equal(fake_objects(site), 0);
	assert_true(snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){scene.id}, &(struct snc_slice_run_result){}, &err));
	assert_text(fake_wait(site, scene.id, "RUNNING")->state, "RUNNING");
	CU_ASSERT_FALSE(snc_slice_reserve_call(&site->developer, site->arena,
	    &(struct snc_slice_reserve_args){scene.id}, &(struct snc_slice_reserve_result){},
	    &err));
	CU_ASSERT_EQUAL(err.code, ERR_O01);
	assert_true(snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){scene.id}, &(struct snc_slice_stop_result){}, &err));
	assert_text(fake_wait(site, scene.id, "STOPPED")->state, "STOPPED");
	assert_text(
	    become(&scene, NODES "link l1 bandwidth=70Mbps : a.p b.p\n" PLACES, false)->state,
	    "STOPPED");
	assert_text(show(&scene).links[0].state, "closed");
	assert_true(snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){scene.id}, &(struct snc_slice_run_result){}, &err));
	assert_text(fake_wait(site, scene.id, "RUNNING")->state, "RUNNING");
	shown = show(&scene);
	assert_text(shown.links[0].state, "open");
	assert_equal(shown.links[0].rate_ab_bps, 70000000);
	assert_true(has_objects(site, NODE_ROWS + LINK_ROWS));
	fake_site_free(site);
}

static void
a_multipoint_link_gets_one_more_end(void)
{
	static const char wider[] =
	    "node a : p q\nnode b : p q\nnode c : p\n"
	    "link l1 bandwidth=10Mbps : a.p b.p c.p\n" PLACES "amap c nagoya\n";
	struct scene scene = scene_start(NULL);
	struct snc_slice_show_result shown;

	assert_text(become(&scene, wider, false)->state, "RUNNING");
	shown = show(&scene);
	assert_equal(shown.links[0].n_ends, 3);
	assert_text(shown.links[0].state, "open");
	assert_text(become(&scene, PAIR, false)->state, "RUNNING");
	assert_text(show(&scene).links[0].b, "b.p");
	assert_true(has_objects(scene.site, NODE_ROWS + LINK_ROWS));
	nothing_orphaned(scene.site);
	fake_site_free(scene.site);
}

static void
only_its_owner_and_the_noc_modify_a_slice(void)
{
	struct scene scene = scene_start(NULL);
	const char *document = site_document(scene.site->arena, "s", NODES PLACES);
	struct snc_slice_modify_args args = {
	    .slice = scene.id, .document = {document, strlen(document)}, .plan = true};
	struct snc_slice_modify_result result;
	struct err err;

	CU_ASSERT_FALSE(
	    snc_slice_modify_call(&scene.site->other, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	CU_ASSERT_FALSE(
	    snc_slice_modify_call(&scene.site->viewer, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_FORBIDDEN);
	CU_ASSERT_TRUE(
	    snc_slice_modify_call(&scene.site->noc, scene.site->arena, &args, &result, &err));
	args.document.bytes = site_document(scene.site->arena, "t", NODES PLACES);
	CU_ASSERT_FALSE(
	    snc_slice_modify_call(&scene.site->noc, scene.site->arena, &args, &result, &err));
	CU_ASSERT_EQUAL(err.code, ERR_S11);
	fake_site_free(scene.site);
}

static const struct test tests[] = {
    TEST(the_same_document_changes_nothing),
    TEST(a_plan_does_nothing),
    TEST(a_guarantee_is_raised_and_lowered),
    TEST(a_ceiling_is_changed_in_place),
    TEST(nodes_and_links_come_and_go),
    TEST(a_node_begins_anew_only_when_that_is_allowed),
    TEST(what_cannot_be_had_leaves_all_as_it_was),
    TEST(nothing_comes_between),
    TEST(a_slice_is_deleted_in_the_middle),
    TEST(a_host_that_is_away_holds_up_only_what_it_has),
    TEST(a_link_is_charged_in_full_when_the_one_before_it_is_gone),
    TEST(a_share_is_followed_by_one_share_alone),
    TEST(a_slice_goes_step_by_step),
    TEST(a_multipoint_link_gets_one_more_end),
    TEST(only_its_owner_and_the_noc_modify_a_slice),
};

suite_main("snc_modify", tests)
