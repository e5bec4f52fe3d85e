/*
 * What a question finds free: what is held now, and of what comes and goes within the question's
 * window the worst instant of each thing.
 */
#include <stdlib.h>
#include <string.h>

#include "snc/ledger_part.h"

/* ---- hosts ----------------------------------------------------------------------------------- */

/* What is free now less what will be taken, or with -1 as it was. */
static void
take_pages(struct ledger *ledger, struct calendar_span window, int sign)
{
	int64_t now_ms = clock_wall_ms(ledger->clock);
	const struct page *page;

	for (size_t at = 0; (page = map_next(ledger->pages, &at));)
		*page->free -= sign * calendar_worst(&page->calendar, window, now_ms);
}

static struct substrate *
hosts_left(struct ledger *ledger, struct calendar_span window, struct arena *arena)
{
	struct substrate *left;

	take_pages(ledger, window, 1);
	left = ledger_copy(ledger->now, arena);
	take_pages(ledger, window, -1);
	return left;
}

/* ---- the transport network ------------------------------------------------------------------- */

/* A transport path may have gone another way than was wished, so what its end gives back may not be
 * where it was taken: never count on more than there is. */
static int64_t
lane_left(const struct ledger *ledger, const struct ledger_question *question,
    const struct lane *lane, int64_t free_bps)
{
	bool is_older = question->view < ledger->view;

	return free_bps - lane->uncounted - (is_older ? lane->asked : 0) -
	       calendar_worst(&lane->calendar, question->window, clock_wall_ms(ledger->clock));
}

static int64_t
bound(int64_t free_bps, int64_t capacity_bps)
{
	return free_bps < capacity_bps ? free_bps : capacity_bps;
}

/* What the view counts of the one that does not count. */
static void
give_back(const struct entry *entry, const struct ledger_question *question, struct graph *graph)
{
	if (entry->is_booked || !entry->counted || entry->counted > question->view)
		return;
	for (size_t i = 0; i < entry->n_sums; i++) {
		const struct sum *sum = &entry->sums[i];

		for (size_t k = 0; sum->way && k < sum->way->n_hops; k++) {
			const struct hop *hop = &sum->way->hops[k];
			struct graph_edge *edge = &graph->edges[hop->edge];
			int64_t ab = sum->charge.rate_ab_bps, ba = sum->charge.rate_ba_bps;

			edge->free_ab_bps += hop->is_forward ? ab : ba;
			edge->free_ba_bps += hop->is_forward ? ba : ab;
		}
	}
}

static void
take_lanes(const struct ledger *ledger, const struct ledger_question *question, struct graph *graph)
{
	for (size_t i = 0; i < graph->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[i];
		const struct lane *lanes = &ledger->lanes[2 * i];

		edge->free_ab_bps = bound(
		    lane_left(ledger, question, &lanes[0], edge->free_ab_bps), edge->capacity_bps);
		edge->free_ba_bps = bound(
		    lane_left(ledger, question, &lanes[1], edge->free_ba_bps), edge->capacity_bps);
	}
}

static void
free_edges(struct graph *graph)
{
	for (size_t i = 0; graph && i < graph->n_edges; i++)
		graph->edges[i].free_ab_bps = graph->edges[i].free_ba_bps =
		    graph->edges[i].capacity_bps;
}

/* ---- both ------------------------------------------------------------------------------------ */

/* Who does not count is out meanwhile. */
static struct substrate *
left_by_others(struct ledger *ledger, const struct ledger_question *question, struct graph *graph,
    struct arena *arena)
{
	struct entry *without =
	    question->without ? map_get(ledger->entries, question->without) : NULL;
	struct substrate *left;

	if (graph)
		ledger_reshape(ledger, graph);
	if (without)
		entry_out(ledger, without);
	left = hosts_left(ledger, question->window, arena);
	if (graph && without)
		give_back(without, question, graph);
	if (graph)
		take_lanes(ledger, question, graph);
	if (without)
		entry_in(ledger, without);
	return left;
}

struct substrate *
ledger_left(struct ledger *ledger, const struct ledger_question *question, struct graph *graph,
    struct arena *arena)
{
	struct substrate *left;

	if (question->is_alone) {
		left = ledger_copy(ledger->whole, arena);
		free_edges(graph);
	} else {
		left = left_by_others(ledger, question, graph, arena);
	}
	left->graph = graph;
	inventory_see_up(ledger->inventory, left);
	return left;
}

/* ---- instants -------------------------------------------------------------------------------- */

static int
compare_instants(const void *a, const void *b)
{
	const int64_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Into order, each once. */
static void
sort_instants(struct ledger_instants *instants)
{
	size_t n = instants->n;

	if (n)
		qsort(instants->items, n, sizeof(instants->items[0]), compare_instants);
	instants->n = 0;
	for (size_t i = 0; i < n; i++)
		if (!i || instants->items[i] != instants->items[instants->n - 1])
			instants->items[instants->n++] = instants->items[i];
}

/* All starts or all ends: only what is special has any. */
static void
find_instants(const struct ledger *ledger, bool wants_ends, int64_t after_ms, struct arena *arena,
    struct ledger_instants *instants)
{
	const struct entry *entry;

	instants->items =
	    arena_alloc(arena, map_size(ledger->special) * sizeof(instants->items[0]));
	instants->n = 0;
	for (size_t at = 0; (entry = map_next(ledger->special, &at));) {
		struct calendar_span held = entry_held(ledger, entry);
		int64_t instant_ms = wants_ends ? held.until_ms : held.from_ms;

		if (instant_ms > after_ms && instant_ms != CALENDAR_EVER)
			instants->items[instants->n++] = instant_ms;
	}
	sort_instants(instants);
}

void
ledger_ends(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *ends)
{
	find_instants(ledger, true, after_ms, arena, ends);
}

void
ledger_starts(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *starts)
{
	find_instants(ledger, false, after_ms, arena, starts);
}
