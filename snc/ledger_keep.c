/*
 * What all groups charge, summed up. Of hosts: `now` is what all that is held leaves, and the page
 * of each thing says what comes and goes. Of the transport network the TNC's view says what is free
 * now; what it may not count yet stands in the lanes of edges, and when it comes and goes.
 */
#include <stdlib.h>
#include <string.h>

#include "snc/ledger_part.h"

/* ---- one group, in and out ------------------------------------------------------------------- */

/* How a charge of an entry goes in, or with -1 out. */
struct keeping {
	struct ledger *ledger;
	const struct entry *entry;
	int sign;
};

static struct calendar *
calendar_of(struct ledger *ledger, int64_t *free)
{
	uint64_t key = (uint64_t)(uintptr_t)free;
	struct page *page = map_get_id(ledger->pages, key);

	if (!page) {
		page = xcalloc(1, sizeof(*page));
		page->free = free;
		map_put_id(ledger->pages, key, page);
	}
	return &page->calendar;
}

static bool
comes_or_goes(const struct entry *entry)
{
	return entry->is_booked || entry->held.until_ms != CALENDAR_EVER;
}

/* What is held already has no beginning. */
static void
keep_in(struct calendar *calendar, const struct keeping *keeping, int64_t amount)
{
	struct calendar_span span = keeping->entry->held;

	if (!keeping->entry->is_booked)
		span.from_ms = CALENDAR_ALWAYS;
	calendar_take(calendar, span, keeping->sign * amount);
}

static void
keep_part(void *self, int64_t *free, int64_t amount)
{
	const struct keeping *keeping = self;

	if (!amount)
		return;
	if (!keeping->entry->is_booked)
		*free -= keeping->sign * amount;
	if (comes_or_goes(keeping->entry))
		keep_in(calendar_of(keeping->ledger, free), keeping, amount);
}

/* Every view from now on is the last one that was about to be asked for, the one before it, or a
 * later one: what was counted before is in it. */
static void
keep_lane(struct lane *lane, const struct keeping *keeping, int64_t amount)
{
	const struct entry *entry = keeping->entry;

	if (!entry->is_booked && !entry->counted)
		lane->uncounted += keeping->sign * amount;
	else if (!entry->is_booked && entry->counted == keeping->ledger->view)
		lane->asked += keeping->sign * amount;
	if (comes_or_goes(entry))
		keep_in(&lane->calendar, keeping, amount);
}

static void
keep(struct ledger *ledger, struct entry *entry, int sign)
{
	struct keeping keeping = {ledger, entry, sign};

	for (size_t i = 0; i < entry->n_sums; i++) {
		const struct sum *sum = &entry->sums[i];

		if (!sum->way)
			resource_parts(ledger->now, &sum->charge, keep_part, &keeping);
		for (size_t k = 0; sum->way && k < sum->way->n_hops; k++) {
			const struct hop *hop = &sum->way->hops[k];

			keep_lane(
			    ledger_lane(ledger, hop, false), &keeping, sum->charge.rate_ab_bps);
			keep_lane(
			    ledger_lane(ledger, hop, true), &keeping, sum->charge.rate_ba_bps);
		}
	}
}

/* Has it shares that the next view may change? */
static bool
is_unviewed(const struct ledger *ledger, const struct entry *entry)
{
	bool has_shares = false;

	for (size_t i = 0; i < entry->n_sums; i++)
		has_shares = has_shares || entry->sums[i].way;
	return has_shares && !entry->is_booked &&
	       (!entry->counted || entry->counted == ledger->view);
}

void
entry_in(struct ledger *ledger, struct entry *entry)
{
	keep(ledger, entry, 1);
	if (is_unviewed(ledger, entry))
		map_put(ledger->unviewed, entry->group, entry);
	if (comes_or_goes(entry))
		map_put(ledger->special, entry->group, entry);
}

void
entry_out(struct ledger *ledger, struct entry *entry)
{
	keep(ledger, entry, -1);
	map_drop(ledger->unviewed, entry->group);
	map_drop(ledger->special, entry->group);
}

/* ---- hosts ----------------------------------------------------------------------------------- */

static const char **
copy_names(const char *const *names, size_t n, struct arena *arena)
{
	const char **copies = arena_alloc(arena, n * sizeof(copies[0]));

	for (size_t i = 0; i < n; i++)
		copies[i] = arena_text(arena, names[i]);
	return copies;
}

