/*
 * Moves that free stranded capacity, over sncd's API, with slices that stand.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define MBPS 1000000LL

#define NODES "node a : p q\nnode b : p q\n"
#define PLACES "amap a koganei\namap b osaka\n"

static const char *
start_slice(struct fake_site *site, const char *name, int mbps, const char *goal)
{
	const char *id = fake_create(site,
	    site_document(site->arena, name,
		arena_format(
		    site->arena, NODES "link l1 bandwidth=%dMbps : a.p b.p\n" PLACES, mbps)),
	    goal);

	assert_text(fake_wait(site, id, goal ? goal : "RUNNING")->state, goal ? goal : "RUNNING");
	return id;
}

static struct snc_slice_optimise_result
optimise(struct fake_site *site, const struct rpc_client *client, const char *slice, bool is_plan)
{
	struct snc_slice_optimise_args args = {.slice = slice, .plan = is_plan};
	struct snc_slice_optimise_result result = {0};
	struct err err = {0};

	if (!snc_slice_optimise_call(client, site->arena, &args, &result, &err))
		printf("\n%s %s", err_code_text(err.code), err.text);
	assert_equal(err.code, ERR_NONE);
	return result;
}

static struct snc_link
link_shown(struct fake_site *site, const char *slice)
{
	struct snc_slice_show_result result = {0};
	struct err err = {0};

	assert_true(snc_slice_show_call(
	    &site->developer, site->arena, &(struct snc_slice_show_args){slice}, &result, &err));
	assert_equal(result.n_links, 1);
	return result.links[0];
}

static bool
fits(struct fake_site *site, int mbps)
{
	const char *document = site_document(site->arena, "large",
	    arena_format(site->arena, NODES "link l1 bandwidth=%dMbps : a.p b.p\n" PLACES, mbps));
	struct snc_slice_check_result result;
	struct err err;

	assert_true(snc_slice_check_call(&site->developer, site->arena,
	    &(struct snc_slice_check_args){.document = {document, strlen(document)}}, &result,
	    &err));
	return result.feasible;
}

static bool
is_overbooked(struct fake_site *site)
{
	auto_txn struct txn *txn = NULL;
	struct ledger_question question = {.window = {clock_wall_ms(&site->clock), CALENDAR_EVER}};
	struct substrate *left;
	struct err err;
	bool is = false;

	snc_refresh_view(site->snc);
	txn = store_begin(site->store);
	assert_true(snc_substrate(site->snc, txn, &question, site->arena, &left, &err));
	for (size_t i = 0; i < left->n_hosts; i++) {
		is = is || left->hosts[i].cpu_free < 0;
		for (size_t k = 0; k < left->hosts[i].n_ports; k++)
			is = is || left->hosts[i].ports[k].free_bps < 0;
	}
	for (size_t i = 0; i < left->graph->n_edges; i++)
		is = is || left->graph->edges[i].free_ab_bps < 0 ||
		     left->graph->edges[i].free_ba_bps < 0;
	return is;
}

/* Nothing is charged with more than it has, now that old and new stand side by side. A share that
 * tncd has counted and sncd has not heard of yet seems to be there twice for a while. */
static void
nothing_is_overbooked(struct fake_site *site)
{
	for (int i = 0; i < 1000 && is_overbooked(site); i++)
		usleep(10000);
	assert_true(!is_overbooked(site));
}

/* The plan for all once everybody has told of what there is, and it has so many moves. */
static struct snc_slice_optimise_result
plan_of(struct fake_site *site, const struct rpc_client *client, size_t n)
{
	struct snc_slice_optimise_result plan = optimise(site, client, NULL, true);

	for (int i = 0; i < 1000 && plan.n_moves != n; i++) {
		usleep(10000);
		plan = optimise(site, client, NULL, true);
	}
	assert_equal(plan.n_moves, n);
	return plan;
}

