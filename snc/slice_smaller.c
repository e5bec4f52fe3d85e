/*
 * What is smaller and fits: whatever a try stumbles over is made as small as can be until the whole
 * fits, and then each in turn as large again as it may be. What no element alone is to blame for (a
 * quota, the site's choice) is made smaller in all elements alike, or else has fewer nodes.
 */
#include <string.h>

#include "lib/model/units.h"
#include "snc/slice_trial.h"

enum quantity { CPU, MEMORY, DISK, RATE, LATENCY, NODES };

enum { FULL = 100, MEBIBYTE = 1 << 20 };

#define ALL SIZE_MAX

static const char *const quantity_names[] = {
    "cpu", "memory", "disk", "bandwidth", "latency", "nodes"};

/* One quantity of one element, or of all, at a hundredth of what is wanted. */
struct reduction {
	size_t index; /* of the node or link in the document; ALL */
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
apply_to_node(
    const struct slice_node *asked, const struct reduction *reduction, struct slice_node *node)
{
	if (reduction->quantity == CPU)
		node->cpu = 1 + part_of(asked->cpu - 1, reduction->level, 1);
	else if (reduction->quantity == MEMORY)
		node->memory_bytes = part_of(asked->memory_bytes, reduction->level, MEBIBYTE);
	else
		node->disk_bytes = part_of(asked->disk_bytes, reduction->level, MEBIBYTE);
}

static bool
is_kept(const struct slice *slice, const struct slice_link *link)
{
	for (unsigned i = 0; i < link->n_vports; i++) {
		const struct slice_bind_end *end = slice_link_end(slice, link, i);

		if (!end || !slice_find_node(slice, end->sliver))
			return false;
	}
	return true;
}

/* The first so many nodes, and the links between them. */
static void
keep_nodes(struct slice *slice, size_t n_nodes)
{
	struct slice_body *body = &slice->body;
	size_t n = 0;

	body->n_nodes = n_nodes;
	for (size_t i = 0; i < body->n_links; i++)
		if (is_kept(slice, &body->links[i]))
			body->links[n++] = body->links[i];
	body->n_links = n;
}

static bool
is_of_nodes(enum quantity quantity)
{
	return quantity < RATE;
}

static void
apply(struct trial *trial, const struct reduction *reduction)
{
	const struct slice_body *asked = &trial->examination->slice->body;
	struct slice_body *body = &trial->variant->body;
	bool is_all = reduction->index == ALL;
	size_t n = is_of_nodes(reduction->quantity) ? asked->n_nodes : asked->n_links;

	for (size_t i = is_all ? 0 : reduction->index; i < n; i++) {
		if (is_of_nodes(reduction->quantity))
			apply_to_node(&asked->nodes[i], reduction, &body->nodes[i]);
		else
			apply_to_link(&asked->links[i], reduction, &body->links[i]);
		if (!is_all)
			return;
	}
}

/* Does the slice fit with all of them? Fewer nodes come last, as they move the links. */
static bool
fits_with(struct trial *trial, const reductions *all)
{
	int64_t n_nodes = (int64_t)trial->examination->slice->body.n_nodes;

	trial_restore(trial);
	vec_each (reduction, all)
		if (reduction->quantity != NODES)
			apply(trial, reduction);
	vec_each (reduction, all)
		if (reduction->quantity == NODES)
			keep_nodes(
			    trial->variant, 1 + (size_t)part_of(n_nodes - 1, reduction->level, 1));
	return trial_fits(trial, false);
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
		return asked->links[index].latency_us;
	case NODES:
		break;
	}
	return (int64_t)asked->n_nodes - 1;
}

static bool
is_wanted(const struct trial *trial, size_t index, enum quantity quantity)
{
	const struct slice_body *asked = &trial->examination->slice->body;
	size_t n = is_of_nodes(quantity) ? asked->n_nodes : asked->n_links;

	if (index != ALL || quantity == NODES)
		return wanted_of(trial, index, quantity) > 0;
	for (size_t i = 0; i < n; i++)
		if (wanted_of(trial, i, quantity) > 0)
			return true;
	return false;
}

/* As small as can be; false when it is already, or asks for nothing. */
static bool
reduce(struct trial *trial, reductions *all, size_t index, enum quantity quantity)
{
	struct reduction reduction = {index, quantity, 0};

	vec_each (each, all)
		if (each->index == index && each->quantity == quantity)
			return false;
	if (!is_wanted(trial, index, quantity))
		return false;
	vec_push(all, reduction);
	return true;
}

