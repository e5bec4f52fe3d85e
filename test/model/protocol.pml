/*
 * The resource protocol (docs/protocol.md) as a model for spin: two slices, each with a row in both
 * of two managers that have room for one row; a controller; one reboot of a host. Slice 0 goes
 * straight for ACTIVE and may be given a new revision of its attributes; slice 1 rests RESERVED
 * until somebody runs or deletes it. Anything may be deleted at any time; a deadline is the same.
 *
 * The network is the set of all that was ever sent: a message that is in it may arrive never, soon,
 * late, again and in any order. Nothing here is volatile, each action is one transaction: so a
 * crash of either side is no action of its own, it is what happens between two actions.
 *
 * Every action climbs a lattice. So each run ends, and `else` is where users and faults have gone
 * still and nothing more can happen: there I3 and I4 must hold. the others are looked at in every state.
 *
 * Variants: EXPIRY (holds end by the clock; off, since an expiry hides leaks), FORGET (tombstones
 * below the floor are dropped). Seeded errors: -DMUTANT=n, listed in mutants.
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#define N_ROWS 4
#define SLICE(r) ((r) / 2)
#define SITE(r) ((r) % 2)
#define FELLOW(r) ((r) ^ 2) /* the other row at the same site: room is for one of them */

/* Of a row in its manager. */
#define NONE 0
#define HELD 1
#define COMMITTED 2
#define RELEASED 3

/* What the controller knows of a row; what a manager may answer has the same names as bits. */
#define HAS_NONE 0
#define HAS_HELD 1
#define HAS_REV_1 2     /* COMMITTED and real at revision 1 */
#define HAS_REV_2 3
#define HAS_LET_GO 4    /* RELEASED, the object may stand */
#define HAS_RELEASED 5  /* RELEASED and gone */
#define SAYS(has) (1 << (has))
#define SAYS_NO 1       /* refused */

/* Of a slice. */
#define UNBORN 0
#define PENDING 1
#define RESERVED 2
#define COMMITTING 3
#define ACTIVE 4
#define RELEASING 5
#define GONE 6

/* The controller, all of it durable. */
byte slice[2];
byte revision[2] = 1;
bit is_run[2];
byte has[N_ROWS];
bit is_refused[N_ROWS];

/* The network: requests by slice (all rows of one are sent together), answers by row. */
bit sent_reserve[2], sent_commit_1[2], sent_commit_2[2], sent_release[2];
byte answers[N_ROWS];

/* The managers: rows, durable; objects, which a reboot takes away. */
byte row[N_ROWS];
byte row_revision[N_ROWS];
bit has_effect[N_ROWS];
byte object[N_ROWS]; /* its revision, 0 = absent */
byte floor[2];
bit is_rebooted; /* site 0 */

bit is_still;             /* users and faults do nothing more */
bit has_ended_early;      /* a hold, though its slice wanted it */
bit was_released[N_ROWS]; /* seen by the checker alone */

#if MUTANT == 3
#define IS_CHARGED(r) (row[r] == HELD || row[r] == COMMITTED)
#else
#define IS_CHARGED(r) (row[r] == HELD || row[r] == COMMITTED || (row[r] == RELEASED && has_effect[r]))
#endif

#define FLOOR_NOW (slice[0] != GONE -> 0 : (slice[1] == GONE -> 4 : 2))
#if MUTANT == 10
#define IS_PAST(r) false
#else
#define IS_PAST(r) ((r) < floor[SITE(r)])
#endif

/* I1: no more stands, and no more is promised, than there is room for. */
#define I1(r) (!(object[r] && object[FELLOW(r)]) && !(IS_CHARGED(r) && IS_CHARGED(FELLOW(r))))
/* I2: who was told "active" has it, in the revision that the controller believes in. */
#define I2(r) (slice[SLICE(r)] != ACTIVE || (row[r] == COMMITTED && \
	((is_rebooted && SITE(r) == 0) || object[r] >= (has[r] == HAS_REV_2 -> 2 : 1))))
/* I7: released is for ever. */
#define I7(r) (!was_released[r] || row[r] == RELEASED || row[r] == NONE)
/* Attributes only go forward. */
#define I8(r) (row[r] != COMMITTED || row_revision[r] >= object[r])
/* I3: nothing is left of what is gone. */
#define I3(r) (slice[SLICE(r)] != GONE || \
	(!object[r] && !has_effect[r] && (row[r] == RELEASED || (row[r] == NONE && r < floor[SITE(r)]))))
