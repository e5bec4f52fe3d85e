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
	struct link_end_attr_spec attr;
	const struct underlay *underlay;
	uint32_t class;       /* minor in the shaper; 0 before it was reserved */
	uint32_t slice_class; /* of its slice on this underlay port */
};

/* Reads and checks a row; ERR_BAD_VALUE, ERR_NOT_FOUND (underlay port). Attributes may be absent.
 */
bool link_read(const struct redirector *redirector, const struct row *row, struct arena *arena,
    struct link_end *end, struct err *err) must_check;

/* Rate against the port (ERR_R02), key and classes (ERR_R04); answers class= and slice_class=. */
bool link_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err) must_check;

/*
 * The frames of its port go to the path, shaped, and back. ERR_WAIT: the port's device, the
 * underlay or the next hop is not there yet.
 */
bool link_ensure(void *self, const struct row *row, struct err *err) must_check;

/* Everything as ensure would make it? */
bool link_is_there(void *self, const struct row *row, struct err *err) must_check;

/* Nothing is left. */
bool link_remove(void *self, const struct row *row, struct err *err) must_check;

/* What is in the kernel with our name on it: link ends in the data plane, classes of the shaper
 * that no link end uses. */
bool link_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err) must_check;
bool link_sweep(void *self, const struct manager_object *object, struct err *err) must_check;

/* The tables above. */
struct manager_kind link_kind(struct redirector *redirector);
