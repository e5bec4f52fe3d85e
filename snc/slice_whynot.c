/*
 * Three ways out, each tried on its own: smaller (slice_smaller.c), elsewhere, later.
 */
#include "snc/slice_whynot.h"

#include <string.h>

#include "lib/base/when.h"
#include "snc/slice_trial.h"

enum { ALL_MS = 2500, TRY_MS = 250, LATER_MS = 1500 };

/* ---- trying ---------------------------------------------------------------------------------- */

static void *
copy_of(struct arena *arena, const void *items, size_t size)
{
	return size ? arena_copy(arena, items, size) : NULL;
}

void
trial_reset(struct trial *trial)
{
	const struct slice *slice = trial->examination->slice;
	struct slice *copy = arena_new_of(trial->arena, struct slice);

	*copy = *slice;
	copy->body.nodes = copy_of(
	    trial->arena, slice->body.nodes, slice->body.n_nodes * sizeof(slice->body.nodes[0]));
	copy->body.links = copy_of(
	    trial->arena, slice->body.links, slice->body.n_links * sizeof(slice->body.links[0]));
	copy->amaps = copy_of(trial->arena, slice->amaps, slice->n_amaps * sizeof(slice->amaps[0]));
	trial->variant = copy;
}

void
trial_restore(struct trial *trial)
{
	const struct slice_body *from = &trial->examination->slice->body;
	struct slice_body *to = &trial->variant->body;

	to->n_nodes = from->n_nodes;
	to->n_links = from->n_links;
	if (from->n_nodes)
		memcpy(to->nodes, from->nodes, from->n_nodes * sizeof(to->nodes[0]));
	if (from->n_links)
		memcpy(to->links, from->links, from->n_links * sizeof(to->links[0]));
}

bool
trial_fits(struct trial *trial, bool is_alone)
{
	int64_t now_ms = clock_boot_ms(trial->snc->clock), until_ms = now_ms + TRY_MS;
	const struct slice_examination *examination = trial->examination;
	struct slice_placing placing = {
	    .question.window = lease_span(&examination->lease, clock_wall_ms(trial->snc->clock)),
	    .question.without = examination->without,
	    .tenant = examination->tenant,
	    .is_try = true,
	    .question.is_alone = is_alone,
	    .deadline_ms = until_ms < trial->deadline_ms ? until_ms : trial->deadline_ms,
	};
	bool fits;

	vec_done(&trial->found);
	if (now_ms >= trial->deadline_ms)
		return false;
	arena_clear(trial->scratch);
	placing.expanded = slice_expand(trial->variant, trial->scratch);
	fits = slice_place(trial->snc, &placing, trial->scratch, &trial->found);
	slice_place_pause(&placing);
	trial->mapping = placing.mapping;
	return fits;
}

bool
trial_is_about(const struct err *why, const char *noun, const char *name)
{
	size_t noun_len = strlen(noun), name_len = strlen(name);
	const char *at = why->subject;

	return !why->is_warning && !strncmp(at, noun, noun_len) && at[noun_len] == ' ' &&
	       at[noun_len + 1] == '\'' && !strncmp(at + noun_len + 2, name, name_len) &&
	       at[noun_len + 2 + name_len] == '\'';
}

/* ---- elsewhere ------------------------------------------------------------------------------- */

static long
amap_of(const struct slice *slice, const char *node)
{
	for (size_t i = 0; i < slice->n_amaps; i++)
		if (str_equal(slice->amaps[i].node, node))
			return (long)i;
	return -1;
}

/* The node may go anywhere; false when it already may. */
static bool
release_node(struct trial *trial, const char *node)
{
	struct slice *variant = trial->variant;
	long at = amap_of(variant, node);

	if (at < 0)
		return false;
	variant->amaps[at] = variant->amaps[--variant->n_amaps];
	return true;
}

static bool
release_ends(struct trial *trial, const struct slice_link *link)
{
	bool any = false;

	for (unsigned i = 0; i < link->n_vports; i++) {
		const struct slice_bind_end *end = slice_link_end(trial->variant, link, i);

		any = (end && release_node(trial, end->sliver)) || any;
	}
	return any;
}

