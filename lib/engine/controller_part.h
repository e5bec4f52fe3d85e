/*
 * What the files of the controller share; nobody else includes this.
 *
 * Threads: callers of the API, who work inside a transaction; one ticker, which alone owns tracks,
 * peers and watches; pool workers, which own a flight from `todo` to `done`. `lock` guards the
 * hand-over between them, is taken after the store's, and is never held over a wait for anything.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/heap.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/engine/controller_row.h"
#include "lib/engine/controller_step.h"
#include "lib/engine/wait.h"
#include "lib/store/trial.h"

enum {
	RESERVE_MS = 30 * 1000,
	COMMIT_MS = 120 * 1000,
	RENEW_MS = 30 * 1000, /* a RESERVED row's hold */
	CALL_MS = 5 * 1000,   /* deadline handed to the manager */
	SHARED_MS = 200,      /* the same, when groups would wait for each other's effects */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 30 * 1000,
	PROBE_MS = 1000,         /* a manager that does not answer */
	PROBE_AFTER = 5,         /* failed calls */
	FLIGHTS_MAX = 8,         /* calls to one manager */
	FLIGHTS_WAITING_MAX = 6, /* of them commit and release, which wait for an effect */
	CALL_BYTES_MAX = 256 * 1024,
	LINGER_MS = 20, /* answers wait for others, to share a commit */
	POOL_DEFAULT = 32,
	YIELD_MS = 25,     /* after a tick, when others want the store: they wait for somebody */
	ROWS_A_TICK = 512, /* answers in a transaction, or a call more */
	NEW_ROWS_MAX =
	    1024,          /* that wait for their first answer: then other groups wait their turn */
	IDS_ONE_BY_ONE = 8 /* in a transaction */
};

/* What a call may wait for. Those that end what was begun take off first. */
enum call_class { CALLS_WAITING, CALLS_PROMPT, CALL_CLASSES };

/* A group that is on its way, in memory. */
struct known {
	struct arena *arena;
	struct stored_group group;
	struct stored_row *rows; /* in rid order */
	size_t n_rows;
	bool is_given_up; /* the controller has died of it: see group_refresh */
};

/* A manager as the ticker knows it. */
struct peer {
	char *name;
	int failures; /* calls in a row */
	int n_flights, n_waiting;
	size_t n_new; /* of its tracks */
	int64_t probe_ms;
	struct heap dues[CALL_CLASSES]; /* its tracks, but for those that fly */
};

/* A row that needs a call, now or later. */
struct track {
	struct due due; /* when the next call may leave */
	uint64_t rid;
	struct peer *peer;
	char *group;
	enum verb verb;
	int64_t rev;
	int failures;
	bool is_renewal; /* a hold kept alive: not a need, a period */
	bool is_flying;  /* a call is out */
	bool is_over;    /* to be dropped when it is back */
	bool is_void;    /* what comes back is of a database that was lost */
	bool is_asking;  /* the call answers a mark in `asked` */
	bool is_new;     /* to be reserved, and no call has come back yet */
};

/* A group in a state that must not rest. */
struct watch {
	struct due due; /* its deadline */
	char *group;
	enum group_state state;
};

/* One call, from dispatch to its answers. */
struct flight {
	struct peer *peer;
	struct arena *arena;
	struct manager_call call;
	struct row_want *want; /* call.want, to be filled */
	size_t bytes;
	const char *group; /* of its first row */
	bool is_first;     /* its rows have not been sent before */
	bool is_answered;
	struct err err;
	int64_t done_ms;
	struct flight *next;
};

/* What a manager said, for the ticker. */
struct word {
	char *manager, *db_uuid;
	int64_t change;
	vec_of(uint64_t) rids;
};

struct controller {
	struct controller_config config;
	struct trial *trial; /* steps of groups: group_refresh */
	_Atomic int64_t epoch;
	int64_t since, life;  /* the change with which it began; a random number */
	atomic_bool is_stale; /* somebody was newer than the books: see controller_restore.c */

	/* inside a transaction: ids that are its own already */
	uint64_t id_txn;
	uint64_t id_next, n_ids, n_ids_taken;

	/* the ticker's own */
	struct map *tracks; /* by rid */
	struct map *peers;
	struct map *watches;
	struct heap deadlines; /* of watches that are not late yet */
	struct map *known;
	struct map *queued; /* groups that wait for their turn; the values are the queue */
	struct waiting *queue_first, *queue_last;
	struct map *asked; /* rids to be asked once, though they seem settled; value: their mark */
	uint64_t random;
	bool is_blind;    /* what was planned could not be stored: begin anew */
	bool is_new;      /* nothing has been planned yet */
	int64_t yield_ms; /* until then others have the store */

	/* under lock */
	pthread_mutex_t lock;
	pthread_cond_t tick, work;
	struct map *dirty;   /* names of groups to be looked at, to copies of them */
	struct map *altered; /* of those that others than the ticker have changed */
	vec_of(struct word) words;
	struct flight *todo_first, *todo_last;
	struct flight *done_first, *done_last;
	size_t n_flights;
	bool is_woken;
	bool is_stopping;

	pthread_t *threads;
	size_t n_threads;
};

/* controller_tick.c */
void *ticking_main(void *self);

/* Looks at a group in the next tick. Inside the transaction that changed it. */
void mark_dirty(struct controller *controller, const char *group);

/*
 * controller_known.c. A known group, NULL when it is not; a group, read if need be (ERR_NOT_FOUND);
 * its row, NULL. Valid until known_drop, known_renew or the end of the tick.
 */
struct known *known_find(const struct controller *controller, const char *group);
bool known_read(struct controller *controller, struct txn *txn, const char *group,
    struct known **found, struct err *err) must_check;
struct stored_row *known_row(const struct known *known, uint64_t rid);
void known_drop(struct controller *controller, const char *group);
void known_drop_all(struct controller *controller);

/* Inside the transaction of somebody who is not the ticker, or does not keep what is known: a group
 * is changed. Any thread. */
void mark_altered(struct controller *controller, const char *group);

/* Drops what others have changed. Inside a transaction, and after each time that others were called
 * in one. */
void known_renew(struct controller *controller);

/*
 * controller_group.c: steps a group, and tracks what its rows need. One that the controller dies of
 * again and again when it is stepped is given up; when even that kills, it is left as it stands.
 */
enum { STEPPED, GIVEN_UP }; /* versions of a group in `trial` */

bool group_refresh(
    struct controller *controller, struct txn *txn, const char *name, struct err *err) must_check;

/* controller_heard.c: what a manager said. */
bool hear(struct controller *controller, struct txn *txn, const struct word *word,
    struct err *err) must_check;
void word_done(struct word *word);

/* controller_answer.c: the answers of one call, into the rows. */
bool answers_store(struct controller *controller, struct txn *txn, struct flight *flight,
    struct err *err) must_check;

/* controller_call.c: sends what is due; `err` when the store could not be read. */
void *pool_main(void *self);
bool dispatch(struct controller *controller, struct err *err) must_check;
void flight_free(struct flight *flight);

/* controller_attr.c: attr with its references filled in; rows of `known`, if not NULL, are taken
 * from there. */
bool attr_resolve(struct txn *txn, const struct known *known, const char *attr, struct arena *arena,
    const char **resolved, struct err *err) must_check;
