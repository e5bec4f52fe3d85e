/*
 * What a check found: a list of errors and warnings, each a struct err with its place. Bounded, so
 * that a hostile document cannot make it grow.
 */
#pragma once

#include "lib/base/err.h"
#include "lib/base/vec.h"

typedef vec_of(struct err) diagnoses; /* free with vec_done */

enum { DIAGNOSES_MAX = 256 };

/*
 * Adds one. The result is there to add subject and hint, or is_warning; NULL (which err_hint and
 * its kin take) when the list is full: its last entry then says so (ERR_LIMIT).
 */
struct err *diagnose(diagnoses *found, unsigned line, const char *xpath, enum err_code code,
    const char *format, ...) printf_like(5, 6);

/* Adds one that exists; the list may say that it is full instead. */
void diagnoses_push(diagnoses *found, const struct err *err);

/* Into the order of lines; those of one line keep theirs. */
void diagnoses_sort(diagnoses *found);

/* The number of entries from `from` on that are not warnings. */
size_t diagnoses_errors(const diagnoses *found, size_t from);
