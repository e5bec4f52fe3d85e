/*
 * First stages of the slice's way: guard, read, defaults, check, and the place. Each pass runs only
 * if the one before found nothing; all of them together touch nothing.
 */
#include <string.h>

#include "snc/embed.h"
#include "snc/slice.h"

enum { DOCUMENT_MAX = 1 << 20, EMBED_MS = 500 };

static bool
place(struct snc *snc, struct slice_examination *examination, struct arena *arena, diagnoses *found)
{
	struct embed_request request = {
	    .slice = examination->slice,
	    .clock = snc->clock,
	    .deadline_ms = clock_boot_ms(snc->clock) + EMBED_MS,
	};
	struct txn *txn;
	struct err err;
	bool is_good;

	snc_refresh_view(snc);
	txn = store_begin(snc->store);
	is_good = snc_substrate(snc, txn, arena, &examination->substrate, &err);
	txn_cancel(txn);
	if (!is_good) {
		diagnoses_push(found, &err);
		return false;
	}
	request.substrate = examination->substrate;
	is_good = embed(&request, arena, &examination->mapping, found);
	diagnoses_sort(found);
	return is_good;
}

bool
slice_examine(
    struct snc *snc, struct slice_examination *examination, struct arena *arena, diagnoses *found)
{
	const struct slice_document *document = &examination->document;
	struct slice_world world = {.role = examination->role};
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
	has_values = slice_defaults(examination->slice, arena, found);
	if (!slice_check(examination->slice, &world, found) || !has_values)
		return false;
	return !examination->wants_place || place(snc, examination, arena, found);
}
