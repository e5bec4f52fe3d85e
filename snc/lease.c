/*
 * The rules of leases.
 */
#include "snc/lease.h"

#include <stdio.h>

#include "lib/base/when.h"

#define DAY_MS 86400000LL
#define AHEAD_MAX_MS (3653LL * DAY_MS) /* ten years */
#define WARN_MAX_MS DAY_MS
#define GRACE_MAX_MS 600000LL /* ten minutes */

enum {
	SKEW_MS = 60 * 1000, /* a start so little in the past means now: clocks differ */
	SHORTEST_MS = 1000,
	TENTH = 10
};

static bool
check_start(int64_t from_ms, int64_t now_ms, struct err *err)
{
	if (from_ms < now_ms - SKEW_MS) {
		err_set(err, ERR_R05, "the start %s is in the past: it is %s now",
		    when_text(from_ms).text, when_text(now_ms).text);
		return err_hint(err, "leave the start out, or name one that is to come");
	}
	if (from_ms > now_ms + AHEAD_MAX_MS) {
		err_set(err, ERR_R05, "the start %s is more than ten years ahead",
		    when_text(from_ms).text);
		return err_hint(err, "name one before %s", when_text(now_ms + AHEAD_MAX_MS).text);
	}
	return true;
}

static bool
check_end(int64_t start_ms, int64_t until_ms, int64_t now_ms, struct err *err)
{
	if (until_ms <= now_ms) {
		err_set(err, ERR_R05, "the end %s is in the past: it is %s now",
		    when_text(until_ms).text, when_text(now_ms).text);
		return err_hint(err, "name an end that is to come, or none");
	}
	if (until_ms <= start_ms) {
		err_set(err, ERR_R05, "the end %s is not after the start %s",
		    when_text(until_ms).text, when_text(start_ms).text);
		return err_hint(err, "name a later end, or an earlier start");
	}
	if (until_ms - start_ms < SHORTEST_MS) {
		err_set(err, ERR_R05, "from %s to %s is too short to be worth a start",
		    when_text(start_ms).text, when_text(until_ms).text);
		return err_hint(err, "a second is the least");
	}
	if (until_ms > now_ms + AHEAD_MAX_MS) {
		err_set(err, ERR_R05, "the end %s is more than ten years ahead",
		    when_text(until_ms).text);
		return err_hint(err, "leave the end out: then there is none");
	}
	return true;
}

static int64_t
at_most(int64_t value, int64_t limit)
{
	return value < limit ? value : limit;
}

bool
lease_grant(const struct lease_wish *wish, int64_t now_ms, struct lease *lease, struct err *err)
{
	int64_t start_ms = wish->from_ms > now_ms ? wish->from_ms : now_ms;

	if (wish->from_ms && !check_start(wish->from_ms, now_ms, err))
		return false;
	if (wish->until_ms && !check_end(start_ms, wish->until_ms, now_ms, err))
		return false;
	*lease = (struct lease){.until_ms = wish->until_ms};
	if (wish->until_ms) {
		int64_t length_ms = wish->until_ms - start_ms;

		lease->warn_ms = at_most(length_ms / TENTH, WARN_MAX_MS);
		lease->grace_ms = at_most(length_ms / TENTH, GRACE_MAX_MS);
	}
	if (wish->from_ms > now_ms) {
		lease->from_ms = wish->from_ms;
		lease->phase = LEASE_BOOKED;
	}
	lease_schedule(lease);
	return true;
}

int64_t
lease_latest_end(int64_t start_ms, int64_t gone_ms)
{
	int64_t until_ms = start_ms + (gone_ms - start_ms) * TENTH / (TENTH + 1);

	if (gone_ms - until_ms > GRACE_MAX_MS)
		until_ms = gone_ms - GRACE_MAX_MS;
	return until_ms / 1000 * 1000;
}

void
lease_schedule(struct lease *lease)
{
	lease->due_ms = 0;
	if (lease->phase == LEASE_BOOKED)
		lease->due_ms = lease->from_ms;
	else if (!lease->until_ms)
		return;
	else if (lease->phase == LEASE_HELD)
		lease->due_ms = lease->until_ms - lease->warn_ms;
	else if (lease->phase == LEASE_WARNED)
		lease->due_ms = lease->until_ms;
	else
		lease->due_ms = lease->until_ms + lease->grace_ms;
}

struct lease_text
lease_text(const struct lease *lease)
{
	struct lease_text out = {""};
	int len = 0;

	if (lease->from_ms)
		len =
		    snprintf(out.text, sizeof(out.text), "from %s", when_text(lease->from_ms).text);
	if (lease->until_ms)
		snprintf(out.text + len, sizeof(out.text) - (size_t)len, "%suntil %s",
		    len ? " " : "", when_text(lease->until_ms).text);
	return out;
}

struct calendar_span
lease_span(const struct lease *lease, int64_t now_ms)
{
	return (struct calendar_span){
	    .from_ms = lease->phase == LEASE_BOOKED ? lease->from_ms : now_ms,
	    .until_ms = lease->until_ms ? lease->until_ms + lease->grace_ms : CALENDAR_EVER,
	};
}
