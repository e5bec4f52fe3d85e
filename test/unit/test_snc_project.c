/*
 * Projects, quotas and usage over sncd's API: who sees and changes what; how much of what at every
 * instant, the same for check, find-slot, create, run, modify and renew; what was used, over
 * restarts.
 */
#include <stdio.h>
#include <stdlib.h>

#include "snc/calendar.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define HOUR 3600000LL

static int64_t
now_ms(struct fake_site *site)
{
	return clock_wall_ms(&site->clock);
}

static const char *
document_of(struct fake_site *site, const char *name, int cpu)
{
	return site_document(
	    site->arena, name, arena_format(site->arena, "node a cpu=%d : p\n", cpu));
}

/* A link with that rate in both directions between two hosts. */
static const char *
pair_of(struct fake_site *site, const char *name, const char *rate)
{
	return site_document(site->arena, name,
	    arena_format(site->arena,
		"node a : p\nnode b : p\nlink l bandwidth=%s : a.p b.p\namap a koganei\namap b "
		"nagoya\n",
		rate));
}

static struct rpc_opt_i64
instant(int64_t at_ms)
{
	return (struct rpc_opt_i64){at_ms != 0, at_ms};
}

/* What is made, by whom, where, when. */
struct wish {
	const struct rpc_client *client;
	const char *document, *project, *goal;
	int64_t from_ms, until_ms;
};

static bool
make(struct fake_site *site, const struct wish *wish, const char **id, struct err *err)
{
	static int n_ops;
	struct snc_slice_create_args args = {
	    .document = {wish->document, strlen(wish->document)},
	    .op_id = arena_format(site->arena, "make%d", ++n_ops),
	    .goal = wish->goal ? wish->goal : "RESERVED",
	    .from_ms = instant(wish->from_ms),
	    .until_ms = instant(wish->until_ms),
	    .project = wish->project,
	};
	struct snc_slice_create_result result;

	if (!snc_slice_create_call(wish->client, site->arena, &args, &result, err))
		return false;
	*id = result.id;
	return true;
}

static const char *
made(struct fake_site *site, const struct wish *wish)
{
	const char *id = "";
	struct err err = {0};
	bool is_good = make(site, wish, &id, &err);

	if (!is_good)
		printf("\n%s %s", err_code_text(err.code), err.text);
	assert_true(is_good);
	return id;
}

static struct err
refused(struct fake_site *site, const struct wish *wish)
{
	const char *id;
	struct err err = {0};

	assert_true(!make(site, wish, &id, &err));
	return err;
}

static struct snc_slice_check_result
check(struct fake_site *site, const struct wish *wish)
{
	struct snc_slice_check_args args = {{wish->document, strlen(wish->document)},
	    instant(wish->from_ms), instant(wish->until_ms), wish->project};
	struct snc_slice_check_result result;
	struct err err;

	assert_true(snc_slice_check_call(wish->client, site->arena, &args, &result, &err));
	return result;
}

static void
project(struct fake_site *site, const char *name, const char *owner)
{
	struct snc_project_create_args args = {name, "", owner};
	struct err err = {0};
	bool is_good = snc_project_create_call(
	    &site->noc, site->arena, &args, &(struct snc_project_create_result){}, &err);

	if (!is_good)
		printf("\n%s %s", err_code_text(err.code), err.text);
	assert_true(is_good);
}

static bool
join(const struct rpc_client *client, struct fake_site *site, const char *name, const char *user,
    const char *role, struct err *err)
{
	return snc_member_set_call(client, site->arena,
	    &(struct snc_member_set_args){name, user, role}, &(struct snc_member_set_result){},
	    err);
}

static void
joined(struct fake_site *site, const char *name, const char *user, const char *role)
{
	struct err err;

	assert_true(join(&site->noc, site, name, user, role, &err));
}

