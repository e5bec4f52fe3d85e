/*
 * Hosts in maintenance, as NOC staff say: whoever places something in that time, for whenever,
 * leaves them out, and is told so; what stands there stays.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "snc/drain.h"
#include "test/support/fake_slice.h"
#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define MINUTE 60000LL
#define HOUR 3600000LL

/* A third node, which the text is followed by the place of. */
#define THREE                                                                                      \
	NODES "node c : p\nlink l1 bandwidth=100Mbps : a.p b.p\n"                                  \
	      "link l2 bandwidth=10Mbps : b.q c.p\n" PLACES

static bool
drain(struct fake_site *site, struct snc_host_drain_args args, size_t *n_slices, struct err *err)
{
	struct snc_host_drain_result result = {0};
	bool is_good;

	*err = (struct err){0};
	is_good = snc_host_drain_call(&site->noc, site->arena, &args, &result, err);
	*n_slices = result.n_slices;
	return is_good;
}

/* From, until: 0 = now, no end. The slices that have parts there. */
static size_t
drained(struct fake_site *site, const char *host, int64_t from_ms, int64_t until_ms)
{
	struct err err;
	size_t n_slices;

	assert_true(drain(site,
	    (struct snc_host_drain_args){
		host, tenant_instant(from_ms), tenant_instant(until_ms), "new switch", false},
	    &n_slices, &err));
	return n_slices;
}

static void
undrained(struct fake_site *site, const char *host)
{
	struct err err;

	assert_true(snc_host_undrain_call(&site->noc, site->arena,
	    &(struct snc_host_undrain_args){host}, &(struct snc_host_undrain_result){}, &err));
}

static struct snc_host
host_shown(struct fake_site *site, const char *name)
{
	struct snc_host_list_result result;
	struct err err;

	assert_true(snc_host_list_call(
	    &site->viewer, site->arena, &(struct snc_host_list_args){}, &result, &err));
	for (size_t i = 0; i < result.n_hosts; i++)
		if (str_equal(result.hosts[i].name, name))
			return result.hosts[i];
	return (struct snc_host){.name = "", .maintenance = ""};
}

static const char *
document_on(struct fake_site *site, const char *name, const char *host)
{
	return site_document(site->arena, name,
	    host ? arena_format(site->arena, "node a : p\namap a %s\n", host) : "node a : p\n");
}

static struct tenant_wish
wish(struct fake_site *site, const char *document, int64_t from_ms, int64_t until_ms)
{
	return (struct tenant_wish){.client = &site->developer,
	    .document = document,
	    .from_ms = from_ms,
	    .until_ms = until_ms};
}

static bool
fits(struct fake_site *site, const char *document, int64_t from_ms, int64_t until_ms)
{
	struct tenant_wish all = wish(site, document, from_ms, until_ms);

	return tenant_check(site, &all).feasible;
}

/* The first start at which it would have an hour; -1 = there is none. */
static int64_t
first_hour(struct fake_site *site, const char *document)
{
	struct snc_slice_find_slot_args args = {
	    .document = {document, strlen(document)}, .duration_ms = tenant_instant(HOUR)};
	struct snc_slice_find_slot_result result;
	struct err err;

	assert_true(snc_slice_find_slot_call(&site->developer, site->arena, &args, &result, &err));
	return result.found ? result.from_ms : -1;
}

/* The only error; the rest are warnings. */
static struct snc_diagnosis
refusal(const struct snc_slice_check_result *checked)
{
	struct snc_diagnosis found = {.code = "", .message = "", .hint = ""};
	int n = 0;

	for (size_t i = 0; i < checked->n_diagnoses; i++) {
		if (!str_equal(checked->diagnoses[i].severity, "error"))
			continue;
		found = checked->diagnoses[i];
		n++;
	}
	assert_equal(n, 1);
	return found;
}

