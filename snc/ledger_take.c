/*
 * What a question finds free: a copy of what is left of the hosts, and of it what comes and goes
 * within the question's window, each thing at its worst instant.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/vec.h"
#include "snc/ledger_part.h"

/* ---- the substrates -------------------------------------------------------------------------- */

static const char **
copy_names(const char *const *names, size_t n, struct arena *arena)
{
	const char **copies = arena_alloc(arena, n * sizeof(copies[0]));

	for (size_t i = 0; i < n; i++)
		copies[i] = arena_text(arena, names[i]);
	return copies;
}

static struct substrate *
copy_substrate(const struct substrate *from, struct arena *arena)
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

void
ledger_refresh(struct ledger *ledger)
{
	int64_t version = inventory_version(ledger->inventory);
	struct entry *entry;

	if (ledger->arena && ledger->version == version)
		return;
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_out(ledger, entry);
	arena_free(ledger->arena);
	ledger->arena = arena_new();
	ledger->version = version;
	ledger->whole = inventory_substrate(ledger->inventory, ledger->arena);
	ledger->lasting = copy_substrate(ledger->whole, ledger->arena);
	ledger->now = copy_substrate(ledger->whole, ledger->arena);
	map_clear(ledger->hosts);
	for (size_t i = 0; i < ledger->whole->n_hosts; i++)
		map_put(ledger->hosts, ledger->whole->hosts[i].name, &ledger->whole->hosts[i]);
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_in(ledger, entry);
}

static void
take_signed(void *self, int64_t *free, int64_t amount)
{
	const int *sign = self;

	*free -= *sign * amount;
}

static void
charge_hosts(struct substrate *substrate, const struct entry *entry, int sign)
{
	for (size_t i = 0; i < entry->n_sums; i++)
		if (!entry->sums[i].way)
			resource_parts(substrate, &entry->sums[i].charge, take_signed, &sign);
}

/* Is it counted in `lasting`, and its shares by ways or in a view? */
static bool
is_lasting(const struct entry *entry)
{
	return !entry->is_booked && entry->held.until_ms == CALENDAR_EVER;
}

static void
charge_substrates(struct ledger *ledger, const struct entry *entry, int sign)
{
	if (!entry->is_booked)
		charge_hosts(ledger->now, entry, sign);
	if (is_lasting(entry))
		charge_hosts(ledger->lasting, entry, sign);
}

/* Every view from now on is the last one that was about to be asked for, the one before it, or a
 * later one: what was counted before is in it. True when it is in a way. */
static bool
charge_ways(struct ledger *ledger, const struct entry *entry, int sign)
{
	bool is_asked = entry->counted && entry->counted == ledger->view, is_any = false;

	if (!is_lasting(entry) || (entry->counted && !is_asked))
		return false;
	for (size_t i = 0; i < entry->n_sums; i++) {
		const struct sum *sum = &entry->sums[i];
		struct resource_charge *way;

		if (!sum->way)
			continue;
		way = is_asked ? &sum->way->asked : &sum->way->uncounted;
		way->rate_ab_bps += sign * sum->charge.rate_ab_bps;
		way->rate_ba_bps += sign * sum->charge.rate_ba_bps;
		is_any = true;
	}
	return is_any;
}

void
entry_in(struct ledger *ledger, struct entry *entry)
{
	charge_substrates(ledger, entry, 1);
	if (charge_ways(ledger, entry, 1))
		map_put(ledger->unviewed, entry->group, entry);
	if (!is_lasting(entry))
		map_put(ledger->special, entry->group, entry);
}

void
entry_out(struct ledger *ledger, struct entry *entry)
{
	charge_substrates(ledger, entry, -1);
	(void)charge_ways(ledger, entry, -1);
	map_drop(ledger->unviewed, entry->group);
	map_drop(ledger->special, entry->group);
}

/* ---- a question ------------------------------------------------------------------------------ */

struct taking {
	const struct ledger *ledger;
	const struct ledger_question *question;
	struct substrate *left;
	struct calendar *calendar;
	bool is_now; /* the hosts are what is left of them now, else what is left for ever */
};

/* Where a part goes: into the calendar. */
struct share_of {
	struct calendar *calendar;
	struct calendar_span span;
	int sign;
};

static void
take_part(void *self, int64_t *free, int64_t amount)
{
	const struct share_of *to = self;

	calendar_take(to->calendar, free, to->span, to->sign * amount);
}

/* What a view counts already is not counted again; it comes free when the slice ends. What is
 * lasting has been taken, by a view or by ways. */
