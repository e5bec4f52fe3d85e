/*
 * Captures under way. One thread takes the copies while there is a capture, and ends those whose
 * time, room or reader is gone.
 */
#include "redirector/tap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/vec.h"
#include "lib/engine/wait.h"
#include "redirector/pcapng.h"
#include "redirector/tap_frame.h"

enum {
	POLL_MS = 50,
	RENEW_MS = 1000,
	READER_MS = 10000,
	QUEUE_MAX = 4 << 20, /* bytes of a stream that nobody has read yet */
	NS_PER_S = 1000000000,
	BY_SIZE = 256,
};

struct capture {
	bool is_used;    /* the others mean nothing without */
	bool is_running; /* the data plane copies */
	char id[TAP_ID_SIZE];
	char by[BY_SIZE];
	struct dataplane_tap tap;
	uint32_t interface;
	int64_t frames_left, bytes_left; /* frames_left below 0: any number */
	int64_t until_ms, asked_ms;
	int n_readers;    /* that wait just now */
	uint64_t wall_ns; /* what makes a copy's time one since 1970 */
	uint64_t from_ns; /* since 1970 */
	uint64_t n_seen, n_dropped;
	struct str stream; /* from byte `at` on */
	int64_t at;
	char why[96];
};

/* A copy that was taken and has not been kept yet. */
struct batched {
	struct dataplane_copy copy;
	size_t at; /* of its bytes */
};

struct taps {
	struct dataplane dataplane;
	const struct clock *clock;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a stream has grown or ended, a capture has come, or the end */
	pthread_t thread;
	bool is_stopping;
	bool is_open; /* copies can come */
	uint32_t last_serial;
	int64_t renewed_ms;
	struct capture captures[TAPS_MAX];
	/* Of the thread alone. */
	vec_of(struct batched) batch;
	struct str bytes;
};

