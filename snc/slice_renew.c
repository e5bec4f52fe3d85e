/*
 * slice renew: another end. What lies between the old end and the new one must be free for all that
 * the slice has, as it stands; if it is not, the latest end that is possible is said.
 */
#include "lib/base/fault.h"
#include "lib/base/when.h"
#include "snc/audit.h"
#include "snc/modify.h"
#include "snc/usage.h"

typedef vec_of(struct booking_row) booking_vec;

/* What is asked, and of whom. */
struct renewal {
	struct snc *snc;
	struct txn *txn;
	struct arena *arena;
	struct slice_record *record;
	int64_t now_ms;
	struct booking_rows rows; /* what the slice has, or has booked */
};

static bool
refuse_state(const struct slice_record *record, const char *why, struct err *err)
{
	err_set(err, ERR_O01, "slice '%s' %s", record->name, why);
	err_subject(err, "slice '%s'", record->name);
	return err_hint(err, "`vnode slice show %s` says how it stands", record->name);
}

static bool
check_state(const struct slice_record *record, struct err *err)
{
	bool is_booked = record->lease.phase == LEASE_BOOKED;

	if (record->goal == SLICE_DELETED ||
	    (record->has_group && record->engine >= GROUP_RELEASING))
		return refuse_state(record, "is giving back what it had", err);
	return record->has_group || is_booked ||
	       refuse_state(record, "holds nothing that has an end", err);
}

static bool
add_group(const struct renewal *renewal, const char *group, booking_vec *rows, struct err *err)
{
	const struct controller_row_state *found;
	size_t n;

	if (!controller_rows(
		renewal->snc->controller, renewal->txn, group, renewal->arena, &found, &n))
		return err_set(err, ERR_INTERNAL, "rows of group '%s' cannot be read", group);
	for (size_t i = 0; i < n; i++)
		vec_push(rows, ((struct booking_row){
				   found[i].row.manager, found[i].row.kind, found[i].row.spec}));
	return true;
}

/* What comes by a modify under way is to stay as long; what goes holds what it has till it is gone
 * whatever the end. */
static bool
add_coming(const struct renewal *renewal, booking_vec *rows, struct err *err)
{
	struct modify_parts parts;
	enum group_state state;

	if (!store_parts(renewal->txn, renewal->record->id, renewal->arena, &parts, err))
		return false;
	for (size_t i = 0; i < parts.n; i++)
		if (controller_group(
			renewal->snc->controller, renewal->txn, parts.groups[i], &state) &&
		    state < GROUP_RELEASING && !add_group(renewal, parts.groups[i], rows, err))
			return false;
	return true;
}

static bool
read_rows(struct renewal *renewal, struct err *err)
{
	const struct slice_record *record = renewal->record;
	booking_vec rows = {0};
	bool is_good;

	if (record->lease.phase == LEASE_BOOKED)
		return store_booking_list(
		    renewal->txn, record->id, renewal->arena, &renewal->rows, err);
	is_good = add_group(renewal, record->id, &rows, err) && add_coming(renewal, &rows, err);
	renewal->rows.n = rows.n;
	renewal->rows.items =
	    (void *)arena_copy(renewal->arena, rows.items, rows.n * sizeof(rows.items[0]));
	vec_done(&rows);
	return is_good;
}

/* Is all that it has free, but for itself, during the window? ERR_CAPACITY and its kin say no.
 * Fills in what is asked of the site, but for how long. */
static bool
fits(const struct renewal *renewal, struct calendar_span window, struct admission_case *asked,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct ledger_question question = {.window = window, .without = renewal->record->id};
	struct substrate *substrate;

	if (window.from_ms >= window.until_ms)
		return true;
	if (!snc_substrate(renewal->snc, renewal->txn, &question, arena, &substrate, err))
		return false;
	admission_load(substrate, asked);
	for (size_t i = 0; i < renewal->rows.n; i++) {
		const struct booking_row *row = &renewal->rows.items[i];
		struct resource_charge charge;
		bool is_less;

		if (!modify_charge(renewal->txn, row, arena, &charge, &is_less, err) ||
		    !resource_take(substrate, &charge, err))
			return false;
	}
	admission_taken(substrate, asked);
	return true;
}

