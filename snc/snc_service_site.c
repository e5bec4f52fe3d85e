/*
 * Handlers that ask the whole site: what does not agree, and what hosts can do. All managers are
 * asked at once; each answers into its own list.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/api/manager_api.h"
#include "lib/api/programmer_api.h"
#include "lib/api/redirector_api.h"
#include "lib/api/tnc_api.h"
#include "lib/base/id.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "snc/peers.h"
#include "snc/snc_service.h"

enum { ASK_MS = 15000 };

/* One manager asked: lines of orphans, or facts. */
struct asked {
	struct snc *snc;
	const char *manager;
	struct arena *arena; /* its own: threads do not share one */
	vec_of(const char *) lines;
	vec_of(struct snc_fact) facts;
};

struct asking {
	struct asked *asked;
	size_t n;
};

static void
asking_init(struct asking *asking, struct snc *snc, bool with_tnc, struct arena *arena)
{
	struct inventory_managers managers;

	inventory_managers(snc->inventory, arena, &managers);
	asking->n = managers.n + with_tnc;
	asking->asked = arena_alloc(arena, asking->n * sizeof(asking->asked[0]));
	for (size_t i = 0; i < asking->n; i++) {
		const char *manager = i < managers.n ? managers.names[i] : snc->tnc;
		struct arena *own = arena_new();

		asking->asked[i].snc = snc;
		asking->asked[i].manager = arena_text(own, manager);
		asking->asked[i].arena = own;
	}
}

static void
asking_done(struct asking *asking)
{
	for (size_t i = 0; i < asking->n; i++) {
		vec_done(&asking->asked[i].lines);
		vec_done(&asking->asked[i].facts);
		arena_free(asking->asked[i].arena);
	}
}

/* ---- orphans ---- */

struct expected {
	const char *subject;
};

static void
add_silence(struct asked *asked, const struct err *err)
{
	vec_push(&asked->lines, arena_format(asked->arena, "does not answer: %s", err->text));
}

static void
expect(struct asked *asked, struct map *expected, const struct controller_row *row)
{
	struct expected *it = arena_new_of(asked->arena, struct expected);

	it->subject = row->subject;
	map_put_id(expected, row->rid, it);
}

/* Rows that this manager must have: it said COMMITTED, and nobody has taken that back. */
static void
expected_rows(struct asked *asked, struct map *expected)
{
	auto_txn struct txn *txn = store_begin(asked->snc->store);
	const struct controller_row_state *rows;
	struct slice_records slices;
	size_t n_rows;
	struct err err;

	if (!store_slice_list(txn, NULL, asked->arena, &slices, &err))
		return;
	for (size_t i = 0; i < slices.n; i++) {
		if (!controller_rows(asked->snc->controller, txn, slices.items[i].id, asked->arena,
			&rows, &n_rows))
			continue;
		for (size_t k = 0; k < n_rows; k++)
			if (str_equal(rows[k].row.manager, asked->manager) &&
			    rows[k].want == ROW_COMMITTED && rows[k].have == ROW_COMMITTED &&
			    !rows[k].is_evicted)
				expect(asked, expected, &rows[k].row);
	}
}

/* One page of the manager's rows: strikes off those expected, tells those that nobody knows. */
static void
compare_page(struct asked *asked, struct map *expected, const struct manager_status_result *page)
{
	for (size_t i = 0; i < page->n_rows; i++) {
		const struct manager_row *row = &page->rows[i];
		bool is_live = row->state && (str_equal(row->state, "committed") ||
						 str_equal(row->state, "held"));
		uint64_t rid;
		struct err err;

		if (!id_parse(row->rid, &rid, &err))
			continue;
		if (is_live)
			map_drop_id(expected, rid);
		if (is_live && !controller_expects(asked->snc->controller, asked->manager, rid))
			vec_push(&asked->lines,
			    arena_format(asked->arena, "row %s (%s) belongs to no slice", row->rid,
				row->state));
	}
}

static bool
compare_rows(
    struct asked *asked, const struct rpc_client *client, struct map *expected, struct err *err)
{
	const char *after;
	struct manager_status_result page;

	after = arena_text(asked->arena, id_text(0).text);
	do {
		if (!manager_status_call(
			client, asked->arena, &(struct manager_status_args){after}, &page, err))
			return false;
		compare_page(asked, expected, &page);
		if (page.n_rows)
			after = page.rows[page.n_rows - 1].rid;
	} while (page.n_rows);
	return true;
}

static bool
list_orphans(struct asked *asked, const struct rpc_client *client, struct err *err)
{
	struct manager_orphans_result own = {0};
	struct tnc_orphans_result site;

	if (!manager_orphans_call(
		client, asked->arena, &(struct manager_orphans_args){}, &own, err))
		return false;
	for (size_t i = 0; i < own.n_orphans; i++)
		vec_push(&asked->lines, own.orphans[i].line);
	if (!str_equal(asked->manager, asked->snc->tnc))
		return true;
	if (!tnc_orphans_call(client, asked->arena, &(struct tnc_orphans_args){}, &site, err))
		return false;
	for (size_t i = 0; i < site.n_orphans; i++)
		vec_push(&asked->lines, arena_format(asked->arena, "%s: %s",
					    site.orphans[i].manager, site.orphans[i].line));
	return true;
}

