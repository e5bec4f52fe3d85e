/*
 * The loop that makes the world agree with the rows: workers that have one row each, a ticker that
 * says which rows are due, a sweeper for objects that no row stands for. There is no other code
 * that recovers from anything: a restart is the first round.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/engine/manager_part.h"

/* What a worker has found out about its row. */
struct outcome {
	bool is_done; /* as the row wants it */
	bool was_real;
	long n_wakes; /* when it began */
	struct err why;
	struct err lost; /* what is_there missed */
};

static struct item *next_item(struct manager *manager);
static void converge(struct manager *manager, const struct item *item, const struct row *row,
    struct outcome *outcome);
static void converge_up(const struct manager_kind *kind, const struct row *row, bool is_new_look,
    struct outcome *outcome);
static void converge_down(
    const struct manager_kind *kind, const struct row *row, struct outcome *outcome);
static void finish(struct manager *manager, struct item *item, const struct row *row,
    const struct outcome *outcome);
static bool is_repaired(struct manager *manager, struct item *item, const struct outcome *outcome);
static int64_t next_look_ms(
    const struct manager *manager, const struct item *item, const struct outcome *outcome);
static int64_t retry_ms(const struct item *item);
static void copy_row(struct arena *arena, struct row *into, const struct row *from);
static int64_t find_due(struct manager *manager, bool is_woken, vec_rid *ended);
static void sweep(struct manager *manager);

void *
worker_main(void *self)
{
	struct manager *manager = self;
	struct item *item;

	while ((item = next_item(manager))) {
		auto_arena struct arena *arena = arena_new();
		struct outcome outcome = {0};
		struct row row;

		pthread_mutex_lock(&manager->lock);
		copy_row(arena, &row, &item->row);
		outcome.was_real = row.state == ROW_COMMITTED && item_is_settled(item);
		outcome.n_wakes = manager->n_wakes;
		pthread_mutex_unlock(&manager->lock);
		converge(manager, item, &row, &outcome);
		finish(manager, item, &row, &outcome);
	}
	return NULL;
}

void *
ticker_main(void *self)
{
	struct manager *manager = self;
	const struct clock *clock = manager->config.clock;
	bool is_stopping = false;

	while (!is_stopping) {
		vec_rid ended = {0};
		int64_t now_ms = clock_boot_ms(clock), next_ms;
		const struct due *due;
		bool is_stored = true;

		pthread_mutex_lock(&manager->lock);
		next_ms = find_due(manager, manager->is_woken, &ended);
		manager->is_woken = false;
		pthread_mutex_unlock(&manager->lock);
		if (ended.n)
			is_stored = holds_end(manager, &ended, NULL);
		vec_done(&ended);
		if (now_ms - manager->holds_stored_ms >= HOLD_STORE_MS) {
			is_stored &= holds_store(manager, NULL);
			manager->holds_stored_ms = now_ms;
		}
		if (!is_stored) /* the disk is full: once more, but not at once */
			next_ms = now_ms + RETRY_WAIT_MS;
		pthread_mutex_lock(&manager->lock);
		due = heap_first(&manager->dues);
		if (due && due->at_ms < next_ms) /* come in meanwhile */
			next_ms = due->at_ms;
		manager->tick_ms = next_ms;
		if (!manager->is_woken && !manager->is_stopping)
			wait_ms(&manager->tick, &manager->lock, next_ms - clock_boot_ms(clock));
		is_stopping = manager->is_stopping;
		pthread_mutex_unlock(&manager->lock);
	}
	return NULL;
}

void *
sweeper_main(void *self)
{
	struct manager *manager = self;
	const struct clock *clock = manager->config.clock;
	bool is_stopping = false;

	while (!is_stopping) {
		struct err err = {0};
		int64_t next_ms = clock_boot_ms(clock) + LOOK_MS, left_ms;

		if (manager->config.list)
			sweep(manager);
		if (!rows_forget(manager, &err))
			log_debug("engine", "event=forget_failed why=\"%s\"", err.text);
		pthread_mutex_lock(&manager->lock);
		while (!manager->is_stopping && (left_ms = next_ms - clock_boot_ms(clock)) > 0)
			wait_ms(&manager->tick, &manager->lock, left_ms);
		is_stopping = manager->is_stopping;
		pthread_mutex_unlock(&manager->lock);
	}
	return NULL;
}

