/*
 * sncd as a whole, over its API, against managers with the real engine whose objects are flags.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define RING                                                                                       \
	"node a : b c\n"                                                                           \
	"node b : a c\n"                                                                           \
	"node c : a b\n"                                                                           \
	"link ab bandwidth=100Mbps : a.b b.a\n"                                                    \
	"link bc bandwidth=20Mbps : b.c c.b\n"                                                     \
	"link ca bandwidth=10Mbps : c.a a.c\n"                                                     \
	"amap a koganei\namap b nagoya\namap c osaka\n"

enum { RING_ROWS = 3 + 3 + 6 };

static struct snc_slice_show_result
show(struct fake_site *site, const char *slice)
{
	struct snc_slice_show_result result;
	struct err err = {0};
	bool is_good = snc_slice_show_call(
	    &site->developer, site->arena, &(struct snc_slice_show_args){slice}, &result, &err);

	if (!is_good)
		printf("\n%s", err.text);
	assert_true(is_good);
	return result;
}

static bool delete (struct fake_site *site, const char *slice, struct err *err)
{
	return snc_slice_delete_call(&site->developer, site->arena,
	    &(struct snc_slice_delete_args){slice}, &(struct snc_slice_delete_result){}, err);
}

static bool
run(struct fake_site *site, const char *slice, struct err *err)
{
	return snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){slice}, &(struct snc_slice_run_result){}, err);
}

static bool
stop(struct fake_site *site, const char *slice, struct err *err)
{
	return snc_slice_stop_call(&site->developer, site->arena,
	    &(struct snc_slice_stop_args){slice}, &(struct snc_slice_stop_result){}, err);
}

static int64_t
cpu_free(struct fake_site *site, const char *host)
{
	struct snc_host_list_result result;
	struct err err;

	assert_true(snc_host_list_call(
	    &site->noc, site->arena, &(struct snc_host_list_args){}, &result, &err));
	for (size_t i = 0; i < result.n_hosts; i++)
		if (strcmp(result.hosts[i].name, host) == 0)
			return result.hosts[i].cpu_free;
	return -1;
}

static size_t
count_orphans(struct fake_site *site)
{
	struct snc_orphans_result result;
	struct err err = {0};

	assert_true(
	    snc_orphans_call(&site->noc, site->arena, &(struct snc_orphans_args){}, &result, &err));
	for (size_t i = 0; i < result.n_orphans; i++)
		printf("\norphan: %s %s", result.orphans[i].manager, result.orphans[i].line);
	return result.n_orphans;
}

static void
a_slice_is_created_runs_and_is_deleted_to_nothing(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	const struct snc_slice *slice = fake_wait(site, id, "RUNNING");
	struct snc_slice_show_result shown;
	struct err err;

	assert_text(slice->state, "RUNNING");
	assert_text(slice->reason, "");
	assert_equal(fake_objects(site), RING_ROWS);
	assert_equal(cpu_free(site, "koganei"), 3);
	assert_equal(count_orphans(site), 0);
	shown = show(site, "ring");
	assert_equal(shown.n_nodes, 3);
	assert_text(shown.nodes[1].host, "nagoya");
	assert_text(shown.nodes[1].state, "running");
	assert_true(shown.nodes[1].ready);
	assert_equal(strlen(shown.nodes[1].ports[0].device), 15);
	assert_text(shown.links[0].a, "a.b");
	assert_text(shown.links[0].state, "open");
	assert_equal(shown.links[0].latency_us, 2000);
	assert_true(shown.links[0].key != 0);

	assert_true(delete (site, "ring", &err));
	assert_true(fake_wait(site, id, "GONE") == NULL);
	assert_equal(fake_objects(site), 0);
	assert_equal(cpu_free(site, "koganei"), 4);
	assert_equal(count_orphans(site), 0);
	fake_site_free(site);
}

static void
stop_switches_everything_off_and_run_on_again(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	struct err err;

	fake_wait(site, id, "RUNNING");
	assert_true(stop(site, id, &err));
	assert_text(fake_wait(site, id, "STOPPED")->state, "STOPPED");
	assert_equal(fake_objects(site), RING_ROWS);
	assert_equal(fake_manager(site, "programmer@koganei")->n_on, 0);
	assert_equal(fake_manager(site, "redirector@koganei")->n_on, 0);
	assert_text(show(site, id).nodes[0].state, "off");
	assert_text(show(site, id).links[0].state, "closed");
	assert_equal(cpu_free(site, "koganei"), 3);

	assert_true(run(site, id, &err));
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_equal(fake_manager(site, "programmer@koganei")->n_on, 1);
	assert_equal(fake_manager(site, "redirector@koganei")->n_on, 2);
	fake_site_free(site);
}

static void
goals_below_running_rest_where_they_were_asked_to(void)
{
	struct fake_site *site = fake_site_new();
	const char *defined = fake_create(site, site_document(site->arena, "one", RING), "DEFINED");
	const char *reserved =
	    fake_create(site, site_document(site->arena, "two", RING), "RESERVED");
	struct err err;

	assert_text(fake_wait(site, defined, NULL)->state, "DEFINED");
	assert_text(fake_wait(site, reserved, "RESERVED")->state, "RESERVED");
	assert_equal(fake_objects(site), 0);
	assert_equal(cpu_free(site, "koganei"), 3);

	assert_true(run(site, reserved, &err));
	assert_text(fake_wait(site, reserved, "RUNNING")->state, "RUNNING");
	assert_true(run(site, defined, &err));
	assert_text(fake_wait(site, defined, "RUNNING")->state, "RUNNING");
	assert_equal(fake_objects(site), 2 * RING_ROWS);
	fake_site_free(site);
}

static void
a_refusal_releases_everything_and_leaves_the_slice_defined_with_its_reason(void)
{
	struct fake_site *site = fake_site_new();
	struct fake_manager *tnc = fake_manager(site, "tnc@ctl");
	const struct snc_slice *slice;
	struct err err;
	const char *id;

	tnc->refuse_code = ERR_R03;
	id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	slice = fake_wait(site, id, "RUNNING");
	assert_text(slice->state, "DEFINED");
	assert_text(slice->code, "R03");
	assert_true(strncmp(slice->reason, "R03: ", 5) == 0);
	assert_equal(slice->line, 4);
	while (strcmp(fake_wait(site, id, NULL)->progress, "") != 0)
		;
	assert_equal(fake_objects(site), 0);
	assert_equal(cpu_free(site, "koganei"), 4);
	assert_equal(count_orphans(site), 0);

	tnc->refuse_code = 0;
	assert_true(run(site, id, &err));
	slice = fake_wait(site, id, "RUNNING");
	assert_text(slice->state, "RUNNING");
	assert_text(slice->reason, "");
	fake_site_free(site);
}

static void
a_host_that_is_away_is_refused_at_once_and_named(void)
{
	struct fake_site *site = fake_site_new();
	struct err err;

	fake_manager(site, "programmer@nagoya")->is_away = true;
	fake_manager(site, "redirector@nagoya")->is_away = true;
	inventory_failed(site->snc->inventory, "programmer@nagoya");

	err = fake_create_refused(site, site_document(site->arena, "ring", RING));

	assert_equal(err.code, ERR_O03);
	assert_true(strstr(err.text, "nagoya") != NULL);
	assert_true(err.line > 0);
	assert_equal(fake_objects(site), 0);
	fake_site_free(site);
}

/* It may answer sncd's call before its own first word comes. */
static void
a_daemon_is_not_up_before_it_has_said_what_it_has(void)
{
	struct fake_site *site = fake_site_new();
	struct inventory *inventory = site->snc->inventory;
	struct inventory_word word = {
	    .manager = "programmer@nagoya", .version = "1", .db_uuid = "u", .capacity = ""};
	bool is_new;
	struct err err;

	assert_true(inventory_tell(inventory, &word, true, &is_new, &err));
	inventory_heard(inventory, word.manager);
	assert_true(!inventory_is_up(inventory, word.manager));
	assert_equal(
	    fake_create_refused(site, site_document(site->arena, "ring", RING)).code, ERR_O03);
	word.capacity = "cpu=4\n";
	assert_true(inventory_tell(inventory, &word, true, &is_new, &err));
	assert_true(inventory_is_up(inventory, word.manager));
	fake_site_free(site);
}

