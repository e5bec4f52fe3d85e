/*
 * Which groups have to be read again. Triggers of the database and sncd's callbacks of the engine
 * mark the groups that changed; what was read in a transaction that was rolled back is found out by
 * the marks that are not there any more.
 */
#include "snc/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "snc/ledger_part.h"

void
ledger_free(struct ledger *ledger)
{
	struct entry *entry;
	char *group;

	if (!ledger)
		return;
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_free(entry);
	map_free(ledger->entries);
	ledger_keep_done(ledger);
	map_free(ledger->special);
	map_free(ledger->unviewed);
	map_free(ledger->hosts);
	map_free(ledger->pages);
	map_free(ledger->edges);
	for (size_t at = 0; (group = map_next(ledger->unsettled, &at));)
		free(group);
	map_free(ledger->unsettled);
	map_free(ledger->texts);
	map_free(ledger->ways);
	arena_free(ledger->kept);
	free(ledger);
}

struct ledger *
ledger_new(const struct clock *clock, struct inventory *inventory)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->clock = clock;
	ledger->inventory = inventory;
	ledger->entries = map_new();
	ledger->special = map_new();
	ledger->unviewed = map_new();
	ledger->unsettled = map_new();
	ledger->kept = arena_new();
	ledger->texts = map_new();
	ledger->ways = map_new();
	ledger->hosts = map_new();
	ledger->pages = map_new();
	ledger->edges = map_new();
	ledger->seen = -1;
	return ledger;
}

/* ---- one group ------------------------------------------------------------------------------- */

static struct entry *
entry_get(struct ledger *ledger, const char *group)
{
	struct entry *entry = map_get(ledger->entries, group);

	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->group = xstrdup(group);
	entry->round = -1;
	entry->is_booked = true; /* and so in no substrate: nothing is known of it yet */
	map_put(ledger->entries, group, entry);
	return entry;
}

static void
entry_drop(struct ledger *ledger, const char *group)
{
	struct entry *entry = map_get(ledger->entries, group);

	if (!entry)
		return;
	entry_out(ledger, entry);
	map_drop(ledger->entries, group);
	entry_free(entry);
}

/* What is being given back has no end that anybody knows. */
static struct calendar_span
held_by(const struct slice_record *slice)
{
	struct calendar_span span = lease_span(&slice->lease, CALENDAR_ALWAYS);

	if (slice->has_group && slice->engine == GROUP_RELEASING)
		span.until_ms = CALENDAR_EVER;
	return span;
}

struct calendar_span
entry_held(const struct ledger *ledger, const struct entry *entry)
{
	struct calendar_span held = entry->held;

	if (held.until_ms <= clock_wall_ms(ledger->clock))
		held.until_ms = CALENDAR_EVER;
	return held;
}

/* The state of a sync: what is read, and under which mark. */
struct syncing {
	struct ledger *ledger;
	struct controller *controller;
	struct txn *txn;
	int64_t stamp;
};

static bool
entry_sync(const struct syncing *syncing, const struct slice_record *slice, struct err *err)
{
	struct ledger *ledger = syncing->ledger;
	struct entry *entry = entry_get(ledger, slice->id);
	bool is_booked = slice->lease.phase == LEASE_BOOKED;
	bool is_known = entry->round == slice->round && entry->is_booked == is_booked;
	bool was_moving = entry->is_releasing || entry->is_leaning;
	bool is_good = true;

	entry_out(ledger, entry);
	if (!is_known)
		entry->counted = 0;
	entry->stamp = syncing->stamp;
	entry->round = slice->round;
	entry->is_booked = is_booked;
	entry->held = held_by(slice);
	entry->is_pending = is_booked || slice->engine == GROUP_PENDING;
	entry->is_releasing = !is_booked && slice->engine == GROUP_RELEASING;
	if (!is_known || is_booked || entry->is_releasing || was_moving)
		is_good = entry_read(ledger, entry, syncing->controller, syncing->txn, err);
	entry_in(ledger, entry);
	return is_good;
}

/* Is it to be read at every sync? */
static void
settle(struct ledger *ledger, const char *group, bool is_settled)
{
	if (is_settled)
		free(map_drop(ledger->unsettled, group));
	else if (!map_get(ledger->unsettled, group))
		map_put(ledger->unsettled, group, xstrdup(group));
}

static bool
is_part(struct txn *txn, const char *slice, const char *group, bool *is, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;

	*is = false;
	if (!store_parts(txn, slice, arena, &parts, err))
		return false;
	for (size_t i = 0; i < parts.n; i++)
		*is = *is || str_equal(parts.groups[i], group);
	return true;
}

/*
 * A group that a slice has beside its own while it is modified: its rows are those that it was
 * admitted with. It may be known before the engine has it.
 */
