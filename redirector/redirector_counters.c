/*
 * Counters of link ends with rates. A rate is measured while somebody waits for it: read, wait,
 * read again. So nothing is sampled, and nothing kept, while nobody looks, and any number may look.
 */
#include <time.h>

#include "lib/base/id.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/net/tc_queue.h"
#include "redirector/redirector_service.h"
#include "redirector/shaper.h"

enum { LINKS_MAX = 256, OVER_MAX_MS = 10000 };

static const int64_t us_per_s = 1000000;

typedef vec_of(struct redirector_counts) counts_vec;

static int64_t
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * us_per_s + now.tv_nsec / 1000;
}

/* ---- one reading ------------------------------------------------------------------------------
 */

static struct redirector_counts
counts_of(const char *rid, const struct dataplane_counters *found)
{
	return (struct redirector_counts){
	    .rid = rid,
	    .tx_frames = (int64_t)found->tx_frames,
	    .tx_bytes = (int64_t)found->tx_bytes,
	    .tx_oversize = (int64_t)found->tx_oversize,
	    .tx_policed = (int64_t)found->tx_policed,
	    .tx_closed = (int64_t)found->tx_closed,
	    .tx_unfit = (int64_t)found->tx_unfit,
	    .tx_failed = (int64_t)found->tx_failed,
	    .rx_frames = (int64_t)found->rx_frames,
	    .rx_bytes = (int64_t)found->rx_bytes,
	    .rx_source = (int64_t)found->rx_source,
	    .rx_closed = (int64_t)found->rx_closed,
	    .rx_malformed = (int64_t)found->rx_malformed,
	};
}

/* Classes below SHAPER_FIRST are shared: what waits there is nobody's own. */
static void
add_queue(const struct redirector *redirector, const struct dataplane_held *held,
    uint32_t class_handle, struct redirector_counts *counts)
{
	struct tc_queue queue;
	struct err why;

	if (!held->underlay || (class_handle & 0xffff) < SHAPER_FIRST ||
	    !tc_queue_find(
		redirector->netlink, held->underlay, class_handle & 0xffff, &queue, &why))
		return;
	counts->queue_frames += (int64_t)queue.frames;
	counts->queue_bytes += (int64_t)queue.bytes;
	counts->queue_drops += (int64_t)queue.drops;
}

/* Where the queues of all link ends are, by rid. */
static bool
places_read(
    const struct redirector *redirector, struct arena *arena, struct map *places, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	const struct dataplane_held *held;
	size_t n_held;

	if (!dataplane->ops->list(dataplane->self, arena, &held, &n_held, err))
		return false;
	for (size_t i = 0; i < n_held; i++)
		map_put_id(places, held[i].rid,
		    arena_copy(arena, (const char *)&held[i], sizeof(held[i])));
	return true;
}

static bool
read_one(const struct redirector *redirector, const char *rid_text, struct map *places,
    counts_vec *counts, struct err *err)
{
	const struct dataplane *dataplane = &redirector->dataplane;
	const struct dataplane_held *held;
	struct dataplane_counters found;
	struct err why;
	uint64_t rid;

	if (!id_parse(rid_text, &rid, err))
		return err_in(err, "link end '%.20s'", rid_text);
	if (!dataplane->ops->counters(dataplane->self, rid, &found, &why))
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	vec_push(counts, counts_of(rid_text, &found));
	held = map_get_id(places, rid);
	if (!held)
		return true;
	add_queue(redirector, held, held->class_handle, &counts->items[counts->n - 1]);
	if (held->first_handle != held->class_handle)
		add_queue(redirector, held, held->first_handle, &counts->items[counts->n - 1]);
	return true;
}

static bool
read_all(const struct redirector *redirector, const struct redirector_counters_args *args,
    counts_vec *counts, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct map *places = map_new();
	bool is_good = places_read(redirector, arena, places, err);

	for (size_t i = 0; is_good && i < args->n_links; i++)
		is_good = read_one(redirector, args->links[i].rid, places, counts, err);
	map_free(places);
	return is_good;
}

/* ---- rates ------------------------------------------------------------------------------------
 */

static int64_t
dropped(const struct redirector_counts *counts)
{
	return counts->tx_oversize + counts->tx_policed + counts->tx_closed + counts->tx_unfit +
	       counts->tx_failed + counts->rx_source + counts->rx_closed + counts->rx_malformed +
	       counts->queue_drops;
}

/* What began anew between the readings has grown by nothing. */
static int64_t
a_second(int64_t before, int64_t after, int64_t over_us)
{
	return after > before ? (int64_t)((__int128)(after - before) * us_per_s / over_us) : 0;
}

static void
rate(const struct redirector_counts *before, struct redirector_counts *now, int64_t over_us)
{
	now->over_us = over_us;
	now->tx_bps = a_second(8 * before->tx_bytes, 8 * now->tx_bytes, over_us);
	now->rx_bps = a_second(8 * before->rx_bytes, 8 * now->rx_bytes, over_us);
	now->tx_fps = a_second(before->tx_frames, now->tx_frames, over_us);
	now->rx_fps = a_second(before->rx_frames, now->rx_frames, over_us);
	now->dropped_fps = a_second(dropped(before), dropped(now), over_us);
}

/* Both readings are in the order asked; what is missing in one has no rate. */
static void
rate_all(const counts_vec *before, counts_vec *now, int64_t over_us)
{
	size_t at = 0;

	for (size_t i = 0; i < before->n && at < now->n; i++) {
		const struct redirector_counts *old = &before->items[i];
		size_t k = at;

		while (k < now->n && !str_equal(now->items[k].rid, old->rid))
			k++;
		if (k == now->n)
			continue;
		rate(old, &now->items[k], over_us);
		at = k + 1;
	}
}

static bool
measure(const struct redirector *redirector, const struct redirector_counters_args *args,
    counts_vec *counts, struct err *err)
{
	struct timespec pause = {args->over_ms / 1000, args->over_ms % 1000 * 1000000};
	counts_vec before = {0};
	int64_t from_us = now_us(), over_us;
	bool is_good;

	if (!args->over_ms)
		return read_all(redirector, args, counts, err);
	is_good = read_all(redirector, args, &before, err);
	if (is_good) {
		(void)nanosleep(&pause, NULL);
		over_us = now_us() - from_us;
		is_good = read_all(redirector, args, counts, err);
		if (is_good)
			rate_all(&before, counts, over_us);
	}
	vec_done(&before);
	return is_good;
}

bool
service_counters(void *self, const struct rpc_call *call,
    const struct redirector_counters_args *args, struct redirector_counters_result *result,
    struct err *err)
{
	counts_vec counts = {0};
	bool is_good;

	if (args->n_links < 1 || args->n_links > LINKS_MAX)
		return err_set(err, ERR_LIMIT, "1 to %d link ends at once", LINKS_MAX);
	if (args->over_ms < 0 || args->over_ms > OVER_MAX_MS)
		return err_set(err, ERR_BAD_VALUE, "over_ms is 0 to %d", OVER_MAX_MS);
	is_good = measure(self, args, &counts, err);
	if (is_good) {
		result->counts = (const struct redirector_counts *)(void *)arena_copy(
		    call->arena, counts.items, counts.n * sizeof(*counts.items));
		result->n_counts = counts.n;
	}
	vec_done(&counts);
	return is_good;
}
