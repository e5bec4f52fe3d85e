/*
 * Handlers of slices: thin.
 */
#include <string.h>

#include "snc/project.h"
#include "snc/slice.h"
#include "snc/slice_picture.h"
#include "snc/slice_whynot.h"
#include "snc/snc_service.h"

enum { WAIT_MAX_MS = 30000, SLICES_A_PAGE = 256 };

static struct snc_diagnosis
diagnosis_of(const struct err *err, struct arena *arena)
{
	return (struct snc_diagnosis){
	    .code = err_code_text(err->code),
	    .severity = err->is_warning ? "warning" : "error",
	    .line = err->line,
	    .xpath = arena_text(arena, err->xpath),
	    .subject = arena_text(arena, err->subject),
	    .message = arena_text(arena, err->text),
	    .hint = arena_text(arena, err->hint),
	};
}

struct snc_diagnosis *
service_diagnoses(const diagnoses *found, struct arena *arena)
{
	struct snc_diagnosis *shown = arena_alloc(arena, found->n * sizeof(shown[0]));

	for (size_t i = 0; i < found->n; i++)
		shown[i] = diagnosis_of(&found->items[i], arena);
	return shown;
}

int64_t
service_wish_ms(struct rpc_opt_i64 wish)
{
	return !wish.is_set ? 0 : wish.value > 0 ? wish.value : 1;
}

/* A name in use is no fault of the document, but it could not be created now. */
static void
check_name(
    struct snc *snc, const struct rpc_call *call, const struct slice *slice, diagnoses *found)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct store_slice_key key = {slice->name, call->name, call->name};
	struct slice_record same;
	struct err err, *added;

	if (!store_slice_find(txn, &key, call->arena, &same, &err) ||
	    !str_equal(same.name, slice->name) || !str_equal(same.owner, call->name))
		return;
	added = diagnose(found, slice->where.line, slice->where.xpath, ERR_S11,
	    "you have a slice '%s' already", slice->name);
	if (added)
		added->is_warning = true;
	err_subject(added, "slice '%s'", slice->name);
	err_hint(added, "delete it first, or choose another name");
}

/* What would fit instead, where it was placed and did not. */
static bool
add_remedies(struct snc *snc, const struct slice_examination *examination, const diagnoses *found,
    struct arena *arena, struct snc_slice_check_result *result, struct err *err)
{
	struct slice_remedies remedies = {0};
	struct snc_remedy *shown;

	if (examination->expanded && !turns_take(snc->searches, err))
		return false;
	slice_why_not(snc, examination, found, arena, &remedies);
	if (examination->expanded)
		turns_give(snc->searches);
	shown = arena_alloc(arena, remedies.n * sizeof(shown[0]));
	for (size_t i = 0; i < remedies.n; i++) {
		const struct slice_remedy *remedy = &remedies.items[i];

		shown[i] = (struct snc_remedy){remedy->kind, remedy->subject, remedy->where.line,
		    remedy->where.xpath, remedy->what, remedy->wanted, remedy->offered};
	}
	result->remedies = shown;
	result->n_remedies = remedies.n;
	result->time_helps = remedies.does_time_help;
	return true;
}

/* How much of everybody's project is in use by all is the operators' to know. */
static bool
add_quotas(struct snc *snc, const struct rpc_call *call,
    const struct slice_examination *examination, struct snc_slice_check_result *result,
    struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	int64_t now_ms = clock_wall_ms(snc->clock);
	struct quota_question question = {
	    .tenant = examination->tenant,
	    .wanted = quota_amounts_of(examination->expanded),
	    .window = lease_span(&examination->lease, now_ms),
	};
	bool is_whole =
	    snc_sees_all(&caller) || !str_equal(question.tenant.project, PROJECT_DEFAULT);
	struct quota_uses uses;
	struct snc_quota_use *shown;

	if (!quota_uses(txn, &question, now_ms, &uses, err))
		return false;
	shown = arena_alloc(call->arena, uses.n * sizeof(shown[0]));
	for (size_t i = 0; i < uses.n; i++) {
		const struct quota_use *use = &uses.items[i];

		if (is_whole || use->scope == QUOTA_EACH)
			shown[result->n_quotas++] =
			    (struct snc_quota_use){quota_scope_text(use->scope),
				quota_thing_text(use->thing), use->wanted, use->used, use->amount};
	}
	result->quotas = shown;
	return true;
}

SNC_HANDLER(slice_check)
{
	struct snc *snc = self;
	struct slice_examination examination = {
	    .role = call->role,
	    .document = {args->document.bytes, args->document.size},
	    .wants_place = true,
	    .wish = {service_wish_ms(args->from_ms), service_wish_ms(args->until_ms)},
	};
	diagnoses found = {0};
	struct snc_node *nodes;
	bool is_answered = true;

	if (!service_tenant(snc, call, args->project, &examination.tenant, err))
		return false;
	result->feasible = slice_examine(snc, &examination, call->arena, &found);
	result->name = examination.slice ? examination.slice->name : "";
	if (!result->feasible)
		is_answered = add_remedies(snc, &examination, &found, call->arena, result, err);
	else if (examination.slice)
		check_name(snc, call, examination.slice, &found);
	result->diagnoses = service_diagnoses(&found, call->arena);
	result->n_diagnoses = found.n;
	vec_done(&found);
	if (is_answered && examination.expanded)
		is_answered = add_quotas(snc, call, &examination, result, err);
	if (!examination.mapping)
		return is_answered;
	picture_mapping(
	    examination.slice, examination.mapping, call->arena, &nodes, &result->n_nodes);
	result->nodes = nodes;
	return is_answered;
}

