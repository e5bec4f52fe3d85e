/*
 * Handlers of links: counters of many ends with one call to each host, one link with all there is
 * to say, and changes.
 */
#include <string.h>

#include "lib/api/redirector_api.h"
#include "lib/base/vec.h"
#include "snc/link_change.h"
#include "snc/link_ends.h"
#include "snc/peers.h"
#include "snc/slice_picture.h"
#include "snc/snc_service.h"

enum { AT_ONCE = 256, OVER_MAX_MS = 10000, ANSWER_MS = 5000, WAIT_MAX_MS = 30000 };

/* ---- counters ---------------------------------------------------------------------------------
 */

/* One end that is asked for, and the answer's place. */
struct end {
	const char *manager, *rid;
	struct snc_end_counters *to;
	bool is_told;
};

/* One call: some ends of one host. */
struct question {
	struct end **ends;
	size_t n;
};

struct asking {
	struct snc *snc;
	int64_t over_ms;
	vec_of(struct end) ends;
	vec_of(struct snc_end_counters) counters;
	vec_of(struct question) questions;
};

static void
fill(const struct redirector_counts *from, struct snc_end_counters *to)
{
	struct snc_end_counters filled = {
	    .slice = to->slice,
	    .link = to->link,
	    .node = to->node,
	    .host = to->host,
	    .tx_frames = from->tx_frames,
	    .tx_bytes = from->tx_bytes,
	    .tx_oversize = from->tx_oversize,
	    .tx_policed = from->tx_policed,
	    .tx_closed = from->tx_closed,
	    .tx_unfit = from->tx_unfit,
	    .tx_failed = from->tx_failed,
	    .rx_frames = from->rx_frames,
	    .rx_bytes = from->rx_bytes,
	    .rx_source = from->rx_source,
	    .rx_closed = from->rx_closed,
	    .rx_malformed = from->rx_malformed,
	    .queue_drops = from->queue_drops,
	    .queue_frames = from->queue_frames,
	    .queue_bytes = from->queue_bytes,
	    .over_us = from->over_us,
	    .tx_bps = from->tx_bps,
	    .rx_bps = from->rx_bps,
	    .tx_fps = from->tx_fps,
	    .rx_fps = from->rx_fps,
	    .dropped_fps = from->dropped_fps,
	};

	*to = filled;
}

static void
hear(const struct question *question, const struct redirector_counters_result *result)
{
	for (size_t i = 0; i < result->n_counts; i++)
		for (size_t k = 0; k < question->n; k++)
			if (str_equal(question->ends[k]->rid, result->counts[i].rid)) {
				fill(&result->counts[i], question->ends[k]->to);
				question->ends[k]->is_told = true;
			}
}

/* A host that does not answer has no counters to show; host list says that it is down. */
static void
ask(void *self, size_t index)
{
	struct asking *asking = self;
	const struct question *question = &asking->questions.items[index];
	const char *manager = question->ends[0]->manager;
	auto_arena struct arena *arena = arena_new();
	struct redirector_link *links = arena_alloc(arena, question->n * sizeof(*links));
	struct redirector_counters_args args = {links, question->n, asking->over_ms};
	struct redirector_counters_result result;
	struct rpc_client client;
	struct err why;

	for (size_t i = 0; i < question->n; i++)
		links[i].rid = question->ends[i]->rid;
	if (inventory_is_up(asking->snc->inventory, manager) &&
	    peers_client(asking->snc, manager, (int)asking->over_ms + ANSWER_MS, &client, &why) &&
	    peers_note(asking->snc, manager,
		redirector_counters_call(&client, arena, &args, &result, &why), &why))
		hear(question, &result);
}

static struct question *
question_for(struct asking *asking, const char *manager, struct arena *arena)
{
	struct question *question;

	vec_each (open, &asking->questions)
		if (open->n < AT_ONCE && str_equal(open->ends[0]->manager, manager))
			return open;
	question = vec_add(&asking->questions);
	question->ends = arena_alloc(arena, AT_ONCE * sizeof(struct end *));
	return question;
}

/* The vectors stand still from here on. */
static void
ask_all(struct asking *asking, struct arena *arena)
{
	for (size_t i = 0; i < asking->ends.n; i++) {
		struct end *end = &asking->ends.items[i];
		struct question *question = question_for(asking, end->manager, arena);

		end->to = &asking->counters.items[i];
		question->ends[question->n++] = end;
	}
	peers_each(asking->questions.n, ask, asking);
}

static bool
add_ends(struct asking *asking, struct txn *txn, const struct slice_record *record,
    const char *link, struct arena *arena, struct err *err)
{
	struct link_end_places places = {.link = link};

	if (!link_ends_read(asking->snc, txn, record, arena, &places, err))
		return false;
	for (size_t i = 0; i < places.n; i++) {
		const struct link_end_place *place = &places.items[i];

		vec_push(&asking->ends,
		    ((struct end){.manager = place->manager, .rid = place->rid_text}));
		vec_push(&asking->counters, ((struct snc_end_counters){.slice = record->name,
						.link = place->spec.link,
						.node = place->name,
						.host = place->host}));
	}
	return true;
}

