/*
 * Admission of one examined slice, by hand: its rows are the engine's from then on, what it was
 * placed on is tested once more, and nothing of it is there before the commit.
 */
#include "lib/base/id.h"
#include "snc/slice.h"
#include "test/support/fake_tenant.h"
#include "test/support/site.h"
#include "test/support/suite.h"

struct candidate {
	struct fake_site *site;
	struct slice_examination examination;
	struct slice_record record;
};

static struct candidate
examined(struct fake_site *site, const char *name, const char *text, enum slice_state goal)
{
	const char *document = site_document(site->arena, name, text);
	struct candidate candidate = {
	    .site = site,
	    .examination =
		{
		    .role = "developer",
		    .document = {document, strlen(document)},
		    .wants_place = true,
		    .tenant = {"default", "dev1"},
		},
	    .record = {.name = name,
		.owner = "dev1",
		.role = "developer",
		.project = "default",
		.goal = goal,
		.round = 7,
		.reason = {.code = ERR_R01}},
	};
	diagnoses found = {0};

	assert_true(slice_examine(site->snc, &candidate.examination, site->arena, &found));
	vec_done(&found);
	return candidate;
}

static bool
admit(struct candidate *candidate, struct txn *txn, struct err *err)
{
	struct snc *snc = candidate->site->snc;
	uint64_t number;

	assert_true(controller_next_id(snc->controller, txn, &number, err));
	candidate->record.id = arena_text(candidate->site->arena, id_text(number).text);
	assert_true(
	    store_slice_add(txn, &candidate->record, &candidate->examination.document, err));
	return slice_admit(snc, txn, &candidate->record, &candidate->examination, err) &&
	       store_slice_save(txn, &candidate->record, err);
}

static void
admitted(struct candidate *candidate)
{
	auto_txn struct txn *txn = store_begin(candidate->site->store);
	struct err err;

	assert_true(admit(candidate, txn, &err));
	assert_true(txn_commit(&txn, &err));
	controller_wake(candidate->site->snc->controller);
}

/* Rows of its group, and those of the kind. */
static size_t
count_rows(const struct candidate *candidate, const char *kind)
{
	struct fake_site *site = candidate->site;
	auto_txn struct txn *txn = store_begin(site->store);
	const struct controller_row_state *rows;
	size_t n, n_of = 0;

	if (!controller_rows(
		site->snc->controller, txn, candidate->record.id, site->arena, &rows, &n))
		return 0;
	for (size_t i = 0; i < n; i++)
		n_of += !kind || str_equal(rows[i].row.kind, kind);
	return n_of;
}

#define PAIR                                                                                       \
	"node a cpu=3 : p\nnode b : p\nlink l bandwidth=10Mbps : a.p b.p\n"                        \
	"amap a koganei\namap b nagoya\n"

static void
its_rows_are_the_engines_and_are_brought_about(void)
{
	struct fake_site *site = fake_site_new();
	struct candidate pair = examined(site, "pair", PAIR, SLICE_RUNNING);

	admitted(&pair);
	assert_true(pair.record.has_group);
	assert_equal(GROUP_PENDING, pair.record.engine);
	assert_equal(SLICE_DEFINED, pair.record.settled);
	assert_equal(8, pair.record.round);
	assert_equal(ERR_NONE, pair.record.reason.code);
	assert_equal(5, count_rows(&pair, NULL));
	assert_equal(2, count_rows(&pair, "node"));
	assert_equal(1, count_rows(&pair, "share"));
	assert_equal(2, count_rows(&pair, "link_end"));
	assert_text("RUNNING", fake_wait(site, pair.record.id, "RUNNING")->state);
	assert_equal(5, fake_objects(site));
	fake_site_free(site);
}

static void
what_is_to_be_reserved_is_held_and_not_made(void)
{
	struct fake_site *site = fake_site_new();
	struct candidate pair = examined(site, "pair", PAIR, SLICE_RESERVED);

	admitted(&pair);
	assert_text("RESERVED", fake_wait(site, pair.record.id, "RESERVED")->state);
	assert_equal(5, count_rows(&pair, NULL));
	assert_equal(0, fake_objects(site));
	fake_site_free(site);
}

/* Of two that were placed on the same only one is admitted; the other is to be examined again. */
static void
what_was_taken_meanwhile_is_refused_and_nothing_is_left(void)
{
	struct fake_site *site = fake_site_new();
	struct candidate first = examined(site, "first", PAIR, SLICE_RESERVED);
	struct candidate second =
	    examined(site, "second", "node c cpu=2 : p\namap c koganei\n", SLICE_RESERVED);
	struct txn *txn;
	struct err err = {0};

	admitted(&first);
	txn = store_begin(site->store);
	assert_true(!admit(&second, txn, &err));
	assert_equal(ERR_WAIT, err.code);
	assert_true(strstr(err.text, "node c") == err.text);
	txn_cancel(txn);
	assert_true(!second.record.has_group);
	assert_equal(0, count_rows(&second, NULL));
	second = examined(site, "second", "node c cpu=1 : p\namap c koganei\n", SLICE_RESERVED);
	admitted(&second);
	fake_site_free(site);
}

static void
what_is_not_committed_charges_nothing(void)
{
	struct fake_site *site = fake_site_new();
	struct candidate pair = examined(site, "pair", PAIR, SLICE_RUNNING);
	struct txn *txn = store_begin(site->store);
	struct err err;

	assert_true(admit(&pair, txn, &err));
	txn_cancel(txn);
	assert_equal(0, count_rows(&pair, NULL));
	pair = examined(site, "pair", PAIR, SLICE_RUNNING);
	admitted(&pair);
	assert_text("RUNNING", fake_wait(site, pair.record.id, "RUNNING")->state);
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(its_rows_are_the_engines_and_are_brought_about),
    TEST(what_is_to_be_reserved_is_held_and_not_made),
    TEST(what_was_taken_meanwhile_is_refused_and_nothing_is_left),
    TEST(what_is_not_committed_charges_nothing),
};

suite_main("slice_admit", tests)
