/*
 * Quotas: how much a project, and each user in it, may have at a time, and how much rate for how
 * long in all. One question, quota_fits, is asked by check, find-slot, create, run, modify and
 * renew; what is had comes from the spans of snc/usage.h. All inside the caller's transaction.
 */
#pragma once

#include "lib/base/diagnosis.h"
#include "lib/model/slice.h"
#include "snc/calendar.h"
#include "snc/snc_store.h"

/* Who has it, and who is asked for. project NULL: nobody, and no limit is looked at. */
struct quota_tenant {
	const char *project, *user;
};

enum quota_thing { QUOTA_SLICES, QUOTA_CPU, QUOTA_MEMORY, QUOTA_RATE, QUOTA_RATE_HOURS };

enum { QUOTA_COUNTED = QUOTA_RATE_HOURS, QUOTA_THINGS = QUOTA_RATE_HOURS + 1 };

/* By enum quota_thing: slices, CPUs, bytes, bit/s, and bit/s times hours. */
struct quota_amounts {
	int64_t of[QUOTA_THINGS];
};

/* "slices", "cpu", "memory", "rate", "rate-hours"; parse gives ERR_BAD_VALUE. */
const char *quota_thing_text(enum quota_thing thing);
bool quota_thing_parse(const char *text, enum quota_thing *thing, struct err *err) must_check;

/* What a slice takes by its document, which is expanded: of a link the mean of its guaranteed
 * rates in both directions, of a multipoint link that of each end. */
struct quota_amounts quota_amounts_of(const struct slice *expanded);

enum quota_scope { QUOTA_PROJECT, QUOTA_EACH, QUOTA_SCOPES }; /* all of it; each user in it */

/* "project", "each". */
const char *quota_scope_text(enum quota_scope scope);
bool quota_scope_parse(const char *text, enum quota_scope *scope, struct err *err) must_check;

enum { QUOTA_NONE = -1, QUOTA_AS_SITE = -2 }; /* instead of an amount */

struct quota_limit {
	int64_t amount;   /* QUOTA_NONE = no limit */
	int64_t since_ms; /* QUOTA_RATE_HOURS: counted from then on */
	bool is_own;      /* the project's own, not the site's */
};

struct quota_limits {
	struct quota_limit of[QUOTA_SCOPES][QUOTA_THINGS];
};

/* Those that hold for a project; "" = of the site. */
bool quota_limits(
    struct txn *txn, const char *project, struct quota_limits *limits, struct err *err) must_check;

/* One limit of a project or ("") of the site; QUOTA_AS_SITE forgets it. ERR_BAD_VALUE. */
struct quota_change {
	const char *project;
	enum quota_scope scope;
	enum quota_thing thing;
	int64_t amount, since_ms;
};

bool quota_set(struct txn *txn, const struct quota_change *change, struct err *err) must_check;

struct quota_question {
	struct quota_tenant tenant;
	const char *slice; /* what this one has does not count; NULL = nothing */
	struct quota_amounts wanted;
	struct quota_amounts had; /* by it already: only what exceeds this may be refused */
	struct calendar_span window;
	bool is_alone; /* as if nothing else were there: what no time helps */
	bool is_try;   /* one of many: nobody reads how it could be helped */
};

/*
 * Is it within all limits, at every instant of the window? false with an A03 for each that it is
 * not within: what is wanted, what is used then, what is allowed, and what to do.
 */
bool quota_fits(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    diagnoses *found) must_check;

/* What the tenant has of each thing but rate-hours at its worst instant of the window. */
bool quota_used_then(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    struct quota_amounts *used, struct err *err) must_check;

/* What the tenant (user NULL: all of the project) has at the worst instant of the window, and by
 * QUOTA_RATE_HOURS in all since then. */
bool quota_used(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    int64_t since_ms, struct quota_amounts *used, struct err *err) must_check;

/* "12", "4 GiB", "2 Gbps", "12 Gbps x h". */
struct unit_text quota_text(enum quota_thing thing, int64_t amount);

/* ---- what is told beside (quota_outlook.c) ----------------------------------------------------
 */

enum { QUOTA_ENDLESS = -1 }; /* rate-hours of what guarantees a rate and has no end */

/* What would be used of one limit; `used` is by others, at the worst instant of the window. */
struct quota_use {
	enum quota_scope scope;
	enum quota_thing thing;
	int64_t amount, used, wanted;
};

struct quota_uses {
	struct quota_use items[QUOTA_SCOPES * QUOTA_THINGS];
	size_t n;
};

/* Of all that has a limit, the project's first. */
bool quota_uses(struct txn *txn, const struct quota_question *question, int64_t now_ms,
    struct quota_uses *uses, struct err *err) must_check;

/* A question that was refused for want of one thing; not of rate-hours. */
struct quota_shortage {
	const struct quota_question *question;
	enum quota_scope scope;
	enum quota_thing thing;
	int64_t amount; /* that is allowed */
};

struct quota_relief {
	int64_t at_ms, left;
	char name[64]; /* "" = of a slice whose name the user may not know */
};

/* The first end of a slice (of the next few) from which on as much is left for as long as is
 * wanted; false when there is none. */
bool quota_relief(struct txn *txn, const struct quota_shortage *shortage, int64_t now_ms,
    struct quota_relief *relief) must_check;