/* I6: nothing is held of which the controller has no row. */
#define I6(r) (row[r] == NONE || slice[SLICE(r)] != UNBORN)
#define ROW_HOLDS(r) (I1(r) && I2(r) && I3(r) && I6(r) && I7(r) && I8(r))

/* At the end, I4: slices rest where they may; I3: their rows and objects agree with that. */
#define MAY_REST(s) (slice[s] == UNBORN || slice[s] == ACTIVE || slice[s] == RESERVED || slice[s] == GONE)
#define AGREES(r) \
	((slice[SLICE(r)] == ACTIVE && row[r] == COMMITTED && object[r] == revision[SLICE(r)]) || \
	 (slice[SLICE(r)] == RESERVED && row[r] == HELD && !object[r]) || \
	 (slice[SLICE(r)] == UNBORN && row[r] == NONE) || \
	 (slice[SLICE(r)] == GONE && !object[r] && !IS_CHARGED(r)))

/* ---- the controller ------------------------------------------------------------------------- */
/* From here on nothing counts but that a row is RELEASED: what else is known of it is made the
 * same, so that spin has fewer states to tell apart. */
inline only_release_counts(r)
{
	is_refused[r] = 0;
	if
	:: has[r] < HAS_LET_GO -> has[r] = HAS_LET_GO
	:: else
	fi;
	answers[r] = answers[r] & SAYS(HAS_RELEASED)
}

inline start_release(s)
{
	slice[s] = RELEASING;
	is_run[s] = 1;
#if MUTANT == 8
	/* only what was heard of is released; the other rows count as never taken */
	if
	:: has[2 * s] == HAS_NONE -> has[2 * s] = HAS_RELEASED
	:: else
	fi;
	if
	:: has[2 * s + 1] == HAS_NONE -> has[2 * s + 1] = HAS_RELEASED
	:: else
	fi;
#endif
	only_release_counts(2 * s);
	only_release_counts(2 * s + 1);
	sent_release[s] = 1
}

inline start_commit(s)
{
	slice[s] = COMMITTING;
	if
	:: revision[s] == 1 -> sent_commit_1[s] = 1
	:: else -> sent_commit_2[s] = 1
	fi
}

inline forget(r)
{
	has[r] = 0;
	is_refused[r] = 0;
	answers[r] = 0
}

#define LOST(r) (is_refused[r] || has[r] >= HAS_LET_GO)
#define ANY_LOST(s) (LOST(2 * s) || LOST(2 * s + 1))
#define BOTH(s, a) (has[2 * s] >= (a) && has[2 * s + 1] >= (a))
#if MUTANT == 1
#define IS_UP(s) BOTH(s, HAS_HELD)
#else
#define IS_UP(s) BOTH(s, HAS_HELD + revision[s])
#endif
#if MUTANT == 4
#define IS_DOWN(s) (has[2 * s] == HAS_RELEASED)
#else
#define IS_DOWN(s) BOTH(s, HAS_RELEASED)
#endif
#if MUTANT == 13
#define GIVES_UP(s) (slice[s] == PENDING || slice[s] == COMMITTING)
#else
#define GIVES_UP(s) (slice[s] == PENDING || slice[s] == COMMITTING || slice[s] == RESERVED)
#endif

/* The state that follows from the rows: group_step of lib/engine. */
inline step(s)
{
	if
	:: GIVES_UP(s) && ANY_LOST(s) -> start_release(s)
	:: else
	fi;
	if
	:: slice[s] == PENDING && BOTH(s, HAS_HELD) && !is_run[s] -> slice[s] = RESERVED
	:: slice[s] == PENDING && BOTH(s, HAS_HELD) && is_run[s] -> start_commit(s)
	:: slice[s] == RESERVED && is_run[s] -> start_commit(s)
	:: else
	fi;
	if
	:: slice[s] == COMMITTING && IS_UP(s) -> slice[s] = ACTIVE
	:: slice[s] == RELEASING && IS_DOWN(s) ->
		slice[s] = GONE;
		forget(2 * s);
		forget(2 * s + 1)
	:: else
	fi
}

#define USER(s) \
	:: d_step { !is_still && slice[s] == UNBORN && (s == 0 || slice[0] != UNBORN) -> \
		slice[s] = PENDING; sent_reserve[s] = 1; is_run[s] = (s == 0) } \
	:: d_step { !is_still && slice[s] >= PENDING && slice[s] <= COMMITTING && !is_run[s] -> \
		is_run[s] = 1; step(s) } \
	:: d_step { !is_still && slice[s] >= PENDING && slice[s] <= ACTIVE -> \
		start_release(s); step(s) }

