/*
 * Handlers of schemas/rpc/redirector.def; self is the struct redirector.
 */
#pragma once

#include "lib/api/redirector_api.h"
#include "redirector/redirector.h"

/* redirector_counters.c */
bool service_counters(void *self, const struct rpc_call *call,
    const struct redirector_counters_args *args, struct redirector_counters_result *result,
    struct err *err);

/* redirector_capture.c */
bool service_capture_start(void *self, const struct rpc_call *call,
    const struct redirector_capture_start_args *args,
    struct redirector_capture_start_result *result, struct err *err);
bool service_capture_read(void *self, const struct rpc_call *call,
    const struct redirector_capture_read_args *args, struct redirector_capture_read_result *result,
    struct err *err);
bool service_capture_stop(void *self, const struct rpc_call *call,
    const struct redirector_capture_stop_args *args, struct redirector_capture_stop_result *result,
    struct err *err);

extern const struct redirector_ops redirector_rpc_ops;

/* Of the format converter: the method `conversions`, and what doctor tells of one of its devices.
 */
bool conversions_rpc(void *self, const struct rpc_call *call,
    const struct redirector_conversions_args *args, struct redirector_conversions_result *result,
    struct err *err);
struct redirector_fact converter_fact(
    struct converter *converter, const struct converter_device *at, struct arena *arena);
