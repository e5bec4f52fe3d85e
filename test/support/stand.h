/*
 * One manager with its world, called by hand.
 */
#pragma once

#include "lib/engine/manager.h"
#include "test/support/world.h"

struct stand {
	char path[200];
	struct test_clock clock;
	struct world world;
	struct store *store;
	struct manager *manager;
	struct arena *arena;
	int64_t epoch;
	int deadline_ms; /* of calls */
	uint64_t floor;
	const char *owner;
	uint64_t rid; /* for conditions of a test */
	size_t n_wanted;
};

/* NAME.db and the folder NAME in the test's own folder. */
struct stand *stand_new(const char *name, int capacity);

/* The same with nothing opened yet. */
struct stand *stand_make(const char *name, int capacity);
void stand_free(struct stand *stand);
void stand_open(struct stand *stand);
void stand_close(struct stand *stand);

/* A verb over rows, and over one. */
bool stand_call(struct stand *stand, enum verb verb, const struct row_want *want,
    struct row_have *have, size_t n, struct err *err);
struct row_have stand_reserve(struct stand *stand, uint64_t rid, const char *spec);
struct row_have stand_commit(struct stand *stand, uint64_t rid, const char *attr, int64_t rev);
struct row_have stand_release(struct stand *stand, uint64_t rid);

/* Brings a new row of one unit to a state. */
void stand_put(struct stand *stand, uint64_t rid, enum row_state state);

/* Moves the clock ahead and has the loop notice. */
void stand_pass_ms(struct stand *stand, int64_t ms);