#define CHANGE(s) \
	:: d_step { !is_still && slice[s] >= PENDING && slice[s] <= ACTIVE && revision[s] == 1 -> \
		revision[s] = 2; \
		if \
		:: slice[s] >= COMMITTING -> sent_commit_2[s] = 1 \
		:: else \
		fi }

#define HEAR(r, what) \
	:: d_step { slice[SLICE(r)] != GONE && has[r] < what && (answers[r] & SAYS(what)) -> \
		has[r] = what; answers[r] = answers[r] & ~(2 * SAYS(what) - 2); \
		step(SLICE(r)) }

#define CONTROLLER(r) \
	HEAR(r, HAS_HELD) HEAR(r, HAS_REV_1) HEAR(r, HAS_REV_2) HEAR(r, HAS_LET_GO) HEAR(r, HAS_RELEASED) \
	:: d_step { slice[SLICE(r)] != GONE && !is_refused[r] && (answers[r] & SAYS_NO) -> \
		is_refused[r] = 1; answers[r] = answers[r] & ~SAYS_NO; \
		step(SLICE(r)) }

/* ---- a manager ------------------------------------------------------------------------------ */
#if MUTANT == 2
#define IS_REAL(r) (row[r] == COMMITTED)
#elif MUTANT == 12
#define IS_REAL(r) (row[r] == COMMITTED && object[r])
#else
#define IS_REAL(r) (row[r] == COMMITTED && object[r] == row_revision[r])
#endif

/* What it answers to whatever is asked of a row, as that stands now. */
#define ANSWER(r) ( \
	row[r] == HELD -> SAYS(HAS_HELD) : ( \
	IS_REAL(r) -> SAYS(HAS_HELD + row_revision[r]) : ( \
	row[r] == RELEASED && has_effect[r] -> SAYS(HAS_LET_GO) : ( \
	row[r] == RELEASED -> SAYS(HAS_RELEASED) : ( \
	row[r] == NONE && IS_PAST(r) -> SAYS(HAS_RELEASED) : 0)))))

#if MUTANT == 15
#define HAS_ROOM(r) (row[FELLOW(r)] != COMMITTED)
#else
#define HAS_ROOM(r) (!IS_CHARGED(FELLOW(r)))
#endif
#if MUTANT == 14
#define MAY_HOLD(r) (row[r] == NONE || (row[r] == RELEASED && !has_effect[r] && !sent_release[SLICE(r)]))
#else
#define MAY_HOLD(r) (row[r] == NONE)
#endif

#define RESERVE(r) \
	:: d_step { sent_reserve[SLICE(r)] && MAY_HOLD(r) && !IS_PAST(r) && HAS_ROOM(r) -> \
		row[r] = HELD; has_effect[r] = 1 } \
	:: d_step { sent_reserve[SLICE(r)] && row[r] == NONE && !IS_PAST(r) && !HAS_ROOM(r) && \
		slice[SLICE(r)] < RELEASING && !(answers[r] & SAYS_NO) -> \
		answers[r] = answers[r] | SAYS_NO }

#if MUTANT == 6
#define MAY_COMMIT(r, n) (row[r] == HELD || row[r] == RELEASED || (row[r] == COMMITTED && row_revision[r] < n))
#elif MUTANT == 11
#define MAY_COMMIT(r, n) (row[r] == HELD || (row[r] == COMMITTED && row_revision[r] != n && object[r] == row_revision[r]))
#else
#define MAY_COMMIT(r, n) (row[r] == HELD || (row[r] == COMMITTED && row_revision[r] < n))
#endif

#define COMMIT(r, sent, n) \
	:: d_step { sent[SLICE(r)] && MAY_COMMIT(r, n) -> \
		row[r] = COMMITTED; row_revision[r] = n; has_effect[r] = 1 } \
	:: d_step { sent[SLICE(r)] && row[r] == NONE && !IS_PAST(r) && slice[SLICE(r)] < RELEASING && \
		!(answers[r] & SAYS_NO) -> \
		answers[r] = answers[r] | SAYS_NO }

inline let_go(r)
{
#if MUTANT == 3
	has_effect[r] = 0;
#endif
	row[r] = RELEASED;
	row_revision[r] = 0; /* which one it was counts no more */
	object[r] = (object[r] -> 1 : 0);
	was_released[r] = 1
}

