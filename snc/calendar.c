/*
 * One list of steps a thing. What covers the whole window needs none: it is taken at once, so that
 * things without an end, which are most, cost no more than a subtraction.
 */
#include "snc/calendar.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/vec.h"

struct step {
	int64_t at_ms, change;
};

struct page { /* of one thing */
	int64_t *free;
	int64_t
	    at_start; /* taken at the window's first instant, besides what is taken throughout */
	vec_of(struct step) steps; /* later within the window */
};

struct calendar {
	struct calendar_span window;
	struct map *pages; /* by the address of what they are of */
};

void
calendar_free(struct calendar *calendar)
{
	struct page *page;

	if (!calendar)
		return;
	for (size_t at = 0; (page = map_next(calendar->pages, &at));) {
		vec_done(&page->steps);
		free(page);
	}
	map_free(calendar->pages);
	free(calendar);
}

struct calendar *
calendar_new(struct calendar_span window)
{
	struct calendar *calendar = xcalloc(1, sizeof(*calendar));

	calendar->window = window;
	calendar->pages = map_new();
	return calendar;
}

static struct page *
page_of(struct calendar *calendar, int64_t *free)
{
	uint64_t key = (uint64_t)(uintptr_t)free;
	struct page *page = map_get_id(calendar->pages, key);

	if (page)
		return page;
	page = xcalloc(1, sizeof(*page));
	page->free = free;
	map_put_id(calendar->pages, key, page);
	return page;
}

void
calendar_take(struct calendar *calendar, int64_t *free, struct calendar_span span, int64_t amount)
{
	const struct calendar_span *window = &calendar->window;
	bool is_at_start = span.from_ms <= window->from_ms;
	bool is_at_end = span.until_ms >= window->until_ms;
	struct page *page;

	if (!amount || span.from_ms >= span.until_ms || span.from_ms >= window->until_ms ||
	    span.until_ms <= window->from_ms)
		return;
	if (is_at_start && is_at_end) {
		*free -= amount;
		return;
	}
	page = page_of(calendar, free);
	if (is_at_start)
		page->at_start += amount;
	else
		vec_push(&page->steps, ((struct step){span.from_ms, amount}));
	if (!is_at_end)
		vec_push(&page->steps, ((struct step){span.until_ms, -amount}));
}

static int
compare(const void *a, const void *b)
{
	const struct step *left = a, *right = b;

	return (left->at_ms > right->at_ms) - (left->at_ms < right->at_ms);
}

/* All steps of one instant are made before it counts: what ends makes room for what begins. */
static int64_t
worst_of(struct page *page)
{
	int64_t now = page->at_start, worst = now;

	if (page->steps.n)
		qsort(page->steps.items, page->steps.n, sizeof(page->steps.items[0]), compare);
	for (size_t i = 0; i < page->steps.n; i++) {
		const struct step *step = &page->steps.items[i];

		now += step->change;
		if (i + 1 < page->steps.n && step[1].at_ms == step->at_ms)
			continue;
		if (now > worst)
			worst = now;
	}
	return worst;
}

void
calendar_settle(struct calendar *calendar)
{
	struct page *page;

	for (size_t at = 0; (page = map_next(calendar->pages, &at));)
		*page->free -= worst_of(page);
}
