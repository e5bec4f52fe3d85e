/*
 * Open addressing with linear probing; deletion moves later entries back, so no tombstones.
 * An id is stored as its eight bytes: one kind of key inside.
 */
#include "lib/base/map.h"

#include <stdlib.h>
#include <string.h>

struct entry {
	char *key; /* NULL = free */
	size_t size;
	uint64_t hash;
	void *value;
};

struct map {
	struct entry *entries;
	size_t n;
	size_t cap; /* a power of two */
};

static uint64_t hash_bytes(const void *bytes, size_t size);
static struct entry *find(const struct map *map, const void *key, size_t size);
static void *put(struct map *map, const void *key, size_t size, void *value);
static void *drop(struct map *map, const void *key, size_t size);
static void grow(struct map *map);

struct map *
map_new(void)
{
	struct map *map = xcalloc(1, sizeof(*map));

	map->cap = 16;
	map->entries = xcalloc(map->cap, sizeof(*map->entries));
	return map;
}

void
map_free(struct map *map)
{
	if (!map)
		return;
	map_clear(map);
	free(map->entries);
	free(map);
}

void
map_clear(struct map *map)
{
	for (size_t i = 0; i < map->cap; i++) {
		free(map->entries[i].key);
		map->entries[i] = (struct entry){0};
	}
	map->n = 0;
}

void *
map_put(struct map *map, const char *key, void *value)
{
	return put(map, key, strlen(key), value);
}

void *
map_put_id(struct map *map, uint64_t key, void *value)
{
	return put(map, &key, sizeof(key), value);
}

void *
map_get(const struct map *map, const char *key)
{
	return find(map, key, strlen(key))->value;
}

void *
map_get_id(const struct map *map, uint64_t key)
{
	return find(map, &key, sizeof(key))->value;
}

void *
map_drop(struct map *map, const char *key)
{
	return drop(map, key, strlen(key));
}

void *
map_drop_id(struct map *map, uint64_t key)
{
	return drop(map, &key, sizeof(key));
}

size_t
map_size(const struct map *map)
{
	return map->n;
}

void *
map_next(const struct map *map, size_t *at)
{
	while (*at < map->cap) {
		const struct entry *entry = &map->entries[(*at)++];

		if (entry->key)
			return entry->value;
	}
	return NULL;
}

static uint64_t
hash_bytes(const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ byte[i]) * 0x100000001b3u;
	return hash ^ (hash >> 32);
}

static struct entry *
find(const struct map *map, const void *key, size_t size)
{
	uint64_t hash = hash_bytes(key, size);
	size_t mask = map->cap - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct entry *entry = &map->entries[i];

		if (!entry->key ||
		    (entry->hash == hash && entry->size == size && !memcmp(entry->key, key, size)))
			return entry;
	}
}

static void *
put(struct map *map, const void *key, size_t size, void *value)
{
	struct entry *entry;
	void *before;

	if (2 * (map->n + 1) > map->cap)
		grow(map);
	entry = find(map, key, size);
	before = entry->value;
	if (!entry->key) {
		entry->key = xmalloc(size);
		memcpy(entry->key, key, size);
		entry->size = size;
		entry->hash = hash_bytes(key, size);
		map->n++;
	}
	entry->value = value;
	return before;
}

static void *
drop(struct map *map, const void *key, size_t size)
{
	struct entry *entry = find(map, key, size);
	size_t mask = map->cap - 1, hole = (size_t)(entry - map->entries);
	void *value = entry->value;

	if (!entry->key)
		return NULL;
	free(entry->key);
	map->n--;
	for (size_t i = (hole + 1) & mask; map->entries[i].key; i = (i + 1) & mask) {
		size_t home = map->entries[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		map->entries[hole] = map->entries[i];
		hole = i;
	}
	map->entries[hole] = (struct entry){0};
	return value;
}

static void
grow(struct map *map)
{
	struct map bigger = {.cap = 2 * map->cap};

	bigger.entries = xcalloc(bigger.cap, sizeof(*bigger.entries));
	for (size_t i = 0; i < map->cap; i++) {
		const struct entry *entry = &map->entries[i];

		if (entry->key)
			*find(&bigger, entry->key, entry->size) = *entry;
	}
	free(map->entries);
	map->entries = bigger.entries;
	map->cap = bigger.cap;
}
