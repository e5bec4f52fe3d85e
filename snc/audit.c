/*
 * Writing and reading the audit trail. It is used inside transactions alone, whose lock is its
 * lock.
 */
#include "snc/audit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/api/audit_chain.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"

enum { LAST = 100, AT_ONCE = 256, TEXT_MAX = 200, KINDS_MAX = 4096 };

static const int64_t REFUSED_AGAIN_MS = 1000, TYPED_AGAIN_MS = 600000;

const struct snc_caller audit_self = {"snc", "sncd"};

/* What changes nothing, and is not recorded when it succeeds or fails for want of something. */
static const char reads[] = " slice_check slice_list slice_show slice_find_slot slice_wait events"
			    " host_list node_list link_list console_read delays link_counters"
			    " link_show capture_read orphans doctor project_list project_show"
			    " usage audit_list ";

/* What leaves nothing in the store. */
static const char unstored[] = " exec console_write capture_start capture_stop ";

/* What is recorded in the transaction of its change. */
static const char stored[] =
    " slice_create slice_run slice_stop slice_reserve slice_modify"
    " slice_optimise slice_delete slice_renew link_set project_create project_delete"
    " member_set member_remove quota_set host_evict host_readmit host_drain"
    " host_undrain host_retry restore ";

struct audit {
	struct store *store;
	const struct clock *clock;
	struct map *last; /* when something that may be frequent was recorded, boot time */
};

void
audit_free(struct audit *audit)
{
	int64_t *at;

	if (!audit)
		return;
	for (size_t i = 0; (at = map_next(audit->last, &i));)
		free(at);
	map_free(audit->last);
	free(audit);
}