static uint64_t
clock_ns(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static struct capture *
find(struct taps *taps, uint64_t rid, const char *id)
{
	for (size_t i = 0; i < TAPS_MAX; i++) {
		struct capture *capture = &taps->captures[i];

		if (capture->is_used && capture->tap.rid == rid && str_equal(capture->id, id))
			return capture;
	}
	return NULL;
}

static unsigned
nth_of(const struct taps *taps, const struct capture *capture)
{
	return (unsigned)(capture - taps->captures);
}

/* ---- its end ------------------------------------------------------------------------------- */

/* The data plane's part is over; what is in the stream can still be read. */
static void
end(struct taps *taps, struct capture *capture, const char *why)
{
	struct err ignored;

	if (!capture->is_running)
		return;
	capture->is_running = false;
	(void)taps->dataplane.ops->tap(taps->dataplane.self, nth_of(taps, capture), NULL, &ignored);
	snprintf(capture->why, sizeof(capture->why), "%s", why);
	pcapng_statistics(&capture->stream, &(struct pcapng_statistics){
						.interface = capture->interface,
						.from_ns = capture->from_ns,
						.to_ns = clock_ns(CLOCK_REALTIME),
						.n_seen = capture->n_seen,
						.n_dropped = capture->n_dropped,
					    });
	pthread_cond_broadcast(&taps->changed);
}

static void
forget(struct taps *taps, struct capture *capture)
{
	end(taps, capture, "stopped");
	str_done(&capture->stream);
	*capture = (struct capture){0};
}

/* ---- copies -------------------------------------------------------------------------------- */

/* Keeps a copy, if there is room and the caps allow it. */
static void
keep(struct taps *taps, struct capture *capture, const struct dataplane_copy *copy)
{
	if ((int64_t)copy->n_bytes > capture->bytes_left) {
		end(taps, capture, "as many bytes as were asked for");
		return;
	}
	capture->n_seen++;
	if (capture->stream.len + copy->n_bytes + TAP_SNAPLEN > QUEUE_MAX) {
		capture->n_dropped++;
		return;
	}
	tap_frame_write(&capture->stream,
	    &(struct tap_frame){capture->interface, capture->tap.snaplen, capture->wall_ns}, copy);
	capture->bytes_left -= copy->n_bytes;
	if (capture->frames_left > 0 && --capture->frames_left == 0)
		end(taps, capture, "as many frames as were asked for");
	pthread_cond_broadcast(&taps->changed);
}

static void
copied(void *self, const struct dataplane_copy *copy)
{
	struct taps *taps = self;
	struct batched *batched = vec_add(&taps->batch);

	batched->copy = *copy;
	batched->at = taps->bytes.len;
	str_add_bytes(&taps->bytes, copy->bytes, copy->n_bytes);
}

static int
by_time(const void *a, const void *b)
{
	const struct batched *one = a, *other = b;

	return (one->copy.at_ns > other->copy.at_ns) - (one->copy.at_ns < other->copy.at_ns);
}

/* What one look has brought, each processor's for itself, goes into the streams by its time. */
static void
keep_batch(struct taps *taps)
{
	if (taps->batch.n)
		qsort(taps->batch.items, taps->batch.n, sizeof(*taps->batch.items), by_time);
	vec_each (batched, &taps->batch) {
		batched->copy.bytes = str_text(&taps->bytes) + batched->at;
		for (size_t i = 0; i < TAPS_MAX; i++)
			if (taps->captures[i].is_running &&
			    taps->captures[i].tap.serial == batched->copy.serial)
				keep(taps, &taps->captures[i], &batched->copy);
	}
	vec_done(&taps->batch);
	str_clear(&taps->bytes);
}

/* Nobody knows whose copies they were: each capture that runs says that some are missing. */
static void
lost(void *self, uint64_t n)
{
	struct taps *taps = self;

	pthread_mutex_lock(&taps->lock);
	for (size_t i = 0; i < TAPS_MAX; i++)
		if (taps->captures[i].is_running) {
			taps->captures[i].n_seen += n;
			taps->captures[i].n_dropped += n;
		}
	pthread_mutex_unlock(&taps->lock);
}

/* ---- the thread ---------------------------------------------------------------------------- */

static bool
is_any(const struct taps *taps)
{
	for (size_t i = 0; i < TAPS_MAX; i++)
		if (taps->captures[i].is_used)
			return true;
	return false;
}

static void
look_after(struct taps *taps, struct capture *capture, int64_t now_ms, bool is_renewing)
{
	struct err why;

	if (capture->is_running && now_ms >= capture->until_ms)
		end(taps, capture, "its time is over");
	if (capture->is_running && is_renewing &&
	    !taps->dataplane.ops->tap(
		taps->dataplane.self, nth_of(taps, capture), &capture->tap, &why))
		end(taps, capture, "the link end is gone");
	if (!capture->n_readers && now_ms - capture->asked_ms > READER_MS)
		forget(taps, capture);
}

static void
look_after_all(struct taps *taps)
{
	int64_t now_ms = clock_boot_ms(taps->clock);
	bool is_renewing = now_ms - taps->renewed_ms >= RENEW_MS;

	if (is_renewing)
		taps->renewed_ms = now_ms;
	for (size_t i = 0; i < TAPS_MAX; i++)
		if (taps->captures[i].is_used)
			look_after(taps, &taps->captures[i], now_ms, is_renewing);
}

static void *
taps_main(void *self)
{
	struct taps *taps = self;

	pthread_mutex_lock(&taps->lock);
	while (!taps->is_stopping) {
		if (!is_any(taps)) {
			if (taps->is_open)
				taps->dataplane.ops->copies_close(taps->dataplane.self);
			taps->is_open = false;
			pthread_cond_wait(&taps->changed, &taps->lock);
			continue;
		}
		pthread_mutex_unlock(&taps->lock);
		taps->dataplane.ops->copies_poll(taps->dataplane.self, POLL_MS);
		pthread_mutex_lock(&taps->lock);
		keep_batch(taps);
		look_after_all(taps);
	}
	pthread_mutex_unlock(&taps->lock);
	return NULL;
}

void
taps_free(struct taps *taps)
{
	if (!taps)
		return;
	pthread_mutex_lock(&taps->lock);
	taps->is_stopping = true;
	pthread_cond_broadcast(&taps->changed);
	pthread_mutex_unlock(&taps->lock);
	pthread_join(taps->thread, NULL);
	for (size_t i = 0; i < TAPS_MAX; i++)
		forget(taps, &taps->captures[i]);
	if (taps->is_open)
		taps->dataplane.ops->copies_close(taps->dataplane.self);
	vec_done(&taps->batch);
	str_done(&taps->bytes);
	pthread_mutex_destroy(&taps->lock);
	pthread_cond_destroy(&taps->changed);
	free(taps);
}

struct taps *
taps_new(const struct dataplane *dataplane, const struct clock *clock, struct err *err)
{
	struct taps *taps = xcalloc(1, sizeof(*taps));

	taps->dataplane = *dataplane;
	taps->clock = clock;
	/* Serials of an earlier run are none of ours. */
	taps->last_serial = (uint32_t)clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_init(&taps->lock, NULL);
	wait_init(&taps->changed);
	if (!pthread_create(&taps->thread, NULL, taps_main, taps))
		return taps;
	pthread_mutex_destroy(&taps->lock);
	pthread_cond_destroy(&taps->changed);
	free(taps);
	err_set(err, ERR_INTERNAL, "cannot start the thread for captures");
	return NULL;
}

/* ---- start --------------------------------------------------------------------------------- */

/* A number from 1 to most; 0 is the usual. */
static bool
settle(const char *what, int64_t usual, int64_t most, int64_t *value, struct err *err)
{
	if (!*value)
		*value = usual;
	return (*value >= 1 && *value <= most) ||
	       err_set(err, ERR_BAD_VALUE, "capture: %s=%lld is not within 1 and %lld", what,
		   (long long)*value, (long long)most);
}

static bool
read_wish(const struct taps *taps, const struct tap_wish *from, struct capture *to, struct err *err)
{
	struct tap_wish wish = *from;
	int64_t now_ms = clock_boot_ms(taps->clock);

	if (!settle("snaplen", TAP_SNAPLEN, TAP_SNAPLEN_MAX, &wish.snaplen, err) ||
	    !settle("bytes", TAP_BYTES, TAP_BYTES_MAX, &wish.bytes, err) ||
	    !settle("ms", TAP_MS, TAP_MS_MAX, &wish.ms, err))
		return false;
	if (wish.frames < 0)
		return err_set(err, ERR_BAD_VALUE, "capture: frames=%lld", (long long)wish.frames);
	*to = (struct capture){
	    .is_used = true,
	    .is_running = true,
	    .interface = wish.interface,
	    .frames_left = wish.frames,
	    .bytes_left = wish.bytes,
	    .until_ms = now_ms + wish.ms,
	    .asked_ms = now_ms,
	    .wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC),
	    .from_ns = clock_ns(CLOCK_REALTIME),
	};
	snprintf(to->by, sizeof(to->by), "%s", wish.by ? wish.by : "");
	to->tap.rid = wish.rid;
	to->tap.snaplen = (uint32_t)wish.snaplen;
	to->tap.device = wish.device;
	return tap_filter_read(wish.filter, &to->tap.filter, err);
}