static void
delete_waits_for_a_manager_that_is_away_and_names_it(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	struct snc_slice_wait_result waited;
	struct err err = {0};

	fake_wait(site, id, "RUNNING");
	fake_manager(site, "programmer@osaka")->is_away = true;
	assert_true(delete (site, id, &err));
	do {
		assert_true(snc_slice_wait_call(&site->developer, site->arena,
		    &(struct snc_slice_wait_args){id, "GONE", 200}, &waited, &err));
		assert_true(!waited.done);
	} while (!strstr(waited.slices->reason, "programmer@osaka") || fake_objects(site) > 1);
	assert_text(waited.slices->state, "DELETING");
	assert_true(delete (site, id, &err));
	assert_equal(cpu_free(site, "osaka"), 3);
	assert_equal(cpu_free(site, "koganei"), 4);

	fake_manager(site, "programmer@osaka")->is_away = false;
	controller_heard(site->snc->controller, "programmer@osaka", "programmer@osaka", 0, NULL, 0);
	assert_true(fake_wait(site, id, "GONE") == NULL);
	assert_equal(fake_objects(site), 0);
	fake_site_free(site);
}

static void
the_same_operation_id_never_makes_two_slices(void)
{
	struct fake_site *site = fake_site_new();
	const char *document = site_document(site->arena, "ring", RING);
	const char *other = site_document(site->arena, "other", RING);
	struct snc_slice_create_args args = {
	    .document = {document, strlen(document)}, .op_id = "once"};
	struct snc_slice_create_result first, second;
	struct err err;

	assert_true(snc_slice_create_call(&site->developer, site->arena, &args, &first, &err));
	assert_true(snc_slice_create_call(&site->developer, site->arena, &args, &second, &err));
	assert_text(first.id, second.id);
	args.document = (struct rpc_blob){other, strlen(other)};
	assert_true(!snc_slice_create_call(&site->developer, site->arena, &args, &second, &err));
	assert_equal(err.code, ERR_OP_MISMATCH);
	err = fake_create_refused(site, document);
	assert_equal(err.code, ERR_S11);
	fake_site_free(site);
}

