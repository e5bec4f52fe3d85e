/*
 * Turns at what only so many may do at a time: searches that take seconds, each on the thread of
 * its caller. Who comes first is first served. Thread-safe.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct turns;

/* So many at a time; others wait at most so long. Nobody may hold or wait for one at the end. */
void turns_free(struct turns *turns);
struct turns *turns_new(size_t n, int64_t wait_ms) malloc_by(turns_free) must_check;

/* Waits for a turn. ERR_BUSY when none came; otherwise turns_give ends it. */
bool turns_take(struct turns *turns, struct err *err) must_check;
void turns_give(struct turns *turns);
