/*
 * What the manager changes in its rows by itself: holds that end, effects that are gone, tombstones
 * that nobody needs any more.
 */
#include <stdlib.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/engine/manager_part.h"

static bool is_held_past(struct manager *manager, uint64_t rid);
static void items_drop(struct manager *manager, const vec_rid *past);
static bool store_gone(struct manager *manager, const vec_rid *gone, struct err *err);
static bool forget_below(struct manager *manager, struct txn *txn, const char *owner,
    uint64_t floor, vec_rid *past, struct err *err);

bool
holds_end(struct manager *manager, const vec_rid *ended, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct row_change *changes = arena_alloc(arena, ended->n * sizeof(*changes));
	size_t n_changes = 0;
	bool is_stored = true;

	pthread_mutex_lock(&manager->write);
	{
		auto_txn struct txn *txn = store_begin(manager->config.store);

		for (size_t i = 0; i < ended->n && is_stored; i++) {
			struct row *row = NULL;

			/* A reserve may have come in between and renewed it. */
			if (!is_held_past(manager, ended->items[i]))
				continue;
			is_stored =
			    txn_run(txn, err,
				"UPDATE manager_row SET state = 3 WHERE rid = ? AND state = 1", "i",
				(int64_t)ended->items[i]) &&
			    row_read(txn, ended->items[i], arena, &row, &changes[n_changes].hold_ms,
				err);
			if (is_stored && row)
				changes[n_changes++].row = *row;
		}
		FAULT_POINT("manager.expire.before");
		is_stored = is_stored && txn_commit(&txn, err);
		FAULT_POINT("manager.expire.after");
	}
	for (size_t i = 0; i < n_changes && is_stored; i++)
		row_apply(manager, &changes[i]);
	pthread_mutex_unlock(&manager->write);
	return is_stored;
}

bool
holds_store(struct manager *manager, struct err *err)
{
	auto_txn struct txn *txn = NULL;
	int64_t now_ms = clock_boot_ms(manager->config.clock);
	vec_of(struct row_change) holds = {0};
	struct item *item;
	bool is_stored = true;

	pthread_mutex_lock(&manager->write);
	pthread_mutex_lock(&manager->lock);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		if (item->row.state == ROW_HELD) {
			struct row_change *hold = vec_add(&holds);

			hold->row.rid = item->row.rid;
			hold->hold_ms =
			    item->hold_ends_ms > now_ms ? item->hold_ends_ms - now_ms : 0;
		}
	pthread_mutex_unlock(&manager->lock);
	if (holds.n) {
		txn = store_begin(manager->config.store);
		for (size_t i = 0; i < holds.n && is_stored; i++)
			is_stored =
			    txn_run(txn, err, "UPDATE manager_row SET hold_ms = ? WHERE rid = ?",
				"ii", holds.items[i].hold_ms, (int64_t)holds.items[i].row.rid);
		is_stored = is_stored && txn_commit(&txn, err);
	}
	pthread_mutex_unlock(&manager->write);
	vec_done(&holds);
	return is_stored;
}

void
removed_store(struct manager *manager, const struct item *item)
{
	vec_rid gone;
	struct err err = {0};
	bool is_stored;

	pthread_mutex_lock(&manager->lock);
	vec_push(&manager->removed, item->row.rid);
	pthread_mutex_unlock(&manager->lock);
	/* Who comes first stores for all that have come meanwhile: one commit for many rows. */
	pthread_mutex_lock(&manager->write);
	pthread_mutex_lock(&manager->lock);
	gone = manager->removed;
	manager->removed = (vec_rid){0};
	pthread_mutex_unlock(&manager->lock);
	is_stored = !gone.n || store_gone(manager, &gone, &err);
	if (!is_stored)
		log_warn("engine", "event=removed_not_stored why=\"%s\"", err.text);
	pthread_mutex_lock(&manager->lock);
	for (size_t i = 0; i < gone.n && is_stored; i++) {
		struct item *found = map_get_id(manager->items, gone.items[i]);

		if (!found)
			continue;
		found->row.has_effect = false;
		item_tell(manager, found);
	}
	pthread_mutex_unlock(&manager->lock);
	pthread_mutex_unlock(&manager->write);
	vec_done(&gone);
}

bool
rows_forget(struct manager *manager, struct err *err)
{
	vec_rid past = {0};
	bool is_stored;

	pthread_mutex_lock(&manager->write);
	{
		auto_txn struct txn *txn = store_begin(manager->config.store);
		auto_rows struct rows *rows =
		    txn_query(txn, err, "SELECT owner, floor FROM manager_owner", "");

		is_stored = rows != NULL;
		while (is_stored && rows_next(rows))
			is_stored = forget_below(manager, txn, rows_text(rows, 0),
			    (uint64_t)rows_i64(rows, 1), &past, err);
		rows_done(take(rows));
		is_stored = is_stored && txn_commit(&txn, err);
	}
	if (is_stored)
		items_drop(manager, &past);
	pthread_mutex_unlock(&manager->write);
	vec_done(&past);
	return is_stored;
}

static bool
is_held_past(struct manager *manager, uint64_t rid)
{
	struct item *item;
	bool is_past;

	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, rid);
	is_past = item && item->row.state == ROW_HELD &&
		  item->hold_ends_ms <= clock_boot_ms(manager->config.clock);
	pthread_mutex_unlock(&manager->lock);
	return is_past;
}

static bool
store_gone(struct manager *manager, const vec_rid *gone, struct err *err)
{
	auto_txn struct txn *txn = store_begin(manager->config.store);

	for (size_t i = 0; i < gone->n; i++)
		if (!txn_run(txn, err, "UPDATE manager_row SET eff = 0 WHERE rid = ?", "i",
			(int64_t)gone->items[i]))
			return false;
	FAULT_POINT("manager.released.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("manager.released.after");
	return true;
}

/* One that is being looked at since goes next time: deleting its row once more does no harm. */
static void
items_drop(struct manager *manager, const vec_rid *past)
{
	pthread_mutex_lock(&manager->lock);
	vec_each (rid, past) {
		const struct item *item = map_get_id(manager->items, *rid);

		if (!item->is_busy && !item->is_queued)
			item_free(map_drop_id(manager->items, *rid));
	}
	pthread_mutex_unlock(&manager->lock);
}

/* Adds what it has deleted to `past`: memory lets go of that when it is durable. */
static bool
forget_below(struct manager *manager, struct txn *txn, const char *owner, uint64_t floor,
    vec_rid *past, struct err *err)
{
	size_t first = past->n;
	struct item *item;
	bool is_stored = true;

	pthread_mutex_lock(&manager->lock);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		if (item->row.rid < floor && item->row.state == ROW_RELEASED &&
		    !item->row.has_effect && !item->is_busy && !item->is_queued &&
		    str_equal(item->row.owner, owner))
			vec_push(past, item->row.rid);
	pthread_mutex_unlock(&manager->lock);
	for (size_t i = first; i < past->n && is_stored; i++)
		is_stored = txn_run(txn, err, "DELETE FROM manager_row WHERE rid = ?", "i",
		    (int64_t)past->items[i]);
	return is_stored;
}
