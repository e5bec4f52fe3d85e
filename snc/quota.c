/*
 * Limits, what is used of them, and the question whether more is within them.
 */
#include "snc/quota.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/when.h"
#include "lib/model/units.h"
#include "snc/lease.h"

#define HOUR_MS 3600000LL

static const char *const things[QUOTA_THINGS] = {"slices", "cpu", "memory", "rate", "rate-hours"};
static const char *const scopes[QUOTA_SCOPES] = {"project", "each"};

const char *
quota_thing_text(enum quota_thing thing)
{
	return things[thing];
}

bool
quota_thing_parse(const char *text, enum quota_thing *thing, struct err *err)
{
	for (size_t i = 0; i < QUOTA_THINGS; i++) {
		if (!str_equal(things[i], text))
			continue;
		*thing = (enum quota_thing)i;
		return true;
	}
	err_set(err, ERR_BAD_VALUE, "there is no quota of '%.40s'", text);
	return err_hint(err, "slices, cpu, memory, rate or rate-hours");
}

const char *
quota_scope_text(enum quota_scope scope)
{
	return scopes[scope];
}

bool
quota_scope_parse(const char *text, enum quota_scope *scope, struct err *err)
{
	for (size_t i = 0; i < QUOTA_SCOPES; i++) {
		if (!str_equal(scopes[i], text))
			continue;
		*scope = (enum quota_scope)i;
		return true;
	}
	err_set(err, ERR_BAD_VALUE, "'%.40s' is no scope of a quota", text);
	return err_hint(err, "project or each");
}

struct unit_text
quota_text(enum quota_thing thing, int64_t amount)
{
	struct unit_text out;

	if (thing == QUOTA_MEMORY)
		return size_text(amount);
	if (thing == QUOTA_RATE)
		return rate_text(amount);
	if (thing == QUOTA_RATE_HOURS)
		snprintf(out.text, sizeof(out.text), "%.20s x h", rate_text(amount).text);
	else
		snprintf(out.text, sizeof(out.text), "%lld", (long long)amount);
	return out;
}

struct quota_amounts
quota_amounts_of(const struct slice *expanded)
{
	const struct slice_body *body = &expanded->body;
	struct quota_amounts amounts = {{[QUOTA_SLICES] = 1}};
	int64_t rates_bps = 0;

	for (size_t i = 0; i < body->n_nodes; i++) {
		if (body->nodes[i].hub_of)
			continue;
		amounts.of[QUOTA_CPU] += body->nodes[i].cpu;
		amounts.of[QUOTA_MEMORY] += body->nodes[i].memory_bytes;
	}
	for (size_t i = 0; i < body->n_links; i++)
		rates_bps += body->links[i].rate_up_bps + body->links[i].rate_down_bps;
	amounts.of[QUOTA_RATE] = rates_bps / 2;
	return amounts;
}

/* ---- limits ---------------------------------------------------------------------------------- */

bool
quota_limits(struct txn *txn, const char *project, struct quota_limits *limits, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT scope, what, amount, since_ms, project = ?1 FROM quota"
	    " WHERE project IN ('', ?1) ORDER BY project",
	    "t", project);

	if (!rows)
		return false;
	for (size_t i = 0; i < QUOTA_SCOPES; i++)
		for (size_t k = 0; k < QUOTA_THINGS; k++)
			limits->of[i][k] = (struct quota_limit){.amount = QUOTA_NONE};
	while (rows_next(rows)) {
		enum quota_scope scope;
		enum quota_thing thing;

		if (!quota_scope_parse(rows_text(rows, 0), &scope, err) ||
		    !quota_thing_parse(rows_text(rows, 1), &thing, err))
			return false;
		limits->of[scope][thing] = (struct quota_limit){
		    rows_i64(rows, 2), rows_i64(rows, 3), rows_i64(rows, 4) != 0};
	}
	return true;
}

