/*
 * What a manager says of itself: that it lives, that its database is another one, that objects of
 * some rows have changed.
 */
#include <stdlib.h>

#include "lib/engine/controller_restore.h"
#include "lib/engine/controller_track.h"

static bool meet(
    struct controller *controller, struct txn *txn, const struct word *word, struct err *err);
static bool lose_rows(
    struct controller *controller, struct txn *txn, const struct word *word, struct err *err);
static bool ask(struct controller *controller, struct txn *txn, const struct word *word,
    uint64_t rid, struct err *err);

bool
hear(struct controller *controller, struct txn *txn, const struct word *word, struct err *err)
{
	peer_lives(controller, peer_get(controller, word->manager));
	if (!meet(controller, txn, word, err) || !quarantine_hear(controller, txn, word, err))
		return false;
	for (size_t i = 0; i < word->rids.n; i++)
		if (!ask(controller, txn, word, word->rids.items[i], err))
			return false;
	return true;
}

void
word_done(struct word *word)
{
	free(word->manager);
	free(word->db_uuid);
	vec_done(&word->rids);
}

/* Compares the id of its database with the one seen last. */
static bool
meet(struct controller *controller, struct txn *txn, const struct word *word, struct err *err)
{
	auto_rows struct rows *rows = txn_query(
	    txn, err, "SELECT db_uuid FROM controller_manager WHERE name = ?", "t", word->manager);
	bool is_known;

	if (!rows)
		return false;
	is_known = rows_next(rows);
	if (is_known && str_equal(rows_text(rows, 0), word->db_uuid))
		return true;
	rows_done(take(rows));
	if (is_known && !lose_rows(controller, txn, word, err))
		return false;
	return txn_run(txn, err,
	    "INSERT INTO controller_manager(name, db_uuid) VALUES(?, ?) "
	    "ON CONFLICT(name) DO UPDATE SET db_uuid = excluded.db_uuid",
	    "tt", word->manager, word->db_uuid);
}

/*
 * Its rows begin again with reserve, under the same ids, so that what refers to them stays true: in
 * the new file there is no tombstone that could refuse them. Objects that the old file stood for
 * are swept by the manager or, named from the same ids, found again. Until they stand the rows are
 * shown as not real. What a call that is out now brings back may be of the old file: ignored.
 */
static bool
lose_rows(struct controller *controller, struct txn *txn, const struct word *word, struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT DISTINCT grp FROM controller_row WHERE manager = ?", "t", word->manager);
	struct peer *peer = peer_get(controller, word->manager);
	struct track *track;

	if (!rows)
		return false;
	while (rows_next(rows))
		mark_altered(controller, rows_text(rows, 0));
	for (size_t at = 0; (track = map_next(controller->tracks, &at));)
		if (track->peer == peer && track->is_flying)
			track->is_void = true;
	return txn_run(txn, err,
	    "UPDATE controller_row SET have = 0, is_real = 0, rev_have = 0, refused = 0, "
	    "why_code = iif(evicted, why_code, 'unavailable'), "
	    "why = iif(evicted, why, 'its manager has lost its database') "
	    "WHERE manager = ? AND have < 3",
	    "t", word->manager);
}

/* A row whose object changed is asked for, though it may seem settled. */
static bool
ask(struct controller *controller, struct txn *txn, const struct word *word, uint64_t rid,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct stored_row row;
	struct err why = {0};

	if (!stored_row(txn, rid, arena, &row, &why)) {
		if (why.code != ERR_NOT_FOUND)
			*err = why;
		return why.code == ERR_NOT_FOUND;
	}
	if (!str_equal(row.state.row.manager, word->manager))
		return true; /* a manager speaks for its own rows alone */
	map_put_id(controller->asked, rid, controller);
	mark_dirty(controller, row.group);
	return true;
}
