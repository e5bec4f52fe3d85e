/*
 * Rows that kill: each call of a kind is on the record of what is tried (lib/store/trial.h).
 */
#include "lib/engine/manager_part.h"

bool
row_trial_begin(struct manager *manager, const struct row *row, enum row_state state,
    struct row_trial *trial, struct err *why)
{
	int64_t rev = state == ROW_COMMITTED ? row->rev : 0;

	/* With other attributes it is something else. */
	*trial = (struct row_trial){.name = id_text(row->rid)};
	trial->of = (struct trial_of){.name = trial->name.text,
	    .version = rev * (ROW_RELEASED + 1) + state,
	    .is_prompt = state == ROW_HELD};
	return trial_begin(manager->trial, &trial->of, why);
}

/* What waits for something else, or cannot be reached, has not been tried. */
void
row_trial_end(struct manager *manager, struct row_trial *trial, bool is_done, const struct err *why)
{
	trial_end(manager->trial, &trial->of, is_done || why_is_hard(why->code));
}

size_t
manager_retry(struct manager *manager)
{
	size_t n = trial_forget(manager->trial);
	struct item *item;

	pthread_mutex_lock(&manager->lock);
	for (size_t at = 0; (item = map_next(manager->items, &at));)
		if (item->why.code == ERR_O07)
			item_poke(manager, item);
	pthread_mutex_unlock(&manager->lock);
	return n;
}
