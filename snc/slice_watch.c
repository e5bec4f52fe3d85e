/*
 * What happens to slices: the engine tells of groups and rows inside its transactions, and it is
 * written down there. Failures of that are logged: the engine's own way does not depend on it.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/model/slice.h"
#include "snc/modify.h"
#include "snc/slice.h"
#include "snc/usage.h"

/* Subjects are "node n1", "link l1 (h)". */
void
slice_find_line(const struct slice_document *document, const char *subject, struct err *why)
{
	auto_arena struct arena *arena = arena_new();
	diagnoses found = {0};
	struct slice *slice;
	char name[64] = "";

	if (why->line || sscanf(subject, "%*s %63s", name) != 1)
		return;
	if (slice_read(document->bytes, document->size, arena, &slice, &found)) {
		for (size_t i = 0; i < slice->body.n_nodes; i++)
			if (str_equal(slice->body.nodes[i].name, name))
				err_at(why, slice->body.nodes[i].where.line,
				    slice->body.nodes[i].where.xpath);
		for (size_t i = 0; i < slice->body.n_links; i++)
			if (str_equal(slice->body.links[i].name, name))
				err_at(why, slice->body.links[i].where.line,
				    slice->body.links[i].where.xpath);
	}
	vec_done(&found);
}

/* It goes back by itself: refused on the way up, or lost after it was up. */
static void
give_up(struct txn *txn, struct slice_record *record, const struct err *why)
{
	auto_arena struct arena *arena = arena_new();
	struct slice_document document;
	struct err err;
	bool was_up = record->settled == SLICE_RUNNING || record->settled == SLICE_STOPPED;

	record->reason = *why;
	if (record->reason.code == ERR_UNAVAILABLE || record->reason.code == ERR_TIMEOUT)
		record->reason.code = ERR_O03;
	if (store_slice_document(txn, record->id, arena, &document, &err))
		slice_find_line(&document, why->subject, &record->reason);
	record->settled = was_up ? SLICE_FAILED : SLICE_DEFINED;
	record->goal = SLICE_DEFINED;
}

/* Writes down the new state; false when the record is to go, its parts being gone. */
static bool
follow(struct txn *txn, struct slice_record *record, enum group_state state, const struct err *why)
{
	record->engine = state;
	switch (state) {
	case GROUP_RESERVED:
		record->settled = SLICE_RESERVED;
		break;
	case GROUP_COMMITTING:
		if (record->settled == SLICE_DEFINED)
			record->settled = SLICE_RESERVED;
		break;
	case GROUP_ACTIVE:
		record->settled = SLICE_RUNNING;
		break;
	case GROUP_RELEASING:
		if (record->goal != SLICE_DELETED)
			give_up(txn, record, why);
		break;
	case GROUP_GONE:
		record->has_group = false;
		return record->goal != SLICE_DELETED;
	case GROUP_PENDING:
		break;
	}
	return true;
}

static void
tell(struct snc *snc, struct txn *txn, const struct slice_record *record, enum group_state state)
{
	auto_arena struct arena *arena = arena_new();
	const char *what = slice_state_text(record->settled), *text = "";

	if (state == GROUP_COMMITTING)
		what = "reserved";
	if (state == GROUP_RELEASING && record->goal == SLICE_DELETED)
		return; /* told when it was asked for */
	if (state == GROUP_GONE && record->goal == SLICE_DELETED)
		what = "deleted";
	if (state == GROUP_RELEASING) {
		what = "refused";
		text = arena_format(
		    arena, "%s: %s", err_code_text(record->reason.code), record->reason.text);
	}
	events_add(snc->events, txn, record, "slice", what, text);
}

/* Is there nothing of it but its own group? */
static bool
is_whole(struct txn *txn, const char *slice)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_parts parts;
	struct err err;

	return store_parts(txn, slice, arena, &parts, &err) && !parts.n;
}

/* The slice's own group has changed. */
static bool
slice_moved(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct modify_news *news, struct err *err)
{
	bool stays = follow(txn, record, news->state, news->why);

	if (news->state == GROUP_RELEASING && !modify_abandon(snc, txn, record, err))
		return false;
	if (!stays && !is_whole(txn, record->id))
		stays = true;
	else
		tell(snc, txn, record, news->state);
	return stays ? store_slice_save(txn, record, err) : store_slice_drop(txn, record->id, err);
}

