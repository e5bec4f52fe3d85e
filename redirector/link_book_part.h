/*
 * What the files of the link book share; nobody else includes this. All under `lock`.
 */
#pragma once

#include <pthread.h>

#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "redirector/link.h"
#include "redirector/link_book.h"

/* What rows have taken of one number: of a leaf, or of a slice with leaves below. */
struct number {
	uint32_t n_rows;
	uint32_t n_queues; /* rows that have a queue, reserved or in use */
	uint32_t n_shaped; /* rows that are committed and shaped */
	uint32_t n_split;  /* of these, rows with a priority */
	bool is_slice;
	enum shaper_per per;
	uint64_t rate_bps, ceil_bps; /* of the shaped ones */
};

/* Rows of one type at one underlay port. */
struct type_use {
	const struct link_type *type;
	uint32_t n_rows;
};

/* What rows have taken of one underlay port; made at the first. */
struct port {
	int64_t reserved_bps;
	uint64_t policed_bps;
	uint32_t n_queues;   /* numbers with a queue */
	uint32_t first_free; /* no free number is below, outside of the pool */
	struct map *keys;    /* "TYPE KEY" -> seat */
	struct map *types;   /* types in use: name -> struct type_use */
	struct map *groups;  /* what link ends share a number: owner, slice, node -> number */
	struct number numbers[SHAPER_LAST + 1];
};

/* One row. */
struct seat {
	uint64_t rid;
	size_t underlay;
	uint64_t vport;
	uint64_t instead; /* rid of the row that it takes the place of; 0: none */
	uint64_t peer; /* type internal: it has taken its port and nothing else; 0: another type */
	const struct link_type *type;
	uint64_t id;
	char *key;   /* of port.keys */
	char *slice; /* of port.groups: the slice's number */
	char *leaf;  /* of port.groups: the leaf's number; NULL: the link end's own */
	struct link_seat at;
	int64_t reserved_bps;
	int64_t charged_bps; /* of these what its predecessor at the same underlay port has not */
	bool reserves_queue;
	bool is_heard;
	int64_t released_ms; /* when that was heard first; 0: it is not */
	bool is_refused;     /* the attributes ask for a queue, and there is none */
	/* Attributes, while committed. */
	bool is_committed;
	enum shaper_mode mode;
	bool has_priority;
	uint64_t rate_bps, ceil_bps;
};

struct link_book {
	pthread_mutex_t lock;
	struct link_book_rules rules;
	struct map *seats;  /* by rid */
	struct map *vports; /* by port id -> seat */
	struct port *ports[UNDERLAYS_MAX];
	vec_of(uint64_t) fresh; /* seats that nobody has told of yet */
};

/* Of an underlay port, by its place; made at the first. */
struct port *book_port(struct link_book *book, size_t underlay);

/* May one more row of this number have a queue? */
bool book_has_room(const struct link_book *book, const struct port *port, uint32_t number);

/* The row is no longer one that nobody has told of. */
void book_told(struct link_book *book, uint64_t rid);

/* A row's seat, not counted yet: seat_take hands it to the book, seat_leave takes it out. */
void seat_free(struct seat *seat);
struct seat *seat_new(const struct row *row, const struct link_end *end);

/* Sets the numbers, and with whom the leaf's is shared. */
void seat_place(struct seat *seat, const struct link_seat *at, const struct row *row,
    const struct link_end *end);

/* What it would be charged beside its predecessor. */
int64_t seat_charge(const struct link_book *book, const struct seat *seat);
void seat_take(struct link_book *book, struct seat *seat);
void seat_leave(struct link_book *book, struct seat *seat);