static void
check_find_and_create_leave_a_host_in_maintenance_out(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site), end = now + 2 * HOUR;
	const char *there = document_on(site, "there", "koganei");
	const char *anywhere = document_on(site, "anywhere", NULL);
	struct tenant_wish all = wish(site, there, 0, 0);
	struct snc_slice_check_result checked;
	struct err err;

	assert_equal(drained(site, "koganei", 0, end), 0);
	checked = tenant_check(site, &all);
	assert_true(!checked.feasible);
	assert_text(refusal(&checked).code, "R05");
	assert_equal(refusal(&checked).line, 2);
	assert_text(refusal(&checked).message,
	    arena_format(site->arena, "node 'a': 'koganei' is in maintenance until %s: new switch",
		when_text(end).text));
	assert_true(strstr(refusal(&checked).hint, when_text(end).text) != NULL);
	assert_true(checked.time_helps);
	assert_true(!str_equal(tenant_offered(&checked, "elsewhere", "host"), "koganei"));
	assert_text(tenant_offered(&checked, "later", "start"), when_text(end).text);
	err = tenant_refused(site, &all);
	assert_equal(err.code, ERR_R05);
	assert_equal(err.line, 2);

	assert_equal(first_hour(site, there), end);
	assert_equal(first_hour(site, anywhere), 0);
	assert_true(fits(site, there, end, end + HOUR));
	assert_true(!fits(site, there, end - MINUTE, end + HOUR));
	all = wish(site, there, end, end + HOUR);
	(void)tenant_made(site, &all);
	all = wish(site, anywhere, 0, 0);
	checked = tenant_check(site, &all);
	assert_true(checked.feasible && !str_equal(checked.nodes[0].host, "koganei"));
	fake_site_free(site);
}

static void
what_ends_before_a_window_or_begins_behind_it_is_placed(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site), start = now + 3 * HOUR, end = now + 4 * HOUR;
	const char *there = document_on(site, "there", "koganei");

	assert_equal(drained(site, "koganei", start, end), 0);
	assert_true(fits(site, there, 0, now + HOUR));
	assert_true(!fits(site, there, 0, 0));
	assert_true(!fits(site, there, 0, start + MINUTE));
	/* Its grace would reach into the window. */
	assert_true(!fits(site, there, 0, start - MINUTE));
	assert_true(!fits(site, there, start + MINUTE, end - MINUTE));
	assert_true(fits(site, there, end, 0));
	assert_equal(first_hour(site, there), 0);
	/* The new window takes the place of the old one. */
	assert_equal(drained(site, "koganei", 0, now + HOUR), 0);
	assert_true(fits(site, there, start, end));
	assert_equal(first_hour(site, there), now + HOUR);
	fake_site_pass(site, 50000);
	fake_site_free(site);
}

static void
a_window_without_an_end_is_not_helped_by_time_and_the_first_end_is_named(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	const char *anywhere = document_on(site, "anywhere", NULL);
	struct tenant_wish all = wish(site, anywhere, 0, 0);
	struct snc_slice_check_result checked;

	(void)drained(site, "koganei", 0, 0);
	(void)drained(site, "nagoya", 0, 0);
	(void)drained(site, "osaka", 0, 0);
	checked = tenant_check(site, &all);
	assert_true(!checked.feasible && !checked.time_helps);
	assert_text(refusal(&checked).code, "R05");
	assert_true(strstr(refusal(&checked).message, "until further notice: new switch") != NULL);
	assert_equal(first_hour(site, anywhere), -1);

	(void)drained(site, "nagoya", 0, now + 3 * HOUR);
	(void)drained(site, "osaka", 0, now + 2 * HOUR);
	checked = tenant_check(site, &all);
	assert_true(!checked.feasible && checked.time_helps);
	assert_text(refusal(&checked).message,
	    arena_format(site->arena,
		"node 'a' would fit on 'osaka', which is in maintenance until %s: new switch",
		when_text(now + 2 * HOUR).text));
	assert_equal(first_hour(site, anywhere), now + 2 * HOUR);
	undrained(site, "koganei");
	assert_equal(first_hour(site, anywhere), 0);
	fake_site_free(site);
}

static void
it_is_kept_over_a_restart_shown_and_ended(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site), start = now + HOUR, end = now + 2 * HOUR;
	const char *there = document_on(site, "there", "koganei");
	struct snc_host host;

	(void)drained(site, "koganei", start, end);
	fake_site_restart_snc(site);
	host = host_shown(site, "koganei");
	assert_text(host.maintenance, arena_format(site->arena, "from %s until %s: new switch",
					  when_text(start).text, when_text(end).text));
	assert_equal(host.drain_from_ms, start);
	assert_equal(host.drain_until_ms, end);
	assert_text(host_shown(site, "osaka").maintenance, "");
	assert_true(!fits(site, there, 0, 0));
	undrained(site, "koganei");
	undrained(site, "koganei");
	assert_text(host_shown(site, "koganei").maintenance, "");
	assert_true(fits(site, there, 0, 0));
	(void)drained(site, "koganei", 0, 0);
	fake_site_restart_snc(site);
	assert_text(host_shown(site, "koganei").maintenance, "until further notice: new switch");
	assert_equal(host_shown(site, "koganei").drain_until_ms, 0);
	assert_true(!fits(site, there, 0, 0));
	fake_site_free(site);
}