static void
queue_add(struct manager *manager, struct queue *queue, struct item *item)
{
	item->is_queued = true;
	item->queue = queue;
	item->queue_prev = queue->last;
	item->queue_next = NULL;
	if (queue->last)
		queue->last->queue_next = item;
	else
		queue->first = item;
	queue->last = item;
	heap_drop(&manager->dues, &item->due);
	manager->n_active++;
	pthread_cond_signal(&manager->work);
}

static void
queue_take(struct manager *manager, struct item *item)
{
	struct queue *queue = item->queue;

	if (item->queue_prev)
		item->queue_prev->queue_next = item->queue_next;
	else
		queue->first = item->queue_next;
	if (item->queue_next)
		item->queue_next->queue_prev = item->queue_prev;
	else
		queue->last = item->queue_prev;
	item->is_queued = false;
	manager->n_active--;
}

void
item_poke(struct manager *manager, struct item *item)
{
	if (item->is_busy)
		item->is_again = true;
	else if (!item->is_queued)
		queue_add(manager, &manager->looks, item);
}

void
item_hurry(struct manager *manager, struct item *item)
{
	if (item->is_queued && item->queue == &manager->looks)
		queue_take(manager, item);
	if (item->is_busy)
		item->is_again = true;
	else if (!item->is_queued)
		queue_add(manager, &manager->changes, item);
}

int64_t
item_woken_ms(const struct item *item, int64_t now_ms)
{
	return item->is_real ? now_ms + LOOK_SOON_MS : item->tried_ms + RETRY_WOKEN_MS;
}

void
item_wait(struct manager *manager, struct item *item, int64_t at_ms)
{
	heap_put(&manager->dues, &item->due, at_ms);
	if (at_ms < manager->tick_ms)
		pthread_cond_broadcast(&manager->tick);
}

bool
is_stray(struct manager *manager, const struct manager_object *object)
{
	struct item *item;
	bool is_stray;

	pthread_mutex_lock(&manager->lock);
	item = object->rid ? map_get_id(manager->items, object->rid) : NULL;
	is_stray = !item || (item->row.state == ROW_RELEASED && !item->row.has_effect);
	pthread_mutex_unlock(&manager->lock);
	return is_stray;
}

/*
 * The next row to look at, now busy; NULL when the manager stops. Somebody waits for a change, and
 * all rows come due together: behind hundreds of looks it would be late.
 */
static struct item *
next_item(struct manager *manager)
{
	struct item *item = NULL;

	pthread_mutex_lock(&manager->lock);
	while (!manager->is_stopping && !manager->changes.first && !manager->looks.first)
		pthread_cond_wait(&manager->work, &manager->lock);
	if (!manager->is_stopping) {
		item = manager->changes.first ? manager->changes.first : manager->looks.first;
		queue_take(manager, item);
		manager->n_active++;
		item->is_busy = true;
		item->is_again = item->is_woken = false;
	}
	pthread_mutex_unlock(&manager->lock);
	return item;
}

static void
converge(struct manager *manager, const struct item *item, const struct row *row,
    struct outcome *outcome)
{
	const struct manager_kind *kind = kind_find(manager, row->kind);
	struct row_trial trial;

	if (row->state == ROW_HELD || !row->has_effect) {
		outcome->is_done = true;
		return;
	}
	if (!kind) {
		(void)err_set(
		    &outcome->why, ERR_INTERNAL, "kind '%s' is not known any more", row->kind);
		return;
	}
	if (!row_trial_begin(manager, row, row->state, &trial, &outcome->why))
		return;
	if (row->state == ROW_COMMITTED)
		converge_up(kind, row, !outcome->was_real, outcome);
	else
		converge_down(kind, row, outcome);
	row_trial_end(manager, &trial, outcome->is_done, &outcome->why);
	if (row->state == ROW_RELEASED && outcome->is_done)
		removed_store(manager, item);
}

