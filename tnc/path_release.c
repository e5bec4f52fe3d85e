/*
 * A share goes, its charge with it; with the last one the path: first its routes, and when the
 * routers have confirmed that, its addresses.
 */
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "tnc/path.h"

static bool let_go(
    struct tnc *tnc, struct txn *txn, const char *path, struct arena *arena, struct err *err);

bool
path_release(void *self, const struct row *row, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct tnc *tnc = self;
	auto_txn struct txn *txn = store_begin(tnc->config.store);
	const char *path;

	if (!store_share_path(txn, row->rid, arena, &path, err))
		return false;
	if (!path)
		return true;
	if (!store_share_drop(txn, row->rid, err) || !let_go(tnc, txn, path, arena, err))
		return false;
	FAULT_POINT("tnc.release.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("tnc.release.after");
	tnc_poke(tnc, POKE_PATHS);
	return true;
}

void
path_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why)
{
	struct tnc *tnc = self;
	struct err err = {0};
	bool is_stored = true;

	if (why && why->code != ERR_NONE)
		is_stored = store_path_why(txn, group, why->text, &err);
	if (is_stored && state == GROUP_GONE)
		is_stored = store_path_drop(txn, group, &err);
	if (!is_stored) /* path_watch comes to it again */
		log_warn("path", "path=%s what=\"%s\"", group, err.text);
	log_info("path", "path=%s state=%s%s%s", group, group_state_text(state),
	    why && why->text[0] ? " why=" : "", why ? why->text : "");
	tnc_poke(tnc, POKE_PATHS | POKE_SHARES);
}

void
path_row_changed(
    void *self, struct txn *txn, const char *group, const struct controller_row_state *row)
{
	(void)txn, (void)group;
	if (row->have == ROW_COMMITTED && row->is_real && row->rev > 1)
		tnc_poke(self, POKE_SHARES);
}

/* Without shares the group's goal is to be gone, and the path is forgotten with it. */
static bool
let_go(struct tnc *tnc, struct txn *txn, const char *path, struct arena *arena, struct err *err)
{
	enum group_state state;
	int64_t n_shares;

	if (!store_path_shares(txn, path, &n_shares, err))
		return false;
	if (n_shares)
		return path_rate_shares(tnc, txn, path, arena, err);
	if (controller_group(tnc->controller, txn, path, &state))
		return controller_goal(tnc->controller, txn, path, ROW_RELEASED, err);
	return store_path_drop(txn, path, err);
}
