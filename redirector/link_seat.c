/*
 * Taking a seat: may one more link end be held, and which numbers of the shaper does it get.
 */
#include <stdlib.h>

#include "lib/model/units.h"
#include "redirector/link_book_part.h"
#include "redirector/link_types.h"

/* A call whose transaction came to nothing has left seats that nobody will ever sit on. */
static void
fresh_clear(struct link_book *book, const struct manager_book *fresh)
{
	for (size_t i = book->fresh.n; i-- > 0;) {
		uint64_t rid = book->fresh.items[i];
		size_t k = 0;

		while (k < fresh->n_rows && fresh->rows[k].rid != rid)
			k++;
		if (k < fresh->n_rows)
			continue;
		seat_leave(book, map_get_id(book->seats, rid));
		book_told(book, rid);
	}
}

/* What any link end takes. A port may be taken over within its slice. */
static bool
check_place(const struct link_book *book, const struct seat *seat, const struct link_end *end,
    struct err *err)
{
	const struct seat *holder = map_get_id(book->vports, end->port);

	if (holder && (holder->rid != seat->instead || !str_equal(holder->slice, seat->slice)))
		return err_set(
		    err, ERR_CONFLICT, "port %s has another link end already", end->spec.port);
	return map_size(book->seats) < REDIRECTOR_LINKS_MAX ||
	       err_set(err, ERR_R04, "there are %d link ends here already, which is all",
		   REDIRECTOR_LINKS_MAX);
}

/* Whoever is at the other end already leads here, on behalf of the same slice. */
static bool
check_peer(const struct link_book *book, const struct seat *seat, const struct link_end *end,
    struct err *err)
{
	const struct seat *peer = map_get_id(book->vports, seat->peer);

	return !peer || (peer->peer == seat->vport && str_equal(peer->slice, seat->slice)) ||
	       err_set(err, ERR_CONFLICT, "port %s has a link end that does not lead to port %s",
		   end->spec.peer, end->spec.port);
}

static const struct seat *
clash_with(const struct link_book *book, const struct seat *seat, const struct link_type *type)
{
	const struct seat *other;

	for (size_t at = 0; (other = map_next(book->seats, &at));)
		if (other->type == type && other->underlay == seat->underlay &&
		    link_type_clash(type, other->id, seat->type, seat->id))
			return other;
	return NULL;
}

/*
 * Types that look alike on the wire share their ids. Rows are walked over only where there are such
 * types at one port.
 */
static bool
check_alike(const struct link_book *book, const struct port *port, const struct seat *seat,
    const struct link_end *end, struct err *err)
{
	const struct type_use *use;
	const struct seat *other;

	for (size_t at = 0; (use = map_next(port->types, &at));) {
		if (!use->n_rows || use->type == seat->type ||
		    !link_type_alike(use->type, seat->type) ||
		    !(other = clash_with(book, seat, use->type)))
			continue;
		return err_set(err, ERR_R04,
		    "key %lld of type '%s' cannot be told from key %llu of type '%s' on port '%s'",
		    (long long)end->spec.key, seat->type->name, (unsigned long long)other->id,
		    use->type->name, end->underlay->name);
	}
	return true;
}

static bool
check_seat(
    struct link_book *book, const struct seat *seat, const struct link_end *end, struct err *err)
{
	const struct port *port = book_port(book, seat->underlay);
	int64_t free_bps = end->underlay->rate_bps - port->reserved_bps;
	int64_t wanted_bps = seat_charge(book, seat);

	if (map_get(port->keys, seat->key))
		return err_set(err, ERR_R04, "key %lld is in use on port '%s' of another link end",
		    (long long)end->spec.key, end->underlay->name);
	if (!check_alike(book, port, seat, end, err))
		return false;
	if (wanted_bps <= free_bps)
		return true;
	err_set(err, ERR_R02, "port '%s' of %s: %s wanted, %s of %s left", end->underlay->name,
	    book->rules.host, rate_text(wanted_bps).text,
	    rate_text(free_bps > 0 ? free_bps : 0).text, rate_text(end->underlay->rate_bps).text);
	return err_hint(err, "ask for less, or for another port");
}

/* The number that is shared with those of the same group; 0: nobody has one yet. */
static uint32_t
number_shared(const struct port *port, const char *group)
{
	const struct number *number = group ? map_get(port->groups, group) : NULL;

	return number ? (uint32_t)(number - port->numbers) : 0;
}

