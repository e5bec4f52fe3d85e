/*
 * Starts what is booked, warns of ends, and ends what is over, each in a transaction of its own. A
 * wall clock that jumps is not believed: nothing starts or ends until it is right again, or until
 * sncd is started anew by somebody who has looked. Between that it takes the steps that a modify
 * has left.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/engine/wait.h"
#include "snc/audit.h"
#include "snc/modify.h"
#include "snc/slice.h"
#include "snc/usage.h"

enum {
	LOOK_MS = 1000,      /* the wall clock may be set: never sleep longer */
	RETRY_MIN_MS = 1000, /* what could not start tries again */
	RETRY_MAX_MS = 30 * 1000,
	JUMP_MS = 60 * 1000, /* against the time since boot */
};

struct lease_watch {
	struct snc *snc;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t bell;
	bool is_woken, is_stopping;
	int64_t apart_ms; /* wall clock less time since boot, as it was believed last */
	bool is_frozen;
};

static void
tell_clock(struct snc *snc, const char *what, const char *text)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct err err;

	log_warn("snc", "event=clock what=%s text=\"%s\"", what, text);
	events_add(snc->events, txn, NULL, "clock", what, text);
	if (!txn_commit(&txn, &err))
		log_error("snc", "event=event_lost why=\"%s\"", err.text);
}

static bool
is_clock_right(struct lease_watch *watch)
{
	const struct clock *clock = watch->snc->clock;
	int64_t apart_ms = clock_wall_ms(clock) - clock_boot_ms(clock);
	int64_t jump_ms = apart_ms - watch->apart_ms;
	bool was_frozen = watch->is_frozen;

	watch->is_frozen = jump_ms >= JUMP_MS || jump_ms <= -JUMP_MS;
	if (!watch->is_frozen)
		watch->apart_ms = apart_ms;
	if (watch->is_frozen && !was_frozen) {
		auto_str struct str text = {0};

		str_addf(&text,
		    "it went %s by %s: no slice starts or ends until it is right again; if it is "
		    "right now, restart sncd",
		    jump_ms > 0 ? "forward" : "back",
		    when_length_text(jump_ms > 0 ? jump_ms : -jump_ms).text);
		tell_clock(watch->snc, "jumped", str_text(&text));
	} else if (was_frozen && !watch->is_frozen) {
		tell_clock(watch->snc, "right", "slices start and end again");
	}
	return !watch->is_frozen;
}

/* ---- starting -------------------------------------------------------------------------------- */

struct start {
	struct slice_record record;
	struct slice_document document;
	struct booking_rows booking;
	struct slice_examination examination;
};

static bool
read_start(
    struct snc *snc, const char *id, struct arena *arena, struct start *start, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);

	return store_slice_by_id(txn, id, arena, &start->record, err) &&
	       store_slice_document(txn, id, arena, &start->document, err) &&
	       store_booking_list(txn, id, arena, &start->booking, err);
}

/* The place that was booked, if it is still there. */
static bool
place_as_booked(struct snc *snc, struct start *start, struct arena *arena, struct err *err)
{
	struct slice_examination *examination = &start->examination;
	struct ledger_question question = {
	    .window = lease_span(&examination->lease, clock_wall_ms(snc->clock)),
	    .without = start->record.id,
	};
	auto_txn struct txn *txn = NULL;

	snc_refresh_view(snc);
	txn = store_begin(snc->store);
	examination->expanded = slice_expand(examination->slice, arena);
	return snc_substrate(snc, txn, &question, arena, &examination->substrate, err) &&
	       slice_booked_mapping(&start->booking, examination->expanded, examination->substrate,
		   arena, &examination->mapping);
}

static bool
first_error(const diagnoses *found, struct err *err)
{
	vec_each (each, found)
		if (!each->is_warning) {
			*err = *each;
			return false;
		}
	return err_set(err, ERR_INTERNAL, "a slice cannot start without a reason");
}

/* Where it goes: as booked, or else wherever it fits now. */
static bool
place_start(struct snc *snc, struct start *start, struct arena *arena, struct err *err)
{
	struct slice_examination *examination = &start->examination;
	diagnoses found = {0};
	bool is_good;

	*examination = (struct slice_examination){
	    .role = start->record.role,
	    .document = start->document,
	    .without = start->record.id,
	    .wish.until_ms = start->record.lease.until_ms,
	};
	is_good = slice_examine(snc, examination, arena, &found);
	examination->lease = start->record.lease;
	examination->lease.phase = LEASE_HELD;
	lease_schedule(&examination->lease);
	if (is_good && !place_as_booked(snc, start, arena, err)) {
		examination->wants_place = true;
		is_good = slice_examine(snc, examination, arena, &found);
	}
	is_good = is_good || first_error(&found, err);
	vec_done(&found);
	return is_good;
}

