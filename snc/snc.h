/*
 * The state of sncd, made in main and passed down: the store with slices and rows, the engine that
 * brings the rows about, and what is known of hosts and transport.
 */
#pragma once

#include "lib/base/conf.h"
#include "lib/engine/controller.h"
#include "lib/rpc/rpc.h"
#include "snc/admission.h"
#include "snc/events.h"
#include "snc/inventory.h"
#include "snc/ledger.h"
#include "snc/turns.h"
#include "snc/view.h"

/* A client of a daemon by its full name, at an address ("" for the TNC: whoever gives it knows).
 * NULL when it cannot be made. Any thread; lives as long as sncd. */
typedef const struct rpc_client *snc_peer_fn(
    void *self, const char *manager, const char *address, struct err *err);

struct snc_config {
	struct store *store; /* with the migrations of snc_migrations and the engine's */
	const struct clock *clock;
	struct inventory *inventory; /* becomes sncd's own, also on failure */
	const char *tnc;             /* full name of the TNC: "tnc@ctl"; copied */
	const char *tnc_address;     /* copied */
	snc_peer_fn *peer;
	void *self;              /* of peer */
	const struct conf *conf; /* [snc] admission, [link-type NAME]; NULL = none; borrowed */
};

struct snc {
	struct store *store;
	const struct clock *clock;
	struct inventory *inventory;
	struct controller *controller;
	struct ledger *ledger;
	struct view *view;
	struct events *events;
	struct ready *ready;
	struct turns *searches; /* by callers who wait for the answer */
	struct watch *watch;
	struct lease_watch *lease_watch;
	struct audit *audit;
	char *tnc, *tnc_address;
	snc_peer_fn *peer;
	void *peer_self;
	const struct conf *conf;
	enum admission_policy admission;
};

/* Starts the engine and the watch. */
void snc_free(struct snc *snc);
struct snc *snc_new(const struct snc_config *config, struct err *err)
    malloc_by(snc_free) must_check;

/* Who asks, as the certificate says. Texts are borrowed. */
struct snc_caller {
	const char *role, *name;
};

/* May it see and change the slices of others? May it see them? */
bool snc_is_operator(const struct snc_caller *caller);
bool snc_sees_all(const struct snc_caller *caller);

/* The slice of that name or id, if the caller may see it; else ERR_NOT_FOUND, so that nobody learns
 * what others have. */
bool snc_see_slice(const struct snc_caller *caller, struct txn *txn, const char *name_or_id,
    struct arena *arena, struct slice_record *slice, struct err *err) must_check;

/* The same, if he may change it and reach into it; ERR_A02 when he may only see it. */
bool snc_find_slice(const struct snc_caller *caller, struct txn *txn, const char *name_or_id,
    struct arena *arena, struct slice_record *slice, struct err *err) must_check;

/* Asks tncd for a fresh view if the one we have is old. Blocks; no transaction may be open. */
void snc_refresh_view(struct snc *snc);

/*
 * The hosts and the view, less all that is charged in the question's window (its view is filled in
 * here), in arena. For a window that is to come, a host that is away now counts as up. Hosts in
 * maintenance at some time of the window say so.
 */
bool snc_substrate(struct snc *snc, struct txn *txn, const struct ledger_question *question,
    struct arena *arena, struct substrate **substrate, struct err *err) must_check;
