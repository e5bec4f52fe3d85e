/*
 * Links of the fake sncd: always the same, whatever is asked.
 */
#include "test/support/fake_snc_link.h"

#include <string.h>

#include "lib/base/str.h"
#include "test/support/suite.h"

static const struct snc_link_end fake_link_ends[] = {
    {"n1.p1", "local", 0, 7}, {"n2.p1", "local", 0, 7}, {"n3.p1", "p1", 0, 8}};

static const struct snc_link fake_link_rows[] = {
    {
	.slice = "ring",
	.name = "l1",
	.a = "n1.p1",
	.b = "n2.p1",
	.host_a = "koganei",
	.host_b = "osaka",
	.type = "GRE",
	.rate_ab_bps = 100000000,
	.rate_ba_bps = 100000000,
	.ceiling_bps = 200000000,
	.ceiling_ab_bps = 200000000,
	.ceiling_ba_bps = 100000000,
	.reserved_ab_bps = 100000000,
	.reserved_ba_bps = 100000000,
	.isolation = "shaping",
	.mtu = 1500,
	.path = "local",
	.state = "open",
	.key = 7,
	.ends = fake_link_ends,
	.n_ends = 2,
    },
    {
	.slice = "ring",
	.name = "lan",
	.a = "n1.p1",
	.b = "",
	.host_a = "koganei",
	.host_b = "osaka",
	.type = "GRE",
	.rate_ab_bps = 100000000,
	.rate_ba_bps = 100000000,
	.ceiling_bps = 200000000,
	.isolation = "shaping",
	.mtu = 1500,
	.path = "hub osaka",
	.latency_us = 3000,
	.state = "open",
	.ends = fake_link_ends,
	.n_ends = 3,
    },
};

static bool
fake_links(void *self, const struct rpc_call *call, const struct snc_link_list_args *args,
    struct snc_link_list_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_link_list_result){fake_link_rows, 2};
	return true;
}

/* Two links; the second carries more. */
static const struct snc_end_counters fake_ends[] = {
    {.slice = "ring",
	.link = "l1",
	.node = "n1.p1",
	.tx_frames = 11,
	.tx_oversize = 3,
	.queue_drops = 8,
	.queue_bytes = 1500,
	.tx_bps = 1500,
	.tx_fps = 2},
    {.slice = "ring", .link = "l1", .node = "n2.p1", .rx_frames = 6, .tx_bps = 500},
    {.slice = "ring", .link = "l2", .node = "n2.p2", .tx_bps = 20000000},
    {.slice = "ring", .link = "l2", .node = "n3.p1", .tx_bps = 3000},
};

static bool
fake_counters(void *self, const struct rpc_call *call, const struct snc_link_counters_args *args,
    struct snc_link_counters_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct snc_link_counters_result){fake_ends, 4};
	return true;
}

static bool
fake_link_show(void *self, const struct rpc_call *call, const struct snc_link_show_args *args,
    struct snc_link_show_result *result, struct err *err)
{
	(void)self, (void)call, (void)err;
	CU_ASSERT_STRING_EQUAL(args->slice, "ring");
	*result = (struct snc_link_show_result){fake_link_rows, 1, fake_ends, 2};
	return true;
}

/* Writes what is wanted into the link; more than 100 Mbps are refused. */
static bool
fake_link_set(void *self, const struct rpc_call *call, const struct snc_link_set_args *args,
    struct snc_link_set_result *result, struct err *err)
{
	struct snc_link *links = arena_alloc(call->arena, 2 * sizeof(*links));

