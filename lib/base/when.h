/*
 * Instants as people write them: "2026-11-22T08:00:00Z", "2026-11-22T17:00+09:00", "+90m". Always
 * with a zone, so that no summer time can make two of one; milliseconds since 1970.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

struct when_text {
	char text[32];
};

/* "2026-11-22T08:00:00Z"; with milliseconds when there are some. Outside the years 1970 to 9999
 * the nearest instant of them is said. */
struct when_text when_text(int64_t at_ms);

/* "1h30m", "45s", "250ms": the two largest units. */
struct when_text when_length_text(int64_t length_ms);

/* ERR_BAD_VALUE with what is wrong and how to write it: no such day, no zone, a leap second, a year
 * before 1970 or after 9999. "+LENGTH" counts from now_ms. */
bool when_parse(const char *text, int64_t now_ms, int64_t *at_ms, struct err *err) must_check;

/* "90m", "2h30m", "3d", "250ms". Never zero. ERR_BAD_VALUE. */
bool when_length_parse(const char *text, int64_t *length_ms, struct err *err) must_check;
