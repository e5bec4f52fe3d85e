/*
 * slice optimise: moves slice by slice, each slice's together. The net knows what the moves before
 * have done, so each is planned on what will be there when its turn has come; whether it is, the
 * transaction that admits it finds out, as for any modify. Nothing of this is stored: what has not
 * begun when sncd ends is found again by who asks again.
 */
#include <string.h>

#include "snc/optimise.h"

enum { SEARCH_MS = 3000, SLICES_MAX = 256, SLICES_MANY = 1000 };

/* ---- one link -------------------------------------------------------------------------------- */

static bool
find_host(const struct substrate *substrate, const struct controller_row_state *row, unsigned *at)
{
	const char *name = strchr(row->row.manager, '@');

	for (unsigned i = 0; name && i < substrate->n_hosts; i++) {
		*at = i;
		if (str_equal(substrate->hosts[i].name, name + 1))
			return substrate->hosts[i].is_up;
	}
	return false;
}

bool
optimise_find_link(struct optimising *optimising, struct modify_work *work,
    const struct slice_link *link, struct optimise_link *found)
{
	struct modify_link rows;
	struct share_spec share;
	struct err err;

	*found = (struct optimise_link){.latency_max_us = link->latency_us};
	if (!modify_link_rows(work, link, &rows, &err) || !rows.share ||
	    !find_host(optimising->substrate, rows.ends[0], &found->host_a) ||
	    !find_host(optimising->substrate, rows.ends[1], &found->host_b) ||
	    !spec_parse(&share_spec_table, rows.share->row.spec, work->arena, &share, &err))
		return false;
	found->up = rows.specs[0].rate_bps;
	found->down = rows.specs[1].rate_bps;
	return found->host_a != found->host_b &&
	       optimise_net_find(&optimising->net, found,
		   &(struct optimise_names){rows.specs[0].underlay, rows.specs[1].underlay,
		       share.edge.items, share.edge.n});
}

/* ---- one slice ------------------------------------------------------------------------------- */

/* The links of one element of the document: a link, or the spokes of a multipoint link, which go
 * together. */
struct bundle {
	struct optimise_link *links; /* by link of the expanded slice, from the first one on */
	size_t first, n;
	bool is_moved;
};

static void
tell_move(struct optimising *optimising, const struct mover *mover, const struct slice_link *link,
    struct optimise_move move)
{
	move.slice_id = mover->work.record.id;
	move.slice = mover->work.record.name;
	move.owner = mover->work.record.owner;
	move.name = link->name;
	move.way = SLICE_WAY_HITLESS;
	move.reason = "";
	vec_push(&optimising->moves, move);
}

static void
move_bundle(struct optimising *optimising, struct mover *mover, struct bundle *bundle)
{
	const struct slice_link *links = mover->work.old->body.links + bundle->first;
	struct optimise_net *net = &optimising->net;

	for (size_t i = 0; i < bundle->n; i++)
		if (!optimise_find_link(optimising, &mover->work, &links[i], &bundle->links[i]))
			return;
	for (size_t i = 0; i < bundle->n; i++) {
		struct optimise_move move = {.from = optimise_net_text(net, &bundle->links[i])};

		if (!optimise_net_move(net, &bundle->links[i], &move.gain_bps))
			continue;
		bundle->is_moved = true;
		move.to = optimise_net_text(net, &bundle->links[i]);
		tell_move(optimising, mover, &links[i], move);
	}
}

static size_t
bundle_size(const struct slice_body *body, size_t first)
{
	size_t n = 1;

	while (first + n < body->n_links && body->links[first].whole &&
	       body->links[first + n].whole == body->links[first].whole)
		n++;
	return n;
}

typedef vec_of(struct mapping_link) mapping_links;
typedef vec_of(struct slice_change) slice_changes;

static void
note_bundle(struct optimising *optimising, struct mover *mover, const struct bundle *bundle,
    mapping_links *ways, slice_changes *changes)
{
	const struct slice_link *links = mover->work.old->body.links + bundle->first;

	for (size_t i = 0; i < bundle->n; i++) {
		struct mapping_link *way = vec_add(ways);

		*way = (struct mapping_link){.link = &links[i]};
		optimise_net_mapping(&optimising->net, &bundle->links[i], way);
	}
	vec_push(changes, ((struct slice_change){.is_link = true,
			      .name = links[0].name,
			      .way = SLICE_WAY_HITLESS,
			      .is_rebuilt = true,
			      .text = "another way"}));
}

