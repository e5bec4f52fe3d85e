/*
 * Steps of a modify that were to be taken and were not: the engine tells of a change once, and what
 * was to be done about it can fail. What is left to be done stands in the tables; whoever looks at
 * them later takes the step as if he had just been told. Called by the watch, at its start too.
 */
#include <string.h>

#include "lib/base/log.h"
#include "snc/modify.h"

static bool
is_coming(const char *group)
{
	return strchr(group, '+') != NULL;
}

/* Of a part that was told of as gone, nothing is left but its name. */
static bool
mend_part(struct snc *snc, struct txn *txn, struct slice_record *record, const char *group,
    struct err *err)
{
	static const struct err none = {0};
	enum group_state state;

	return controller_group(snc->controller, txn, group, &state) ||
	       modify_part_changed(
		   snc, txn, record, &(struct modify_news){group, GROUP_GONE, &none}, err);
}

/* What comes stands, or will not come any more. */
static bool
mend_coming(struct snc *snc, struct txn *txn, struct slice_record *record, const char *group,
    struct err *err)
{
	struct modify_news news = {.group = group};
	struct err why = {0};

	news.why = &why;
	if (!controller_group(snc->controller, txn, group, &news.state))
		news.state = GROUP_RELEASING;
	if (news.state == GROUP_PENDING || news.state == GROUP_COMMITTING)
		return true;
	err_set(&why, ERR_O03, "what was to come has been given up");
	return modify_part_changed(snc, txn, record, &news, err);
}

static bool
mend_slice(struct snc *snc, struct txn *txn, struct slice_record *record, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct modify_record modify;
	struct modify_parts parts;
	bool is_there;

	if (!store_modify_find(txn, record->id, arena, &modify, &is_there, err) ||
	    !store_parts(txn, record->id, arena, &parts, err))
		return false;
	if (is_there && modify.is_switched && !modify_follow(snc, txn, record, err))
		return false;
	for (size_t i = 0; i < parts.n; i++) {
		if (is_there && !modify.is_switched && is_coming(parts.groups[i]) &&
		    !mend_coming(snc, txn, record, parts.groups[i], err))
			return false;
		if (!mend_part(snc, txn, record, parts.groups[i], err))
			return false;
	}
	return true;
}

static void
mend(struct snc *snc, const char *id)
{
	auto_arena struct arena *arena = arena_new();
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record, before;
	struct err err;
	bool is_good = store_slice_by_id(txn, id, arena, &record, &err);

	before = record;
	is_good = is_good && mend_slice(snc, txn, &record, &err) &&
		  ((record.round == before.round && record.reason.code == before.reason.code) ||
		      store_slice_save(txn, &record, &err)) &&
		  txn_commit(&txn, &err);
	if (is_good)
		controller_wake(snc->controller);
	else
		log_error("snc", "event=not_mended slice=%s why=\"%s\"", id, err.text);
}

void
modify_mend(struct snc *snc)
{
	auto_arena struct arena *arena = arena_new();
	struct txn *txn = store_begin(snc->store);
	struct slice_names slices = {0};
	struct modify_parts parts = {0};
	struct err err;
	bool is_good = store_modify_list(txn, arena, &slices, &err) &&
		       store_parts(txn, NULL, arena, &parts, &err);

	txn_cancel(txn);
	if (!is_good)
		log_error("snc", "event=modifies_unreadable why=\"%s\"", err.text);
	for (size_t i = 0; i < slices.n; i++)
		mend(snc, slices.items[i]);
	for (size_t i = 0; i < parts.n; i++)
		if (i == 0 || strcmp(modify_slice_of(parts.groups[i], arena),
				  modify_slice_of(parts.groups[i - 1], arena)) != 0)
			mend(snc, modify_slice_of(parts.groups[i], arena));
}