bool
quota_set(struct txn *txn, const struct quota_change *change, struct err *err)
{
	const char *scope = scopes[change->scope], *what = things[change->thing];

	if (change->amount < QUOTA_AS_SITE) {
		err_set(err, ERR_BAD_VALUE, "a quota of %lld makes no sense",
		    (long long)change->amount);
		return err_hint(err, "an amount, -1 for no limit, -2 for what the site says");
	}
	if (change->amount == QUOTA_AS_SITE)
		return txn_run(txn, err,
		    "DELETE FROM quota WHERE project = ? AND scope = ? AND what = ?", "ttt",
		    change->project, scope, what);
	return txn_run(txn, err,
	    "INSERT OR REPLACE INTO quota (project, scope, what, amount, since_ms)"
	    " VALUES (?, ?, ?, ?, ?)",
	    "tttii", change->project, scope, what, change->amount, change->since_ms);
}

/* ---- what is used ---------------------------------------------------------------------------- */

/* Open spans of a tenant but for one slice's. A range of owners, as an index wants it: one, or all.
 */
#define HELD_BY                                                                                    \
	" FROM span WHERE project = ?1 AND is_open = 1"                                            \
	" AND owner BETWEEN coalesce(?2, '') AND coalesce(?2, char(1114111))"                      \
	" AND (?3 IS NULL OR slice <> ?3)"

/* What should have ended has no end that anybody knows. */
#define HELD_ALL_ALONG " (from_ms <= ?4 AND (until_ms >= ?5 OR until_ms <= ?6))"

/* What is held from before the window till after it, which is most: a sum. */
static bool
used_all_along(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    int64_t used[QUOTA_COUNTED], struct err *err)
{
	const struct quota_tenant *tenant = &question->tenant;
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT count(*), coalesce(sum(cpu), 0), coalesce(sum(memory_bytes), 0),"
	    " coalesce(sum(rate_bps), 0)" HELD_BY " AND" HELD_ALL_ALONG,
	    "tttiii", tenant->project, tenant->user, question->slice, question->window.from_ms,
	    question->window.until_ms, now_ms);

	if (!rows || !rows_next(rows))
		return false;
	for (int i = 0; i < QUOTA_COUNTED; i++)
		used[i] = rows_i64(rows, i);
	return true;
}

/* As the ledger counts what hosts have. */
bool
quota_used_then(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    struct quota_amounts *used, struct err *err)
{
	const struct quota_tenant *tenant = &question->tenant;
	const struct calendar_span *window = &question->window;
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT from_ms, until_ms, 1, cpu, memory_bytes, rate_bps" HELD_BY
	    " AND NOT" HELD_ALL_ALONG " AND from_ms < ?5 AND (until_ms > ?4 OR until_ms <= ?6)",
	    "tttiii", tenant->project, tenant->user, question->slice, window->from_ms,
	    window->until_ms, now_ms);
	struct calendar calendars[QUOTA_COUNTED] = {0};

	if (!rows || !used_all_along(txn, question, now_ms, used->of, err))
		return false;
	while (rows_next(rows))
		for (int i = 0; i < QUOTA_COUNTED; i++)
			calendar_take(&calendars[i],
			    (struct calendar_span){rows_i64(rows, 0), rows_i64(rows, 1)},
			    rows_i64(rows, 2 + i));
	for (int i = 0; i < QUOTA_COUNTED; i++) {
		used->of[i] += calendar_worst(&calendars[i], *window, now_ms);
		calendar_done(&calendars[i]);
	}
	return true;
}

/*
 * All that was, and all that is promised: a span that is open counts to the end that is planned, or
 * to now where there is none; that of the slice itself to where the window begins. Sums in floating
 * point: 64 bits do not hold bit/s times milliseconds.
 */
static bool
used_in_all(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    int64_t since_ms, int64_t *used, struct err *err)
{
	const struct quota_tenant *tenant = &question->tenant;
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT CAST(coalesce(sum(rate_bps * 1.0 * (ends - begins)), 0) / 3600000 AS INTEGER)"
	    " FROM (SELECT rate_bps, max(from_ms, ?4) AS begins, CASE"
	    "   WHEN is_open = 0 THEN until_ms"
	    "   WHEN slice = ?3 THEN min(until_ms, ?6)"
	    "   WHEN until_ms = 9223372036854775807 OR until_ms < ?5 THEN ?5"
	    "   ELSE until_ms END AS ends"
	    "  FROM span WHERE project = ?1"
	    "  AND owner BETWEEN coalesce(?2, '') AND coalesce(?2, char(1114111))"
	    "  AND (is_open = 1 OR until_ms > ?4))"
	    " WHERE ends > begins",
	    "tttiii", tenant->project, tenant->user, question->slice, since_ms, now_ms,
	    question->window.from_ms);

	if (!rows)
		return false;
	*used = rows_next(rows) ? rows_i64(rows, 0) : 0;
	return true;
}

