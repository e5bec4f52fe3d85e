/*
 * The controller's half of the resource protocol: groups of rows in several managers that come
 * into being together or not at all. A group is a slice in sncd, a transport path in tncd.
 *
 * The database is the state: rows and groups live in its tables (part "controller"), a tick looks
 * at what is not as wanted and sends verbs; answers of a tick are written in one transaction. A
 * restart is just the next tick. Threads: one ticker and a pool that makes the calls; none of them
 * holds the store's lock during a call.
 */
#pragma once

#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/engine/manager.h"

struct controller;

/* RELIABILITY.md §3.5. PENDING: rows on the way to HELD; RESERVED: all HELD, kept alive;
 * COMMITTING, ACTIVE: all COMMITTED and real; RELEASING; GONE: all RELEASED, the group is deleted.
 */
enum group_state {
	GROUP_PENDING,
	GROUP_RESERVED,
	GROUP_COMMITTING,
	GROUP_ACTIVE,
	GROUP_RELEASING,
	GROUP_GONE
};

const char *group_state_text(enum group_state state);

/*
 * One row to be had. attr may contain references `${RID.KEY}` to what the reserve of another row
 * of the group answered; they are filled in when every row is HELD.
 */
struct controller_row {
	uint64_t rid;
	const char *manager; /* "redirector@koganei" */
	const char *kind;
	const char *subject; /* what people call it: "link l1 end koganei" */
	const char *spec;
	const char *attr; /* "" = none */
};

/* A row as it stands. Texts in the arena of the call. */
struct controller_row_state {
	struct controller_row row;
	enum row_state want, have;
	bool is_real;
	int64_t rev, rev_have;
	const char *result; /* NULL = none */
	struct err why;     /* of the last answer; ERR_NONE */
	int tries;
	bool is_evicted; /* its manager is gone for good: it is nobody's any more */
};

/* Its group wants it, and nobody has it any more. */
static inline bool
controller_row_is_lost(const struct controller_row_state *row)
{
	return row->is_evicted || (row->have == ROW_RELEASED && row->want != ROW_RELEASED);
}

struct controller_config {
	struct store *store;
	const struct clock *clock;
	void *self;
	/*
	 * Make one call to a manager: fill call->have. call->caller has epoch, floor and deadline.
	 * ERR_UNAVAILABLE or ERR_TIMEOUT when it cannot be reached. Runs on a pool thread; blocks.
	 */
	bool (*call)(void *self, const char *manager, struct manager_call *call, struct err *err);
	/* Lists a manager's rows, as manager_status. For controller_survey; may be NULL. */
	bool (*status)(void *self, const char *manager, uint64_t after, struct manager_call *call,
	    struct err *err);
	/*
	 * A group changed its state; `why` has the first refusal when it goes to RELEASING by
	 * itself. Runs inside the transaction that changes it. GONE is the last one; its rows are
	 * deleted after.
	 */
	void (*changed)(void *self, struct txn *txn, const char *group, enum group_state state,
	    const struct err *why);
	/* A row changed (have, real, tries, why): for events and progress. Inside the transaction.
	 * May be NULL. */
	void (*row_changed)(
	    void *self, struct txn *txn, const char *group, const struct controller_row_state *row);
	int n_workers; /* 0 = 32: calls wait for effects, a slow manager must not take all */
	/* Where the controller's address stands before the first of these is called, for those
	 * that call it back; NULL = nowhere. */
	struct controller **made;
};

extern const struct store_migration controller_migrations[];
extern const size_t n_controller_migrations;

/* Counts the epoch up, durably, and starts ticking. config is copied. */
void controller_free(struct controller *controller);
struct controller *controller_new(const struct controller_config *config, struct err *err)
    malloc_by(controller_free) must_check;

int64_t controller_epoch(const struct controller *controller);

/*
 * A new id, never given before. Durable with txn. Admit a row in the transaction that took its id:
 * managers forget what lies below the lowest living row.
 */
bool controller_next_id(
    struct controller *controller, struct txn *txn, uint64_t *id, struct err *err) must_check;

/* A new group PENDING with its rows, going for `goal`: ROW_HELD (rests RESERVED) or ROW_COMMITTED
 * (ACTIVE). */
struct controller_admission {
	const char *group; /* unique among living groups */
	const struct controller_row *rows;
	size_t n_rows;
	enum row_state goal;
	int reserve_ms; /* deadline for all to be HELD; 0 = 30 s */
	int commit_ms;  /* deadline for all to be COMMITTED and real; 0 = 120 s */
};

/* ERR_UNAVAILABLE while the store has no room for what is new. */
bool controller_admit(struct controller *controller, struct txn *txn,
    const struct controller_admission *admission, struct err *err) must_check;

/* RESERVED -> ROW_COMMITTED; anything -> ROW_RELEASED. ERR_NOT_FOUND without such a group.
 * Idempotent. */
bool controller_goal(struct controller *controller, struct txn *txn, const char *group,
    enum row_state goal, struct err *err) must_check;

/* New attributes of a row: next revision. */
bool controller_set_attr(struct controller *controller, struct txn *txn, uint64_t rid,
    const char *attr, struct err *err) must_check;

