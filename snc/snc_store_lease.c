/*
 * SQL of leases and bookings.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "snc/snc_store.h"

static const char *const phases[] = {"held", "booked", "warned", "over"};

enum lease_phase
lease_phase_parse(const char *text)
{
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		if (str_equal(phases[i], text))
			return (enum lease_phase)i;
	abort(); /* the column has a CHECK */
}

bool
store_lease_save(struct txn *txn, const struct slice_record *slice, struct err *err)
{
	const struct lease *lease = &slice->lease;

	return txn_run(txn, err,
	    "UPDATE slice SET from_ms = ?, until_ms = ?, warn_ms = ?, grace_ms = ?, phase = ?,"
	    " due_ms = ? WHERE id = ?",
	    "iiiitit", lease->from_ms, lease->until_ms, lease->warn_ms, lease->grace_ms,
	    phases[lease->phase], lease->due_ms, slice->id);
}

bool
store_lease_due(
    struct txn *txn, int64_t now_ms, struct arena *arena, struct slice_names *due, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT id FROM slice WHERE due_ms > 0 AND due_ms <= ?"
	    " ORDER BY phase = 'booked' AND due_ms > from_ms, due_ms",
	    "i", now_ms);
	vec_of(const char *) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, arena_text(arena, rows_text(rows, 0)));
	due->n = found.n;
	due->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}

bool
store_lease_next(struct txn *txn, int64_t *due_ms, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT coalesce(min(due_ms), 0) FROM slice WHERE due_ms > 0", "");

	if (!rows)
		return false;
	*due_ms = rows_next(rows) ? rows_i64(rows, 0) : 0;
	return true;
}

bool
store_booking_add(
    struct txn *txn, const char *slice, const struct booking_rows *booking, struct err *err)
{
	for (size_t i = 0; i < booking->n; i++) {
		const struct booking_row *row = &booking->items[i];

		if (!txn_run(txn, err,
			"INSERT INTO booking (slice, seq, manager, kind, spec)"
			" VALUES (?, ?, ?, ?, ?)",
			"tittt", slice, (int64_t)i, row->manager, row->kind, row->spec))
			return false;
	}
	return true;
}

bool
store_booking_list(struct txn *txn, const char *slice, struct arena *arena,
    struct booking_rows *booking, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT manager, kind, spec FROM booking WHERE slice = ? ORDER BY seq", "t", slice);
	vec_of(struct booking_row) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct booking_row){arena_text(arena, rows_text(rows, 0)),
				     arena_text(arena, rows_text(rows, 1)),
				     arena_text(arena, rows_text(rows, 2))}));
	booking->n = found.n;
	booking->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}

bool
store_booked_at(struct txn *txn, const char *manager, struct arena *arena,
    struct slice_records *slices, struct err *err)
{
	auto_rows struct rows *rows = txn_query(
	    txn, err, "SELECT DISTINCT slice FROM booking WHERE manager = ?", "t", manager);
	vec_of(struct slice_record) found = {0};
	bool is_good = rows != NULL;

	while (is_good && rows_next(rows))
		is_good = store_slice_by_id(txn, rows_text(rows, 0), arena, vec_add(&found), err);
	slices->n = found.n;
	slices->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return is_good;
}

bool
store_booking_drop(struct txn *txn, const char *slice, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM booking WHERE slice = ?", "t", slice);
}