/* Answers into arena; leaves out ends whose host says nothing. */
static void
answer(struct asking *asking, struct arena *arena, const struct snc_end_counters **ends,
    size_t *n_ends)
{
	struct snc_end_counters *told = arena_alloc(arena, asking->ends.n * sizeof(*told));
	size_t n = 0;

	for (size_t i = 0; i < asking->ends.n; i++)
		if (asking->ends.items[i].is_told)
			told[n++] = asking->counters.items[i];
	*ends = told;
	*n_ends = n;
}

static bool
begin(struct asking *asking, struct snc *snc, int64_t over_ms, struct err *err)
{
	*asking = (struct asking){.snc = snc, .over_ms = over_ms};
	return (over_ms >= 0 && over_ms <= OVER_MAX_MS) ||
	       err_set(err, ERR_BAD_VALUE, "over_ms is 0 to %d", OVER_MAX_MS);
}

static void
asking_done(struct asking *asking)
{
	vec_done(&asking->ends);
	vec_done(&asking->counters);
	vec_done(&asking->questions);
}

static bool
gather(struct asking *asking, const struct rpc_call *call,
    const struct snc_link_counters_args *args, struct err *err)
{
	auto_txn struct txn *txn = store_begin(asking->snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record one;
	struct slice_records records = {&one, 1};

	if (args->link && !args->slice)
		return err_set(err, ERR_BAD_VALUE, "a link is wanted, but not of which slice");
	if (args->slice) {
		if (!snc_see_slice(&caller, txn, args->slice, call->arena, &one, err))
			return false;
	} else if (!store_slice_list(txn, snc_sees_all(&caller) ? NULL : caller.name, call->arena,
		       &records, err)) {
		return false;
	}
	for (size_t i = 0; i < records.n; i++)
		if (!add_ends(asking, txn, &records.items[i], args->link, call->arena, err))
			return false;
	if (asking->ends.n || !args->link)
		return true;
	err_set(
	    err, ERR_NOT_FOUND, "slice '%s' has no link '%s' in place", args->slice, args->link);
	return err_hint(err, "`vnode slice show %s` lists what it has", args->slice);
}

SNC_HANDLER(link_counters)
{
	struct asking asking;
	bool is_good = begin(&asking, self, args->over_ms, err) && gather(&asking, call, args, err);

	if (is_good) {
		ask_all(&asking, call->arena);
		answer(&asking, call->arena, &result->ends, &result->n_ends);
	}
	asking_done(&asking);
	return is_good;
}

/* ---- one link ---------------------------------------------------------------------------------
 */

/* The link as it stands, and its ends to be asked. */
static bool
look(struct asking *asking, const struct rpc_call *call, const struct snc_link_show_args *args,
    struct snc_link *link, struct err *err)
{
	auto_txn struct txn *txn = store_begin(asking->snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_picture picture;
	struct slice_record record;

	if (!snc_see_slice(&caller, txn, args->slice, call->arena, &record, err) ||
	    !picture_take(asking->snc, txn, &record, call->arena, &picture, err))
		return false;
	for (size_t i = 0; i < picture.n_links; i++) {
		if (!str_equal(picture.links[i].name, args->link))
			continue;
		*link = picture.links[i];
		return add_ends(asking, txn, &record, args->link, call->arena, err);
	}
	err_set(err, ERR_NOT_FOUND, "slice '%s' has no link '%s'", record.name, args->link);
	return err_hint(err, "`vnode slice show %s` lists what it has", record.name);
}

SNC_HANDLER(link_show)
{
	struct snc_link *link = arena_new_of(call->arena, struct snc_link);
	struct asking asking;
	bool is_good =
	    begin(&asking, self, args->over_ms, err) && look(&asking, call, args, link, err);

	if (is_good) {
		ask_all(&asking, call->arena);
		answer(&asking, call->arena, &result->ends, &result->n_ends);
		result->links = link;
		result->n_links = 1;
	}
	asking_done(&asking);
	return is_good;
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static bool
wait_until_real(struct snc *snc, const struct link_change *change, int64_t wait_ms, bool *is_real,
    struct err *err)
{
	int64_t until_ms = clock_boot_ms(snc->clock) + wait_ms;

	for (;;) {
		int64_t rung = events_rung(snc->events), left_ms;

		if (!link_change_is_real(snc, change, is_real, err))
			return false;
		left_ms = until_ms - clock_boot_ms(snc->clock);
		if (*is_real || left_ms <= 0)
			return true;
		(void)events_wait(snc->events, rung, left_ms);
	}
}

SNC_HANDLER(link_set)
{
	struct snc *snc = self;
	int64_t least_ms = args->wait_ms > 0 ? args->wait_ms : 0;
	struct snc_link *links = arena_alloc(call->arena, 2 * sizeof(*links));
	struct link_change change = {
	    .caller = service_caller(call),
	    .slice = args->slice,
	    .link = args->link,
	    .rate_ab_bps = args->rate_ab_bps,
	    .rate_ba_bps = args->rate_ba_bps,
	    .ceiling_ab_bps = args->ceiling_ab_bps,
	    .ceiling_ba_bps = args->ceiling_ba_bps,
	    .burst_bytes = args->burst_bytes,
	    .priority = args->priority,
	    .isolation = args->isolation,
	};

	if (!link_change(snc, &change, call->arena, err) ||
	    !wait_until_real(
		snc, &change, least_ms < WAIT_MAX_MS ? least_ms : WAIT_MAX_MS, &result->real, err))
		return false;
	links[0] = change.before;
	links[1] = change.after;
	result->links = links;
	result->n_links = 2;
	return true;
}
