/*
 * Counting rows in and out. Every row has a seat; what a seat takes is added when it comes to be so
 * and taken away when it changes, so nothing here walks over rows.
 */
#include "redirector/link_book.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "redirector/link_book_part.h"

struct link_book *
link_book_new(const struct link_book_rules *rules)
{
	struct link_book *book = xcalloc(1, sizeof(*book));

	pthread_mutex_init(&book->lock, NULL);
	book->rules = *rules;
	book->seats = map_new();
	book->vports = map_new();
	return book;
}

static void
port_free(struct port *port)
{
	struct type_use *use;

	if (!port)
		return;
	for (size_t at = 0; (use = map_next(port->types, &at));)
		free(use);
	map_free(port->types);
	map_free(port->keys);
	map_free(port->groups);
	free(port);
}

void
link_book_free(struct link_book *book)
{
	struct seat *seat;

	if (!book)
		return;
	for (size_t at = 0; (seat = map_next(book->seats, &at));)
		seat_free(seat);
	for (size_t i = 0; i < UNDERLAYS_MAX; i++)
		port_free(book->ports[i]);
	map_free(book->seats);
	map_free(book->vports);
	vec_done(&book->fresh);
	pthread_mutex_destroy(&book->lock);
	free(book);
}

static struct port *
port_new(const struct link_book_rules *rules)
{
	struct port *port = xcalloc(1, sizeof(*port));

	port->keys = map_new();
	port->types = map_new();
	port->groups = map_new();
	port->first_free = SHAPER_FIRST + rules->n_blocks * SHAPER_BLOCK;
	return port;
}

struct port *
book_port(struct link_book *book, size_t underlay)
{
	if (!book->ports[underlay])
		book->ports[underlay] = port_new(&book->rules);
	return book->ports[underlay];
}

/* ---- seats ----------------------------------------------------------------------------------- */

static char *
text_of(const char *first, const char *second, const char *third)
{
	struct str text = {0};

	str_addf(&text, "%s\n%s\n%s", first, second ? second : "", third ? third : "");
	return str_take(&text);
}

struct seat *
seat_new(const struct row *row, const struct link_end *end)
{
	const struct link_end_spec *spec = &end->spec;
	auto_str struct str id = {0};
	struct seat *seat = xcalloc(1, sizeof(*seat));

	str_addf(&id, "%lld", (long long)spec->key);
	seat->rid = row->rid;
	seat->vport = end->port;
	seat->peer = end->peer;
	seat->instead = end->instead;
	seat->slice = text_of(row->owner, spec->slice, "");
	if (seat->peer)
		return seat;
	seat->underlay = end->underlay->place;
	seat->type = end->type;
	seat->id = end->id.id;
	seat->key = text_of("key", spec->type ? spec->type : "gre", id.text);
	seat->reserved_bps = spec->rate_bps;
	seat->reserves_queue = !spec->queue;
	return seat;
}

/* The numbers, and with whom the leaf's is shared. */
void
seat_place(struct seat *seat, const struct link_seat *at, const struct row *row,
    const struct link_end *end)
{
	seat->at = *at;
	if (at->per == SHAPER_PER_NODE)
		seat->leaf = text_of(row->owner, end->spec.slice, end->spec.node);
	else if (at->per == SHAPER_PER_SLICE)
		seat->leaf = text_of(row->owner, end->spec.slice, "\n");
}

void
seat_free(struct seat *seat)
{
	free(seat->key);
	free(seat->slice);
	free(seat->leaf);
	free(seat);
}

static void
map_count(struct map *map, const char *key, void *value, int sign)
{
	if (sign > 0)
		map_put(map, key, value);
	else if (map_get(map, key) == value)
		map_drop(map, key);
}

/* Of a number: one row more or less; the first comes, the last goes. */
static void
number_count(struct port *port, uint32_t at, const char *group, int sign)
{
	struct number *number = &port->numbers[at];

	number->n_rows += (uint32_t)sign;
	if (group && (sign < 0 ? !number->n_rows : number->n_rows == 1))
		map_count(port->groups, group, number, sign);
	if (!number->n_rows && at < port->first_free)
		port->first_free = at;
}

static void
shaped_count(struct number *number, const struct seat *seat, int sign)
{
	number->n_shaped += (uint32_t)sign;
	number->n_split += seat->has_priority ? (uint32_t)sign : 0;
	number->rate_bps += (uint64_t)sign * seat->rate_bps;
	number->ceil_bps += (uint64_t)sign * seat->ceil_bps;
}

static void
queue_count(struct port *port, struct number *leaf, int sign)
{
	leaf->n_queues += (uint32_t)sign;
	if (sign < 0 ? !leaf->n_queues : leaf->n_queues == 1)
		port->n_queues += (uint32_t)sign;
}