static bool
admit_start(struct snc *snc, struct start *start, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	auto_arena struct arena *arena = arena_new();
	struct slice_record record;

	if (!store_slice_by_id(txn, start->record.id, arena, &record, err))
		return false;
	if (record.lease.phase != LEASE_BOOKED)
		return true; /* deleted and made again meanwhile, or started */
	record.lease.phase = LEASE_HELD;
	lease_schedule(&record.lease);
	start->examination.lease = record.lease;
	if (!slice_admit(snc, txn, &record, &start->examination, err) ||
	    !store_booking_drop(txn, record.id, err) || !store_slice_save(txn, &record, err) ||
	    !store_lease_save(txn, &record, err) || !usage_follow(snc, txn, record.id, err) ||
	    !audit_add(snc->audit, txn, &audit_self,
		&(struct audit_entry){"lease_start", record.name, record.id}, err))
		return false;
	events_add(snc->events, txn, &record, "slice", "started", lease_text(&record.lease).text);
	FAULT_POINT("snc.start.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.start.after");
	controller_wake(snc->controller);
	return true;
}

/* The later it is already, the longer until the next try. */
static int64_t
retry_at(const struct lease *lease, int64_t now_ms)
{
	int64_t wait_ms = (now_ms - lease->from_ms) / 4;

	return now_ms + (wait_ms < RETRY_MIN_MS      ? RETRY_MIN_MS
			    : wait_ms > RETRY_MAX_MS ? RETRY_MAX_MS
						     : wait_ms);
}

/* It keeps what it has booked and tries again; its owner is told why, once for each reason. */
static bool
put_off(struct snc *snc, const char *id, const struct err *why)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record;
	struct err err;

	if (!store_slice_by_id(txn, id, arena, &record, &err) || record.lease.phase != LEASE_BOOKED)
		return false;
	record.reason = *why;
	if (record.reason.code == ERR_WAIT)
		record.reason.code = ERR_CAPACITY;
	record.lease.due_ms = retry_at(&record.lease, clock_wall_ms(snc->clock));
	events_add(snc->events, txn, &record, "slice", "waits", why->text);
	if (store_slice_save(txn, &record, &err) && store_lease_save(txn, &record, &err) &&
	    txn_commit(&txn, &err))
		return true;
	log_error("snc", "event=state_lost slice=%s why=\"%s\"", id, err.text);
	return false;
}

/* true when it could not start and was put off. */
static bool
start_slice(struct snc *snc, const char *id)
{
	auto_arena struct arena *arena = arena_new();
	struct start start = {0};
	struct err err = {0};

	if (read_start(snc, id, arena, &start, &err) && place_start(snc, &start, arena, &err) &&
	    admit_start(snc, &start, &err))
		return false;
	return put_off(snc, id, &err);
}

/* ---- warning and ending ---------------------------------------------------------------------- */

/* The next phase of a lease that runs: its event, or the delete. */
static bool
advance(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	struct lease *lease = &record->lease;
	auto_arena struct arena *arena = arena_new();
	int64_t gone_ms = lease->until_ms + lease->grace_ms, now_ms = clock_wall_ms(snc->clock);

	if (now_ms >= gone_ms) {
		events_add(snc->events, txn, record, "slice", "ended", lease_text(lease).text);
		lease->due_ms = 0;
		return store_lease_save(txn, record, err) && slice_let_go(snc, txn, record, err) &&
		       audit_add(snc->audit, txn, &audit_self,
			   &(struct audit_entry){"lease_end", record->name, record->id}, err);
	}
	if (now_ms >= lease->until_ms) {
		lease->phase = LEASE_OVER;
		events_add(snc->events, txn, record, "slice", "expired",
		    arena_format(arena, "deleted at %s unless renewed", when_text(gone_ms).text));
	} else {
		lease->phase = LEASE_WARNED;
		events_add(snc->events, txn, record, "slice", "expires",
		    arena_format(arena, "at %s; `vnode slice renew %s --until TIME` moves that",
			when_text(lease->until_ms).text, record->name));
	}
	lease_schedule(lease);
	return store_lease_save(txn, record, err);
}