static void
converge_up(const struct manager_kind *kind, const struct row *row, bool is_new_look,
    struct outcome *outcome)
{
	if (!is_new_look && kind->is_there && kind->is_there(kind->self, row, &outcome->why)) {
		outcome->is_done = true;
		return;
	}
	if (!is_new_look && kind->is_there)
		outcome->lost = outcome->why;
	outcome->why = (struct err){0};
	FAULT_POINT_WITH("manager.ensure", row->spec);
	FAULT_POINT("manager.ensure.before");
	outcome->is_done = kind->ensure(kind->self, row, &outcome->why);
	FAULT_POINT("manager.ensure.after");
}

static void
converge_down(const struct manager_kind *kind, const struct row *row, struct outcome *outcome)
{
	FAULT_POINT("manager.remove.before");
	outcome->is_done = kind->remove(kind->self, row, &outcome->why);
	FAULT_POINT("manager.remove.after");
}

/* The row goes back; what was found becomes what is answered. */
static void
finish(struct manager *manager, struct item *item, const struct row *row,
    const struct outcome *outcome)
{
	bool has_changed, has_note;

	pthread_mutex_lock(&manager->lock);
	has_changed = !item->n_awaiting && (outcome->is_done != outcome->was_real ||
					       outcome->why.code != item->why.code);
	item->is_busy = false;
	manager->n_active--;
	item->why = outcome->why;
	if (outcome->is_done)
		item->why = (struct err){0};
	if (!outcome->is_done && item->why.code == ERR_NONE)
		(void)err_set(&item->why, ERR_INTERNAL, "it failed without a reason");
	item->is_real = outcome->is_done && row->state == ROW_COMMITTED;
	if (item->is_real)
		item->rev_real = row->rev;
	item->failures = outcome->is_done ? 0 : item->failures + 1;
	item->tried_ms = clock_boot_ms(manager->config.clock);
	has_note = is_repaired(manager, item, outcome);
	if (item->is_again) {
		item->why = (struct err){0}; /* it is about a row that is not like this any more */
		item_hurry(manager, item);
	} else if (item->row.state == ROW_COMMITTED || !item_is_settled(item)) {
		item_wait(manager, item, next_look_ms(manager, item, outcome));
	}
	manager->has_waiting |= item->why.code == ERR_WAIT;
	if (item->is_real && !outcome->was_real && !manager->config.rows_are_apart) {
		/* others may have waited for it */
		manager->n_wakes++;
		manager->is_woken |= manager->has_waiting;
	}
	pthread_cond_broadcast(&manager->settled);
	if (manager->is_woken)
		pthread_cond_broadcast(&manager->tick);
	pthread_mutex_unlock(&manager->lock);
	if (has_changed && manager->config.changed)
		manager->config.changed(manager->config.self, row->rid);
	if (has_note && manager->config.noted)
		manager->config.noted(manager->config.self);
}

/*
 * A real object that was found amiss and is real again is worth a note, however long it took. What
 * could not be seen has not been amiss.
 */
static bool
is_repaired(struct manager *manager, struct item *item, const struct outcome *outcome)
{
	bool is_lost = outcome->lost.code != ERR_NONE && outcome->lost.code != ERR_UNAVAILABLE &&
		       outcome->lost.code != ERR_TIMEOUT;
	auto_free char *lost = NULL;

	if (is_lost && !item->is_again) {
		free(item->lost);
		item->lost = xstrdup(outcome->lost.text);
	}
	if (!item->is_real || item->is_again || !item->lost)
		return false;
	lost = take(item->lost);
	return note_add(manager, &item->row, "repaired", lost);
}

