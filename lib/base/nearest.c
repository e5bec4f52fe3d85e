/*
 * Edit distance (insert, drop, replace, swap of neighbours), given up as soon as it is too large.
 */
#include "lib/base/nearest.h"

#include <ctype.h>
#include <string.h>

enum { WORD_MAX = 63 };

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len, unsigned limit);

static void
offer(struct nearest *nearest, const char *text, size_t len)
{
	size_t word_len = strlen(nearest->word), longer = word_len > len ? word_len : len;
	unsigned limit = longer < 3 ? 1 : longer < 6 ? 2 : 3;
	unsigned found;

	if (word_len > WORD_MAX || len > WORD_MAX)
		return;
	if (nearest->best && nearest->distance <= limit) {
		if (!nearest->distance)
			return;
		limit = nearest->distance - 1;
	}
	found = distance(nearest->word, word_len, text, len, limit);
	if (found > limit || found >= longer)
		return;
	nearest->best = text;
	nearest->distance = found;
}

void
nearest_offer(struct nearest *nearest, const char *text)
{
	offer(nearest, text, strlen(text));
}

size_t
nearest_offer_words(struct nearest *nearest, const char *words)
{
	size_t best_len = 0;

	for (size_t len; *words; words += len) {
		words += strspn(words, " ");
		len = strcspn(words, " ");
		if (len)
			offer(nearest, words, len);
		if (nearest->best == words)
			best_len = len;
	}
	return best_len;
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static unsigned
distance(const char *a, size_t a_len, const char *b, size_t b_len, unsigned limit)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	if ((a_len > b_len ? a_len - b_len : b_len - a_len) > limit)
		return limit + 1;
	memset(rows, 0, sizeof(rows));
	for (unsigned k = 0; k <= b_len; k++)
		last[k] = k;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned best = row[0] = (unsigned)i;

		for (size_t k = 1; k <= b_len; k++) {
			char x = a[i - 1], y = b[k - 1];
			/* upper and lower case count as the same */
			unsigned change = tolower((unsigned char)x) != tolower((unsigned char)y);

			row[k] = least(last[k] + 1, row[k - 1] + 1, last[k - 1] + change);
			if (i > 1 && k > 1 && x == b[k - 2] && a[i - 2] == y &&
			    before[k - 2] + 1 < row[k])
				row[k] = before[k - 2] + 1;
			best = row[k] < best ? row[k] : best;
		}
		if (best > limit)
			return limit + 1;
		spare = before, before = last, last = row, row = spare;
	}
	return last[b_len];
}
