/*
 * Paths and shares in step, whatever was interrupted between them: the level-triggered half of the
 * other verbs. Looks at all paths each second and whenever one of them changed.
 */
#include "lib/base/log.h"
#include "tnc/path.h"

static bool watch_one(struct tnc *tnc, struct txn *txn, const struct path *path,
    struct arena *arena, bool *has_changed, struct err *err);

bool
path_watch(struct tnc *tnc)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(tnc->config.store);
	struct paths paths = {0};
	struct err err = {0};
	bool has_changed = false, is_done = store_paths(txn, arena, &paths, &err);

	for (size_t i = 0; i < paths.n && is_done; i++)
		is_done = watch_one(tnc, txn, &paths.items[i], arena, &has_changed, &err);
	if (is_done && has_changed)
		is_done = txn_commit(&txn, &err);
	tnc->has_told_rates |= is_done;
	if (!is_done)
		log_warn("path", "event=watch_failed why=\"%s\"", err.text);
	return is_done && has_changed;
}

/* An inventory that has lost a link of it: those who use it are told why, the others go on. */
static bool
set_up_again(struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena,
    bool *has_changed, struct err *err)
{
	struct err why = {0};

	if (path_admit(tnc, txn, path, arena, &why)) {
		*has_changed = true;
		return true;
	}
	if (why.code != ERR_NOT_FOUND)
		return err_set(err, why.code, "%s", why.text);
	if (str_equal(path->why, why.text))
		return true;
	*has_changed = true;
	return store_path_why(txn, path->name, why.text, err);
}

static bool
watch_one(struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena,
    bool *has_changed, struct err *err)
{
	enum group_state state;
	bool has_group = controller_group(tnc->controller, txn, path->name, &state);

	/* An inventory with other capacities, or rows of a tncd that did not tell any. */
	if (has_group && !tnc->has_told_rates &&
	    !path_rate(tnc, txn, path, arena, has_changed, err))
		return false;
	if (path->n_shares && !has_group)
		return set_up_again(tnc, txn, path, arena, has_changed, err);
	if (path->n_shares || (has_group && state >= GROUP_RELEASING))
		return true;
	*has_changed = true;
	if (!has_group)
		return store_path_drop(txn, path->name, err);
	return controller_goal(tnc->controller, txn, path->name, ROW_RELEASED, err);
}
