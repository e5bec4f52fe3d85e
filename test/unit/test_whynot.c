/*
 * What a refused slice is told: every fault with what was asked, what is free, and where; and what
 * would fit instead, which then does fit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/when.h"
#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

#define SECOND 1000LL

static struct snc_slice_check_result
check(struct fake_site *site, const char *lines)
{
	const char *document = site_document(site->arena, "s", lines);
	struct snc_slice_check_args args = {.document = {document, strlen(document)}};
	struct snc_slice_check_result result;
	struct err err;

	args.until_ms.is_set = true;
	args.until_ms.value = clock_wall_ms(&site->clock) + 60 * SECOND;
	assert_true(snc_slice_check_call(&site->developer, site->arena, &args, &result, &err));
	return result;
}

/* As text; of a start only that there is one, for it is another in each run. */
static void
compare(struct fake_site *site, const char *golden, const char *lines)
{
	struct snc_slice_check_result result = check(site, lines);
	auto_str struct str text = {0};

	assert_true(!result.feasible);
	str_addf(&text, "%s\n", lines);
	for (size_t i = 0; i < result.n_diagnoses; i++) {
		const struct snc_diagnosis *found = &result.diagnoses[i];

		if (!strcmp(found->severity, "error"))
			str_addf(&text, "%s line %lld, %s: %s\n    %s\n", found->code,
			    (long long)found->line, found->subject, found->message, found->hint);
	}
	for (size_t i = 0; i < result.n_remedies; i++) {
		const struct snc_remedy *remedy = &result.remedies[i];
		bool is_start = !strcmp(remedy->what, "start");

		str_addf(&text, "%s, line %lld, %s: %s %s instead of %s\n", remedy->kind,
		    (long long)remedy->line, remedy->subject, remedy->what,
		    is_start ? "TIME" : remedy->offered, remedy->wanted);
	}
	str_addf(&text, "time %s\n", result.time_helps ? "helps" : "does not help");
	test_golden(golden, str_text(&text));
	assert_equal(fake_objects(site), 0);
}

static const char *
offered(struct fake_site *site, const char *lines, const char *kind, const char *what)
{
	struct snc_slice_check_result result = check(site, lines);

	return tenant_offered(&result, kind, what);
}

/* Three CPUs of koganei are held for a while, by a slice without a machine yet. */
static void
fill_koganei(struct fake_site *site)
{
	const char *document =
	    site_document(site->arena, "full", "node a cpu=3 : p\namap a koganei\n");
	int64_t now_ms = clock_wall_ms(&site->clock);
	struct snc_slice_create_args args = {
	    .document = {document, strlen(document)},
	    .op_id = "full",
	    .from_ms = {true, now_ms + 10 * SECOND},
	    .until_ms = {true, now_ms + 100 * SECOND},
	};
	struct snc_slice_create_result result;
	struct err err;

	assert_true(snc_slice_create_call(&site->developer, site->arena, &args, &result, &err));
}

static void
nodes_too_large_for_any_host_are_all_named(void)
{
	struct fake_site *site = fake_site_new();

	compare(site, "whynot/large.txt",
	    "node a cpu=9 memory=1GiB : p\nnode b memory=99GiB : p\n"
	    "node c : p\namap c nagoya\n");
	fake_site_free(site);
}

static void
a_host_that_others_have_booked_is_told_with_places_sizes_and_times_that_fit(void)
{
	struct fake_site *site = fake_site_new();

	fill_koganei(site);
	compare(site, "whynot/booked.txt",
	    "node a cpu=2 : p\nnode b cpu=1 : p\nlink l bandwidth=10Mbps : a.p b.p\n"
	    "amap a koganei\namap b nagoya\n");
	fake_site_free(site);
}

static void
a_link_too_fast_and_one_too_far_are_told_with_what_the_paths_have(void)
{
	struct fake_site *site = fake_site_new();

	compare(site, "whynot/links.txt",
	    "node a : p q\nnode b : p q\nlink fast bandwidth=1500Mbps : a.p b.p\n"
	    "link near bandwidth=1Mbps latency=100us : a.q b.q\namap a koganei\namap b nagoya\n");
	fake_site_free(site);
}

static void
a_whole_that_no_part_forbids_is_told_too(void)
{
	struct fake_site *site = fake_site_new();

	compare(site, "whynot/whole.txt",
	    "node a cpu=3 : p\nnode b cpu=3 : p\nnode c cpu=3 : p\nnode d cpu=3 : p\n");
	fake_site_free(site);
}

static void
what_is_offered_fits(void)
{
	static const char by_cpu[] = "node a cpu=%s : p\namap a %s\n";
	static const char by_link[] = "node a : p\nnode b : p\nlink l %s=%s : a.p b.p\n"
				      "amap a koganei\namap b nagoya\n";
	struct fake_site *site = fake_site_new();
	struct arena *arena = site->arena;
	const char *asked = arena_format(arena, by_cpu, "2", "koganei"), *better;

	fill_koganei(site);
	better = offered(site, asked, "elsewhere", "host");
	assert_true(check(site, arena_format(arena, by_cpu, "2", better)).feasible);
	better = offered(site, asked, "smaller", "cpu");
	assert_true(check(site, arena_format(arena, by_cpu, better, "koganei")).feasible);
	asked = arena_format(arena, by_link, "bandwidth", "2Gbps");
	better = offered(site, asked, "smaller", "bandwidth");
	assert_true(check(site, arena_format(arena, by_link, "bandwidth", better)).feasible);
	asked = arena_format(arena, by_link, "latency", "1500us");
	better = offered(site, asked, "smaller", "latency");
	assert_true(check(site, arena_format(arena, by_link, "latency", better)).feasible);
	fake_site_free(site);
}

static void
a_start_that_is_offered_is_the_first_that_fits(void)
{
	struct fake_site *site = fake_site_new();
	const char *lines = "node a cpu=2 : p\namap a koganei\n";
	const char *document = site_document(site->arena, "s", lines);
	struct snc_slice_check_args args = {.document = {document, strlen(document)}};
	struct snc_slice_check_result result;
	struct err err;
	int64_t start_ms;

	fill_koganei(site);
	assert_true(when_parse(offered(site, lines, "later", "start"), 0, &start_ms, &err));
	args.from_ms = (struct rpc_opt_i64){true, start_ms};
	assert_true(snc_slice_check_call(&site->developer, site->arena, &args, &result, &err));
	assert_true(result.feasible);
	args.from_ms.value--;
	assert_true(snc_slice_check_call(&site->developer, site->arena, &args, &result, &err));
	assert_true(!result.feasible);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(nodes_too_large_for_any_host_are_all_named),
    TEST(a_host_that_others_have_booked_is_told_with_places_sizes_and_times_that_fit),
    TEST(a_link_too_fast_and_one_too_far_are_told_with_what_the_paths_have),
    TEST(a_whole_that_no_part_forbids_is_told_too),
    TEST(what_is_offered_fits),
    TEST(a_start_that_is_offered_is_the_first_that_fits),
};

suite_main("whynot", tests)
