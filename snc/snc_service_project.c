/*
 * Handlers of projects, their quotas and their usage.
 */
#include <string.h>

#include "snc/audit.h"
#include "snc/project.h"
#include "snc/snc_service.h"
#include "snc/usage.h"

bool
service_tenant(struct snc *snc, const struct rpc_call *call, const char *project,
    struct quota_tenant *tenant, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);

	tenant->user = call->name;
	return project_choose(txn, &caller, project, call->arena, &tenant->project, err);
}

/* ---- showing --------------------------------------------------------------------------------- */

static bool
show_project(struct txn *txn, const struct snc_caller *caller, const struct project_record *project,
    struct snc_project *shown, struct err *err)
{
	enum project_role role;

	if (!project_role_of(txn, project->name, caller->name, &role, err))
		return false;
	*shown = (struct snc_project){project->name, project->note,
	    role == PROJECT_STRANGER ? "" : project_role_text(role), project->created_ms,
	    project->n_members, project->n_slices};
	return true;
}

SNC_HANDLER(project_list)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct project_records found;
	struct snc_project *shown;

	(void)args;
	if (!project_list(
		txn, snc_sees_all(&caller) ? NULL : caller.name, call->arena, &found, err))
		return false;
	shown = arena_alloc(call->arena, found.n * sizeof(shown[0]));
	for (size_t i = 0; i < found.n; i++)
		if (!show_project(txn, &caller, &found.items[i], &shown[i], err))
			return false;
	result->projects = shown;
	result->n_projects = found.n;
	return true;
}

static bool
show_members(struct txn *txn, const char *project, struct arena *arena,
    struct snc_project_show_result *result, struct err *err)
{
	struct project_members found;
	struct snc_member *shown;

	if (!project_members(txn, project, arena, &found, err))
		return false;
	shown = arena_alloc(arena, found.n * sizeof(shown[0]));
	for (size_t i = 0; i < found.n; i++)
		shown[i] = (struct snc_member){
		    found.items[i].user, project_role_text(found.items[i].role)};
	result->members = shown;
	result->n_members = found.n;
	return true;
}

/* What is used of a scope's limits now. */
static bool
show_scope(struct snc *snc, struct txn *txn, const struct quota_tenant *tenant,
    const struct quota_limits *limits, struct snc_limit *shown, struct err *err)
{
	enum quota_scope scope = tenant->user ? QUOTA_EACH : QUOTA_PROJECT;
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct quota_question question = {.tenant = *tenant, .window = {now_ms, now_ms + 1}};
	struct quota_amounts used;

	if (!quota_used(
		txn, &question, now_ms, limits->of[scope][QUOTA_RATE_HOURS].since_ms, &used, err))
		return false;
	for (int i = 0; i < QUOTA_THINGS; i++) {
		const struct quota_limit *limit = &limits->of[scope][i];

		shown[i] = (struct snc_limit){quota_scope_text(scope),
		    quota_thing_text((enum quota_thing)i), limit->amount, used.of[i],
		    limit->since_ms,
		    limit->is_own                 ? "project"
		    : limit->amount == QUOTA_NONE ? ""
						  : "site"};
	}
	return true;
}

/* How much of everybody's project is in use by all is the operators' to know. */
static bool
show_limits(struct snc *snc, struct txn *txn, const struct rpc_call *call, const char *project,
    struct snc_project_show_result *result, struct err *err)
{
	struct snc_caller caller = service_caller(call);
	bool is_whole = snc_sees_all(&caller) || !str_equal(project, PROJECT_DEFAULT);
	struct snc_limit *shown =
	    arena_alloc(call->arena, 2 * (size_t)QUOTA_THINGS * sizeof(shown[0]));
	struct quota_limits limits;

	result->limits = shown;
	if (!quota_limits(txn, project, &limits, err))
		return false;
	if (is_whole) {
		if (!show_scope(
			snc, txn, &(struct quota_tenant){project, NULL}, &limits, shown, err))
			return false;
		result->n_limits = QUOTA_THINGS;
	}
	if (!show_scope(snc, txn, &(struct quota_tenant){project, call->name}, &limits,
		shown + result->n_limits, err))
		return false;
	result->n_limits += QUOTA_THINGS;
	return true;
}

SNC_HANDLER(project_show)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct snc_project *shown = arena_new_of(call->arena, struct snc_project);
	struct project_record found;
	const char *project = args->project;

	if ((!project && !project_choose(txn, &caller, NULL, call->arena, &project, err)) ||
	    !project_find(txn, &caller, project, call->arena, &found, err) ||
	    !show_project(txn, &caller, &found, shown, err))
		return false;
	result->projects = shown;
	result->n_projects = 1;
	return show_members(txn, project, call->arena, result, err) &&
	       show_limits(snc, txn, call, project, result, err);
}

/* ---- changing -------------------------------------------------------------------------------- */

static bool
commit(struct snc *snc, struct txn **txn, const struct rpc_call *call,
    const struct audit_entry *entry, struct err *err)
{
	struct snc_caller caller = service_caller(call);

	return audit_add(snc->audit, *txn, &caller, entry, err) && txn_commit(txn, err);
}

