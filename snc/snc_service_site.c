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

/* A row that a manager has, or must have. */
struct expected {
	uint64_t rid;
	const char *subject;
	bool is_due; /* it said COMMITTED, and nobody has taken that back */
};

/* One manager asked: lines of orphans, or facts. */
struct asked {
	struct snc *snc;
	const char *manager;
	struct arena *arena;              /* its own: threads do not share one */
	vec_of(struct expected) expected; /* in rid order */
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
		vec_done(&asking->asked[i].expected);
		vec_done(&asking->asked[i].lines);
		vec_done(&asking->asked[i].facts);
		arena_free(asking->asked[i].arena);
	}
}

/* ---- orphans ---- */

static void
add_silence(struct asked *asked, const struct err *err)
{
	vec_push(&asked->lines, arena_format(asked->arena, "does not answer: %s", err->text));
}

/* What is expected of whom; the store is free between one page and the next. */
static bool
expect_page(struct snc *snc, const struct map *by_name, uint64_t *after, size_t *n, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	const struct controller_row_state *rows;

	if (!controller_page(txn, *after, arena, &rows, n, err))
		return false;
	for (size_t i = 0; i < *n; i++) {
		const struct controller_row_state *row = &rows[i];
		struct asked *asked = map_get(by_name, row->row.manager);

		*after = row->row.rid;
		if (asked && row->have != ROW_RELEASED)
			vec_push(&asked->expected,
			    ((struct expected){row->row.rid,
				arena_text(asked->arena, row->row.subject),
				row->want == ROW_COMMITTED && row->have == ROW_COMMITTED}));
	}
	return true;
}

static bool
expect_all(struct snc *snc, struct asking *asking, struct err *err)
{
	auto_map struct map *by_name = map_new();
	uint64_t after = 0;
	size_t n;

	for (size_t i = 0; i < asking->n; i++)
		map_put(by_name, asking->asked[i].manager, &asking->asked[i]);
	do
		if (!expect_page(snc, by_name, &after, &n, err))
			return false;
	while (n);
	return true;
}

static int
compare_rid(const void *key, const void *element)
{
	uint64_t rid = *(const uint64_t *)key, other = ((const struct expected *)element)->rid;

	return (rid > other) - (rid < other);
}

/* One page of the manager's rows: strikes off those expected, tells those that nobody knows. */
static void
compare_page(struct asked *asked, const struct manager_status_result *page)
{
	for (size_t i = 0; i < page->n_rows; i++) {
		const struct manager_row *row = &page->rows[i];
		struct expected *expected = NULL;
		uint64_t rid;
		struct err err;

		if (!row->state ||
		    !(str_equal(row->state, "committed") || str_equal(row->state, "held")) ||
		    !id_parse(row->rid, &rid, &err))
			continue;
		if (asked->expected.n)
			expected = bsearch(&rid, asked->expected.items, asked->expected.n,
			    sizeof(*expected), compare_rid);
		if (expected)
			expected->is_due = false;
		else if (!controller_expects(asked->snc->controller, asked->manager, rid))
			vec_push(&asked->lines,
			    arena_format(asked->arena, "row %s (%s) belongs to no slice", row->rid,
				row->state));
	}
}

static bool
compare_rows(struct asked *asked, const struct rpc_client *client, struct err *err)
{
	struct id_text after = id_text(0);
	size_t n;

	do {
		auto_arena struct arena *arena = arena_new();
		struct manager_status_result page;
		uint64_t last;

		if (!manager_status_call(
			client, arena, &(struct manager_status_args){after.text}, &page, err))
			return false;
		compare_page(asked, &page);
		n = page.n_rows;
		if (n && !id_parse(page.rows[n - 1].rid, &last, err))
			return false;
		after = n ? id_text(last) : after;
	} while (n);
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
	struct rpc_client client;
	struct err err;

	if (!peers_client(asked->snc, asked->manager, ASK_MS, &client, &err) ||
	    !compare_rows(asked, &client, &err) || !list_orphans(asked, &client, &err)) {
		(void)peers_note(asked->snc, asked->manager, false, &err);
		add_silence(asked, &err);
		return;
	}
	vec_each (expected, &asked->expected)
		if (expected->is_due)
			vec_push(&asked->lines, arena_format(asked->arena,
						    "its row of %s is missing", expected->subject));
}

/* Why sncd's own books are not to be trusted; "" = they are. */
static const char *
quarantine(struct snc *snc, struct arena *arena)
{
	auto_txn struct txn *txn = store_begin(snc->store);

	return controller_quarantine(txn, arena);
}

SNC_HANDLER(orphans)
{
	vec_of(struct snc_orphan) all = {0};
	const char *why = quarantine(self, call->arena);
	const struct snc *snc = self;
	size_t n_aside;
	const char **aside = controller_set_aside(snc->controller, call->arena, &n_aside);
	struct asking asking;

	(void)args;
	asking_init(&asking, self, true, call->arena);
	if (!expect_all(self, &asking, err)) {
		asking_done(&asking);
		return false;
	}
	peers_each(asking.n, ask_orphans, &asking);
	if (why[0])
		vec_push(&all, ((struct snc_orphan){"sncd", why}));
	for (size_t i = 0; i < n_aside; i++)
		vec_push(&all,
		    ((struct snc_orphan){"sncd",
			arena_format(call->arena,
			    "slice %s is left as it stands: sncd has died of it", aside[i])}));
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
	const char *why = quarantine(self, call->arena);
	struct asking asking;

	(void)args;
	(void)err;
	asking_init(&asking, self, false, call->arena);
	peers_each(asking.n, ask_doctor, &asking);
	if (why[0])
		vec_push(
		    &all, ((struct snc_fact){"sncd", "books", false, why, "`vnode restore show`"}));
	for (size_t i = 0; i < asking.n; i++)
		vec_each (fact, &asking.asked[i].facts)
			vec_push(&all, kept_fact(fact, call->arena));
	result->n_facts = all.n;
	result->facts = (void *)arena_copy(call->arena, all.items, all.n * sizeof(all.items[0]));
	vec_done(&all);
	asking_done(&asking);
	return true;
}