/* A place for one more of that user; NULL = there is none. */
static struct capture *
find_place(struct taps *taps, const char *by, struct err *err)
{
	struct capture *place = NULL;
	int n_of_one = 0;

	for (size_t i = 0; i < TAPS_MAX; i++)
		if (!taps->captures[i].is_used)
			place = &taps->captures[i];
		else if (*by && str_equal(taps->captures[i].by, by))
			n_of_one++;
	if (place && n_of_one < TAPS_OF_ONE)
		return place;
	err_set(err, ERR_LIMIT, "a host has %d captures at most, %d of them one user's", TAPS_MAX,
	    TAPS_OF_ONE);
	(void)err_hint(err, "wait for one to end");
	return NULL;
}

static bool
start(struct taps *taps, struct capture *wanted, struct err *err)
{
	struct dataplane_taker taker = {copied, lost, taps};
	struct capture *place = find_place(taps, wanted->by, err);

	if (!place)
		return false;
	if (!taps->is_open && !taps->dataplane.ops->copies_open(taps->dataplane.self, &taker, err))
		return false;
	taps->is_open = true;
	wanted->tap.serial = ++taps->last_serial;
	snprintf(wanted->id, sizeof(wanted->id), "%08x", wanted->tap.serial);
	if (!taps->dataplane.ops->tap(taps->dataplane.self, nth_of(taps, place), &wanted->tap, err))
		return false;
	*place = *wanted;
	pthread_cond_broadcast(&taps->changed);
	return true;
}

