/*
 * Rows to handlers, and the hello of managers.
 */
#include "snc/snc_service.h"
#include "snc/audit.h"
#include "snc/modify.h"

#include <string.h>

#include "lib/api/peer.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "snc/peers.h"

enum { HELLO_MS = 10000, CHANGED_MAX = 4096 };

const struct snc_ops snc_service_ops = {
    .slice_check = service_slice_check,
    .slice_create = service_slice_create,
    .slice_list = service_slice_list,
    .slice_show = service_slice_show,
    .slice_run = service_slice_run,
    .slice_stop = service_slice_stop,
    .slice_reserve = service_slice_reserve,
    .slice_modify = service_slice_modify,
    .slice_optimise = service_slice_optimise,
    .slice_delete = service_slice_delete,
    .slice_wait = service_slice_wait,
    .slice_renew = service_slice_renew,
    .slice_find_slot = service_slice_find_slot,
    .events = service_events,
    .host_list = service_host_list,
    .host_evict = service_host_evict,
    .host_readmit = service_host_readmit,
    .host_retry = service_host_retry,
    .host_drain = service_host_drain,
    .host_undrain = service_host_undrain,
    .restore = service_restore,
    .node_list = service_node_list,
    .link_list = service_link_list,
    .console_read = service_console_read,
    .console_write = service_console_write,
    .exec = service_exec,
    .delays = service_delays,
    .link_counters = service_link_counters,
    .link_show = service_link_show,
    .link_set = service_link_set,
    .capture_start = service_capture_start,
    .capture_read = service_capture_read,
    .capture_stop = service_capture_stop,
    .orphans = service_orphans,
    .doctor = service_doctor,
    .project_list = service_project_list,
    .project_show = service_project_show,
    .project_create = service_project_create,
    .project_delete = service_project_delete,
    .member_set = service_member_set,
    .member_remove = service_member_remove,
    .quota_set = service_quota_set,
    .usage = service_usage,
    .audit_list = service_audit_list,
};

/* What a daemon says of its host is kept, so that a restart does not forget it. */
static bool
keep_word(struct snc *snc, const struct inventory_word *word, struct err *err)
{
	auto_txn struct txn *txn = NULL;
	bool is_new;

	if (!inventory_tell(snc->inventory, word, true, &is_new, err))
		return false;
	if (!is_new)
		return true;
	txn = store_begin(snc->store);
	return store_daemon_put(txn,
		   &(struct daemon_record){
		       word->manager, word->version, word->db_uuid, word->capacity},
		   err) &&
	       txn_commit(&txn, err);
}

static bool
pass_on(struct snc *snc, const struct controller_hello_args *args, struct err *err)
{
	vec_of(uint64_t) rids = {0};
	bool is_good = true;

	if (args->n_changed > CHANGED_MAX)
		return err_set(err, ERR_LIMIT, "at most %d changed rows", CHANGED_MAX);
	for (size_t i = 0; i < args->n_changed && is_good; i++)
		is_good = id_parse(args->changed[i].rid, vec_add(&rids), err);
	if (is_good)
		controller_heard(snc->controller, args->manager, args->db_uuid, args->change,
		    rids.items, rids.n);
	vec_done(&rids);
	return is_good;
}

/*
 * Into the events of the row's slice; a row that is not there any more has nobody to be told. What
 * is about the host is for everybody.
 */
static bool
tell_note(struct snc *snc, struct txn *txn, const struct controller_hello_args *args,
    const struct controller_note *note, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct controller_row_state row;
	struct slice_record slice;
	const char *group;
	uint64_t rid;

	if (!id_parse(note->rid, &rid, err))
		return false;
	if (!rid) {
		events_add_note(snc->events, txn, NULL,
		    arena_format(arena, "host %s", strchr(args->manager, '@') + 1), note->what,
		    note->text);
		return true;
	}
	if (!controller_row_of(txn, rid, arena, &group, &row, err) ||
	    !store_slice_by_id(txn, modify_slice_of(group, arena), arena, &slice, err))
		return err->code == ERR_NOT_FOUND;
	if (str_equal(row.row.manager, args->manager))
		events_add_note(snc->events, txn, &slice, row.row.subject, note->what, note->text);
	return true;
}

static bool
tell_notes(struct snc *snc, const struct controller_hello_args *args, struct err *err)
{
	auto_txn struct txn *txn = NULL;

	if (args->n_notes > NOTES_AT_ONCE)
		return err_set(err, ERR_LIMIT, "at most %d notes", NOTES_AT_ONCE);
	if (!args->n_notes)
		return true;
	txn = store_begin(snc->store);
	for (size_t i = 0; i < args->n_notes; i++)
		if (!tell_note(snc, txn, args, &args->notes[i], err))
			return false;
	return txn_commit(&txn, err);
}

/* Who says hello is who its certificate says, whatever the message says. */
static bool
hello(void *self, const struct rpc_call *call, const struct controller_hello_args *args,
    struct controller_hello_result *result, struct err *err)
{
	struct snc *snc = self;
	const char *manager = arena_format(call->arena, "%s@%s", call->role, call->name);
	struct inventory_word word = {manager, args->version, args->db_uuid, args->capacity};

	if (!str_equal(manager, args->manager))
		return err_set(
		    err, ERR_FORBIDDEN, "'%s' said hello as '%s'", manager, args->manager);
	if (str_equal(manager, snc->tnc))
		view_stale(snc->view);
	else if (!keep_word(snc, &word, err))
		return false;
	if (!tell_notes(snc, args, err) || !pass_on(snc, args, err))
		return false;
	result->epoch = controller_epoch(snc->controller);
	result->interval_ms = HELLO_MS;
	return true;
}

const struct controller_ops snc_controller_ops = {.hello = hello};

bool
snc_serve(struct snc *snc, struct rpc_server *server, struct err *err)
{
	if (!rpc_server_add(server, &snc_service, &snc_service_ops, snc, err) ||
	    !rpc_server_add(server, &controller_service, &snc_controller_ops, snc, err))
		return false;
	rpc_server_tell(server, &snc_service, audit_called, snc->audit);
	return true;
}
