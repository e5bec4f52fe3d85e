/*
 * What is told beside yes and no: what would be used of each quota, and whose end frees enough.
 */
#include "snc/quota.h"

#include <stdio.h>

#include "snc/project.h"

#define HOUR_MS 3600000.0

enum { ENDS_TRIED = 16 };

static int64_t
hours_wanted(const struct quota_question *question)
{
	const struct calendar_span *window = &question->window;
	double rate_bps = (double)question->wanted.of[QUOTA_RATE], hours;

	if (rate_bps > 0 && window->until_ms == CALENDAR_EVER)
		return QUOTA_ENDLESS;
	hours = rate_bps > 0 ? (double)(window->until_ms - window->from_ms) / HOUR_MS : 0;
	return (int64_t)(rate_bps * hours);
}

bool
quota_uses(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    struct quota_uses *uses, struct err *err)
{
	struct quota_limits limits;
	struct quota_amounts used;

	uses->n = 0;
	if (!quota_limits(txn, question->tenant.project, &limits, err))
		return false;
	for (int scope = 0; scope < QUOTA_SCOPES; scope++) {
		const struct quota_limit *of = limits.of[scope];
		struct quota_question asked = *question;

		if (scope == QUOTA_PROJECT)
			asked.tenant.user = NULL;
		if (!quota_used(txn, &asked, now_ms, of[QUOTA_RATE_HOURS].since_ms, &used, err))
			return false;
		for (int i = 0; i < QUOTA_THINGS; i++) {
			int64_t wanted =
			    i == QUOTA_RATE_HOURS ? hours_wanted(question) : question->wanted.of[i];

			if (of[i].amount != QUOTA_NONE)
				uses->items[uses->n++] = (struct quota_use){(enum quota_scope)scope,
				    (enum quota_thing)i, of[i].amount, used.of[i], wanted};
		}
	}
	return true;
}

/* An end of somebody's, and whose: nobody learns names in the project of all who have none. */
struct ending {
	int64_t at_ms;
	char name[64];
};

struct endings {
	struct ending items[ENDS_TRIED];
	size_t n;
};

/* Those to come, of slices that the question counts; `user` is who is told. */
static bool
read_ends(struct txn *txn, const struct quota_question *question, const char *user, int64_t now_ms,
    struct endings *ends)
{
	const struct quota_tenant *tenant = &question->tenant;
	struct err err;
	auto_rows struct rows *rows = txn_query(txn, &err,
	    "SELECT span.until_ms,"
	    " CASE WHEN ?1 <> '" PROJECT_DEFAULT "' OR span.owner = ?4 THEN slice.name END"
	    " FROM span JOIN slice ON slice.id = span.slice"
	    " WHERE span.project = ?1 AND is_open = 1"
	    " AND span.owner BETWEEN coalesce(?2, '') AND coalesce(?2, char(1114111))"
	    " AND span.until_ms > ?3 AND span.until_ms < 9223372036854775807"
	    " ORDER BY span.until_ms LIMIT ?5",
	    "ttiti", tenant->project, tenant->user, now_ms, user, (int64_t)ENDS_TRIED);

	if (!rows)
		return false;
	ends->n = 0;
	while (ends->n < ENDS_TRIED && rows_next(rows)) {
		const char *name = rows_text(rows, 1);
		struct ending *end = &ends->items[ends->n++];

		end->at_ms = rows_i64(rows, 0);
		snprintf(end->name, sizeof(end->name), "%s", name ? name : "");
	}
	return true;
}

bool
quota_relief(struct txn *txn, const struct quota_shortage *shortage, int64_t now_ms,
    struct quota_relief *relief)
{
	struct quota_question then = *shortage->question;
	struct calendar_span window = then.window;
	struct endings ends;
	struct quota_amounts used;
	struct err err;

	if (shortage->scope == QUOTA_PROJECT)
		then.tenant.user = NULL;
	if (!read_ends(txn, &then, shortage->question->tenant.user, now_ms, &ends))
		return false;
	for (size_t i = 0; i < ends.n; i++) {
		if (ends.items[i].at_ms <= window.from_ms)
			continue;
		then.window.from_ms = ends.items[i].at_ms;
		if (window.until_ms != CALENDAR_EVER)
			then.window.until_ms =
			    ends.items[i].at_ms + (window.until_ms - window.from_ms);
		if (!quota_used_then(txn, &then, now_ms, &used, &err))
			return false;
		relief->left = shortage->amount - used.of[shortage->thing];
		if (then.wanted.of[shortage->thing] > relief->left)
			continue;
		relief->at_ms = ends.items[i].at_ms;
		snprintf(relief->name, sizeof(relief->name), "%s", ends.items[i].name);
		return true;
	}
	return false;
}
