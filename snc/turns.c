/*
 * Turns: a count of free ones, and a queue of those who wait.
 */
#include "snc/turns.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/vec.h"
#include "lib/engine/wait.h"

struct waiter {
	bool has_turn;
};

struct turns {
	pthread_mutex_t lock;
	pthread_cond_t bell;
	size_t n_free;
	int64_t wait_ms;
	vec_of(void *) queue; /* struct waiter */
};

void
turns_free(struct turns *turns)
{
	if (!turns)
		return;
	vec_done(&turns->queue);
	pthread_cond_destroy(&turns->bell);
	pthread_mutex_destroy(&turns->lock);
	free(turns);
}

struct turns *
turns_new(size_t n, int64_t wait_ms)
{
	struct turns *turns = xcalloc(1, sizeof(*turns));

	turns->n_free = n;
	turns->wait_ms = wait_ms;
	pthread_mutex_init(&turns->lock, NULL);
	wait_init(&turns->bell);
	return turns;
}

static void
leave_queue(struct turns *turns, const struct waiter *waiter)
{
	size_t n = 0;

	for (size_t i = 0; i < turns->queue.n; i++)
		if (turns->queue.items[i] != waiter)
			turns->queue.items[n++] = turns->queue.items[i];
	turns->queue.n = n;
}

/* Under the lock. false: it waited in vain. */
static bool
wait_turn(struct turns *turns)
{
	struct waiter waiter = {false};
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += turns->wait_ms % 1000 * 1000000;
	until.tv_sec += turns->wait_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	vec_push(&turns->queue, &waiter);
	while (!waiter.has_turn && rc == 0)
		rc = pthread_cond_timedwait(&turns->bell, &turns->lock, &until);
	leave_queue(turns, &waiter);
	return waiter.has_turn;
}

bool
turns_take(struct turns *turns, struct err *err)
{
	bool has_turn = true;

	pthread_mutex_lock(&turns->lock);
	if (turns->n_free) /* nobody waits for one then */
		turns->n_free--;
	else
		has_turn = wait_turn(turns);
	pthread_mutex_unlock(&turns->lock);
	if (has_turn)
		return true;
	err_set(err, ERR_BUSY, "others are being searched for, and none was done in time");
	return err_hint(err, "try again");
}

void
turns_give(struct turns *turns)
{
	struct waiter *next = NULL;

	pthread_mutex_lock(&turns->lock);
	for (size_t i = 0; i < turns->queue.n && !next; i++) {
		struct waiter *waiter = turns->queue.items[i];

		if (!waiter->has_turn)
			next = waiter;
	}
	if (next)
		next->has_turn = true;
	else
		turns->n_free++;
	pthread_cond_broadcast(&turns->bell);
	pthread_mutex_unlock(&turns->lock);
}
