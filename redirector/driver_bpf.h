/*
 * What the drivers that run BPF programs at ports have in common: hooks, what is left of earlier
 * devices and paths, counters. A driver's `self` begins with a struct driver. Operations named as
 * in dataplane.h are those, and take the lock; the others want it held.
 */
#pragma once

#include <pthread.h>

#include "redirector/maps_bpf.h"

struct bpf_program;

struct driver {
	struct netlink *netlink;
	enum bpf_hook hook;
	pthread_mutex_t lock; /* of the maps */
	struct maps maps;
	const struct bpf_program *leave; /* what stands at every port */
	uint32_t leave_id;
};

/* The maps are loaded already; `leave` is borrowed. */
void driver_init(
    struct driver *driver, const struct dataplane_config *config, const struct bpf_program *leave);
void driver_done(struct driver *driver);

/* The program sees what comes in by the device, at the hook that it should. */
bool driver_attach(struct driver *driver, uint32_t device, const struct bpf_program *program,
    struct err *err) must_check;

/* The port's program is attached and the entry set. */
bool driver_depart(struct driver *driver, struct trace *trace, uint32_t port,
    const struct redirect_departure *departure, struct err *err) must_check;

/* Is that so? ERR_NOT_FOUND says what is missing, ERR_CONFLICT what has other values. */
bool driver_departs(struct driver *driver, uint32_t port,
    const struct redirect_departure *departure, struct err *err) must_check;

bool driver_arrive(struct driver *driver, struct trace *trace,
    const struct redirect_arrival_key *key, const struct redirect_arrival *arrival,
    struct err *err) must_check;
bool driver_arrives(struct driver *driver, const struct redirect_arrival_key *key,
    const struct redirect_arrival *arrival, struct err *err) must_check;

/* Takes away what is of an earlier device or path; port 0 and no key: everything. */
bool driver_trim(struct driver *driver, struct trace *trace, uint32_t port,
    const struct redirect_arrival_key *key, struct err *err) must_check;

/* Nothing is left of it. Absent is success. */
bool driver_forget(struct driver *driver, uint64_t rid, struct err *err) must_check;

bool driver_keep(void *self, struct str *found, struct err *err);
bool driver_counters(
    void *self, uint64_t rid, struct dataplane_counters *counters, struct err *err);
bool driver_strays(void *self, struct dataplane_strays *strays, struct err *err);
bool driver_list(void *self, struct arena *arena, const struct dataplane_held **held,
    size_t *n_held, struct err *err);

/* Programs and maps of another driver go, if it ran here before; `name` of its pins. */
bool driver_succeed(
    const struct dataplane_config *config, const char *name, struct err *err) must_check;
