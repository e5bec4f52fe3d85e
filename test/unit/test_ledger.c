/*
 * The ledger that was kept through many changes against one that has just read everything: they
 * give the same answer to every question, whatever happened, rollbacks included.
 */
#include <stdio.h>
#include <string.h>

#include "snc/slice.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

enum { STEPS = 240, QUESTIONS = 6, HOUR_MS = 3600000, SLICES_MAX = 14 };

static const char *const hosts[] = {"koganei", "nagoya", "osaka", NULL};
static const char *const fewer[] = {"koganei", "osaka", NULL}; /* the TNC forgot one */

struct pair {
	struct fake_site *site;
	struct clock clock; /* stands still while both are asked */
	int64_t wall_ms;
	struct ledger *kept;
	int64_t view;
	bool is_viewed; /* a view is asked for before every question */
	int n_slices;
};

static uint64_t state = 88172645463325252u;

static int
below(int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int)(state % (uint64_t)n);
}

static int64_t
wall_of_pair(void *self)
{
	return ((struct pair *)self)->wall_ms;
}

/* ---- the comparison -------------------------------------------------------------------------- */

static void
same_hosts(const struct substrate *a, const struct substrate *b)
{
	assert_equal(a->n_hosts, b->n_hosts);
	for (size_t i = 0; i < a->n_hosts; i++) {
		const struct substrate_host *x = &a->hosts[i], *y = &b->hosts[i];

		assert_text(x->name, y->name);
		assert_equal(x->cpu_free, y->cpu_free);
		assert_equal(x->memory_free_bytes, y->memory_free_bytes);
		assert_equal(x->disk_free_bytes, y->disk_free_bytes);
		assert_equal(x->loop_free_bps[0], y->loop_free_bps[0]);
		assert_equal(x->loop_free_bps[1], y->loop_free_bps[1]);
		assert_equal(x->n_ports, y->n_ports);
		for (size_t k = 0; k < x->n_ports; k++)
			assert_equal(x->ports[k].free_bps, y->ports[k].free_bps);
	}
}

static void
same_edges(const struct graph *a, const struct graph *b)
{
	for (size_t i = 0; i < a->n_edges; i++) {
		assert_equal(a->edges[i].free_ab_bps, b->edges[i].free_ab_bps);
		assert_equal(a->edges[i].free_ba_bps, b->edges[i].free_ba_bps);
	}
}

static struct ledger_question
some_question(struct pair *pair, const struct slice_records *slices)
{
	struct ledger_question question = {.view = pair->view};

	question.window.from_ms = pair->wall_ms + (below(2) ? 0 : below(3 * HOUR_MS));
	question.window.until_ms =
	    below(2) ? CALENDAR_EVER : question.window.from_ms + 1 + below(HOUR_MS);
	if (slices->n && below(2))
		question.without = slices->items[below((int)slices->n)].id;
	return question;
}

static void
ask_both(struct pair *pair, struct ledger *fresh, const struct ledger_question *question)
{
	auto_arena struct arena *arena = arena_new();
	const char *const *known = below(4) ? hosts : fewer;
	struct substrate *a =
	    ledger_left(pair->kept, question, site_new(arena, known)->graph, arena);
	struct substrate *b = ledger_left(fresh, question, site_new(arena, known)->graph, arena);

	same_hosts(a, b);
	same_edges(a->graph, b->graph);
}

static void
same_instants(const struct pair *pair, const struct ledger *fresh)
{
	auto_arena struct arena *arena = arena_new();
	struct ledger_instants a, b;

	ledger_ends(pair->kept, pair->wall_ms, arena, &a);
	ledger_ends(fresh, pair->wall_ms, arena, &b);
	assert_equal(a.n, b.n);
	ledger_starts(pair->kept, pair->wall_ms, arena, &a);
	ledger_starts(fresh, pair->wall_ms, arena, &b);
	assert_equal(a.n, b.n);
}

static void
compare(struct pair *pair, struct txn *txn)
{
	struct snc *snc = pair->site->snc;
	auto_arena struct arena *arena = arena_new();
	struct ledger *fresh = ledger_new(&pair->clock, snc->inventory);
	struct slice_records slices;
	struct err err;

	pair->wall_ms = clock_wall_ms(&pair->site->clock);
	assert_true(ledger_sync(pair->kept, snc->controller, txn, &err));
	assert_true(ledger_sync(fresh, snc->controller, txn, &err));
	assert_true(store_slice_list(txn, NULL, arena, &slices, &err));
	if (pair->is_viewed) {
		pair->view++;
		ledger_mark(pair->kept, pair->view);
		ledger_mark(fresh, pair->view);
	}
	for (int i = 0; i < QUESTIONS; i++) {
		struct ledger_question question = some_question(pair, &slices);

		ask_both(pair, fresh, &question);
	}
	same_instants(pair, fresh);
	ledger_free(fresh);
}

/* ---- what happens ---------------------------------------------------------------------------- */

