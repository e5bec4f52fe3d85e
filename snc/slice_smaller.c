/*
 * What is smaller and fits: whatever a try stumbles over is made as small as can be until the whole
 * fits, and then each in turn as large again as it may be.
 */
#include <string.h>

#include "lib/model/units.h"
#include "snc/slice_trial.h"

enum quantity { CPU, MEMORY, DISK, RATE, LATENCY };

enum { FULL = 100, MEBIBYTE = 1 << 20 };

static const char *const quantity_names[] = {"cpu", "memory", "disk", "bandwidth", "latency"};

/* One quantity of one element, at a hundredth of what is wanted. */
struct reduction {
	size_t index; /* of the node or link in the document */
	enum quantity quantity;
	int level; /* 0 to FULL */
};

typedef vec_of(struct reduction) reductions;

static int64_t
part_of(int64_t wanted, int level, int64_t unit)
{
	int64_t part = wanted / FULL * level + wanted % FULL * level / FULL;

	return level == FULL ? wanted : part / unit * unit;
}

/* A step of which a text with two decimals is exact: what is offered can be written down. */
static int64_t
step_of(int64_t value)
{
	int64_t step = 1;

	for (; value >= 1000; value /= 1000)
		step *= 1000;
	return step < 1000 ? 1 : step / 100;
}

static int64_t
rate_at(int64_t wanted_bps, int level)
{
	return part_of(wanted_bps, level, step_of(part_of(wanted_bps, level, 1)));
}

/* A bound is made smaller by being loosened: twice as much at half the level, none at 0. */
static int64_t
bound_at(int64_t wanted_us, int level)
{
	int64_t bound_us = level ? wanted_us * FULL / level : 0, step_us = step_of(bound_us);

	return level == FULL ? wanted_us : (bound_us + step_us - 1) / step_us * step_us;
}

static void
apply_to_link(
    const struct slice_link *asked, const struct reduction *reduction, struct slice_link *link)
{
	if (reduction->quantity == LATENCY) {
		link->latency_us = bound_at(asked->latency_us, reduction->level);
		return;
	}
	link->rate_up_bps = rate_at(asked->rate_up_bps, reduction->level);
	link->rate_down_bps = rate_at(asked->rate_down_bps, reduction->level);
}

static void
apply(struct trial *trial, const struct reduction *reduction)
{
	const struct slice_body *asked = &trial->examination->slice->body;
	struct slice_body *body = &trial->variant->body;
	int level = reduction->level;

	switch (reduction->quantity) {
	case CPU:
		body->nodes[reduction->index].cpu =
		    1 + part_of(asked->nodes[reduction->index].cpu - 1, level, 1);
		break;
	case MEMORY:
		body->nodes[reduction->index].memory_bytes =
		    part_of(asked->nodes[reduction->index].memory_bytes, level, MEBIBYTE);
		break;
	case DISK:
		body->nodes[reduction->index].disk_bytes =
		    part_of(asked->nodes[reduction->index].disk_bytes, level, MEBIBYTE);
		break;
	case RATE:
	case LATENCY:
		apply_to_link(
		    &asked->links[reduction->index], reduction, &body->links[reduction->index]);
		break;
	}
}

static int64_t
wanted_of(const struct trial *trial, size_t index, enum quantity quantity)
{
	const struct slice_body *asked = &trial->examination->slice->body;

	switch (quantity) {
	case CPU:
		return asked->nodes[index].cpu - 1; /* one is the least */
	case MEMORY:
		return asked->nodes[index].memory_bytes;
	case DISK:
		return asked->nodes[index].disk_bytes;
	case RATE:
		return asked->links[index].rate_up_bps + asked->links[index].rate_down_bps;
	case LATENCY:
		break;
	}
	return asked->links[index].latency_us;
}

/* As small as can be; false when it is already, or asks for nothing. */
static bool
reduce(struct trial *trial, reductions *all, size_t index, enum quantity quantity)
{
	struct reduction reduction = {index, quantity, 0};

	vec_each (each, all)
		if (each->index == index && each->quantity == quantity)
			return false;
	if (wanted_of(trial, index, quantity) <= 0)
		return false;
	vec_push(all, reduction);
	apply(trial, &reduction);
	return true;
}