SNC_HANDLER(project_create)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct project_record project = {
	    .name = args->project, .note = args->note, .created_ms = clock_wall_ms(snc->clock)};
	struct project_member owner = {args->user, PROJECT_OWNER};
	struct audit_entry entry = {"project_create", args->project,
	    args->user ? arena_format(call->arena, "owner=%s", args->user) : NULL};

	(void)result;
	return project_add(txn, &project, err) &&
	       (!args->user || project_member_set(txn, args->project, &owner, err)) &&
	       commit(snc, &txn, call, &entry, err);
}

SNC_HANDLER(project_delete)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct audit_entry entry = {"project_delete", args->project, NULL};

	(void)result;
	return project_drop(txn, args->project, err) && commit(snc, &txn, call, &entry, err);
}

/* What it was before is part of the record. */
static const char *
tell_roles(enum project_role before, enum project_role now, struct arena *arena)
{
	return arena_format(arena, "%s, was %s", project_role_text(now), project_role_text(before));
}

SNC_HANDLER(member_set)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct project_member member = {.user = args->user};
	struct audit_entry entry = {
	    "member_set", arena_format(call->arena, "%s/%s", args->project, args->user), NULL};
	struct project_record project;
	enum project_role before;

	(void)result;
	if (!project_find(txn, &caller, args->project, call->arena, &project, err) ||
	    !project_may_manage(txn, &caller, args->project, err) ||
	    !project_role_parse(args->role, &member.role, err) ||
	    !project_role_of(txn, args->project, args->user, &before, err) ||
	    !project_member_set(txn, args->project, &member, err))
		return false;
	entry.detail = tell_roles(before, member.role, call->arena);
	return commit(snc, &txn, call, &entry, err);
}

SNC_HANDLER(member_remove)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct audit_entry entry = {
	    "member_remove", arena_format(call->arena, "%s/%s", args->project, args->user), NULL};
	struct project_record project;
	enum project_role before;

	(void)result;
	if (!project_find(txn, &caller, args->project, call->arena, &project, err) ||
	    (!str_equal(args->user, caller.name) &&
		!project_may_manage(txn, &caller, args->project, err)) ||
	    !project_role_of(txn, args->project, args->user, &before, err) ||
	    !project_member_drop(txn, args->project, args->user, err))
		return false;
	entry.detail = tell_roles(before, PROJECT_STRANGER, call->arena);
	return commit(snc, &txn, call, &entry, err);
}

static bool
set_limit(struct txn *txn, const struct snc_quota_set_args *args,
    const struct snc_limit_change *limit, struct str *told, struct err *err)
{
	struct quota_change change = {
	    .project = args->project ? args->project : "",
	    .amount = limit->amount,
	    .since_ms = args->since_ms.is_set ? args->since_ms.value : 0,
	};

	if (!quota_scope_parse(args->scope, &change.scope, err) ||
	    !quota_thing_parse(limit->what, &change.thing, err) || !quota_set(txn, &change, err))
		return false;
	str_addf(told, " %s=%lld", limit->what, (long long)limit->amount);
	return true;
}

SNC_HANDLER(quota_set)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct audit_entry entry = {"quota_set", args->project ? args->project : "", NULL};
	struct project_record project;
	auto_str struct str told = {0};

	(void)result;
	if (args->project && !project_find(txn, &caller, args->project, call->arena, &project, err))
		return false;
	str_addf(&told, "%s", args->scope);
	if (args->n_limits > QUOTA_THINGS)
		return err_set(err, ERR_LIMIT, "there are %d quotas", QUOTA_THINGS);
	for (size_t i = 0; i < args->n_limits; i++)
		if (!set_limit(txn, args, &args->limits[i], &told, err))
			return false;
	entry.detail = str_text(&told);
	return commit(snc, &txn, call, &entry, err);
}

/* ---- usage, audit ---------------------------------------------------------------------------- */

static bool
find_period(
    struct snc *snc, const struct snc_usage_args *args, struct usage_query *query, struct err *err)
{
	int64_t now_ms = clock_wall_ms(snc->clock);

	query->from_ms = args->from_ms.is_set ? args->from_ms.value : 0;
	query->until_ms =
	    args->until_ms.is_set && args->until_ms.value < now_ms ? args->until_ms.value : now_ms;
	if (query->from_ms < query->until_ms)
		return true;
	err_set(err, ERR_BAD_VALUE, "the period has no length, or is to come");
	return err_hint(err, "name a start before its end, and before now");
}

SNC_HANDLER(usage)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct usage_query query = {
	    .project = args->project,
	    .user = args->user,
	    .seer = snc_sees_all(&caller) ? NULL : caller.name,
	};
	struct usage_records found;
	struct snc_usage *shown;

	if (!find_period(snc, args, &query, err) ||
	    !usage_report(txn, &query, call->arena, &found, err))
		return false;
	shown = arena_alloc(call->arena, found.n * sizeof(shown[0]));
	for (size_t i = 0; i < found.n; i++) {
		const struct usage_record *usage = &found.items[i];

		shown[i] = (struct snc_usage){usage->project, usage->user, usage->n_slices,
		    usage->slice_seconds, usage->cpu_seconds, usage->memory_byte_hours,
		    usage->rate_bps_hours};
	}
	result->from_ms = query.from_ms;
	result->until_ms = query.until_ms;
	result->usage = shown;
	result->n_usage = found.n;
	return true;
}

SNC_HANDLER(audit_list)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	struct audit_records found;

	if (!audit_list(txn, args->after, call->arena, &found, err))
		return false;
	result->records = found.items;
	result->n_records = found.n;
	return true;
}
