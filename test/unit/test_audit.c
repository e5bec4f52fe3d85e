/*
 * The audit trail over sncd's API: what is in it and what is not, and that nothing of it can be
 * changed unseen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/api/audit_chain.h"
#include "snc/audit.h"
#include "test/support/fake_site.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static struct snc_audit_list_result
records(struct fake_site *site, int64_t after)
{
	struct snc_audit_list_result result;
	struct err err;

	assert_true(snc_audit_list_call(
	    &site->noc, site->arena, &(struct snc_audit_list_args){after}, &result, &err));
	return result;
}

static const struct snc_audit *
find(const struct snc_audit_list_result *list, const char *method, const char *result)
{
	for (size_t i = 0; i < list->n_records; i++)
		if (!strcmp(list->records[i].method, method) &&
		    !strcmp(list->records[i].result, result))
			return &list->records[i];
	return NULL;
}

/* Does a trail hold together, up to a head that was kept (NULL = none was)? */
static bool
holds(const struct snc_audit *list, size_t n, const struct audit_chain *head)
{
	struct audit_chain chain = {0};
	struct err err;

	for (size_t i = 0; i < n; i++)
		if (!audit_chain_follow(&chain, &list[i], &err))
			return false;
	return !head || (chain.seq == head->seq && !strcmp(chain.hash.text, head->hash.text));
}

static const char *
document_of(struct fake_site *site, const char *name)
{
	return site_document(
	    site->arena, name, "node a userData=marker-in-a-document kind=container : p\n");
}

static void
slice_leaves_its_trail(void)
{
	struct fake_site *site = fake_site_new();
	const char *id =
	    fake_create(site, site_document(site->arena, "mine", "node a : p\n"), "RESERVED");
	struct snc_audit_list_result list;
	const struct snc_audit *created;
	struct err err;

	assert_text("RESERVED", fake_wait(site, id, "RESERVED")->state);
	assert_true(!snc_slice_delete_call(&site->other, site->arena,
	    &(struct snc_slice_delete_args){id}, &(struct snc_slice_delete_result){}, &err));
	assert_true(snc_slice_run_call(&site->developer, site->arena,
	    &(struct snc_slice_run_args){"mine"}, &(struct snc_slice_run_result){}, &err));
	assert_true(snc_slice_delete_call(&site->noc, site->arena,
	    &(struct snc_slice_delete_args){"mine"}, &(struct snc_slice_delete_result){}, &err));

	list = records(site, 0);
	created = find(&list, "slice_create", "ok");
	assert_text("mine", created->object);
	assert_text("dev1", created->name);
	assert_text("developer", created->role);
	assert_true(strstr(created->detail, "project=default goal=RESERVED document=sha256:"));
	assert_text("dev2", find(&list, "slice_delete", "not_found")->name);
	assert_text(id, find(&list, "slice_delete", "not_found")->object);
	assert_text("dev1", find(&list, "slice_run", "ok")->name);
	assert_text("noc1", find(&list, "slice_delete", "ok")->name);
	assert_true(holds(list.records, list.n_records, NULL));
	fake_site_free(site);
}

static void
nothing_secret_is_recorded(void)
{
	struct fake_site *site = fake_site_new();
	const char *id =
	    fake_create(site, site_document(site->arena, "mine", "node a : p\n"), "RUNNING");
	struct snc_word words[] = {{"echo"}, {"marker-in-a-command"}};
	struct snc_exec_args exec = {id, "a", words, 2, 1000};
	struct snc_console_write_args typed = {id, "a", {"marker-typed", 12}};
	struct snc_audit_list_result list;
	const char *bad = document_of(site, "bad");
	struct err err;
	size_t n_typed = 0;

	assert_text("RUNNING", fake_wait(site, id, "RUNNING")->state);
	(void)fake_create_refused(site, bad);
	assert_true(
	    snc_exec_call(&site->developer, site->arena, &exec, &(struct snc_exec_result){}, &err));
	for (int i = 0; i < 3; i++)
		assert_true(snc_console_write_call(&site->developer, site->arena, &typed,
		    &(struct snc_console_write_result){}, &err));

	list = records(site, 0);
	assert_true(find(&list, "exec", "ok") != NULL);
	for (size_t i = 0; i < list.n_records; i++) {
		n_typed += !strcmp(list.records[i].method, "console_write");
		assert_true(!strstr(list.records[i].object, "marker"));
		assert_true(!strstr(list.records[i].detail, "marker"));
	}
	assert_equal(1, n_typed);
	fake_site_free(site);
}

/* With a role that may nothing, whatever is called is refused, and the refusal recorded. */
static void
every_method_refuses_who_has_no_role_and_records_it(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_audit_list_result list;

	for (size_t i = 0; i < snc_service.n_methods; i++) {
		bool is_known = audit_knows(snc_service.methods[i].name);
		struct rpc_call call = {"stranger", "nobody", site->arena};
		const char *body = arena_format(site->arena,
		    "<?xml version=\"1.0\"?><methodCall><methodName>snc.%s</methodName>"
		    "<params></params></methodCall>",
		    snc_service.methods[i].name);
		auto_str struct str reply = {0};

		if (!is_known)
			printf("\nis %s recorded? (snc/audit.c)", snc_service.methods[i].name);
		assert_true(is_known);
		rpc_server_handle(site->server, &call, body, strlen(body), &reply);
		assert_true(strstr(str_text(&reply), "<fault>") != NULL);
	}
	list = records(site, 0);
	assert_equal(snc_service.n_methods, list.n_records);
	for (size_t i = 0; i < list.n_records; i++) {
		assert_text(snc_service.methods[i].name, list.records[i].method);
		assert_text("forbidden", list.records[i].result);
	}
	fake_site_free(site);
}

