/*
 * Rows that change their group: how a group that stands is given new rows and loses old ones. What
 * comes has come into being in a group of its own, what goes is released in one.
 */
#include "lib/base/fault.h"
#include "lib/engine/controller_restore.h"

bool
controller_merge(struct controller *controller, struct txn *txn, const char *from, const char *into,
    struct err *err)
{
	struct stored_group source, target;

	if (!stored_group(txn, from, &source, err) || !stored_group(txn, into, &target, err))
		return false;
	if (source.state != target.state || source.goal != target.goal ||
	    (source.state != GROUP_RESERVED && source.state != GROUP_ACTIVE))
		return err_set(err, ERR_CONFLICT, "group '%s' is %s, group '%s' is %s", from,
		    group_state_text(source.state), into, group_state_text(target.state));
	FAULT_POINT("controller.merge.before");
	if (!change_begin(controller, txn, err) ||
	    !txn_run(
		txn, err, "UPDATE controller_row SET grp = ? WHERE grp = ?", "tt", into, from) ||
	    !txn_run(txn, err, "DELETE FROM controller_group WHERE name = ?", "t", from))
		return false;
	mark_altered(controller, from);
	mark_altered(controller, into);
	controller_wake(controller);
	return true;
}

bool
controller_part(struct controller *controller, struct txn *txn,
    const struct controller_parting *parting, struct err *err)
{
	struct stored_group group;

	FAULT_POINT("controller.part.before");
	if (!change_begin(controller, txn, err) ||
	    !stored_group(txn, parting->group, &group, err) ||
	    !txn_run(txn, err,
		"INSERT INTO controller_group(name, state, goal, reserve_ms, commit_ms) "
		"VALUES(?, ?, ?, ?, ?)",
		"tiiii", parting->into, (int64_t)group.state, (int64_t)ROW_RELEASED,
		group.reserve_ms, group.commit_ms))
		return err_in(err, "group '%s'", parting->into);
	for (size_t i = 0; i < parting->n_rids; i++)
		if (!txn_run(txn, err,
			"UPDATE controller_row SET grp = ? WHERE rid = ? AND grp = ?", "tit",
			parting->into, (int64_t)parting->rids[i], parting->group))
			return false;
	mark_altered(controller, parting->group);
	mark_altered(controller, parting->into);
	controller_wake(controller);
	return true;
}
