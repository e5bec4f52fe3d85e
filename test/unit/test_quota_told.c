/*
 * What is told about quotas beside yes and no: what is wanted, used and allowed, what would be
 * within them, and when, all of it tried.
 */
#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define HOUR 3600000LL

static void
refusal_names_what_is_wanted_used_and_allowed(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish first = {.client = &site->developer,
			       .document = tenant_document(site, "first", 2)},
			   second = {.client = &site->developer,
			       .document = tenant_document(site, "second", 2)};
	struct snc_slice_check_result checked;
	struct err err;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "cpu", 3);
	tenant_made(site, &first);
	err = tenant_refused(site, &second);
	assert_equal(ERR_A03, err.code);
	assert_text("cpu: 2 wanted, 2 used then, 3 allowed", err.text);
	assert_text("quota of project 'ring'", err.subject);
	assert_true(strstr(err.hint, "1 is left") != NULL);
	checked = tenant_check(site, &second);
	assert_true(!checked.feasible);
	assert_text("A03", checked.diagnoses[0].code);
	tenant_limit(site, "ring", "project", "cpu", 4);
	assert_true(tenant_check(site, &second).feasible);
	tenant_made(site, &second);
	fake_site_free(site);
}

/* Fewer nodes, smaller nodes, slower links: each as large as the quota allows, and no larger. */
static void
refusal_offers_what_fits_the_quota(void)
{
	static const char lines[] = "node a cpu=%d : p\nnode b cpu=%d : p q\nnode c cpu=%d : p\n"
				    "link l bandwidth=%dMbps : a.p b.p\n"
				    "link m bandwidth=%dMbps : b.q c.p\n";
	struct fake_site *site = fake_site_new();
	struct arena *arena = site->arena;
	struct tenant_wish wish = {.client = &site->developer};
	struct snc_slice_check_result checked;

	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "rate", 50000000);
	wish.document = site_document(arena, "s", arena_format(arena, lines, 1, 1, 1, 40, 40));
	checked = tenant_check(site, &wish);
	assert_text("24.8Mbps", tenant_offered(&checked, "smaller", "bandwidth"));
	wish.document = site_document(arena, "s", arena_format(arena, lines, 1, 1, 1, 24, 24));
	assert_true(tenant_check(site, &wish).feasible);
	tenant_limit(site, "ring", "project", "cpu", 2);
	checked = tenant_check(site, &wish);
	assert_text("2", tenant_offered(&checked, "smaller", "nodes"));
	tenant_limit(site, "ring", "project", "cpu", 6);
	wish.document = site_document(arena, "s", arena_format(arena, lines, 3, 3, 3, 24, 24));
	checked = tenant_check(site, &wish);
	assert_text("2", tenant_offered(&checked, "smaller", "cpu"));
	wish.document = site_document(arena, "s", arena_format(arena, lines, 2, 2, 2, 24, 24));
	tenant_made(site, &wish);
	fake_site_free(site);
}

/* And not before; a name is told to who may know it. */
static void
refusal_names_the_slice_whose_end_frees_enough(void)
{
	struct fake_site *site = fake_site_new();
	int64_t now_ms = tenant_now_ms(site) / 1000 * 1000;
	struct tenant_wish first = {.client = &site->developer,
			       .document = tenant_document(site, "first", 1),
			       .until_ms = now_ms + HOUR},
			   second = {.client = &site->other,
			       .document = tenant_document(site, "second", 2),
			       .until_ms = now_ms + 2 * HOUR},
			   third = {.client = &site->developer,
			       .document = tenant_document(site, "third", 2),
			       .until_ms = now_ms + HOUR};
	struct err err;

	tenant_limit(site, NULL, "project", "cpu", 3);
	tenant_made(site, &first);
	tenant_made(site, &second);
	err = tenant_refused(site, &third);
	assert_true(strstr(err.hint, "when a slice of others has ended, ") != NULL);
	assert_true(strstr(err.hint, "second") == NULL);
	tenant_project(site, "ring", "dev1");
	tenant_joined(site, "ring", "dev2", "member");
	tenant_limit(site, "ring", "project", "cpu", 3);
	first.document = tenant_document(site, "uno", 1);
	second.document = tenant_document(site, "due", 2);
	tenant_made(site, &first);
	tenant_made(site, &second);
	err = tenant_refused(site, &third);
	assert_true(strstr(err.hint, "when 'due' has ended, ") != NULL);
	third.from_ms = now_ms + 2 * HOUR + HOUR / 6; /* its grace is ten minutes at most */
	third.until_ms = third.from_ms + HOUR;
	tenant_made(site, &third);
	third.document = tenant_document(site, "fourth", 4);
	err = tenant_refused(site, &third);
	assert_true(strstr(err.hint, "has ended") == NULL);
	fake_site_free(site);
}

static void
check_shows_what_would_be_used_of_each_quota(void)
{
	struct fake_site *site = fake_site_new();
	struct tenant_wish wish = {
	    .client = &site->developer, .document = tenant_document(site, "first", 2)};
	struct snc_slice_check_result checked;

	assert_equal(0, tenant_check(site, &wish).n_quotas);
	tenant_limit(site, NULL, "each", "cpu", 8);
	tenant_limit(site, NULL, "project", "cpu", 16); /* of `default`: the operators' to know */
	tenant_made(site, &wish);
	wish.document = tenant_pair(site, "second", "40Mbps");
	wish.until_ms = tenant_now_ms(site) + HOUR;
	checked = tenant_check(site, &wish);
	assert_equal(1, checked.n_quotas);
	assert_text("each", checked.quotas[0].scope);
	assert_text("cpu", checked.quotas[0].what);
	assert_equal(2, checked.quotas[0].wanted);
	assert_equal(2, checked.quotas[0].used);
	assert_equal(8, checked.quotas[0].limit);
	tenant_project(site, "ring", "dev1");
	tenant_limit(site, "ring", "project", "rate-hours", 30000000);
	checked = tenant_check(site, &wish);
	assert_true(!checked.feasible);
	assert_equal(3, checked.n_quotas);
	assert_text("rate-hours", checked.quotas[1].what);
	assert_true(checked.quotas[1].wanted >= 40000000 && checked.quotas[1].wanted <= 44000000);
	wish.until_ms = 0;
	assert_equal(-1, tenant_check(site, &wish).quotas[1].wanted);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(refusal_names_what_is_wanted_used_and_allowed),
    TEST(refusal_offers_what_fits_the_quota),
    TEST(refusal_names_the_slice_whose_end_frees_enough),
    TEST(check_shows_what_would_be_used_of_each_quota),
};

suite_main("quota_told", tests)
