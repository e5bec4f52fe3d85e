/*
 * The services of sncd: rows of schemas/rpc/snc.def and controller.def bound to the verbs. Handlers
 * of one row each; self is the struct snc. Roles have been tested before a handler runs.
 */
#pragma once

#include "lib/api/controller_api.h"
#include "lib/api/snc_api.h"
#include "snc/quota.h"
#include "snc/snc.h"

extern const struct snc_ops snc_service_ops;
extern const struct controller_ops snc_controller_ops;

/* Adds both to a server. */
bool snc_serve(struct snc *snc, struct rpc_server *server, struct err *err) must_check;

static inline struct snc_caller
service_caller(const struct rpc_call *call)
{
	return (struct snc_caller){call->role, call->name};
}

#define SNC_HANDLER(method)                                                                        \
	bool service_##method(void *self, const struct rpc_call *call,                             \
	    const struct snc_##method##_args *args, struct snc_##method##_result *result,          \
	    struct err *err)

/* snc_service_slice.c */
/* 0 = absent. What is no time is one in the past, and refused as such. */
int64_t service_wish_ms(struct rpc_opt_i64 wish);

/* In arena. */
struct snc_diagnosis *service_diagnoses(const diagnoses *found, struct arena *arena);

SNC_HANDLER(slice_check);
SNC_HANDLER(slice_create);
SNC_HANDLER(slice_list);
SNC_HANDLER(slice_show);
SNC_HANDLER(slice_run);
SNC_HANDLER(slice_stop);
SNC_HANDLER(slice_delete);
SNC_HANDLER(slice_wait);

/* snc_service_modify.c */
SNC_HANDLER(slice_reserve);
SNC_HANDLER(slice_modify);
SNC_HANDLER(slice_optimise);

/* snc_service_time.c */
SNC_HANDLER(slice_renew);
SNC_HANDLER(slice_find_slot);

/* snc_service_list.c */
SNC_HANDLER(events);
SNC_HANDLER(host_list);
SNC_HANDLER(node_list);
SNC_HANDLER(link_list);

/* snc_service_relay.c */
SNC_HANDLER(console_read);
SNC_HANDLER(console_write);
SNC_HANDLER(exec);

/* snc_service_link.c */
SNC_HANDLER(link_counters);
SNC_HANDLER(link_show);
SNC_HANDLER(link_set);

/* snc_service_capture.c */
SNC_HANDLER(capture_start);
SNC_HANDLER(capture_read);
SNC_HANDLER(capture_stop);

/* snc_service_delay.c */
SNC_HANDLER(delays);

/* snc_service_project.c */

/* Whose quotas a document is tried against: the project as of slice_create. */
bool service_tenant(struct snc *snc, const struct rpc_call *call, const char *project,
    struct quota_tenant *tenant, struct err *err) must_check;

SNC_HANDLER(project_list);
SNC_HANDLER(project_show);
SNC_HANDLER(project_create);
SNC_HANDLER(project_delete);
SNC_HANDLER(member_set);
SNC_HANDLER(member_remove);
SNC_HANDLER(quota_set);
SNC_HANDLER(usage);
SNC_HANDLER(audit_list);

/* snc_service_host.c */
SNC_HANDLER(host_evict);
SNC_HANDLER(host_readmit);
SNC_HANDLER(host_retry);
SNC_HANDLER(host_drain);
SNC_HANDLER(host_undrain);
SNC_HANDLER(restore);

/* snc_service_site.c */
SNC_HANDLER(orphans);
SNC_HANDLER(doctor);