#if MUTANT == 9
#define TOMBSTONE(r) \
	:: d_step { sent_release[SLICE(r)] && row[r] == NONE && !(answers[r] & SAYS(HAS_RELEASED)) && \
		slice[SLICE(r)] != GONE -> \
		answers[r] = answers[r] | SAYS(HAS_RELEASED) }
#else
#define TOMBSTONE(r) \
	:: d_step { sent_release[SLICE(r)] && row[r] == NONE && !IS_PAST(r) -> let_go(r) }
#endif

#define RELEASE(r) \
	TOMBSTONE(r) \
	:: d_step { sent_release[SLICE(r)] && (row[r] == HELD || row[r] == COMMITTED) -> \
		let_go(r) }

/* Its loop. */
#if MUTANT == 3
#define MAY_STAND(r) (row[r] == RELEASED && object[r])
#else
#define MAY_STAND(r) (row[r] == RELEASED && has_effect[r] && object[r])
#endif
#define CONVERGE(r) \
	:: d_step { row[r] == COMMITTED && object[r] != row_revision[r] -> \
		object[r] = row_revision[r] } \
	:: d_step { MAY_STAND(r) -> object[r] = 0 } \
	:: d_step { row[r] == RELEASED && has_effect[r] && !object[r] -> has_effect[r] = 0 }

/* A hold ends although it is kept alive when calls are lost for too long: that happens once. Of a
 * slice that does not want it any more, its end is as a release. */
#define IS_KEPT(r) (slice[SLICE(r)] >= PENDING && slice[SLICE(r)] <= COMMITTING)
#ifdef EXPIRY
#define EXPIRE(r) \
	:: d_step { !is_still && row[r] == HELD && IS_KEPT(r) && !has_ended_early -> \
		has_ended_early = 1; let_go(r) }
#else
#define EXPIRE(r)
#endif
#if MUTANT == 5
#define OUTLIVE(r) :: d_step { row[r] == COMMITTED -> let_go(r) }
#else
#define OUTLIVE(r)
#endif
#ifdef FORGET
#define DROP(r) \
	:: d_step { row[r] == RELEASED && !has_effect[r] && r < floor[SITE(r)] -> row[r] = NONE }
#define LEARN_FLOOR(m) :: d_step { floor[m] < FLOOR_NOW -> floor[m] = FLOOR_NOW }
#else
#define DROP(r)
#define LEARN_FLOOR(m)
#endif
#if MUTANT == 7
/* the call leaves, the controller dies before its transaction: nobody knows of the slice */
#define SEND_EARLY(s) \
	:: d_step { slice[s] == UNBORN && !sent_reserve[s] -> sent_reserve[s] = 1 }
#else
#define SEND_EARLY(s)
#endif

#define SPEAK(r) \
	:: d_step { slice[SLICE(r)] != GONE && ANSWER(r) >= SAYS(has[r] + 1) && (ANSWER(r) & ~answers[r]) -> \
		answers[r] = answers[r] | ANSWER(r) }

#define MANAGER(r) \
	RESERVE(r) COMMIT(r, sent_commit_1, 1) COMMIT(r, sent_commit_2, 2) RELEASE(r) CONVERGE(r) \
	EXPIRE(r) OUTLIVE(r) DROP(r) SPEAK(r)

/* The sites are alike: that the first one reboots is enough. */
#define REBOOT \
	:: d_step { !is_still && !is_rebooted && (object[0] || object[2]) -> \
		object[0] = 0; object[2] = 0; is_rebooted = 1 }

active proctype world()
{
	do
	USER(0) USER(1) CHANGE(0) SEND_EARLY(0) SEND_EARLY(1)
	CONTROLLER(0) CONTROLLER(1) CONTROLLER(2) CONTROLLER(3)
	MANAGER(0) MANAGER(1) MANAGER(2) MANAGER(3)
	LEARN_FLOOR(0) LEARN_FLOOR(1) REBOOT
	:: d_step { !is_still -> is_still = 1 }
	:: else ->
		assert(MAY_REST(0) && MAY_REST(1));
		assert(AGREES(0) && AGREES(1) && AGREES(2) && AGREES(3));
		break
	od
}

never {
	do
	:: assert(ROW_HOLDS(0) && ROW_HOLDS(1) && ROW_HOLDS(2) && ROW_HOLDS(3))
	od
}