bool
quota_used(struct txn *txn, const struct quota_question *question, int64_t now_ms, int64_t since_ms,
    struct quota_amounts *used, struct err *err)
{
	return quota_used_then(txn, question, now_ms, used, err) &&
	       used_in_all(txn, question, now_ms, since_ms, &used->of[QUOTA_RATE_HOURS], err);
}

/* ---- is more within them? -------------------------------------------------------------------- */

/* One limit, and what stands against it. */
struct measure {
	struct txn *txn;
	const struct quota_question *question;
	enum quota_scope scope;
	enum quota_thing thing;
	const struct quota_limit *limit;
	int64_t used, now_ms;
};

static void
name_it(const struct measure *measure, struct err *why)
{
	const struct quota_tenant *tenant = &measure->question->tenant;

	if (measure->scope == QUOTA_EACH)
		err_subject(why, "quota of '%s' in project '%s'", tenant->user, tenant->project);
	else
		err_subject(why, "quota of project '%s'", tenant->project);
}

/* What is left, and whose end leaves enough. */
static void
hint_amount(const struct measure *measure, struct err *why)
{
	const struct quota_question *question = measure->question;
	struct quota_shortage shortage = {
	    question, measure->scope, measure->thing, measure->limit->amount};
	int64_t left = measure->limit->amount - measure->used;
	auto_str struct str text = {0};
	struct quota_relief relief;

	left = left > 0 ? left : 0;
	str_addf(
	    &text, "%s %s left; ", quota_text(measure->thing, left).text, left == 1 ? "is" : "are");
	if (!question->is_try && quota_relief(measure->txn, &shortage, measure->now_ms, &relief))
		str_addf(&text, "from %s on, when %s%s%s has ended, %s; ",
		    when_text(relief.at_ms).text, relief.name[0] ? "'" : "a slice of others",
		    relief.name, relief.name[0] ? "'" : "",
		    quota_text(measure->thing, relief.left).text);
	str_addf(&text, "`vnode quota show %s`", question->tenant.project);
	err_hint(why, "%s", str_text(&text));
}

static void
refuse_amount(const struct measure *measure, diagnoses *found)
{
	int64_t wanted = measure->question->wanted.of[measure->thing];
	struct err why;

	err_set(&why, ERR_A03, "%s: %s wanted, %s used then, %s allowed", things[measure->thing],
	    quota_text(measure->thing, wanted).text, quota_text(measure->thing, measure->used).text,
	    quota_text(measure->thing, measure->limit->amount).text);
	name_it(measure, &why);
	hint_amount(measure, &why);
	diagnoses_push(found, &why);
}

/* The latest end of a lease that the hours left allow, or why there is none. */
static void
refuse_hours(const struct measure *measure, int64_t wanted, diagnoses *found)
{
	const struct quota_question *question = measure->question;
	int64_t more_bps = question->wanted.of[QUOTA_RATE] - question->had.of[QUOTA_RATE];
	int64_t left = measure->limit->amount - measure->used, left_ms, until_ms;
	struct err why;

	if (question->window.until_ms == CALENDAR_EVER)
		err_set(&why, ERR_A03,
		    "rate-hours: without an end %s is wanted for ever, %s used, %s "
		    "allowed",
		    rate_text(more_bps).text, quota_text(QUOTA_RATE_HOURS, measure->used).text,
		    quota_text(QUOTA_RATE_HOURS, measure->limit->amount).text);
	else
		err_set(&why, ERR_A03, "rate-hours: %s wanted, %s used, %s allowed",
		    quota_text(QUOTA_RATE_HOURS, wanted).text,
		    quota_text(QUOTA_RATE_HOURS, measure->used).text,
		    quota_text(QUOTA_RATE_HOURS, measure->limit->amount).text);
	name_it(measure, &why);
	left_ms = left > 0 ? (int64_t)((double)left * HOUR_MS / (double)more_bps) : 0;
	until_ms = lease_latest_end(question->window.from_ms, question->window.from_ms + left_ms);
	if (until_ms > measure->now_ms && until_ms > question->window.from_ms)
		err_hint(&why, "--until %s is the latest end that is within it",
		    when_text(until_ms).text);
	else
		err_hint(&why, "guarantee less, or ask an operator: `vnode quota show %s`",
		    question->tenant.project);
	diagnoses_push(found, &why);
}

