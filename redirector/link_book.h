/*
 * What the rows of link ends say, kept as they change: what each underlay port has given away, and
 * the sums that its tree is made of. So a link end is admitted without reading the others, and a
 * sum is right from the first moment after a restart, whatever has been made by then. Any thread.
 */
#pragma once

#include "lib/base/err.h"
#include "redirector/shaper.h"

struct link_end;
struct row;
struct manager_book;
struct link_book;

void link_book_free(struct link_book *book);

/* Shaped link ends get numbers as this says. */
struct link_book_rules {
	const char *host; /* for sentences; borrowed */
	enum shaper_per per;
	uint32_t n_queues; /* leaves of one port; 0 = as many as there are numbers */
	uint32_t n_blocks; /* numbers of pooled slices, see shaper.h */
};

struct link_book *link_book_new(const struct link_book_rules *rules) malloc_by(link_book_free);

/* The row is like this now (lib/engine/manager.h, heard). `end`: as read, without attributes where
 * they make no sense (those of before stay), NULL: it is gone. */
void link_book_hear(struct link_book *book, const struct row *row, const struct link_end *end);

/* What a new link end has got. */
struct link_seat {
	uint32_t number, slice_number;
	enum shaper_per per;
};

/*
 * May it be held? Takes its numbers and its rate; what was taken and is neither heard of nor among
 * the fresh rows goes back. ERR_CONFLICT: the port has a link end. ERR_R02: the rate. ERR_R04:
 * key, queue or numbers.
 */
bool link_book_seat(struct link_book *book, const struct row *row, const struct link_end *end,
    const struct manager_book *fresh, struct link_seat *seat, struct err *err) must_check;

/* Sums over the rows that are committed, of the link's leaf and its slice. */
struct link_sums {
	uint32_t n_leaf, n_slice;    /* shaped link ends */
	uint64_t rate_bps, ceil_bps; /* of the leaf */
	uint64_t slice_bps;
	bool is_split;  /* a first leaf and the rest */
	bool has_queue; /* false: it wants to be shaped and no queue is left */
};

void link_book_sums(struct link_book *book, const struct link_end *end, struct link_sums *sums);

/* Guaranteed to the policed link ends of an underlay port, by its place in the configuration. */
uint64_t link_book_policed_bps(struct link_book *book, size_t underlay);

/* Does some row stand for this class? */
bool link_book_has_class(struct link_book *book, size_t underlay, uint32_t minor) must_check;

enum { LINK_BOOK_AT_PORT = 4 };

/* The rows that a port's device is of importance to: its link end, the one whose place that takes,
 * and of type internal the other ends. Returns how many; 0: nobody's port. */
size_t link_book_at_port(struct link_book *book, uint64_t port, uint64_t rids[LINK_BOOK_AT_PORT]);

/* When the row, with its effect still there, was first heard to be released: boot clock; 0: never,
 * or it has a port of this host for peer. */
int64_t link_book_released_ms(struct link_book *book, uint64_t rid);
