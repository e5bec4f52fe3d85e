/*
 * The nearest spelling: "did you mean …?". Offer every valid word in turn, then ask.
 */
#pragma once

#include <stddef.h>

struct nearest {
	const char *word; /* what was written */
	const char *best; /* borrowed from an offer; NULL = none is near */
	unsigned distance;
};

/* Takes the offer when it is nearer than those before and near enough to be meant. */
void nearest_offer(struct nearest *nearest, const char *offer);

/* Offers each word of a blank-separated list; the best is then a word's beginning within it: of
 * best_len characters. */
size_t nearest_offer_words(struct nearest *nearest, const char *words);
