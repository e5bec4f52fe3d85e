/*
 * The algorithm of a group as a pure function (RELIABILITY.md §3.5).
 */
#pragma once

#include "lib/engine/controller.h"

/* What counts of a row. */
struct step_row {
	enum row_state have;
	bool is_real;    /* have is really so, at the newest revision */
	bool is_refused; /* the last answer was a no that time does not mend */
};

/* The state that follows from the rows; the same when nothing is to be done. is_late: the deadline
 * of `state` is over. */
enum group_state group_step(enum group_state state, enum row_state goal,
    const struct step_row *rows, size_t n_rows, bool is_late);

/* What every row of a group in this state should be. */
enum row_state group_want(enum group_state state);