/* Whatever the last try stumbled over may go anywhere; false when nothing of it was held fast. */
static bool
release_blamed(struct trial *trial)
{
	const struct slice_body *body = &trial->variant->body;
	bool any = false;

	vec_each (why, &trial->found) {
		for (size_t i = 0; i < body->n_nodes; i++)
			if (trial_is_about(why, "node", body->nodes[i].name))
				any = release_node(trial, body->nodes[i].name) || any;
		for (size_t i = 0; i < body->n_links; i++)
			if (trial_is_about(why, "link", body->links[i].name))
				any = release_ends(trial, &body->links[i]) || any;
	}
	return any;
}

static const char *
host_of(const struct mapping *mapping, const char *node)
{
	for (size_t i = 0; i < mapping->n_nodes; i++)
		if (str_equal(mapping->nodes[i].node->name, node))
			return mapping->nodes[i].host->name;
	return "";
}

static void
name_host(struct trial *trial, const struct slice_amap *amap)
{
	vec_push(&trial->remedies,
	    ((struct slice_remedy){
		.kind = "elsewhere",
		.subject = arena_format(trial->arena, "node '%s'", amap->node),
		.where = amap->where,
		.what = "host",
		.wanted = amap->vnode,
		.offered = arena_text(trial->arena, host_of(trial->mapping, amap->node)),
	    }));
}

/* What need not have been let go is held fast again, one after the other. */
static bool
hold_what_can_be(struct trial *trial)
{
	const struct slice *asked = trial->examination->slice;
	struct slice *variant = trial->variant;

	for (size_t i = 0; i < asked->n_amaps; i++) {
		if (amap_of(variant, asked->amaps[i].node) >= 0)
			continue;
		variant->amaps[variant->n_amaps++] = asked->amaps[i];
		if (!trial_fits(trial, false))
			variant->n_amaps--;
	}
	return trial_fits(trial, false);
}

static void
elsewhere(struct trial *trial)
{
	const struct slice *asked = trial->examination->slice;

	trial_reset(trial);
	while (!trial_fits(trial, false))
		if (!release_blamed(trial))
			return;
	if (!hold_what_can_be(trial))
		return;
	for (size_t i = 0; i < asked->n_amaps; i++)
		if (amap_of(trial->variant, asked->amaps[i].node) < 0)
			name_host(trial, &asked->amaps[i]);
}

/* ---- later ----------------------------------------------------------------------------------- */

static void
later(struct trial *trial)
{
	const struct lease *lease = &trial->examination->lease;
	int64_t boot_ms = clock_boot_ms(trial->snc->clock);
	int64_t start_ms = lease->from_ms ? lease->from_ms : clock_wall_ms(trial->snc->clock);
	struct slice_slot slot = {
	    .expanded = trial->examination->expanded,
	    .tenant = trial->examination->tenant,
	    .length_ms = lease->until_ms ? lease->until_ms - start_ms : 0,
	    .after_ms = lease->from_ms,
	    .deadline_ms = boot_ms + LATER_MS,
	};

	vec_done(&trial->found);
	arena_clear(trial->scratch);
	if (!slice_find_slot(trial->snc, &slot, trial->scratch, &trial->found) || !slot.is_found)
		return;
	vec_push(&trial->remedies,
	    ((struct slice_remedy){
		.kind = "later",
		.subject =
		    arena_format(trial->arena, "slice '%s'", trial->examination->slice->name),
		.where = trial->examination->slice->where,
		.what = "start",
		.wanted = lease->from_ms ? arena_text(trial->arena, when_text(lease->from_ms).text)
					 : "now",
		.offered = arena_text(trial->arena, when_text(slot.lease.from_ms).text),
	    }));
}

void
slice_why_not(struct snc *snc, const struct slice_examination *examination, const diagnoses *found,
    struct arena *arena, struct slice_remedies *remedies)
{
	struct trial trial = {
	    .snc = snc,
	    .examination = examination,
	    .arena = arena,
	    .scratch = arena_new(),
	    .deadline_ms = clock_boot_ms(snc->clock) + ALL_MS,
	};

	*remedies = (struct slice_remedies){0};
	if (examination->expanded && diagnoses_errors(found, 0)) {
		trial_reset(&trial);
		remedies->does_time_help = trial_fits(&trial, true);
		elsewhere(&trial);
		trial_smaller(&trial);
		if (remedies->does_time_help)
			later(&trial);
	}
	remedies->n = trial.remedies.n;
	remedies->items =
	    copy_of(arena, trial.remedies.items, trial.remedies.n * sizeof(remedies->items[0]));
	vec_done(&trial.remedies);
	vec_done(&trial.found);
	arena_free(trial.scratch);
}