/* Where the site chooses, all of its time counts: a long one is not had by renewing short ones. */
static bool
is_admitted(
    const struct renewal *renewal, int64_t until_ms, struct admission_case *asked, struct err *err)
{
	const struct slice_record *record = renewal->record;
	struct admission_asker asker = {record->owner, record->name};
	struct calendar_span all = {
	    record->lease.from_ms ? record->lease.from_ms : record->created_ms, until_ms};

	if (renewal->snc->admission == ADMISSION_ALL)
		return true;
	admission_window(all, asked);
	return admission_others(renewal->txn, &asker, asked, err) &&
	       (admission_admits(asked, all, err) || err_subject(err, "slice '%s'", record->name));
}

/* The latest instant until which it fits: it is when somebody else's booking begins. */
static int64_t
latest(const struct renewal *renewal, struct calendar_span window)
{
	struct ledger_instants starts;
	size_t low = 0, high;
	struct admission_case asked;
	struct err err;

	ledger_starts(renewal->snc->ledger, window.from_ms, renewal->arena, &starts);
	high = starts.n; /* fits until each of those before `low`, not until `high` */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		window.until_ms = starts.items[middle];
		if (fits(renewal, window, &asked, &err))
			low = middle + 1;
		else
			high = middle;
	}
	return low ? starts.items[low - 1] : window.from_ms;
}

static bool
refuse_window(const struct renewal *renewal, struct calendar_span window, struct err *err)
{
	const struct lease *lease = &renewal->record->lease;
	int64_t start_ms = lease->phase == LEASE_BOOKED && lease->from_ms > renewal->now_ms
			       ? lease->from_ms
			       : renewal->now_ms;
	int64_t last_ms = lease_latest_end(start_ms, latest(renewal, window));

	err_in(err, "not free any longer");
	err_at(err, 0, "");
	err_subject(err, "slice '%s'", renewal->record->name);
	if (last_ms > lease->until_ms)
		return err_hint(
		    err, "%s is the latest end that is possible", when_text(last_ms).text);
	return err_hint(err, "no later end than %s is possible", when_text(lease->until_ms).text);
}

/* The lease with its new end. A start that is to come, or is tried, stays what it is. */
static bool
grant(const struct renewal *renewal, int64_t until_ms, struct lease *lease, struct err *err)
{
	const struct lease *old = &renewal->record->lease;
	bool is_booked = old->phase == LEASE_BOOKED;
	struct lease_wish wish = {
	    is_booked && old->from_ms > renewal->now_ms ? old->from_ms : 0, until_ms};

	if (!lease_grant(&wish, renewal->now_ms, lease, err))
		return err_subject(err, "slice '%s'", renewal->record->name);
	lease->from_ms = old->from_ms;
	if (is_booked)
		lease->phase = LEASE_BOOKED;
	lease_schedule(lease);
	return true;
}

static bool
renew_now(struct renewal *renewal, int64_t until_ms, struct lease *granted, struct err *err)
{
	struct slice_record *record = renewal->record;
	struct calendar_span before = lease_span(&record->lease, renewal->now_ms), after, window;
	struct admission_case asked = {0};

	if (!check_state(record, err) || !grant(renewal, until_ms, granted, err) ||
	    !read_rows(renewal, err))
		return false;
	after = lease_span(granted, renewal->now_ms);
	window = (struct calendar_span){
	    before.until_ms > renewal->now_ms ? before.until_ms : renewal->now_ms, after.until_ms};
	if (!fits(renewal, window, &asked, err))
		return refuse_window(renewal, window, err);
	if (window.from_ms < window.until_ms && !is_admitted(renewal, after.until_ms, &asked, err))
		return false;
	record->lease = *granted;
	events_add(renewal->snc->events, renewal->txn, record, "slice", "renewed",
	    granted->until_ms ? lease_text(granted).text : "without an end");
	return usage_renew(renewal->snc, renewal->txn, record, window, err) &&
	       store_lease_save(renewal->txn, record, err);
}

bool
slice_renew(struct snc *snc, const struct snc_caller *caller, const char *name_or_id,
    int64_t until_ms, struct lease *granted, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = NULL;
	struct slice_record record;
	struct renewal renewal = {.snc = snc, .arena = arena, .record = &record};

	snc_refresh_view(snc);
	renewal.txn = txn = store_begin(snc->store);
	renewal.now_ms = clock_wall_ms(snc->clock);
	if (!snc_find_slice(caller, txn, name_or_id, arena, &record, err) ||
	    !renew_now(&renewal, until_ms, granted, err) ||
	    !audit_add(snc->audit, txn, caller,
		&(struct audit_entry){"slice_renew", record.name, lease_text(granted).text}, err))
		return false;
	FAULT_POINT("snc.renew.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.renew.after");
	lease_watch_wake(snc->lease_watch);
	return true;
}
