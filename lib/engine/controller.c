/*
 * The controller's life and what its owner may ask of it. What happens by itself is in
 * controller_tick.c.
 */
#include "lib/engine/controller.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/engine/controller_restore.h"
#include "lib/engine/controller_track.h"
#include "lib/engine/controller_turn.h"

STORE_SQL(controller_groups_sql, "schemas/sql/controller/0001_groups.sql");
STORE_SQL(controller_rows_sql, "schemas/sql/controller/0002_rows.sql");
STORE_SQL(controller_evicted_sql, "schemas/sql/controller/0003_evicted.sql");
STORE_SQL(controller_restored_sql, "schemas/sql/controller/0004_restored.sql");

const struct store_migration controller_migrations[] = {{"controller", 1, controller_groups_sql},
    {"controller", 2, controller_rows_sql}, {"controller", 3, controller_evicted_sql},
    {"controller", 4, controller_restored_sql}};
const size_t n_controller_migrations =
    sizeof(controller_migrations) / sizeof(controller_migrations[0]);

static struct controller *controller_make(const struct controller_config *config);
static bool take_ids(struct controller *controller, struct txn *txn, uint64_t n, struct err *err);
static bool next_epoch(struct controller *controller, struct err *err);
static void tear_down(struct controller *controller);
static bool start(struct controller *controller, void *(*body)(void *), struct err *err);
static void free_maps(struct controller *controller);
static void free_handover(struct controller *controller);
static bool admit_row(
    struct txn *txn, const char *group, const struct controller_row *row, struct err *err);

struct controller *
controller_new(const struct controller_config *config, struct err *err)
{
	struct controller *controller = controller_make(config);
	int n_workers = config->n_workers ? config->n_workers : POOL_DEFAULT;
	bool is_started;

	if (config->made)
		*config->made = controller;
	is_started = next_epoch(controller, err) && start(controller, ticking_main, err);
	for (int i = 0; i < n_workers && is_started; i++)
		is_started = start(controller, pool_main, err);
	if (is_started)
		return controller;
	tear_down(controller);
	if (config->made)
		*config->made = NULL;
	return NULL;
}

void
controller_free(struct controller *controller)
{
	if (controller)
		tear_down(controller);
}

int64_t
controller_epoch(const struct controller *controller)
{
	return controller->epoch;
}

bool
controller_next_id(struct controller *controller, struct txn *txn, uint64_t *id, struct err *err)
{
	if (controller->id_txn != txn_number(txn)) {
		controller->id_txn = txn_number(txn);
		controller->n_ids = controller->n_ids_taken = 0;
	}
	/* Who takes many takes as many again at once: a statement for each is too much. */
	if (!controller->n_ids) {
		uint64_t n = controller->n_ids_taken;

		if (!take_ids(controller, txn, n < IDS_ONE_BY_ONE ? 1 : n, err))
			return false;
	}
	controller->n_ids--;
	*id = id_make((uint32_t)controller->epoch, controller->id_next++);
	return true;
}

bool
controller_admit(struct controller *controller, struct txn *txn,
    const struct controller_admission *admission, struct err *err)
{
	int64_t reserve_ms = admission->reserve_ms ? admission->reserve_ms : RESERVE_MS;
	int64_t commit_ms = admission->commit_ms ? admission->commit_ms : COMMIT_MS;

	FAULT_POINT("controller.admit.before");
	if (!change_begin(controller, txn, err))
		return false;
	if (!store_has_room(controller->config.store))
		return err_set(err, ERR_UNAVAILABLE,
		    "the controller's disk is full: nothing new is accepted until there is room");
	if (!txn_run(txn, err,
		"INSERT INTO controller_group(name, state, goal, reserve_ms, commit_ms) "
		"VALUES(?, 0, ?, ?, ?)",
		"tiii", admission->group, (int64_t)admission->goal, reserve_ms, commit_ms))
		return err_in(err, "group '%s'", admission->group);
	for (size_t i = 0; i < admission->n_rows; i++)
		if (!refuse_evicted(txn, admission->rows[i].manager, err) ||
		    !admit_row(txn, admission->group, &admission->rows[i], err))
			return err_in(err, "%s", admission->rows[i].subject);
	mark_altered(controller, admission->group);
	FAULT_POINT("controller.admit.after");
	return true;
}

bool
controller_goal(struct controller *controller, struct txn *txn, const char *group,
    enum row_state goal, struct err *err)
{
	/* Goals only rise, as states do: a late "commit" does not undo a "release". */
	struct stored_group now;

