/*
 * Charges of all groups, parsed once: specs never change.
 */
#include "snc/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "snc/snc_store.h"

struct entry {
	char *group;
	int64_t round;       /* of the slice: a later admission has other rows */
	bool is_pending;     /* its shares may not be reserved yet */
	bool is_releasing;   /* its rows go one by one: read again each time */
	int64_t counted;     /* first view that counts its shares; 0 = none yet */
	int64_t seen;        /* sync that saw it last */
	struct arena *arena; /* of the charges */
	vec_of(struct resource_charge) charges;
};

struct ledger {
	struct map *entries; /* by group */
	int64_t n_syncs;
};

static void
entry_free(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->group);
	arena_free(entry->arena);
	vec_done(&entry->charges);
	free(entry);
}

void
ledger_free(struct ledger *ledger)
{
	struct entry *entry;

	if (!ledger)
		return;
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_free(entry);
	map_free(ledger->entries);
	free(ledger);
}

struct ledger *
ledger_new(void)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->entries = map_new();
	return ledger;
}

/* A row that is really gone charges nothing. */
static bool
entry_read(struct entry *entry, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	const struct controller_row_state *rows;
	size_t n_rows;

	arena_free(entry->arena);
	entry->arena = arena_new();
	entry->charges.n = 0;
	if (!controller_rows(controller, txn, entry->group, scratch, &rows, &n_rows))
		return err_set(err, ERR_INTERNAL, "rows of '%s' cannot be read", entry->group);
	for (size_t i = 0; i < n_rows; i++) {
		struct resource_charge charge;
		struct err why;

		if (rows[i].have == ROW_RELEASED && rows[i].is_real)
			continue;
		if (resource_charge(rows[i].row.manager, rows[i].row.kind, rows[i].row.spec,
			entry->arena, &charge, &why))
			vec_push(&entry->charges, charge);
		else
			log_error("snc", "event=charge_unreadable group=%s why=\"%s\"",
			    entry->group, why.text);
	}
	return true;
}

static struct entry *
entry_get(struct ledger *ledger, const struct slice_record *slice)
{
	struct entry *entry = map_get(ledger->entries, slice->id);

	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->group = xstrdup(slice->id);
	entry->round = -1;
	map_put(ledger->entries, slice->id, entry);
	return entry;
}

static bool
entry_sync(struct ledger *ledger, struct controller *controller, struct txn *txn,
    const struct slice_record *slice, struct err *err)
{
	struct entry *entry = entry_get(ledger, slice);
	bool is_known = entry->round == slice->round && !entry->is_releasing;

	entry->seen = ledger->n_syncs;
	if (entry->round != slice->round)
		entry->counted = 0;
	entry->round = slice->round;
	entry->is_pending = slice->engine == GROUP_PENDING;
	entry->is_releasing = slice->engine == GROUP_RELEASING;
	return (is_known && !entry->is_releasing) || entry_read(entry, controller, txn, err);
}

static void
forget_unseen(struct ledger *ledger)
{
	vec_of(const char *) gone = {0};
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		if (entry->seen != ledger->n_syncs)
			vec_push(&gone, entry->group);
	vec_each (group, &gone)
		entry_free(map_drop(ledger->entries, *group));
	vec_done(&gone);
}

bool
ledger_sync(struct ledger *ledger, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_records slices;

	if (!store_slice_list(txn, NULL, arena, &slices, err))
		return false;
	ledger->n_syncs++;
	for (size_t i = 0; i < slices.n; i++)
		if (slices.items[i].has_group &&
		    !entry_sync(ledger, controller, txn, &slices.items[i], err))
			return false;
	forget_unseen(ledger);
	return true;
}

void
ledger_mark(struct ledger *ledger, int64_t view)
{
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		if (!entry->is_pending && !entry->counted)
			entry->counted = view;
}

void
ledger_take(const struct ledger *ledger, struct substrate *substrate, int64_t view)
{
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));) {
		bool is_in_view = entry->counted && entry->counted <= view;

		vec_each (charge, &entry->charges) {
			struct err why;

			if (is_in_view && str_equal(charge->kind, "share"))
				continue;
			/* Already admitted: whatever is short now is short. */
			(void)resource_take(substrate, charge, &why);
		}
	}
}
