/*
 * Handlers of lists: events, hosts, nodes, links.
 */
#include "lib/base/vec.h"
#include "snc/drain.h"
#include "snc/slice_picture.h"
#include "snc/snc_service.h"

enum { WAIT_MAX_MS = 30000 };

/* A slice that is gone may still be asked for by its id, as long as its events are kept. */
static bool
is_remembered(struct txn *txn, const struct store_event_query *asked, struct arena *arena)
{
	struct store_event_query query = {
	    .after = -1, .seer = asked->seer, .slice_id = asked->slice_id};
	struct event_records events;
	struct err err;

	return store_event_list(txn, &query, arena, &events, &err) && events.n;
}

static bool
event_query(struct snc *snc, const struct rpc_call *call, const struct snc_events_args *args,
    struct store_event_query *query, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record record;

	query->after = args->after;
	query->seer = snc_sees_all(&caller) ? NULL : caller.name;
	if (!args->slice)
		return true;
	query->slice_id = args->slice;
	if (!snc_see_slice(&caller, txn, args->slice, call->arena, &record, err))
		return err->code == ERR_NOT_FOUND && is_remembered(txn, query, call->arena);
	query->slice_id = record.id;
	return true;
}

static bool
read_events(struct snc *snc, const struct store_event_query *query, struct arena *arena,
    struct event_records *events, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);

	return store_event_list(txn, query, arena, events, err);
}

static void
show_events(
    const struct event_records *events, struct arena *arena, struct snc_events_result *result)
{
	struct snc_event *shown = arena_alloc(arena, events->n * sizeof(shown[0]));

	for (size_t i = 0; i < events->n; i++) {
		const struct event_record *event = &events->items[i];

		shown[i] = (struct snc_event){event->seq, event->at_ms, event->slice,
		    event->subject, event->what, event->text};
	}
	result->events = shown;
	result->n_events = events->n;
}

SNC_HANDLER(events)
{
	struct snc *snc = self;
	int64_t wait_ms = args->wait_ms < WAIT_MAX_MS ? args->wait_ms : WAIT_MAX_MS;
	int64_t until_ms = clock_boot_ms(snc->clock) + wait_ms;
	struct store_event_query query = {0};
	struct event_records events;

	if (!event_query(snc, call, args, &query, err))
		return false;
	for (;;) {
		int64_t rung = events_rung(snc->events);
		int64_t left_ms;

		if (!read_events(snc, &query, call->arena, &events, err))
			return false;
		left_ms = until_ms - clock_boot_ms(snc->clock);
		if (events.n || left_ms <= 0)
			break;
		(void)events_wait(snc->events, rung, left_ms);
	}
	show_events(&events, call->arena, result);
	return true;
}

static struct snc_host
show_host(
    const struct inventory_host *host, const struct substrate_host *numbers, struct arena *arena)
{
	auto_str struct str images = {0};

	for (size_t i = 0; i < numbers->n_images; i++)
		str_addf(&images, "%s%s", i ? " " : "", numbers->images[i]);
	return (struct snc_host){
	    .name = host->name,
	    .kind = host->is_agw ? "agw" : "vnode",
	    .state = host->state,
	    .daemons = host->daemons,
	    .cpu = numbers->cpu,
	    .cpu_free = numbers->cpu_free,
	    .memory_bytes = numbers->memory_bytes,
	    .memory_free_bytes = numbers->memory_free_bytes,
	    .accel = host->accel,
	    .images = arena_text(arena, str_text(&images)),
	    .maintenance = "",
	};
}

static void
show_drains(const struct drains *drains, int64_t now_ms, struct arena *arena,
    struct snc_host *hosts, size_t n_hosts)
{
	for (size_t i = 0; i < drains->n; i++)
		for (size_t k = 0; k < n_hosts; k++) {
			const struct calendar_span *span = &drains->items[i].span;

			if (!str_equal(hosts[k].name, drains->items[i].host))
				continue;
			hosts[k].maintenance = drain_text(&drains->items[i], now_ms, arena);
			hosts[k].drain_from_ms = span->from_ms;
			hosts[k].drain_until_ms =
			    span->until_ms == CALENDAR_EVER ? 0 : span->until_ms;
		}
}

/* Both lists are in the order of the inventory file. */
SNC_HANDLER(host_list)
{
	struct snc *snc = self;
	auto_txn struct txn *txn = store_begin(snc->store);
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct ledger_question question = {.window = {now_ms, now_ms + 1}};
	struct substrate *substrate;
	struct inventory_host *hosts;
	struct drains drains;
	struct snc_host *shown;
	size_t n_hosts;

	(void)args;
	if (!snc_substrate(snc, txn, &question, call->arena, &substrate, err) ||
	    !drain_list(txn, now_ms, call->arena, &drains, err))
		return false;
	inventory_hosts(snc->inventory, call->arena, &hosts, &n_hosts);
	shown = arena_alloc(call->arena, n_hosts * sizeof(shown[0]));
	for (size_t i = 0; i < n_hosts; i++)
		shown[i] = show_host(&hosts[i], &substrate->hosts[i], call->arena);
	show_drains(&drains, now_ms, call->arena, shown, n_hosts);
	result->hosts = shown;
	result->n_hosts = n_hosts;
	return true;
}

/* Pictures of one slice, or of all that the caller sees. */
struct pictures {
	struct slice_picture *items;
	size_t n;
};

static bool
take_pictures(struct snc *snc, const struct rpc_call *call, const char *name_or_id,
    struct pictures *pictures, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record *one = arena_new_of(call->arena, struct slice_record);
	struct slice_records records = {one, 1};

	if (name_or_id) {
		if (!snc_see_slice(&caller, txn, name_or_id, call->arena, one, err))
			return false;
	} else if (!store_slice_list(txn, snc_sees_all(&caller) ? NULL : caller.name, call->arena,
		       &records, err)) {
		return false;
	}
	pictures->n = records.n;
	pictures->items = arena_alloc(call->arena, records.n * sizeof(pictures->items[0]));
	for (size_t i = 0; i < records.n; i++)
		if (!picture_take(
			snc, txn, &records.items[i], call->arena, &pictures->items[i], err))
			return false;
	return true;
}

SNC_HANDLER(node_list)
{
	struct pictures pictures;
	vec_of(struct ready_node) ready = {0};
	vec_of(struct snc_node) nodes = {0};

	if (!take_pictures(self, call, args->slice, &pictures, err))
		return false;
	for (size_t i = 0; i < pictures.n; i++)
		for (size_t k = 0; k < pictures.items[i].n_nodes; k++)
			vec_push(&ready, pictures.items[i].ready[k]);
	ready_fill(self, ready.items, ready.n);
	vec_each (each, &ready)
		vec_push(&nodes, *each->node);
	result->n_nodes = nodes.n;
	result->nodes =
	    (void *)arena_copy(call->arena, nodes.items, nodes.n * sizeof(nodes.items[0]));
	vec_done(&nodes);
	vec_done(&ready);
	return true;
}

SNC_HANDLER(link_list)
{
	struct pictures pictures;
	vec_of(struct snc_link) links = {0};

	if (!take_pictures(self, call, args->slice, &pictures, err))
		return false;
	for (size_t i = 0; i < pictures.n; i++)
		for (size_t k = 0; k < pictures.items[i].n_links; k++)
			vec_push(&links, pictures.items[i].links[k]);
	result->n_links = links.n;
	result->links =
	    (void *)arena_copy(call->arena, links.items, links.n * sizeof(links.items[0]));
	vec_done(&links);
	return true;
}
