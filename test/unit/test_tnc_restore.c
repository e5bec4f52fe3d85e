/*
 * tncd on a database that was put back to an older state; and what NOC staff have tried again.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test/support/suite.h"
#include "test/support/tnc_net.h"

static bool
restore(struct net *net, bool confirm, struct tnc_restore_result *result, struct err *err)
{
	const struct rpc_call call = {.role = "noc", .name = "carol", .arena = net->arena};

	*err = (struct err){0};
	*result = (struct tnc_restore_result){0};
	return tnc_ops.restore(net->tnc, &call, &(struct tnc_restore_args){confirm}, result, err);
}

/* The database of a tncd that has ended: closed, it is one file. */
static void
copy_database(struct net *net, const char *from, const char *to)
{
	auto_str struct str source = {0}, target = {0};
	char buffer[65536];
	FILE *in, *out;
	size_t n;

	str_addf(&source, "%s/%s", net->dir, from);
	str_addf(&target, "%s/%s", net->dir, to);
	in = fopen(source.text, "re");
	out = fopen(target.text, "we");
	assert_true(in != NULL && out != NULL);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		assert_equal(fwrite(buffer, 1, n, out), n);
	fclose(in);
	assert_true(fclose(out) == 0);
}

static size_t
count_routes(struct net *net)
{
	size_t n = 0;

	for (int i = 0; i < N_ROUTERS; i++)
		n += route_fake_count(&net->sites[i].routes);
	return n;
}

/* The first call to a router tells. */
static bool
is_noticed(void *self)
{
	struct tnc_restore_result result;
	struct err err;

	assert_true(restore(self, false, &result, &err));
	return result.why[0] != '\0';
}

/* Of the shares before it is one left: its path, and nothing else, is on the routers. */
static bool
has_one_path(void *self)
{
	struct net *net = self;

	return net_paths(net).n_paths == 1 && str_equal(net_paths(net).paths[0].state, "ACTIVE") &&
	       net_orphans(net).n_orphans == 0;
}

static void
books_that_are_not_older_are_trusted(void)
{
	struct net *net = net_new("trusted", 24);
	struct tnc_restore_result result;
	struct held held;
	struct err err;

	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &held), ERR_NONE);
	assert_true(net_commit(net, &held));
	net_tnc_stop(net);
	net_tnc_start(net);
	assert_true(eventually(has_one_path, net));
	assert_true(restore(net, false, &result, &err));
	assert_text(result.why, "");
	CU_ASSERT_FALSE(restore(net, true, &result, &err));
	assert_equal(err.code, ERR_CONFLICT);
	net_free(net);
}

static void
no_path_goes_before_older_books_are_confirmed(void)
{
	struct net *net = net_new("older", 24);
	struct tnc_restore_result result;
	struct held lost, held;
	size_t n_routes;
	struct err err;

	net_tnc_stop(net);
	copy_database(net, "tncd.db", "backup");
	net_tnc_start(net);
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h2:u0", mbps, ""), &lost), ERR_NONE);
	assert_true(net_commit(net, &lost));
	n_routes = count_routes(net);
	assert_true(n_routes > 0);
	net_tnc_stop(net);
	copy_database(net, "backup", "tncd.db");
	net_tnc_start(net);
	assert_equal(net_reserve(net, net_share(net, "h1:u0", "h3:u0", mbps, ""), &held), ERR_NONE);
	assert_true(eventually(is_noticed, net));
	assert_equal(count_routes(net), n_routes);
	CU_ASSERT_NOT_EQUAL(
	    net_reserve(net, net_share(net, "h3:u0", "h2:u0", mbps, ""), &lost), ERR_NONE);

	/* A router that cannot be asked may hold what would be given again. */
	net->sites[2].is_cut = true;
	CU_ASSERT_FALSE(restore(net, true, &result, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	net->sites[2].is_cut = false;
	assert_true(restore(net, true, &result, &err));
	assert_true(result.n_unknown > 0);
	assert_true(!strncmp(result.unknown[0].manager, "router@r", strlen("router@r")));
	assert_true(net_commit(net, &held));
	assert_true(eventually(has_one_path, net));
	assert_true(restore(net, false, &result, &err));
	assert_text(result.why, "");
	assert_true(net_release(net, &held));
	assert_true(eventually(net_has_no_routes, net));
	net_free(net);
}

static void
every_router_is_told_to_try_again(void)
{
	struct net *net = net_new("again", 24);
	const struct rpc_call call = {.role = "noc", .name = "carol", .arena = net->arena};
	struct tnc_retry_result result = {7};
	struct err err = {0};
	int n_calls = net->sites[2].n_calls;

	assert_true(tnc_ops.retry(net->tnc, &call, &(struct tnc_retry_args){}, &result, &err));
	assert_equal(result.n, 0);
	assert_equal(net->sites[2].n_calls, n_calls + 1);
	net->sites[1].is_cut = true;
	CU_ASSERT_FALSE(tnc_ops.retry(net->tnc, &call, &(struct tnc_retry_args){}, &result, &err));
	assert_equal(err.code, ERR_UNAVAILABLE);
	assert_true(strstr(err.text, "router@r2") != NULL);
	net_free(net);
}

static const struct test tests[] = {
    TEST(books_that_are_not_older_are_trusted),
    TEST(no_path_goes_before_older_books_are_confirmed),
    TEST(every_router_is_told_to_try_again),
};

suite_main("tnc_restore", tests)
