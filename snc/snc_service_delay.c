/*
 * The delay map: what the redirectors have noted of links with stamps, joined with the names that
 * the rows have.
 */
#include <string.h>

#include "lib/api/redirector_api.h"
#include "lib/base/id.h"
#include "lib/base/vec.h"
#include "lib/model/spec.h"
#include "snc/peers.h"
#include "snc/snc_service.h"

enum { ANSWER_MS = 5000 };

/* A link end that may have delays. */
struct stamped {
	const char *manager, *slice, *link, *node, *rid;
};

/* What one redirector has said. */
struct said {
	const char *manager;
	struct redirector_delays_result result;
};

struct delay_map {
	vec_of(struct stamped) ends;
	vec_of(struct said) said;
};

static void
map_done(struct delay_map *map)
{
	vec_done(&map->ends);
	vec_done(&map->said);
}

/* Ends of plain GRE have no type in their rows; of others only the redirectors know. */
static void
add_ends(struct snc *snc, struct txn *txn, const struct slice_record *slice, struct arena *arena,
    struct delay_map *map)
{
	const struct controller_row_state *rows;
	size_t n_rows;

	if (!controller_rows(snc->controller, txn, slice->id, arena, &rows, &n_rows))
		return;
	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row *row = &rows[i].row;

		if (!str_equal(row->kind, "link_end") || rows[i].have == ROW_RELEASED ||
		    !spec_value(row->spec, "type", arena))
			continue;
		vec_push(&map->ends, ((struct stamped){
					 .manager = row->manager,
					 .slice = slice->name,
					 .link = spec_value(row->spec, "link", arena),
					 .node = spec_value(row->spec, "node", arena),
					 .rid = arena_text(arena, id_text(row->rid).text),
				     }));
	}
}

static bool
find_ends(struct snc *snc, const struct rpc_call *call, const char *name_or_id,
    struct delay_map *map, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record one;
	struct slice_records slices = {&one, 1};
	bool is_good = name_or_id
			   ? snc_see_slice(&caller, txn, name_or_id, call->arena, &one, err)
			   : store_slice_list(txn, snc_sees_all(&caller) ? NULL : caller.name,
				 call->arena, &slices, err);

	for (size_t i = 0; is_good && i < slices.n; i++)
		add_ends(snc, txn, &slices.items[i], call->arena, map);
	return is_good;
}

/* Asked once; of a host that does not answer there is nothing. */
static const struct redirector_delays_result *
ask(struct snc *snc, const struct rpc_call *call, const char *manager, struct delay_map *map)
{
	struct said said = {.manager = manager};
	struct rpc_client client;
	struct err why;

	vec_each (item, &map->said)
		if (!strcmp(item->manager, manager))
			return &item->result;
	said.result.clock_error_ns = -1;
	if (peers_client(snc, manager, ANSWER_MS, &client, &why) &&
	    !peers_note(snc, manager,
		redirector_delays_call(
		    &client, call->arena, &(struct redirector_delays_args){}, &said.result, &why),
		&why))
		said.result = (struct redirector_delays_result){.clock_error_ns = -1};
	vec_push(&map->said, said);
	return &map->said.items[map->said.n - 1].result;
}

static const char *
host_of(const char *manager)
{
	const char *at = strchr(manager, '@');

	return at ? at + 1 : manager;
}

/* The other end of the same link; NULL: it is gone. */
static const struct stamped *
other_end(const struct delay_map *map, const struct stamped *end)
{
	vec_each (item, &map->ends)
		if (strcmp(item->rid, end->rid) != 0 && str_equal(item->slice, end->slice) &&
		    str_equal(item->link, end->link))
			return item;
	return NULL;
}

/* Both clocks may be off, each its own way. */
static int64_t
clock_error(struct snc *snc, const struct rpc_call *call, struct delay_map *map, size_t at)
{
	const struct stamped *end = &map->ends.items[at], *other = other_end(map, end);
	int64_t here_ns, there_ns;

	if (!other)
		return -1;
	if (!strcmp(end->manager, other->manager))
		return 0;
	here_ns = ask(snc, call, end->manager, map)->clock_error_ns;
	there_ns = ask(snc, call, other->manager, map)->clock_error_ns;
	return here_ns < 0 || there_ns < 0 ? -1 : here_ns + there_ns;
}

static const struct redirector_delay *
find_delay(const struct redirector_delays_result *said, const char *rid)
{
	for (size_t i = 0; i < said->n_delays; i++)
		if (!strcmp(said->delays[i].rid, rid))
			return &said->delays[i];
	return NULL;
}

static struct snc_delay
show(const struct delay_map *map, const struct stamped *end, const struct redirector_delay *delay)
{
	const struct stamped *other = other_end(map, end);

	return (struct snc_delay){
	    .slice = end->slice,
	    .link = end->link,
	    .node = end->node,
	    .from_host = other ? host_of(other->manager) : "",
	    .to_host = host_of(end->manager),
	    .received = delay->received,
	    .lost = delay->lost,
	    .min_ns = delay->min_ns,
	    .avg_ns = delay->avg_ns,
	    .p50_ns = delay->p50_ns,
	    .p99_ns = delay->p99_ns,
	    .max_ns = delay->max_ns,
	    .jitter_ns = delay->jitter_ns,
	};
}

SNC_HANDLER(delays)
{
	struct snc *snc = self;
	struct delay_map map = {0};
	struct snc_delay *list;
	size_t n = 0;

	if (!find_ends(snc, call, args->slice, &map, err)) {
		map_done(&map);
		return false;
	}
	list = arena_alloc(call->arena, map.ends.n * sizeof(list[0]));
	for (size_t i = 0; i < map.ends.n; i++) {
		const struct stamped *end = &map.ends.items[i];
		const struct redirector_delay *delay =
		    find_delay(ask(snc, call, end->manager, &map), end->rid);

		if (!delay)
			continue;
		list[n] = show(&map, end, delay);
		list[n++].clock_error_ns = clock_error(snc, call, &map, i);
	}
	result->delays = list;
	result->n_delays = n;
	map_done(&map);
	return true;
}
