/*
 * slice create: from a document to a slice that is durable. The operation id keeps a call that was
 * repeated because its answer was lost from making a second slice.
 */
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/crypto/digest.h"
#include "snc/audit.h"
#include "snc/project.h"
#include "snc/slice.h"
#include "snc/usage.h"

enum { ATTEMPTS = 4, OP_ID_MAX = 64 };

static const int64_t OPS_KEPT_MS = 7LL * 24 * 3600 * 1000;

static struct digest_text
creation_digest(const struct slice_creation *creation)
{
	const char *goal = slice_state_text(creation->goal);
	const char *project = creation->project ? creation->project : "";
	struct digest_part parts[] = {{goal, strlen(goal)},
	    {creation->document.bytes, creation->document.size},
	    {&creation->wish, sizeof(creation->wish)}, {project, strlen(project)}};

	/* Without times and projects it is what it was before there were any. */
	if (creation->project)
		return digest_parts(parts, 4);
	return digest_parts(parts, creation->wish.from_ms || creation->wish.until_ms ? 3 : 2);
}

/* Has the operation been accepted before? *is_known with its answer; false on another document. */
static bool
recall(struct txn *txn, struct slice_creation *creation, const char *digest, struct arena *arena,
    bool *is_known, struct err *err)
{
	struct op_record op;
	struct err why;

	*is_known = store_op_find(txn, creation->caller.name, creation->op_id, arena, &op, &why);
	if (!*is_known)
		return why.code == ERR_NOT_FOUND || err_set(err, why.code, "%s", why.text);
	if (strcmp(op.digest, digest) != 0) {
		err_set(err, ERR_OP_MISMATCH,
		    "operation '%s' was used for another document or goal", creation->op_id);
		return err_hint(err, "use a new operation id for each new request");
	}
	creation->id = op.slice;
	creation->name = op.name;
	return true;
}

/* The record of a slice to be, but for its id. */
static struct slice_record
new_record(struct snc *snc, const struct slice_creation *creation,
    const struct slice_examination *examination)
{
	const struct slice *slice = examination->slice;

	return (struct slice_record){
	    .name = slice->name,
	    .owner = creation->caller.name,
	    .role = creation->caller.role,
	    .project = examination->tenant.project,
	    .n_nodes = (int64_t)slice->body.n_nodes,
	    .n_links = (int64_t)slice->body.n_links,
	    .created_ms = clock_wall_ms(snc->clock),
	    .goal = creation->goal,
	    .settled = SLICE_DEFINED,
	};
}

static bool
store_creation(struct snc *snc, struct txn *txn, struct slice_creation *creation,
    const char *digest, const struct slice_record *record, struct err *err)
{
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct op_record op = {
	    creation->caller.name, creation->op_id, digest, record->id, record->name, now_ms};

	creation->id = record->id;
	creation->name = record->name;
	return store_slice_add(txn, record, &creation->document, err) &&
	       store_op_add(txn, &op, now_ms - OPS_KEPT_MS, err);
}

/* What it holds from now on, or has booked for its start. */
static bool
hold(struct snc *snc, struct txn *txn, struct slice_record *record,
    const struct slice_examination *examination, struct err *err)
{
	bool is_good = true;

	if (examination->mapping)
		record->lease = examination->lease;
	if (!usage_admit(
		snc, txn, record, examination->mapping ? examination->expanded : NULL, err))
		return false;
	if (examination->mapping)
		is_good = record->lease.phase == LEASE_BOOKED
			      ? slice_book(snc, txn, record, examination, err)
			      : slice_admit(snc, txn, record, examination, err);
	return is_good && store_slice_save(txn, record, err) &&
	       store_lease_save(txn, record, err) && usage_follow(snc, txn, record->id, err);
}

static void
tell(struct snc *snc, struct txn *txn, const struct slice_record *record)
{
	bool is_booked = record->lease.phase == LEASE_BOOKED;

	events_add(snc->events, txn, record, "slice",
	    is_booked           ? "booked"
	    : record->has_group ? "admitted"
				: "DEFINED",
	    lease_text(&record->lease).text);
}