struct substrate *
ledger_copy(const struct substrate *from, struct arena *arena)
{
	struct substrate *to = arena_new_of(arena, struct substrate);

	to->n_hosts = from->n_hosts;
	to->hosts = arena_alloc(arena, to->n_hosts * sizeof(to->hosts[0]));
	for (size_t i = 0; i < from->n_hosts; i++) {
		struct substrate_host *host = &to->hosts[i];

		*host = from->hosts[i];
		host->name = arena_text(arena, host->name);
		host->images = copy_names(host->images, host->n_images, arena);
		host->link_types = copy_names(host->link_types, host->n_link_types, arena);
		host->ports = arena_alloc(arena, host->n_ports * sizeof(host->ports[0]));
		for (size_t k = 0; k < host->n_ports; k++) {
			host->ports[k] = from->hosts[i].ports[k];
			host->ports[k].name = arena_text(arena, host->ports[k].name);
		}
	}
	return to;
}

static void
forget_pages(struct ledger *ledger)
{
	struct page *page;

	for (size_t at = 0; (page = map_next(ledger->pages, &at));) {
		calendar_done(&page->calendar);
		free(page);
	}
	map_clear(ledger->pages);
}

static void
all_out(struct ledger *ledger)
{
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_out(ledger, entry);
}

static void
all_in(struct ledger *ledger)
{
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_in(ledger, entry);
}

void
ledger_refresh(struct ledger *ledger)
{
	int64_t version = inventory_version(ledger->inventory);

	if (ledger->arena && ledger->version == version)
		return;
	if (ledger->arena)
		all_out(ledger);
	forget_pages(ledger);
	arena_free(ledger->arena);
	ledger->arena = arena_new();
	ledger->version = version;
	ledger->whole = inventory_substrate(ledger->inventory, ledger->arena);
	ledger->now = ledger_copy(ledger->whole, ledger->arena);
	map_clear(ledger->hosts);
	for (size_t i = 0; i < ledger->whole->n_hosts; i++)
		map_put(ledger->hosts, ledger->whole->hosts[i].name, &ledger->whole->hosts[i]);
	all_in(ledger);
}

/* ---- the transport network ------------------------------------------------------------------- */

struct lane *
ledger_lane(const struct ledger *ledger, const struct hop *hop, bool is_back)
{
	return &ledger->lanes[2 * hop->edge + (hop->is_forward == is_back)];
}

void
ledger_trace(struct ledger *ledger, struct way *way)
{
	long at = ledger->shape ? graph_vertex(ledger->shape, way->from) : -1;

	way->n_hops = 0;
	for (size_t i = 0; at >= 0 && i < way->edges.n; i++) {
		const struct graph_edge *edge = map_get(ledger->edges, way->edges.items[i]);
		bool is_forward = edge && edge->a == (unsigned)at;

		if (!edge || (!is_forward && edge->b != (unsigned)at))
			return;
		way->hops[way->n_hops++] =
		    (struct hop){(size_t)(edge - ledger->shape->edges), is_forward};
		at = (long)(is_forward ? edge->b : edge->a);
	}
}

static bool
has_shape(const struct graph *shape, const struct graph *graph)
{
	if (!shape || shape->n_vertices != graph->n_vertices || shape->n_edges != graph->n_edges)
		return false;
	for (size_t i = 0; i < shape->n_vertices; i++)
		if (!str_equal(shape->vertices[i], graph->vertices[i]))
			return false;
	for (size_t i = 0; i < shape->n_edges; i++) {
		const struct graph_edge *x = &shape->edges[i], *y = &graph->edges[i];

		if (x->a != y->a || x->b != y->b || !str_equal(x->name, y->name))
			return false;
	}
	return true;
}

static void
forget_lanes(struct ledger *ledger)
{
	for (size_t i = 0; ledger->shape && i < 2 * ledger->shape->n_edges; i++)
		calendar_done(&ledger->lanes[i].calendar);
	arena_free(ledger->shape_arena);
}

void
ledger_reshape(struct ledger *ledger, const struct graph *graph)
{
	struct way *way;

	if (has_shape(ledger->shape, graph))
		return;
	all_out(ledger);
	forget_lanes(ledger);
	ledger->shape_arena = arena_new();
	ledger->shape = graph_clone(graph, ledger->shape_arena);
	ledger->lanes =
	    arena_alloc(ledger->shape_arena, 2 * graph->n_edges * sizeof(ledger->lanes[0]));
	map_clear(ledger->edges);
	for (size_t i = 0; i < graph->n_edges; i++)
		map_put(ledger->edges, ledger->shape->edges[i].name, &ledger->shape->edges[i]);
	for (size_t at = 0; (way = map_next(ledger->ways, &at));)
		ledger_trace(ledger, way);
	all_in(ledger);
}

void
ledger_keep_done(struct ledger *ledger)
{
	forget_pages(ledger);
	forget_lanes(ledger);
	arena_free(ledger->arena);
}