/* A number of nobody's, from `from` below `end` and not `except`; 0: none. */
static uint32_t
number_free(const struct port *port, uint32_t from, uint32_t end, uint32_t except)
{
	for (uint32_t at = from; at < end; at++)
		if (!port->numbers[at].n_rows && at != except)
			return at;
	return 0;
}

/* Outside of the pool; with `except` for the second of two. */
static uint32_t
number_any(const struct link_book *book, struct port *port, uint32_t except)
{
	uint32_t end = SHAPER_FIRST + book->rules.n_blocks * SHAPER_BLOCK;
	uint32_t from = port->first_free > end ? port->first_free : end;
	uint32_t found = number_free(port, from, SHAPER_LAST + 1, except);

	if (found && !except)
		port->first_free = found;
	return found;
}

/* The slice number of a pooled block that nobody uses; 0: none. */
static uint32_t
block_free(const struct link_book *book, const struct port *port)
{
	for (uint32_t i = 0; i < book->rules.n_blocks; i++) {
		uint32_t first = SHAPER_FIRST + i * SHAPER_BLOCK, k = 0;

		while (k < SHAPER_BLOCK && !port->numbers[first + k].n_rows)
			k++;
		if (k == SHAPER_BLOCK)
			return first;
	}
	return 0;
}

static uint32_t
number_own(const struct link_book *book, struct port *port, uint32_t slice)
{
	uint32_t found = 0;

	if (slice < SHAPER_FIRST + book->rules.n_blocks * SHAPER_BLOCK)
		found = number_free(port, slice + 1, slice + SHAPER_BLOCK, 0);
	return found ? found : number_any(book, port, slice);
}

static void
choose(
    const struct link_book *book, struct port *port, const struct seat *seat, struct link_seat *at)
{
	enum shaper_per per = book->rules.per;

	*at = (struct link_seat){
	    .number = number_shared(port, seat->leaf), .slice_number = SHAPER_PORT, .per = per};
	if (per == SHAPER_PER_SLICE) {
		at->number = at->number ? at->number : number_any(book, port, 0);
		return;
	}
	at->slice_number = number_shared(port, seat->slice);
	if (!at->slice_number && per == SHAPER_PER_LINK)
		at->slice_number = block_free(book, port);
	if (!at->slice_number)
		at->slice_number = number_any(book, port, 0);
	if (!at->number && at->slice_number)
		at->number = per == SHAPER_PER_LINK ? number_own(book, port, at->slice_number)
						    : number_any(book, port, at->slice_number);
}

static bool
refuse_queue(const struct link_book *book, const struct link_end *end, struct err *err)
{
	err_set(err, ERR_R04, "port '%s' of %s: all %u queues of its shaper are taken",
	    end->underlay->name, book->rules.host, book->rules.n_queues);
	return err_hint(err, "isolation policing or besteffort needs no queue");
}

static bool
sit(struct link_book *book, const struct row *row, const struct link_end *end, struct seat *seat,
    struct err *err)
{
	struct link_seat at = {.per = book->rules.per};
	struct port *port;

	if (!check_place(book, seat, end, err))
		return false;
	if (seat->peer)
		return check_peer(book, seat, end, err);
	port = book_port(book, seat->underlay);
	if (!check_seat(book, seat, end, err))
		return false;
	seat_place(seat, &at, row, end);
	choose(book, port, seat, &seat->at);
	if (!seat->at.number || !seat->at.slice_number)
		return err_set(err, ERR_R04, "port '%s' of %s has no class left for a link end",
		    end->underlay->name, book->rules.host);
	if (seat->reserves_queue && !book_has_room(book, port, seat->at.number))
		return refuse_queue(book, end, err);
	return true;
}

bool
link_book_seat(struct link_book *book, const struct row *row, const struct link_end *end,
    const struct manager_book *fresh, struct link_seat *found, struct err *err)
{
	struct seat *seat = seat_new(row, end);
	bool is_good;

	pthread_mutex_lock(&book->lock);
	fresh_clear(book, fresh);
	is_good = sit(book, row, end, seat, err);
	if (is_good) {
		*found = seat->at;
		seat_take(book, seat);
		vec_push(&book->fresh, row->rid);
	} else {
		seat_free(seat);
	}
	pthread_mutex_unlock(&book->lock);
	return is_good;
}
