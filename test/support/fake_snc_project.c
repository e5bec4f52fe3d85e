#include "test/support/fake_snc_project.h"

#include <string.h>

#include "lib/api/audit_chain.h"

static bool is_tampered; /* one fake at a time, one call at a time */

static bool
find(const char *project, struct err *err)
{
	return !project || !strcmp(project, "relay") ||
	       err_set(err, ERR_NOT_FOUND, "there is no project '%s'", project);
}

static bool
fake_list(void *self, const struct rpc_call *call, const struct snc_project_list_args *args,
    struct snc_project_list_result *result, struct err *err)
{
	static const struct snc_project projects[] = {{"relay", "of all", "owner", 0, 2, 1}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_project_list_result){projects, 1};
	return true;
}

static bool
fake_show(void *self, const struct rpc_call *call, const struct snc_project_show_args *args,
    struct snc_project_show_result *result, struct err *err)
{
	static const struct snc_project projects[] = {{"relay", "of all", "owner", 0, 2, 1}};
	static const struct snc_member members[] = {{"alice", "owner"}, {"bob", "viewer"}};
	static const struct snc_limit limits[] = {
	    {"project", "cpu", 64, 12, 0, "project"},
	    {"project", "memory", (int64_t)256 << 30, (int64_t)4 << 30, 0, "site"},
	    {"each", "rate", -1, 2000000000, 0, ""},
	    {"project", "rate-hours", 500000000000, 2500000000, 1793491200000, "project"},
	};

	(void)self, (void)call;
	*result = (struct snc_project_show_result){projects, 1, members, 2, limits, 4};
	return find(args->project, err);
}

static bool
fake_create(void *self, const struct rpc_call *call, const struct snc_project_create_args *args,
    struct snc_project_create_result *result, struct err *err)
{
	(void)self, (void)call, (void)result;
	return strcmp(args->project, "relay") != 0 ||
	       err_set(err, ERR_CONFLICT, "there is a project '%s' already", args->project);
}

static bool
fake_delete(void *self, const struct rpc_call *call, const struct snc_project_delete_args *args,
    struct snc_project_delete_result *result, struct err *err)
{
	(void)self, (void)call, (void)result;
	is_tampered = true;
	return find(args->project, err);
}

static bool
fake_member_set(void *self, const struct rpc_call *call, const struct snc_member_set_args *args,
    struct snc_member_set_result *result, struct err *err)
{
	(void)self, (void)call, (void)result;
	if (!find(args->project, err))
		return false;
	return !strcmp(args->role, "member") ||
	       err_set(err, ERR_BAD_VALUE, "'%s' is no role in a project", args->role);
}

static bool
fake_member_remove(void *self, const struct rpc_call *call,
    const struct snc_member_remove_args *args, struct snc_member_remove_result *result,
    struct err *err)
{
	(void)self, (void)call, (void)result;
	return find(args->project, err);
}

/* Refused with what was understood. */
static bool
fake_quota_set(void *self, const struct rpc_call *call, const struct snc_quota_set_args *args,
    struct snc_quota_set_result *result, struct err *err)
{
	const char *told =
	    arena_format(call->arena, "%s %s", args->project ? args->project : "site", args->scope);

	(void)self, (void)result;
	for (size_t i = 0; i < args->n_limits; i++)
		told = arena_format(call->arena, "%s %s=%lld", told, args->limits[i].what,
		    (long long)args->limits[i].amount);
	return err_set(err, ERR_A03, "%s since %lld", told, (long long)args->since_ms.value);
}

static bool
fake_usage(void *self, const struct rpc_call *call, const struct snc_usage_args *args,
    struct snc_usage_result *result, struct err *err)
{
	static const struct snc_usage usage[] = {
	    {"relay", "alice", 3, 7200, 27000, (int64_t)3 << 30, 1250000000}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_usage_result){0, 1, usage, 1};
	return true;
}

static bool
fake_audit_list(void *self, const struct rpc_call *call, const struct snc_audit_list_args *args,
    struct snc_audit_list_result *result, struct err *err)
{
	struct snc_audit *records = arena_alloc(call->arena, 2 * sizeof(records[0]));
	struct audit_chain chain = {0};
	size_t after = args->after > 0 ? (size_t)args->after : 0;

