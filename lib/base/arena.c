/*
 * A list of blocks, filled one after another and freed together.
 */
#include "lib/base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 4096, ALIGNMENT = 16 };

struct block {
	struct block *next;
	size_t used;
	size_t size;
	_Alignas(ALIGNMENT) unsigned char bytes[];
};

struct arena {
	struct block *blocks;
};

struct arena *
arena_new(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void
arena_free(struct arena *arena)
{
	if (arena)
		arena_clear(arena);
	free(arena);
}

void
arena_clear(struct arena *arena)
{
	struct block *next;

	for (struct block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}

void
arena_join(struct arena *into, struct arena *from)
{
	struct block **end = &from->blocks;

	while (*end)
		end = &(*end)->next;
	*end = into->blocks;
	into->blocks = from->blocks;
	from->blocks = NULL;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct block *block = arena->blocks;
	size_t room = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	void *memory;

	if (room < size)
		abort();
	if (!block || block->size - block->used < room) {
		size_t block_size = room > BLOCK_SIZE ? room : BLOCK_SIZE;

		block = xcalloc(1, sizeof(*block) + block_size);
		block->size = block_size;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	memory = block->bytes + block->used;
	block->used += room;
	return memory;
}

char *
arena_text(struct arena *arena, const char *text)
{
	return text ? arena_copy(arena, text, strlen(text)) : NULL;
}

char *
arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *
arena_format(struct arena *arena, const char *format, ...)
{
	struct block *block = arena->blocks;
	char *rest = block ? (char *)block->bytes + block->used : NULL;
	va_list args, again;
	int length;
	char *text;

	/* Mostly it fits into the rest of the block. Where it does not, nobody uses that any more.
	 */
	va_start(args, format);
	va_copy(again, args);
	length = vsnprintf(rest, block ? block->size - block->used : 0, format, args);
	va_end(args);
	if (length < 0)
		abort();
	text = arena_alloc(arena, (size_t)length + 1);
	if (text != rest)
		vsnprintf(text, (size_t)length + 1, format, again);
	va_end(again);
	return text;
}
