/*
 * A binary heap: each is no later than the two below it.
 */
#include "lib/base/heap.h"

#include <stdbool.h>

static bool
is_before(const struct due *a, const struct due *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->turn < b->turn;
}

static void
place(struct heap *heap, size_t at, struct due *due)
{
	heap->dues.items[at - 1] = due;
	due->place = at;
}

/* Moves what belongs at `at` or above it. */
static void
rise(struct heap *heap, size_t at, struct due *due)
{
	for (; at > 1 && is_before(due, heap->dues.items[at / 2 - 1]); at /= 2)
		place(heap, at, heap->dues.items[at / 2 - 1]);
	place(heap, at, due);
}

/* Moves what belongs at `at` or below it. */
static void
sink(struct heap *heap, size_t at, struct due *due)
{
	void **dues = heap->dues.items;
	size_t below;

	while ((below = 2 * at) <= heap->dues.n) {
		if (below < heap->dues.n && is_before(dues[below], dues[below - 1]))
			below++;
		if (!is_before(dues[below - 1], due))
			break;
		place(heap, at, dues[below - 1]);
		at = below;
	}
	place(heap, at, due);
}

void
heap_put(struct heap *heap, struct due *due, int64_t at_ms)
{
	heap_drop(heap, due);
	due->at_ms = at_ms;
	due->turn = heap->n_turns++;
	vec_push(&heap->dues, due);
	rise(heap, heap->dues.n, due);
}

void
heap_drop(struct heap *heap, struct due *due)
{
	size_t at = due->place;
	struct due *last;

	if (!at)
		return;
	due->place = 0;
	last = heap->dues.items[--heap->dues.n];
	if (last == due)
		return;
	if (is_before(last, due))
		rise(heap, at, last);
	else
		sink(heap, at, last);
}

struct due *
heap_first(const struct heap *heap)
{
	return heap->dues.n ? heap->dues.items[0] : NULL;
}

void
heap_done(struct heap *heap)
{
	vec_done(&heap->dues);
}