static struct share_of
share_of(const struct taking *taking, const struct entry *entry)
{
	static const struct calendar_span ever = {CALENDAR_ALWAYS, CALENDAR_EVER}, never = {0, 0};
	const struct ledger_question *question = taking->question;
	struct calendar_span held = entry_held(taking->ledger, entry);
	bool is_in_view = entry->counted && entry->counted <= question->view;
	bool is_without = str_equal(entry->group, question->without);

	if (is_without && (is_in_view || is_lasting(entry)))
		return (struct share_of){taking->calendar, ever, -1};
	if (is_in_view)
		return (struct share_of){taking->calendar, {held.until_ms, CALENDAR_EVER}, -1};
	return (struct share_of){taking->calendar, is_without ? never : held, 1};
}

/* Of a host that what is left of counts already, nothing. */
static struct share_of
host_of(const struct taking *taking, const struct entry *entry)
{
	static const struct calendar_span ever = {CALENDAR_ALWAYS, CALENDAR_EVER}, never = {0, 0};
	bool is_taken = is_lasting(entry) || (taking->is_now && !entry->is_booked);
	bool is_without = str_equal(entry->group, taking->question->without);

	if (is_taken)
		return (struct share_of){taking->calendar, is_without ? ever : never, -1};
	return (struct share_of){
	    taking->calendar, is_without ? never : entry_held(taking->ledger, entry), 1};
}

static void
take_entry(struct taking *taking, const struct entry *entry)
{
	struct share_of share = share_of(taking, entry), host = host_of(taking, entry);

	for (size_t i = 0; i < entry->n_sums; i++)
		resource_parts(taking->left, &entry->sums[i].charge, take_part,
		    entry->sums[i].way ? &share : &host);
}

/* What is lasting and in no view, or only in one that the question does not know yet. */
static void
take_ways(struct taking *taking)
{
	bool is_older = taking->question->view < taking->ledger->view;
	const struct way *way;
	int sign = 1;

	for (size_t at = 0; taking->left->graph && (way = map_next(taking->ledger->ways, &at));) {
		resource_parts(taking->left, &way->uncounted, take_signed, &sign);
		if (is_older)
			resource_parts(taking->left, &way->asked, take_signed, &sign);
	}
}

/* Nothing begins within the window, which begins now: then its first instant is the worst, and what
 * is held now is what counts. */
static bool
is_worst_now(const struct ledger *ledger, const struct calendar_span *window)
{
	const struct entry *entry;

	if (window->from_ms > clock_wall_ms(ledger->clock))
		return false;
	for (size_t at = 0; (entry = map_next(ledger->special, &at));)
		if (entry->is_booked && entry->held.from_ms < window->until_ms &&
		    entry_held(ledger, entry).until_ms > window->from_ms)
			return false;
	return true;
}

/* A transport path may have gone another way than was wished, so what its end gives back may not be
 * where it was taken: never count on more than there is. */
static void
bound_edges(struct graph *graph)
{
	for (size_t i = 0; graph && i < graph->n_edges; i++) {
		struct graph_edge *edge = &graph->edges[i];

		if (edge->free_ab_bps > edge->capacity_bps)
			edge->free_ab_bps = edge->capacity_bps;
		if (edge->free_ba_bps > edge->capacity_bps)
			edge->free_ba_bps = edge->capacity_bps;
	}
}

static void
free_edges(struct graph *graph)
{
	for (size_t i = 0; graph && i < graph->n_edges; i++)
		graph->edges[i].free_ab_bps = graph->edges[i].free_ba_bps =
		    graph->edges[i].capacity_bps;
}

/* Of those that are lasting only the one that does not count has a say. */
static void
take_all(struct taking *taking)
{
	const struct ledger *ledger = taking->ledger;
	const char *without = taking->question->without;
	const struct entry *entry = without ? map_get(ledger->entries, without) : NULL;

	taking->calendar = calendar_new(taking->question->window);
	take_ways(taking);
	if (entry && is_lasting(entry))
		take_entry(taking, entry);
	for (size_t at = 0; (entry = map_next(ledger->special, &at));)
		take_entry(taking, entry);
	calendar_settle(taking->calendar);
	calendar_free(taking->calendar);
	bound_edges(taking->left->graph);
}

struct substrate *
ledger_left(const struct ledger *ledger, const struct ledger_question *question,
    struct graph *graph, struct arena *arena)
{
	struct taking taking = {.ledger = ledger, .question = question};
	const struct substrate *from = ledger->whole;

	taking.is_now = is_worst_now(ledger, &question->window);
	if (!question->is_alone)
		from = taking.is_now ? ledger->now : ledger->lasting;
	taking.left = copy_substrate(from, arena);
	taking.left->graph = graph;
	inventory_see_up(ledger->inventory, taking.left);
	if (question->is_alone)
		free_edges(graph);
	else
		take_all(&taking);
	return taking.left;
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
