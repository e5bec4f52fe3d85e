/*
 * redirectord of the fake site.
 */
#include "test/support/fake_redirector.h"

#include <string.h>

#include "test/support/fake_site.h"

/* Of each link end the same; a rate when one is to be measured. */
static bool
count(void *self, const struct rpc_call *call, const struct redirector_counters_args *args,
    struct redirector_counters_result *result, struct err *err)
{
	struct redirector_counts *counts =
	    arena_alloc(call->arena, args->n_links * sizeof(counts[0]));
	struct fake_manager *fake = self;

	(void)err;
	fake->n_asked++;
	for (size_t i = 0; i < args->n_links; i++)
		counts[i] = (struct redirector_counts){.rid = args->links[i].rid,
		    .tx_frames = 100,
		    .over_us = args->over_ms * 1000,
		    .tx_bps = args->over_ms ? 5000 : 0};
	*result = (struct redirector_counters_result){counts, args->n_links};
	return true;
}

static bool
begin(void *self, const struct rpc_call *call, const struct redirector_capture_start_args *args,
    struct redirector_capture_start_result *result, struct err *err)
{
	(void)self, (void)err;
	result->capture = arena_format(call->arena, "of %s", args->rid);
	result->head.bytes = arena_format(call->arena, "%s: %s", args->name, args->comment);
	result->head.size = strlen(result->head.bytes);
	return true;
}

static bool
read_on(void *self, const struct rpc_call *call, const struct redirector_capture_read_args *args,
    struct redirector_capture_read_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct redirector_capture_read_result){};
	return true;
}

static bool
stop(void *self, const struct rpc_call *call, const struct redirector_capture_stop_args *args,
    struct redirector_capture_stop_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct redirector_capture_stop_result){};
	return true;
}

static bool
doctor(void *self, const struct rpc_call *call, const struct redirector_doctor_args *args,
    struct redirector_doctor_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct redirector_doctor_result){};
	return true;
}

static bool
delays(void *self, const struct rpc_call *call, const struct redirector_delays_args *args,
    struct redirector_delays_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct redirector_delays_result){};
	return true;
}

static bool
conversions(void *self, const struct rpc_call *call, const struct redirector_conversions_args *args,
    struct redirector_conversions_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct redirector_conversions_result){};
	return true;
}

const struct redirector_ops redirector_fake_ops = {
    .conversions = conversions,
    .delays = delays,
    .counters = count,
    .capture_start = begin,
    .capture_read = read_on,
    .capture_stop = stop,
    .doctor = doctor,
};
