/*
 * Making and ending sncd's state; who may see what; what is free.
 */
#include "snc/snc.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/tnc_api.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "snc/audit.h"
#include "snc/drain.h"
#include "snc/host.h"
#include "snc/peers.h"
#include "snc/project.h"
#include "snc/ready.h"
#include "snc/slice.h"
#include "snc/usage.h"

enum { VIEW_MS = 5000, SEARCHES_MAX = 2, SEARCH_WAIT_MS = 10 * 1000 };

static void
take_down(struct snc *snc)
{
	if (!snc)
		return;
	lease_watch_stop(snc->lease_watch);
	slice_watch_stop(snc->watch);
	controller_free(snc->controller);
	turns_free(snc->searches);
	ready_free(snc->ready);
	events_free(snc->events);
	audit_free(snc->audit);
	view_free(snc->view);
	ledger_free(snc->ledger);
	inventory_free(snc->inventory);
	free(snc->tnc);
	free(snc->tnc_address);
	free(snc);
}

void
snc_free(struct snc *snc)
{
	take_down(snc);
}

static void
snc_cleanup(struct snc **snc)
{
	take_down(*snc);
}

/* What the daemons said before the restart; who lives will show. */
static bool
recall_daemons(struct snc *snc, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct daemon_records known;

	if (!store_daemon_list(txn, arena, &known, err))
		return false;
	for (size_t i = 0; i < known.n; i++) {
		const struct daemon_record *daemon = &known.items[i];
		struct err why;
		bool is_new;

		if (!inventory_tell(snc->inventory,
			&(struct inventory_word){
			    daemon->manager, daemon->version, daemon->db_uuid, daemon->capacity},
			false, &is_new, &why))
			log_info("snc", "event=daemon_unknown manager=%s", daemon->manager);
	}
	return true;
}

static bool
begin_marks(struct store *store, struct err *err)
{
	auto_txn struct txn *txn = store_begin(store);

	return store_marks_begin(txn, err) && txn_commit(&txn, err);
}

struct snc *
snc_new(const struct snc_config *config, struct err *err)
{
	__attribute__((cleanup(snc_cleanup))) struct snc *snc = xcalloc(1, sizeof(*snc));

	snc->store = config->store;
	snc->clock = config->clock;
	snc->inventory = config->inventory;
	snc->tnc = xstrdup(config->tnc);
	snc->tnc_address = xstrdup(config->tnc_address);
	snc->peer = config->peer;
	snc->peer_self = config->self;
	snc->conf = config->conf;
	snc->ledger = ledger_new(snc->clock, snc->inventory);
	snc->view = view_new();
	snc->events = events_new(snc->clock);
	snc->ready = ready_new();
	snc->audit = audit_new(snc->store, snc->clock);
	snc->searches = turns_new(SEARCHES_MAX, SEARCH_WAIT_MS);
	if (!admission_parse(snc->conf ? conf_text(snc->conf, "snc", "admission") : NULL,
		&snc->admission, err) ||
	    !recall_daemons(snc, err) || !host_recall_evicted(snc, err) ||
	    !begin_marks(snc->store, err) || !usage_begin(snc, err))
		return NULL;
	snc->controller = controller_new(
	    &(struct controller_config){
		.store = snc->store,
		.clock = snc->clock,
		.self = snc,
		.call = peers_manager_call,
		.status = peers_manager_status,
		.changed = slice_changed,
		.row_changed = slice_row_changed,
		.made = &snc->controller,
	    },
	    err);
	if (!snc->controller)
		return NULL;
	snc->watch = slice_watch_start(snc, err);
	if (!snc->watch)
		return NULL;
	snc->lease_watch = lease_watch_start(snc, err);
	return snc->lease_watch ? take(snc) : NULL;
}

bool
snc_is_operator(const struct snc_caller *caller)
{
	return str_equal(caller->role, "noc") || str_equal(caller->role, "admin");
}

bool
snc_sees_all(const struct snc_caller *caller)
{
	return snc_is_operator(caller) || str_equal(caller->role, "viewer");
}

bool
snc_see_slice(const struct snc_caller *caller, struct txn *txn, const char *name_or_id,
    struct arena *arena, struct slice_record *slice, struct err *err)
{
	struct store_slice_key key = {
	    .name_or_id = name_or_id,
	    .seer = snc_sees_all(caller) ? NULL : caller->name,
	    .preferred = caller->name,
	};

	return store_slice_find(txn, &key, arena, slice, err);
}

bool
snc_find_slice(const struct snc_caller *caller, struct txn *txn, const char *name_or_id,
    struct arena *arena, struct slice_record *slice, struct err *err)
{
	return snc_see_slice(caller, txn, name_or_id, arena, slice, err) &&
	       project_may_change(txn, caller, slice, err);
}

/* Vertices by name, so that edges find their ends. */
struct vertices {
	struct map *by_name; /* to &graph->vertices[i] */
	struct graph *graph;
};