static bool
was_told(struct fake_site *site, const char *slice, const char *what)
{
	struct snc_events_result result;
	struct err err;

	assert_true(snc_events_call(
	    &site->developer, site->arena, &(struct snc_events_args){-1, slice, 0}, &result, &err));
	for (size_t i = 0; i < result.n_events; i++)
		if (!strcmp(result.events[i].what, what))
			return true;
	return false;
}

/* Is it as the last document says, with so many objects? */
static bool
is_modified(const struct scene *scene, int n_objects)
{
	const struct snc_slice *slice = show(scene).slices;

	for (int i = 0; i < 12000 && !(str_equal(slice->state, "RUNNING") && !slice->progress[0]);
	     i++) {
		usleep(5000);
		slice = show(scene).slices;
	}
	return str_equal(slice->state, "RUNNING") && has_objects(scene->site, n_objects);
}

static void
what_stands_there_stays_and_modify_puts_nothing_new_there(void)
{
	struct scene scene = scene_start(NULL);
	struct fake_site *site = scene.site;
	struct snc_slice_modify_args allowed = {.restart = true};
	struct snc_slice_modify_result result;
	size_t n_slices;
	struct err err;

	assert_true(drain(
	    site, (struct snc_host_drain_args){.host = "osaka", .plan = true}, &n_slices, &err));
	assert_equal(n_slices, 1);
	assert_text(host_shown(site, "osaka").maintenance, "");
	assert_true(!was_told(site, scene.id, "maintenance"));
	assert_equal(drained(site, "osaka", 0, 0), 1);
	assert_true(was_told(site, scene.id, "maintenance"));
	assert_equal(drained(site, "nagoya", 0, 0), 0);
	assert_text(show(&scene).slices[0].state, "RUNNING");
	/* Nothing new: the rate alone. */
	assert_true(modify(
	    &scene, NODES "link l1 bandwidth=50Mbps : a.p b.p\n" PLACES, allowed, &result, &err));
	assert_true(is_modified(&scene, NODE_ROWS + LINK_ROWS));
	/* A new link between what stands. */
	assert_true(modify(&scene,
	    NODES "link l1 bandwidth=50Mbps : a.p b.p\nlink l2 bandwidth=5Mbps : a.q b.q\n" PLACES,
	    allowed, &result, &err));
	assert_true(is_modified(&scene, NODE_ROWS + 2 * LINK_ROWS));
	assert_text(show(&scene).nodes[1].host, "osaka");
	/* A new node there. */
	assert_true(!modify(&scene, THREE "amap c osaka\n", allowed, &result, &err));
	assert_equal(err.code, ERR_R05);
	assert_equal(err.line, 8);
	assert_true(!modify(&scene, THREE "amap c nagoya\n", allowed, &result, &err));
	assert_equal(err.code, ERR_R05);
	/* It finds the one host that is left. */
	assert_true(modify(&scene, THREE, allowed, &result, &err));
	assert_true(is_modified(&scene, NODE_ROWS + 1 + 2 * LINK_ROWS));
	assert_text(show(&scene).nodes[2].host, "koganei");
	nothing_orphaned(site);
	fake_site_free(site);
}

static void
what_was_booked_before_starts_where_it_was_booked(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	struct tenant_wish all =
	    wish(site, document_on(site, "later", "koganei"), now + 30000, now + HOUR);
	const char *id;

	all.goal = "RUNNING";
	id = tenant_made(site, &all);
	assert_equal(drained(site, "koganei", now + 2 * HOUR, now + 3 * HOUR), 0);
	assert_equal(drained(site, "koganei", 0, now + 2 * HOUR), 1);
	assert_true(was_told(site, id, "maintenance"));
	fake_site_pass(site, 31000);
	for (int i = 0; i < 2000 && !str_equal(fake_wait(site, id, NULL)->state, "RUNNING"); i++)
		usleep(5000);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_equal(fake_manager(site, "programmer@koganei")->n_objects, 1);
	fake_site_free(site);
}