static void
ask_orphans(void *self, size_t index)
{
	struct asked *asked = &((struct asking *)self)->asked[index];
	auto_map struct map *expected = map_new();
	struct rpc_client client;
	const struct expected *missing;
	struct err err;

	expected_rows(asked, expected);
	if (!peers_client(asked->snc, asked->manager, ASK_MS, &client, &err) ||
	    !compare_rows(asked, &client, expected, &err) || !list_orphans(asked, &client, &err)) {
		(void)peers_note(asked->snc, asked->manager, false, &err);
		add_silence(asked, &err);
		return;
	}
	for (size_t at = 0; (missing = map_next(expected, &at));)
		vec_push(&asked->lines,
		    arena_format(asked->arena, "its row of %s is missing", missing->subject));
}

SNC_HANDLER(orphans)
{
	vec_of(struct snc_orphan) all = {0};
	struct asking asking;

	(void)args;
	(void)err;
	asking_init(&asking, self, true, call->arena);
	peers_each(asking.n, ask_orphans, &asking);
	for (size_t i = 0; i < asking.n; i++)
		vec_each (line, &asking.asked[i].lines)
			vec_push(&all,
			    ((struct snc_orphan){arena_text(call->arena, asking.asked[i].manager),
				arena_text(call->arena, *line)}));
	result->n_orphans = all.n;
	result->orphans = (void *)arena_copy(call->arena, all.items, all.n * sizeof(all.items[0]));
	vec_done(&all);
	asking_done(&asking);
	return true;
}

/* ---- doctor ---- */

static const char *
host_name(const char *manager)
{
	return strchr(manager, '@') + 1;
}

static void
add_fact(struct asked *asked, const char *name, bool good, const char *value, const char *hint)
{
	vec_push(
	    &asked->facts, ((struct snc_fact){host_name(asked->manager), name, good, value, hint}));
}

static bool
ask_redirector(struct asked *asked, const struct rpc_client *client, struct err *err)
{
	struct redirector_doctor_result got = {0};

	if (!redirector_doctor_call(
		client, asked->arena, &(struct redirector_doctor_args){}, &got, err))
		return false;
	for (size_t i = 0; i < got.n_facts; i++)
		add_fact(asked, got.facts[i].name, got.facts[i].good, got.facts[i].value,
		    got.facts[i].hint);
	return true;
}

static bool
ask_programmer(struct asked *asked, const struct rpc_client *client, struct err *err)
{
	struct programmer_doctor_result got = {0};

	if (!programmer_doctor_call(
		client, asked->arena, &(struct programmer_doctor_args){}, &got, err))
		return false;
	for (size_t i = 0; i < got.n_facts; i++)
		add_fact(asked, got.facts[i].name, got.facts[i].good, got.facts[i].value,
		    got.facts[i].hint);
	return true;
}

static void
ask_doctor(void *self, size_t index)
{
	struct asked *asked = &((struct asking *)self)->asked[index];
	bool is_redirector = strncmp(asked->manager, "redirector@", 11) == 0;
	struct rpc_client client;
	struct err err;
	bool is_good = peers_client(asked->snc, asked->manager, ASK_MS, &client, &err) &&
		       (is_redirector ? ask_redirector(asked, &client, &err)
				      : ask_programmer(asked, &client, &err));

	if (peers_note(asked->snc, asked->manager, is_good, &err))
		return;
	add_fact(asked, is_redirector ? "redirectord" : "programmerd", false,
	    arena_text(asked->arena, err.text), "start it, or look into its log on that host");
}

/* The manager's arena ends before the answer is written. */
static struct snc_fact
kept_fact(const struct snc_fact *fact, struct arena *arena)
{
	return (struct snc_fact){arena_text(arena, fact->host), arena_text(arena, fact->name),
	    fact->good, arena_text(arena, fact->value), arena_text(arena, fact->hint)};
}

SNC_HANDLER(doctor)
{
	vec_of(struct snc_fact) all = {0};
	struct asking asking;

	(void)args;
	(void)err;
	asking_init(&asking, self, false, call->arena);
	peers_each(asking.n, ask_doctor, &asking);
	for (size_t i = 0; i < asking.n; i++)
		vec_each (fact, &asking.asked[i].facts)
			vec_push(&all, kept_fact(fact, call->arena));
	result->n_facts = all.n;
	result->facts = (void *)arena_copy(call->arena, all.items, all.n * sizeof(all.items[0]));
	vec_done(&all);
	asking_done(&asking);
	return true;
}
