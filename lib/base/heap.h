/*
 * What is due next: things that carry a `struct due` as their first member, the earliest first,
 * among equals the one that was put in first. The things belong to the caller.
 */
#pragma once

#include <stdint.h>

#include "lib/base/vec.h"

struct due {
	int64_t at_ms;
	uint64_t turn;
	size_t place; /* in the heap, from 1; 0 = in none */
};

struct heap {
	vec_of(void *) dues; /* struct due */
	uint64_t n_turns;
};

/* Puts it in, or moves it, behind all that are due at the same time. */
void heap_put(struct heap *heap, struct due *due, int64_t at_ms);

/* Takes it out; nothing when it is in none. */
void heap_drop(struct heap *heap, struct due *due);

/* The earliest, NULL when there is none. */
struct due *heap_first(const struct heap *heap);

/* Frees the heap's own memory. */
void heap_done(struct heap *heap);