static void
what_did_not_fit_fits_when_links_have_moved(void)
{
	struct fake_site *site = fake_site_new();
	const char *first = start_slice(site, "s1", 400, NULL);
	const char *second = start_slice(site, "s2", 300, NULL);
	struct snc_link before = link_shown(site, first);
	struct snc_slice_optimise_result plan, begun;

	assert_true(!fits(site, 800));
	plan = plan_of(site, &site->developer, 1);
	assert_true(plan.whole);
	assert_text(plan.moves[0].slice_id, first);
	assert_text(plan.moves[0].way, "hitless");
	assert_text(plan.moves[0].from, "koganei:u0 koganei:u0-r1 osaka:u0-r1 osaka:u0");
	assert_text(plan.moves[0].to, "koganei:u1 koganei:u1-r2 osaka:u1-r2 osaka:u1");
	assert_true(!plan.moves[0].under_way);
	assert_text(fake_wait(site, first, NULL)->state, "RUNNING");
	assert_equal(link_shown(site, first).key, before.key);

	fake_manager(site, "redirector@osaka")->is_blocked = true;
	begun = optimise(site, &site->developer, NULL, false);
	assert_equal(begun.n_moves, 1);
	assert_true(begun.moves[0].under_way);
	assert_true(begun.moves[0].gain_bps > 0);
	nothing_is_overbooked(site);
	(void)plan_of(site, &site->developer, 0);
	fake_manager(site, "redirector@osaka")->is_blocked = false;
	assert_text(fake_wait(site, first, NULL)->state, "RUNNING");
	assert_true(link_shown(site, first).key != before.key);
	assert_equal(link_shown(site, first).rate_ab_bps, 400 * MBPS);
	nothing_is_overbooked(site);

	for (int i = 0; i < 1000 && !fits(site, 800); i++)
		usleep(10000);
	assert_true(fits(site, 800));
	(void)plan_of(site, &site->developer, 0);
	(void)second;
	fake_site_free(site);
}

/* Has a slice moved once everybody has told of what there is. */
static void
begin(struct fake_site *site, const char *slice)
{
	struct snc_slice_optimise_result result;
	bool has_begun = false;

	for (int i = 0; i < 1000 && !has_begun; i++) {
		result = optimise(site, &site->developer, slice, false);
		has_begun = result.n_moves && result.moves[0].under_way;
		if (!has_begun)
			usleep(10000);
	}
	assert_true(has_begun);
}

static void
a_move_that_cannot_be_had_leaves_the_slice_as_it_was(void)
{
	struct fake_site *site = fake_site_new();
	const char *first = start_slice(site, "s1", 400, NULL);
	const char *second = start_slice(site, "s2", 300, NULL);
	struct snc_link before = link_shown(site, first);

	(void)second;
	fake_manager(site, "redirector@osaka")->refuse_code = ERR_R04;
	begin(site, first);
	assert_text(fake_wait(site, first, NULL)->code, "R04");
	assert_text(fake_wait(site, first, NULL)->state, "RUNNING");
	assert_equal(link_shown(site, first).key, before.key);
	assert_text(link_shown(site, first).state, "open");
	fake_manager(site, "redirector@osaka")->refuse_code = 0;
	begin(site, first); /* when what was tried is gone */
	assert_text(fake_wait(site, first, NULL)->code, "");
	assert_true(link_shown(site, first).key != before.key);
	fake_site_free(site);
}

static void
slices_that_are_reserved_or_stopped_move_too(void)
{
	struct fake_site *site = fake_site_new();
	const char *first = start_slice(site, "s1", 400, "RESERVED");
	const char *second = start_slice(site, "s2", 300, NULL);
	struct snc_link before = link_shown(site, first);
	struct err err;

	begin(site, first);
	assert_text(fake_wait(site, first, NULL)->state, "RESERVED");
	assert_true(link_shown(site, first).key != before.key);
	(void)plan_of(site, &site->developer, 0);
	assert_true(snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){second}, &(struct snc_slice_stop_result){}, &err));
	assert_text(fake_wait(site, second, "STOPPED")->state, "STOPPED");
	assert_true(snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){first}, &(struct snc_slice_delete_result){}, &err));
	fake_site_free(site);
}

static void
what_was_set_on_a_link_stays_when_it_moves(void)
{
	struct fake_site *site = fake_site_new();
	const char *first = start_slice(site, "s1", 400, NULL);
	const char *second = start_slice(site, "s2", 300, NULL);
	struct snc_link_set_args args = {
	    .slice = first, .link = "l1", .ceiling_ab_bps = {true, 700 * MBPS}, .wait_ms = 10000};
	struct snc_link_set_result set;
	struct err err = {0};

	(void)second;
	assert_true(snc_link_set_call(&site->developer, site->arena, &args, &set, &err));
	assert_text(fake_wait(site, first, "RUNNING")->state, "RUNNING");
	assert_equal(link_shown(site, first).ceiling_ab_bps, 700 * MBPS);
	begin(site, first);
	assert_text(fake_wait(site, first, NULL)->state, "RUNNING");
	assert_equal(link_shown(site, first).ceiling_ab_bps, 700 * MBPS);
	fake_site_free(site);
}

