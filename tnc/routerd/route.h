/*
 * Routes on this router: the driver that makes them (kernel, or fake in tests), and the kind
 * "route" of the resource protocol on top of it.
 */
#pragma once

#include "lib/engine/manager.h"
#include "lib/model/spec_types.h"

/* All ops may be repeated at any time; any thread. */
struct route_ops {
	/* Makes the route, or changes it. ERR_WAIT: no such device now, or it is down. */
	bool (*put)(void *self, const struct route_spec *route, struct err *err);
	/* "10.65.0.1", or "10.65.0.0/24" as listed; absent is success. */
	bool (*remove)(void *self, const char *destination, struct err *err);
	/* Is it there, and as it should be? False with ERR_WAIT when not. */
	bool (*is_there)(void *self, const struct route_spec *route, struct err *err);
	/* Destinations of all routes that are ours; array and texts in arena. */
	bool (*list)(void *self, struct arena *arena, const char *const **destinations, size_t *n,
	    struct err *err);
};

/* Whose routes they are in the kernel. */
enum { ROUTE_PROTOCOL = 118 };

struct route_kernel;

void route_kernel_free(struct route_kernel *kernel);

/* The kernel's table in this network namespace. `changed` is called, from a thread of its own, when
 * something happened to our routes or to a device. */
struct route_kernel *route_kernel_new(void (*changed)(void *self), void *self, struct err *err)
    malloc_by(route_kernel_free) must_check;

extern const struct route_ops route_kernel_ops; /* self: struct route_kernel */

/* What the rows' functions need; must outlive the manager. */
struct route_keeper {
	struct store *store; /* with route_migrations and the manager's */
	const struct route_ops *ops;
	void *driver;
	/* manager_config.changed. */
	void (*changed)(void *self, uint64_t rid);
	/* manager_config.noted; may be NULL. */
	void (*noted)(void *self);
	void *self;
};

extern const struct store_migration route_migrations[];
extern const size_t n_route_migrations;

/* The manager of the kind "route": rows converge from now on. */
struct manager *route_manager_new(struct route_keeper *keeper, const struct clock *clock,
    struct err *err) malloc_by(manager_free) must_check;