/* What moves, as the mapping and the diff of a modify. */
static void
move_links(struct optimising *optimising, struct mover *mover)
{
	struct modify_work *work = &mover->work;
	const struct slice_body *body = &work->old->body;
	struct arena *arena = optimising->arena;
	mapping_links ways = {0};
	slice_changes changes = {0};
	struct bundle bundle = {0};

	for (; bundle.first < body->n_links; bundle.first += bundle.n) {
		bundle.n = bundle_size(body, bundle.first);
		bundle.is_moved = false;
		bundle.links = arena_alloc(work->arena, bundle.n * sizeof(bundle.links[0]));
		move_bundle(optimising, mover, &bundle);
		if (bundle.is_moved)
			note_bundle(optimising, mover, &bundle, &ways, &changes);
	}
	work->mapping.n_links = ways.n;
	work->mapping.links = (void *)arena_copy(arena, ways.items, ways.n * sizeof(ways.items[0]));
	work->diff.n = changes.n;
	work->diff.items =
	    (void *)arena_copy(arena, changes.items, changes.n * sizeof(changes.items[0]));
	vec_done(&ways);
	vec_done(&changes);
}

/* The slice as it stands; false with err when it has nothing that could be moved now. */
static bool
read_slice(struct mover *mover, struct err *err)
{
	struct modify_work *work = &mover->work;
	struct slice_examination stored = {0};
	diagnoses ignored = {0};

	if (!modify_read(work, &mover->modification, &mover->modification.document, err))
		return false;
	if (!work->record.has_group) {
		err_set(
		    err, ERR_O01, "slice '%s' has nothing that could be moved", work->record.name);
		(void)err_hint(err, "`vnode slice run %s` first", work->record.name);
		return false;
	}
	stored.role = work->record.role;
	stored.document = mover->modification.document;
	/* It was accepted once: what has changed around it since does not matter. */
	(void)!slice_examine(work->snc, &stored, work->arena, &ignored);
	vec_done(&ignored);
	if (!stored.slice) {
		err_set(err, ERR_INTERNAL, "the stored document of '%s' cannot be read",
		    work->record.name);
		return false;
	}
	mover->slice = stored.slice;
	work->old = work->new = slice_expand(stored.slice, work->arena);
	return true;
}

/* Only what moves stays in the arena of the call. */
static bool
plan_slice(struct optimising *optimising, const char *id, struct err *err)
{
	auto_arena struct arena *scratch = arena_new();
	struct mover *mover = arena_new_of(scratch, struct mover);

	mover->work = (struct modify_work){
	    .snc = optimising->snc,
	    .arena = scratch,
	    .is_move = true,
	    .substrate = optimising->substrate,
	};
	mover->modification =
	    (struct slice_modification){.caller = optimising->asked->caller, .slice = id};
	mover->first = optimising->moves.n;
	if (!read_slice(mover, err))
		return false;
	move_links(optimising, mover);
	if (optimising->asked->with_nodes && optimising->moves.n == mover->first)
		optimise_node(optimising, mover);
	mover->n = optimising->moves.n - mover->first;
	if (!mover->n)
		return true;
	optimise_net_settle(&optimising->net);
	mover->work.arena = optimising->arena;
	vec_push(&optimising->movers, mover);
	arena_join(optimising->arena, scratch);
	return true;
}

/* ---- all ------------------------------------------------------------------------------------- */

static bool
list_slices(struct optimising *optimising, struct slice_records *slices, struct err *err)
{
	const struct snc_caller *caller = &optimising->asked->caller;
	auto_txn struct txn *txn = store_begin(optimising->snc->store);

	return store_slice_list(
	    txn, snc_is_operator(caller) ? NULL : caller->name, optimising->arena, slices, err);
}

static bool
plan_all(struct optimising *optimising, struct err *err)
{
	const struct clock *clock = optimising->snc->clock;
	int64_t deadline_ms = clock_boot_ms(clock) + SEARCH_MS;
	struct slice_records slices = {0};
	struct err ignored;
	size_t start = 0;

	optimising->asked->is_whole = true;
	if (optimising->asked->slice)
		return plan_slice(optimising, optimising->asked->slice, err);
	if (!list_slices(optimising, &slices, err))
		return false;
	/* Time ends a search of very many: another one begins elsewhere. */
	if (slices.n > SLICES_MANY)
		start = (size_t)(clock_wall_ms(clock) % (int64_t)slices.n);
	for (size_t i = 0; i < slices.n; i++) {
		if (clock_boot_ms(clock) >= deadline_ms || optimising->movers.n == SLICES_MAX) {
			optimising->asked->is_whole = false;
			break;
		}
		(void)!plan_slice(optimising, slices.items[(start + i) % slices.n].id, &ignored);
	}
	return true;
}

/* Gives back what a charge takes, or with negative sign takes it. */
struct giving {
	int sign;
};

static void
give_part(void *self, int64_t *free, int64_t amount)
{
	const struct giving *giving = self;

	*free += giving->sign * amount;
}