static bool
reduce_blamed(struct trial *trial, reductions *all)
{
	const struct slice_body *body = &trial->variant->body;
	bool any = false;

	vec_each (why, &trial->found) {
		for (size_t i = 0; i < body->n_nodes; i++) {
			if (why->code != ERR_R01 ||
			    !trial_is_about(why, "node", body->nodes[i].name))
				continue;
			any = reduce(trial, all, i, CPU) || any;
			any = reduce(trial, all, i, MEMORY) || any;
			any = reduce(trial, all, i, DISK) || any;
		}
		for (size_t i = 0; i < body->n_links; i++) {
			if (!trial_is_about(why, "link", body->links[i].name))
				continue;
			any = reduce(trial, all, i, RATE) || any;
			any = reduce(trial, all, i, LATENCY) || any;
		}
	}
	return any;
}

/* The largest level at which the whole still fits. */
static void
enlarge(struct trial *trial, struct reduction *reduction)
{
	int low = reduction->level, high = FULL;

	reduction->level = FULL; /* most need not have been reduced */
	apply(trial, reduction);
	if (trial_fits(trial, false))
		return;
	while (high - low > 1) {
		reduction->level = low + (high - low) / 2;
		apply(trial, reduction);
		if (trial_fits(trial, false))
			low = reduction->level;
		else
			high = reduction->level;
	}
	reduction->level = low;
	apply(trial, reduction);
}

/* ---- telling --------------------------------------------------------------------------------- */

static struct slice_where
where_of(const struct slice_pairs *pairs, const char *key, struct slice_where element)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (!strncmp(pairs->items[i].key, key, strlen(key)))
			return pairs->items[i].where;
	return element;
}

/* As a document has it: without the blank that is there for people. */
static const char *
value_text(struct arena *arena, struct unit_text text)
{
	char *blank = strchr(text.text, ' ');

	if (blank)
		memmove(blank, blank + 1, strlen(blank));
	return arena_text(arena, text.text);
}

/* In whole MiB, so that it is exact. */
static const char *
bytes_text(struct arena *arena, int64_t bytes)
{
	if (bytes % (1024LL * MEBIBYTE) == 0 || bytes % MEBIBYTE)
		return value_text(arena, size_text(bytes));
	return arena_format(arena, "%lldMiB", (long long)(bytes / MEBIBYTE));
}

static const char *
rates_text(struct arena *arena, const struct slice_link *link)
{
	if (!link->rate_up_bps && !link->rate_down_bps)
		return "none";
	if (link->rate_up_bps == link->rate_down_bps)
		return value_text(arena, rate_text(link->rate_up_bps));
	return arena_format(arena, "%s up, %s down",
	    value_text(arena, rate_text(link->rate_up_bps)),
	    value_text(arena, rate_text(link->rate_down_bps)));
}

static const char *
amount_text(
    const struct trial *trial, const struct slice_body *body, const struct reduction *reduction)
{
	const struct slice_node *node = &body->nodes[reduction->index];
	const struct slice_link *link = &body->links[reduction->index];

	switch (reduction->quantity) {
	case CPU:
		return arena_format(trial->arena, "%lld", (long long)node->cpu);
	case MEMORY:
		return bytes_text(trial->arena, node->memory_bytes);
	case DISK:
		return bytes_text(trial->arena, node->disk_bytes);
	case RATE:
		return rates_text(trial->arena, link);
	case LATENCY:
		break;
	}
	return link->latency_us ? value_text(trial->arena, time_text(link->latency_us)) : "none";
}

static void
tell(struct trial *trial, const struct reduction *reduction)
{
	const struct slice_body *asked = &trial->examination->slice->body;
	const char *what = quantity_names[reduction->quantity];
	bool is_node = reduction->quantity < RATE;
	const struct slice_node *node = &asked->nodes[reduction->index];
	const struct slice_link *link = &asked->links[reduction->index];

	vec_push(
	    &trial->remedies, ((struct slice_remedy){
				  .kind = "smaller",
				  .subject = arena_format(trial->arena, "%s '%s'",
				      is_node ? "node" : "link", is_node ? node->name : link->name),
				  .where = is_node ? where_of(&node->resources, what, node->where)
						   : where_of(&link->resources, what, link->where),
				  .what = what,
				  .wanted = amount_text(trial, asked, reduction),
				  .offered = amount_text(trial, &trial->variant->body, reduction),
			      }));
}

void
trial_smaller(struct trial *trial)
{
	reductions all = {0};
	bool fits;

	trial_reset(trial);
	while (!(fits = trial_fits(trial, false)))
		if (!reduce_blamed(trial, &all))
			break;
	vec_each (reduction, &all) {
		if (!fits)
			break;
		enlarge(trial, reduction);
		if (reduction->level < FULL)
			tell(trial, reduction);
	}
	vec_done(&all);
}