/* What is due about one slice. true when it is to be started. */
static bool
attend(struct snc *snc, const char *id)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record;
	const struct lease *lease = &record.lease;
	struct err err;
	bool is_over;

	if (!store_slice_by_id(txn, id, arena, &record, &err))
		return false;
	if (!lease->due_ms || lease->due_ms > clock_wall_ms(snc->clock))
		return false; /* renewed meanwhile */
	is_over = lease->until_ms && clock_wall_ms(snc->clock) >= lease->until_ms + lease->grace_ms;
	if (lease->phase == LEASE_BOOKED && !is_over)
		return true;
	if (!advance(snc, txn, &record, &err) || !txn_commit(&txn, &err))
		log_error("snc", "event=state_lost slice=%s why=\"%s\"", id, err.text);
	controller_wake(snc->controller);
	return false;
}

static void
tell_unreadable(const struct err *err)
{
	log_error("snc", "event=leases_unreadable why=\"%s\"", err->text);
}

/* What is due, until a start fails: looking for its place took long, and another one may have come
 * due meanwhile, which goes before all that failed. true when there may be more. */
static bool
look(struct snc *snc)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_names due = {0};
	struct txn *txn = store_begin(snc->store);
	struct err err;
	bool is_good = store_lease_due(txn, clock_wall_ms(snc->clock), arena, &due, &err);

	txn_cancel(txn);
	if (!is_good)
		tell_unreadable(&err);
	for (size_t i = 0; is_good && i < due.n; i++)
		if (attend(snc, due.items[i]) && start_slice(snc, due.items[i]))
			return true;
	return false;
}

static int64_t
next_due_ms(struct snc *snc)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	int64_t next_ms = 0;
	struct err err;

	if (!store_lease_next(txn, &next_ms, &err))
		tell_unreadable(&err);
	return next_ms;
}

/* ---- the thread ------------------------------------------------------------------------------ */

/* Until something is due, at most LOOK_MS; false when it is to stop. */
static bool
pause_watch(struct lease_watch *watch, int64_t next_ms)
{
	int64_t left_ms = next_ms ? next_ms - clock_wall_ms(watch->snc->clock) : LOOK_MS;
	struct timespec until;
	bool is_stopping;
	int rc = 0;

	left_ms = left_ms < 1 ? 1 : left_ms > LOOK_MS ? LOOK_MS : left_ms;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += left_ms * 1000000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&watch->lock);
	while (!watch->is_stopping && !watch->is_woken && rc == 0)
		rc = pthread_cond_timedwait(&watch->bell, &watch->lock, &until);
	is_stopping = watch->is_stopping;
	watch->is_woken = false;
	pthread_mutex_unlock(&watch->lock);
	return !is_stopping;
}

static void *
watch_main(void *self)
{
	struct lease_watch *watch = self;
	int64_t next_ms;

	do {
		next_ms = 0;
		modify_mend(watch->snc);
		if (is_clock_right(watch))
			next_ms = look(watch->snc) ? 1 : next_due_ms(watch->snc);
	} while (pause_watch(watch, next_ms));
	return NULL;
}

static void
watch_free(struct lease_watch *watch)
{
	pthread_cond_destroy(&watch->bell);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

struct lease_watch *
lease_watch_start(struct snc *snc, struct err *err)
{
	struct lease_watch *watch = xcalloc(1, sizeof(*watch));

	watch->snc = snc;
	watch->apart_ms = clock_wall_ms(snc->clock) - clock_boot_ms(snc->clock);
	pthread_mutex_init(&watch->lock, NULL);
	wait_init(&watch->bell);
	if (pthread_create(&watch->thread, NULL, watch_main, watch) == 0)
		return watch;
	watch_free(watch);
	err_set(err, ERR_INTERNAL, "the watch of leases cannot be started");
	return NULL;
}

static void
ring(struct lease_watch *watch, bool is_stopping)
{
	pthread_mutex_lock(&watch->lock);
	watch->is_stopping = watch->is_stopping || is_stopping;
	watch->is_woken = true;
	pthread_cond_signal(&watch->bell);
	pthread_mutex_unlock(&watch->lock);
}

void
lease_watch_stop(struct lease_watch *watch)
{
	if (!watch)
		return;
	ring(watch, true);
	pthread_join(watch->thread, NULL);
	watch_free(watch);
}

void
lease_watch_wake(struct lease_watch *watch)
{
	ring(watch, false);
}
