/*
 * The calendar of one thing that can be counted: who takes how much of it from when, and until
 * when. Of a window of time its worst instant counts, not the sum; found in logarithmic time,
 * however much begins and ends. Pure.
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

struct calendar_instant;

/* Empty when zeroed. */
struct calendar {
	struct calendar_instant *root;
};

void calendar_done(struct calendar *calendar);

/*
 * During a span that is not empty so much more is taken. A negative amount takes back what was said
 * before. CALENDAR_ALWAYS and CALENDAR_EVER are no instants: nothing begins, or ends, then.
 */
void calendar_take(struct calendar *calendar, struct calendar_span span, int64_t amount);

/*
 * The most that is taken at any instant of the window, which is not empty. What should have ended
 * by `now_ms` has not, as far as anybody knows: nothing ends until then, nor does the window begin
 * before; CALENDAR_ALWAYS = everything ends when it was said to.
 */
int64_t calendar_worst(
    const struct calendar *calendar, struct calendar_span window, int64_t now_ms) must_check;

static inline void
calendar_cleanup(struct calendar *calendar)
{
	calendar_done(calendar);
}

#define auto_calendar __attribute__((cleanup(calendar_cleanup)))
