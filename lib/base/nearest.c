/*
 * Edit distance (insert, drop, replace, swap of neighbours), given up as soon as it is too large.
 */
#include "lib/base/nearest.h"

#include <stdbool.h>
#include <string.h>

enum { WORD_MAX = 63 };

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len, unsigned limit);

static void
take_offer(struct nearest *nearest, const char *text, size_t len)
{
	size_t word_len = strlen(nearest->word), longer = word_len > len ? word_len : len;
	unsigned limit = longer < 3 ? 1 : longer < 6 ? 2 : 3;
	unsigned found;

	if (word_len > WORD_MAX || len > WORD_MAX)
		return;
	if (nearest->best && nearest->distance < limit)
		limit = nearest->distance;
	found = distance(nearest->word, word_len, text, len, limit);
	if (found > limit || found >= longer)
		return;
	/* of two that are as near, the first by name: offers come in any order */
	if (nearest->best && found == nearest->distance && strncmp(text, nearest->best, len) >= 0)
		return;
	nearest->best = text;
	nearest->distance = found;
}

void
nearest_offer(struct nearest *nearest, const char *offer)
{
	take_offer(nearest, offer, strlen(offer));
}

size_t
nearest_offer_words(struct nearest *nearest, const char *words)
{
	size_t best_len = 0;

	for (size_t len; *words; words += len) {
		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (len)
			take_offer(nearest, words, len);
		if (nearest->best == words)
			best_len = len;
	}
	return best_len;
}

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

/* Upper and lower case count as the same. */
static bool
is_same(char a, char b)
{
	return lower(a) == lower(b);
}

/* Rows of the table of distances: of the beginnings of a, for each beginning of b. */
struct rows {
	unsigned *before, *last, *now;
};

/* Fills the row of a's first i letters; the least number in it. */
static unsigned
fill_row(const struct rows *rows, const char *a, size_t i, const char *b, size_t b_len)
{
	unsigned best = (unsigned)i;
	char x = a[i - 1];

	rows->now[0] = best;
	for (size_t k = 1; k <= b_len; k++) {
		char y = b[k - 1];
		unsigned cell = rows->last[k - 1] + !is_same(x, y);

		cell = least(cell, least(rows->last[k], rows->now[k - 1]) + 1);
		if (i > 1 && k > 1 && is_same(x, b[k - 2]) && is_same(a[i - 2], y))
			cell = least(cell, rows->before[k - 2] + 1);
		rows->now[k] = cell;
		best = least(best, cell);
	}
	return best;
}

static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len, unsigned limit)
{
	unsigned cells[3][WORD_MAX + 1] = {0};
	struct rows rows = {cells[0], cells[1], cells[2]};

	if ((a_len > b_len ? a_len - b_len : b_len - a_len) > limit)
		return limit + 1;
	for (unsigned k = 0; k <= b_len; k++)
		rows.last[k] = k;
	for (size_t i = 1; i <= a_len; i++) {
		if (fill_row(&rows, a, i, b, b_len) > limit)
			return limit + 1;
		rows = (struct rows){rows.last, rows.now, rows.before};
	}
	return rows.last[b_len];
}
