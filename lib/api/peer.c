/*
 * Rows of the engine to rows of manager.def and back. The owner of a row is who calls, as its
 * certificate says; nothing in the message can name another.
 */
#include "lib/api/peer.h"

#include <string.h>

#include "lib/base/id.h"

static bool send_rows(const struct rpc_client *client, const struct manager_call *call,
    const struct manager_reserve_args *args, struct manager_reserve_result *result,
    struct err *err);
static struct manager_row *wants_to_rows(struct arena *arena, const struct manager_call *call);
static bool row_to_have(const struct manager_row *row, struct row_have *have, struct err *err);
static bool row_to_want(const struct manager_row *row, struct row_want *want, struct err *err);
static struct manager_row have_to_row(struct arena *arena, const struct row_have *have);
static const char *rid_text(struct arena *arena, uint64_t rid);

/* commit and release travel in the structs of reserve: the rows of manager.def are the same. */
#define SAME_SHAPE(verb, part)                                                                     \
	_Static_assert(                                                                            \
	    sizeof(struct manager_##verb##_##part) == sizeof(struct manager_reserve_##part),       \
	    "reserve, commit and release take and answer the same")
SAME_SHAPE(commit, args);
SAME_SHAPE(commit, result);
SAME_SHAPE(release, args);
SAME_SHAPE(release, result);

/* ---- the controller's side ---- */

bool
peer_manager_call(const struct rpc_client *client, struct manager_call *call, struct err *err)
{
	struct manager_reserve_args args = {
	    .epoch = call->caller.epoch,
	    .floor = rid_text(call->arena, call->caller.floor),
	    .deadline_ms = call->caller.deadline_ms,
	    .change = call->caller.change,
	    .since = call->caller.since,
	    .life = call->caller.life,
	    .rows = wants_to_rows(call->arena, call),
	    .n_rows = call->n,
	};
	struct manager_reserve_result result = {0};

	if (!send_rows(client, call, &args, &result, err))
		return false;
	if (result.n_rows != call->n)
		return err_set(err, ERR_INTERNAL, "manager.%s: %zu rows asked, %zu answered",
		    verb_text(call->verb), call->n, result.n_rows);
	for (size_t i = 0; i < call->n; i++) {
		if (!row_to_have(&result.rows[i], &call->have[i], err))
			return err_in(err, "manager.%s: answer", verb_text(call->verb));
		if (call->have[i].rid != call->want[i].rid)
			return err_set(err, ERR_INTERNAL,
			    "manager.%s: another row was answered than asked",
			    verb_text(call->verb));
	}
	return true;
}

static bool
send_rows(const struct rpc_client *client, const struct manager_call *call,
    const struct manager_reserve_args *args, struct manager_reserve_result *result, struct err *err)
{
	struct manager_commit_args commit = {args->epoch, args->floor, args->deadline_ms,
	    args->change, args->since, args->life, args->rows, args->n_rows};
	struct manager_release_args release = {args->epoch, args->floor, args->deadline_ms,
	    args->change, args->since, args->life, args->rows, args->n_rows};
	struct manager_commit_result committed = {0};
	struct manager_release_result released = {0};

	switch (call->verb) {
	case VERB_RESERVE:
		return manager_reserve_call(client, call->arena, args, result, err);
	case VERB_COMMIT:
		if (!manager_commit_call(client, call->arena, &commit, &committed, err))
			return false;
		*result = (struct manager_reserve_result){committed.rows, committed.n_rows};
		return true;
	case VERB_RELEASE:
		if (!manager_release_call(client, call->arena, &release, &released, err))
			return false;
		*result = (struct manager_reserve_result){released.rows, released.n_rows};
		return true;
	}
	return err_set(err, ERR_INTERNAL, "no such verb");
}

static struct manager_row *
wants_to_rows(struct arena *arena, const struct manager_call *call)
{
	struct manager_row *rows = arena_alloc(arena, call->n * sizeof(*rows));

	for (size_t i = 0; i < call->n; i++)
		rows[i] = (struct manager_row){
		    .rid = rid_text(arena, call->want[i].rid),
		    .kind = call->want[i].kind,
		    .spec = call->want[i].spec,
		    .attr = call->want[i].attr,
		    .rev = {.is_set = call->verb == VERB_COMMIT, .value = call->want[i].rev},
		};
	return rows;
}

static bool
row_to_have(const struct manager_row *row, struct row_have *have, struct err *err)
{
	*have = (struct row_have){
	    .is_real = row->real.is_set && row->real.value == 1,
	    .rev = row->rev.is_set ? row->rev.value : 0,
	    .result = row->result,
	};
	if (row->code)
		err_set(&have->why, err_code_parse(row->code), "%s", row->why ? row->why : "");
	return id_parse(row->rid, &have->rid, err) &&
	       row_state_parse(row->state ? row->state : "none", &have->state, err);
}

bool
peer_manager_status(
    const struct rpc_client *client, uint64_t after, struct manager_call *call, struct err *err)
{
	struct manager_status_args args = {rid_text(call->arena, after)};
	struct manager_status_result result = {0};
	struct row_want *want;

	if (!manager_status_call(client, call->arena, &args, &result, err))
		return false;
	call->caller.epoch = result.epoch;
	call->caller.change = result.change;
	if (!id_parse(result.floor, &call->caller.floor, err))
		return err_in(err, "manager.status: floor");
	want = arena_alloc(call->arena, result.n_rows * sizeof(*want));
	call->have = arena_alloc(call->arena, result.n_rows * sizeof(*call->have));
	call->want = want;
	call->n = result.n_rows;
	for (size_t i = 0; i < call->n; i++) {
		if (!row_to_have(&result.rows[i], &call->have[i], err))
			return err_in(err, "manager.status: answer");
		want[i] = (struct row_want){.rid = call->have[i].rid, .kind = result.rows[i].kind};
	}
	return true;
}

/* ---- the manager's side ---- */

/* What the three verbs have in common. */
struct verb_request {
	enum verb verb;
	int64_t epoch;
	const char *floor;
	int64_t deadline_ms, change, since, life;
	const struct manager_row *rows;
	size_t n_rows;
};

static const char *
owner_of(const struct rpc_call *call)
{
	return arena_format(call->arena, "%s@%s", call->role, call->name);
}

static bool
read_wants(const struct verb_request *request, struct arena *arena, struct row_want **wants,
    struct err *err)
{
	if (request->n_rows > MANAGER_ROWS_MAX)
		return err_set(err, ERR_LIMIT, "%zu rows, at most %d are allowed", request->n_rows,
		    MANAGER_ROWS_MAX);
	*wants = arena_alloc(arena, request->n_rows * sizeof(**wants));
	for (size_t i = 0; i < request->n_rows; i++)
		if (!row_to_want(&request->rows[i], &(*wants)[i], err))
			return err_in(err, "row %zu", i);
	return true;
}

static bool
run_verb(struct manager *manager, const struct rpc_call *call, const struct verb_request *request,
    struct manager_reserve_result *result, struct err *err)
{
	struct manager_call engine_call = {
	    .verb = request->verb, .n = request->n_rows, .arena = call->arena};
	struct manager_row *rows;
	struct row_want *wants = NULL;

	if (request->deadline_ms < 0 || request->deadline_ms > 600000)
		return err_set(err, ERR_BAD_VALUE, "deadline_ms: 0 to 600000 are possible");
	engine_call.caller = (struct manager_caller){.owner = owner_of(call),
	    .epoch = request->epoch,
	    .change = request->change,
	    .since = request->since,
	    .life = request->life,
	    .deadline_ms = (int)request->deadline_ms};
	if (!id_parse(request->floor, &engine_call.caller.floor, err))
		return err_in(err, "floor");
	if (!read_wants(request, call->arena, &wants, err))
		return false;
	engine_call.want = wants;
	engine_call.have = arena_alloc(call->arena, request->n_rows * sizeof(*engine_call.have));
	if (!manager_call(manager, &engine_call, err))
		return false;
	rows = arena_alloc(call->arena, request->n_rows * sizeof(*rows));
	for (size_t i = 0; i < request->n_rows; i++)
		rows[i] = have_to_row(call->arena, &engine_call.have[i]);
	*result = (struct manager_reserve_result){rows, request->n_rows};
	return true;
}

static bool
serve_reserve(void *self, const struct rpc_call *call, const struct manager_reserve_args *args,
    struct manager_reserve_result *result, struct err *err)
{
	struct verb_request request = {VERB_RESERVE, args->epoch, args->floor, args->deadline_ms,
	    args->change, args->since, args->life, args->rows, args->n_rows};

	return run_verb(self, call, &request, result, err);
}

static bool
serve_commit(void *self, const struct rpc_call *call, const struct manager_commit_args *args,
    struct manager_commit_result *result, struct err *err)
{
	struct verb_request request = {VERB_COMMIT, args->epoch, args->floor, args->deadline_ms,
	    args->change, args->since, args->life, args->rows, args->n_rows};
	struct manager_reserve_result answer = {0};

	if (!run_verb(self, call, &request, &answer, err))
		return false;
	*result = (struct manager_commit_result){answer.rows, answer.n_rows};
	return true;
}

static bool
serve_release(void *self, const struct rpc_call *call, const struct manager_release_args *args,
    struct manager_release_result *result, struct err *err)
{
	struct verb_request request = {VERB_RELEASE, args->epoch, args->floor, args->deadline_ms,
	    args->change, args->since, args->life, args->rows, args->n_rows};
	struct manager_reserve_result answer = {0};

	if (!run_verb(self, call, &request, &answer, err))
		return false;
	*result = (struct manager_release_result){answer.rows, answer.n_rows};
	return true;
}

static bool
serve_status(void *self, const struct rpc_call *call, const struct manager_status_args *args,
    struct manager_status_result *result, struct err *err)
{
	struct manager_call engine_call = {
	    .caller = {.owner = owner_of(call)}, .arena = call->arena};
	struct manager_row *rows;
	uint64_t after;

	if (!id_parse(args->after, &after, err))
		return err_in(err, "after");
	if (!manager_status(self, after, &engine_call, err))
		return false;
	rows = arena_alloc(call->arena, engine_call.n * sizeof(*rows));
	for (size_t i = 0; i < engine_call.n; i++) {
		rows[i] = have_to_row(call->arena, &engine_call.have[i]);
		rows[i].kind = engine_call.want[i].kind;
		rows[i].spec = engine_call.want[i].spec;
		rows[i].attr = engine_call.want[i].attr;
	}
	*result = (struct manager_status_result){engine_call.caller.epoch,
	    rid_text(call->arena, engine_call.caller.floor), engine_call.caller.change, rows,
	    engine_call.n};
	return true;
}

static bool
serve_orphans(void *self, const struct rpc_call *call, const struct manager_orphans_args *args,
    struct manager_orphans_result *result, struct err *err)
{
	auto_str struct str lines = {0};
	struct manager_orphan *orphans;
	size_t n = 0;

	(void)args;
	if (!manager_orphans(self, &lines, err))
		return false;
	for (const char *at = str_text(&lines); *at; at++)
		n += *at == '\n';
	orphans = arena_alloc(call->arena, (n + 1) * sizeof(*orphans));
	n = 0;
	for (const char *at = str_text(&lines); *at; at += at[0] == '\n') {
		size_t len = strcspn(at, "\n");

		if (len)
			orphans[n++].line = arena_copy(call->arena, at, len);
		at += len;
	}
	*result = (struct manager_orphans_result){orphans, n};
	return true;
}

static bool
serve_notes(void *self, const struct rpc_call *call, const struct manager_notes_args *args,
    struct manager_notes_result *result, struct err *err)
{
	const struct manager_note *notes;
	size_t n = manager_notes(self, args->after, NOTES_AT_ONCE, call->arena, &notes);
	struct manager_noted *told = arena_alloc(call->arena, (n + 1) * sizeof(*told));

	(void)err;
	for (size_t i = 0; i < n; i++)
		told[i] = (struct manager_noted){.seq = notes[i].seq,
		    .at_ms = notes[i].at_ms,
		    .rid = rid_text(call->arena, notes[i].rid),
		    .kind = notes[i].kind,
		    .what = notes[i].what,
		    .text = notes[i].text};
	*result = (struct manager_notes_result){told, n};
	return true;
}

static bool
serve_retry(void *self, const struct rpc_call *call, const struct manager_retry_args *args,
    struct manager_retry_result *result, struct err *err)
{
	(void)call, (void)args, (void)err;
	*result = (struct manager_retry_result){(int64_t)manager_retry(self)};
	return true;
}

const struct manager_ops peer_manager_ops = {
    .reserve = serve_reserve,
    .commit = serve_commit,
    .release = serve_release,
    .status = serve_status,
    .notes = serve_notes,
    .orphans = serve_orphans,
    .retry = serve_retry,
};

static bool
row_to_want(const struct manager_row *row, struct row_want *want, struct err *err)
{
	*want = (struct row_want){
	    .kind = row->kind,
	    .spec = row->spec,
	    .attr = row->attr,
	    .rev = row->rev.is_set ? row->rev.value : 0,
	};
	return id_parse(row->rid, &want->rid, err);
}

static struct manager_row
have_to_row(struct arena *arena, const struct row_have *have)
{
	bool is_refused = have->why.code != ERR_NONE;

	return (struct manager_row){
	    .rid = rid_text(arena, have->rid),
	    .rev = {.is_set = have->rev != 0, .value = have->rev},
	    .state = row_state_text(have->state),
	    .real = {.is_set = have->is_real, .value = have->is_real},
	    .result = have->result,
	    .code = is_refused ? err_code_text(have->why.code) : NULL,
	    .why = is_refused ? arena_text(arena, have->why.text) : NULL,
	};
}

static const char *
rid_text(struct arena *arena, uint64_t rid)
{
	return arena_text(arena, id_text(rid).text);
}