bool
tap_start(struct taps *taps, const struct tap_wish *wish, char id[static TAP_ID_SIZE],
    struct str *head, struct err *err)
{
	struct capture wanted = {0};
	bool is_good;

	if (!read_wish(taps, wish, &wanted, err))
		return false;
	pthread_mutex_lock(&taps->lock);
	is_good = start(taps, &wanted, err);
	pthread_mutex_unlock(&taps->lock);
	if (!is_good)
		return false;
	memcpy(id, wanted.id, TAP_ID_SIZE);
	if (!wish->interface)
		pcapng_section(head, "VNode " VNODE_VERSION);
	pcapng_interface(
	    head, &(struct pcapng_interface){wish->name, wish->comment, wanted.tap.snaplen});
	return true;
}

/* ---- read, stop ---------------------------------------------------------------------------- */

/* What the reader has got is forgotten. */
static bool
move_on(struct capture *capture, int64_t cursor, struct err *err)
{
	int64_t n;

	if (cursor < capture->at || cursor - capture->at > (int64_t)capture->stream.len)
		return err_set(err, ERR_BAD_VALUE,
		    "capture: cursor=%lld, but %lld to %lld are here", (long long)cursor,
		    (long long)capture->at,
		    (long long)capture->at + (long long)capture->stream.len);
	n = cursor - capture->at;
	if (n > 0)
		memmove(capture->stream.text, capture->stream.text + n,
		    capture->stream.len - (size_t)n);
	capture->stream.len -= (size_t)n;
	capture->at = cursor;
	return true;
}

static void
answer(const struct capture *capture, struct tap_reading *reading)
{
	size_t size = capture->stream.len < TAP_CHUNK ? capture->stream.len : TAP_CHUNK;

	str_add_bytes(&reading->bytes, str_text(&capture->stream), size);
	reading->cursor = capture->at + (int64_t)size;
	reading->is_ended = !capture->is_running && size == capture->stream.len;
	reading->n_seen = (int64_t)capture->n_seen;
	reading->n_dropped = (int64_t)capture->n_dropped;
	memcpy(reading->why, capture->why, sizeof(reading->why));
}

static bool
refuse_unknown(const char *id, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "there is no capture '%.16s' any more", id);
	return err_hint(err, "it ends when redirectord does, or its reader for 10 s");
}

static bool
read_locked(struct taps *taps, const char *id, struct tap_reading *reading, struct err *err)
{
	int64_t until_ms = clock_boot_ms(taps->clock) + reading->wait_ms;
	struct capture *capture = find(taps, reading->rid, id);

	if (!capture)
		return refuse_unknown(id, err);
	if (!move_on(capture, reading->cursor, err))
		return false;
	for (;;) {
		int64_t now_ms = clock_boot_ms(taps->clock);

		capture->asked_ms = now_ms;
		if (capture->stream.len || !capture->is_running || now_ms >= until_ms)
			break;
		capture->n_readers++;
		wait_ms(&taps->changed, &taps->lock, until_ms - now_ms);
		/* It may have been stopped meanwhile. */
		capture = find(taps, reading->rid, id);
		if (!capture)
			return refuse_unknown(id, err);
		capture->n_readers--;
	}
	answer(capture, reading);
	return true;
}

bool
tap_read(struct taps *taps, const char *id, struct tap_reading *reading, struct err *err)
{
	bool is_good;

	pthread_mutex_lock(&taps->lock);
	is_good = read_locked(taps, id, reading, err);
	pthread_mutex_unlock(&taps->lock);
	return is_good;
}

void
tap_stop(struct taps *taps, uint64_t rid, const char *id)
{
	struct capture *capture;

	pthread_mutex_lock(&taps->lock);
	capture = find(taps, rid, id);
	if (capture)
		forget(taps, capture);
	pthread_mutex_unlock(&taps->lock);
}
