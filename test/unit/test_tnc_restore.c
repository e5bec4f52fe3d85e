/*
 * tncd on a database that was put back to an older state; and what NOC staff have tried again.
 */
#include <string.h>

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
    TEST(every_router_is_told_to_try_again),
};

suite_main("tnc_restore", tests)