/* What the whole slice is refused for begins with the name of the thing. */
static bool
reduce_whole(struct trial *trial, reductions *all, const struct err *why)
{
	static const struct {
		const char *text;
		enum quantity quantity;
	} things[] = {{"cpu:", CPU}, {"memory:", MEMORY}, {"disk:", DISK}, {"rate:", RATE},
	    {"rate-hours:", RATE}};

	if (why->code != ERR_A03 && why->code != ERR_R06)
		return false;
	for (size_t i = 0; i < sizeof(things) / sizeof(things[0]); i++)
		if (!strncmp(why->text, things[i].text, strlen(things[i].text)))
			return reduce(trial, all, ALL, things[i].quantity) ||
			       reduce(trial, all, ALL, NODES);
	return false;
}

static bool
reduce_blamed(struct trial *trial, reductions *all)
{
	const struct slice_body *body = &trial->examination->slice->body;
	bool any = false;

	vec_each (why, &trial->found) {
		any = reduce_whole(trial, all, why) || any;
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
enlarge(struct trial *trial, const reductions *all, struct reduction *reduction)
{
	int low = reduction->level, high = FULL;

	reduction->level = FULL; /* most need not have been reduced */
	if (fits_with(trial, all))
		return;
	while (high - low > 1) {
		reduction->level = low + (high - low) / 2;
		if (fits_with(trial, all))
			low = reduction->level;
		else
			high = reduction->level;
	}
	reduction->level = low;
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
node_text(struct arena *arena, const struct slice_node *node, enum quantity quantity)
{
	if (quantity == CPU)
		return arena_format(arena, "%lld", (long long)node->cpu);
	return bytes_text(arena, quantity == MEMORY ? node->memory_bytes : node->disk_bytes);
}

static const char *
link_text(struct arena *arena, const struct slice_link *link, enum quantity quantity)
{
	if (quantity == RATE)
		return rates_text(arena, link);
	return link->latency_us ? value_text(arena, time_text(link->latency_us)) : "none";
}

static void
tell(struct trial *trial, struct slice_remedy remedy)
{
	if (str_equal(remedy.wanted, remedy.offered))
		return;
	remedy.kind = "smaller";
	vec_push(&trial->remedies, remedy);
}

static void
tell_node(struct trial *trial, const struct slice_node *asked, const struct slice_node *node)
{
	for (enum quantity i = CPU; is_of_nodes(i); i++)
		tell(trial,
		    (struct slice_remedy){
			.subject = arena_format(trial->arena, "node '%s'", asked->name),
			.where = where_of(&asked->resources, quantity_names[i], asked->where),
			.what = quantity_names[i],
			.wanted = node_text(trial->arena, asked, i),
			.offered = node_text(trial->arena, node, i),
		    });
}

static void
tell_link(struct trial *trial, const struct slice_link *asked, const struct slice_link *link)
{
	for (enum quantity i = RATE; i <= LATENCY; i++)
		tell(trial,
		    (struct slice_remedy){
			.subject = arena_format(trial->arena, "link '%s'", asked->name),
			.where = where_of(&asked->resources, quantity_names[i], asked->where),
			.what = quantity_names[i],
			.wanted = link_text(trial->arena, asked, i),
			.offered = link_text(trial->arena, link, i),
		    });
}

/* All that differs; the links that are left are in the order of the document. */
static void
tell_all(struct trial *trial)
{
	const struct slice *slice = trial->examination->slice;
	const struct slice_body *asked = &slice->body, *body = &trial->variant->body;
	size_t n = 0;

	tell(trial, (struct slice_remedy){
			.subject = arena_format(trial->arena, "slice '%s'", slice->name),
			.where = slice->where,
			.what = quantity_names[NODES],
			.wanted = arena_format(trial->arena, "%zu", asked->n_nodes),
			.offered = arena_format(trial->arena, "%zu", body->n_nodes),
		    });
	for (size_t i = 0; i < body->n_nodes; i++)
		tell_node(trial, &asked->nodes[i], &body->nodes[i]);
	for (size_t i = 0; i < asked->n_links && n < body->n_links; i++)
		if (str_equal(asked->links[i].name, body->links[n].name))
			tell_link(trial, &asked->links[i], &body->links[n++]);
}

void
trial_smaller(struct trial *trial)
{
	reductions all = {0};
	bool fits;

	trial_reset(trial);
	while (!(fits = fits_with(trial, &all)))
		if (!reduce_blamed(trial, &all))
			break;
	vec_each (reduction, &all)
		if (fits)
			enlarge(trial, &all, reduction);
	if (fits && fits_with(trial, &all))
		tell_all(trial);
	vec_done(&all);
}
