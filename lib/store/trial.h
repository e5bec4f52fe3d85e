/*
 * What a daemon was at when it died. One row, or one group, may be what kills it, each time that it
 * is started again, and everybody else's service with it.
 *
 * Whatever calls code that may be killed by what it is given says so before and after. It stands in
 * a file beside the database that is mapped, so it survives the process and costs no sync. Whoever
 * was at it when the process died is counted; after two such deaths it is tried alone, with nothing
 * else under way, so that those who were only there as well are cleared by their success. What was
 * alone three times is set aside: it is not begun any more, until somebody says so (trial_forget),
 * the host has been booted or the daemon is of another version. One who was at it is cleared by
 * coming back. Deaths that the daemon decides on, because of its disk, and those while it ends,
 * count for nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/store/store.h"

enum {
	TRIAL_NAME_MAX = 95, /* longer names are cut */
	TRIAL_COMPANY = 2,   /* deaths, after which it is tried alone */
	TRIAL_ALONE = 3      /* deaths alone, after which it is set aside */
};

struct trial;

/* Something that is tried. */
struct trial_of {
	const char *name;          /* as people know it */
	int64_t version;           /* it is something else now: tried by itself */
	bool is_prompt;            /* it cannot wait; takes no time when nobody suspects it */
	struct trial_entry *entry; /* trial_begin's own, as what follows */
	bool is_alone;
};

/* The record DATABASE.NAME, as the life before has left it. The store outlives it; at most two.
 * Without room on the disk it is kept in memory alone, and knows of no death. Never NULL. */
void trial_close(struct trial *trial);
struct trial *trial_open(struct store *store, const char *name) malloc_by(trial_close);

/*
 * Before: waits as long as something is tried alone. ERR_O07; ERR_WAIT: it cannot be now, or
 * the daemon ends. No locks may be held that others need to come back, but by one that is_prompt.
 */
bool trial_begin(struct trial *trial, struct trial_of *of, struct err *err) must_check;

/* After, in the same thread; is_over: it has come to an end, good or bad. Else it may not have been
 * tried in truth, and deaths are not forgotten. */
void trial_end(struct trial *trial, struct trial_of *of, bool is_over);

/* The daemon ends: nobody waits any more, and no death counts. */
void trial_stop(struct trial *trial);

/* Forgets the deaths of all that is not under way just now; how many were set aside. */
size_t trial_forget(struct trial *trial);

/* Forgets those of one, whatever its version. */
void trial_forget_one(struct trial *trial, const char *name);

/* The names that are set aside in that version, with the array in arena. */
const char **trial_names(
    struct trial *trial, int64_t version, struct arena *arena, size_t *n_names);
