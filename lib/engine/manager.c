/*
 * The manager's life, and what others may ask of it. The verbs are in manager_verb.c, the loop in
 * manager_loop.c.
 */
#include "lib/engine/manager.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/engine/manager_part.h"

STORE_SQL(manager_rows_sql, "schemas/sql/manager/0001_rows.sql");

STORE_SQL(manager_change_sql, "schemas/sql/manager/0002_change.sql");

const struct store_migration manager_migrations[] = {
    {"manager", 1, manager_rows_sql}, {"manager", 2, manager_change_sql}};
const size_t n_manager_migrations = sizeof(manager_migrations) / sizeof(manager_migrations[0]);

static struct manager *manager_make(const struct manager_config *config);
static void tear_down(struct manager *manager);
static bool start(struct manager *manager, void *(*body)(void *), struct err *err);
static void status_row(struct manager *manager, struct rows *rows, struct arena *arena,
    struct row_want *want, struct row_have *have);
static bool read_owner(struct txn *txn, struct manager_caller *caller, struct err *err);
static void look_at_all(struct manager *manager);
static bool list_strays(struct manager *manager, struct str *out, struct err *err);

struct manager *
manager_new(const struct manager_config *config, struct err *err)
{
	struct manager *manager = manager_make(config);
	int n_workers = config->n_workers ? config->n_workers : WORKERS_DEFAULT;
	bool is_started = rows_load(manager, err) && start(manager, ticker_main, err) &&
			  start(manager, sweeper_main, err);

	for (int i = 0; i < n_workers && is_started; i++)
		is_started = start(manager, worker_main, err);
	if (is_started)
		return manager;
	tear_down(manager);
	return NULL;
}

void
manager_free(struct manager *manager)
{
	if (manager)
		tear_down(manager);
}

bool
manager_status(struct manager *manager, uint64_t after, struct manager_call *call, struct err *err)
{
	struct row_want *want = arena_alloc(call->arena, MANAGER_ROWS_MAX * sizeof(*want));
	struct row_have *have = arena_alloc(call->arena, MANAGER_ROWS_MAX * sizeof(*have));
	auto_txn struct txn *txn = store_begin(manager->config.store);
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT rid, kind, spec, attr, rev FROM manager_row WHERE owner = ? AND rid > ? "
	    "ORDER BY rid LIMIT ?",
	    "tii", call->caller.owner, (int64_t)after, (int64_t)MANAGER_ROWS_MAX);
	size_t n = 0;

	if (!rows || !read_owner(txn, &call->caller, err))
		return false;
	for (; rows_next(rows); n++)
		status_row(manager, rows, call->arena, &want[n], &have[n]);
	call->want = want;
	call->have = have;
	call->n = n;
	return true;
}

/* What its owner has told of itself. */
static bool
read_owner(struct txn *txn, struct manager_caller *caller, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT max_epoch, floor, change, life FROM manager_owner WHERE owner = ?", "t",
	    caller->owner);

	if (!rows)
		return false;
	if (!rows_next(rows))
		return true;
	caller->epoch = rows_i64(rows, 0);
	caller->floor = (uint64_t)rows_i64(rows, 1);
	caller->change = rows_i64(rows, 2);
	caller->life = rows_i64(rows, 3);
	return true;
}

int64_t
manager_told(struct manager *manager, const char *owner)
{
	auto_txn struct txn *txn = store_begin(manager->config.store);
	struct manager_caller caller = {.owner = owner};

	return read_owner(txn, &caller, NULL) ? caller.change : 0;
}

void
manager_wake(struct manager *manager)
{
	pthread_mutex_lock(&manager->lock);
	manager->is_woken = true;
	manager->n_wakes++;
	pthread_cond_broadcast(&manager->tick);
	pthread_mutex_unlock(&manager->lock);
}

void
manager_wake_row(struct manager *manager, uint64_t rid)
{
	int64_t now_ms = clock_boot_ms(manager->config.clock), at_ms;
	struct item *item;

	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, rid);
	if (item && item->row.state == ROW_COMMITTED && !item->is_queued) {
		at_ms = item_woken_ms(item, now_ms);
		if (item->is_busy)
			item->is_woken = true;
		else if (!item->due.place || at_ms < item->due.at_ms)
			item_wait(manager, item, at_ms);
	}
	pthread_mutex_unlock(&manager->lock);
}

bool
manager_has(struct manager *manager, uint64_t rid)
{
	struct item *item;
	bool has;

	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, rid);
	has = item && item->row.state != ROW_RELEASED;
	pthread_mutex_unlock(&manager->lock);
	return has;
}