/*
 * The rows of a group come to another one that stands as it does, both RESERVED or both ACTIVE;
 * `from` is no more, and nobody is told. ERR_CONFLICT when they stand differently. So what is to
 * join a group comes into being as one of its own, all or nothing. Wakes the ticker.
 */
bool controller_merge(struct controller *controller, struct txn *txn, const char *from,
    const char *into, struct err *err) must_check;

/* Rows that leave their group, at least one; `into` is a new group whose goal is RELEASED. */
struct controller_parting {
	const char *group, *into;
	const uint64_t *rids;
	size_t n_rids;
};

/* The other rows stay as they are. Wakes the ticker. */
bool controller_part(struct controller *controller, struct txn *txn,
    const struct controller_parting *parting, struct err *err) must_check;

/*
 * A manager is gone for good (controller_evict.c): its rows count as released from now on, which
 * ends what was under way with them; what stands goes on without them, each marked is_evicted. It
 * gets no new rows (ERR_UNAVAILABLE). Release is sent for each of the old ones until it is
 * answered, however long that takes: should the manager come back it holds nothing of what was
 * given to others since. Idempotent.
 */
bool controller_evict(struct controller *controller, struct txn *txn, const char *manager,
    struct err *err) must_check;

/* It is back and may have rows again. ERR_CONFLICT while it owes the release of one. Idempotent. */
bool controller_readmit(struct controller *controller, struct txn *txn, const char *manager,
    struct err *err) must_check;

bool controller_is_evicted(struct txn *txn, const char *manager);

/*
 * Quarantine (controller_restore.c): a manager has heard something newer than what the database
 * has, so that was put back to an older state, or another controller has taken over. From then on,
 * over restarts too, nothing is sent, no group moves, and what would change one is refused
 * (ERR_UNAVAILABLE), but for evictions. Why, in arena; "" = it is not so.
 */
const char *controller_quarantine(struct txn *txn, struct arena *arena);

/* What managers hold, and have heard of this controller. */
struct controller_survey {
	int64_t epoch, change; /* the highest */
	uint64_t count;        /* no id has a higher counter */

	struct controller_held {
		const char *manager;
		uint64_t rid;
		bool is_known; /* to the database */
	} * rows;              /* HELD or COMMITTED, and not RELEASED in truth */

	size_t n_rows;
};

/* Asks all these managers; those that are evicted need not answer. Blocks; no transaction may be
 * open. */
bool controller_survey(struct controller *controller, const char *const *managers,
    size_t n_managers, struct arena *arena, struct controller_survey *survey,
    struct err *err) must_check;

/*
 * Ends the quarantine, after the commit: with an epoch, ids and changes beyond all that was heard
 * of. What is in the database is asked for anew; what managers hold and it does not know is
 * released. ERR_CONFLICT when there is none.
 */
bool controller_resume(struct controller *controller, struct txn *txn,
    const struct controller_survey *survey, struct err *err) must_check;

/* The groups that have rows at a manager, names and array in arena. */
bool controller_groups_at(struct txn *txn, const char *manager, struct arena *arena,
    const char ***groups, size_t *n_groups, struct err *err) must_check;

/* After the commit of a transaction with any of the above, and whenever a manager said hello. Any
 * thread. */
void controller_wake(struct controller *controller);

/*
 * A manager said hello (controller.hello): `rids` are rows whose object appeared, failed or
 * vanished; n = 0: it is alive. A changed db_uuid makes its rows be sent again from the start, a
 * change (manager_told) that is still to come begins the quarantine. Any thread.
 */
void controller_heard(struct controller *controller, const char *manager, const char *db_uuid,
    int64_t change, const uint64_t *rids, size_t n_rids);

/* Rows of a group, in rid order, array in arena. n = 0 without such a group. Any thread, own
 * transaction when txn is NULL. */
bool controller_rows(struct controller *controller, struct txn *txn, const char *group,
    struct arena *arena, const struct controller_row_state **rows, size_t *n_rows);

/* Living rows of all groups with rid > after, in rid order, some hundreds at most, array and texts
 * in arena; n = 0: there are no more. Any thread. */
bool controller_page(struct txn *txn, uint64_t after, struct arena *arena,
    const struct controller_row_state **rows, size_t *n_rows, struct err *err) must_check;

/* A living row and the group that it is in, texts in arena. ERR_NOT_FOUND. Any thread. */
bool controller_row_of(struct txn *txn, uint64_t rid, struct arena *arena, const char **group,
    struct controller_row_state *row, struct err *err) must_check;

/* State of a group; false when there is none. */
bool controller_group(
    struct controller *controller, struct txn *txn, const char *group, enum group_state *state);

/* A group that the controller dies of again and again goes to RELEASING, with ERR_O07; when that
 * kills, too, it is left as it stands. The names of these, in arena; and has them looked at again:
 * how many there were, with those that were given up. Any thread. */
const char **controller_set_aside(
    struct controller *controller, struct arena *arena, size_t *n_names);
size_t controller_retry(struct controller *controller);

/* A manager's name to each living rid it should have, for the comparison of `orphans`. */
bool controller_expects(struct controller *controller, const char *manager, uint64_t rid);