	if (!stored_group(txn, group, &now, err))
		return false;
	if (goal <= now.goal)
		return true;
	if (!change_begin(controller, txn, err))
		return false;
	mark_altered(controller, group);
	return txn_run(txn, err, "UPDATE controller_group SET goal = ? WHERE name = ?", "it",
	    (int64_t)goal, group);
}

bool
controller_set_attr(
    struct controller *controller, struct txn *txn, uint64_t rid, const char *attr, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct stored_row row;

	if (!change_begin(controller, txn, err) || !stored_row(txn, rid, arena, &row, err))
		return false;
	mark_altered(controller, row.group);
	return txn_run(txn, err, "UPDATE controller_row SET attr = ?, rev = rev + 1 WHERE rid = ?",
	    "ti", attr, (int64_t)rid);
}

void
controller_wake(struct controller *controller)
{
	pthread_mutex_lock(&controller->lock);
	controller->is_woken = true;
	pthread_cond_signal(&controller->tick);
	pthread_mutex_unlock(&controller->lock);
}

void
controller_heard(struct controller *controller, const char *manager, const char *db_uuid,
    int64_t change, const uint64_t *rids, size_t n_rids)
{
	struct word word = {
	    .manager = xstrdup(manager), .db_uuid = xstrdup(db_uuid), .change = change};

	for (size_t i = 0; i < n_rids; i++)
		vec_push(&word.rids, rids[i]);
	pthread_mutex_lock(&controller->lock);
	vec_push(&controller->words, word);
	pthread_cond_signal(&controller->tick);
	pthread_mutex_unlock(&controller->lock);
}

bool
controller_rows(struct controller *controller, struct txn *txn, const char *group,
    struct arena *arena, const struct controller_row_state **rows, size_t *n_rows)
{
	auto_txn struct txn *own = txn ? NULL : store_begin(controller->config.store);
	struct controller_row_state *states;
	struct stored_group found;
	struct stored_row *stored;
	struct err why = {0};
	size_t n;

	txn = txn ? txn : own;
	*rows = arena_alloc(arena, 0);
	*n_rows = 0;
	if (!stored_group(txn, group, &found, &why))
		return why.code == ERR_NOT_FOUND;
	if (!stored_rows(
		txn, &(struct stored_rows_key){group, found.state}, arena, &stored, &n, NULL))
		return false;
	states = arena_alloc(arena, n * sizeof(*states));
	for (size_t i = 0; i < n; i++)
		states[i] = stored[i].state;
	*rows = states;
	*n_rows = n;
	return true;
}

bool
controller_group(
    struct controller *controller, struct txn *txn, const char *group, enum group_state *state)
{
	auto_txn struct txn *own = txn ? NULL : store_begin(controller->config.store);
	struct stored_group found;

	if (!stored_group(txn ? txn : own, group, &found, NULL))
		return false;
	*state = found.state;
	return true;
}

bool
controller_expects(struct controller *controller, const char *manager, uint64_t rid)
{
	auto_txn struct txn *txn = store_begin(controller->config.store);
	auto_arena struct arena *arena = arena_new();
	struct stored_row row;

	return stored_row(txn, rid, arena, &row, NULL) && !strcmp(row.state.row.manager, manager);
}

const char **
controller_set_aside(struct controller *controller, struct arena *arena, size_t *n_names)
{
	return trial_names(controller->trial, GIVEN_UP, arena, n_names);
}

size_t
controller_retry(struct controller *controller)
{
	auto_arena struct arena *arena = arena_new();
	size_t n_names, n;
	const char **names = controller_set_aside(controller, arena, &n_names);

	n = trial_forget(controller->trial);
	for (size_t i = 0; i < n_names; i++)
		mark_dirty(controller, names[i]);
	controller_wake(controller);
	return n;
}

static struct controller *
controller_make(const struct controller_config *config)
{
	struct controller *controller = xcalloc(1, sizeof(*controller));

	controller->config = *config;
	controller->trial = trial_open(config->store, "groups");
	controller->tracks = map_new();
	controller->peers = map_new();
	controller->watches = map_new();
	controller->asked = map_new();
	controller->dirty = map_new();
	controller->altered = map_new();
	controller->known = map_new();
	controller->queued = map_new();
	controller->threads = xcalloc(
	    (size_t)(config->n_workers ? config->n_workers : POOL_DEFAULT) + 1, sizeof(pthread_t));
	if (getrandom(&controller->random, sizeof(controller->random), 0) < 0)
		controller->random = (uint64_t)clock_wall_ms(config->clock);
	controller->random |= 1; /* xorshift never leaves 0 */
	pthread_mutex_init(&controller->lock, NULL);
	wait_init(&controller->tick);
	wait_init(&controller->work);
	return controller;
}