static bool
part_sync(
    const struct syncing *syncing, struct slice_record *record, const char *group, struct err *err)
{
	bool is = false;

	if (!is_part(syncing->txn, record->id, group, &is, err))
		return false;
	record->id = group;
	record->round = 0;
	record->has_group =
	    is && controller_group(syncing->controller, syncing->txn, group, &record->engine);
	settle(syncing->ledger, group, !is || record->has_group);
	if (record->has_group)
		return entry_sync(syncing, record, err);
	entry_drop(syncing->ledger, group);
	return true;
}

static bool
group_sync(const struct syncing *syncing, const char *group, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct ledger *ledger = syncing->ledger;
	const char *id = modify_slice_of(group, arena);
	struct slice_record record;
	const struct entry *entry;

	if (!store_slice_by_id(syncing->txn, id, arena, &record, err)) {
		if (err->code != ERR_NOT_FOUND)
			return false;
		settle(ledger, group, true);
		entry_drop(ledger, group);
		return true;
	}
	if (!str_equal(id, group)) {
		if (!part_sync(syncing, &record, group, err))
			return false;
	} else if (record.has_group || record.lease.phase == LEASE_BOOKED) {
		if (!entry_sync(syncing, &record, err))
			return false;
	} else {
		entry_drop(ledger, group);
	}
	entry = map_get(ledger->entries, group);
	if (entry)
		settle(ledger, group, !entry->is_leaning);
	return true;
}

/* ---- all groups ------------------------------------------------------------------------------ */

/* What was read under marks later than `valid` is of a transaction that was rolled back. */
static void
forget_after(struct ledger *ledger, int64_t valid)
{
	vec_of(const char *) gone = {0};
	const struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		if (!ledger->is_loaded || entry->stamp > valid)
			vec_push(&gone, entry->group);
	vec_each (group, &gone)
		entry_drop(ledger, *group);
	vec_done(&gone);
}

/* Reads all that is not known. */
static bool
load(const struct syncing *syncing, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_records slices;
	struct modify_parts parts;

	if (!store_slice_list(syncing->txn, NULL, arena, &slices, err) ||
	    !store_parts(syncing->txn, NULL, arena, &parts, err))
		return false;
	for (size_t i = 0; i < slices.n; i++) {
		const struct slice_record *slice = &slices.items[i];

		if (!map_get(syncing->ledger->entries, slice->id) &&
		    (slice->has_group || slice->lease.phase == LEASE_BOOKED) &&
		    !group_sync(syncing, slice->id, err))
			return false;
	}
	for (size_t i = 0; i < parts.n; i++)
		if (!map_get(syncing->ledger->entries, parts.groups[i]) &&
		    !group_sync(syncing, parts.groups[i], err))
			return false;
	return true;
}

static bool
sync_unsettled(const struct syncing *syncing, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	vec_of(const char *) groups = {0};
	const char *group;
	bool is_good = true;

	for (size_t at = 0; (group = map_next(syncing->ledger->unsettled, &at));)
		vec_push(&groups, arena_text(arena, group));
	vec_each (each, &groups)
		is_good = is_good && group_sync(syncing, *each, err);
	vec_done(&groups);
	return is_good;
}

bool
ledger_sync(struct ledger *ledger, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct syncing syncing = {ledger, controller, txn, 0};
	struct store_marks marks;

	if (!store_marks_after(txn, ledger->seen, arena, &marks, err))
		return false;
	ledger_refresh(ledger);
	syncing.stamp = marks.valid;
	if (!ledger->is_loaded || marks.valid < ledger->seen) {
		forget_after(ledger, marks.valid);
		ledger->is_loaded = false; /* until all is read */
		if (!load(&syncing, err))
			return false;
		ledger->is_loaded = true;
		ledger->seen = marks.valid;
	}
	for (size_t i = 0; i < marks.n; i++) {
		syncing.stamp = marks.items[i].stamp;
		if (!group_sync(&syncing, marks.items[i].group, err))
			return false;
	}
	if (!sync_unsettled(&syncing, err))
		return false;
	if (marks.n)
		ledger->seen = marks.items[marks.n - 1].stamp;
	return true;
}

/* Entries that a view moves. */
struct touched {
	struct entry *entry;
};

/* All that the view may not count yet changes its way, or is no longer in one. */
void
ledger_mark(struct ledger *ledger, int64_t view)
{
	vec_of(struct touched) touched = {0};
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->unviewed, &at));)
		vec_push(&touched, (struct touched){entry});
	vec_each (each, &touched)
		entry_out(ledger, each->entry);
	ledger->view = view > ledger->view ? view : ledger->view;
	vec_each (each, &touched) {
		if (!each->entry->is_pending && !each->entry->counted)
			each->entry->counted = view;
		entry_in(ledger, each->entry);
	}
	vec_done(&touched);
}
