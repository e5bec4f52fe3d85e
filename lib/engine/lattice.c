/*
 * Names of the lattice's states and verbs.
 */
#include "lib/engine/lattice.h"

#include <assert.h>
#include <stddef.h>

#include "lib/base/str.h"

static const char *const state_texts[] = {"none", "held", "committed", "released"};
static const char *const verb_texts[] = {"reserve", "commit", "release"};

const char *
row_state_text(enum row_state state)
{
	return state_texts[state];
}

bool
row_state_parse(const char *text, enum row_state *state, struct err *err)
{
	for (int i = ROW_NONE; i <= ROW_RELEASED; i++)
		if (str_equal(text, state_texts[i])) {
			*state = (enum row_state)i;
			return true;
		}
	return err_set(err, ERR_BAD_VALUE, "'%s' is no state of a row", text ? text : "");
}

enum row_state
verb_target(enum verb verb)
{
	return (enum row_state)((int)verb + 1);
}

enum verb
verb_for(enum row_state want)
{
	assert(want != ROW_NONE);
	return (enum verb)((int)want - 1);
}

const char *
verb_text(enum verb verb)
{
	return verb_texts[verb];
}
