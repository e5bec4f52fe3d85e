/*
 * Rows of link ends, read.
 */
#include "snc/link_ends.h"

#include <string.h>

#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "snc/slice_picture.h"

typedef vec_of(struct link_end_place) places;

static bool
read_end(const struct link_end_places *ends, const struct controller_row_state *row,
    struct arena *arena, struct link_end_place *place, struct err *err)
{
	const char *at = strchr(row->row.manager, '@');

	*place = (struct link_end_place){
	    .rid = row->row.rid,
	    .rid_text = arena_text(arena, id_text(row->row.rid).text),
	    .manager = row->row.manager,
	    .host = arena_text(arena, at ? at + 1 : row->row.manager),
	    .row = row,
	};
	if (!spec_parse(&link_end_spec_table, row->row.spec, arena, &place->spec, err) ||
	    !spec_parse(&link_end_attr_spec_table, row->row.attr, arena, &place->attr, err) ||
	    !id_parse(place->spec.port, &place->port, err))
		return err_in(err, "%s", row->row.subject);
	place->name = picture_port(ends->rows, ends->n_rows, place->spec.port, arena);
	return true;
}

/* Rows are in the order of the plan: a link's ends follow each other, its first vport's first. */
bool
link_ends_read(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct link_end_places *ends, struct err *err)
{
	places found = {0};
	bool is_good = true;

	ends->n = 0;
	if (!controller_rows(snc->controller, txn, record->id, arena, &ends->rows, &ends->n_rows))
		return true;
	for (size_t i = 0; is_good && i < ends->n_rows; i++) {
		const struct controller_row_state *row = &ends->rows[i];
		struct link_end_place place;

		if (!str_equal(row->row.kind, "link_end") || row->have == ROW_RELEASED)
			continue;
		is_good = read_end(ends, row, arena, &place, err);
		if (is_good && (!ends->link || str_equal(place.spec.link, ends->link)))
			vec_push(&found, place);
	}
	ends->items = (void *)arena_copy(arena, found.items, found.n * sizeof(*found.items));
	ends->n = found.n;
	vec_done(&found);
	return is_good;
}

bool
link_ends_find(struct snc *snc, struct txn *txn, const struct slice_record *record,
    struct arena *arena, struct link_end_places *ends, struct err *err)
{
	if (!link_ends_read(snc, txn, record, arena, ends, err))
		return false;
	if (ends->n)
		return true;
	err_set(
	    err, ERR_NOT_FOUND, "slice '%s' has no link '%s' in place", record->name, ends->link);
	return err_hint(err, "`vnode slice show %s` lists what it has", record->name);
}
