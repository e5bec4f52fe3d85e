/*
 * An arena: memory that dies with its document (a slice, a mapping, a plan, one request).
 * Not thread-safe. Allocation never fails (see err.h).
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#include "lib/base/err.h"

struct arena;

/* Frees the arena and all that was made in it; takes NULL. */
void arena_free(struct arena *arena);

/* A new, empty arena. Owned by the caller. */
struct arena *arena_new(void) malloc_by(arena_free);

/* Frees all that was made in it. */
void arena_clear(struct arena *arena);

/* What was made in `from` lives as long as `into` from now on; `from` is empty. */
void arena_join(struct arena *into, struct arena *from);

/* Zeroed memory, aligned for any type; lives as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);

/* Copies; NULL stays NULL. arena_copy adds a NUL behind the bytes. */
char *arena_text(struct arena *arena, const char *text);
char *arena_copy(struct arena *arena, const void *bytes, size_t size);

char *arena_format(struct arena *arena, const char *format, ...) printf_like(2, 3);

static inline void
arena_cleanup(struct arena **arena)
{
	arena_free(*arena);
}

#define auto_arena __attribute__((cleanup(arena_cleanup)))
#define arena_new_of(arena, type) ((type *)arena_alloc(arena, sizeof(type)))
