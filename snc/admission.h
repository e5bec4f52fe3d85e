/*
 * Admission by choice, [snc] admission=many: under load, what takes much for long is refused so
 * that more of the others find a place. CPUs, memory, disk and rates have a price each, the square
 * of their load over the whole site. A request is refused when that of its answer over its life is
 * more than 1.5 times what the mean request so far asks for: on a full site whatever takes 1.5
 * times as much as the mean, at half load six times as much, on an empty one nothing. The rule is
 * pure, and the benchmark's too; what it is asked about is made by the placing of slices.
 */
#pragma once

#include "lib/model/mapping.h"
#include "lib/store/store.h"
#include "snc/calendar.h"

enum admission_policy { ADMISSION_ALL, ADMISSION_MANY };

/* "all" (or NULL), "many"; else ERR_BAD_VALUE. */
bool admission_parse(const char *text, enum admission_policy *policy, struct err *err) must_check;

/* ---- the rule -------------------------------------------------------------------------------- */

enum admission_thing {
	ADMISSION_CPU,
	ADMISSION_MEMORY,
	ADMISSION_DISK,
	ADMISSION_RATE,
	ADMISSION_THINGS
};

struct admission_amounts {
	double of[ADMISSION_THINGS];
};

/* By enum admission_thing what there is, and parts of that: a thing that there is none of is
 * nowhere short. */
struct admission_case {
	struct admission_amounts size, used;
	struct admission_amounts asked; /* with a hop for each link */
	struct admission_amounts takes; /* with the hops of its answer */
	double life;                    /* in any unit, but always the same */
	double others;                  /* the sum of admission_weight of all that asked before */
	size_t n_others;
};

/* What it asks for: shares of what there is, times its life. */
double admission_weight(const struct admission_case *asked);

/* Which part of it, or of its life, is admitted: 1 = all of it. */
double admission_part(const struct admission_case *asked);

/* ---- sites ----------------------------------------------------------------------------------- */

/* What there is, and what is taken of it. */
void admission_load(const struct substrate *substrate, struct admission_case *asked);

/* What a slice, which is expanded, asks for; and what it takes where it found a place. */
void admission_asked(const struct slice *expanded, struct admission_case *asked);
void admission_placed(const struct mapping *mapping, struct admission_case *asked);

/* Of a slice that holds something: what `after` has less free than the substrate of the load. */
void admission_taken(const struct substrate *after, struct admission_case *asked);

/* Its life is the window; what has no end lasts a year. */
void admission_window(struct calendar_span window, struct admission_case *asked);

/*
 * Is all of it admitted? false with R06: what is scarce, how much of it is admitted, and how long
 * it would be; subject and place are the caller's to add.
 */
bool admission_admits(
    const struct admission_case *asked, struct calendar_span window, struct err *err) must_check;

/* Who asks, and for the slice of which name: however often, it counts once. */
struct admission_asker {
	const char *owner, *name;
};

/* What all others have asked for so far. */
bool admission_others(struct txn *txn, const struct admission_asker *asker,
    struct admission_case *asked, struct err *err) must_check;

/* It has asked for that much, whether it was admitted or not. */
bool admission_note(struct txn *txn, const struct admission_asker *asker, double weight,
    struct err *err) must_check;
