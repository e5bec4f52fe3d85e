/*
 * Values with units, as slice documents and inventories write them, and rates on the wire.
 * `200Mbps`, `2GiB`, `20ms`, `1%`, `3`; a bare number for a key with a unit is an error.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct unit_text {
	char text[32];
};

/* Each fails with ERR_S08 and says which form was expected. Zero and negative values are refused.
 */
bool unit_rate(const char *text, int64_t *bps, struct err *err) must_check;
bool unit_size(const char *text, int64_t *bytes, struct err *err) must_check;
bool unit_time(const char *text, int64_t *us, struct err *err) must_check;
bool unit_ratio(
    const char *text, int64_t *ppm, struct err *err) must_check; /* parts per million, 0 allowed */
bool unit_count(const char *text, int64_t *count, struct err *err) must_check;

/* For people: "200 Mbps", "2 GiB", "20 ms". */
struct unit_text rate_text(int64_t bps);
struct unit_text size_text(int64_t bytes);
struct unit_text time_text(int64_t us);

/*
 * The wire rate that carries `rate_bps` of the slice's own full frames when each gets `overhead`
 * bytes in front (42 of GRE): rate x (mtu + 14 + overhead) / (mtu + 14), rounded up. Ports, edges
 * and shaper classes are booked in wire rates.
 */
int64_t rate_on_wire(int64_t rate_bps, int64_t mtu, int64_t overhead);

/* The other way: exact for what rate_on_wire has given. */
int64_t rate_from_wire(int64_t wire_bps, int64_t mtu, int64_t overhead);
