/*
 * How long a slice holds what it has. Without start and end it holds it from now on until it is
 * deleted; with a start that is to come it is booked until then, and with an end it is warned, may
 * be renewed, and is deleted when its grace is over too. Pure: the times are the caller's.
 */
#pragma once

#include "lib/model/slice.h"
#include "snc/calendar.h"

/* What somebody asks for; 0 = not said. */
struct lease_wish {
	int64_t from_ms, until_ms;
};

enum lease_phase {
	LEASE_HELD,   /* it has what it holds, and nobody was warned yet */
	LEASE_BOOKED, /* it is to start */
	LEASE_WARNED, /* its owner was told that it ends soon */
	LEASE_OVER    /* it has ended: only its grace is left */
};

struct lease {
	int64_t from_ms;           /* 0 = at once */
	int64_t until_ms;          /* 0 = no end */
	int64_t warn_ms, grace_ms; /* so long before, and after, its end */
	enum lease_phase phase;
	int64_t due_ms; /* when something is to be done about it; 0 = never */
};

/*
 * Makes a lease of what is asked for now. false with R05 in err (start in the past, end before
 * start, too long, too short): subject and place are the caller's to add.
 */
bool lease_grant(
    const struct lease_wish *wish, int64_t now_ms, struct lease *lease, struct err *err) must_check;

/* The latest end, in whole seconds, of a lease that starts at `start_ms` and whose grace ends at
 * `gone_ms` at the latest. */
int64_t lease_latest_end(int64_t start_ms, int64_t gone_ms);

/* Sets due_ms by phase and times. */
void lease_schedule(struct lease *lease);

/* "from 2026-11-22T08:00:00Z until 2026-11-22T09:00:00Z"; "" without start and end. */
struct lease_text {
	char text[80];
};

struct lease_text lease_text(const struct lease *lease);

/* What it is held for: grace included, from now or from its start on. */
struct calendar_span lease_span(const struct lease *lease, int64_t now_ms);
