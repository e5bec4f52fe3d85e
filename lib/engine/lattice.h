/*
 * The lattice that every resource climbs: NONE < HELD < COMMITTED < RELEASED, upward only.
 * Three verbs, each "be at least X", so that lost, late, doubled and reordered calls are harmless.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

enum row_state { ROW_NONE, ROW_HELD, ROW_COMMITTED, ROW_RELEASED };

enum verb { VERB_RESERVE, VERB_COMMIT, VERB_RELEASE };

/* "none", "held", "committed", "released"; parse gives ERR_BAD_VALUE. */
const char *row_state_text(enum row_state state);
bool row_state_parse(const char *text, enum row_state *state, struct err *err) must_check;

/* What a verb asks for, and the verb that asks for a state (HELD, COMMITTED or RELEASED). */
enum row_state verb_target(enum verb verb);
enum verb verb_for(enum row_state want);
const char *verb_text(enum verb verb);

/* One row as asked for: an element of reserve, commit, release. Texts are borrowed. */
struct row_want {
	uint64_t rid;
	const char *kind; /* reserve only, else NULL */
	const char *spec; /* reserve only, else NULL: lines key=value, see lib/model/spec.h */
	const char *attr; /* commit only, else NULL; lines key=value */
	int64_t rev;      /* of attr; commit means "be at least this revision" */
};

/* One row as answered. Texts live in the answer's arena (or are constants). */
struct row_have {
	uint64_t rid;
	enum row_state state;
	bool is_real; /* COMMITTED: the object is there at revision rev; RELEASED: it is gone */
	int64_t rev;  /* highest revision that is real */
	const char
	    *result;    /* what reserve decided (addresses, ids): lines key=value; NULL = nothing */
	struct err why; /* ERR_NONE, or why it was refused or is not real yet */
};
