/*
 * A treap: a search tree by instant that is a heap by a number made from the instant, and so as
 * deep as one that was filled in random order. Each part of it knows the sum of its changes, and
 * the largest sum that they come to on the way.
 */
#include "snc/calendar.h"

#include <stdlib.h>

struct calendar_instant {
	int64_t at_ms;
	uint64_t rank;
	int64_t begins, ends; /* then */
	int64_t sum, ended;   /* of it and all below: begins less ends; ends */
	int64_t worst;        /* largest sum of the first of them, of one at least */
	struct calendar_instant *left, *right;
};

/* ---- the tree -------------------------------------------------------------------------------- */

/* Mixes all bits of the instant into each. */
static uint64_t
rank_of(int64_t at_ms)
{
	uint64_t x = (uint64_t)at_ms + 0x9e3779b97f4a7c15u;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void
sum_up(struct calendar_instant *at)
{
	const struct calendar_instant *left = at->left, *right = at->right;
	int64_t here = (left ? left->sum : 0) + at->begins - at->ends;

	at->worst = left && left->worst > here ? left->worst : here;
	if (right && here + right->worst > at->worst)
		at->worst = here + right->worst;
	at->sum = here + (right ? right->sum : 0);
	at->ended = at->ends + (left ? left->ended : 0) + (right ? right->ended : 0);
}

/* All of the left are before all of the right. */
static struct calendar_instant *
join(struct calendar_instant *left, struct calendar_instant *right)
{
	if (!left || !right)
		return left ? left : right;
	if (left->rank > right->rank) {
		left->right = join(left->right, right);
		sum_up(left);
		return left;
	}
	right->left = join(left, right->left);
	sum_up(right);
	return right;
}

static void
split(struct calendar_instant *at, int64_t at_ms, struct calendar_instant **before,
    struct calendar_instant **after)
{
	if (!at) {
		*before = *after = NULL;
		return;
	}
	if (at->at_ms < at_ms) {
		split(at->right, at_ms, &at->right, after);
		*before = at;
	} else {
		split(at->left, at_ms, before, &at->left);
		*after = at;
	}
	sum_up(at);
}

static struct calendar_instant *
new_instant(int64_t at_ms)
{
	struct calendar_instant *at = xcalloc(1, sizeof(*at));

	at->at_ms = at_ms;
	at->rank = rank_of(at_ms);
	return at;
}

/* Changes what happens at an instant, which comes and goes with it; answers the tree's root. */
static struct calendar_instant *
change(struct calendar_instant *root, int64_t at_ms, int64_t begins, int64_t ends)
{
	struct calendar_instant *at = root;

	if (!root || (root->at_ms != at_ms && rank_of(at_ms) > root->rank)) {
		struct calendar_instant *before, *after;

		at = new_instant(at_ms);
		split(root, at_ms, &before, &after);
		at->left = before;
		at->right = after;
	} else if (at_ms < root->at_ms) {
		root->left = change(root->left, at_ms, begins, ends);
	} else if (at_ms > root->at_ms) {
		root->right = change(root->right, at_ms, begins, ends);
	}
	if (at->at_ms == at_ms) {
		at->begins += begins;
		at->ends += ends;
	}
	if (!at->begins && !at->ends) {
		struct calendar_instant *rest = join(at->left, at->right);

		free(at);
		return rest;
	}
	sum_up(at);
	return at;
}

static void
free_all(struct calendar_instant *at)
{
	if (!at)
		return;
	free_all(at->left);
	free_all(at->right);
	free(at);
}

void
calendar_done(struct calendar *calendar)
{
	free_all(calendar->root);
	calendar->root = NULL;
}

/* ---- what is taken --------------------------------------------------------------------------- */

void
calendar_take(struct calendar *calendar, struct calendar_span span, int64_t amount)
{
	if (amount && span.from_ms != CALENDAR_ALWAYS)
		calendar->root = change(calendar->root, span.from_ms, amount, 0);
	if (amount && span.until_ms != CALENDAR_EVER)
		calendar->root = change(calendar->root, span.until_ms, 0, amount);
}

/* ---- the worst instant ----------------------------------------------------------------------- */

/* What has begun, less what has ended, until an instant, this one included; and what has ended. */
static void
sum_until(const struct calendar_instant *at, int64_t until_ms, int64_t *sum, int64_t *ended)
{
	*sum = *ended = 0;
	while (at) {
		if (at->at_ms > until_ms) {
			at = at->left;
			continue;
		}
		*sum += at->sum - (at->right ? at->right->sum : 0);
		*ended += at->ended - (at->right ? at->right->ended : 0);
		at = at->right;
	}
}

struct look {
	struct calendar_span window;
	int64_t sum, worst;
};

/* On through what lies within the window; is_after, is_before: all of this part is known to. */
static void
look_at(const struct calendar_instant *at, struct look *look, bool is_after, bool is_before)
{
	int64_t worst;

	if (!at)
		return;
	if (at->at_ms <= look->window.from_ms) {
		look_at(at->right, look, is_after, is_before);
		return;
	}
	if (at->at_ms >= look->window.until_ms) {
		look_at(at->left, look, is_after, is_before);
		return;
	}
	if (!is_after || !is_before) {
		look_at(at->left, look, is_after, true);
		look->sum += at->begins - at->ends;
		worst = look->sum;
	} else {
		worst = look->sum + at->worst;
		look->sum += at->sum;
	}
	if (worst > look->worst)
		look->worst = worst;
	if (!is_after || !is_before)
		look_at(at->right, look, true, is_before);
}

int64_t
calendar_worst(const struct calendar *calendar, struct calendar_span window, int64_t now_ms)
{
	struct look look = {.window = window};
	int64_t ended, at_start;

	if (look.window.from_ms < now_ms)
		look.window.from_ms = now_ms;
	sum_until(calendar->root, now_ms, &at_start, &ended);
	sum_until(calendar->root, look.window.from_ms, &at_start, &(int64_t){0});
	look.sum = look.worst = at_start + ended;
	look_at(calendar->root, &look, false, false);
	return look.worst;
}
