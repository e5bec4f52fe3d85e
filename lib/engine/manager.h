/*
 * The manager's half of the resource protocol: rows of one daemon, the three verbs, and the loop
 * that makes the world agree with the rows. Used by tncd, redirectord, programmerd, routerd.
 *
 * A kind of resource is a table of functions. The engine calls `check` and `admit` inside the
 * reserve transaction, and `ensure`/`remove` from worker threads with no lock held; for one rid
 * never two at once. All of them may be repeated at any time: absent = removed, EEXIST = ours.
 * A row of which the daemon dies again and again is not given to them any more (ERR_O07).
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/engine/lattice.h"
#include "lib/store/store.h"

struct manager;

/* A row as the manager keeps it. Texts are borrowed for the time of the call. */
struct row {
	uint64_t rid;
	const char *owner; /* "snc@ctl": from the caller's certificate */
	const char *kind;
	const char *spec;
	const char *attr; /* "" before the first commit */
	int64_t rev;      /* of attr, 0 before the first commit */
	enum row_state state;
	bool has_effect;    /* eff: the object may exist */
	const char *result; /* what reserve answered, NULL = nothing */
};

/* All rows that count against capacity, in one place, valid during admit. */
struct manager_book {
	const struct row *rows;
	size_t n_rows;
};

struct manager_kind {
	const char *name; /* "node", "link_end", "share", "route" */
	void *self;       /* handed to all functions */
	/*
	 * May this be held? Tests spec and capacity; called in the reserve transaction with the new
	 * row, not yet inserted. `book` has all rows of all kinds that are charged (HELD,
	 * COMMITTED, RELEASED with effect). May append to `result` and write its own tables in txn.
	 * Must not block.
	 */
	bool (*admit)(void *self, struct txn *txn, const struct row *row,
	    const struct manager_book *book, struct str *result, struct err *err);
	/*
	 * COMMITTED: make the object as spec and attr say, or bring it to attr. ERR_WAIT: something
	 * else must come first (a device, a neighbour); it is tried again at every wake and each
	 * second.
	 */
	bool (*ensure)(void *self, const struct row *row, struct err *err);
	/* RELEASED, or a hold that ended: remove all that the rid may have left. Absent is success.
	 */
	bool (*remove)(void *self, const struct row *row, struct err *err);
	/*
	 * Is the object there and healthy? Cheap; polled. If not, err says in one sentence what is
	 * amiss: people read it when ensure has put it right (manager_notes). ERR_UNAVAILABLE and
	 * ERR_TIMEOUT: it could not be seen. NULL: ensure is called again instead.
	 */
	bool (*is_there)(void *self, const struct row *row, struct err *err);
	/*
	 * The row is durably like this now: of each row at start, before anything else is called,
	 * and after each change, the end of its effect included. For what would have to look at all
	 * rows otherwise. Called with locks held: quick, calls nothing of the engine. May be NULL;
	 * else the book of `admit` has those rows alone that were admitted in this very transaction
	 * and are not heard of yet.
	 */
	void (*heard)(void *self, const struct row *row);
};

/* An object in the world that carries our prefix, for the sweep of strays. */
struct manager_object {
	uint64_t rid;  /* the row it belongs to; 0: none can */
	char name[64]; /* device, domain, route: as people know it */
};

/* Something that the manager did by itself and people should know: an object put right. */
struct manager_note {
	int64_t seq;      /* counts up from 1 within one run */
	int64_t at_ms;    /* wall clock */
	uint64_t rid;     /* 0: it is about the host */
	const char *kind; /* of the row; "host" */
	const char *what; /* "repaired" */
	const char *text; /* what was found amiss, one sentence */
};

struct manager_config {
	struct store *store;
	const struct clock *clock;
	const struct manager_kind *kinds;
	size_t n_kinds;
	void *self;
	/* All objects with our prefix, into an array made in arena. NULL: the daemon has none. */
	bool (*list)(void *self, struct arena *arena, const struct manager_object **objects,
	    size_t *n_objects, struct err *err);
	/* Remove one that has no row. */
	bool (*sweep)(void *self, const struct manager_object *object, struct err *err);
	/* The object of a row appeared, failed or vanished, and no call is about to be answered so:
	 * a reason to say hello. Any thread; must not block. */
	void (*changed)(void *self, uint64_t rid);
	/* There is a note: another reason. Any thread; must not block. May be NULL. */
	void (*noted)(void *self);
	int n_workers; /* 0 = 4 */
	int look_ms;   /* how often is_there is asked of a real row; 0 = 5,000 */
	/* No row waits for another row's object, or manager_wake_row tells it: that one has become
	 * real is no reason to try all that wait. */
	bool rows_are_apart;
};