/* One node with nothing that holds it, on koganei as the only host that was left. */
static void
optimise_moves_nodes_off(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_slice_optimise_args asked = {.nodes = true, .plan = true};
	struct snc_slice_optimise_result plan = {0};
	struct err err = {0};
	const char *id;

	(void)drained(site, "nagoya", 0, 0);
	(void)drained(site, "osaka", 0, 0);
	id = fake_create(site, document_on(site, "s", NULL), NULL);
	assert_text(fake_wait(site, id, "RUNNING")->state, "RUNNING");
	assert_true(snc_slice_optimise_call(&site->noc, site->arena, &asked, &plan, &err));
	assert_equal(plan.n_moves, 0);
	(void)drained(site, "koganei", 0, 0);
	assert_true(snc_slice_optimise_call(&site->noc, site->arena, &asked, &plan, &err));
	assert_equal(plan.n_moves, 0);
	undrained(site, "osaka");
	assert_true(snc_slice_optimise_call(&site->noc, site->arena, &asked, &plan, &err));
	assert_equal(plan.n_moves, 1);
	assert_text(plan.moves[0].from, "koganei");
	assert_text(plan.moves[0].to, "osaka");
	asked.plan = false;
	assert_true(snc_slice_optimise_call(&site->noc, site->arena, &asked, &plan, &err));
	assert_equal(plan.n_moves, 1);
	assert_true(plan.moves[0].under_way);
	for (int i = 0; i < 2000 && fake_manager(site, "programmer@koganei")->n_objects; i++)
		usleep(5000);
	assert_equal(fake_manager(site, "programmer@koganei")->n_objects, 0);
	assert_equal(fake_manager(site, "programmer@osaka")->n_objects, 1);
	nothing_orphaned(site);
	fake_site_free(site);
}

/* It is drained between the search for a place and the rows: look again. What was placed there
 * although it was, stays. */
static void
a_place_that_was_drained_meanwhile_is_looked_for_again(void)
{
	static const char *const hosts[] = {"koganei", "osaka", NULL};
	auto_arena struct arena *arena = arena_new();
	struct substrate *placed = site_new(arena, hosts), *fresh = site_new(arena, hosts);
	struct slice_node node = {.name = "a"};
	struct mapping_node at = {&node, &placed->hosts[1]};
	struct mapping mapping = {.nodes = &at, .n_nodes = 1};
	struct err err = {0};

	fresh->hosts[0].drained = "until further notice";
	assert_true(drain_allows(&mapping, placed, fresh, &err));
	fresh->hosts[1].drained = "until further notice";
	assert_true(!drain_allows(&mapping, placed, fresh, &err));
	assert_equal(err.code, ERR_WAIT);
	placed->hosts[1].drained = "until further notice";
	assert_true(drain_allows(&mapping, placed, fresh, &err));
}

static void
only_the_noc_says_so_and_what_makes_no_sense_is_refused(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now = tenant_now_ms(site);
	struct snc_host_drain_result result;
	struct snc_audit_list_result audit;
	size_t n_slices, n_recorded = 0;
	char longer[300];
	struct err err;

	assert_true(!snc_host_drain_call(&site->developer, site->arena,
	    &(struct snc_host_drain_args){.host = "osaka"}, &result, &err));
	assert_equal(err.code, ERR_FORBIDDEN);
	assert_true(!drain(site, (struct snc_host_drain_args){.host = "sapporo"}, &n_slices, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!drain(site,
	    (struct snc_host_drain_args){.host = "osaka", .until_ms = {true, now - HOUR}},
	    &n_slices, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(!drain(site,
	    (struct snc_host_drain_args){
		.host = "osaka", .from_ms = {true, now + 2 * HOUR}, .until_ms = {true, now + HOUR}},
	    &n_slices, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	assert_true(!drain(site, (struct snc_host_drain_args){.host = "osaka", .reason = "a\nb"},
	    &n_slices, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_true(!drain(site, (struct snc_host_drain_args){.host = "osaka", .reason = longer},
	    &n_slices, &err));
	assert_equal(err.code, ERR_LIMIT);
	assert_text(host_shown(site, "osaka").maintenance, "");
	(void)drained(site, "osaka", 0, 0);
	undrained(site, "osaka");
	assert_true(snc_audit_list_call(
	    &site->noc, site->arena, &(struct snc_audit_list_args){-1}, &audit, &err));
	for (size_t i = 0; i < audit.n_records; i++)
		n_recorded += str_equal(audit.records[i].object, "osaka") &&
			      str_equal(audit.records[i].result, "ok") &&
			      strstr(audit.records[i].method, "drain");
	assert_equal(n_recorded, 2);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(check_find_and_create_leave_a_host_in_maintenance_out),
    TEST(what_ends_before_a_window_or_begins_behind_it_is_placed),
    TEST(a_window_without_an_end_is_not_helped_by_time_and_the_first_end_is_named),
    TEST(it_is_kept_over_a_restart_shown_and_ended),
    TEST(what_stands_there_stays_and_modify_puts_nothing_new_there),
    TEST(what_was_booked_before_starts_where_it_was_booked),
    TEST(optimise_moves_nodes_off),
    TEST(a_place_that_was_drained_meanwhile_is_looked_for_again),
    TEST(only_the_noc_says_so_and_what_makes_no_sense_is_refused),
};

suite_main("snc_drain", tests)
