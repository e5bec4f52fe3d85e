/*
 * Handlers that go on to one host: sncd checks whose node it is, the host does the work. Each runs
 * in its caller's own thread, so that a long one keeps nobody else waiting.
 */
#include <string.h>

#include "lib/api/programmer_api.h"
#include "lib/api/redirector_api.h"
#include "lib/base/id.h"
#include "lib/model/slice.h"
#include "lib/model/spec.h"
#include "snc/peers.h"
#include "snc/snc_service.h"

enum {
	EXEC_MAX_MS = 600000,
	WAIT_MAX_MS = 30000,
	ANSWER_MS = 5000,
	WORDS_MAX = 256,
	INPUT_MAX = 4096
};

/* A row found: who has it, and its rid as text. */
struct place {
	const char *manager, *rid;
};

struct wanted {
	const char *slice;
	const char *kind, *key, *name; /* of the row: "node", "name", "n1" */
};

static bool
read_rows(struct snc *snc, const struct rpc_call *call, const struct wanted *wanted,
    const struct controller_row_state **rows, size_t *n_rows, struct err *err)
{
	auto_txn struct txn *txn = store_begin(snc->store);
	struct snc_caller caller = service_caller(call);
	struct slice_record record;

	if (!snc_find_slice(&caller, txn, wanted->slice, call->arena, &record, err))
		return false;
	if (!controller_rows(snc->controller, txn, record.id, call->arena, rows, n_rows))
		*n_rows = 0;
	return true;
}

/* Up to n_max rows that fit; ERR_NOT_FOUND without one. */
static bool
find_places(struct snc *snc, const struct rpc_call *call, const struct wanted *wanted,
    struct place *places, size_t *n_places, struct err *err)
{
	const struct controller_row_state *rows;
	size_t n_rows, n = 0;

	if (!read_rows(snc, call, wanted, &rows, &n_rows, err))
		return false;
	for (size_t i = 0; i < n_rows && n < *n_places; i++) {
		const struct controller_row *row = &rows[i].row;

		if (!str_equal(row->kind, wanted->kind) || rows[i].have == ROW_RELEASED ||
		    !str_equal(spec_value(row->spec, wanted->key, call->arena), wanted->name))
			continue;
		places[n].manager = row->manager;
		places[n++].rid = arena_text(call->arena, id_text(row->rid).text);
	}
	*n_places = n;
	if (n)
		return true;
	err_set(err, ERR_NOT_FOUND, "slice '%s' has no %s '%s' in place", wanted->slice,
	    str_equal(wanted->kind, "node") ? "node" : "link", wanted->name);
	return err_hint(err, "`vnode slice show %s` lists what it has", wanted->slice);
}

static bool
find_node(struct snc *snc, const struct rpc_call *call, const char *slice, const char *node,
    struct place *place, struct err *err)
{
	size_t n = 1;

	return find_places(
	    snc, call, &(struct wanted){slice, "node", "name", node}, place, &n, err);
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
	struct place place;

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
	struct place place;

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
	struct place place;

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

/* Which node and port a link end stands at: its port's number is in the node's row. */
static const char *
end_name(struct snc *snc, const struct rpc_call *call, const struct wanted *wanted, const char *rid)
{
	const struct controller_row_state *rows;
	const char *port = NULL;
	size_t n_rows;
	struct err err;

	if (!read_rows(snc, call, wanted, &rows, &n_rows, &err))
		return "";
	for (size_t i = 0; i < n_rows; i++)
		if (str_equal(id_text(rows[i].row.rid).text, rid))
			port = spec_value(rows[i].row.spec, "port", call->arena);
	for (size_t i = 0; i < n_rows && port; i++) {
		const char *line =
		    strstr(rows[i].row.spec, arena_format(call->arena, "port=%s ", port));

		if (!line || !str_equal(rows[i].row.kind, "node"))
			continue;
		line += strlen("port= ") + strlen(port);
		return arena_format(call->arena, "%s.%.*s",
		    spec_value(rows[i].row.spec, "name", call->arena), (int)strcspn(line, " "),
		    line);
	}
	return "";
}

static bool
read_counters(struct snc *snc, const struct rpc_call *call, const struct place *place,
    struct snc_end_counters *to, struct err *err)
{
	struct redirector_counters_result got;
	struct rpc_client client;

	if (!peers_client(snc, place->manager, ANSWER_MS, &client, err) ||
	    !done(snc, place,
		redirector_counters_call(&client, call->arena,
		    &(struct redirector_counters_args){place->rid}, &got, err),
		err))
		return false;
	*to = (struct snc_end_counters){
	    .tx_frames = got.tx_frames,
	    .tx_bytes = got.tx_bytes,
	    .tx_oversize = got.tx_oversize,
	    .tx_dropped = got.tx_dropped,
	    .rx_frames = got.rx_frames,
	    .rx_bytes = got.rx_bytes,
	    .rx_dropped = got.rx_dropped,
	    .queue_drops = got.queue_drops,
	};
	return true;
}

SNC_HANDLER(link_counters)
{
	struct wanted wanted = {args->slice, "link_end", "link", args->link};
	struct snc_end_counters *ends = arena_alloc(call->arena, 2 * sizeof(ends[0]));
	struct place places[2];
	size_t n = 2;

	if (!find_places(self, call, &wanted, places, &n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!read_counters(self, call, &places[i], &ends[i], err))
			return false;
		ends[i].node = end_name(self, call, &wanted, places[i].rid);
	}
	result->ends = ends;
	result->n_ends = n;
	return true;
}