/* The caller of a verb. */
struct manager_caller {
	const char *owner; /* name in the certificate: "snc@ctl" */
	int64_t epoch;     /* of the controller; older than the highest seen: ERR_STALE_EPOCH */
	uint64_t floor;    /* tombstones below it are forgotten */
	int64_t change;    /* counts what the controller has changed */
	/* That number when its epoch began, less than what was told before; or another run of it
	 * had the same epoch: its database was put back. ERR_STALE_EPOCH. */
	int64_t since, life;
	int deadline_ms; /* how long to wait for the effect */
};

/* SQL of the engine's own tables, to be put among the daemon's migrations (part "manager"). */
extern const struct store_migration manager_migrations[];
extern const size_t n_manager_migrations;

/* Makes the engine and starts its threads: rows are converged from now on. config is copied. */
void manager_free(struct manager *manager); /* stops and joins; objects stay as they are */
struct manager *manager_new(const struct manager_config *config, struct err *err)
    malloc_by(manager_free) must_check;

/* One call of a verb and its answer. */
struct manager_call {
	struct manager_caller caller;
	enum verb verb;
	const struct row_want *want; /* up to MANAGER_ROWS_MAX */
	size_t n;
	struct row_have *have; /* out: n answers in the order of want; array by the caller */
	struct arena *arena;   /* texts of the answers */
};

enum { MANAGER_ROWS_MAX = 256 };

/*
 * One verb over many rows: one transaction, shared with other calls of the same moment, then a wait
 * up to the deadline for the effect. A refusal of one row is in its `why`; false only when the
 * whole call was refused (ERR_STALE_EPOCH, ERR_LIMIT, store). Any thread; blocks.
 */
bool manager_call(struct manager *manager, struct manager_call *call, struct err *err) must_check;

/*
 * The rows of an owner with rid > after, at most MANAGER_ROWS_MAX, in rid order: `have` of each,
 * kind, spec, attr and rev in `want`; arrays and texts in call->arena. Uses call->caller.owner
 * only, and fills in epoch, floor, change and life as it has told them.
 */
bool manager_status(
    struct manager *manager, uint64_t after, struct manager_call *call, struct err *err) must_check;

/* The number of the last change that an owner has told; 0 = it has told nothing. Any thread. */
int64_t manager_told(struct manager *manager, const char *owner);

/* Something happened in the world: look at all rows again soon (netlink and libvirt events). Any
 * thread. */
void manager_wake(struct manager *manager);

/* Something happened to what this row alone stands for: look at it soon, as manager_wake would. No
 * such row: nothing. Any thread. */
void manager_wake_row(struct manager *manager, uint64_t rid);

/* Does the row of this rid stand at least HELD (and not RELEASED)? Any thread; not inside admit. */
bool manager_has(struct manager *manager, uint64_t rid);

/*
 * What was put right, oldest first: at most `most` notes with seq > after, texts and array in
 * arena; returns how many. The last 4,096 are kept; the same of one row is noted at most once in
 * 10 s. Any thread.
 */
size_t manager_notes(struct manager *manager, int64_t after, size_t most, struct arena *arena,
    const struct manager_note **notes);

/* Adds a note to those of the engine itself, for what others have put right: about a row (nothing
 * when there is no such row), or, with rid 0, about the host as a whole. Any thread; calls `noted`.
 */
void manager_note(struct manager *manager, uint64_t rid, const char *what, const char *text);

/* Has what killed the daemon, and was set aside, tried again (lib/store/trial.h); how many there
 * were. Any thread. */
size_t manager_retry(struct manager *manager);

/*
 * What does not agree: objects without a row, rows COMMITTED without their object, rows RELEASED
 * that still have one. One line of text each, into out; nothing when all is well. Any thread.
 */
bool manager_orphans(struct manager *manager, struct str *out, struct err *err) must_check;
