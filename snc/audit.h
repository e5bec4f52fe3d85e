/*
 * The audit trail: who did what to what, and what came of it. A change is recorded in its own
 * transaction, so that there is neither without the other; a refusal, and what changes nothing in
 * the store, right after it. Rows are only added, each hash holds the one before (lib/api/
 * audit_chain). Documents, commands and what is typed are never in it.
 */
#pragma once

#include "lib/api/snc_api.h"
#include "snc/snc.h"

struct audit;

void audit_free(struct audit *audit);
/* store and clock are borrowed. */
struct audit *audit_new(struct store *store, const struct clock *clock)
    malloc_by(audit_free) must_check;

struct audit_entry {
	const char *method; /* "slice_create" */
	const char *object; /* slice, project … */
	const char *detail; /* NULL = nothing to say */
};

/* Records what is done in the transaction. */
bool audit_add(struct audit *audit, struct txn *txn, const struct snc_caller *caller,
    const struct audit_entry *entry, struct err *err) must_check;

/* Who is recorded for what sncd does by itself. */
extern const struct snc_caller audit_self;

/*
 * A call has been answered; err is NULL when it succeeded, args NULL when they were not understood.
 * Records refusals, one of a kind a second, and what audit_add was not there for. No transaction
 * may be open. For rpc_server_tell: self is the struct audit.
 */
void audit_called(void *self, const struct rpc_call *call, const struct rpc_told *told);

/* Is it said of the method how it is recorded? Each of schemas/rpc/snc.def is in one of the lists
 * of snc/audit.c. */
bool audit_knows(const char *method);

/* Those after a number, oldest first, at most 256; -1 = the last 100. */
struct audit_records {
	struct snc_audit *items;
	size_t n;
};

bool audit_list(struct txn *txn, int64_t after, struct arena *arena, struct audit_records *records,
    struct err *err) must_check;
