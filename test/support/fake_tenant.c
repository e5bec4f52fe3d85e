#include "test/support/fake_tenant.h"

#include <stdio.h>

#include "test/support/site.h"
#include "test/support/suite.h"

int64_t
tenant_now_ms(struct fake_site *site)
{
	return clock_wall_ms(&site->clock);
}

const char *
tenant_document(struct fake_site *site, const char *name, int cpu)
{
	return site_document(
	    site->arena, name, arena_format(site->arena, "node a cpu=%d : p\n", cpu));
}

const char *
tenant_pair(struct fake_site *site, const char *name, const char *rate)
{
	return site_document(site->arena, name,
	    arena_format(site->arena,
		"node a : p\nnode b : p\nlink l bandwidth=%s : a.p b.p\namap a koganei\namap b "
		"nagoya\n",
		rate));
}

struct rpc_opt_i64
tenant_instant(int64_t at_ms)
{
	return (struct rpc_opt_i64){at_ms != 0, at_ms};
}

bool
tenant_make(
    struct fake_site *site, const struct tenant_wish *wish, const char **id, struct err *err)
{
	static int n_ops;
	struct snc_slice_create_args args = {
	    .document = {wish->document, strlen(wish->document)},
	    .op_id = arena_format(site->arena, "make%d", ++n_ops),
	    .goal = wish->goal ? wish->goal : "RESERVED",
	    .from_ms = tenant_instant(wish->from_ms),
	    .until_ms = tenant_instant(wish->until_ms),
	    .project = wish->project,
	};
	struct snc_slice_create_result result;

	if (!snc_slice_create_call(wish->client, site->arena, &args, &result, err))
		return false;
	*id = result.id;
	return true;
}

const char *
tenant_made(struct fake_site *site, const struct tenant_wish *wish)
{
	const char *id = "";
	struct err err = {0};
	bool is_good = tenant_make(site, wish, &id, &err);

	if (!is_good)
		printf("\n%s %s", err_code_text(err.code), err.text);
	assert_true(is_good);
	return id;
}

struct err
tenant_refused(struct fake_site *site, const struct tenant_wish *wish)
{
	const char *id;
	struct err err = {0};

	assert_true(!tenant_make(site, wish, &id, &err));
	return err;
}

struct snc_slice_check_result
tenant_check(struct fake_site *site, const struct tenant_wish *wish)
{
	struct snc_slice_check_args args = {{wish->document, strlen(wish->document)},
	    tenant_instant(wish->from_ms), tenant_instant(wish->until_ms), wish->project};
	struct snc_slice_check_result result;
	struct err err;

	assert_true(snc_slice_check_call(wish->client, site->arena, &args, &result, &err));
	return result;
}

void
tenant_project(struct fake_site *site, const char *name, const char *owner)
{
	struct snc_project_create_args args = {name, "", owner};
	struct err err = {0};
	bool is_good = snc_project_create_call(
	    &site->noc, site->arena, &args, &(struct snc_project_create_result){}, &err);

	if (!is_good)
		printf("\n%s %s", err_code_text(err.code), err.text);
	assert_true(is_good);
}

bool
tenant_join(const struct rpc_client *client, struct fake_site *site, const char *name,
    const char *user, const char *role, struct err *err)
{
	return snc_member_set_call(client, site->arena,
	    &(struct snc_member_set_args){name, user, role}, &(struct snc_member_set_result){},
	    err);
}

void
tenant_joined(struct fake_site *site, const char *name, const char *user, const char *role)
{
	struct err err;

	assert_true(tenant_join(&site->noc, site, name, user, role, &err));
}

void
tenant_limit(
    struct fake_site *site, const char *name, const char *scope, const char *what, int64_t amount)
{
	struct snc_limit_change change = {what, amount};
	struct snc_quota_set_args args = {
	    .project = name, .scope = scope, .limits = &change, .n_limits = 1};
	struct err err;

	assert_true(snc_quota_set_call(
	    &site->noc, site->arena, &args, &(struct snc_quota_set_result){}, &err));
}

enum err_code
tenant_run(struct fake_site *site, const struct rpc_client *client, const char *slice)
{
	struct err err = {0};

	return snc_slice_run_call(client, site->arena, &(struct snc_slice_run_args){slice},
		   &(struct snc_slice_run_result){}, &err)
		   ? ERR_NONE
		   : err.code;
}

void
tenant_delete(struct fake_site *site, const char *slice)
{
	struct err err;

	assert_true(snc_slice_delete_call(&site->noc, site->arena,
	    &(struct snc_slice_delete_args){slice}, &(struct snc_slice_delete_result){}, &err));
	assert_true(fake_wait(site, slice, "GONE") == NULL);
}

const char *
tenant_offered(const struct snc_slice_check_result *checked, const char *kind, const char *what)
{
	for (size_t i = 0; i < checked->n_remedies; i++)
		if (str_equal(checked->remedies[i].kind, kind) &&
		    str_equal(checked->remedies[i].what, what))
			return checked->remedies[i].offered;
	CU_FAIL_FATAL("not offered");
	return "";
}

enum err_code
tenant_modify(struct fake_site *site, const char *slice, const char *document)
{
	struct snc_slice_modify_args args = {slice, {document, strlen(document)}, false, true};
	struct snc_slice_modify_result result;
	struct err err = {0};

	return snc_slice_modify_call(&site->developer, site->arena, &args, &result, &err)
		   ? ERR_NONE
		   : err.code;
}