/* The document is said by its digest. */
static bool
note(struct snc *snc, struct txn *txn, const struct slice_creation *creation,
    const struct slice_record *record, struct arena *arena, struct err *err)
{
	struct digest_part document = {creation->document.bytes, creation->document.size};
	struct audit_entry entry = {"slice_create", record->name,
	    arena_format(arena, "id=%s project=%s goal=%s document=sha256:%s", record->id,
		record->project, slice_state_text(creation->goal),
		digest_parts(&document, 1).text)};

	return audit_add(snc->audit, txn, &creation->caller, &entry, err);
}

/* One attempt: everything in one transaction. ERR_WAIT: examine again. */
static bool
try_create(struct snc *snc, struct slice_creation *creation,
    const struct slice_examination *examination, struct arena *arena, struct err *err)
{
	struct digest_text digest = creation_digest(creation);
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record = new_record(snc, creation, examination);
	uint64_t number;
	bool is_known;

	if (!recall(txn, creation, digest.text, arena, &is_known, err))
		return false;
	if (is_known)
		return true;
	if (!controller_next_id(snc->controller, txn, &number, err))
		return false;
	record.id = arena_text(arena, id_text(number).text);
	if (!store_creation(snc, txn, creation, digest.text, &record, err) ||
	    !hold(snc, txn, &record, examination, err) ||
	    !note(snc, txn, creation, &record, arena, err))
		return false;
	tell(snc, txn, &record);
	FAULT_POINT("snc.admit.before");
	if (!txn_commit(&txn, err))
		return false;
	FAULT_POINT("snc.admit.after");
	controller_wake(snc->controller);
	lease_watch_wake(snc->lease_watch);
	return true;
}

/* Has it been done before? If not, in which project is it to be? */
static bool
is_repeated(struct snc *snc, struct slice_creation *creation, struct arena *arena,
    const char **project, struct err *err)
{
	struct digest_text digest = creation_digest(creation);
	auto_txn struct txn *txn = store_begin(snc->store);
	bool is_known;

	*project = NULL;
	if (!recall(txn, creation, digest.text, arena, &is_known, err))
		return false;
	return is_known ||
	       project_choose(txn, &creation->caller, creation->project, arena, project, err);
}

bool
slice_create(struct snc *snc, struct slice_creation *creation, struct arena *arena, struct err *err)
{
	const char *project;

	if (!creation->op_id[0] || strlen(creation->op_id) > OP_ID_MAX)
		return err_set(err, ERR_BAD_VALUE, "op_id has 1 to %d characters", OP_ID_MAX);
	if (creation->goal > SLICE_RUNNING)
		return err_set(err, ERR_BAD_VALUE, "goal is DEFINED, RESERVED or RUNNING");
	if (creation->goal == SLICE_DEFINED &&
	    (creation->wish.from_ms || creation->wish.until_ms)) {
		err_set(
		    err, ERR_BAD_VALUE, "a slice that is only DEFINED holds nothing at any time");
		return err_hint(err, "leave start and end out, or ask for RESERVED or RUNNING");
	}
	if (!is_repeated(snc, creation, arena, &project, err))
		return false;
	if (!project)
		return true;
	for (int i = 0; i < ATTEMPTS; i++) {
		struct slice_examination examination = {
		    .role = creation->caller.role,
		    .document = creation->document,
		    .wants_place = creation->goal != SLICE_DEFINED,
		    .wish = creation->wish,
		    .tenant = {project, creation->caller.name},
		};
		diagnoses found = {0};
		bool is_good = slice_examine(snc, &examination, arena, &found) ||
			       slice_first_fault(&found, err);

		vec_done(&found);
		if (!is_good)
			slice_note_refused(snc, &examination);
		if (!is_good)
			return false;
		if (try_create(snc, creation, &examination, arena, err))
			return true;
		if (err->code != ERR_WAIT)
			return false;
	}
	err_set(err, ERR_CAPACITY, "what was free was taken by others %d times", ATTEMPTS);
	return err_hint(err, "try again");
}
