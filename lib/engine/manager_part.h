/*
 * What the files of the manager share; nobody else includes this.
 *
 * Locks, in the order in which they are taken: `write` (one changer of rows at a time, over
 * transaction and memory), the store's, `lock` (run-time fields, queue; short, never over a wait).
 * Who changes a row commits it first and only then puts it into memory, so that no worker ever
 * acts on what is not durable.
 */
#pragma once

#include <pthread.h>

#include "lib/base/heap.h"
#include "lib/base/id.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/engine/manager.h"
#include "lib/engine/wait.h"
#include "lib/store/trial.h"

enum {
	HOLD_MS = 120 * 1000,      /* a hold that nobody renews */
	HOLD_STORE_MS = 10 * 1000, /* how often the countdown is made durable */
	LOOK_MS = 5 * 1000,        /* each row, unless configured, and all objects are looked at */
	LOOK_SOON_MS = 200,        /* real rows after a wake: a storm of events costs one look */
	RETRY_WOKEN_MS = 20,       /* the same, woken: an attempt may itself be what wakes */
	RETRY_WAIT_MS = 1000,      /* what waits for something else */
	RETRY_MIN_MS = 100,        /* what failed: doubled up to RETRY_MAX_MS */
	RETRY_MAX_MS = 5000,
	WORKERS_DEFAULT = 4,
	NOTES_MAX = 4096,
	NOTE_QUIET_MS = 10 * 1000, /* the same of one row is noted once in this time */
	ROW_TEXTS = 5
};

/* A row in memory. `row` is changed under `write` and `lock`, the rest under `lock`. */
struct item {
	struct due due; /* when to look again, or when the hold ends; in no heap: at rest */
	struct row row; /* its texts are in `texts` */
	char *texts[ROW_TEXTS];
	int64_t hold_ends_ms;
	int64_t tried_ms;
	struct err why; /* of the last attempt, while the row is not as it should be */
	char *lost;     /* what was amiss with a real object, until it is put right; or NULL */
	int64_t rev_real;
	int failures;
	unsigned n_awaiting; /* calls whose answer will say how it is: nobody else need be told */
	bool is_real;
	bool is_queued;
	bool is_busy;        /* a worker has it */
	bool is_again;       /* changed while a worker had it */
	bool is_woken;       /* its object has stirred meanwhile: as it was looked at, or since */
	struct queue *queue; /* in which it is, while is_queued */
	struct item *queue_prev, *queue_next;
};

/* Rows that a worker is to take, first come first served. */
struct queue {
	struct item *first, *last;
};

typedef vec_of(uint64_t) vec_rid;

/* A note as kept; its texts are its own. */
struct kept_note {
	int64_t wall_ms, boot_ms;
	uint64_t rid;
	char *kind, *what, *text;
};

struct manager {
	struct manager_config config;
	struct manager_kind *kinds; /* config.kinds points here */
	struct trial *trial;
	pthread_mutex_t write;
	pthread_mutex_t lock;
	pthread_cond_t work;    /* a queue has something */
	pthread_cond_t tick;    /* the ticker has something to do */
	pthread_cond_t settled; /* a row came to be as it should be, or failed */
	struct map *items;
	struct heap dues;        /* of items that are neither queued nor busy */
	struct queue changes;    /* rows that a call has changed and waits for: taken first */
	struct queue looks;      /* rows that are due */
	size_t n_active;         /* queued or busy */
	struct kept_note *notes; /* NOTES_MAX: number seq is at seq % NOTES_MAX */
	int64_t n_notes;         /* seq of the newest */
	vec_rid removed;         /* gone from the world, not yet in the database */
	struct step *step_first, *step_last; /* calls whose changes are still to be made */
	int64_t holds_stored_ms;             /* when the holds were last made durable */
	bool is_woken;
	long n_wakes;     /* reasons so far to try again what waits */
	bool has_waiting; /* some row said ERR_WAIT */
	int64_t tick_ms;  /* when the ticker comes back by itself */
	bool is_stopping;
	pthread_t *threads;
	size_t n_threads;
};

/* A row of the database, in memory of the arena; *row = NULL when there is none. */
bool row_read(struct txn *txn, uint64_t rid, struct arena *arena, struct row **row,
    int64_t *hold_ms, struct err *err) must_check;

/* Who calls says how new it is: kept, or refused (ERR_STALE_EPOCH); the highest floor it has told.
 */
bool owner_meet(struct txn *txn, const struct manager_caller *caller, int64_t *floor,
    struct err *err) must_check;

/* All rows into items; at start. */
bool rows_load(struct manager *manager, struct err *err) must_check;

/* What was committed becomes what the workers see: copies, wakes them. Under `write`. */
struct row_change {
	struct row row;
	int64_t hold_ms;
};

void row_apply(struct manager *manager, const struct row_change *change);

void item_free(struct item *item);

/* Its kind hears how the row stands. Under `lock`. */
void item_tell(const struct manager *manager, const struct item *item);

const struct manager_kind *kind_find(const struct manager *manager, const char *name);

/*
 * Has an item looked at, once more if a worker has it just now; hurry: before all that is merely
 * due. Under `lock`.
 */
void item_poke(struct manager *manager, struct item *item);
void item_hurry(struct manager *manager, struct item *item);

/* When to look at what has been woken: a storm of events costs one look. */
int64_t item_woken_ms(const struct item *item, int64_t now_ms);

/* Has the ticker look at it then. Under `lock`. */
void item_wait(struct manager *manager, struct item *item, int64_t at_ms);

/* Is it as the row says? Under `lock`. */
bool item_is_settled(const struct item *item);

/* What a caller is told of it; keeps a `why` that is already there. Under `lock`. */
void item_answer(const struct item *item, struct arena *arena, struct row_have *have);

/*
 * manager_trial.c: a row is given to its kind, whose code may die of it. begin: false, why: not
 * now, or not any more; `state` is what it is to be, HELD for admit, which does not wait.
 */
struct row_trial {
	struct id_text name;
	struct trial_of of;
};

bool row_trial_begin(struct manager *manager, const struct row *row, enum row_state state,
    struct row_trial *trial, struct err *why) must_check;
void row_trial_end(
    struct manager *manager, struct row_trial *trial, bool is_done, const struct err *why);

/* A refusal that time does not mend. */
bool why_is_hard(enum err_code code);

/* Holds that ended become RELEASED, what is left of the others is stored. */
bool holds_end(struct manager *manager, const vec_rid *ended, struct err *err) must_check;
bool holds_store(struct manager *manager, struct err *err) must_check;

/* Tombstones below their owner's floor are dropped. */
bool rows_forget(struct manager *manager, struct err *err) must_check;

/* The effect of item is gone: durably, together with what other workers have to say. */
void removed_store(struct manager *manager, const struct item *item);

/* An object that no row stands for. Takes `lock`. */
bool is_stray(struct manager *manager, const struct manager_object *object);

/* manager_note.c. `lock` is held; false: the same was noted just now. */
bool note_add(struct manager *manager, const struct row *row, const char *what, const char *text);
void notes_free(struct manager *manager);

/* Bodies of the threads. */
void *worker_main(void *self);
void *ticker_main(void *self);
void *sweeper_main(void *self);