static bool
next_epoch(struct controller *controller, struct err *err)
{
	auto_txn struct txn *txn = store_begin(controller->config.store);
	auto_rows struct rows *rows = NULL;

	if (!txn_run(txn, err, "UPDATE controller_meta SET epoch = epoch + 1", ""))
		return false;
	rows = txn_query(txn, err, "SELECT epoch, change, quarantine FROM controller_meta", "");
	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_INTERNAL, "the table controller_meta is empty");
	controller->epoch = rows_i64(rows, 0);
	controller->since = rows_i64(rows, 1);
	controller->life = (int64_t)(controller->random >> 1);
	controller->is_stale = rows_text(rows, 2)[0] != '\0';
	rows_done(take(rows));
	return txn_commit(&txn, err);
}

static void
tear_down(struct controller *controller)
{
	trial_stop(controller->trial);
	pthread_mutex_lock(&controller->lock);
	controller->is_stopping = true;
	pthread_cond_broadcast(&controller->tick);
	pthread_cond_broadcast(&controller->work);
	pthread_mutex_unlock(&controller->lock);
	for (size_t i = 0; i < controller->n_threads; i++)
		pthread_join(controller->threads[i], NULL);
	free_handover(controller);
	free_maps(controller);
	pthread_cond_destroy(&controller->tick);
	pthread_cond_destroy(&controller->work);
	pthread_mutex_destroy(&controller->lock);
	trial_close(controller->trial);
	free(controller->threads);
	free(controller);
}

static bool
take_ids(struct controller *controller, struct txn *txn, uint64_t n, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT next_id FROM controller_meta", "");

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_INTERNAL, "the table controller_meta is empty");
	controller->id_next = (uint64_t)rows_i64(rows, 0);
	if (!txn_run(txn, err, "UPDATE controller_meta SET next_id = next_id + ?", "i", (int64_t)n))
		return false;
	controller->n_ids = n;
	controller->n_ids_taken += n;
	return true;
}

static bool
start(struct controller *controller, void *(*body)(void *), struct err *err)
{
	if (pthread_create(&controller->threads[controller->n_threads], NULL, body, controller))
		return err_set(err, ERR_INTERNAL, "cannot start a thread");
	controller->n_threads++;
	return true;
}

static void
free_maps(struct controller *controller)
{
	struct track *track;
	struct peer *peer;
	struct watch *watch;

	for (size_t at = 0; (track = map_next(controller->tracks, &at));)
		track_free(track);
	for (size_t at = 0; (peer = map_next(controller->peers, &at));) {
		for (int i = 0; i < CALL_CLASSES; i++)
			heap_done(&peer->dues[i]);
		free(peer->name);
		free(peer);
	}
	for (size_t at = 0; (watch = map_next(controller->watches, &at));) {
		free(watch->group);
		free(watch);
	}
	map_free(controller->tracks);
	map_free(controller->peers);
	heap_done(&controller->deadlines);
	map_free(controller->watches);
	map_free(controller->asked);
	known_drop_all(controller);
	map_free(controller->known);
	turn_free(controller);
}

static void
free_handover(struct controller *controller)
{
	struct flight *lists[] = {controller->todo_first, controller->done_first};
	char *name;

	for (size_t i = 0; i < 2; i++)
		while (lists[i]) {
			struct flight *flight = lists[i];

			lists[i] = flight->next;
			flight_free(flight);
		}
	vec_each (word, &controller->words)
		word_done(word);
	vec_done(&controller->words);
	for (size_t at = 0; (name = map_next(controller->dirty, &at));)
		free(name);
	for (size_t at = 0; (name = map_next(controller->altered, &at));)
		free(name);
	map_free(controller->dirty);
	map_free(controller->altered);
}

static bool
admit_row(struct txn *txn, const char *group, const struct controller_row *row, struct err *err)
{
	return txn_run(txn, err,
	    "INSERT INTO controller_row(rid, grp, manager, kind, subject, spec, attr) "
	    "VALUES(?, ?, ?, ?, ?, ?, ?)",
	    "itttttt", (int64_t)row->rid, group, row->manager, row->kind, row->subject, row->spec,
	    row->attr ? row->attr : "");
}