/* Types stay, used or not: there are few. */
static void
type_count(struct port *port, const struct link_type *type, int sign)
{
	struct type_use *use = map_get(port->types, type->name);

	if (!use) {
		use = xcalloc(1, sizeof(*use));
		use->type = type;
		map_put(port->types, type->name, use);
	}
	use->n_rows += (uint32_t)sign;
}

/* Of two at a port the one that takes the other's place has it. */
static void
vport_count(struct link_book *book, struct seat *seat, int sign)
{
	struct seat *holder = map_get_id(book->vports, seat->vport);
	struct seat *before = map_get_id(book->seats, seat->instead);

	if (sign > 0) {
		if (!holder || holder->instead != seat->rid)
			map_put_id(book->vports, seat->vport, seat);
	} else if (holder == seat) {
		map_drop_id(book->vports, seat->vport);
		if (before && before->vport == seat->vport)
			map_put_id(book->vports, seat->vport, before);
	}
}

int64_t
seat_charge(const struct link_book *book, const struct seat *seat)
{
	const struct seat *before = map_get_id(book->seats, seat->instead);
	int64_t had_bps = 0;

	if (before && !before->peer && before->vport == seat->vport &&
	    before->underlay == seat->underlay)
		had_bps = before->reserved_bps;
	return seat->reserved_bps > had_bps ? seat->reserved_bps - had_bps : 0;
}

/* Its predecessor has come or gone. */
static void
charge_anew(struct link_book *book, struct seat *seat)
{
	struct port *port = book_port(book, seat->underlay);

	port->reserved_bps -= seat->charged_bps;
	seat->charged_bps = seat_charge(book, seat);
	port->reserved_bps += seat->charged_bps;
}

/* The one that takes the place of this one, if there is one. */
static void
charge_successor(struct link_book *book, const struct seat *seat)
{
	struct seat *holder = map_get_id(book->vports, seat->vport);

	if (holder && holder->instead == seat->rid && !holder->peer)
		charge_anew(book, holder);
}

/* Of its underlay port. */
static void
seat_count(struct link_book *book, struct seat *seat, int sign)
{
	struct port *port = book_port(book, seat->underlay);
	struct number *leaf = &port->numbers[seat->at.number];
	struct number *slice = &port->numbers[seat->at.slice_number];
	bool has_slice = seat->at.slice_number != SHAPER_PORT;
	bool is_shaped = seat->is_committed && seat->mode == SHAPER_SHAPING;

	leaf->per = seat->at.per;
	leaf->is_slice = false;
	number_count(port, seat->at.number, seat->leaf, sign);
	if (has_slice) {
		slice->is_slice = true;
		number_count(port, seat->at.slice_number, seat->slice, sign);
	}
	if (sign > 0)
		seat->charged_bps = seat_charge(book, seat);
	port->reserved_bps += sign * seat->charged_bps;
	map_count(port->keys, seat->key, seat, sign);
	type_count(port, seat->type, sign);
	if (seat->reserves_queue || is_shaped)
		queue_count(port, leaf, sign);
	if (is_shaped)
		shaped_count(leaf, seat, sign);
	if (is_shaped && has_slice)
		shaped_count(slice, seat, sign);
	if (seat->is_committed && seat->mode == SHAPER_POLICING)
		port->policed_bps += (uint64_t)sign * seat->rate_bps;
}

void
seat_take(struct link_book *book, struct seat *seat)
{
	map_put_id(book->seats, seat->rid, seat);
	vport_count(book, seat, 1);
	if (!seat->peer)
		seat_count(book, seat, 1);
	charge_successor(book, seat);
}

void
seat_leave(struct link_book *book, struct seat *seat)
{
	vport_count(book, seat, -1);
	if (!seat->peer)
		seat_count(book, seat, -1);
	map_drop_id(book->seats, seat->rid);
	charge_successor(book, seat);
	seat_free(seat);
}

/* ---- hearing --------------------------------------------------------------------------------- */

bool
book_has_room(const struct link_book *book, const struct port *port, uint32_t number)
{
	return !book->rules.n_queues || port->numbers[number].n_queues ||
	       port->n_queues < book->rules.n_queues;
}

/* Attributes that cannot be, or that were given before a fault, leave what was. Not counted now. */
static void
seat_read(
    struct link_book *book, struct seat *seat, const struct row *row, const struct link_end *end)
{
	seat->is_heard = true;
	seat->is_refused = false;
	if (row->state != ROW_COMMITTED) {
		seat->is_committed = false;
		return;
	}
	if (!end->has_attr)
		return;
	if (end->mode == SHAPER_SHAPING && !seat->reserves_queue &&
	    !book_has_room(book, book_port(book, seat->underlay), seat->at.number)) {
		seat->is_refused = true;
		return;
	}
	seat->is_committed = true;
	seat->mode = end->mode;
	seat->has_priority = end->attr.priority > 0;
	seat->rate_bps = (uint64_t)end->attr.rate_bps;
	seat->ceil_bps = (uint64_t)end->attr.ceil_bps;
}