static int64_t
cpu_free(struct fake_site *site, const char *host)
{
	struct snc_host_list_result result;
	struct err err;

	assert_true(snc_host_list_call(
	    &site->noc, site->arena, &(struct snc_host_list_args){}, &result, &err));
	for (size_t i = 0; i < result.n_hosts; i++)
		if (!strcmp(result.hosts[i].name, host))
			return result.hosts[i].cpu_free;
	return -1;
}

/* Two hosts taken by half each, and the third one whole. */
static void
nodes_move_only_when_they_may_and_leave_a_host_whole(void)
{
	struct fake_site *site = fake_site_new();
	struct rpc_client *dev = &site->developer;
	struct snc_slice_optimise_args args = {.plan = true, .nodes = true};
	struct snc_slice_optimise_result result;
	const char *texts[] = {
	    "node a cpu=4 : p\namap a osaka\n",
	    ("node a cpu=2 : p\nnode b cpu=1 : p\nlink l1 bandwidth=100Mbps : a.p b.p\n"
	     "amap b nagoya\n"),
	    "node a cpu=4 : p\n",
	};
	const char *document, *id;
	struct err err = {0};

	for (int i = 0; i < 2; i++) {
		document = site_document(site->arena, i ? "s" : "full", texts[i]);
		id = fake_create(site, document, NULL);
		assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	}
	assert_equal(cpu_free(site, "koganei"), 2);
	(void)plan_of(site, dev, 0);
	assert_true(snc_slice_optimise_call(dev, site->arena, &args, &result, &err));
	assert_equal(result.n_moves, 1);
	assert_text(result.moves[0].kind, "node");
	assert_text(result.moves[0].way, "restart");
	assert_text(result.moves[0].from, "koganei");
	assert_text(result.moves[0].to, "nagoya");
	assert_true(result.moves[0].gain_room > 20);

	document = site_document(site->arena, "large", texts[2]);
	assert_equal(fake_create_refused(site, document).code, ERR_R01);
	args.plan = false;
	fake_manager(site, "redirector@nagoya")->is_blocked = true;
	assert_true(snc_slice_optimise_call(dev, site->arena, &args, &result, &err));
	assert_true(result.moves[0].under_way);
	nothing_is_overbooked(site);
	fake_manager(site, "redirector@nagoya")->is_blocked = false;
	assert_text(fake_wait(site, id, NULL)->state, "RUNNING");
	for (int i = 0; i < 1000 && cpu_free(site, "koganei") != 4; i++)
		usleep(10000);
	assert_equal(cpu_free(site, "koganei"), 4);
	assert_equal(cpu_free(site, "nagoya"), 1);
	args.plan = true;
	assert_true(snc_slice_optimise_call(dev, site->arena, &args, &result, &err));
	assert_equal(result.n_moves, 0);
	assert_text(
	    fake_wait(site, fake_create(site, document, NULL), "RUNNING")->state, "RUNNING");
	fake_site_free(site);
}

static void
everybody_moves_his_own_and_the_noc_all(void)
{
	struct fake_site *site = fake_site_new();
	const char *first = start_slice(site, "s1", 400, NULL);
	const char *second = start_slice(site, "s2", 300, NULL);
	struct snc_slice_optimise_args args = {.slice = first, .plan = true};
	struct snc_slice_optimise_result result;
	struct err err;

	(void)second;
	(void)plan_of(site, &site->other, 0);
	(void)plan_of(site, &site->noc, 1);
	assert_true(!snc_slice_optimise_call(&site->other, site->arena, &args, &result, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!snc_slice_optimise_call(&site->viewer, site->arena, &args, &result, &err));
	assert_equal(err.code, ERR_FORBIDDEN);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(what_did_not_fit_fits_when_links_have_moved),
    TEST(a_move_that_cannot_be_had_leaves_the_slice_as_it_was),
    TEST(slices_that_are_reserved_or_stopped_move_too),
    TEST(what_was_set_on_a_link_stays_when_it_moves),
    TEST(nodes_move_only_when_they_may_and_leave_a_host_whole),
    TEST(everybody_moves_his_own_and_the_noc_all),
};

suite_main("optimise", tests)
