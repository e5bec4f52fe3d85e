/*
 * What paths have on a router: a host route to each of their ends, and what its packets are
 * guaranteed at the port by which they leave. A driver makes both (the kernel of this host, a fake
 * in tests; a switch that is spoken to would be another one), the kind "route" of the resource
 * protocol stands on top of it.
 */
#pragma once

#include "lib/engine/manager.h"
#include "lib/model/spec_types.h"

/*
 * A driver. All ops may be repeated at any time; any thread. Objects have names as people know
 * them: a destination "10.65.0.1", or whatever else of ours `list` finds.
 */
struct route_ops {
	const char *name; /* "linux" */
	/* Makes the route and its guarantee, or changes them; a change of rates loses no packet.
	 * ERR_WAIT: no such device now, it is down, or somebody else shapes it. */
	bool (*put)(void *self, const struct route_spec *route, const struct route_attr_spec *attr,
	    struct err *err);
	/* All that there is of an object; absent is success. */
	bool (*remove)(void *self, const char *object, struct err *err);
	/* Is all of it there, and as it should be? False with ERR_WAIT when not. */
	bool (*is_there)(void *self, const struct route_spec *route,
	    const struct route_attr_spec *attr, struct err *err);
	/* Names of all objects that are ours, none twice; array and texts in arena. */
	bool (*list)(void *self, struct arena *arena, const char *const **objects, size_t *n,
	    struct err *err);
};

/* Whose routes they are in the kernel. */
enum { ROUTE_PROTOCOL = 118 };

struct route_kernel;

void route_kernel_free(struct route_kernel *kernel);

/* The kernel's routes and traffic control in this network namespace. `changed` is called, from a
 * thread of its own, when something happened to what is ours or to a device. */
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
