/*
 * A host with underlay ports u0 and u1 (200 Mbit/s each), the loop, one virtual node's port and
 * rows: link ends by hand. Devices, neighbours and classes are real, in a network
 * namespace of the test's own; the data plane is the fake.
 */
#pragma once

#include "redirector/link.h"

enum { WORLD_PORT = 5 };

static const int64_t mbps = 1000000;

struct link_world {
	struct redirector redirector;
	struct arena *arena;
};

/* A namespace with nothing in it but u0 and what the test makes. */
void world_open(struct link_world *world);
void world_open_with(struct link_world *world, const char *more); /* lines of configuration */
void world_close(struct link_world *world);

/* A veth pair, both ends up. */
void world_pair(struct link_world *world, const char *name, const char *peer);

/* The device of port WORLD_PORT. */
void world_port(struct link_world *world);

/* The next hop of u0 answers: as far as the kernel knows, for ever. */
void world_next_hop(struct link_world *world);

/* Attributes as text: shaped at rate_bps, but for what `changes` says. */
const char *world_attr(
    struct link_world *world, int64_t rate_bps, const struct link_end_attr_spec *changes);

/* A row of slice s1 by u0, but for what `changes` says, shaped at what it reserves. */
struct row world_row(
    struct link_world *world, uint64_t rid, uint64_t port, const struct link_end_spec *changes);

/* Admits a row and, when it may be held, lets redirectord hear of it as it is. err may be NULL. */
enum err_code world_admit(struct link_world *world, struct row *row, struct err *err);

/* The same of a new row, by port 100 + rid. */
enum err_code world_admit_spec(
    struct link_world *world, uint64_t rid, const struct link_end_spec *spec);

/* A row with rid 1 of port WORLD_PORT that is admitted. */
struct row world_admitted(struct link_world *world, const struct link_end_spec *spec);

/* The row has other attributes from now on. */
void world_commit(struct link_world *world, struct row *row, const char *attr);

/* The row is released and its effect gone. */
void world_release(struct link_world *world, struct row *row);

/* The link end 1, as the data plane was told. */
struct dataplane_link world_carried(struct link_world *world);

/* A class of a device's shaper; false: there is none. */
bool world_class(
    struct link_world *world, const char *device, uint32_t minor, struct tc_class *class);