/* The row as it is charged when all that goes is gone: nothing, if it goes itself; in full, if it
 * is charged less now beside one that goes. */
static void
look_beyond(
    struct optimising *optimising, struct txn *txn, const struct controller_row *row, bool is_going)
{
	struct booking_row booking = {row->manager, row->kind, row->spec};
	struct resource_charge now, full;
	bool is_less;
	struct err err;

	if (!modify_charge(txn, &booking, optimising->arena, &now, &is_less, &err) ||
	    !resource_charge(row->manager, row->kind, row->spec, optimising->arena, &full, &err) ||
	    (!is_going && !is_less))
		return;
	resource_parts(optimising->substrate, &now, give_part, &(struct giving){1});
	if (!is_going)
		resource_parts(optimising->substrate, &full, give_part, &(struct giving){-1});
}

static bool
look_beyond_group(struct optimising *optimising, struct txn *txn, const char *group, bool is_going)
{
	const struct controller_row_state *rows;
	size_t n_rows;

	if (!controller_rows(
		optimising->snc->controller, txn, group, optimising->arena, &rows, &n_rows))
		return false;
	for (size_t i = 0; i < n_rows; i++)
		if (rows[i].have != ROW_RELEASED || !rows[i].is_real)
			look_beyond(optimising, txn, &rows[i].row, is_going);
	return true;
}

/* What moves have left behind and is not gone yet. Without this a slice that has just moved would
 * seem to have done it in vain. */
static bool
look_beyond_parts(struct optimising *optimising, struct txn *txn, struct err *err)
{
	struct modify_parts parts;
	const char *last = NULL; /* slice: they come in order */

	if (!store_parts(txn, NULL, optimising->arena, &parts, err))
		return false;
	for (size_t i = 0; i < parts.n; i++) {
		const char *slice = modify_slice_of(parts.groups[i], optimising->arena);
		enum group_state state;

		if (!controller_group(optimising->snc->controller, txn, parts.groups[i], &state) ||
		    state != GROUP_RELEASING)
			continue;
		if (!look_beyond_group(optimising, txn, parts.groups[i], true) ||
		    (!str_equal(slice, last) && !look_beyond_group(optimising, txn, slice, false)))
			return err_set(err, ERR_INTERNAL, "rows of '%s' cannot be read", slice);
		last = slice;
	}
	return true;
}

/* From now on and for ever: what fits then fits into any lease. */
static bool
look(struct optimising *optimising, struct err *err)
{
	struct snc *snc = optimising->snc;
	struct ledger_question question = {.window = {clock_wall_ms(snc->clock), CALENDAR_EVER}};
	struct substrate *held;
	auto_txn struct txn *txn = NULL;

	snc_refresh_view(snc);
	txn = store_begin(snc->store);
	if (!snc_substrate(snc, txn, &question, optimising->arena, &held, err) ||
	    !snc_substrate(snc, txn, &question, optimising->arena, &optimising->substrate, err) ||
	    !look_beyond_parts(optimising, txn, err))
		return false;
	optimise_net_init(&optimising->net, optimising->substrate, held, optimising->arena);
	return true;
}

/* Those that have no room yet wait: another slice has to be done with its moves first. */
static void
begin_moves(struct optimising *optimising)
{
	vec_each (each, &optimising->movers) {
		struct mover *mover = *each;
		struct err err = {0};
		bool is_good = modify_admit(&mover->work, &mover->modification, mover->slice, &err);

		for (size_t i = mover->first; i < mover->first + mover->n; i++) {
			struct optimise_move *move = &optimising->moves.items[i];

			move->is_under_way = is_good;
			move->reason = is_good ? "" : arena_text(optimising->arena, err.text);
		}
	}
}

static bool
optimise(struct optimising *optimising, struct err *err)
{
	struct slice_optimisation *asked = optimising->asked;

	if (!look(optimising, err) || !plan_all(optimising, err))
		return false;
	if (!asked->is_plan)
		begin_moves(optimising);
	asked->n_moves = optimising->moves.n;
	asked->moves = (void *)arena_copy(
	    optimising->arena, optimising->moves.items, asked->n_moves * sizeof(asked->moves[0]));
	return true;
}

bool
slice_optimise(
    struct snc *snc, struct slice_optimisation *optimisation, struct arena *arena, struct err *err)
{
	struct optimising optimising = {.snc = snc, .asked = optimisation, .arena = arena};
	bool is_good;

	if (!turns_take(snc->searches, err))
		return false;
	is_good = optimise(&optimising, err);
	turns_give(snc->searches);
	vec_each (each, &optimising.movers) {
		struct mover *mover = *each;

		modify_done(&mover->work);
	}
	vec_done(&optimising.movers);
	vec_done(&optimising.moves);
	return is_good;
}
