/*
 * Captures: copies of a link end's frames as a pcapng stream, for a reader that asks again and
 * again, or to a device. None is durable, and none stays without its reader: it ends after 10 s
 * without a question, and what the kernel copies ends seconds after redirectord. Any thread.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "redirector/dataplane.h"

enum {
	TAPS_MAX = 8,    /* at once on a host */
	TAPS_OF_ONE = 4, /* of them one user's: others can look, too */
	TAP_SNAPLEN = 2048,
	TAP_SNAPLEN_MAX = 32768,
	TAP_MS = 60000,
	TAP_MS_MAX = 3600000,
	TAP_BYTES = 64 << 20,
	TAP_BYTES_MAX = 1 << 30,
	TAP_CHUNK = 256 << 10, /* of the stream in one answer */
	TAP_ID_SIZE = 17
};

struct taps;

void taps_free(struct taps *taps);
struct taps *taps_new(const struct dataplane *dataplane, const struct clock *clock, struct err *err)
    malloc_by(taps_free) must_check;

/* What is wanted. 0 stands for the usual value, and of frames for any number. */
struct tap_wish {
	uint64_t rid;
	const char *by;        /* the user it is for; NULL = nobody's */
	const char *filter;    /* see tap_filter.h */
	const char *name;      /* of the interface in the stream */
	const char *comment;   /* on the interface */
	uint32_t interface;    /* its number in the stream */
	uint32_t device;       /* ifindex to send the copies by; 0 = into the stream */
	int64_t snaplen;       /* of a frame at most so many bytes */
	int64_t frames, bytes; /* of the stream, at most */
	int64_t ms;
};

/*
 * From now on frames are kept. `head` is what the stream begins with: the section, if this is
 * interface 0, and the interface's description. ERR_LIMIT: too many captures, or too
 * many of this user.
 */
bool tap_start(struct taps *taps, const struct tap_wish *wish, char id[static TAP_ID_SIZE],
    struct str *head, struct err *err) must_check;

/* What a reader asks and is answered. */
struct tap_reading {
	uint64_t rid;     /* whose capture it is: nobody reads another's */
	int64_t cursor;   /* in, out: bytes read so far, the head not counted */
	int64_t wait_ms;  /* for something to read */
	struct str bytes; /* whole stream, in pieces of at most TAP_CHUNK; the caller's to free */
	bool is_ended;    /* this was the rest */
	char why[96];     /* it has ended; "" while it runs */
	int64_t n_seen, n_dropped;
};

/* ERR_NOT_FOUND without such a capture; ERR_BAD_VALUE: what is behind the cursor is gone. */
bool tap_read(
    struct taps *taps, const char *id, struct tap_reading *reading, struct err *err) must_check;

/* Ends and forgets it; absent is success. */
void tap_stop(struct taps *taps, uint64_t rid, const char *id);
