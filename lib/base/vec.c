/*
 * Growth of vec_of() arrays.
 */
#include "lib/base/vec.h"

#include <string.h>

#include "lib/base/err.h"

void *
vec_grow(void **items, size_t *n, size_t *cap, size_t size)
{
	void *item;

	if (*n == *cap) {
		*cap = *cap ? 2 * *cap : 8;
		*items = xrealloc(*items, *cap * size);
	}
	item = (unsigned char *)*items + (*n)++ * size;
	return memset(item, 0, size);
}
