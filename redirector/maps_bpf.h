/*
 * The pinned maps of a driver's programs, and a record by rid of what they have: no operation on
 * one link end looks at the others. The caller holds one lock over all of this; departure_find and
 * arrival_find need none.
 */
#pragma once

#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "redirector/bpf/redirect_abi.h"
#include "redirector/dataplane.h"

struct bpf_map;
struct bpf_object;

typedef vec_of(uint32_t) port_vec;
typedef vec_of(struct redirect_arrival_key) key_vec;

/* Which entries of the maps are a link end's: one of a kind, or more while it moves. */
struct trace {
	struct dataplane_held held;
	uint32_t slot; /* of counters and buckets */
	uint32_t taps; /* a bit for each of vn_taps that is its */
	port_vec ports;
	key_vec keys;
};

struct maps {
	const struct bpf_map *departures, *arrivals, *counts, *buckets, *strays;
	const struct bpf_map *delays;    /* NULL: these programs know no stamps */
	const struct bpf_map *taps;      /* NULL: they know no taps */
	const struct bpf_object *object; /* that they are of */
	int n_cpus;
	struct map *traces;   /* by rid */
	unsigned char *slots; /* 1 = taken */
	uint32_t n_slots;
	uint64_t tapped[REDIRECT_TAPS_MAX]; /* whose each tap is; 0 = off */
};

/* Where maps are pinned: a folder of this name in a bpffs, which is mounted if need be. */
bool maps_place(const char *folder, const char *name, struct str *pins, struct err *err) must_check;

/*
 * Loads programs that were opened with that place; object is borrowed. Pinned maps are adopted,
 * what they have is known again.
 */
bool maps_load(struct maps *maps, struct bpf_object *object, const char *pins, uint32_t n_links,
    struct err *err) must_check;
void maps_done(struct maps *maps); /* what is pinned stays */

/* Every pin is there and is of our map: made again otherwise, its name appended to `found`. Needs
 * no lock. */
bool maps_keep(const struct maps *maps, struct str *found, struct err *err) must_check;

/* errno as an error: ERR_R04 when a map is full. Always false. */
bool maps_failed(struct err *err, const char *what);

/* NULL: there is nothing of it. Borrowed. */
struct trace *trace_find(const struct maps *maps, uint64_t rid);

/* Made with counters of 0 when there is none; ERR_R04: no room. */
struct trace *trace_ensure(struct maps *maps, uint64_t rid, struct err *err) must_check;
void trace_forget(struct maps *maps, struct trace *trace);

/* An entry of it is in a map. */
void trace_port(struct trace *trace, uint32_t port, const struct redirect_departure *departure);
void trace_key(struct trace *trace, const struct redirect_arrival_key *key);

bool departure_find(
    const struct maps *maps, uint32_t port, struct redirect_departure *departure) must_check;
bool arrival_find(const struct maps *maps, const struct redirect_arrival_key *key,
    struct redirect_arrival *arrival) must_check;

/* Takes an entry out, unless another link end has taken it over. Absent is success. */
bool departure_drop(struct maps *maps, uint64_t rid, uint32_t port, struct err *err) must_check;
bool arrival_drop(struct maps *maps, uint64_t rid, const struct redirect_arrival_key *key,
    struct err *err) must_check;
