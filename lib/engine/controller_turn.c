/*
 * The queue, and who must join it.
 */
#include "lib/engine/controller_turn.h"

#include <stdlib.h>

#include "lib/engine/controller_track.h"

struct waiting {
	char *group;
	struct waiting *next;
};

static bool is_full(const struct controller *controller);
static bool is_under_way(const struct controller *controller, const char *name);
static bool may_wait(struct txn *txn, const char *name, bool *may, struct err *err);
static void queue_add(struct controller *controller, const char *name);
static char *queue_take(struct controller *controller);

bool
turn_refresh(struct controller *controller, struct txn *txn, const char *name, struct err *err)
{
	bool may = false;

	if ((controller->queue_first || is_full(controller)) && !is_under_way(controller, name) &&
	    !may_wait(txn, name, &may, err))
		return false;
	if (!may)
		return group_refresh(controller, txn, name, err);
	queue_add(controller, name);
	return true;
}

bool
turn_begin(struct controller *controller, struct txn *txn, struct err *err)
{
	bool is_good = true;

	while (is_good && controller->queue_first && !is_full(controller)) {
		auto_free char *name = queue_take(controller);

		is_good = group_refresh(controller, txn, name, err);
	}
	return is_good;
}

void
turn_free(struct controller *controller)
{
	while (controller->queue_first)
		free(queue_take(controller));
	map_free(controller->queued);
}

/* A manager that does not answer keeps nobody waiting but its own. */
static bool
is_full(const struct controller *controller)
{
	const struct peer *peer;
	size_t n = 0;

	for (size_t at = 0; n < NEW_ROWS_MAX && (peer = map_next(controller->peers, &at));)
		n += peer_is_down(peer) ? 0 : peer->n_new;
	return n >= NEW_ROWS_MAX;
}

/* Its time runs, or nothing is wanted that has a time. */
static bool
is_under_way(const struct controller *controller, const char *name)
{
	return map_get(controller->watches, name) || known_find(controller, name);
}

static bool
may_wait(struct txn *txn, const char *name, bool *may, struct err *err)
{
	struct stored_group group;
	struct err why = {0};

	if (stored_group(txn, name, &group, &why)) {
		*may = group.state == GROUP_PENDING && group.goal != ROW_RELEASED;
		return true;
	}
	*may = false;
	if (why.code != ERR_NOT_FOUND)
		*err = why;
	return why.code == ERR_NOT_FOUND;
}

static void
queue_add(struct controller *controller, const char *name)
{
	struct waiting *last;

	if (map_get(controller->queued, name))
		return;
	last = xcalloc(1, sizeof(*last));
	last->group = xstrdup(name);
	if (controller->queue_last)
		controller->queue_last->next = last;
	else
		controller->queue_first = last;
	controller->queue_last = last;
	map_put(controller->queued, name, last);
}

static char *
queue_take(struct controller *controller)
{
	struct waiting *first = controller->queue_first;
	char *name = first->group;

	controller->queue_first = first->next;
	if (!controller->queue_first)
		controller->queue_last = NULL;
	map_drop(controller->queued, name);
	free(first);
	return name;
}
