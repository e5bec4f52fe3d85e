/*
 * The step function: no clock, no database, no calls. Tested as a table.
 */
#include "lib/engine/controller_step.h"

static const char *const texts[] = {
    "pending", "reserved", "committing", "active", "releasing", "gone"};

static bool all_at_least(const struct step_row *rows, size_t n_rows, enum row_state state);
static bool any_lost(const struct step_row *rows, size_t n_rows);

const char *
group_state_text(enum group_state state)
{
	return texts[state];
}

enum group_state
group_step(enum group_state state, enum row_state goal, const struct step_row *rows, size_t n_rows,
    bool is_late)
{
	if (state == GROUP_GONE)
		return state;
	if (state == GROUP_RELEASING)
		return all_at_least(rows, n_rows, ROW_RELEASED) ? GROUP_GONE : state;
	if (goal == ROW_RELEASED)
		return GROUP_RELEASING;
	if (state == GROUP_ACTIVE)
		return state; /* promised: rows are brought back, never given up */
	if (is_late || any_lost(rows, n_rows))
		return GROUP_RELEASING;
	if (state == GROUP_COMMITTING)
		return all_at_least(rows, n_rows, ROW_COMMITTED) ? GROUP_ACTIVE : state;
	if (state == GROUP_PENDING && !all_at_least(rows, n_rows, ROW_HELD))
		return state;
	return goal == ROW_COMMITTED ? GROUP_COMMITTING : GROUP_RESERVED;
}

enum row_state
group_want(enum group_state state)
{
	switch (state) {
	case GROUP_PENDING:
	case GROUP_RESERVED:
		return ROW_HELD;
	case GROUP_COMMITTING:
	case GROUP_ACTIVE:
		return ROW_COMMITTED;
	case GROUP_RELEASING:
	case GROUP_GONE:
	default:
		return ROW_RELEASED;
	}
}

static bool
all_at_least(const struct step_row *rows, size_t n_rows, enum row_state state)
{
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].have < state)
			return false;
		/* A hold has no object; what is committed or released counts when it is real. */
		if (state != ROW_HELD && !rows[i].is_real)
			return false;
	}
	return true;
}

static bool
any_lost(const struct step_row *rows, size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].is_refused || rows[i].have == ROW_RELEASED)
			return true;
	return false;
}