static const char *
some_document(struct pair *pair, const char *name)
{
	struct arena *arena = pair->site->arena;
	int a = below(3), b = below(3);

	return site_document(arena, name,
	    arena_format(arena,
		"node a cpu=1 : p q\nnode b cpu=%d : p q\nlink l bandwidth=%dMbps : a.p b.p\n"
		"link m bandwidth=%dMbps : a.q b.q\namap a %s\namap b %s\n",
		1 + below(2), 1 + below(50), 1 + below(50), hosts[a], hosts[b]));
}

static void
make(struct pair *pair)
{
	struct fake_site *site = pair->site;
	const char *name = arena_format(site->arena, "s%d", pair->n_slices);
	const char *document = some_document(pair, name);
	int64_t now_ms = clock_wall_ms(&site->clock);
	bool is_later = below(3) == 0, has_end = is_later || below(3) == 0;
	struct snc_slice_create_args args = {
	    .document = {document, strlen(document)},
	    .op_id = name,
	    .goal = below(3) ? "RUNNING" : "RESERVED",
	    .from_ms = {is_later, now_ms + 1 + below(HOUR_MS / 20)},
	    .until_ms = {has_end, now_ms + HOUR_MS / 20 + 1000 + below(2 * HOUR_MS)},
	};
	struct snc_slice_create_result result;
	struct err err;

	pair->n_slices +=
	    snc_slice_create_call(&site->developer, site->arena, &args, &result, &err);
}

/* One of them; some will be gone, or in a state in which that is refused: as well. */
static const char *
some_slice(struct pair *pair)
{
	int n = pair->n_slices < SLICES_MAX ? pair->n_slices : SLICES_MAX;

	return arena_format(pair->site->arena, "s%d", pair->n_slices - 1 - (n ? below(n) : 0));
}

static void
end(struct pair *pair)
{
	struct err err;

	(void)!snc_slice_delete_call(&pair->site->developer, pair->site->arena,
	    &(struct snc_slice_delete_args){some_slice(pair)}, &(struct snc_slice_delete_result){},
	    &err);
}

static void
change(struct pair *pair)
{
	const char *slice = some_slice(pair), *document = some_document(pair, slice);
	struct snc_slice_modify_args args = {
	    .slice = slice, .document = {document, strlen(document)}, .restart = true};
	struct snc_slice_modify_result result;
	struct err err;

	(void)!snc_slice_modify_call(
	    &pair->site->developer, pair->site->arena, &args, &result, &err);
}

static void
renew(struct pair *pair)
{
	int64_t until_ms = clock_wall_ms(&pair->site->clock) + 1000 + below(3 * HOUR_MS);
	struct snc_slice_renew_result result;
	struct err err;

	(void)!snc_slice_renew_call(&pair->site->developer, pair->site->arena,
	    &(struct snc_slice_renew_args){some_slice(pair), {below(4) != 0, until_ms}}, &result,
	    &err);
}

static void
refuse(struct pair *pair)
{
	struct fake_manager *fake = &pair->site->managers[below(FAKE_MANAGERS)];

	fake->refuse_code = fake->refuse_code ? 0 : ERR_CAPACITY;
}

/* Lets slices go, looks, and takes it all back. */
static void
think_again(struct pair *pair)
{
	struct snc *snc = pair->site->snc;
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_records slices;
	struct err err;

	assert_true(store_slice_list(txn, NULL, arena, &slices, &err));
	for (size_t i = 0; i < slices.n; i++) {
		bool is_dropped = below(3) == 0;

		if (is_dropped)
			assert_true(store_slice_drop(txn, slices.items[i].id, &err));
		else if (below(2))
			(void)!slice_let_go(snc, txn, &slices.items[i], &err);
	}
	assert_true(ledger_sync(pair->kept, snc->controller, txn, &err));
}

static void
happen(struct pair *pair)
{
	switch (below(12)) {
	case 0:
	case 1:
		end(pair);
		break;
	case 2:
	case 3:
		change(pair);
		break;
	case 4:
		renew(pair);
		break;
	case 5:
		refuse(pair);
		break;
	case 6:
		think_again(pair);
		break;
	case 7:
		fake_site_pass(pair->site, 1000 + below(50000));
		break;
	default:
		make(pair);
	}
}

static void
run_steps(struct pair *pair)
{
	for (int i = 0; i < STEPS; i++) {
		happen(pair);
		if (below(3))
			continue;
		auto_txn struct txn *txn = store_begin(pair->site->snc->store);

		compare(pair, txn);
	}
}

static void
run_pair(bool is_viewed)
{
	struct pair pair = {.site = fake_site_new(), .is_viewed = is_viewed};

	pair.clock = (struct clock){clock_real.boot_ms, wall_of_pair, &pair};
	pair.kept = ledger_new(&pair.clock, pair.site->snc->inventory);
	run_steps(&pair);
	assert_true(pair.n_slices > 2);
	ledger_free(pair.kept);
	fake_site_free(pair.site);
}

static void
a_ledger_that_is_kept_says_what_one_says_that_has_read_everything(void)
{
	run_pair(false);
}

static void
the_same_where_views_count_what_is_reserved(void)
{
	run_pair(true);
}

static const struct test tests[] = {
    TEST(a_ledger_that_is_kept_says_what_one_says_that_has_read_everything),
    TEST(the_same_where_views_count_what_is_reserved),
};

suite_main("ledger", tests)
