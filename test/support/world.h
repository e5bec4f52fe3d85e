/*
 * A small world for the tests of the engine: objects are files in a folder, so they outlive a
 * killed process as kernel objects do. One kind, "unit": its spec is `units=N`, its object holds
 * that and the attributes. The world itself counts what stands in it and notes if it was ever too
 * much.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "lib/engine/manager.h"

struct world {
	char dir[200];
	int capacity;           /* units that the manager may give */
	atomic_int ensure_code; /* enum err_code with which ensure fails; 0 = works */
	atomic_int remove_code;
	atomic_bool is_overfull; /* seen more units than capacity */
	atomic_int n_changed;    /* times that the manager said that an object has changed */
	/* Called before a row is admitted, made or removed: may end the process; or NULL. */
	void (*poison)(const struct row *row);
	struct manager *told; /* of each object that is made, as a kernel tells; or NULL */
};

/* Makes the folder if need be. */
void world_init(struct world *world, const char *dir, int capacity);

/* The manager's configuration for this world: kinds, list, sweep. self = world. */
void world_config(struct world *world, struct manager_kind *kind, struct manager_config *config);

/* Objects standing; their units. */
int world_count(struct world *world);
int world_units(struct world *world);
bool world_has(struct world *world, uint64_t rid);

/* The attributes of an object, "" when there is none; owned by the caller. */
char *world_attr(struct world *world, uint64_t rid);

/* Makes or takes away an object behind the manager's back: lines "units=N" and the attributes. */
void world_put(struct world *world, uint64_t rid, const char *text);
void world_drop(struct world *world, uint64_t rid);

/* A clock that runs with the machine's and can be moved ahead. */
struct test_clock {
	struct clock clock;
	atomic_llong ahead_ms;
};

void test_clock_init(struct test_clock *clock);

/* Waits until the condition holds, looking every millisecond; false after ten seconds. */
bool eventually(bool (*holds)(void *self), void *self);