static void
slices_of_others_are_not_there(void)
{
	struct fake_site *site = fake_site_new();
	const char *id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	struct snc_slice_list_result list;
	struct snc_slice_show_result shown;
	struct snc_exec_result result;
	struct snc_word word = {"ls"};
	struct err err;

	fake_wait(site, id, "RUNNING");
	assert_true(!snc_slice_delete_call(&site->other, site->arena,
	    &(struct snc_slice_delete_args){id}, &(struct snc_slice_delete_result){}, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!snc_exec_call(&site->other, site->arena,
	    &(struct snc_exec_args){"ring", "a", &word, 1, 1000}, &result, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(snc_slice_list_call(
	    &site->other, site->arena, &(struct snc_slice_list_args){}, &list, &err));
	assert_equal(list.n_slices, 0);
	assert_true(snc_slice_show_call(
	    &site->viewer, site->arena, &(struct snc_slice_show_args){"ring"}, &shown, &err));
	assert_true(!snc_slice_delete_call(&site->viewer, site->arena,
	    &(struct snc_slice_delete_args){id}, &(struct snc_slice_delete_result){}, &err));
	assert_equal(err.code, ERR_FORBIDDEN);

	assert_true(snc_exec_call(&site->developer, site->arena,
	    &(struct snc_exec_args){"ring", "a", &word, 1, 1000}, &result, &err));
	assert_equal(result.exit, 7);
	assert_true(
	    memcmp(result.output.bytes, "ls on programmer@koganei", result.output.size) == 0);
	fake_site_free(site);
}

/* More than fit into two pages, of two owners; the last one of the first page goes meanwhile. */
static void
a_long_list_comes_in_pages_each_slice_once(void)
{
	enum { SLICES = 600 };
	struct fake_site *site = fake_site_new();
	struct snc_slice_list_args args = {0};
	struct snc_slice_list_result page;
	const char *last = "";
	size_t n = 0;
	struct err err;

	for (int i = 0; i < SLICES; i++) {
		const char *name = arena_format(site->arena, "s%d", i / 2);
		const char *text = site_document(site->arena, name, "node a : p\n");
		struct snc_slice_create_args create = {
		    .document = {text, strlen(text)}, .op_id = name, .goal = "DEFINED"};
		struct snc_slice_create_result made;

		assert_true(snc_slice_create_call(
		    i % 2 ? &site->other : &site->developer, site->arena, &create, &made, &err));
	}
	do {
		assert_true(snc_slice_list_call(&site->noc, site->arena, &args, &page, &err));
		for (size_t i = 0; i < page.n_slices; i++) {
			const char *key = arena_format(
			    site->arena, "%s %s", page.slices[i].name, page.slices[i].owner);

			assert_true(strcmp(last, key) < 0);
			last = key;
		}
		if (!n)
			assert_true(snc_slice_delete_call(&site->noc, site->arena,
			    &(struct snc_slice_delete_args){page.slices[page.n_slices - 1].id},
			    &(struct snc_slice_delete_result){}, &err));
		n += page.n_slices;
		args.after = page.next;
	} while (page.next);
	assert_equal(n, SLICES);
	args.after = "nonsense";
	assert_true(!snc_slice_list_call(&site->noc, site->arena, &args, &page, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	fake_site_free(site);
}

struct race {
	struct fake_site *site;
	const char *document;
	bool is_good;
	struct err err;
};

static void *
race_main(void *self)
{
	struct race *race = self;
	auto_arena struct arena *arena = arena_new();
	struct snc_slice_create_args args = {.document = {race->document, strlen(race->document)}};
	struct snc_slice_create_result result;

	args.op_id = arena_format(arena, "race%p", self);
	race->is_good =
	    snc_slice_create_call(&race->site->developer, arena, &args, &result, &race->err);
	return NULL;
}

static void
of_many_who_race_for_the_last_only_as_many_are_admitted_as_fit(void)
{
	struct fake_site *site = fake_site_new();
	struct race races[6];
	pthread_t threads[6];
	int n_good = 0;

	for (int i = 0; i < 6; i++) {
		races[i] = (struct race){.site = site};
		races[i].document = site_document(site->arena, arena_format(site->arena, "s%d", i),
		    "node a cpu=2 : p\namap a koganei\n");
		assert_true(pthread_create(&threads[i], NULL, race_main, &races[i]) == 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], NULL);
		n_good += races[i].is_good;
		if (!races[i].is_good)
			assert_true(
			    races[i].err.code == ERR_R01 || races[i].err.code == ERR_CAPACITY);
	}

	assert_equal(n_good, 2);
	assert_equal(cpu_free(site, "koganei"), 0);
	fake_site_free(site);
}

static void
a_restart_goes_on_where_it_was(void)
{
	struct fake_site *site = fake_site_new();
	const char *id;
	struct err err;

	fake_manager(site, "redirector@nagoya")->is_blocked = true;
	id = fake_create(site, site_document(site->arena, "ring", RING), NULL);
	fake_site_restart_snc(site);
	assert_true(strcmp(show(site, id).slices->state, "RUNNING") != 0);
	fake_manager(site, "redirector@nagoya")->is_blocked = false;
	manager_wake(fake_manager(site, "redirector@nagoya")->manager);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_equal(fake_objects(site), RING_ROWS);
	assert_equal(cpu_free(site, "nagoya"), 3);
	fake_site_restart_snc(site);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_true(delete (site, id, &err));
	assert_true(fake_wait(site, id, "GONE") == NULL);
	fake_site_free(site);
}

static void
check_tells_all_faults_and_where_nodes_would_go(void)
{
	struct fake_site *site = fake_site_new();
	const char *bad =
	    site_document(site->arena, "bad", "node a cpu=9 : p\nnode b memory=99GiB : p\n");
	const char *good = site_document(site->arena, "ring", RING);
	struct snc_slice_check_result result;
	struct err err;
	int n_errors = 0;

	assert_true(snc_slice_check_call(&site->developer, site->arena,
	    &(struct snc_slice_check_args){.document = {bad, strlen(bad)}}, &result, &err));
	assert_true(!result.feasible);
	for (size_t i = 0; i < result.n_diagnoses; i++) {
		const struct snc_diagnosis *found = &result.diagnoses[i];

		if (strcmp(found->severity, "error") != 0)
			continue;
		assert_text(found->code, "R01");
		assert_equal(found->line, ++n_errors);
	}
	assert_equal(n_errors, 2);
	assert_true(snc_slice_check_call(&site->developer, site->arena,
	    &(struct snc_slice_check_args){.document = {good, strlen(good)}}, &result, &err));
	assert_true(result.feasible);
	assert_equal(result.n_nodes, 3);
	assert_text(result.nodes[2].host, "osaka");
	assert_equal(fake_objects(site), 0);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(a_slice_is_created_runs_and_is_deleted_to_nothing),
    TEST(stop_switches_everything_off_and_run_on_again),
    TEST(goals_below_running_rest_where_they_were_asked_to),
    TEST(a_refusal_releases_everything_and_leaves_the_slice_defined_with_its_reason),
    TEST(a_host_that_is_away_is_refused_at_once_and_named),
    TEST(a_daemon_is_not_up_before_it_has_said_what_it_has),
    TEST(delete_waits_for_a_manager_that_is_away_and_names_it),
    TEST(the_same_operation_id_never_makes_two_slices),
    TEST(slices_of_others_are_not_there),
    TEST(a_long_list_comes_in_pages_each_slice_once),
    TEST(of_many_who_race_for_the_last_only_as_many_are_admitted_as_fit),
    TEST(a_restart_goes_on_where_it_was),
    TEST(check_tells_all_faults_and_where_nodes_would_go),
};

suite_main("snc", tests)