void
book_told(struct link_book *book, uint64_t rid)
{
	size_t n = 0;

	for (size_t i = 0; i < book->fresh.n; i++)
		if (book->fresh.items[i] != rid)
			book->fresh.items[n++] = book->fresh.items[i];
	book->fresh.n = n;
}

static void
hear(struct link_book *book, const struct row *row, const struct link_end *end)
{
	struct seat *seat = map_get_id(book->seats, row->rid);
	struct link_seat at;

	book_told(book, row->rid);
	if (!end || !end->is_reserved) {
		if (seat)
			seat_leave(book, seat);
		return;
	}
	/* What it has taken does not change. */
	if (seat && seat->peer)
		return;
	if (seat) {
		vport_count(book, seat, -1);
		seat_count(book, seat, -1);
	} else {
		at = (struct link_seat){end->number, end->slice_number, end->per};
		seat = seat_new(row, end);
		seat_place(seat, &at, row, end);
	}
	if (!seat->peer)
		seat_read(book, seat, row, end);
	if (row->state == ROW_RELEASED && !seat->released_ms)
		seat->released_ms = clock_boot_ms(&clock_real);
	seat_take(book, seat);
}

void
link_book_hear(struct link_book *book, const struct row *row, const struct link_end *end)
{
	pthread_mutex_lock(&book->lock);
	hear(book, row, end);
	pthread_mutex_unlock(&book->lock);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool
is_split(const struct number *number)
{
	return number->per != SHAPER_PER_LINK || number->n_split;
}

void
link_book_sums(struct link_book *book, const struct link_end *end, struct link_sums *sums)
{
	const struct number *leaf, *slice;
	const struct seat *seat;
	struct port *port;

	pthread_mutex_lock(&book->lock);
	port = book_port(book, end->underlay->place);
	seat = map_get_id(book->seats, end->rid);
	leaf = &port->numbers[end->number];
	slice = &port->numbers[end->slice_number];
	*sums = (struct link_sums){
	    .n_leaf = leaf->n_shaped,
	    .n_slice = slice->n_shaped,
	    .rate_bps = leaf->rate_bps,
	    .ceil_bps = leaf->ceil_bps,
	    .slice_bps = slice->rate_bps,
	    .is_split = is_split(leaf),
	    .has_queue = !seat || !seat->is_refused,
	};
	pthread_mutex_unlock(&book->lock);
}

uint64_t
link_book_policed_bps(struct link_book *book, size_t underlay)
{
	uint64_t policed_bps;

	pthread_mutex_lock(&book->lock);
	policed_bps = book_port(book, underlay)->policed_bps;
	pthread_mutex_unlock(&book->lock);
	return policed_bps;
}

/* A row that is not shaped just now is about to be, or about to tidy up. */
static bool
stands_for(const struct number *number, enum shaper_form form)
{
	if (!number->n_rows)
		return false;
	if (!number->n_shaped)
		return true;
	if (number->is_slice)
		return form == SHAPER_PLAIN;
	return is_split(number) == (form != SHAPER_PLAIN);
}

bool
link_book_has_class(struct link_book *book, size_t underlay, uint32_t minor)
{
	uint32_t number = shaper_number(minor);
	enum shaper_form form = (enum shaper_form)(minor >> 14);
	bool has;

	if (number < SHAPER_FIRST || number > SHAPER_LAST)
		return false;
	pthread_mutex_lock(&book->lock);
	has = stands_for(&book_port(book, underlay)->numbers[number], form);
	pthread_mutex_unlock(&book->lock);
	return has;
}

/* The row that has the port, and the one that had it before. */
static size_t
add_holders(const struct link_book *book, uint64_t port, uint64_t *rids, const struct seat **holder)
{
	*holder = map_get_id(book->vports, port);
	if (!*holder)
		return 0;
	rids[0] = (*holder)->rid;
	rids[1] = (*holder)->instead;
	return rids[1] ? 2 : 1;
}

size_t
link_book_at_port(struct link_book *book, uint64_t port, uint64_t rids[LINK_BOOK_AT_PORT])
{
	const struct seat *holder;
	size_t n;

	pthread_mutex_lock(&book->lock);
	n = add_holders(book, port, rids, &holder);
	if (holder && holder->peer)
		n += add_holders(book, holder->peer, &rids[n], &holder);
	pthread_mutex_unlock(&book->lock);
	return n;
}

int64_t
link_book_released_ms(struct link_book *book, uint64_t rid)
{
	const struct seat *seat;
	int64_t released_ms;

	pthread_mutex_lock(&book->lock);
	seat = map_get_id(book->seats, rid);
	released_ms = seat ? seat->released_ms : 0;
	pthread_mutex_unlock(&book->lock);
	return released_ms;
}
