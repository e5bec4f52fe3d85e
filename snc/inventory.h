/*
 * The hosts of the domain: named in substrate.xml, described by what their daemons say in their
 * hellos. Thread-safe: one lock inside, never held during a call. Knows nothing of slices: what is
 * free is told by the ledger.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/model/slice.h"
#include "lib/model/substrate.h"

struct inventory;

enum { INVENTORY_SILENT_MS = 25000 }; /* without a word for so long, a daemon is down */

void inventory_free(struct inventory *inventory);

/*
 * Reads `<substrate version="1.0"><host name="koganei" kind="vnode" address="10.63.0.11"/>…`.
 * NULL with the line in err when anything else stands there. clock is borrowed.
 */
struct inventory *inventory_read(const char *xml, size_t size, const struct clock *clock,
    struct err *err) malloc_by(inventory_free) must_check;

/* What a daemon has said of itself. */
struct inventory_word {
	const char *manager; /* "redirector@koganei" */
	const char *version, *db_uuid;
	const char *capacity; /* lines key=value */
};

/*
 * Notes it; `is_alive` when it was said now, not read from the store. ERR_NOT_FOUND for a manager
 * of no known host; *is_new tells whether it differs from what was known.
 */
bool inventory_tell(struct inventory *inventory, const struct inventory_word *word, bool is_alive,
    bool *is_new, struct err *err) must_check;

struct inventory_managers {
	const char **names;
	size_t n;
};

/* A call to the daemon was answered, or could not be made. Of unknown managers nothing is kept. */
void inventory_heard(struct inventory *inventory, const char *manager);
void inventory_failed(struct inventory *inventory, const char *manager);

/*
 * A host that is gone for good is not up, whoever answers there, and not among the following lists
 * of managers; or is again. ERR_NOT_FOUND. Its managers, in arena.
 */
bool inventory_evict(
    struct inventory *inventory, const char *host, bool is_evicted, struct err *err) must_check;
bool inventory_of_host(struct inventory *inventory, const char *host, struct arena *arena,
    struct inventory_managers *managers, struct err *err) must_check;

/* Is the daemon up, as far as is known: has it said what it has, and answered of late? */
bool inventory_is_up(struct inventory *inventory, const char *manager);

/* "10.63.0.11:7703" in arena. ERR_NOT_FOUND. */
const char *inventory_address(struct inventory *inventory, const char *manager, struct arena *arena,
    struct err *err) must_check;

/* All daemons that there should be, in the order of the file, in arena. */
void inventory_managers(
    struct inventory *inventory, struct arena *arena, struct inventory_managers *managers);

/* Those of them that have been silent for that long. */
void inventory_silent(struct inventory *inventory, int64_t silent_ms, struct arena *arena,
    struct inventory_managers *managers);

/* The hosts with everything free and no graph, in arena. */
struct substrate *inventory_substrate(struct inventory *inventory, struct arena *arena);

/* Counted up whenever that would be another one, but for who is up. */
int64_t inventory_version(struct inventory *inventory);

/* Notes who of these hosts, which are all in the order of inventory_substrate, is up now. */
void inventory_see_up(struct inventory *inventory, struct substrate *substrate);

/* Images and hosts as slice_check wants to know them, in arena; role is left open. */
void inventory_world(struct inventory *inventory, struct arena *arena, struct slice_world *world);

/* One host for people. */
struct inventory_host {
	const char *name;
	bool is_agw;
	const char *state;   /* up, partial, down, evicted */
	const char *daemons; /* that are up, blank-separated */
	const char *accel;   /* kvm, tcg or none */
};

void inventory_hosts(struct inventory *inventory, struct arena *arena,
    struct inventory_host **hosts, size_t *n_hosts);
