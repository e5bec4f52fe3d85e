/*
 * A link end: one end of a virtual link on this host. The verbs in the order of its life; the
 * engine calls them (lib/engine/manager.h), `self` is the struct redirector.
 */
#pragma once

#include "lib/model/spec_types.h"
#include "redirector/redirector.h"
#include "redirector/shaper.h"

/* A row of kind link_end, read: texts in the arena of the reading. */
struct link_end {
	uint64_t rid;
	uint64_t port;
	struct link_end_spec spec;
	struct link_end_attr_spec attr; /* all zero before the first commit */
	bool has_attr;
	enum shaper_mode mode;
	bool is_reserved;
	uint64_t peer;    /* type internal: the port at the other end; 0: any other type */
	uint64_t instead; /* the link end at this port that it takes the place of; 0: none */
	/* The rest is not of internal ones, which have no underlay port. */
	const struct underlay *underlay;
	const struct link_type *type;
	struct link_type_end id; /* and the values of the keys; in the arena */
	uint32_t number;         /* in the shaper of the underlay port; 0 before it was reserved */
	uint32_t slice_number;   /* of its slice there */
	enum shaper_per per;
};

/* Reads and checks a row; ERR_BAD_VALUE, ERR_NOT_FOUND (underlay port). Attributes may be absent.
 */
bool link_read(const struct redirector *redirector, const struct row *row, struct arena *arena,
    struct link_end *end, struct err *err) must_check;

/*
 * Rate against the port (ERR_R02), key, queues and classes (ERR_R04), peer (ERR_CONFLICT); answers
 * class= and slice_class=, and per= unless the class is its own. class=none: type internal.
 */
bool link_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err) must_check;

/*
 * The frames of its port go to the path, shaped, and back. ERR_WAIT: the port's device, the
 * underlay or the next hop is not there yet.
 */
bool link_ensure(void *self, const struct row *row, struct err *err) must_check;

/* Everything as ensure would make it? */
bool link_is_there(void *self, const struct row *row, struct err *err) must_check;

/* The row is like this now: into the book of links. */
void link_heard(void *self, const struct row *row);

/* Nothing is left. */
bool link_remove(void *self, const struct row *row, struct err *err) must_check;

/* The classes around a link end, by what the book has of its leaf and its slice. */
void link_shape(struct redirector *redirector, const struct link_end *end, uint32_t device,
    struct shaper_link *shape);

/* What is in the kernel with our name on it: link ends in the data plane, classes of the shaper
 * that no link end uses. */
bool link_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;
bool link_sweep(void *self, const struct manager_object *object, struct err *err) must_check;

/* The tables above. */
struct manager_kind link_kind(struct redirector *redirector);