	(void)self, (void)err;
	for (size_t i = 0; i < 2; i++) {
		records[i] = (struct snc_audit){.seq = (int64_t)i + 1,
		    .role = "developer",
		    .name = i ? "bob" : "alice",
		    .method = "slice_create",
		    .object = i ? "star" : "ring",
		    .result = i ? "A03" : "ok",
		    .detail = "goal=RUNNING"};
		chain.hash = audit_chain_hash(&chain, &records[i]);
		records[i].hash = arena_text(call->arena, chain.hash.text);
	}
	if (is_tampered)
		records[1].object = "mesh";
	*result = (struct snc_audit_list_result){
	    records + (after < 2 ? after : 2), after < 2 ? 2 - after : 0};
	return true;
}

static bool
fake_evict(void *self, const struct rpc_call *call, const struct snc_host_evict_args *args,
    struct snc_host_evict_result *result, struct err *err)
{
	static const struct snc_affected slices[] = {{"0000000000001", "ring", "alice"}};

	(void)self, (void)call;
	if (strcmp(args->host, "koganei") != 0)
		return err_set(err, ERR_CONFLICT, "host '%s' is not gone", args->host);
	*result = (struct snc_host_evict_result){slices, 1};
	return true;
}

static bool
fake_drain(void *self, const struct rpc_call *call, const struct snc_host_drain_args *args,
    struct snc_host_drain_result *result, struct err *err)
{
	static const struct snc_affected slices[] = {{"0000000000001", "ring", "alice"}};
	bool is_told = args->reason && !strcmp(args->reason, "new switch");

	(void)self, (void)call;
	if (strcmp(args->host, "koganei") != 0)
		return err_set(err, ERR_NOT_FOUND, "'%s' is no host", args->host);
	if (!args->plan && (!is_told || args->from_ms.is_set || !args->until_ms.is_set))
		return err_set(err, ERR_BAD_VALUE, "this is not what was asked");
	*result = (struct snc_host_drain_result){slices, 1};
	return true;
}

static bool
fake_undrain(void *self, const struct rpc_call *call, const struct snc_host_undrain_args *args,
    struct snc_host_undrain_result *result, struct err *err)
{
	(void)self, (void)call, (void)result;
	return !strcmp(args->host, "koganei") ||
	       err_set(err, ERR_NOT_FOUND, "'%s' is no host", args->host);
}

static bool
fake_restore(void *self, const struct rpc_call *call, const struct snc_restore_args *args,
    struct snc_restore_result *result, struct err *err)
{
	static const struct snc_held unknown[] = {{"redirector@koganei", "0000000000001"}};

	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_restore_result){"redirector@koganei: it knows more", unknown, 1};
	return true;
}

static bool
fake_readmit(void *self, const struct rpc_call *call, const struct snc_host_readmit_args *args,
    struct snc_host_readmit_result *result, struct err *err)
{
	(void)self, (void)call, (void)result;
	return !strcmp(args->host, "koganei") ||
	       err_set(err, ERR_CONFLICT, "it has not released 2 rows of before yet");
}

static bool
fake_retry(void *self, const struct rpc_call *call, const struct snc_host_retry_args *args,
    struct snc_host_retry_result *result, struct err *err)
{
	(void)self, (void)call;
	result->n = 2;
	return !strcmp(args->host, "koganei") || err_set(err, ERR_NOT_FOUND, "no such host");
}

void
fake_snc_project(struct snc_ops *ops)
{
	is_tampered = false;
	ops->project_list = fake_list;
	ops->project_show = fake_show;
	ops->project_create = fake_create;
	ops->project_delete = fake_delete;
	ops->member_set = fake_member_set;
	ops->member_remove = fake_member_remove;
	ops->quota_set = fake_quota_set;
	ops->usage = fake_usage;
	ops->audit_list = fake_audit_list;
	ops->host_evict = fake_evict;
	ops->host_readmit = fake_readmit;
	ops->host_retry = fake_retry;
	ops->host_drain = fake_drain;
	ops->host_undrain = fake_undrain;
	ops->restore = fake_restore;
}
