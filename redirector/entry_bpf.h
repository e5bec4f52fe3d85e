/*
 * A link end as the maps of redirect.bpf.c have it. Pure; every byte is set, so that entries can be
 * compared.
 */
#pragma once

#include "redirector/bpf/redirect_abi.h"
#include "redirector/dataplane.h"

struct redirect_departure entry_departure(const struct dataplane_link *link, uint32_t slot);
struct redirect_arrival entry_arrival(const struct dataplane_link *link, uint32_t slot);

/* Where its arrivals are found; `nth` of the formats with the same discriminator. */
struct redirect_arrival_key entry_arrival_key(const struct dataplane_link *link, uint8_t nth);

/* How packets of a type are recognised, and where that stands. */
struct redirect_format_key entry_format_key(const struct link_type *type, uint8_t nth);
struct redirect_format entry_format(const struct link_type *type);

/* How frames leave by it. */
struct dataplane_way entry_way(const struct redirect_departure *departure);

/* The same for the driver `device`: what its tunnel device is told; on the loop without one. */
struct redirect_departure entry_tunnel_departure(
    const struct dataplane_link *link, uint32_t slot, uint8_t kind, uint32_t device);
struct redirect_arrival_key entry_tunnel_key(const struct dataplane_link *link, uint32_t device);
struct redirect_arrival entry_tunnel_arrival(const struct dataplane_link *link, uint32_t slot);
struct dataplane_way entry_tunnel_way(const struct redirect_departure *departure);