	(void)self;
	links[0] = links[1] = fake_link_rows[0];
	if (args->rate_ab_bps.is_set)
		links[1].rate_ab_bps = args->rate_ab_bps.value;
	if (args->rate_ba_bps.is_set)
		links[1].rate_ba_bps = args->rate_ba_bps.value;
	if (args->ceiling_ab_bps.is_set)
		links[1].ceiling_ab_bps = links[1].ceiling_ba_bps = args->ceiling_ab_bps.value;
	if (args->isolation)
		links[1].isolation = args->isolation;
	if (args->priority.is_set)
		links[1].priority = args->priority.value;
	if (args->burst_bytes.is_set)
		links[1].burst_bytes = args->burst_bytes.value;
	if (links[1].rate_ab_bps > links[0].reserved_ab_bps)
		return err_set(err, ERR_R02, "too much");
	*result = (struct snc_link_set_result){args->wait_ms > 0, links, 2};
	return true;
}

/* A stream of four letters: the head, then three readings, which must ask where the last ended. */
static bool
fake_capture_start(void *self, const struct rpc_call *call,
    const struct snc_capture_start_args *args, struct snc_capture_start_result *result,
    struct err *err)
{
	(void)self, (void)call;
	if (str_equal(args->filter, "imcp"))
		return err_set(err, ERR_BAD_VALUE, "'imcp' is no word of a filter");
	*result = (struct snc_capture_start_result){
	    args->end ? args->end : "n1.p1", "koganei", "c1", {args->interface ? "B" : "A", 1}};
	return true;
}

static bool
fake_capture_read(void *self, const struct rpc_call *call, const struct snc_capture_read_args *args,
    struct snc_capture_read_result *result, struct err *err)
{
	static const char letters[] = "xyz";

	(void)self, (void)call, (void)err;
	CU_ASSERT_TRUE(args->cursor >= 0 && args->cursor < 3);
	*result = (struct snc_capture_read_result){{letters + args->cursor, 1}, args->cursor + 1,
	    args->cursor == 2, args->cursor == 2 ? "its time is over" : "", args->cursor + 1, 0};
	return true;
}

static bool
fake_capture_stop(void *self, const struct rpc_call *call, const struct snc_capture_stop_args *args,
    struct snc_capture_stop_result *result, struct err *err)
{
	(void)self, (void)call, (void)result, (void)err;
	CU_ASSERT_STRING_EQUAL(args->capture, "c1");
	return true;
}

/* Every document gives link l1 a higher rate and takes node n2 away. */
static bool
fake_modify(void *self, const struct rpc_call *call, const struct snc_slice_modify_args *args,
    struct snc_slice_modify_result *result, struct err *err)
{
	static struct snc_change changes[] = {
	    {"link", "l1", "hitless", true, "bandwidth 20Mbps, was 10Mbps", 7},
	    {"node", "n2", "remove", false, "", 12},
	};

	(void)self, (void)call;
	if (!args->restart && !args->plan)
		return err_set(err, ERR_O04, "node 'n2' would begin anew");
	*result = (struct snc_slice_modify_result){
	    "0000000000001", args->slice, "remove", changes, 2, !args->plan};
	return true;
}

/* One link is to be moved, once. */
static bool
fake_optimise(void *self, const struct rpc_call *call, const struct snc_slice_optimise_args *args,
    struct snc_slice_optimise_result *result, struct err *err)
{
	static struct snc_move moves[] = {{"base", "base", "dev1", "link", "l1", "hitless",
	    "koganei:u0", "koganei:u1", 320000000, 0, false, ""}};

	(void)self, (void)call, (void)err;
	*result = (struct snc_slice_optimise_result){moves, !moves[0].under_way, true};
	if (!args->plan)
		moves[0].under_way = true;
	return true;
}

void
fake_snc_link(struct snc_ops *ops)
{
	ops->slice_optimise = fake_optimise;
	ops->slice_modify = fake_modify;
	ops->link_list = fake_links;
	ops->link_counters = fake_counters;
	ops->link_show = fake_link_show;
	ops->link_set = fake_link_set;
	ops->capture_start = fake_capture_start;
	ops->capture_read = fake_capture_read;
	ops->capture_stop = fake_capture_stop;
}