static void
limit(struct fake_site *site, const char *name, const char *scope, const char *what, int64_t amount)
{
	struct snc_limit_change change = {what, amount};
	struct snc_quota_set_args args = {
	    .project = name, .scope = scope, .limits = &change, .n_limits = 1};
	struct err err;

	assert_true(snc_quota_set_call(
	    &site->noc, site->arena, &args, &(struct snc_quota_set_result){}, &err));
}

static bool
sees(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct snc_slice_show_result shown;
	struct snc_slice_list_result list;
	struct err err;
	bool is_shown = snc_slice_show_call(
	    client, site->arena, &(struct snc_slice_show_args){slice}, &shown, &err);
	bool is_listed = false;

	assert_true(is_shown || err.code == ERR_NOT_FOUND);
	assert_true(
	    snc_slice_list_call(client, site->arena, &(struct snc_slice_list_args){}, &list, &err));
	for (size_t i = 0; i < list.n_slices; i++)
		is_listed = is_listed || !strcmp(list.slices[i].id, slice);
	assert_equal(is_shown, is_listed);
	return is_shown;
}

static enum err_code
run(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct err err = {0};

	return snc_slice_run_call(client, site->arena, &(struct snc_slice_run_args){slice},
		   &(struct snc_slice_run_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

static enum err_code
type_on(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct snc_console_read_args args = {slice, "a", -1, 0};
	struct err err = {0};

	return snc_console_read_call(
		   client, site->arena, &args, &(struct snc_console_read_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

static void
delete_slice(struct fake_site *site, const char *slice)
{
	struct err err;

	assert_true(snc_slice_delete_call(&site->noc, site->arena,
	    &(struct snc_slice_delete_args){slice}, &(struct snc_slice_delete_result){}, &err));
	assert_true(fake_wait(site, slice, "GONE") == NULL);
}

/* ---- who sees and changes what --------------------------------------------------------------- */

static void
who_is_in_no_project_is_as_before(void)
{
	struct fake_site *site = fake_site_new();
	const char *mine = made(site,
	    &(struct wish){.client = &site->developer, .document = document_of(site, "mine", 1)});
	struct snc_project_show_result shown;
	struct err err;

	assert_text("default", fake_wait(site, mine, "RESERVED")->project);
	assert_true(!sees(site, &site->other, mine));
	assert_equal(ERR_NOT_FOUND, run(site, &site->other, mine));
	assert_true(sees(site, &site->viewer, mine));
	assert_true(snc_project_show_call(
	    &site->other, site->arena, &(struct snc_project_show_args){NULL}, &shown, &err));
	assert_text("default", shown.projects[0].name);
	assert_equal(0, shown.n_members);
	for (size_t i = 0; i < shown.n_limits; i++) {
		assert_text("each", shown.limits[i].scope);
		assert_equal(-1, shown.limits[i].limit);
		assert_equal(0, shown.limits[i].used);
	}
	fake_site_free(site);
}

static void
role_in_a_project_decides_what_one_may(void)
{
	static const struct {
		const char *role; /* of dev2 in the project of dev1's slice */
		bool sees;
		enum err_code change, make;
	} cells[] = {
	    {NULL, false, ERR_NOT_FOUND, ERR_NOT_FOUND},
	    {"viewer", true, ERR_A02, ERR_A02},
	    {"member", true, ERR_A02, ERR_NONE},
	    {"owner", true, ERR_NONE, ERR_NONE},
	};
	struct fake_site *site = fake_site_new();
	const char *mine;

	project(site, "ring", "dev1");
	mine = made(site,
	    &(struct wish){.client = &site->developer, .document = document_of(site, "mine", 1)});
	assert_text("ring", fake_wait(site, mine, "RESERVED")->project);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct wish wish = {.client = &site->other,
		    .document = document_of(site, "other", 1),
		    .project = "ring"};
		struct err err = {0};
		const char *id;

		if (cells[i].role)
			joined(site, "ring", "dev2", cells[i].role);
		assert_equal(cells[i].sees, sees(site, &site->other, mine));
		assert_equal(cells[i].change, type_on(site, &site->other, mine));
		assert_equal(cells[i].change, run(site, &site->other, mine));
		assert_equal(cells[i].make == ERR_NONE, make(site, &wish, &id, &err));
		assert_equal(cells[i].make, err.code);
		assert_equal(!strcmp(cells[i].role ? cells[i].role : "", "owner"),
		    join(&site->other, site, "ring", "somebody", "viewer", &err));
		if (cells[i].make == ERR_NONE)
			delete_slice(site, id);
	}
	fake_site_free(site);
}

static bool
hears(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct snc_events_result result;
	struct err err;

	assert_true(snc_events_call(
	    client, site->arena, &(struct snc_events_args){-1, NULL, 0}, &result, &err));
	for (size_t i = 0; i < result.n_events; i++)
		if (!strcmp(result.events[i].slice, slice))
			return true;
	return false;
}

static void
who_leaves_a_project_sees_it_no_more(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_member_remove_args leave = {"ring", "dev2"};
	const char *mine, *theirs;
	struct err err;

	project(site, "ring", "dev1");
	joined(site, "ring", "dev2", "member");
	mine = made(site,
	    &(struct wish){.client = &site->developer, .document = document_of(site, "mine", 1)});
	theirs = made(site, &(struct wish){.client = &site->other,
				.document = document_of(site, "theirs", 1),
				.goal = "DEFINED"});
	assert_true(sees(site, &site->other, mine) && hears(site, &site->other, "mine"));

	assert_true(snc_member_remove_call(
	    &site->other, site->arena, &leave, &(struct snc_member_remove_result){}, &err));

	assert_true(!sees(site, &site->other, mine) && !hears(site, &site->other, "mine"));
	assert_true(sees(site, &site->other, theirs)); /* his own all the same */
	assert_equal(ERR_NOT_FOUND, run(site, &site->other, theirs));
	fake_site_free(site);
}

static void
project_is_named_where_several_are_possible(void)
{
	struct fake_site *site = fake_site_new();
	struct wish wish = {.client = &site->developer, .document = document_of(site, "mine", 1)};

	project(site, "ring", "dev1");
	project(site, "star", "dev1");
	project(site, "mesh", "dev2");
	assert_equal(ERR_BAD_VALUE, refused(site, &wish).code);
	wish.project = "default";
	assert_equal(ERR_A02, refused(site, &wish).code);
	wish.project = "mesh";
	assert_equal(ERR_NOT_FOUND, refused(site, &wish).code);
	wish.project = "star";
	assert_text("star", fake_wait(site, made(site, &wish), "RESERVED")->project);
	fake_site_free(site);
}

static void
project_with_slices_is_not_forgotten(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_project_delete_args args = {"ring"};
	struct snc_project_create_args again = {"ring", "", NULL}, odd = {"../etc", "", NULL};
	const char *mine;
	struct err err;

	project(site, "ring", "dev1");
	mine = made(site,
	    &(struct wish){.client = &site->developer, .document = document_of(site, "mine", 1)});
	assert_true(!snc_project_delete_call(
	    &site->noc, site->arena, &args, &(struct snc_project_delete_result){}, &err));
	assert_equal(ERR_CONFLICT, err.code);
	assert_true(!snc_project_create_call(
	    &site->noc, site->arena, &again, &(struct snc_project_create_result){}, &err));
	assert_equal(ERR_CONFLICT, err.code);
	assert_true(!snc_project_create_call(
	    &site->noc, site->arena, &odd, &(struct snc_project_create_result){}, &err));
	assert_equal(ERR_BAD_NAME, err.code);
	assert_true(!snc_project_create_call(
	    &site->developer, site->arena, &again, &(struct snc_project_create_result){}, &err));
	assert_equal(ERR_FORBIDDEN, err.code);
	delete_slice(site, mine);
	assert_true(snc_project_delete_call(
	    &site->noc, site->arena, &args, &(struct snc_project_delete_result){}, &err));
	fake_site_free(site);
}

/* ---- quotas ---------------------------------------------------------------------------------- */

static void
refusal_names_what_is_wanted_used_and_allowed(void)
{
	struct fake_site *site = fake_site_new();
	struct wish first = {.client = &site->developer, .document = document_of(site, "first", 2)},
		    second = {
			.client = &site->developer, .document = document_of(site, "second", 2)};
	struct snc_slice_check_result checked;
	struct err err;

	project(site, "ring", "dev1");
	limit(site, "ring", "project", "cpu", 3);
	made(site, &first);
	err = refused(site, &second);
	assert_equal(ERR_A03, err.code);
	assert_text("cpu: 2 wanted, 2 used then, 3 allowed", err.text);
	assert_text("quota of project 'ring'", err.subject);
	assert_true(strstr(err.hint, "1 is left") != NULL);
	checked = check(site, &second);
	assert_true(!checked.feasible);
	assert_text("A03", checked.diagnoses[0].code);
	limit(site, "ring", "project", "cpu", 4);
	assert_true(check(site, &second).feasible);
	made(site, &second);
	fake_site_free(site);
}

static void
each_user_has_a_share_and_the_site_a_default(void)
{
	struct fake_site *site = fake_site_new();
	struct wish mine = {.client = &site->developer, .document = document_of(site, "one", 1)},
		    theirs = {.client = &site->other, .document = document_of(site, "theirs", 1)};
	const char *first;
	struct err err;

	project(site, "ring", "dev1");
	joined(site, "ring", "dev2", "member");
	limit(site, NULL, "each", "slices", 1);
	first = made(site, &mine);
	mine.document = document_of(site, "two", 1);
	mine.goal = "DEFINED";
	err = refused(site, &mine);
	assert_equal(ERR_A03, err.code);
	assert_text("quota of 'dev1' in project 'ring'", err.subject);
	made(site, &theirs);
	limit(site, "ring", "each", "slices", -1);
	made(site, &mine);
	limit(site, "ring", "each", "slices", -2);
	mine.document = document_of(site, "three", 1);
	assert_equal(ERR_A03, refused(site, &mine).code);
	delete_slice(site, first);
	assert_equal(ERR_A03, refused(site, &mine).code); /* `two` is still there */
	fake_site_free(site);
}

/* What is found can be made, and nothing before it. */
static void
check_find_slot_and_create_count_alike_in_time(void)
{
	struct fake_site *site = fake_site_new();
	int64_t start_ms = now_ms(site) + HOUR;
	struct wish wish = {.client = &site->developer,
	    .document = document_of(site, "first", 2),
	    .from_ms = start_ms,
	    .until_ms = start_ms + HOUR};
	struct snc_slice_find_slot_args search = {
	    .duration_ms = instant(HOUR), .after_ms = instant(start_ms)};
	struct snc_slice_find_slot_result slot;
	struct err err;

	project(site, "ring", "dev1");
	limit(site, "ring", "project", "cpu", 3);
	made(site, &wish);
	wish.document = document_of(site, "second", 2);
	assert_equal(ERR_A03, refused(site, &wish).code);
	assert_true(!check(site, &wish).feasible);
	search.document = (struct rpc_blob){wish.document, strlen(wish.document)};
	assert_true(snc_slice_find_slot_call(&site->developer, site->arena, &search, &slot, &err));
	assert_true(slot.found && slot.from_ms > start_ms + HOUR);
	wish.from_ms = slot.from_ms - 1000;
	wish.until_ms = slot.until_ms - 1000;
	assert_equal(ERR_A03, refused(site, &wish).code);
	wish.from_ms = slot.from_ms;
	wish.until_ms = slot.until_ms;
	assert_true(check(site, &wish).feasible);
	made(site, &wish);
	fake_site_free(site);
}

static enum err_code
modify(struct fake_site *site, const char *slice, const char *document)
{
	struct snc_slice_modify_args args = {slice, {document, strlen(document)}, false, false};
	struct err err = {0};

	return snc_slice_modify_call(
		   &site->developer, site->arena, &args, &(struct snc_slice_modify_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

static int64_t
used(struct fake_site *site, const char *what)
{
	struct snc_project_show_result shown;
	struct err err;

	assert_true(snc_project_show_call(
	    &site->developer, site->arena, &(struct snc_project_show_args){"ring"}, &shown, &err));
	for (size_t i = 0; i < shown.n_limits; i++)
		if (!strcmp(shown.limits[i].what, what) &&
		    !strcmp(shown.limits[i].scope, "project"))
			return shown.limits[i].used;
	return -1;
}

static void
run_and_modify_are_within_the_quota_too(void)
{
	struct fake_site *site = fake_site_new();
	struct wish wish = {.client = &site->developer,
	    .document = pair_of(site, "pair", "40Mbps"),
	    .goal = "DEFINED"};
	const char *id;

	project(site, "ring", "dev1");
	limit(site, "ring", "project", "rate", 30000000);
	id = made(site, &wish);
	assert_equal(0, used(site, "rate"));
	assert_equal(ERR_A03, run(site, &site->developer, id));
	assert_equal(ERR_NONE, modify(site, id, pair_of(site, "pair", "20Mbps")));
	assert_equal(ERR_NONE, run(site, &site->developer, id));
	assert_text("RUNNING", fake_wait(site, id, "RUNNING")->state);
	assert_equal(20000000, used(site, "rate"));
	assert_equal(ERR_A03, modify(site, id, pair_of(site, "pair", "31Mbps")));
	assert_equal(20000000, used(site, "rate"));
	assert_equal(ERR_NONE, modify(site, id, pair_of(site, "pair", "30Mbps")));
	assert_text("RUNNING", fake_wait(site, id, NULL)->state);
	assert_equal(30000000, used(site, "rate"));
	limit(site, "ring", "project", "rate", 10000000); /* what is there stays, and may shrink */
	assert_equal(ERR_NONE, modify(site, id, pair_of(site, "pair", "25Mbps")));
	assert_text("RUNNING", fake_wait(site, id, NULL)->state);
	assert_equal(25000000, used(site, "rate"));
	fake_site_free(site);
}

static void
modify_that_is_rolled_back_gives_its_claim_back(void)
{
	struct fake_site *site = fake_site_new();
	struct wish wish = {.client = &site->developer,
	    .document = pair_of(site, "pair", "20Mbps"),
	    .goal = "RUNNING"};
	const char *id;

	project(site, "ring", "dev1");
	id = made(site, &wish);
	assert_text("RUNNING", fake_wait(site, id, "RUNNING")->state);
	fake_manager(site, "tnc@ctl")->refuse_code = ERR_R03;
	assert_equal(ERR_NONE, modify(site, id, pair_of(site, "pair", "90Mbps")));
	assert_text("R03", fake_wait(site, id, NULL)->code);
	fake_manager(site, "tnc@ctl")->refuse_code = 0;
	for (int i = 0; i < 100 && used(site, "rate") != 20000000; i++) {
		int64_t rung = events_rung(site->snc->events);

		(void)events_wait(site->snc->events, rung, 100);
	}
	assert_equal(20000000, used(site, "rate"));
	fake_site_free(site);
}

static bool
renew(struct fake_site *site, const char *slice, int64_t until_ms, struct err *err)
{
	return snc_slice_renew_call(&site->developer, site->arena,
	    &(struct snc_slice_renew_args){slice, instant(until_ms)},
	    &(struct snc_slice_renew_result){}, err);
}

/* 100 Mbps for 2 h are 200 Mbps x h, grace included. */
static void
hours_are_promised_to_the_end_of_a_lease(void)
{
	struct fake_site *site = fake_site_new();
	int64_t start_ms = now_ms(site) + HOUR;
	struct wish wish = {.client = &site->developer,
	    .document = pair_of(site, "pair", "100Mbps"),
	    .from_ms = start_ms};
	struct err err;
	const char *id;

	project(site, "ring", "dev1");
	limit(site, "ring", "project", "rate-hours", 200000000);
	err = refused(site, &wish);
	assert_equal(ERR_A03, err.code);
	assert_true(strstr(err.text, "without an end") && strstr(err.hint, "--until "));
	wish.until_ms = start_ms + 2 * HOUR; /* its grace is too much */
	err = refused(site, &wish);
	assert_equal(ERR_A03, err.code);
	wish.until_ms = start_ms + HOUR;
	id = made(site, &wish);
	assert_true(used(site, "rate-hours") >= 100000000);
	assert_true(used(site, "rate-hours") <= 120000000);
	assert_true(!renew(site, id, start_ms + 3 * HOUR, &err));
	assert_equal(ERR_A03, err.code);
	assert_true(!renew(site, id, 0, &err));
	assert_equal(ERR_A03, err.code);
	assert_true(renew(site, id, start_ms + 3 * HOUR / 2, &err));
	assert_true(used(site, "rate-hours") >= 150000000);
	wish.document = pair_of(site, "more", "100Mbps");
	assert_equal(ERR_A03, refused(site, &wish).code);
	delete_slice(site, id); /* it never began */
	assert_equal(0, used(site, "rate-hours"));
	made(site, &wish);
	fake_site_free(site);
}

/* ---- usage ----------------------------------------------------------------------------------- */

static struct snc_usage
usage_of(struct fake_site *site, const struct rpc_client *client, const char *user,
    struct lease_wish period)
{
	struct snc_usage_args args = {
	    NULL, user, instant(period.from_ms), instant(period.until_ms)};
	struct snc_usage_result result;
	struct err err;

	assert_true(snc_usage_call(client, site->arena, &args, &result, &err));
	return result.n_usage ? result.usage[0] : (struct snc_usage){0};
}

static bool
is_about(int64_t value, int64_t wanted)
{
	return value >= wanted && value <= wanted + wanted / 10;
}

static void
usage_is_what_was_held_for_how_long(void)
{
	struct fake_site *site = fake_site_new();
	struct wish wish = {
	    .client = &site->developer, .document = pair_of(site, "pair", "50Mbps")};
	int64_t start_ms = now_ms(site);
	struct snc_usage usage;
	const char *id = made(site, &wish);

	assert_text("RESERVED", fake_wait(site, id, "RESERVED")->state);
	fake_site_pass(site, 2 * HOUR);
	assert_equal(ERR_NONE, modify(site, id, pair_of(site, "pair", "100Mbps")));
	assert_text("RESERVED", fake_wait(site, id, NULL)->state);
	fake_site_restart_snc(site);
	fake_site_pass(site, HOUR);
	usage = usage_of(site, &site->developer, NULL, (struct lease_wish){0});
	assert_text("default", usage.project);
	assert_text("dev1", usage.user);
	assert_equal(1, usage.n_slices);
	assert_true(is_about(usage.slice_seconds, 3 * 3600));
	assert_true(is_about(usage.cpu_seconds, 2 * 3 * 3600));
	assert_true(is_about(usage.rate_bps_hours, 2 * 50000000 + 100000000));
	usage = usage_of(site, &site->noc, "dev1", (struct lease_wish){start_ms, start_ms + HOUR});
	assert_true(usage.rate_bps_hours <= 50000000 && usage.rate_bps_hours > 45000000);
	assert_equal(0, usage_of(site, &site->other, NULL, (struct lease_wish){0}).n_slices);
	delete_slice(site, id);
	fake_site_pass(site, 5 * HOUR);
	fake_site_restart_snc(site);
	usage = usage_of(site, &site->viewer, "dev1", (struct lease_wish){0});
	assert_true(is_about(usage.slice_seconds, 3 * 3600));
	fake_site_free(site);
}

static void
project_sees_the_usage_of_all_in_it(void)
{
	struct fake_site *site = fake_site_new();

	project(site, "ring", "dev1");
	made(site,
	    &(struct wish){.client = &site->developer, .document = document_of(site, "mine", 3)});
	fake_site_pass(site, HOUR);
	assert_equal(0, usage_of(site, &site->other, NULL, (struct lease_wish){0}).n_slices);
	joined(site, "ring", "dev2", "viewer");
	assert_true(is_about(
	    usage_of(site, &site->other, "dev1", (struct lease_wish){0}).cpu_seconds, 3 * 3600));
	fake_site_free(site);
}

/* ---- against a count of every instant -------------------------------------------------------- */

struct booked {
	int64_t from_ms, until_ms;
	int cpu;
};

/* The most CPUs that are booked at one instant of a window: demand only grows at starts. */
static int
most_at_once(const struct booked *booked, size_t n, struct calendar_span window)
{
	int most = 0;

	for (size_t i = 0; i <= n; i++) {
		int64_t at_ms = i < n ? booked[i].from_ms : window.from_ms;
		int now = 0;

		if (at_ms < window.from_ms)
			at_ms = window.from_ms;
		if (at_ms >= window.until_ms)
			continue;
		for (size_t k = 0; k < n; k++)
			if (booked[k].from_ms <= at_ms && booked[k].until_ms > at_ms)
				now += booked[k].cpu;
		most = now > most ? now : most;
	}
	return most;
}

static void
quota_is_never_exceeded_at_any_instant(void)
{
	enum { ROUNDS = 40, ALLOWED = 4 };
	struct fake_site *site = fake_site_new();
	int64_t base_ms = (now_ms(site) / 1000 + 3600) * 1000;
	struct booked booked[ROUNDS];
	unsigned seed = 7;
	size_t n = 0;

	project(site, "ring", "dev1");
	limit(site, "ring", "project", "cpu", ALLOWED);
	for (int i = 0; i < ROUNDS; i++) {
		int64_t from_ms = base_ms + rand_r(&seed) % 30 * 60000;
		int64_t until_ms = from_ms + (1 + rand_r(&seed) % 10) * 60000;
		int cpu = 1 + rand_r(&seed) % 3;
		/* its grace is a tenth of its time */
		struct calendar_span window = {from_ms, until_ms + (until_ms - from_ms) / 10};
		bool should_fit = most_at_once(booked, n, window) + cpu <= ALLOWED;
		struct wish wish = {.client = &site->developer,
		    .document = document_of(site, arena_format(site->arena, "s%d", i), cpu),
		    .from_ms = from_ms,
		    .until_ms = until_ms};
		struct err err = {0};
		const char *id;

		assert_equal(should_fit, check(site, &wish).feasible);
		assert_equal(should_fit, make(site, &wish, &id, &err));
		assert_equal(should_fit ? ERR_NONE : ERR_A03, err.code);
		if (should_fit)
			booked[n++] = (struct booked){window.from_ms, window.until_ms, cpu};
	}
	assert_true(n > 3 && n < ROUNDS);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(who_is_in_no_project_is_as_before),
    TEST(role_in_a_project_decides_what_one_may),
    TEST(who_leaves_a_project_sees_it_no_more),
    TEST(project_is_named_where_several_are_possible),
    TEST(project_with_slices_is_not_forgotten),
    TEST(refusal_names_what_is_wanted_used_and_allowed),
    TEST(each_user_has_a_share_and_the_site_a_default),
    TEST(check_find_slot_and_create_count_alike_in_time),
    TEST(run_and_modify_are_within_the_quota_too),
    TEST(modify_that_is_rolled_back_gives_its_claim_back),
    TEST(hours_are_promised_to_the_end_of_a_lease),
    TEST(usage_is_what_was_held_for_how_long),
    TEST(project_sees_the_usage_of_all_in_it),
    TEST(quota_is_never_exceeded_at_any_instant),
};

suite_main("snc_project", tests)
