/*
 * Whether a slice fits into a window of time, and the first window into which it does. Who asks for
 * now, for later, for whenever: all ask here.
 */
#include <string.h>
#include <time.h>

#include "snc/drain.h"
#include "snc/embed.h"
#include "snc/slice.h"

enum { TRY_MS = 500, TRIES_MAX = 512, PAUSE_MAX_NS = 100 * 1000 * 1000 };

static int64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void
slice_place_pause(const struct slice_placing *placing)
{
	struct timespec pause = {
	    0, placing->held_ns < PAUSE_MAX_NS ? placing->held_ns : PAUSE_MAX_NS};

	nanosleep(&pause, NULL);
}

static bool
is_within_quotas(
    struct snc *snc, struct txn *txn, const struct slice_placing *placing, diagnoses *found)
{
	struct quota_question question = {
	    .tenant = placing->tenant,
	    .slice = placing->question.without,
	    .wanted = quota_amounts_of(placing->expanded),
	    .window = placing->question.window,
	    .is_alone = placing->question.is_alone,
	    .is_try = placing->is_try,
	};

	return quota_fits(txn, &question, clock_wall_ms(snc->clock), found);
}

/* ---- admission by choice --------------------------------------------------------------------- */

/* What is tried for nobody in particular, as at the start of what was booked, is not asked. */
static bool
is_choosy(const struct snc *snc, const struct slice_placing *placing)
{
	return snc->admission == ADMISSION_MANY && placing->tenant.project;
}

static bool
ask_others(
    struct txn *txn, struct slice_placing *placing, struct admission_case *asked, diagnoses *found)
{
	struct admission_asker asker = {placing->tenant.user, placing->expanded->name};
	struct err err;

	admission_window(placing->question.window, asked);
	admission_load(placing->substrate, asked);
	admission_asked(placing->expanded, asked);
	placing->weight = admission_weight(asked);
	if (admission_others(txn, &asker, asked, &err))
		return true;
	diagnoses_push(found, &err);
	return false;
}

static bool
is_admitted(struct slice_placing *placing, struct admission_case *asked, diagnoses *found)
{
	const struct slice *slice = placing->expanded;
	struct err err;

	admission_placed(placing->mapping, asked);
	if (admission_admits(asked, placing->question.window, &err))
		return true;
	placing->mapping = NULL;
	err_at(&err, slice->where.line, slice->where.xpath);
	err_subject(&err, "slice '%s'", slice->name);
	diagnoses_push(found, &err);
	return false;
}

/* ---- now, later ------------------------------------------------------------------------------ */

bool
slice_place(struct snc *snc, struct slice_placing *placing, struct arena *arena, diagnoses *found)
{
	struct embed_request request = {
	    .slice = placing->expanded,
	    .clock = snc->clock,
	    .deadline_ms = placing->deadline_ms,
	};
	struct txn *txn = store_begin(snc->store);
	struct admission_case asked = {0};
	int64_t begun_ns = now_ns();
	struct err err;
	bool is_good =
	    snc_substrate(snc, txn, &placing->question, arena, &placing->substrate, &err);

	placing->mapping = NULL;
	if (!is_good)
		diagnoses_push(found, &err);
	is_good = is_good && is_within_quotas(snc, txn, placing, found) &&
		  (!is_choosy(snc, placing) || ask_others(txn, placing, &asked, found));
	txn_cancel(txn);
	placing->held_ns = now_ns() - begun_ns;
	if (!is_good)
		return false;
	request.substrate = placing->substrate;
	return embed(&request, arena, &placing->mapping, found) &&
	       (!is_choosy(snc, placing) || is_admitted(placing, &asked, found));
}

/* The starts worth a try: the first that is allowed, and then whenever something comes free. */
static bool
find_starts(struct snc *snc, int64_t first_ms, struct arena *arena, struct ledger_instants *starts,
    struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct ledger_instants ends;

	if (!ledger_sync(snc->ledger, snc->controller, txn, err))
		return false;
	ledger_ends(snc->ledger, first_ms, arena, &ends);
	if (!drain_add_ends(txn, first_ms, arena, &ends, err))
		return false;
	starts->items = arena_alloc(arena, (ends.n + 1) * sizeof(starts->items[0]));
	starts->items[0] = first_ms;
	if (ends.n)
		memcpy(starts->items + 1, ends.items, ends.n * sizeof(ends.items[0]));
	starts->n = ends.n + 1;
	return true;
}

/* The lease that starts then; false when it would be too late. */
static bool
lease_at(const struct slice_slot *slot, int64_t start_ms, int64_t now_ms, struct lease *lease,
    struct err *err)
{
	struct lease_wish wish = {.from_ms = start_ms > now_ms ? start_ms : 0};

	if (slot->length_ms && __builtin_add_overflow(start_ms, slot->length_ms, &wish.until_ms))
		wish.until_ms = INT64_MAX;
	if (!lease_grant(&wish, now_ms, lease, err))
		return false;
	if (slot->before_ms && (!wish.until_ms || wish.until_ms > slot->before_ms)) {
		err_set(err, ERR_R05, "no start leaves it enough time before the latest end");
		return err_hint(err, "ask for a shorter time, or a later end");
	}
	return true;
}

/* There may be many tries: only one that is found leaves anything in the arena. */
static bool
try_start(struct snc *snc, struct slice_slot *slot, struct arena *arena, diagnoses *found)
{
	auto_arena struct arena *scratch = arena_new();
	int64_t now_ms = clock_wall_ms(snc->clock), boot_ms = clock_boot_ms(snc->clock);
	struct slice_placing placing = {
	    .expanded = slot->expanded,
	    .tenant = slot->tenant,
	    .is_try = true,
	    .question.window = lease_span(&slot->lease, now_ms),
	    .deadline_ms =
		slot->deadline_ms < boot_ms + TRY_MS ? slot->deadline_ms : boot_ms + TRY_MS,
	};

	vec_done(found);
	slot->is_found = slice_place(snc, &placing, scratch, found);
	slice_place_pause(&placing);
	slot->mapping = placing.mapping;
	if (slot->is_found)
		arena_join(arena, scratch);
	return slot->is_found;
}

bool
slice_find_slot(struct snc *snc, struct slice_slot *slot, struct arena *arena, diagnoses *found)
{
	int64_t now_ms = clock_wall_ms(snc->clock);
	int64_t first_ms = slot->after_ms > now_ms ? slot->after_ms : now_ms;
	struct ledger_instants starts;
	struct lease lease;
	struct err err;

	if (!lease_at(slot, first_ms, now_ms, &lease, &err) ||
	    !find_starts(snc, first_ms, arena, &starts, &err)) {
		err_at(&err, slot->expanded->where.line, slot->expanded->where.xpath);
		err_subject(&err, "slice '%s'", slot->expanded->name);
		diagnoses_push(found, &err);
		return false;
	}
	snc_refresh_view(snc);
	slot->is_found = false;
	for (size_t i = 0; i < starts.n; i++) {
		slot->looked_until_ms = starts.items[i];
		if (i == TRIES_MAX || clock_boot_ms(snc->clock) >= slot->deadline_ms)
			return true;
		if (!lease_at(slot, starts.items[i], now_ms, &slot->lease, &err))
			break;
		if (try_start(snc, slot, arena, found))
			return true;
	}
	slot->looked_until_ms = CALENDAR_EVER;
	return true;
}
