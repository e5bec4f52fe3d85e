/*
 * One group: from its rows the state that follows, from the state what its rows need.
 */
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/engine/controller_part.h"

static bool is_late(struct controller *controller, const char *name, enum group_state state);
static enum group_state next_state(const struct stored_group *group, const struct stored_row *rows,
    size_t n_rows, bool is_group_late);
static bool move(struct controller *controller, struct txn *txn, const char *name,
    enum group_state to, const struct err *why, struct err *err);
static void say_why(
    const struct stored_row *rows, size_t n_rows, enum row_state wanted, struct err *why);
static void say_lost(const struct controller_row_state *state, struct err *why);
static void say_late(const struct controller_row_state *state, struct err *why);
static void watch_update(
    struct controller *controller, const char *name, const struct stored_group *group);
static void watch_drop(struct controller *controller, const char *name);
static void track_rows(struct controller *controller, enum group_state state,
    const struct stored_row *rows, size_t n_rows);
static bool verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb);

bool
group_refresh(struct controller *controller, struct txn *txn, const char *name, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct stored_group group;
	struct stored_row *rows;
	struct err why = {0};
	size_t n_rows;

	if (!stored_group(txn, name, &group, &why)) {
		if (why.code != ERR_NOT_FOUND)
			*err = why;
		watch_drop(controller, name);
		return why.code == ERR_NOT_FOUND; /* gone, or never committed */
	}
	for (;;) {
		enum group_state next;

		if (!stored_rows(txn, name, arena, &rows, &n_rows, err))
			return false;
		next = next_state(&group, rows, n_rows, is_late(controller, name, group.state));
		if (next == group.state)
			break;
		why = (struct err){0};
		if (next == GROUP_RELEASING && group.goal != ROW_RELEASED)
			say_why(rows, n_rows, group_want(group.state), &why);
		if (!move(controller, txn, name, next, &why, err))
			return false;
		group.state = next;
	}
	watch_update(controller, name, &group);
	track_rows(controller, group.state, rows, n_rows);
	return group.state != GROUP_GONE || store_forget(txn, name, err);
}

static bool
is_late(struct controller *controller, const char *name, enum group_state state)
{
	const struct watch *watch = map_get(controller->watches, name);

	return watch && watch->state == state &&
	       watch->due.at_ms <= clock_boot_ms(controller->config.clock);
}

static enum group_state
next_state(const struct stored_group *group, const struct stored_row *rows, size_t n_rows,
    bool is_group_late)
{
	struct step_row *steps = xcalloc(n_rows, sizeof(*steps));
	enum group_state next;

	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row_state *state = &rows[i].state;
		bool is_newest = state->have != ROW_COMMITTED || state->rev_have >= state->rev;

		steps[i] = (struct step_row){.have = state->have,
		    .is_real = state->is_real && is_newest,
		    .is_refused = rows[i].is_refused};
	}
	next = group_step(group->state, group->goal, steps, n_rows, is_group_late);
	free(steps);
	return next;
}

static bool
move(struct controller *controller, struct txn *txn, const char *name, enum group_state to,
    const struct err *why, struct err *err)
{
	log_debug("engine", "event=group group=%s state=%s why=\"%s\"", name, group_state_text(to),
	    why->text);
	if (!store_group(txn, name, to, err))
		return false;
	if (controller->config.changed)
		controller->config.changed(controller->config.self, txn, name, to, why);
	return true;
}

/* Why a group gives up by itself: the first row that was refused, else the first that is late. */
static void
say_why(const struct stored_row *rows, size_t n_rows, enum row_state wanted, struct err *why)
{
	const struct stored_row *late = NULL, *lost = NULL;

	for (size_t i = n_rows; i-- > 0;) {
		const struct controller_row_state *state = &rows[i].state;

		if (rows[i].is_refused || state->have == ROW_RELEASED)
			lost = &rows[i];
		if (state->have < wanted || (wanted != ROW_HELD && !state->is_real) ||
		    (wanted != ROW_HELD && state->rev_have < state->rev))
			late = &rows[i];
	}
	if (lost)
		say_lost(&lost->state, why);
	else if (late)
		say_late(&late->state, why);
}

static void
say_lost(const struct controller_row_state *state, struct err *why)
{
	*why = state->why;
	if (state->why.code == ERR_NONE)
		(void)err_set(why, ERR_GONE, "manager '%s' has let it go", state->row.manager);
	(void)err_in(why, "%s", state->row.subject);
	(void)err_subject(why, "%s", state->row.subject);
}

static void
say_late(const struct controller_row_state *state, struct err *why)
{
	const char *text = state->why.text;

	if (state->why.code == ERR_WAIT)
		(void)err_set(why, ERR_TIMEOUT, "manager '%s' has not made it in time: %s",
		    state->row.manager, text);
	else
		(void)err_set(why, ERR_O03, "manager '%s' cannot be reached%s%s",
		    state->row.manager, text[0] ? ": " : "", text);
	(void)err_in(why, "%s", state->row.subject);
	(void)err_subject(why, "%s", state->row.subject);
}

static void
watch_update(struct controller *controller, const char *name, const struct stored_group *group)
{
	struct watch *watch = map_get(controller->watches, name);
	int64_t limit_ms = group->state == GROUP_PENDING ? group->reserve_ms : group->commit_ms;

	if (watch && watch->state == group->state)
		return;
	watch_drop(controller, name);
	if (group->state != GROUP_PENDING && group->state != GROUP_COMMITTING)
		return;
	watch = xcalloc(1, sizeof(*watch));
	*watch = (struct watch){.group = xstrdup(name), .state = group->state};
	map_put(controller->watches, name, watch);
	heap_put(&controller->deadlines, &watch->due,
	    clock_boot_ms(controller->config.clock) + limit_ms);
}

static void
watch_drop(struct controller *controller, const char *name)
{
	struct watch *watch = map_drop(controller->watches, name);

	if (!watch)
		return;
	heap_drop(&controller->deadlines, &watch->due);
	free(watch->group);
	free(watch);
}

static void
track_rows(struct controller *controller, enum group_state state, const struct stored_row *rows,
    size_t n_rows)
{
	for (size_t i = 0; i < n_rows; i++) {
		uint64_t rid = rows[i].state.row.rid;
		bool is_asked = map_get_id(controller->asked, rid) != NULL;
		enum verb verb = verb_for(group_want(state));
		bool is_needed = verb_needed(state, &rows[i], &verb);

		if (is_asked && state != GROUP_GONE)
			track_ask(controller, &rows[i], verb);
		else if (is_needed)
			track_need(controller, &rows[i], verb);
		else if (state == GROUP_RESERVED)
			track_renew(controller, &rows[i]);
		else
			track_drop(controller, rid);
	}
}

/* Does the row need a call to come to what the group wants? */
static bool
verb_needed(enum group_state state, const struct stored_row *row, enum verb *verb)
{
	const struct controller_row_state *now = &row->state;
	enum row_state want = group_want(state);

	if (state == GROUP_GONE || (now->have == ROW_RELEASED && want != ROW_RELEASED))
		return false;
	if (want == ROW_COMMITTED && now->have == ROW_NONE)
		*verb = VERB_RESERVE; /* its manager has lost it */
	if (now->have < want)
		return true;
	if (want == ROW_COMMITTED)
		return !now->is_real || now->rev_have < now->rev;
	return want == ROW_RELEASED && !now->is_real;
}