SNC_HANDLER(slice_create)
{
	struct slice_creation creation = {
	    .caller = service_caller(call),
	    .op_id = args->op_id,
	    .goal = SLICE_RUNNING,
	    .document = {args->document.bytes, args->document.size},
	    .wish = {service_wish_ms(args->from_ms), service_wish_ms(args->until_ms)},
	    .project = args->project,
	};

	if (args->goal && !slice_state_parse(args->goal, &creation.goal, err))
		return false;
	if (!slice_create(self, &creation, call->arena, err))
		return false;
	result->id = creation.id;
	result->name = creation.name;
	return true;
}

/* A cursor is name and owner of the last slice of a page, neither of which has blanks. */
static bool
page_after(const char *cursor, struct arena *arena, struct store_slice_page *page, struct err *err)
{
	const char *blank = strchr(cursor, ' ');

	if (!blank) {
		err_set(err, ERR_BAD_VALUE, "'%s' is not where a page begins", cursor);
		return err_hint(err, "give back `next` of the page before, or nothing");
	}
	page->after_name = arena_copy(arena, cursor, (size_t)(blank - cursor));
	page->after_owner = blank + 1;
	return true;
}

SNC_HANDLER(slice_list)
{
	struct snc *snc = self;
	struct snc_caller caller = service_caller(call);
	struct store_slice_page page = {
	    snc_sees_all(&caller) ? NULL : caller.name, "", "", SLICES_A_PAGE};
	auto_txn struct txn *txn = NULL;
	struct slice_records records;
	struct snc_slice *slices;

	if (args->after && !page_after(args->after, call->arena, &page, err))
		return false;
	txn = store_begin(snc->store);
	if (!store_slice_page(txn, &page, call->arena, &records, err))
		return false;
	if (records.n == SLICES_A_PAGE)
		result->next = arena_format(call->arena, "%s %s", records.items[records.n - 1].name,
		    records.items[records.n - 1].owner);
	slices = arena_alloc(call->arena, records.n * sizeof(slices[0]));
	for (size_t i = 0; i < records.n; i++)
		if (!picture_slice(snc, txn, &records.items[i], call->arena, &slices[i], err))
			return false;
	result->slices = slices;
	result->n_slices = records.n;
	return true;
}

static bool
take_picture(struct snc *snc, const struct rpc_call *call, const char *name_or_id,
    struct slice_picture *picture, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record *record = arena_new_of(call->arena, struct slice_record);

	return snc_see_slice(&caller, txn, name_or_id, call->arena, record, err) &&
	       picture_take(snc, txn, record, call->arena, picture, err);
}

SNC_HANDLER(slice_show)
{
	struct slice_picture *picture = arena_new_of(call->arena, struct slice_picture);

	if (!take_picture(self, call, args->slice, picture, err))
		return false;
	ready_fill(self, picture->ready, picture->n_nodes);
	result->slices = &picture->slice;
	result->n_slices = 1;
	result->nodes = picture->nodes;
	result->n_nodes = picture->n_nodes;
	result->links = picture->links;
	result->n_links = picture->n_links;
	result->document = (struct rpc_blob){picture->document.bytes, picture->document.size};
	return true;
}

SNC_HANDLER(slice_run)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return slice_run(self, &caller, args->slice, err);
}

SNC_HANDLER(slice_stop)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return slice_stop(self, &caller, args->slice, err);
}

SNC_HANDLER(slice_delete)
{
	struct snc_caller caller = service_caller(call);

	(void)result;
	return slice_delete(self, &caller, args->slice, err);
}

/* What slice_wait waits for, and how it stands now. */
struct waiting {
	struct snc_caller caller;
	const char *id; /* once it was found by name */
	const char *state;
	struct snc_slice *slice; /* NULL = gone */
	bool is_done;
};

static bool
look(struct snc *snc, struct waiting *waiting, struct arena *arena, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct slice_record record;
	struct slice_standing standing;
	struct snc_slice *slice = arena_new_of(arena, struct snc_slice);
	struct err why;

	waiting->slice = NULL;
	if (!snc_see_slice(&waiting->caller, txn, waiting->id, arena, &record, &why)) {
		waiting->is_done = true;
		*err = why;
		return why.code == ERR_NOT_FOUND;
	}
	if (!slice_stand(snc, txn, &record, arena, &standing, err) ||
	    !picture_slice(snc, txn, &record, arena, slice, err))
		return false;
	waiting->id = arena_text(arena, record.id);
	waiting->slice = slice;
	/* A slice that is booked has a state, and will have others by itself. */
	waiting->is_done = (standing.is_decided && !(standing.is_to_start && waiting->state)) ||
			   (str_equal(waiting->state, slice->state) && !slice->progress[0]);
	return true;
}

SNC_HANDLER(slice_wait)
{
	struct snc *snc = self;
	struct waiting waiting = {service_caller(call), args->slice, args->state, NULL, false};
	int64_t wait_ms = args->wait_ms < WAIT_MAX_MS ? args->wait_ms : WAIT_MAX_MS;
	int64_t until_ms = clock_boot_ms(snc->clock) + wait_ms;
	bool was_there = false;

	for (;;) {
		int64_t rung = events_rung(snc->events);
		int64_t left_ms;

		if (!look(snc, &waiting, call->arena, err))
			return false;
		if (!waiting.slice && !was_there && !str_equal(args->state, "GONE"))
			return false;
		was_there = true;
		left_ms = until_ms - clock_boot_ms(snc->clock);
		if (waiting.is_done || left_ms <= 0)
			break;
		(void)events_wait(snc->events, rung, left_ms);
	}
	result->done = waiting.is_done;
	result->slices = waiting.slice;
	result->n_slices = waiting.slice ? 1 : 0;
	return true;
}
