/*
 * What the data plane has noted of links with stamps: entries of the map vn_delays. The caller
 * holds the driver's lock.
 */
#pragma once

#include "redirector/maps_bpf.h"

/* There is an entry; numbers of a new one begin with a run of its own. */
bool delay_ensure(struct maps *maps, uint64_t rid, struct err *err) must_check;

bool delay_is_there(const struct maps *maps, uint64_t rid) must_check;

/* Absent is success. */
bool delay_drop(struct maps *maps, uint64_t rid, struct err *err) must_check;

/* ERR_NOT_FOUND: it is no link with stamps. */
bool delay_read(const struct maps *maps, uint64_t rid, struct dataplane_delays *delays,
    struct err *err) must_check;

/* What an entry says; pure. */
struct dataplane_delays delay_summary(const struct redirect_delay *delay);
