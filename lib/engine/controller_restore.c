/*
 * A database that was put back to an older state. Managers remember the number of the last change
 * that they were told of. A controller tells each of them first with which it began: when that is
 * less, its books lack what has happened since, and what it takes for unwanted may be wanted.
 */
#include "lib/engine/controller_restore.h"

#include <stdlib.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/log.h"

typedef vec_of(struct controller_held) vec_held;

/* A manager that is asked. */
struct survey {
	struct controller *controller;
	const char *manager;
	struct arena *arena;
	struct controller_survey *found;
	vec_held rows;
};

static bool begin(struct controller *controller, struct txn *txn, const char *manager,
    const char *what, struct err *err);
static bool survey_manager(struct survey *survey, struct err *err);
static bool is_evicted(const struct survey *survey);
static void note_rows(struct survey *survey, const struct manager_call *call);
static void note_counter(struct survey *survey, uint64_t id);
static bool forget_answers(struct txn *txn, struct err *err);
static bool owe(struct controller *controller, struct txn *txn, const struct controller_held *held,
    struct err *err);
static void watches_drop(struct controller *controller);

bool
count_change(struct txn *txn, struct err *err)
{
	return txn_run(txn, err, "UPDATE controller_meta SET change = change + 1", "");
}

bool
change_begin(struct controller *controller, struct txn *txn, struct err *err)
{
	if (!controller->is_stale)
		return count_change(txn, err);
	err_set(err, ERR_UNAVAILABLE,
	    "the controller's database is older than what managers have heard: nothing is changed");
	return err_hint(err, "NOC staff see to it: `vnode restore show`");
}

const char *
controller_quarantine(struct txn *txn, struct arena *arena)
{
	auto_rows struct rows *rows =
	    txn_query(txn, NULL, "SELECT quarantine FROM controller_meta", "");

	return rows && rows_next(rows) ? arena_text(arena, rows_text(rows, 0)) : "";
}

/* A call of an epoch that is over says nothing about this one. */
bool
quarantine_begin(
    struct controller *controller, struct txn *txn, const struct flight *flight, struct err *err)
{
	return flight->call.caller.epoch < controller->epoch ||
	       begin(controller, txn, flight->peer->name, flight->err.text, err);
}

bool
quarantine_hear(
    struct controller *controller, struct txn *txn, const struct word *word, struct err *err)
{
	struct manager_caller caller = {.epoch = controller->epoch};
	auto_str struct str why = {0};

	if (!stored_caller(txn, &caller, err))
		return false;
	if (word->change <= caller.change)
		return true;
	str_addf(&why, "it has been told of change %lld, the books end at %lld",
	    (long long)word->change, (long long)caller.change);
	return begin(controller, txn, word->manager, why.text, err);
}

bool
quarantine_look(struct controller *controller, struct txn *txn, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT epoch, change, quarantine FROM controller_meta", "");

	if (!rows)
		return false;
	if (!rows_next(rows))
		return err_set(err, ERR_INTERNAL, "the table controller_meta is empty");
	if (rows_text(rows, 2)[0])
		return true;
	controller->epoch = rows_i64(rows, 0);
	controller->since = rows_i64(rows, 1);
	watches_drop(controller); /* time has not passed for what had a deadline */
	controller->is_blind = true;
	controller->is_stale = false;
	log_info("engine", "event=resumed epoch=%lld", (long long)controller->epoch);
	return true;
}

bool
controller_survey(struct controller *controller, const char *const *managers, size_t n_managers,
    struct arena *arena, struct controller_survey *found, struct err *err)
{
	struct survey survey = {.controller = controller, .arena = arena, .found = found};
	bool is_good = true;

	*found = (struct controller_survey){0};
	for (size_t i = 0; i < n_managers && is_good; i++) {
		survey.manager = managers[i];
		is_good = survey_manager(&survey, err);
	}
	found->n_rows = survey.rows.n;
	found->rows = (void *)arena_copy(
	    arena, survey.rows.items, survey.rows.n * sizeof(survey.rows.items[0]));
	vec_done(&survey.rows);
	return is_good;
}