static void
only_operators_read_it(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_audit_list_result result;
	struct err err;

	assert_true(!snc_audit_list_call(
	    &site->developer, site->arena, &(struct snc_audit_list_args){0}, &result, &err));
	assert_equal(ERR_FORBIDDEN, err.code);
	result = records(site, 0);
	assert_text("dev1", find(&result, "audit_list", "forbidden")->name);
	fake_site_free(site);
}

/* A flood of one refusal is one record a second, not a commit each. */
static void
refusals_of_a_kind_are_not_recorded_without_end(void)
{
	struct fake_site *site = fake_site_new();
	struct err err;

	for (int i = 0; i < 200; i++)
		assert_true(!snc_slice_run_call(&site->other, site->arena,
		    &(struct snc_slice_run_args){arena_format(site->arena, "guess%d", i)},
		    &(struct snc_slice_run_result){}, &err));
	assert_true(records(site, 0).n_records < 100);
	fake_site_free(site);
}

/* ---- what somebody does to it ---------------------------------------------------------------- */

enum { N_RECORDS = 12 };

static void
fill(struct fake_site *site)
{
	struct err err;

	for (int i = 0; i < N_RECORDS; i++) {
		struct snc_project_create_args args = {
		    arena_format(site->arena, "p%d", i), "", "dev1"};

		assert_true(snc_project_create_call(
		    &site->noc, site->arena, &args, &(struct snc_project_create_result){}, &err));
	}
}

static void
damage(struct snc_audit *list, size_t *n, unsigned *seed, struct arena *arena)
{
	size_t at = (size_t)rand_r(seed) % *n, other = (at + 1) % *n;
	struct snc_audit kept = list[at];

	switch (rand_r(seed) % 5) {
	case 0: /* one character of one text */
		list[at].object = arena_format(arena, "%s.", kept.object);
		break;
	case 1:
		list[at].at_ms ^= 1LL << rand_r(seed) % 40;
		break;
	case 2: /* taken out, with the numbers closed up */
		for (size_t i = at; i + 1 < *n; i++) {
			list[i] = list[i + 1];
			list[i].seq--;
		}
		--*n;
		break;
	case 3: /* another order */
		list[at] = list[other];
		list[other] = kept;
		list[other].seq = list[at].seq;
		list[at].seq = kept.seq;
		break;
	default: /* cut off */
		*n = at;
	}
}

static void
every_damage_is_found(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_audit_list_result list;
	struct audit_chain head;
	unsigned seed = 3;

	fill(site);
	list = records(site, 0);
	assert_equal(N_RECORDS, list.n_records);
	head.seq = N_RECORDS;
	memcpy(head.hash.text, list.records[N_RECORDS - 1].hash, sizeof(head.hash.text));
	assert_true(holds(list.records, list.n_records, &head));
	for (int i = 0; i < 1000; i++) {
		struct snc_audit damaged[N_RECORDS];
		size_t n = N_RECORDS;

		memcpy(damaged, list.records, sizeof(damaged));
		damage(damaged, &n, &seed, site->arena);
		assert_true(!holds(damaged, n, &head));
	}
	fake_site_free(site);
}

static bool
try_sql(struct fake_site *site, const char *sql)
{
	auto_txn struct txn *txn = store_begin(site->store);
	struct err err;

	return txn_run(txn, &err, sql, "") && txn_commit(&txn, &err);
}

static void
store_lets_nobody_change_it_and_restart_goes_on(void)
{
	struct fake_site *site = fake_site_new();
	struct snc_audit_list_result list;

	fill(site);
	assert_true(!try_sql(site, "DELETE FROM audit WHERE seq = 3"));
	assert_true(!try_sql(site, "UPDATE audit SET name = 'me' WHERE seq = 3"));
	fake_site_restart_snc(site);
	assert_true(!snc_project_delete_call(&site->developer, site->arena,
	    &(struct snc_project_delete_args){"p1"}, &(struct snc_project_delete_result){},
	    &(struct err){0}));
	list = records(site, 0);
	assert_equal(N_RECORDS + 1, list.n_records);
	assert_true(holds(list.records, list.n_records, NULL));
	assert_true(try_sql(site, "DROP TRIGGER audit_stays"));
	assert_true(try_sql(site, "UPDATE audit SET name = 'me' WHERE seq = 3"));
	list = records(site, 0);
	assert_true(!holds(list.records, list.n_records, NULL));
	fake_site_free(site);
}

static const struct test tests[] = {
    TEST(slice_leaves_its_trail),
    TEST(nothing_secret_is_recorded),
    TEST(every_method_refuses_who_has_no_role_and_records_it),
    TEST(only_operators_read_it),
    TEST(refusals_of_a_kind_are_not_recorded_without_end),
    TEST(every_damage_is_found),
    TEST(store_lets_nobody_change_it_and_restart_goes_on),
};

suite_main("audit", tests)
