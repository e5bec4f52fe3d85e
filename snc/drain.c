/*
 * Windows of maintenance, and which of them a question meets.
 */
#include "snc/drain.h"

#include <string.h>

#include "lib/base/vec.h"
#include "lib/base/when.h"

bool
drain_list(
    struct txn *txn, int64_t now_ms, struct arena *arena, struct drains *drains, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT host, from_ms, until_ms, reason FROM drain WHERE until_ms > ? ORDER BY host",
	    "i", now_ms);
	vec_of(struct drain) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct drain){arena_text(arena, rows_text(rows, 0)),
				     {rows_i64(rows, 1), rows_i64(rows, 2)},
				     arena_text(arena, rows_text(rows, 3))}));
	drains->n = found.n;
	drains->items = (void *)arena_copy(arena, found.items, found.n * sizeof(found.items[0]));
	vec_done(&found);
	return true;
}

bool
drain_put(struct txn *txn, const struct drain *drain, int64_t now_ms, struct err *err)
{
	return txn_run(txn, err, "DELETE FROM drain WHERE until_ms <= ?", "i", now_ms) &&
	       txn_run(txn, err,
		   "INSERT OR REPLACE INTO drain (host, from_ms, until_ms, reason)"
		   " VALUES (?, ?, ?, ?)",
		   "tiit", drain->host, drain->span.from_ms, drain->span.until_ms, drain->reason);
}

bool
drain_drop(struct txn *txn, const char *host, bool *had, struct err *err)
{
	if (!txn_run(txn, err, "DELETE FROM drain WHERE host = ?", "t", host))
		return false;
	*had = txn_changes(txn) > 0;
	return true;
}

const char *
drain_text(const struct drain *drain, int64_t now_ms, struct arena *arena)
{
	const struct calendar_span *span = &drain->span;
	bool is_to_come = span->from_ms > now_ms, is_open = span->until_ms == CALENDAR_EVER;

	return arena_format(arena, "%s%s%s%s%s%s", is_to_come ? "from " : "",
	    is_to_come ? when_text(span->from_ms).text : "", is_to_come ? " " : "",
	    is_open ? "until further notice"
		    : arena_format(arena, "until %s", when_text(span->until_ms).text),
	    drain->reason[0] ? ": " : "", drain->reason);
}

static struct substrate_host *
host_named(struct substrate *substrate, const char *name)
{
	for (size_t i = 0; i < substrate->n_hosts; i++)
		if (str_equal(substrate->hosts[i].name, name))
			return &substrate->hosts[i];
	return NULL; /* it has left substrate.xml */
}

bool
drain_mark(struct txn *txn, const struct ledger_question *question, int64_t now_ms,
    struct substrate *substrate, struct arena *arena, struct err *err)
{
	const struct calendar_span *window = &question->window;
	struct drains drains;

	if (!drain_list(txn, now_ms, arena, &drains, err))
		return false;
	for (size_t i = 0; i < drains.n; i++) {
		const struct drain *drain = &drains.items[i];
		struct substrate_host *host = host_named(substrate, drain->host);

		if (!host || drain->span.from_ms >= window->until_ms ||
		    drain->span.until_ms <= window->from_ms)
			continue;
		if (question->is_alone && drain->span.until_ms != CALENDAR_EVER) {
			host->is_up = !host->is_evicted;
			continue;
		}
		host->drained = drain_text(drain, now_ms, arena);
		host->drained_until_ms = drain->span.until_ms;
	}
	return true;
}

/* Before the first that is later; each once. */
static void
add_instant(struct ledger_instants *instants, int64_t at_ms)
{
	int64_t *items = instants->items;
	size_t at = 0;

	while (at < instants->n && items[at] < at_ms)
		at++;
	if (at < instants->n && items[at] == at_ms)
		return;
	memmove(&items[at + 1], &items[at], (instants->n - at) * sizeof(items[0]));
	items[at] = at_ms;
	instants->n++;
}

bool
drain_add_ends(struct txn *txn, int64_t after_ms, struct arena *arena, struct ledger_instants *ends,
    struct err *err)
{
	struct drains drains;
	int64_t *items;

	if (!drain_list(txn, after_ms, arena, &drains, err))
		return false;
	items = arena_alloc(arena, (ends->n + drains.n + 1) * sizeof(items[0]));
	if (ends->n)
		memcpy(items, ends->items, ends->n * sizeof(items[0]));
	ends->items = items;
	for (size_t i = 0; i < drains.n; i++)
		if (drains.items[i].span.until_ms != CALENDAR_EVER)
			add_instant(ends, drains.items[i].span.until_ms);
	return true;
}

bool
drain_allows(const struct mapping *mapping, const struct substrate *placed,
    const struct substrate *fresh, struct err *err)
{
	for (size_t i = 0; i < mapping->n_nodes; i++) {
		const struct substrate_host *host = mapping->nodes[i].host;
		const struct substrate_host *now = &fresh->hosts[host - placed->hosts];

		if (now->drained && !host->drained)
			return err_set(err, ERR_WAIT, "node '%s': '%s' is in maintenance %s",
			    mapping->nodes[i].node->name, now->name, now->drained);
	}
	return true;
}
