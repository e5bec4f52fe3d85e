/*
 * host evict and host readmit. The engine gives up the rows, the inventory the place. host retry:
 * the engines have another go.
 */
#include <string.h>

#include "lib/api/manager_api.h"
#include "lib/api/tnc_api.h"
#include "snc/audit.h"
#include "snc/host.h"
#include "snc/modify.h"
#include "snc/peers.h"

enum { RETRY_MS = 15000 };

static bool
refuse_answering(
    struct snc *snc, const struct inventory_managers *managers, const char *host, struct err *err)
{
	for (size_t i = 0; i < managers->n; i++) {
		if (!inventory_is_up(snc->inventory, managers->names[i]))
			continue;
		err_set(err, ERR_CONFLICT, "host '%s' is not gone: %s answers", host,
		    managers->names[i]);
		err_subject(err, "host '%s'", host);
		return err_hint(
		    err, "if it is to go, stop its daemons; they are missed 25 s later");
	}
	return true;
}

static bool
is_listed(const struct slice_records *slices, const char *id)
{
	for (size_t i = 0; i < slices->n; i++)
		if (str_equal(slices->items[i].id, id))
			return true;
	return false;
}

/* A slice may have several groups, and rows at each manager of the host. */
bool
host_slices_at(struct txn *txn, const struct inventory_managers *managers, struct arena *arena,
    struct slice_records *slices, struct err *err)
{
	const char **groups[2];
	size_t n_groups[2], n = 0;

	for (size_t i = 0; i < managers->n; i++) {
		if (!controller_groups_at(
			txn, managers->names[i], arena, &groups[i], &n_groups[i], err))
			return false;
		n += n_groups[i];
	}
	slices->items = arena_alloc(arena, (n + 1) * sizeof(slices->items[0]));
	slices->n = 0;
	for (size_t i = 0; i < managers->n; i++)
		for (size_t k = 0; k < n_groups[i]; k++) {
			const char *id = modify_slice_of(groups[i][k], arena);

			if (is_listed(slices, id))
				continue;
			if (!store_slice_by_id(txn, id, arena, &slices->items[slices->n], err))
				return false;
			slices->n++;
		}
	return true;
}

static bool
evict(struct snc *snc, struct txn *txn, const struct inventory_managers *managers,
    const struct host_eviction *eviction, struct arena *arena, struct err *err)
{
	struct audit_entry entry = {
	    "host_evict", eviction->host, arena_format(arena, "%zu slices", eviction->slices.n)};

	for (size_t i = 0; i < managers->n; i++)
		if (!controller_evict(snc->controller, txn, managers->names[i], err))
			return false;
	for (size_t i = 0; i < eviction->slices.n; i++)
		events_add(snc->events, txn, &eviction->slices.items[i],
		    arena_format(arena, "host %s", eviction->host), "evicted",
		    "what was there is lost");
	return audit_add(snc->audit, txn, &eviction->caller, &entry, err);
}

bool
host_evict(struct snc *snc, struct host_eviction *eviction, struct arena *arena, struct err *err)
{
	auto_txn struct txn *txn = NULL;
	struct inventory_managers managers;

	if (!inventory_of_host(snc->inventory, eviction->host, arena, &managers, err) ||
	    !refuse_answering(snc, &managers, eviction->host, err))
		return false;
	txn = store_begin(snc->store);
	if (!host_slices_at(txn, &managers, arena, &eviction->slices, err))
		return false;
	if (eviction->is_plan)
		return true;
	if (!evict(snc, txn, &managers, eviction, arena, err) || !txn_commit(&txn, err) ||
	    !inventory_evict(snc->inventory, eviction->host, true, err))
		return false;
	controller_wake(snc->controller);
	return true;
}

bool
host_readmit(struct snc *snc, const struct snc_caller *caller, const char *host, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = NULL;
	struct inventory_managers managers;
	struct audit_entry entry = {"host_readmit", host, NULL};

	if (!inventory_of_host(snc->inventory, host, arena, &managers, err))
		return false;
	for (size_t i = 0; i < managers.n; i++)
		if (!inventory_is_up(snc->inventory, managers.names[i]))
			return err_set(err, ERR_UNAVAILABLE,
			    "host '%s' is not back: %s does not answer", host, managers.names[i]);
	txn = store_begin(snc->store);
	for (size_t i = 0; i < managers.n; i++)
		if (!controller_readmit(snc->controller, txn, managers.names[i], err))
			return err_hint(err, "it is sent for each of them; try again in a moment");
	return audit_add(snc->audit, txn, caller, &entry, err) && txn_commit(&txn, err) &&
	       inventory_evict(snc->inventory, host, false, err);
}

static bool
retry_central(struct snc *snc, struct arena *arena, int64_t *n, struct err *err)
{
	struct tnc_retry_result more;
	struct rpc_client client;

	*n += (int64_t)controller_retry(snc->controller);
	if (!peers_client(snc, snc->tnc, RETRY_MS, &client, err) ||
	    !peers_note(snc, snc->tnc,
		tnc_retry_call(&client, arena, &(struct tnc_retry_args){}, &more, err), err))
		return err_in(err, "%s", snc->tnc);
	*n += more.n;
	return true;
}

static bool
retry_host(struct snc *snc, const char *host, struct arena *arena, int64_t *n, struct err *err)
{
	struct inventory_managers managers;

	if (!inventory_of_host(snc->inventory, host, arena, &managers, err))
		return false;
	for (size_t i = 0; i < managers.n; i++) {
		const char *name = managers.names[i];
		struct manager_retry_result more;
		struct rpc_client client;

		if (!peers_client(snc, name, RETRY_MS, &client, err) ||
		    !peers_note(snc, name,
			manager_retry_call(
			    &client, arena, &(struct manager_retry_args){}, &more, err),
			err))
			return err_in(err, "%s", name);
		*n += more.n;
	}
	return true;
}

bool
host_retry(
    struct snc *snc, const struct snc_caller *caller, const char *host, int64_t *n, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = NULL;
	const char *tnc_host = strchr(snc->tnc, '@');
	bool is_central = tnc_host && str_equal(tnc_host + 1, host);
	struct audit_entry entry = {"host_retry", host, NULL};

	*n = 0;
	if (is_central ? !retry_central(snc, arena, n, err) : !retry_host(snc, host, arena, n, err))
		return false;
	entry.detail = arena_format(arena, "%lld set aside", (long long)*n);
	txn = store_begin(snc->store);
	return audit_add(snc->audit, txn, caller, &entry, err) && txn_commit(&txn, err);
}

bool
host_recall_evicted(struct snc *snc, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct inventory_managers managers;
	struct inventory_host *hosts;
	size_t n_hosts;

	inventory_hosts(snc->inventory, arena, &hosts, &n_hosts);
	for (size_t i = 0; i < n_hosts; i++)
		if (!inventory_of_host(snc->inventory, hosts[i].name, arena, &managers, err) ||
		    !inventory_evict(snc->inventory, hosts[i].name,
			controller_is_evicted(txn, managers.names[0]), err))
			return false;
	return true;
}
