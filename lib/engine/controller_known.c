/*
 * Rows of groups that are on their way, as the last transaction left them: what is stored several
 * times a second need not be read as often. The ticker's own. Who else changes a group says so
 * inside its transaction (mark_altered), and it is read anew.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/engine/controller_part.h"

static void known_free(struct known *known);

struct known *
known_find(const struct controller *controller, const char *group)
{
	return map_get(controller->known, group);
}

bool
known_read(struct controller *controller, struct txn *txn, const char *group, struct known **found,
    struct err *err)
{
	struct known *known = known_find(controller, group);

	if (!known) {
		known = xcalloc(1, sizeof(*known));
		known->arena = arena_new();
		if (!stored_group(txn, group, &known->group, err) ||
		    !stored_rows(txn, &(struct stored_rows_key){group, known->group.state},
			known->arena, &known->rows, &known->n_rows, err)) {
			known_free(known);
			return false;
		}
		map_put(controller->known, group, known);
	}
	*found = known;
	return true;
}

struct stored_row *
known_row(const struct known *known, uint64_t rid)
{
	size_t from = 0, end = known->n_rows;

	while (from < end) {
		size_t at = (from + end) / 2;

		if (known->rows[at].state.row.rid == rid)
			return &known->rows[at];
		if (known->rows[at].state.row.rid < rid)
			from = at + 1;
		else
			end = at;
	}
	return NULL;
}

void
known_drop(struct controller *controller, const char *group)
{
	known_free(map_drop(controller->known, group));
}

void
known_drop_all(struct controller *controller)
{
	struct known *known;

	for (size_t at = 0; (known = map_next(controller->known, &at));)
		known_free(known);
	map_clear(controller->known);
}

void
mark_altered(struct controller *controller, const char *group)
{
	pthread_mutex_lock(&controller->lock);
	if (!map_get(controller->altered, group))
		map_put(controller->altered, group, xstrdup(group));
	pthread_mutex_unlock(&controller->lock);
	mark_dirty(controller, group);
}

void
known_renew(struct controller *controller)
{
	struct map *altered = NULL;
	char *name;

	pthread_mutex_lock(&controller->lock);
	if (map_size(controller->altered)) {
		altered = controller->altered;
		controller->altered = map_new();
	}
	pthread_mutex_unlock(&controller->lock);
	if (!altered)
		return;
	for (size_t at = 0; (name = map_next(altered, &at));) {
		known_drop(controller, name);
		free(name);
	}
	map_free(altered);
}

static void
known_free(struct known *known)
{
	if (!known)
		return;
	arena_free(known->arena);
	free(known);
}
