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
	vec_of(struct sum) sums;
};

static void
forget_sums(struct entry *entry)
{
	free(entry->sums);
	entry->sums = NULL;
	entry->n_sums = 0;
}

void
entry_free(struct entry *entry)
{
	if (!entry)
		return;
	forget_sums(entry);
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

/* The way of a share, once for all: many links go the same way. */
static struct way *
way_of(struct ledger *ledger, const struct resource_charge *share)
{
	auto_str struct str key = {0};
	const char **edges;
	struct way *way;

	str_add(&key, share->from);
	for (size_t i = 0; i < share->edges.n; i++)
		str_addf(&key, "\n%s", share->edges.items[i]);
	way = map_get(ledger->ways, str_text(&key));
	if (way)
		return way;
	way = arena_new_of(ledger->kept, struct way);
	edges = arena_alloc(ledger->kept, share->edges.n * sizeof(edges[0]));
	for (size_t i = 0; i < share->edges.n; i++)
		edges[i] = keep_text(ledger, share->edges.items[i]);
	way->from = keep_text(ledger, share->from);
	way->edges = (struct spec_list){edges, share->edges.n};
	way->hops = arena_alloc(ledger->kept, share->edges.n * sizeof(way->hops[0]));
	ledger_trace(ledger, way);
	map_put(ledger->ways, str_text(&key), way);
	return way;
}

static void
add_share(struct reading *reading, const struct resource_charge *charge)
{
	struct way *way = way_of(reading->ledger, charge);
	struct sum *sum = NULL;

	vec_each (each, &reading->sums)
		sum = each->way == way ? each : sum;
	if (!sum) {
		sum = vec_add(&reading->sums);
		sum->way = way;
	}
	sum->charge.rate_ab_bps += charge->rate_ab_bps;
	sum->charge.rate_ba_bps += charge->rate_ba_bps;
}

/* Of a host, or of one of its ports. */
static void
add_local(struct reading *reading, const struct resource_charge *charge)
{
	struct ledger *ledger = reading->ledger;
	const struct substrate_host *host = map_get(ledger->hosts, charge->host);
	struct sum *sum = NULL;

	vec_each (each, &reading->sums)
		if (!each->way && str_equal(each->charge.host, charge->host) &&
		    str_equal(each->charge.port, charge->port))
			sum = each;
	if (!sum) {
		sum = vec_add(&reading->sums);
		sum->charge.kind = keep_text(ledger, charge->kind);
		sum->charge.host = keep_text(ledger, charge->host);
		sum->charge.host_at = host ? (size_t)(host - ledger->whole->hosts) : 0;
		sum->charge.port = keep_text(ledger, charge->port);
	}
	sum->charge.cpu += charge->cpu;
	sum->charge.memory_bytes += charge->memory_bytes;
	sum->charge.disk_bytes += charge->disk_bytes;
	sum->charge.rate_bps += charge->rate_bps;
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
	else if (str_equal(charge.kind, "share"))
		add_share(reading, &charge);
	else if (!str_equal(charge.kind, "hub")) /* its link ends are charged */
		add_local(reading, &charge);
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

	forget_sums(entry);
	entry->is_leaning = false;
	is_good = entry->is_booked ? read_booking(&reading, txn, err)
				   : read_rows(&reading, controller, txn, err);
	if (!is_good)
		entry->round = -1; /* nobody knows it */
	entry->n_sums = reading.sums.n;
	entry->sums = xcalloc(reading.sums.n + 1, sizeof(entry->sums[0]));
	if (reading.sums.n)
		memcpy(entry->sums, reading.sums.items, reading.sums.n * sizeof(entry->sums[0]));
	vec_done(&reading.sums);
	return is_good;
}
