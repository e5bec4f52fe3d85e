/*
 * What stands for the system's locks and conditions. A lock is no more than its owner; who holds
 * one may lose its turn, as threads do.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "test/support/sim_part.h"

/* Lies in the memory of a pthread_mutex_t, all zero in one that is free. */
struct sim_lock {
	const void *owner;
};

int sim_lock_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
    STANDS_FOR(pthread_mutex_init);
int sim_lock_destroy(pthread_mutex_t *mutex) STANDS_FOR(pthread_mutex_destroy);
int sim_lock_take(pthread_mutex_t *mutex) STANDS_FOR(pthread_mutex_lock);
int sim_lock_give(pthread_mutex_t *mutex) STANDS_FOR(pthread_mutex_unlock);
int sim_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
    STANDS_FOR(pthread_cond_init);
int sim_cond_destroy(pthread_cond_t *cond) STANDS_FOR(pthread_cond_destroy);
int sim_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) STANDS_FOR(pthread_cond_wait);
int sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
    STANDS_FOR(pthread_cond_timedwait);
int sim_cond_signal(pthread_cond_t *cond) STANDS_FOR(pthread_cond_signal);
int sim_cond_broadcast(pthread_cond_t *cond) STANDS_FOR(pthread_cond_broadcast);

int
sim_lock_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	struct sim_lock *lock = (void *)mutex;

	(void)attr;
	lock->owner = NULL;
	return 0;
}

int
sim_lock_destroy(pthread_mutex_t *mutex)
{
	(void)mutex;
	return 0;
}

int
sim_lock_take(pthread_mutex_t *mutex)
{
	struct sim_lock *lock = (void *)mutex;

	if (!sim_self())
		return 0; /* before the beginning there is nobody else */
	sim_maybe_switch();
	if (lock->owner == sim_self())
		return EDEADLK;
	while (lock->owner)
		(void)sim_wait(lock, SIM_FOREVER);
	lock->owner = sim_self();
	return 0;
}

int
sim_lock_give(pthread_mutex_t *mutex)
{
	struct sim_lock *lock = (void *)mutex;

	lock->owner = NULL;
	if (!sim_self())
		return 0;
	sim_wake(lock);
	sim_maybe_switch();
	return 0;
}

int
sim_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
	(void)cond, (void)attr;
	return 0;
}

int
sim_cond_destroy(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

static int
cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
	struct sim_lock *lock = (void *)mutex;
	bool is_woken;

	lock->owner = NULL;
	sim_wake(lock);
	is_woken = sim_wait(cond, ms);
	while (lock->owner)
		(void)sim_wait(lock, SIM_FOREVER);
	lock->owner = sim_self();
	return is_woken ? 0 : ETIMEDOUT;
}

int
sim_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	return cond_wait(cond, mutex, SIM_FOREVER);
}

int
sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	int64_t ms = (int64_t)until->tv_sec * 1000 + (until->tv_nsec + 999999) / 1000000;

	return cond_wait(cond, mutex, ms - (int64_t)SIM_EPOCH_S * 1000 - sim_now_ms());
}

int
sim_cond_signal(pthread_cond_t *cond)
{
	sim_wake_one(cond);
	return 0;
}

int
sim_cond_broadcast(pthread_cond_t *cond)
{
	sim_wake(cond);
	return 0;
}
