/*
 * Rows of the manager: between the database and memory.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/manager_part.h"

#define ROW_COLUMNS "rid, owner, kind, spec, attr, rev, state, eff, hold_ms, result"

static void item_set(struct item *item, const struct row *row);
static void row_fill(struct rows *rows, struct row *row, int64_t *hold_ms);

bool
row_read(struct txn *txn, uint64_t rid, struct arena *arena, struct row **row, int64_t *hold_ms,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(
	    txn, err, "SELECT " ROW_COLUMNS " FROM manager_row WHERE rid = ?", "i", (int64_t)rid);
	struct row found;

	if (!rows)
		return false;
	*row = NULL;
	if (!rows_next(rows))
		return true;
	row_fill(rows, &found, hold_ms);
	*row = arena_new_of(arena, struct row);
	**row = found;
	(*row)->owner = arena_text(arena, found.owner);
	(*row)->kind = arena_text(arena, found.kind);
	(*row)->spec = arena_text(arena, found.spec);
	(*row)->attr = arena_text(arena, found.attr);
	(*row)->result = arena_text(arena, found.result);
	return true;
}

/* Learns what the caller says of itself: a newer epoch, a higher floor. */
bool
owner_meet(struct txn *txn, const struct manager_caller *caller, int64_t *floor, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT max_epoch, floor, change, life FROM manager_owner WHERE owner = ?", "t",
	    caller->owner);
	int64_t epoch = -1, change = 0, life = caller->life;

	if (!rows)
		return false;
	if (rows_next(rows)) {
		epoch = rows_i64(rows, 0);
		*floor = rows_i64(rows, 1);
		change = rows_i64(rows, 2);
		life = rows_i64(rows, 3);
	}
	if (caller->epoch < epoch || (caller->epoch == epoch && caller->life != life))
		return err_set(err, ERR_STALE_EPOCH, "epoch %lld of '%s' is over, it is at %lld",
		    (long long)caller->epoch, caller->owner, (long long)epoch);
	if (caller->epoch > epoch && caller->since < change)
		return err_set(err, ERR_STALE_EPOCH,
		    "the books of '%s' end at change %lld, it has told of %lld", caller->owner,
		    (long long)caller->since, (long long)change);
	if (caller->epoch == epoch && (int64_t)caller->floor <= *floor && caller->change <= change)
		return true;
	if (caller->change > change)
		change = caller->change;
	if ((int64_t)caller->floor > *floor)
		*floor = (int64_t)caller->floor;
	rows_done(take(rows));
	return txn_run(txn, err,
	    "INSERT INTO manager_owner(owner, max_epoch, floor, change, life) VALUES(?, ?, ?, ?, "
	    "?) "
	    "ON CONFLICT(owner) DO UPDATE SET max_epoch = excluded.max_epoch, "
	    "floor = excluded.floor, change = excluded.change, life = excluded.life",
	    "tiiii", caller->owner, caller->epoch, *floor, change, caller->life);
}

bool
rows_load(struct manager *manager, struct err *err)
{
	auto_txn struct txn *txn = store_begin(manager->config.store);
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT " ROW_COLUMNS " FROM manager_row", "");
	struct row_change change;

	if (!rows)
		return false;
	while (rows_next(rows)) {
		row_fill(rows, &change.row, &change.hold_ms);
		row_apply(manager, &change);
	}
	return true;
}

void
row_apply(struct manager *manager, const struct row_change *change)
{
	struct item *item;

	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, change->row.rid);
	if (!item) {
		item = xcalloc(1, sizeof(*item));
		map_put_id(manager->items, change->row.rid, item);
	}
	item_set(item, &change->row);
	item_tell(manager, item);
	item->hold_ends_ms = clock_boot_ms(manager->config.clock) + change->hold_ms;
	item->why = (struct err){0};
	free(take(item->lost)); /* it is to be something else now */
	item->failures = 0;
	heap_drop(&manager->dues, &item->due);
	if (item->row.state == ROW_HELD)
		item_wait(manager, item, item->hold_ends_ms);
	else if (!item_is_settled(item))
		item_hurry(manager, item);
	pthread_mutex_unlock(&manager->lock);
}

void
item_tell(const struct manager *manager, const struct item *item)
{
	const struct manager_kind *kind = kind_find(manager, item->row.kind);

	if (kind && kind->heard)
		kind->heard(kind->self, &item->row);
}

void
item_free(struct item *item)
{
	for (int i = 0; i < ROW_TEXTS; i++)
		free(item->texts[i]);
	free(item->lost);
	free(item);
}

const struct manager_kind *
kind_find(const struct manager *manager, const char *name)
{
	for (size_t i = 0; i < manager->config.n_kinds; i++)
		if (!strcmp(manager->kinds[i].name, name))
			return &manager->kinds[i];
	return NULL;
}

bool
item_is_settled(const struct item *item)
{
	switch (item->row.state) {
	case ROW_COMMITTED:
		return item->is_real && item->rev_real == item->row.rev;
	case ROW_RELEASED:
		return !item->row.has_effect;
	case ROW_NONE:
	case ROW_HELD:
	default:
		return true;
	}
}

void
item_answer(const struct item *item, struct arena *arena, struct row_have *have)
{
	have->state = item->row.state;
	have->is_real = item->row.state != ROW_HELD && item_is_settled(item);
	have->rev = item->rev_real;
	have->result = arena_text(arena, item->row.result);
	if (have->why.code == ERR_NONE && !item_is_settled(item)) {
		have->why = item->why;
		if (have->why.code == ERR_NONE)
			(void)err_set(&have->why, ERR_WAIT, "it is on its way");
	}
}

bool
why_is_hard(enum err_code code)
{
	return code != ERR_NONE && code != ERR_WAIT && code != ERR_UNAVAILABLE &&
	       code != ERR_TIMEOUT;
}

static void
item_set(struct item *item, const struct row *row)
{
	const char *texts[ROW_TEXTS] = {row->owner, row->kind, row->spec, row->attr, row->result};

	for (int i = 0; i < ROW_TEXTS; i++) {
		free(item->texts[i]);
		item->texts[i] = texts[i] ? xstrdup(texts[i]) : NULL;
	}
	item->row = *row;
	item->row.owner = item->texts[0];
	item->row.kind = item->texts[1];
	item->row.spec = item->texts[2];
	item->row.attr = item->texts[3];
	item->row.result = item->texts[4];
}

static void
row_fill(struct rows *rows, struct row *row, int64_t *hold_ms)
{
	*row = (struct row){.rid = (uint64_t)rows_i64(rows, 0),
	    .owner = rows_text(rows, 1),
	    .kind = rows_text(rows, 2),
	    .spec = rows_text(rows, 3),
	    .attr = rows_text(rows, 4),
	    .rev = rows_i64(rows, 5),
	    .state = (enum row_state)rows_i64(rows, 6),
	    .has_effect = rows_i64(rows, 7) != 0,
	    .result = rows_text(rows, 9)};
	*hold_ms = rows_i64(rows, 8);
}