bool
controller_resume(struct controller *controller, struct txn *txn,
    const struct controller_survey *survey, struct err *err)
{
	if (!controller->is_stale)
		return err_set(err, ERR_CONFLICT, "the controller is not in quarantine");
	FAULT_POINT("controller.resume.before");
	if (!txn_run(txn, err,
		"UPDATE controller_meta SET epoch = max(epoch, ?) + 1, change = max(change, ?) + "
		"1, "
		"next_id = max(next_id, ? + 1), quarantine = ''",
		"iii", survey->epoch, survey->change, (int64_t)survey->count) ||
	    !forget_answers(txn, err))
		return false;
	for (size_t i = 0; i < survey->n_rows; i++)
		if (!survey->rows[i].is_known && !owe(controller, txn, &survey->rows[i], err))
			return false;
	return true;
}

static bool
begin(struct controller *controller, struct txn *txn, const char *manager, const char *what,
    struct err *err)
{
	auto_str struct str why = {0};

	if (controller->is_stale)
		return true;
	str_addf(&why, "%s: %s", manager, what);
	log_error("engine", "event=quarantine epoch=%lld why=\"%s\"", (long long)controller->epoch,
	    why.text);
	if (!txn_run(txn, err, "UPDATE controller_meta SET quarantine = ?", "t", why.text))
		return false;
	controller->is_stale = true;
	return true;
}

static bool
survey_manager(struct survey *survey, struct err *err)
{
	struct controller *controller = survey->controller;
	struct manager_call call = {.arena = survey->arena};
	uint64_t after = 0;

	do {
		if (!controller->config.status(
			controller->config.self, survey->manager, after, &call, err))
			return is_evicted(survey) || err_in(err, "%s", survey->manager);
		if (call.n)
			after = call.have[call.n - 1].rid;
		note_rows(survey, &call);
	} while (call.n);
	note_counter(survey, call.caller.floor);
	if (call.caller.epoch > survey->found->epoch)
		survey->found->epoch = call.caller.epoch;
	if (call.caller.change > survey->found->change)
		survey->found->change = call.caller.change;
	return true;
}

/* Then nobody waits for its answer. */
static bool
is_evicted(const struct survey *survey)
{
	auto_txn struct txn *txn = store_begin(survey->controller->config.store);

	return controller_is_evicted(txn, survey->manager);
}

static void
note_rows(struct survey *survey, const struct manager_call *call)
{
	for (size_t i = 0; i < call->n; i++) {
		const struct row_have *have = &call->have[i];

		note_counter(survey, have->rid);
		if (have->state == ROW_RELEASED && have->is_real)
			continue;
		vec_push(&survey->rows,
		    ((struct controller_held){survey->manager, have->rid,
			controller_expects(survey->controller, survey->manager, have->rid)}));
	}
}

static void
note_counter(struct survey *survey, uint64_t id)
{
	uint64_t count = id_counter(id);

	if (count > survey->found->count)
		survey->found->count = count;
}

/* What managers once answered need not be so any more. */
static bool
forget_answers(struct txn *txn, struct err *err)
{
	return txn_run(txn, err,
	    "UPDATE controller_row SET have = 0, is_real = 0, rev_have = 0, refused = 0, "
	    "why_code = iif(evicted, why_code, 'unavailable'), "
	    "why = iif(evicted, why, 'it has not been asked since the database was put back')",
	    "");
}

/* As if its group had been given up and were gone. */
static bool
owe(struct controller *controller, struct txn *txn, const struct controller_held *held,
    struct err *err)
{
	auto_str struct str group = {0};

	return owed_group(controller, txn, held->manager, &group, err) &&
	       txn_run(txn, err,
		   "INSERT INTO controller_row(rid, grp, manager, kind, subject, spec, attr, "
		   "evicted) "
		   "VALUES(?, ?, ?, '', 'unknown', '', '', 2) ON CONFLICT DO NOTHING",
		   "itt", (int64_t)held->rid, group.text, held->manager);
}

static void
watches_drop(struct controller *controller)
{
	struct watch *watch;

	for (size_t at = 0; (watch = map_next(controller->watches, &at));) {
		heap_drop(&controller->deadlines, &watch->due);
		free(watch->group);
		free(watch);
	}
	map_clear(controller->watches);
}
