/*
 * host drain and host undrain. Placing asks the store (drain.c): nothing has to be told of it.
 */
#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/when.h"
#include "snc/audit.h"
#include "snc/host.h"

enum { REASON_MAX = 200 };

static bool
check_reason(const char *reason, struct err *err)
{
	if (strlen(reason) > REASON_MAX)
		return err_set(err, ERR_LIMIT, "a reason has at most %d bytes", REASON_MAX);
	for (const char *at = reason; *at; at++)
		if ((unsigned char)*at < ' ')
			return err_set(err, ERR_BAD_VALUE, "a reason is one line of text");
	return true;
}

static bool
check_window(const struct calendar_span *span, int64_t now_ms, struct err *err)
{
	const char *until = when_text(span->until_ms).text;

	if (span->until_ms <= now_ms) {
		err_set(err, ERR_BAD_VALUE, "the end %s is in the past", until);
		return err_hint(err, "name an end that is to come, or none");
	}
	if (span->until_ms <= span->from_ms) {
		err_set(err, ERR_BAD_VALUE, "the end %s is not after the start", until);
		return err_hint(err, "name a later end, or an earlier start");
	}
	return true;
}

typedef vec_of(struct slice_record) record_vec;

/* Those that hold what they have at some time of the window, each once. */
static void
keep(record_vec *kept, const struct slice_records *from, const struct host_draining *draining,
    int64_t now_ms)
{
	const struct calendar_span *window = &draining->drain.span;

	for (size_t i = 0; i < from->n; i++) {
		const struct slice_record *slice = &from->items[i];
		struct calendar_span held = lease_span(&slice->lease, now_ms);
		bool is_there =
		    held.from_ms >= window->until_ms || held.until_ms <= window->from_ms;

		vec_each (other, kept)
			is_there = is_there || str_equal(other->id, slice->id);
		if (!is_there)
			vec_push(kept, *slice);
	}
}

static bool
list_slices(struct txn *txn, const struct inventory_managers *managers,
    struct host_draining *draining, int64_t now_ms, struct arena *arena, struct err *err)
{
	struct slice_records found;
	record_vec kept = {0};
	bool is_good = host_slices_at(txn, managers, arena, &found, err);

	if (is_good)
		keep(&kept, &found, draining, now_ms);
	for (size_t i = 0; is_good && i < managers->n; i++) {
		is_good = store_booked_at(txn, managers->names[i], arena, &found, err);
		if (is_good)
			keep(&kept, &found, draining, now_ms);
	}
	draining->slices.n = kept.n;
	draining->slices.items =
	    (void *)arena_copy(arena, kept.items, kept.n * sizeof(kept.items[0]));
	vec_done(&kept);
	return is_good;
}

static bool
write_down(struct snc *snc, struct txn *txn, const struct host_draining *draining, int64_t now_ms,
    struct arena *arena, struct err *err)
{
	const struct drain *drain = &draining->drain;
	const char *subject = arena_format(arena, "host %s", drain->host);
	const char *text = drain_text(drain, now_ms, arena);
	struct audit_entry entry = {"host_drain", drain->host,
	    arena_format(arena, "%s; %zu slices", text, draining->slices.n)};

	events_add(snc->events, txn, NULL, subject, "drained", text);
	for (size_t i = 0; i < draining->slices.n; i++)
		events_add(snc->events, txn, &draining->slices.items[i], subject, "maintenance",
		    arena_format(arena, "%s; what is there stays", text));
	return drain_put(txn, drain, now_ms, err) &&
	       audit_add(snc->audit, txn, &draining->caller, &entry, err);
}

bool
host_drain(struct snc *snc, struct host_draining *draining, struct arena *arena, struct err *err)
{
	struct calendar_span *span = &draining->drain.span;
	int64_t now_ms = clock_wall_ms(snc->clock);
	auto_txn struct txn *txn = NULL;
	struct inventory_managers managers;

	span->from_ms = span->from_ms ? span->from_ms : now_ms;
	span->until_ms = span->until_ms ? span->until_ms : CALENDAR_EVER;
	if (!inventory_of_host(snc->inventory, draining->drain.host, arena, &managers, err))
		return false;
	if (!check_window(span, now_ms, err) || !check_reason(draining->drain.reason, err))
		return err_subject(err, "host '%s'", draining->drain.host);
	txn = store_begin(snc->store);
	if (!list_slices(txn, &managers, draining, now_ms, arena, err))
		return false;
	return draining->is_plan ||
	       (write_down(snc, txn, draining, now_ms, arena, err) && txn_commit(&txn, err));
}

bool
host_undrain(struct snc *snc, const struct snc_caller *caller, const char *host, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = NULL;
	struct inventory_managers managers;
	bool had;

	if (!inventory_of_host(snc->inventory, host, arena, &managers, err))
		return false;
	txn = store_begin(snc->store);
	if (!drain_drop(txn, host, &had, err))
		return false;
	if (had)
		events_add(snc->events, txn, NULL, arena_format(arena, "host %s", host),
		    "undrained", "it is a place again");
	return audit_add(snc->audit, txn, caller, &(struct audit_entry){"host_undrain", host, NULL},
		   err) &&
	       txn_commit(&txn, err);
}
