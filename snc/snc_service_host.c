/*
 * Handlers of what NOC staff say of hosts.
 */
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "snc/audit.h"
#include "snc/host.h"
#include "snc/snc_service.h"

static const struct snc_affected *
show_slices(const struct slice_records *slices, struct arena *arena)
{
	struct snc_affected *shown = arena_alloc(arena, (slices->n + 1) * sizeof(shown[0]));

	for (size_t i = 0; i < slices->n; i++)
		shown[i] = (struct snc_affected){
		    slices->items[i].id, slices->items[i].name, slices->items[i].owner};
	return shown;
}

SNC_HANDLER(host_evict)
{
	struct host_eviction eviction = {
	    .caller = service_caller(call), .host = args->host, .is_plan = args->plan};

	if (!host_evict(self, &eviction, call->arena, err))
		return false;
	*result = (struct snc_host_evict_result){
	    show_slices(&eviction.slices, call->arena), eviction.slices.n};
	return true;
}

SNC_HANDLER(host_readmit)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return host_readmit(self, &caller, args->host, err);
}

SNC_HANDLER(host_retry)
{
	struct snc_caller caller = service_caller(call);

	return host_retry(self, &caller, args->host, &result->n, err);
}

SNC_HANDLER(host_drain)
{
	struct host_draining draining = {
	    .caller = service_caller(call),
	    .drain = {.host = args->host,
		.span = {args->from_ms.value, args->until_ms.value},
		.reason = args->reason ? args->reason : ""},
	    .is_plan = args->plan,
	};

	if (!host_drain(self, &draining, call->arena, err))
		return false;
	*result = (struct snc_host_drain_result){
	    show_slices(&draining.slices, call->arena), draining.slices.n};
	return true;
}

SNC_HANDLER(host_undrain)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return host_undrain(self, &caller, args->host, err);
}

/* ---- restore --------------------------------------------------------------------------------- */

static bool
survey(struct snc *snc, struct arena *arena, struct controller_survey *found, struct err *err)
{
	vec_of(const char *) names = {0};
	struct inventory_host *hosts;
	size_t n_hosts;
	bool is_good = true;

	vec_push(&names, snc->tnc);
	inventory_hosts(snc->inventory, arena, &hosts, &n_hosts);
	for (size_t i = 0; i < n_hosts && is_good; i++) {
		struct inventory_managers managers;

		is_good = inventory_of_host(snc->inventory, hosts[i].name, arena, &managers, err);
		for (size_t k = 0; k < managers.n && is_good; k++)
			vec_push(&names, managers.names[k]);
	}
	is_good =
	    is_good && controller_survey(snc->controller, names.items, names.n, arena, found, err);
	vec_done(&names);
	return is_good || err_hint(err, "it must answer, or be evicted: `vnode host evict`");
}

static void
tell_unknown(
    const struct controller_survey *found, struct arena *arena, struct snc_restore_result *result)
{
	struct snc_held *unknown = arena_alloc(arena, (found->n_rows + 1) * sizeof(unknown[0]));

	for (size_t i = 0; i < found->n_rows; i++)
		if (!found->rows[i].is_known)
			unknown[result->n_unknown++] =
			    (struct snc_held){arena_text(arena, found->rows[i].manager),
				arena_text(arena, id_text(found->rows[i].rid).text)};
	result->unknown = unknown;
}

static bool
resume(struct snc *snc, const struct rpc_call *call, const struct controller_survey *found,
    size_t n_unknown, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct audit_entry entry = {
	    "restore", "", arena_format(call->arena, "%zu rows released", n_unknown)};

	if (!controller_resume(snc->controller, txn, found, err) ||
	    !audit_add(snc->audit, txn, &caller, &entry, err) || !txn_commit(&txn, err))
		return false;
	controller_wake(snc->controller);
	return true;
}

SNC_HANDLER(restore)
{
	struct snc *snc = self;
	struct controller_survey found = {0};
	struct txn *txn = store_begin(snc->store);

	*result = (struct snc_restore_result){.why = controller_quarantine(txn, call->arena)};
	txn_cancel(txn);
	if (!result->why[0])
		return !args->confirm ||
		       err_set(err, ERR_CONFLICT, "nobody has heard of anything newer");
	if (!survey(snc, call->arena, &found, err))
		return false;
	tell_unknown(&found, call->arena, result);
	return !args->confirm || resume(snc, call, &found, result->n_unknown, err);
}
