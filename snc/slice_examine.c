/*
 * First stages of the slice's way: guard, read, defaults, check, expand, and the place. Each pass
 * runs only if the one before found nothing; all of them together touch nothing.
 */
#include <string.h>

#include "lib/base/log.h"
#include "snc/embed.h"
#include "snc/link_kinds.h"
#include "snc/slice.h"

enum { DOCUMENT_MAX = 1 << 20 };

static bool
place(struct snc *snc, struct slice_examination *examination, struct arena *arena, diagnoses *found)
{
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct slice_placing placing = {.deadline_ms = clock_boot_ms(snc->clock) + EMBED_SEARCH_MS};
	const struct slice *slice = examination->slice;
	struct err err;
	bool is_good;

	if (!lease_grant(&examination->wish, now_ms, &examination->lease, &err)) {
		err_at(&err, slice->where.line, slice->where.xpath);
		err_subject(&err, "slice '%s'", slice->name);
		diagnoses_push(found, &err);
		return false;
	}
	examination->expanded = placing.expanded = slice_expand(slice, arena);
	placing.question.window = lease_span(&examination->lease, now_ms);
	placing.question.without = examination->without;
	placing.tenant = examination->tenant;
	snc_refresh_view(snc);
	is_good = slice_place(snc, &placing, arena, found);
	examination->substrate = placing.substrate;
	examination->mapping = placing.mapping;
	examination->weight = placing.weight;
	diagnoses_sort(found);
	return is_good;
}

bool
slice_examine(
    struct snc *snc, struct slice_examination *examination, struct arena *arena, diagnoses *found)
{
	const struct slice_document *document = &examination->document;
	struct slice_world world = {.role = examination->role, .arena = arena};
	bool has_values;

	if (document->size > DOCUMENT_MAX) {
		diagnose(found, 0, "", ERR_X19, "the document has %zu bytes, more than 1 MiB",
		    document->size);
		return false;
	}
	if (!slice_read(document->bytes, document->size, arena, &examination->slice, found)) {
		examination->slice = NULL;
		return false;
	}
	inventory_world(snc->inventory, arena, &world);
	link_kinds_read(snc->conf, arena, &world);
	has_values = slice_defaults(examination->slice, arena, found);
	if (!slice_check(examination->slice, &world, found) || !has_values)
		return false;
	return !examination->wants_place || place(snc, examination, arena, found);
}

void
slice_note_refused(struct snc *snc, const struct slice_examination *examination)
{
	struct txn *txn;
	struct err err;

	if (examination->weight <= 0)
		return;
	txn = store_begin(snc->store);
	if (admission_note(txn,
		&(struct admission_asker){examination->tenant.user, examination->slice->name},
		examination->weight, &err) &&
	    txn_commit(&txn, &err))
		return;
	txn_cancel(txn);
	log_warn("snc", "event=not_noted slice=%s why=\"%s\"", examination->slice->name, err.text);
}

bool
slice_first_fault(const diagnoses *found, struct err *err)
{
	vec_each (each, found) {
		if (each->is_warning)
			continue;
		*err = *each;
		return false;
	}
	return err_set(err, ERR_INTERNAL, "a document was refused without a reason");
}