/* All rows come due together: one picture of the world serves many. */
static int64_t
next_look_ms(const struct manager *manager, const struct item *item, const struct outcome *outcome)
{
	int64_t look_ms = manager->config.look_ms;

	/* What it waited for may have come while it was looking elsewhere. */
	if (item->is_woken)
		return item_woken_ms(item, item->tried_ms);
	if (item->why.code == ERR_WAIT && outcome->n_wakes != manager->n_wakes)
		return item->tried_ms + RETRY_WOKEN_MS;
	if (item->failures)
		return item->tried_ms + retry_ms(item);
	return (item->tried_ms / look_ms + 1) * look_ms;
}

static int64_t
retry_ms(const struct item *item)
{
	int64_t ms = RETRY_MIN_MS;

	if (item->why.code == ERR_WAIT)
		return RETRY_WAIT_MS;
	for (int i = 1; i < item->failures && ms < RETRY_MAX_MS; i++)
		ms *= 2;
	return ms < RETRY_MAX_MS ? ms : RETRY_MAX_MS;
}

static void
copy_row(struct arena *arena, struct row *into, const struct row *from)
{
	*into = *from;
	into->owner = arena_text(arena, from->owner);
	into->kind = arena_text(arena, from->kind);
	into->spec = arena_text(arena, from->spec);
	into->attr = arena_text(arena, from->attr);
	into->result = arena_text(arena, from->result);
}

/* What is not at rest may have come nearer to what it should be, or lost it. Under `lock`. */
static void
look_soon(struct manager *manager)
{
	int64_t now_ms = clock_boot_ms(manager->config.clock);
	struct item *item;

	manager->has_waiting = false;
	for (size_t at = 0; (item = map_next(manager->items, &at));) {
		bool is_waiting = item->why.code == ERR_WAIT;
		int64_t soon_ms = item_woken_ms(item, now_ms);

		manager->has_waiting |= is_waiting;
		if (item->row.state != ROW_COMMITTED || item->is_queued || item->is_busy)
			continue;
		if ((item->is_real || is_waiting) && soon_ms < item->due.at_ms)
			heap_put(&manager->dues, &item->due, soon_ms);
	}
}

/* Queues what is due, lists holds that ended, returns when to come back. Under `lock`. */
static int64_t
find_due(struct manager *manager, bool is_woken, vec_rid *ended)
{
	int64_t now_ms = clock_boot_ms(manager->config.clock);
	int64_t next_ms = now_ms + manager->config.look_ms;
	struct due *due;

	if (is_woken)
		look_soon(manager);
	while ((due = heap_first(&manager->dues)) && due->at_ms <= now_ms) {
		struct item *item = (struct item *)due;

		if (item->row.state != ROW_HELD) {
			item_poke(manager, item);
			continue;
		}
		vec_push(ended, item->row.rid);
		heap_put(&manager->dues, due, now_ms + RETRY_WAIT_MS); /* should it not be stored */
	}
	return due && due->at_ms < next_ms ? due->at_ms : next_ms;
}

static void
sweep(struct manager *manager)
{
	auto_arena struct arena *arena = arena_new();
	const struct manager_object *objects = NULL;
	struct err err = {0};
	size_t n_objects = 0;

	if (!manager->config.list(manager->config.self, arena, &objects, &n_objects, &err)) {
		log_debug("engine", "event=list_failed why=\"%s\"", err.text);
		return;
	}
	for (size_t i = 0; i < n_objects; i++) {
		if (!is_stray(manager, &objects[i]))
			continue;
		log_warn("engine", "event=stray object=%s rid=%s", objects[i].name,
		    id_text(objects[i].rid).text);
		FAULT_POINT("manager.sweep.before");
		if (!manager->config.sweep(manager->config.self, &objects[i], &err))
			log_warn("engine", "event=sweep_failed object=%s why=\"%s\"",
			    objects[i].name, err.text);
		FAULT_POINT("manager.sweep.after");
	}
}