bool
manager_orphans(struct manager *manager, struct str *out, struct err *err)
{
	struct item *item;

	look_at_all(manager);
	pthread_mutex_lock(&manager->lock);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		if (!item_is_settled(item))
			str_addf(out, "%s %s is %s, but its object is %s: %s\n", item->row.kind,
			    id_text(item->row.rid).text, row_state_text(item->row.state),
			    item->row.state == ROW_RELEASED ? "not gone" : "not there",
			    item->why.text[0] ? item->why.text : "on its way");
	pthread_mutex_unlock(&manager->lock);
	return !manager->config.list || list_strays(manager, out, err);
}

static struct manager *
manager_make(const struct manager_config *config)
{
	struct manager *manager = xcalloc(1, sizeof(*manager));
	size_t size = config->n_kinds * sizeof(*config->kinds);

	manager->config = *config;
	manager->kinds = memcpy(xmalloc(size), config->kinds, size);
	manager->config.kinds = manager->kinds;
	if (!manager->config.look_ms)
		manager->config.look_ms = LOOK_MS;
	manager->items = map_new();
	manager->trial = trial_open(config->store, "rows");
	manager->notes = xcalloc(NOTES_MAX, sizeof(*manager->notes));
	manager->holds_stored_ms = clock_boot_ms(config->clock);
	manager->threads =
	    xcalloc((size_t)(config->n_workers ? config->n_workers : WORKERS_DEFAULT) + 2,
		sizeof(pthread_t));
	pthread_mutex_init(&manager->write, NULL);
	pthread_mutex_init(&manager->lock, NULL);
	wait_init(&manager->work);
	wait_init(&manager->tick);
	wait_init(&manager->settled);
	return manager;
}

static void
tear_down(struct manager *manager)
{
	struct item *item;

	trial_stop(manager->trial);
	pthread_mutex_lock(&manager->lock);
	manager->is_stopping = true;
	pthread_cond_broadcast(&manager->work);
	pthread_cond_broadcast(&manager->tick);
	pthread_cond_broadcast(&manager->settled);
	pthread_mutex_unlock(&manager->lock);
	for (size_t i = 0; i < manager->n_threads; i++)
		pthread_join(manager->threads[i], NULL);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		item_free(item);
	map_free(manager->items);
	heap_done(&manager->dues);
	vec_done(&manager->removed);
	pthread_cond_destroy(&manager->work);
	pthread_cond_destroy(&manager->tick);
	pthread_cond_destroy(&manager->settled);
	pthread_mutex_destroy(&manager->lock);
	pthread_mutex_destroy(&manager->write);
	notes_free(manager);
	trial_close(manager->trial);
	free(manager->threads);
	free(manager->kinds);
	free(manager);
}

static bool
start(struct manager *manager, void *(*body)(void *), struct err *err)
{
	if (pthread_create(&manager->threads[manager->n_threads], NULL, body, manager))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	manager->n_threads++;
	return true;
}

static void
status_row(struct manager *manager, struct rows *rows, struct arena *arena, struct row_want *want,
    struct row_have *have)
{
	struct item *item;

	*want = (struct row_want){.rid = (uint64_t)rows_i64(rows, 0),
	    .kind = arena_text(arena, rows_text(rows, 1)),
	    .spec = arena_text(arena, rows_text(rows, 2)),
	    .attr = arena_text(arena, rows_text(rows, 3)),
	    .rev = rows_i64(rows, 4)};
	*have = (struct row_have){.rid = want->rid};
	pthread_mutex_lock(&manager->lock);
	item = map_get_id(manager->items, want->rid);
	if (item)
		item_answer(item, arena, have);
	pthread_mutex_unlock(&manager->lock);
}

/* Has every row looked at now, and waits for that, but not longer than a round takes. */
static void
look_at_all(struct manager *manager)
{
	const struct clock *clock = manager->config.clock;
	int64_t end_ms = clock_boot_ms(clock) + LOOK_MS, left_ms;
	struct item *item;

	pthread_mutex_lock(&manager->lock);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		if (item->row.state == ROW_COMMITTED || !item_is_settled(item))
			item_poke(manager, item);
	while (manager->n_active && !manager->is_stopping &&
	       (left_ms = end_ms - clock_boot_ms(clock)) > 0)
		wait_ms(&manager->settled, &manager->lock, left_ms);
	pthread_mutex_unlock(&manager->lock);
}

static bool
list_strays(struct manager *manager, struct str *out, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct manager_object *objects = NULL;
	size_t n_objects = 0;

	if (!manager->config.list(manager->config.self, arena, &objects, &n_objects, err))
		return false;
	for (size_t i = 0; i < n_objects; i++)
		if (is_stray(manager, &objects[i]))
			str_addf(out, "object %s has no row\n", objects[i].name);
	return true;
}
