/*
 * Charges of all slices, parsed once: specs never change.
 */
#include "snc/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "snc/modify.h"

struct entry {
	char *group;
	int64_t round;     /* of the slice: a later admission has other rows */
	bool is_pending;   /* its shares may not be reserved yet */
	bool is_releasing; /* its rows go one by one: read again each time */
	bool is_leaning; /* on rows that it takes the place of, and that go one by one: the same */
	bool is_booked;  /* its rows are those of its booking */
	struct calendar_span held;
	int64_t counted;     /* first view that counts its shares; 0 = none yet */
	int64_t seen;        /* sync that saw it last */
	struct arena *arena; /* of the charges */
	vec_of(struct resource_charge) charges;
};

struct ledger {
	const struct clock *clock;
	struct map *entries; /* by group */
	int64_t n_syncs;
};

static void
entry_free(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->group);
	arena_free(entry->arena);
	vec_done(&entry->charges);
	free(entry);
}

void
ledger_free(struct ledger *ledger)
{
	struct entry *entry;

	if (!ledger)
		return;
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		entry_free(entry);
	map_free(ledger->entries);
	free(ledger);
}

struct ledger *
ledger_new(const struct clock *clock)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	ledger->clock = clock;
	ledger->entries = map_new();
	return ledger;
}

static void
entry_charge(struct entry *entry, const struct resource_charge *charge, const struct err *why)
{
	if (why->code == ERR_NONE)
		vec_push(&entry->charges, *charge);
	else
		log_error(
		    "snc", "event=charge_unreadable group=%s why=\"%s\"", entry->group, why->text);
}

static void
charge_row(struct entry *entry, struct txn *txn, const struct controller_row *row)
{
	struct booking_row booking = {row->manager, row->kind, row->spec};
	struct resource_charge charge;
	struct err why = {0};
	bool is_less = false;

	(void)!modify_charge(txn, &booking, entry->arena, &charge, &is_less, &why);
	entry->is_leaning = entry->is_leaning || is_less;
	entry_charge(entry, &charge, &why);
}

static bool
entry_read_booking(struct entry *entry, struct txn *txn, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	struct booking_rows rows;

	if (!store_booking_list(txn, entry->group, scratch, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n; i++) {
		struct resource_charge charge;
		struct err why = {0};

		(void)!resource_charge(rows.items[i].manager, rows.items[i].kind,
		    rows.items[i].spec, entry->arena, &charge, &why);
		entry_charge(entry, &charge, &why);
	}
	return true;
}

/* A row that is really gone charges nothing. */
static bool
entry_read(struct entry *entry, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	const struct controller_row_state *rows;
	size_t n_rows;

	entry->charges.n = 0;
	entry->is_leaning = false;
	arena_clear(entry->arena);
	if (entry->is_booked)
		return entry_read_booking(entry, txn, err);
	if (!controller_rows(controller, txn, entry->group, scratch, &rows, &n_rows))
		return err_set(err, ERR_INTERNAL, "rows of '%s' cannot be read", entry->group);
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].have != ROW_RELEASED || !rows[i].is_real)
			charge_row(entry, txn, &rows[i].row);
	return true;
}

static struct entry *
entry_get(struct ledger *ledger, const struct slice_record *slice)
{
	struct entry *entry = map_get(ledger->entries, slice->id);

	if (entry)
		return entry;
	entry = xcalloc(1, sizeof(*entry));
	entry->group = xstrdup(slice->id);
	entry->arena = arena_new();
	entry->round = -1;
	map_put(ledger->entries, slice->id, entry);
	return entry;
}

/* What is being given back has no end that anybody knows; nor has what should have ended. */
static struct calendar_span
held_by(const struct slice_record *slice, int64_t now_ms)
{
	struct calendar_span span = lease_span(&slice->lease, now_ms);

	if (slice->lease.phase != LEASE_BOOKED)
		span.from_ms = CALENDAR_ALWAYS;
	if (span.until_ms <= now_ms || (slice->has_group && slice->engine == GROUP_RELEASING))
		span.until_ms = CALENDAR_EVER;
	return span;
}

static bool
entry_sync(struct ledger *ledger, struct controller *controller, struct txn *txn,
    const struct slice_record *slice, struct err *err)
{
	struct entry *entry = entry_get(ledger, slice);
	bool is_booked = slice->lease.phase == LEASE_BOOKED;
	bool is_known = entry->round == slice->round && entry->is_booked == is_booked;
	bool was_moving = entry->is_releasing || entry->is_leaning;

	entry->seen = ledger->n_syncs;
	if (!is_known)
		entry->counted = 0;
	entry->round = slice->round;
	entry->is_booked = is_booked;
	entry->held = held_by(slice, clock_wall_ms(ledger->clock));
	entry->is_pending = is_booked || slice->engine == GROUP_PENDING;
	entry->is_releasing = !is_booked && slice->engine == GROUP_RELEASING;
	return (is_known && !entry->is_releasing && !was_moving) ||
	       entry_read(entry, controller, txn, err);
}

