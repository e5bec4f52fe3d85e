/*
 * Admission by choice: the rule, which is the benchmark's too; and that check, find-slot, create,
 * modify, renew and run give one answer, with what would be admitted instead.
 */
#include "lib/base/when.h"
#include "test/support/fake_tenant.h"
#include "test/support/suite.h"

#define HOUR 3600000LL

/* ---- the rule -------------------------------------------------------------------------------- */

/* Of a site of 100 CPUs and 100 of rate, at that load: so much for each CPU and rate, over so many
 * hops, beside a thousand who asked for 1 with a life of 10. */
static double
part_of(double load, double size, double n_hops, double life)
{
	struct admission_case asked = {
	    .size = {{[ADMISSION_CPU] = 100, [ADMISSION_RATE] = 100}},
	    .used = {{[ADMISSION_CPU] = load, [ADMISSION_RATE] = load}},
	    .asked = {{[ADMISSION_CPU] = size, [ADMISSION_RATE] = size}},
	    .takes = {{[ADMISSION_CPU] = size, [ADMISSION_RATE] = size * n_hops}},
	    .life = life,
	    .others = 1000 * 0.2,
	    .n_others = 1000,
	};

	return admission_part(&asked);
}

static bool
takes(double load, double size, double n_hops, double life)
{
	return part_of(load, size, n_hops, life) >= 1;
}

static void
with_much_room_nothing_is_refused(void)
{
	assert_true(takes(0, 30, 1, 1000));
}

static void
a_full_site_refuses_what_takes_much(void)
{
	assert_true(takes(100, 1, 1, 10));
	assert_true(takes(100, 2, 1, 5));
	assert_true(!takes(100, 2, 1, 10));
	assert_true(!takes(100, 1, 1, 20));
	assert_true(!takes(100, 1, 3, 10));
	assert_true(takes(50, 2, 1, 10));
	assert_true(takes(50, 1, 3, 10));
	assert_true(!takes(50, 1, 1, 100));
}

static void
the_part_that_is_admitted_is_the_largest(void)
{
	double part = part_of(80, 10, 2, 30);

	assert_true(part > 0 && part < 1);
	assert_true(takes(80, 10 * part * 0.999, 2, 30));
	assert_true(!takes(80, 10 * part * 1.001, 2, 30));
	assert_true(takes(80, 10, 2, 30 * part * 0.999));
	assert_true(!takes(80, 10, 2, 30 * part * 1.001));
}

static void
what_there_is_none_of_is_nowhere_short(void)
{
	struct admission_case asked = {
	    .size = {{[ADMISSION_CPU] = 100}},
	    .used = {{[ADMISSION_CPU] = 100}},
	    .asked = {{[ADMISSION_CPU] = 1, [ADMISSION_RATE] = 1e9}},
	    .takes = {{[ADMISSION_CPU] = 1, [ADMISSION_RATE] = 1e9}},
	    .life = 10,
	    .others = 10,
	    .n_others = 100,
	};

	assert_true(admission_part(&asked) >= 1);
}

static void
policies_have_names(void)
{
	enum admission_policy policy = ADMISSION_MANY;
	struct err err;

	assert_true(admission_parse(NULL, &policy, &err) && policy == ADMISSION_ALL);
	assert_true(admission_parse("many", &policy, &err) && policy == ADMISSION_MANY);
	assert_true(admission_parse("all", &policy, &err) && policy == ADMISSION_ALL);
	assert_true(!admission_parse("most", &policy, &err));
	assert_equal(ERR_BAD_VALUE, err.code);
	assert_true(strstr(err.text, "'most'") != NULL);
}

/* ---- a site ---------------------------------------------------------------------------------- */