void
slice_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why)
{
	struct snc *snc = self;
	auto_arena struct arena *arena = arena_new();
	struct modify_news news = {group, state, why};
	const char *id = modify_slice_of(group, arena);
	struct slice_record record;
	struct err err;
	bool is_good =
	    store_slice_by_id(txn, id, arena, &record, &err) && store_mark_add(txn, group, &err);

	if (is_good && str_equal(id, group))
		is_good = slice_moved(snc, txn, &record, &news, &err);
	else if (is_good)
		is_good = modify_part_changed(snc, txn, &record, &news, &err) &&
			  store_slice_save(txn, &record, &err);
	is_good = is_good && usage_follow(snc, txn, id, &err);
	if (state == GROUP_GONE)
		view_stale(snc->view);
	if (!is_good)
		log_error("snc", "event=state_lost slice=%s why=\"%s\"", group, err.text);
	events_ring(snc->events);
}

static const char *
row_word(const struct controller_row_state *row)
{
	bool is_share = str_equal(row->row.kind, "share");

	if (row->have == ROW_RELEASED)
		return row->is_real ? "removed" : "removing";
	if (row->why.code == ERR_UNAVAILABLE || row->why.code == ERR_TIMEOUT)
		return "unreachable";
	if (row->why.code != ERR_NONE && row->why.code != ERR_WAIT)
		return "refused";
	if (row->have == ROW_HELD)
		return "reserved";
	if (row->have == ROW_COMMITTED && row->is_real && row->rev_have >= row->rev) {
		if (strstr(row->row.attr, "=off"))
			return "off";
		return is_share ? "up" : str_equal(row->row.kind, "node") ? "running" : "open";
	}
	return "waiting";
}

/* Has every row its newest attributes, for real? */
static bool
all_real(struct snc *snc, struct txn *txn, const char *group)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	size_t n_rows;

	if (!controller_rows(snc->controller, txn, group, arena, &rows, &n_rows))
		return false;
	for (size_t i = 0; i < n_rows; i++)
		if (!controller_row_is_lost(&rows[i]) &&
		    (rows[i].have != ROW_COMMITTED || !rows[i].is_real ||
			rows[i].rev_have < rows[i].rev))
			return false;
	return true;
}

/* A slice that was switched has arrived when its last row has. */
static bool
settle(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	bool is_switched = record->has_group && record->engine == GROUP_ACTIVE &&
			   record->goal != SLICE_DELETED && record->settled != record->goal;

	if (!is_switched || !all_real(snc, txn, record->id))
		return true;
	record->settled = record->goal;
	events_add(snc->events, txn, record, "slice", slice_state_text(record->settled), "");
	return store_slice_save(txn, record, err);
}

/* What was switched over may be real now. */
static bool
follow_modify(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	int64_t round = record->round;

	return modify_follow(snc, txn, record, err) &&
	       (record->round == round ||
		   (store_slice_save(txn, record, err) && usage_follow(snc, txn, record->id, err)));
}

void
slice_row_changed(
    void *self, struct txn *txn, const char *group, const struct controller_row_state *row)
{
	struct snc *snc = self;
	auto_arena struct arena *arena = arena_new();
	struct slice_record record;
	struct err err;

	if (!store_slice_by_id(txn, modify_slice_of(group, arena), arena, &record, &err)) {
		log_error("snc", "event=row_lost slice=%s why=\"%s\"", group, err.text);
		return;
	}
	events_add(snc->events, txn, &record, row->row.subject, row_word(row), row->why.text);
	if (row->have == ROW_RELEASED && row->is_real && !store_mark_add(txn, group, &err))
		log_error("snc", "event=state_lost slice=%s why=\"%s\"", group, err.text);
	if (!settle(snc, txn, &record, &err) || !follow_modify(snc, txn, &record, &err))
		log_error("snc", "event=state_lost slice=%s why=\"%s\"", group, err.text);
}
