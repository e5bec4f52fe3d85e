/*
 * What a tncd says that has a network of two routers, one for each port of all VNodes, v1 to vN,
 * and room for everything.
 */
#pragma once

#include <stdint.h>

#include "lib/api/tnc_api.h"

struct plain_tnc {
	size_t n_hosts;
};

/* self: a struct plain_tnc. */
extern const struct tnc_ops plain_tnc_ops;

/* What is answered to the reservation of a share: appended to result. */
void plain_share(uint64_t rid, struct str *result);