struct audit *
audit_new(struct store *store, const struct clock *clock)
{
	struct audit *audit = xcalloc(1, sizeof(*audit));

	audit->store = store;
	audit->clock = clock;
	audit->last = map_new();
	return audit;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool
read_head(struct txn *txn, struct audit_chain *head, struct err *err)
{
	auto_rows struct rows *rows =
	    txn_query(txn, err, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", "");
	auto_str struct str hash = {0};

	if (!rows)
		return false;
	*head = (struct audit_chain){0};
	if (!rows_next(rows))
		return true;
	head->seq = rows_i64(rows, 0);
	str_add(&hash, rows_text(rows, 1));
	if (hash.len < sizeof(head->hash.text))
		memcpy(head->hash.text, str_text(&hash), hash.len + 1);
	return true;
}

/* The head that stands is told to the log, which goes elsewhere: what is cut off later is missed
 * there. The new one is not committed yet, and its turn is next time. */
static bool
append(struct audit *audit, struct txn *txn, struct snc_audit *record, struct err *err)
{
	struct audit_chain head;
	struct digest_text hash;

	if (!read_head(txn, &head, err))
		return false;
	if (head.seq)
		log_info(
		    "audit", "event=head seq=%lld hash=%s", (long long)head.seq, head.hash.text);
	record->seq = head.seq + 1;
	record->at_ms = clock_wall_ms(audit->clock);
	hash = audit_chain_hash(&head, record);
	return txn_run(txn, err,
	    "INSERT INTO audit (seq, at_ms, role, name, method, object, result, detail, hash)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	    "iittttttt", record->seq, record->at_ms, record->role, record->name, record->method,
	    record->object, record->result, record->detail, hash.text);
}

bool
audit_add(struct audit *audit, struct txn *txn, const struct snc_caller *caller,
    const struct audit_entry *entry, struct err *err)
{
	struct snc_audit record = {
	    .role = caller->role,
	    .name = caller->name,
	    .method = entry->method,
	    .object = entry->object,
	    .result = err_code_text(ERR_NONE),
	    .detail = entry->detail ? entry->detail : "",
	};

	return append(audit, txn, &record, err);
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool
is_among(const char *list, const char *word, struct arena *arena)
{
	return strstr(list, arena_format(arena, " %s ", word)) != NULL;
}

bool
audit_knows(const char *method)
{
	auto_arena struct arena *arena = arena_new();

	return is_among(reads, method, arena) + is_among(unstored, method, arena) +
		   is_among(stored, method, arena) ==
	       1;
}

/* SLICE/NODE, PROJECT/USER and the like, from the arguments of those names. */
static const char *
object_of(const struct rpc_told *told, struct arena *arena)
{
	static const char names[] = " slice node link project user host ";
	const char *object = "";

	if (!told->args)
		return object;
	for (const struct rpc_field *field = told->type->fields; field->name; field++) {
		const char *text;

		if ((field->type != RPC_TEXT && field->type != RPC_OPT_TEXT) ||
		    !is_among(names, field->name, arena))
			continue;
		text = *(const char *const *)((const char *)told->args + field->offset);
		if (text && text[0])
			object = arena_format(
			    arena, "%s%s%.*s", object, object[0] ? "/" : "", TEXT_MAX / 2, text);
	}
	return object;
}

/* Not recorded so shortly before? */
static bool
is_new(struct audit *audit, const char *kind, int64_t again_ms)
{
	int64_t now_ms = clock_boot_ms(audit->clock);
	int64_t *at = map_get(audit->last, kind);

	if (at && now_ms - *at < again_ms)
		return false;
	if (!at && map_size(audit->last) >= KINDS_MAX) {
		for (size_t i = 0; (at = map_next(audit->last, &i));)
			free(at);
		map_clear(audit->last);
	}
	if (!at) {
		at = xcalloc(1, sizeof(*at));
		map_put(audit->last, kind, at);
	}
	*at = now_ms;
	return true;
}

static bool
is_wanted(struct audit *audit, const struct snc_audit *record, bool is_refused, struct arena *arena)
{
	const char *kind = arena_format(
	    arena, "%s@%s %s %s", record->role, record->name, record->method, record->result);

	if (is_refused)
		return is_new(audit, kind, REFUSED_AGAIN_MS);
	if (!str_equal(record->method, "console_write"))
		return true;
	return is_new(audit, arena_format(arena, "%s %s", kind, record->object), TYPED_AGAIN_MS);
}

/* Of a refusal its first sentence: the caller has seen it all. */
static struct snc_audit
record_of(const struct rpc_call *call, const struct rpc_told *told)
{
	return (struct snc_audit){
	    .role = call->role,
	    .name = call->name,
	    .method = told->method,
	    .object = object_of(told, call->arena),
	    .result = told->err ? err_code_text(told->err->code) : err_code_text(ERR_NONE),
	    .detail = told->err ? arena_format(call->arena, "%.*s", TEXT_MAX, told->err->text) : "",
	};
}

void
audit_called(void *self, const struct rpc_call *call, const struct rpc_told *told)
{
	struct audit *audit = self;
	bool is_read = is_among(reads, told->method, call->arena);
	bool is_denied =
	    told->err && (told->err->code == ERR_FORBIDDEN || told->err->code == ERR_A02);
	struct snc_audit record;
	struct txn *txn;
	struct err err;

	if (told->err ? is_read && !is_denied : !is_among(unstored, told->method, call->arena))
		return;
	record = record_of(call, told);
	txn = store_begin(audit->store);
	if (is_wanted(audit, &record, told->err != NULL, call->arena) &&
	    (!append(audit, txn, &record, &err) || !txn_commit(&txn, &err)))
		log_error(
		    "audit", "event=record_lost method=%s why=\"%s\"", told->method, err.text);
	txn_cancel(txn);
}

/* ---- reading --------------------------------------------------------------------------------- */

bool
audit_list(struct txn *txn, int64_t after, struct arena *arena, struct audit_records *records,
    struct err *err)
{
	auto_rows struct rows *rows = txn_query(txn, err,
	    "SELECT seq, at_ms, role, name, method, object, result, detail, hash FROM audit"
	    " WHERE seq > CASE WHEN ?1 < 0 THEN (SELECT coalesce(max(seq), 0) FROM audit) - ?2"
	    " ELSE ?1 END ORDER BY seq LIMIT ?3",
	    "iii", after, (int64_t)LAST, (int64_t)AT_ONCE);
	vec_of(struct snc_audit) found = {0};

	if (!rows)
		return false;
	while (rows_next(rows))
		vec_push(&found, ((struct snc_audit){rows_i64(rows, 0), rows_i64(rows, 1),
				     arena_text(arena, rows_text(rows, 2)),
				     arena_text(arena, rows_text(rows, 3)),
				     arena_text(arena, rows_text(rows, 4)),
				     arena_text(arena, rows_text(rows, 5)),
				     arena_text(arena, rows_text(rows, 6)),
				     arena_text(arena, rows_text(rows, 7)),
				     arena_text(arena, rows_text(rows, 8))}));
	records->n = found.n;
	records->items =
	    (void *)arena_copy(arena, found.items, found.n * sizeof(records->items[0]));
	vec_done(&found);
	return true;
}