static bool
find_vertex(const struct vertices *vertices, const char *name, unsigned *at)
{
	const char **found = map_get(vertices->by_name, name);

	if (!found)
		return false;
	*at = (unsigned)(found - vertices->graph->vertices);
	return true;
}

static bool
fill_edge(const struct vertices *vertices, const struct tnc_edge *from, struct graph_edge *to)
{
	*to = (struct graph_edge){
	    .name = from->name,
	    .free_ab_bps = from->free_ab_bps,
	    .free_ba_bps = from->free_ba_bps,
	    .capacity_bps = from->capacity_bps,
	    .latency_us = from->latency_us,
	};
	return find_vertex(vertices, from->a, &to->a) && find_vertex(vertices, from->b, &to->b);
}

/* Ports of hosts are HOST:PORT; a path may end there but not go through. */
static struct graph *
graph_of_view(const struct tnc_view_result *result, struct arena *arena)
{
	struct graph *graph = arena_new_of(arena, struct graph);
	auto_map struct map *by_name = map_new();
	struct vertices vertices = {by_name, graph};

	graph->n_vertices = result->n_vertices;
	graph->vertices = arena_alloc(arena, graph->n_vertices * sizeof(graph->vertices[0]));
	graph->is_transit = arena_alloc(arena, graph->n_vertices * sizeof(graph->is_transit[0]));
	graph->edges = arena_alloc(arena, result->n_edges * sizeof(graph->edges[0]));
	for (size_t i = 0; i < result->n_vertices; i++) {
		graph->vertices[i] = result->vertices[i].name;
		graph->is_transit[i] = !strchr(graph->vertices[i], ':');
		map_put(by_name, graph->vertices[i], &graph->vertices[i]);
	}
	for (size_t i = 0; i < result->n_edges; i++)
		if (fill_edge(&vertices, &result->edges[i], &graph->edges[graph->n_edges]))
			graph->n_edges++;
	return graph;
}

static bool
ask_view(struct snc *snc, struct arena *arena, struct tnc_view_result *result, struct err *err)
{
	struct rpc_client client;

	return peers_client(snc, snc->tnc, VIEW_MS, &client, err) &&
	       tnc_view_call(&client, arena, &(struct tnc_view_args){}, result, err);
}

/* What is reserved before the question is counted in the answer. */
static bool
mark_counted(struct snc *snc, int64_t number, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);

	if (!ledger_sync(snc->ledger, snc->controller, txn, err))
		return false;
	ledger_mark(snc->ledger, number);
	return true;
}

void
snc_refresh_view(struct snc *snc)
{
	auto_arena struct arena *arena = arena_new();
	int64_t number = view_refresh_begin(snc->view, clock_boot_ms(snc->clock));
	struct tnc_view_result result;
	struct graph *graph = NULL;
	struct err err;

	if (!number)
		return;
	if (mark_counted(snc, number, &err) && ask_view(snc, arena, &result, &err))
		graph = graph_of_view(&result, arena);
	else
		log_warn("snc", "event=no_view tnc=%s why=\"%s\"", snc->tnc, err.text);
	view_refresh_end(snc->view, graph, clock_boot_ms(snc->clock));
}

static void
place_ports(struct substrate *substrate, struct arena *arena)
{
	auto_map struct map *by_name = map_new();
	struct vertices vertices = {by_name, substrate->graph};

	for (size_t i = 0; i < substrate->graph->n_vertices; i++)
		map_put(by_name, substrate->graph->vertices[i], &substrate->graph->vertices[i]);
	for (size_t i = 0; i < substrate->n_hosts; i++) {
		struct substrate_host *host = &substrate->hosts[i];

		for (size_t k = 0; k < host->n_ports; k++) {
			unsigned at;

			if (find_vertex(&vertices,
				arena_format(arena, "%s:%s", host->name, host->ports[k].name), &at))
				host->ports[k].vertex = at;
		}
	}
}

/* Who will be up then? Whoever has ever told what it has. */
static void
expect_back(struct substrate *substrate)
{
	for (size_t i = 0; i < substrate->n_hosts; i++) {
		struct substrate_host *host = &substrate->hosts[i];

		host->is_up = !host->is_evicted && (host->is_up || host->is_agw || host->cpu > 0);
	}
}

bool
snc_substrate(struct snc *snc, struct txn *txn, const struct ledger_question *question,
    struct arena *arena, struct substrate **substrate, struct err *err)
{
	struct ledger_question asked = *question;
	struct substrate *then;
	struct graph *graph;

	if (!ledger_sync(snc->ledger, snc->controller, txn, err))
		return false;
	graph = view_graph(snc->view, arena, &asked.view);
	if (asked.window.until_ms <= asked.window.from_ms) /* of what should be over: now */
		asked.window.until_ms = asked.window.from_ms + 1;
	then = ledger_left(snc->ledger, &asked, graph, arena);
	if (graph)
		place_ports(then, arena);
	if (asked.window.from_ms > clock_wall_ms(snc->clock))
		expect_back(then);
	*substrate = then;
	return drain_mark(txn, &asked, clock_wall_ms(snc->clock), then, arena, err);
}
