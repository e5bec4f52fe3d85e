/*
 * Managers that are gone for good. Nothing gives up by itself; when somebody says it, their rows
 * are released as far as their groups go, and stay owed: should the manager be back after all, the
 * release that is sent all the while reaches it.
 */
#include <string.h>

#include "lib/base/fault.h"
#include "lib/engine/controller_restore.h"

/* Of no user: with a blank in it. */
static const char owed_prefix[] = "owed by ";

static bool mark_groups(
    struct controller *controller, struct txn *txn, const char *manager, struct err *err);
static bool hand_over(struct controller *controller, struct txn *txn, const char *group,
    const char *manager, struct err *err);

bool
controller_evict(
    struct controller *controller, struct txn *txn, const char *manager, struct err *err)
{
	FAULT_POINT("controller.evict.before");
	return count_change(txn, err) && mark_groups(controller, txn, manager, err) &&
	       txn_run(txn, err,
		   "INSERT INTO controller_evicted(manager) VALUES(?) ON CONFLICT DO NOTHING", "t",
		   manager) &&
	       txn_run(txn, err,
		   "UPDATE controller_row SET evicted = 1, refused = 0, why_code = ?, "
		   "why = 'its manager was evicted' WHERE manager = ? AND evicted = 0",
		   "tt", err_code_text(ERR_GONE), manager);
}

bool
controller_readmit(
    struct controller *controller, struct txn *txn, const char *manager, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT count(*) FROM controller_row WHERE manager = ? AND evicted > 0 "
	    "AND NOT (have = 3 AND is_real = 1)",
	    "t", manager);
	int64_t n_owed;

	(void)controller;
	if (!rows)
		return false;
	n_owed = rows_next(rows) ? rows_i64(rows, 0) : 0;
	rows_done(take(rows));
	if (n_owed)
		return err_set(err, ERR_CONFLICT,
		    "manager '%s' has not released %lld rows of before yet", manager,
		    (long long)n_owed);
	FAULT_POINT("controller.readmit.before");
	return count_change(txn, err) &&
	       txn_run(txn, err, "DELETE FROM controller_evicted WHERE manager = ?", "t", manager);
}

bool
controller_is_evicted(struct txn *txn, const char *manager)
{
	auto_rows struct rows *rows = txn_query(
	    txn, NULL, "SELECT 1 FROM controller_evicted WHERE manager = ?", "t", manager);

	return rows && rows_next(rows);
}

bool
controller_groups_at(struct txn *txn, const char *manager, struct arena *arena,
    const char ***groups, size_t *n_groups, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT DISTINCT grp FROM controller_row WHERE manager = ? AND evicted < 2 ORDER BY "
	    "grp",
	    "t", manager);
	vec_of(const char *) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, arena_text(arena, rows_text(rows, 0)));
	*n_groups = found.n;
	*groups = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}

bool
refuse_evicted(struct txn *txn, const char *manager, struct err *err)
{
	return !controller_is_evicted(txn, manager) ||
	       err_set(err, ERR_UNAVAILABLE, "manager '%s' was evicted", manager);
}

bool
is_owed_group(const char *group)
{
	return !strncmp(group, owed_prefix, sizeof(owed_prefix) - 1);
}

bool
owed_group(struct controller *controller, struct txn *txn, const char *manager, struct str *name,
    struct err *err)
{
	str_addf(name, "%s%s", owed_prefix, manager);
	mark_altered(controller, name->text);
	controller_wake(controller);
	return txn_run(txn, err,
	    "INSERT INTO controller_group(name, state, goal, reserve_ms, commit_ms) "
	    "VALUES(?, ?, ?, 0, 0) ON CONFLICT DO NOTHING",
	    "tii", name->text, (int64_t)GROUP_RELEASING, (int64_t)ROW_RELEASED);
}

/* Rows of the group that have not been released in truth: each to its manager's group. */
bool
keep_owed(struct controller *controller, struct txn *txn, const char *group, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT DISTINCT manager FROM controller_row WHERE grp = ? AND evicted = 1 "
	    "AND NOT (have = 3 AND is_real = 1)",
	    "t", group);
	vec_of(const char *) managers = {0};
	bool is_good = rows != NULL;

	while (is_good && rows_next(rows))
		vec_push(&managers, arena_text(arena, rows_text(rows, 0)));
	rows_done(take(rows));
	vec_each (manager, &managers)
		is_good = is_good && hand_over(controller, txn, group, *manager, err);
	vec_done(&managers);
	return is_good;
}

static bool
mark_groups(struct controller *controller, struct txn *txn, const char *manager, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const char **groups;
	size_t n_groups;

	if (!controller_groups_at(txn, manager, arena, &groups, &n_groups, err))
		return false;
	for (size_t i = 0; i < n_groups; i++)
		mark_altered(controller, groups[i]);
	return true;
}

static bool
hand_over(struct controller *controller, struct txn *txn, const char *group, const char *manager,
    struct err *err)
{
	auto_str struct str into = {0};

	return owed_group(controller, txn, manager, &into, err) &&
	       txn_run(txn, err,
		   "UPDATE controller_row SET grp = ?, evicted = 2 WHERE grp = ? AND manager = ? "
		   "AND evicted = 1 AND NOT (have = 3 AND is_real = 1)",
		   "ttt", into.text, group, manager);
}