static bool
hours_fit(const struct measure *measure, diagnoses *found)
{
	const struct quota_question *question = measure->question;
	const struct calendar_span *window = &question->window;
	int64_t more_bps = question->wanted.of[QUOTA_RATE] - question->had.of[QUOTA_RATE];
	double wanted = 0;

	if (more_bps <= 0)
		return true;
	if (window->until_ms != CALENDAR_EVER)
		wanted = (double)question->wanted.of[QUOTA_RATE] *
			 (double)(window->until_ms - window->from_ms) / HOUR_MS;
	if (window->until_ms != CALENDAR_EVER &&
	    wanted <= (double)(measure->limit->amount - measure->used))
		return true;
	refuse_hours(measure, wanted < 9e18 ? (int64_t)wanted : INT64_MAX, found);
	return false;
}

static bool
measure_fits(const struct measure *measure, diagnoses *found)
{
	int64_t wanted = measure->question->wanted.of[measure->thing];

	if (measure->limit->amount == QUOTA_NONE)
		return true;
	if (measure->thing == QUOTA_RATE_HOURS)
		return hours_fit(measure, found);
	if (wanted <= measure->question->had.of[measure->thing] ||
	    wanted <= measure->limit->amount - measure->used)
		return true;
	refuse_amount(measure, found);
	return false;
}

/* What is used of that which has a limit: of the rest nobody asks. */
static bool
used_of_limited(struct txn *txn, const struct quota_question *asked, int64_t now_ms,
    const struct quota_limit *of, struct quota_amounts *used, struct err *err)
{
	const struct quota_limit *hours = &of[QUOTA_RATE_HOURS];
	bool is_counted = false;

	for (int i = 0; i < QUOTA_COUNTED; i++)
		is_counted = is_counted || of[i].amount != QUOTA_NONE;
	*used = (struct quota_amounts){0};
	if (is_counted && !asked->is_alone && !quota_used_then(txn, asked, now_ms, used, err))
		return false;
	return hours->amount == QUOTA_NONE ||
	       used_in_all(txn, asked, now_ms, hours->since_ms, &used->of[QUOTA_RATE_HOURS], err);
}

static bool
scope_fits(struct txn *txn, const struct quota_question *question, const struct quota_limit *of,
    struct measure *measure, diagnoses *found)
{
	struct quota_question asked = *question;
	struct quota_amounts used;
	struct err err;
	bool is_good = true;

	if (measure->scope == QUOTA_PROJECT)
		asked.tenant.user = NULL;
	if (!used_of_limited(txn, &asked, measure->now_ms, of, &used, &err)) {
		diagnoses_push(found, &err);
		return false;
	}
	for (int i = 0; i < QUOTA_THINGS; i++) {
		measure->thing = (enum quota_thing)i;
		measure->limit = &of[i];
		measure->used = used.of[i];
		is_good = measure_fits(measure, found) && is_good;
	}
	return is_good;
}

bool
quota_fits(struct txn *txn, const struct quota_question *question, int64_t now_ms, diagnoses *found)
{
	struct quota_limits limits;
	struct err err;
	bool is_good = true;

	if (!question->tenant.project || question->window.from_ms >= question->window.until_ms)
		return true;
	if (!quota_limits(txn, question->tenant.project, &limits, &err)) {
		diagnoses_push(found, &err);
		return false;
	}
	for (int i = 0; i < QUOTA_SCOPES; i++) {
		struct measure measure = {.txn = txn,
		    .question = question,
		    .scope = (enum quota_scope)i,
		    .now_ms = now_ms};

		is_good = scope_fits(txn, question, limits.of[i], &measure, found) && is_good;
	}
	return is_good;
}
