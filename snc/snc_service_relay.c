/*
 * Handlers that go on to one host: sncd checks whose node it is, the host does the work. Each runs
 * in its caller's own thread, so that a long one keeps nobody else waiting.
 */
#include <string.h>

#include "lib/api/programmer_api.h"
#include "lib/base/id.h"
#include "lib/model/slice.h"
#include "lib/model/spec.h"
#include "snc/peers.h"
#include "snc/slice_picture.h"
#include "snc/snc_service.h"

enum {
	EXEC_MAX_MS = 600000,
	WAIT_MAX_MS = 30000,
	ANSWER_MS = 5000,
	WORDS_MAX = 256,
	INPUT_MAX = 4096,
	ENDS_MAX = 2 * 256 /* of a link: at its vports, and at its hub */
};

/* A row found: who has it, and its rid as text. */
struct place {
	const char *manager, *rid;
};

static bool
refuse_node(const char *slice, const char *node, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "slice '%s' has no node '%s' in place", slice, node);
	return err_hint(err, "`vnode slice show %s` lists what it has", slice);
}

static bool
find_node(struct snc *snc, const struct rpc_call *call, const char *slice, const char *node,
    struct place *place, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	const struct controller_row_state *rows;
	struct slice_record record;
	size_t n_rows;

	if (!snc_find_slice(&caller, txn, slice, call->arena, &record, err))
		return false;
	if (!controller_rows(snc->controller, txn, record.id, call->arena, &rows, &n_rows))
		n_rows = 0;
	for (size_t i = 0; i < n_rows; i++) {
		const struct controller_row *row = &rows[i].row;

		if (!str_equal(row->kind, "node") || rows[i].have == ROW_RELEASED ||
		    !str_equal(spec_value(row->spec, "name", call->arena), node))
			continue;
		place->manager = row->manager;
		place->rid = arena_text(call->arena, id_text(row->rid).text);
		return true;
	}
	return refuse_node(slice, node, err);
}

static bool
done(struct snc *snc, const struct place *place, bool is_good, struct err *err)
{
	if (peers_note(snc, place->manager, is_good, err))
		return true;
	return err_in(err, "%s", place->manager);
}

SNC_HANDLER(console_read)
{
	struct snc *snc = self;
	int64_t least_ms = args->wait_ms > 0 ? args->wait_ms : 0;
	int64_t wait_ms = least_ms < WAIT_MAX_MS ? least_ms : WAIT_MAX_MS;
	struct programmer_console_read_result got;
	struct rpc_client client;
	struct place place = {0};

	if (!find_node(snc, call, args->slice, args->node, &place, err) ||
	    !peers_client(snc, place.manager, (int)wait_ms + ANSWER_MS, &client, err) ||
	    !done(snc, &place,
		programmer_console_read_call(&client, call->arena,
		    &(struct programmer_console_read_args){place.rid, args->offset, wait_ms}, &got,
		    err),
		err))
		return false;
	*result = (struct snc_console_read_result){got.output, got.offset, got.ready};
	return true;
}

SNC_HANDLER(console_write)
{
	struct snc *snc = self;
	struct programmer_console_write_result got;
	struct rpc_client client;
	struct place place = {0};

	(void)result;
	if (args->input.size > INPUT_MAX)
		return err_set(err, ERR_LIMIT, "at most %d bytes at once", INPUT_MAX);
	return find_node(snc, call, args->slice, args->node, &place, err) &&
	       peers_client(snc, place.manager, ANSWER_MS, &client, err) &&
	       done(snc, &place,
		   programmer_console_write_call(&client, call->arena,
		       &(struct programmer_console_write_args){place.rid, args->input}, &got, err),
		   err);
}

SNC_HANDLER(exec)
{
	struct snc *snc = self;
	struct programmer_exec_result got;
	struct programmer_exec_args to = {.timeout_ms = args->timeout_ms, .n_argv = args->n_argv};
	struct programmer_word *words = arena_alloc(call->arena, args->n_argv * sizeof(words[0]));
	struct rpc_client client;
	struct place place = {0};

	if (args->n_argv < 1 || args->n_argv > WORDS_MAX)
		return err_set(err, ERR_BAD_VALUE, "a command has 1 to %d words", WORDS_MAX);
	if (args->timeout_ms < 1 || args->timeout_ms > EXEC_MAX_MS)
		return err_set(err, ERR_BAD_VALUE, "timeout_ms is 1 to %d", EXEC_MAX_MS);
	for (size_t i = 0; i < args->n_argv; i++)
		words[i].word = args->argv[i].word;
	to.argv = words;
	if (!find_node(snc, call, args->slice, args->node, &place, err) ||
	    !peers_client(snc, place.manager, (int)args->timeout_ms + ANSWER_MS, &client, err))
		return false;
	to.rid = place.rid;
	if (!done(snc, &place, programmer_exec_call(&client, call->arena, &to, &got, err), err))
		return false;
	*result = (struct snc_exec_result){got.exit, got.output};
	return true;
}
