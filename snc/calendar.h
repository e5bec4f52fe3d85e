/*
 * Who takes how much of what, and when, seen through one window of wall time: of each thing that
 * can be counted, its worst instant within the window counts, not the sum. Pure.
 */
#pragma once

#include <stdint.h>

#include "lib/base/err.h"

/* From the first instant to just before the second; milliseconds since 1970. */
struct calendar_span {
	int64_t from_ms, until_ms;
};

#define CALENDAR_ALWAYS INT64_MIN /* as a start: it is there already */
#define CALENDAR_EVER INT64_MAX   /* as an end: nobody knows one */

struct calendar;

/* The window is not empty. */
void calendar_free(struct calendar *calendar);
struct calendar *calendar_new(struct calendar_span window) malloc_by(calendar_free) must_check;

/* During the span `amount` of what `*free` counts is taken; negative: is given back. `free` names
 * the thing, and is borrowed until the calendar is freed. */
void calendar_take(
    struct calendar *calendar, int64_t *free, struct calendar_span span, int64_t amount);

/* Takes from each thing what is taken of it at its worst instant. Once, when all is told. */
void calendar_settle(struct calendar *calendar);