/* Of 12 CPUs 8 are taken for 100 hours, and a hundred asked for a tenth of an hour of all. */
static struct fake_site *
loaded_site(void)
{
	struct fake_site *site = fake_site_new();
	struct err err;

	for (int i = 0; i < 4; i++) {
		const char *name = arena_format(site->arena, "full%d", i);
		struct tenant_wish wish = {.client = &site->other,
		    .document = tenant_document(site, name, 2),
		    .until_ms = tenant_now_ms(site) + 100 * HOUR};

		tenant_made(site, &wish);
	}
	for (int i = 0; i < 100; i++) {
		struct admission_asker asker = {"dev2", arena_format(site->arena, "%d", i)};
		auto_txn struct txn *txn = store_begin(site->store);

		assert_true(admission_note(txn, &asker, 0.1, &err));
		assert_true(txn_commit(&txn, &err));
	}
	site->snc->admission = ADMISSION_MANY;
	return site;
}

static struct tenant_wish
wish_of(struct fake_site *site, const char *name, int cpu, int64_t hours)
{
	return (struct tenant_wish){.client = &site->developer,
	    .document = tenant_document(site, name, cpu),
	    .until_ms = tenant_now_ms(site) + hours * HOUR};
}

static enum err_code
renew(struct fake_site *site, const char *slice, int64_t hours)
{
	struct snc_slice_renew_args args = {
	    slice, tenant_instant(tenant_now_ms(site) + hours * HOUR)};
	struct err err = {0};

	return snc_slice_renew_call(
		   &site->developer, site->arena, &args, &(struct snc_slice_renew_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

static void
who_does_not_choose_takes_all_that_fits(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish large = wish_of(site, "large", 2, 10);

	site->snc->admission = ADMISSION_ALL;
	assert_true(tenant_check(site, &large).feasible);
	tenant_made(site, &large);
	fake_site_free(site);
}

static const struct snc_diagnosis *
error_of(const struct snc_slice_check_result *checked)
{
	for (size_t i = 0; i < checked->n_diagnoses; i++)
		if (str_equal(checked->diagnoses[i].severity, "error"))
			return &checked->diagnoses[i];
	CU_FAIL_FATAL("no error");
	return NULL;
}

static void
check_and_create_refuse_the_same_and_say_how_long_it_could_be(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish large = wish_of(site, "large", 1, 40);
	struct snc_slice_check_result checked = tenant_check(site, &large);
	struct err err = tenant_refused(site, &large);
	const char *at = strstr(err.hint, " at ");

	assert_true(!checked.feasible);
	assert_text("R06", error_of(&checked)->code);
	assert_equal(ERR_R06, err.code);
	assert_text("slice 'large'", err.subject);
	assert_equal(1, err.line);
	assert_true(strstr(err.text, "cpu: 67 % of the site's") == err.text);
	assert_true(at && strlen(at) > 24);
	/* but for the time of day, which has gone on */
	assert_true(!strncmp(err.hint, error_of(&checked)->hint, (size_t)(at - err.hint)));
	assert_true(
	    when_parse(arena_format(site->arena, "%.20s", at + 4), 0, &large.until_ms, &err));
	assert_true(tenant_check(site, &large).feasible);
	tenant_made(site, &large);
	fake_site_free(site);
}

static void
check_offers_what_is_small_enough_and_when_less_is_taken(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish large = wish_of(site, "large", 4, 2);
	struct snc_slice_check_result checked = tenant_check(site, &large);
	int64_t start_ms;
	long long cpu;
	struct err err;

	assert_true(checked.time_helps);
	assert_true(when_parse(tenant_offered(&checked, "later", "start"), 0, &start_ms, &err));
	assert_true(start_ms > tenant_now_ms(site) + 99 * HOUR);
	assert_true(str_to_i64(tenant_offered(&checked, "smaller", "cpu"), 1, 3, &cpu));
	large.document = tenant_document(site, "large", (int)cpu);
	tenant_made(site, &large);
	large.document = tenant_document(site, "larger", (int)cpu + 1);
	assert_equal(ERR_R06, tenant_refused(site, &large).code);
	fake_site_free(site);
}

static void
find_slot_finds_when_less_is_taken(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish large = wish_of(site, "large", 1, 0);
	struct snc_slice_find_slot_args search = {.duration_ms = tenant_instant(40 * HOUR),
	    .document = {large.document, strlen(large.document)}};
	struct snc_slice_find_slot_result slot;
	struct err err;

	assert_true(snc_slice_find_slot_call(&site->developer, site->arena, &search, &slot, &err));
	assert_true(slot.found && slot.from_ms > tenant_now_ms(site) + 99 * HOUR);
	large.from_ms = slot.from_ms - 1000;
	large.until_ms = slot.until_ms - 1000;
	assert_equal(ERR_R06, tenant_refused(site, &large).code);
	large.from_ms = slot.from_ms;
	large.until_ms = slot.until_ms;
	tenant_made(site, &large);
	fake_site_free(site);
}

static void
what_is_there_grows_no_further_than_what_is_new(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish small = wish_of(site, "small", 1, 3);
	const char *id = tenant_made(site, &small);

	(void)fake_wait(site, id, "RESERVED");
	assert_equal(ERR_R06, tenant_modify(site, id, tenant_document(site, "small", 2)));
	assert_equal(ERR_R06, renew(site, id, 40));
	assert_equal(ERR_NONE, renew(site, id, 2));
	site->snc->admission = ADMISSION_ALL;
	assert_equal(ERR_NONE, renew(site, id, 40));
	assert_equal(ERR_NONE, tenant_modify(site, id, tenant_document(site, "small", 2)));
	fake_site_free(site);
}

static void
what_was_only_defined_is_asked_when_it_is_to_run(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish endless = {.client = &site->developer,
	    .document = tenant_document(site, "endless", 1),
	    .goal = "DEFINED"};
	const char *id = tenant_made(site, &endless);

	assert_equal(ERR_R06, tenant_run(site, &site->developer, id));
	site->snc->admission = ADMISSION_ALL;
	assert_equal(ERR_NONE, tenant_run(site, &site->developer, id));
	fake_site_free(site);
}

static size_t
n_asked(struct fake_site *site)
{
	auto_txn struct txn *txn = store_begin(site->store);
	struct admission_case asked;
	struct err err;

	assert_true(admission_others(txn, &(struct admission_asker){"", ""}, &asked, &err));
	return asked.n_others;
}

static void
whoever_asks_counts_once_over_restarts_and_who_checks_does_not(void)
{
	struct fake_site *site = loaded_site();
	struct tenant_wish large = wish_of(site, "large", 1, 40);

	(void)tenant_check(site, &large);
	assert_equal(100, n_asked(site));
	(void)tenant_refused(site, &large);
	assert_equal(101, n_asked(site));
	(void)tenant_refused(site, &large);
	assert_equal(101, n_asked(site));
	large.until_ms = tenant_now_ms(site) + HOUR;
	tenant_made(site, &large);
	assert_equal(101, n_asked(site));
	fake_site_restart_snc(site);
	assert_equal(101, n_asked(site));
	fake_site_free(site);
}

static void
the_newest_thousand_count(void)
{
	struct fake_site *site = fake_site_new();
	struct txn *txn = store_begin(site->store);
	struct err err;

	for (int i = 0; i < 1500; i++) {
		struct admission_asker asker = {"dev1", arena_format(site->arena, "%d", i)};

		assert_true(admission_note(txn, &asker, 1, &err));
	}
	assert_true(txn_commit(&txn, &err));
	assert_equal(1000, n_asked(site));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(with_much_room_nothing_is_refused),
    TEST(a_full_site_refuses_what_takes_much),
    TEST(the_part_that_is_admitted_is_the_largest),
    TEST(what_there_is_none_of_is_nowhere_short),
    TEST(policies_have_names),
    TEST(who_does_not_choose_takes_all_that_fits),
    TEST(check_and_create_refuse_the_same_and_say_how_long_it_could_be),
    TEST(check_offers_what_is_small_enough_and_when_less_is_taken),
    TEST(find_slot_finds_when_less_is_taken),
    TEST(what_is_there_grows_no_further_than_what_is_new),
    TEST(what_was_only_defined_is_asked_when_it_is_to_run),
    TEST(whoever_asks_counts_once_over_restarts_and_who_checks_does_not),
    TEST(the_newest_thousand_count),
};

suite_main("admission", tests)
