/*
 * Charges of one group: specs never change, so they are parsed once, and summed up: of a host, of a
 * port, of a way through the transport network it is one sum that counts.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/vec.h"
#include "snc/ledger_part.h"

struct reading {
	struct ledger *ledger;
	struct entry *entry;
	struct arena *scratch;
	vec_of(struct resource_charge) sums;
};

static void
forget_charges(struct entry *entry)
{
	free(entry->charges);
	entry->charges = NULL;
	entry->n_charges = 0;
}

void
entry_free(struct entry *entry)
{
	if (!entry)
		return;
	forget_charges(entry);
	free(entry->group);
	free(entry);
}

/* The same text, once for all charges; NULL stays NULL. */
static const char *
keep_text(struct ledger *ledger, const char *text)
{
	char *kept = text ? map_get(ledger->texts, text) : NULL;

	if (kept || !text)
		return kept;
	kept = arena_text(ledger->kept, text);
	map_put(ledger->texts, kept, kept);
	return kept;
}

/* The same list, once for all: many links go the same way. */
static struct spec_list
keep_list(struct ledger *ledger, const struct spec_list *list)
{
	auto_str struct str key = {0};
	const char **kept;

	for (size_t i = 0; i < list->n; i++)
		str_addf(&key, "%s\n", list->items[i]);
	kept = map_get(ledger->lists, str_text(&key));
	if (kept)
		return (struct spec_list){kept, list->n};
	kept = arena_alloc(ledger->kept, list->n * sizeof(kept[0]));
	for (size_t i = 0; i < list->n; i++)
		kept[i] = keep_text(ledger, list->items[i]);
	map_put(ledger->lists, str_text(&key), kept);
	return (struct spec_list){kept, list->n};
}

static bool
is_same_list(const struct spec_list *a, const struct spec_list *b)
{
	bool is_same = a->n == b->n;

	for (size_t i = 0; is_same && i < a->n; i++)
		is_same = str_equal(a->items[i], b->items[i]);
	return is_same;
}

/* Do they take from the same things? */
static bool
is_same_place(const struct resource_charge *a, const struct resource_charge *b)
{
	if (!str_equal(a->kind, b->kind))
		return false;
	if (str_equal(a->kind, "share"))
		return str_equal(a->from, b->from) && is_same_list(&a->edges, &b->edges);
	return str_equal(a->host, b->host) && str_equal(a->port, b->port);
}

static void
add_charge(struct reading *reading, const struct resource_charge *charge)
{
	struct ledger *ledger = reading->ledger;
	const struct substrate_host *host = map_get(ledger->hosts, charge->host);
	struct resource_charge *sum;

	vec_each (each, &reading->sums) {
		if (!is_same_place(each, charge))
			continue;
		each->cpu += charge->cpu;
		each->memory_bytes += charge->memory_bytes;
		each->disk_bytes += charge->disk_bytes;
		each->rate_bps += charge->rate_bps;
		each->rate_ab_bps += charge->rate_ab_bps;
		each->rate_ba_bps += charge->rate_ba_bps;
		return;
	}
	sum = vec_add(&reading->sums);
	*sum = *charge;
	sum->kind = keep_text(ledger, charge->kind);
	sum->host = keep_text(ledger, charge->host);
	sum->host_at = host ? (size_t)(host - ledger->whole->hosts) : 0;
	sum->port = keep_text(ledger, charge->port);
	sum->from = keep_text(ledger, charge->from);
	sum->edges = keep_list(ledger, &charge->edges);
}

static void
read_row(struct reading *reading, struct txn *txn, const struct booking_row *row)
{
	struct resource_charge charge;
	bool is_less = false;
	struct err why = {0};
	bool is_good = txn ? modify_charge(txn, row, reading->scratch, &charge, &is_less, &why)
			   : resource_charge(row->manager, row->kind, row->spec, reading->scratch,
				 &charge, &why);

	reading->entry->is_leaning = reading->entry->is_leaning || is_less;
	if (!is_good)
		log_error("snc", "event=charge_unreadable group=%s why=\"%s\"",
		    reading->entry->group, why.text);
	else if (!str_equal(charge.kind, "hub")) /* its link ends are charged */
		add_charge(reading, &charge);
}

static bool
read_booking(struct reading *reading, struct txn *txn, struct err *err)
{
	struct booking_rows rows;

	if (!store_booking_list(txn, reading->entry->group, reading->scratch, &rows, err))
		return false;
	for (size_t i = 0; i < rows.n; i++)
		read_row(reading, NULL, &rows.items[i]);
	return true;
}

/* A row that is really gone charges nothing. */
static bool
read_rows(struct reading *reading, struct controller *controller, struct txn *txn, struct err *err)
{
	const char *group = reading->entry->group;
	const struct controller_row_state *rows;
	size_t n_rows;

	if (!controller_rows(controller, txn, group, reading->scratch, &rows, &n_rows))
		return err_set(err, ERR_INTERNAL, "rows of '%s' cannot be read", group);
	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row *row = &rows[i].row;

		if (rows[i].have != ROW_RELEASED || !rows[i].is_real)
			read_row(reading, txn,
			    &(struct booking_row){row->manager, row->kind, row->spec});
	}
	return true;
}

bool
entry_read(struct ledger *ledger, struct entry *entry, struct controller *controller,
    struct txn *txn, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	struct reading reading = {.ledger = ledger, .entry = entry, .scratch = scratch};
	bool is_good;

	forget_charges(entry);
	entry->is_leaning = false;
	is_good = entry->is_booked ? read_booking(&reading, txn, err)
				   : read_rows(&reading, controller, txn, err);
	if (!is_good)
		entry->round = -1; /* nobody knows it */
	entry->n_charges = reading.sums.n;
	entry->charges = xcalloc(reading.sums.n + 1, sizeof(entry->charges[0]));
	if (reading.sums.n)
		memcpy(
		    entry->charges, reading.sums.items, reading.sums.n * sizeof(entry->charges[0]));
	vec_done(&reading.sums);
	return is_good;
}
