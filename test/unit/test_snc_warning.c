/*
 * Leases that are renewed just when their warning is due: whoever comes first, nobody is warned
 * early of the new end.
 */
#include "test/support/fake_tenant.h"
#include "test/support/suite.h"

#define SECOND 1000LL
#define HOUR 3600000LL

enum { SLICES = 12 };

/* One CPU each, which is all that there is; warned of 500 s before their end. */
static int64_t
make_slices(struct fake_site *site, const char *ids[SLICES])
{
	int64_t until_ms = tenant_now_ms(site) + 5000 * SECOND;

	for (int i = 0; i < SLICES; i++) {
		struct tenant_wish wish = {.client = &site->developer,
		    .document = tenant_document(site, arena_format(site->arena, "s%d", i), 1),
		    .until_ms = until_ms};

		ids[i] = tenant_made(site, &wish);
	}
	return until_ms;
}

static void
renewed(struct fake_site *site, const char *slice, int64_t until_ms)
{
	struct snc_slice_renew_result result;
	struct err err;

	assert_true(snc_slice_renew_call(&site->developer, site->arena,
	    &(struct snc_slice_renew_args){slice, tenant_instant(until_ms)}, &result, &err));
}

static bool
was_warned_since(struct fake_site *site, const char *slice)
{
	struct snc_events_result result;
	bool is_renewed = false, is_warned = false;
	struct err err;

	assert_true(snc_events_call(
	    &site->noc, site->arena, &(struct snc_events_args){-1, slice, 0}, &result, &err));
	for (size_t i = 0; i < result.n_events; i++) {
		const char *what = result.events[i].what;

		is_renewed = is_renewed || str_equal(what, "renewed");
		is_warned = is_warned || (is_renewed && str_equal(what, "expires"));
	}
	assert_true(is_renewed);
	return is_warned;
}

/* The watch has a list of all that is due when the last of them are renewed. */
static void
what_is_renewed_as_its_warning_is_due_is_not_warned_of_its_new_end(void)
{
	struct fake_site *site = fake_site_new();
	const char *ids[SLICES];
	int64_t until_ms = make_slices(site, ids);

	/* a clock that jumps is believed after a restart */
	fake_site_pass(site, until_ms - 510 * SECOND - tenant_now_ms(site));
	fake_site_restart_snc(site);
	fake_site_pass(site, 20 * SECOND);
	for (int i = SLICES - 1; i >= 0; i--)
		renewed(site, ids[i], until_ms + HOUR);
	fake_site_restart_snc(site); /* its watch has ended: no warning is on its way */
	for (int i = 0; i < SLICES; i++)
		assert_true(!was_warned_since(site, ids[i]));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(what_is_renewed_as_its_warning_is_due_is_not_warned_of_its_new_end),
};

suite_main("snc_warning", tests)
