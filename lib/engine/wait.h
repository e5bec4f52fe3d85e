/*
 * Waiting with a bound, for the threads of both halves and of daemons.
 */
#pragma once

#include <pthread.h>
#include <stdint.h>

/* A condition whose waits are bounded by CLOCK_MONOTONIC. */
void wait_init(pthread_cond_t *cond);

/*
 * Waits at most ms, or until signalled, or without reason; never longer than 5 s, since the
 * injected clock, by which the caller decides, may run otherwise than the machine's.
 */
void wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms);
