/*
 * Rows to handlers, and the hello of managers.
 */
#include "snc/snc_service.h"

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
    .slice_delete = service_slice_delete,
    .slice_wait = service_slice_wait,
    .events = service_events,
    .host_list = service_host_list,
    .node_list = service_node_list,
    .link_list = service_link_list,
    .console_read = service_console_read,
    .console_write = service_console_write,
    .exec = service_exec,
    .link_counters = service_link_counters,
    .orphans = service_orphans,
    .doctor = service_doctor,
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
		controller_heard(snc->controller, args->manager, args->db_uuid, rids.items, rids.n);
	vec_done(&rids);
	return is_good;
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
	if (!pass_on(snc, args, err))
		return false;
	result->epoch = controller_epoch(snc->controller);
	result->interval_ms = HELLO_MS;
	return true;
}

const struct controller_ops snc_controller_ops = {.hello = hello};

bool
snc_serve(struct snc *snc, struct rpc_server *server, struct err *err)
{
	return rpc_server_add(server, &snc_service, &snc_service_ops, snc, err) &&
	       rpc_server_add(server, &controller_service, &snc_controller_ops, snc, err);
}
