/*
 * A hash map from text, or from 64-bit ids, to pointers. Keys are copied, values are borrowed.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct map;

void map_free(struct map *map);
struct map *map_new(void) malloc_by(map_free);

/* Sets the value (not NULL) of a key and returns the one before, NULL when new. */
void *map_put(struct map *map, const char *key, void *value);
void *map_put_id(struct map *map, uint64_t key, void *value);

/* The value, or NULL. */
void *map_get(const struct map *map, const char *key);
void *map_get_id(const struct map *map, uint64_t key);

/* Removes a key and returns its value, NULL when absent. */
void *map_drop(struct map *map, const char *key);
void *map_drop_id(struct map *map, uint64_t key);

/* Forgets all keys. */
void map_clear(struct map *map);

size_t map_size(const struct map *map);

/* Values in no order: `for (size_t at = 0; (value = map_next(map, &at));)`. No change while
 * walking. */
void *map_next(const struct map *map, size_t *at);

static inline void
map_cleanup(struct map **map)
{
	map_free(*map);
}

#define auto_map __attribute__((cleanup(map_cleanup)))
