/*
 * Trying a slice with changes: the part of slice_whynot.h that its two files share. Nobody else
 * includes this.
 */
#pragma once

#include "snc/slice_whynot.h"

struct trial {
	struct snc *snc;
	const struct slice_examination *examination;
	struct arena *arena;     /* of what is answered */
	struct arena *scratch;   /* of the last try */
	int64_t deadline_ms;     /* boot time */
	struct slice *variant;   /* what is tried: a copy that may be changed */
	struct mapping *mapping; /* of the last try, when it fitted */
	diagnoses found;         /* why the last try did not fit */
	vec_of(struct slice_remedy) remedies;
};

/* The copy as the document has it: a new one, or nodes and links of the one that is there. */
void trial_reset(struct trial *trial);
void trial_restore(struct trial *trial);

/* Does the copy fit, at the time that was asked for; with all others gone? */
bool trial_fits(struct trial *trial, bool is_alone) must_check;

/* Its node or link of that number in the document is what the diagnosis is about. */
bool trial_is_about(const struct err *why, const char *noun, const char *name) must_check;

/* Adds what is smaller and fits (slice_smaller.c). */
void trial_smaller(struct trial *trial);
