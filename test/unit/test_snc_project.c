/*
 * Projects over sncd's API: who sees, makes and changes what.
 */
#include "test/support/fake_tenant.h"
#include "test/support/suite.h"

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
type_on(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct snc_console_read_args args = {slice, "a", -1, 0};
	struct err err = {0};

	return snc_console_read_call(
		   client, site->arena, &args, &(struct snc_console_read_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

/* ---- who sees and changes what --------------------------------------------------------------- */

static void
who_is_in_no_project_is_as_before(void)
{
	struct fake_site *site = fake_site_new();
	const char *mine = tenant_made(site, &(struct tenant_wish){.client = &site->developer,
						 .document = tenant_document(site, "mine", 1)});
	struct snc_project_show_result shown;
	struct err err;

	assert_text("default", fake_wait(site, mine, "RESERVED")->project);
	assert_true(!sees(site, &site->other, mine));
	assert_equal(ERR_NOT_FOUND, tenant_run(site, &site->other, mine));
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

	tenant_project(site, "ring", "dev1");
	mine = tenant_made(site, &(struct tenant_wish){.client = &site->developer,
				     .document = tenant_document(site, "mine", 1)});
	assert_text("ring", fake_wait(site, mine, "RESERVED")->project);
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
		struct tenant_wish wish = {.client = &site->other,
		    .document = tenant_document(site, "other", 1),
		    .project = "ring"};
		struct err err = {0};
		const char *id;

		if (cells[i].role)
			tenant_joined(site, "ring", "dev2", cells[i].role);
		assert_equal(cells[i].sees, sees(site, &site->other, mine));
		assert_equal(cells[i].change, type_on(site, &site->other, mine));
		assert_equal(cells[i].change, tenant_run(site, &site->other, mine));
		assert_equal(cells[i].make == ERR_NONE, tenant_make(site, &wish, &id, &err));
		assert_equal(cells[i].make, err.code);
		assert_equal(!strcmp(cells[i].role ? cells[i].role : "", "owner"),
		    tenant_join(&site->other, site, "ring", "somebody", "viewer", &err));
		if (cells[i].make == ERR_NONE)
			tenant_delete(site, id);
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

	tenant_project(site, "ring", "dev1");
	tenant_joined(site, "ring", "dev2", "member");
	mine = tenant_made(site, &(struct tenant_wish){.client = &site->developer,
				     .document = tenant_document(site, "mine", 1)});
	theirs = tenant_made(site, &(struct tenant_wish){.client = &site->other,
				       .document = tenant_document(site, "theirs", 1),
				       .goal = "DEFINED"});
	assert_true(sees(site, &site->other, mine) && hears(site, &site->other, "mine"));

	assert_true(snc_member_remove_call(
	    &site->other, site->arena, &leave, &(struct snc_member_remove_result){}, &err));

	assert_true(!sees(site, &site->other, mine) && !hears(site, &site->other, "mine"));
	assert_true(sees(site, &site->other, theirs)); /* his own all the same */
	assert_equal(ERR_NOT_FOUND, tenant_run(site, &site->other, theirs));
	fake_site_free(site);
}

static void
project_is_named_where_several_are_possible(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {
	    .client = &site->developer, .document = tenant_document(site, "mine", 1)};

	tenant_project(site, "ring", "dev1");
	tenant_project(site, "star", "dev1");
	tenant_project(site, "mesh", "dev2");
	assert_equal(ERR_BAD_VALUE, tenant_refused(site, &wish).code);
	wish.project = "default";
	assert_equal(ERR_A02, tenant_refused(site, &wish).code);
	wish.project = "mesh";
	assert_equal(ERR_NOT_FOUND, tenant_refused(site, &wish).code);
	wish.project = "star";
	assert_text("star", fake_wait(site, tenant_made(site, &wish), "RESERVED")->project);
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

	tenant_project(site, "ring", "dev1");
	mine = tenant_made(site, &(struct tenant_wish){.client = &site->developer,
				     .document = tenant_document(site, "mine", 1)});
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
	tenant_delete(site, mine);
	assert_true(snc_project_delete_call(
	    &site->noc, site->arena, &args, &(struct snc_project_delete_result){}, &err));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(who_is_in_no_project_is_as_before),
    TEST(role_in_a_project_decides_what_one_may),
    TEST(who_leaves_a_project_sees_it_no_more),
    TEST(project_is_named_where_several_are_possible),
    TEST(project_with_slices_is_not_forgotten),
};

suite_main("snc_project", tests)