static void
forget_unseen(struct ledger *ledger)
{
	vec_of(const char *) gone = {0};
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		if (entry->seen != ledger->n_syncs)
			vec_push(&gone, entry->group);
	vec_each (group, &gone)
		entry_free(map_drop(ledger->entries, *group));
	vec_done(&gone);
}

/* Groups that slices have beside their own while they are modified. */
static bool
sync_parts(struct ledger *ledger, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;

	if (!store_parts(txn, NULL, arena, &parts, err))
		return false;
	for (size_t i = 0; i < parts.n; i++) {
		struct slice_record part;

		if (!store_slice_by_id(
			txn, modify_slice_of(parts.groups[i], arena), arena, &part, err))
			return false;
		part.id = parts.groups[i];
		part.round = 0; /* its rows are those that it was admitted with */
		part.has_group = controller_group(controller, txn, part.id, &part.engine);
		if (part.has_group && !entry_sync(ledger, controller, txn, &part, err))
			return false;
	}
	return true;
}

bool
ledger_sync(struct ledger *ledger, struct controller *controller, struct txn *txn, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_records slices;

	if (!store_slice_list(txn, NULL, arena, &slices, err))
		return false;
	ledger->n_syncs++;
	for (size_t i = 0; i < slices.n; i++)
		if ((slices.items[i].has_group || slices.items[i].lease.phase == LEASE_BOOKED) &&
		    !entry_sync(ledger, controller, txn, &slices.items[i], err))
			return false;
	if (!sync_parts(ledger, controller, txn, err))
		return false;
	forget_unseen(ledger);
	return true;
}

void
ledger_mark(struct ledger *ledger, int64_t view)
{
	struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		if (!entry->is_pending && !entry->counted)
			entry->counted = view;
}

/* Where a part goes: into the calendar of the question. */
struct taking {
	struct calendar *calendar;
	struct calendar_span span;
	int sign;
};

static void
take_part(void *self, int64_t *free, int64_t amount)
{
	const struct taking *taking = self;

	calendar_take(taking->calendar, free, taking->span, taking->sign * amount);
}

/* What a view counts already is not counted again; it comes free when the slice ends. */
static struct taking
taking_of(const struct entry *entry, const struct resource_charge *charge,
    const struct ledger_question *question, struct calendar *calendar)
{
	static const struct calendar_span ever = {CALENDAR_ALWAYS, CALENDAR_EVER}, never = {0, 0};
	bool is_in_view =
	    str_equal(charge->kind, "share") && entry->counted && entry->counted <= question->view;
	bool is_without = str_equal(entry->group, question->without);

	if (is_in_view && is_without)
		return (struct taking){calendar, ever, -1};
	if (is_in_view)
		return (struct taking){calendar, {entry->held.until_ms, CALENDAR_EVER}, -1};
	return (struct taking){calendar, is_without ? never : entry->held, 1};
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

void
ledger_take(const struct ledger *ledger, const struct ledger_question *question,
    struct substrate *substrate)
{
	struct calendar *calendar = NULL;
	struct entry *entry;

	if (question->is_alone) {
		free_edges(substrate->graph);
		return;
	}
	calendar = calendar_new(question->window);
	for (size_t at = 0; (entry = map_next(ledger->entries, &at));)
		vec_each (charge, &entry->charges) {
			struct taking taking = taking_of(entry, charge, question, calendar);

			resource_parts(substrate, charge, take_part, &taking);
		}
	calendar_settle(calendar);
	calendar_free(calendar);
	bound_edges(substrate->graph);
}

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

/* All starts or all ends. */
static void
find_instants(const struct ledger *ledger, bool wants_ends, int64_t after_ms,
    struct ledger_instants *instants)
{
	const struct entry *entry;

	for (size_t at = 0; (entry = map_next(ledger->entries, &at));) {
		int64_t instant_ms = wants_ends ? entry->held.until_ms : entry->held.from_ms;

		if (instant_ms > after_ms && instant_ms != CALENDAR_EVER)
			instants->items[instants->n++] = instant_ms;
	}
	sort_instants(instants);
}

static void
make_room(const struct ledger *ledger, struct arena *arena, struct ledger_instants *instants)
{
	instants->items =
	    arena_alloc(arena, map_size(ledger->entries) * sizeof(instants->items[0]));
	instants->n = 0;
}

void
ledger_ends(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *ends)
{
	make_room(ledger, arena, ends);
	find_instants(ledger, true, after_ms, ends);
}

void
ledger_starts(const struct ledger *ledger, int64_t after_ms, struct arena *arena,
    struct ledger_instants *starts)
{
	make_room(ledger, arena, starts);
	find_instants(ledger, false, after_ms, starts);
}
