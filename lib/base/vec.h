/*
 * A growing array of any type: `vec_of(struct row) rows = {0};`. Items move when it grows: keep
 * indices, not pointers.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>

#define vec_of(type)                                                                               \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t n;                                                                          \
		size_t cap;                                                                        \
	}

/* A pointer to a new last item, zeroed. */
#define vec_add(vec)                                                                               \
	((__typeof__((vec)->items))vec_grow(                                                       \
	    (void **)&(vec)->items, &(vec)->n, &(vec)->cap, sizeof(*(vec)->items)))

#define vec_push(vec, value) (*vec_add(vec) = (value))

/* Frees the items' memory; the vector is empty afterwards. */
#define vec_done(vec) (free((vec)->items), (vec)->items = NULL, (vec)->n = (vec)->cap = 0)

/* `vec_each(item, &rows) …` with a pointer to each item in turn. */
#define vec_each(item, vec)                                                                        \
	for (__typeof__((vec)->items + 0) item = (vec)->items;                                     \
	     (vec)->n && item < (vec)->items + (vec)->n; item++)

void *vec_grow(void **items, size_t *n, size_t *cap, size_t size);
