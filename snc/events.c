/*
 * Events and their bell.
 */
#include "snc/events.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/engine/wait.h"

/* A manager notes the same at most every 10 s; within that it is the same note, told again. */
enum { NOTE_AGAIN_MS = 9 * 1000 };

struct events {
	const struct clock *clock;
	pthread_mutex_t lock;
	pthread_cond_t bell;
	int64_t rung;
};

void
events_free(struct events *events)
{
	if (!events)
		return;
	pthread_cond_destroy(&events->bell);
	pthread_mutex_destroy(&events->lock);
	free(events);
}

struct events *
events_new(const struct clock *clock)
{
	struct events *events = xcalloc(1, sizeof(*events));

	events->clock = clock;
	pthread_mutex_init(&events->lock, NULL);
	wait_init(&events->bell);
	return events;
}

static void
add(struct events *events, struct txn *txn, const struct slice_record *slice,
    struct event_record *event)
{
	struct err err;

	event->at_ms = clock_wall_ms(events->clock);
	event->slice_id = slice ? slice->id : "";
	event->slice = slice ? slice->name : "";
	event->owner = slice ? slice->owner : "";
	event->project = slice ? slice->project : "";
	if (!store_event_add(txn, event, &err))
		log_error(
		    "snc", "event=event_lost subject=\"%s\" why=\"%s\"", event->subject, err.text);
	events_ring(events);
}

void
events_add(struct events *events, struct txn *txn, const struct slice_record *slice,
    const char *subject, const char *what, const char *text)
{
	struct event_record event = {.subject = subject, .what = what, .text = text};

	add(events, txn, slice, &event);
}

void
events_add_note(struct events *events, struct txn *txn, const struct slice_record *slice,
    const char *subject, const char *what, const char *text)
{
	struct event_record event = {
	    .subject = subject, .what = what, .text = text, .again_ms = NOTE_AGAIN_MS};

	add(events, txn, slice, &event);
}

void
events_ring(struct events *events)
{
	pthread_mutex_lock(&events->lock);
	events->rung++;
	pthread_cond_broadcast(&events->bell);
	pthread_mutex_unlock(&events->lock);
}

int64_t
events_rung(struct events *events)
{
	int64_t rung;

	pthread_mutex_lock(&events->lock);
	rung = events->rung;
	pthread_mutex_unlock(&events->lock);
	return rung;
}

bool
events_wait(struct events *events, int64_t rung, int64_t wait_ms)
{
	struct timespec until;
	int rc = 0;
	bool has_rung;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&events->lock);
	while (events->rung == rung && rc == 0)
		rc = pthread_cond_timedwait(&events->bell, &events->lock, &until);
	has_rung = events->rung != rung;
	pthread_mutex_unlock(&events->lock);
	return has_rung;
}
