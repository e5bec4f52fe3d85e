/*
 * May a link end be held? What the rows have taken is in the book of links, which hears of each.
 */
#include "redirector/link.h"
#include "redirector/link_book.h"

bool
link_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	static const char *const per_lines[] = {[SHAPER_PER_LINK] = "",
	    [SHAPER_PER_NODE] = "per=node\n",
	    [SHAPER_PER_SLICE] = "per=slice\n"};
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	struct link_seat seat;
	struct link_end end;

	(void)txn;
	if (!link_read(redirector, row, arena, &end, err) ||
	    !link_book_seat(redirector->book, row, &end, book, &seat, err))
		return false;
	if (end.peer)
		str_add(result, "class=none\n");
	else
		str_addf(result, "class=%u\nslice_class=%u\n%s", seat.number, seat.slice_number,
		    per_lines[seat.per]);
	return true;
}

void
link_heard(void *self, const struct row *row)
{
	struct redirector *redirector = self;
	auto_arena struct arena *arena = arena_new();
	bool is_charged = row->state != ROW_RELEASED || row->has_effect;
	struct row bare = *row;
	struct link_end end;

	redirector->heard_ms = clock_boot_ms(&clock_real);
	bare.attr = "";
	/* A port that the configuration has lost is charged nowhere. */
	if (is_charged && (link_read(redirector, row, arena, &end, NULL) ||
			      link_read(redirector, &bare, arena, &end, NULL)))
		link_book_hear(redirector->book, row, &end);
	else
		link_book_hear(redirector->book, row, NULL);
}
