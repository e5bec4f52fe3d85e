/*
 * tncd and the routerds of a small network in one process: real managers, controller, codec and
 * stores; routers whose routes are entries of a map. The tests are sncd.
 *
 *     h1:u0 --- r1 --- r2 --- h2:u0      r1-r2 100 Mbps, 1 ms; the others 1 Gbps
 *                `- r3 -´                r1-r3, r3-r2 2 ms each
 *     h3:u0 --- r3
 */
#pragma once

#include <stdatomic.h>

#include "lib/model/spec_types.h"
#include "test/support/route_fake.h"
#include "test/support/world.h"
#include "tnc/tnc.h"

enum { N_ROUTERS = 3, MBPS = 1000000 };

struct site {
	struct route_fake routes;
	struct route_keeper keeper;
	struct store *store;
	struct manager *manager;
	struct rpc_server *server;
	struct rpc_client client;
	atomic_bool is_cut; /* nobody reaches it */
	atomic_int n_calls; /* that somebody tried */
};

struct bench {
	char dir[160];
	struct test_clock clock;
	struct inventory *inventory;
	struct site sites[N_ROUTERS];
	struct store *store;
	struct tnc *tnc;
	struct rpc_server *server;
	struct rpc_client client; /* we, as snc@ctl */
	struct arena *arena;
	uint64_t n_rids;
};

/* What a share was answered. */
struct held {
	uint64_t rid;
	struct share_result_spec result;
};

/* An own folder below the test's; a pool of 32 - pool_bits address bits. Everything runs. */
struct bench *bench_new(const char *name, int pool_bits);
void bench_free(struct bench *bench);

/* Ends and starts one daemon; what it has stored stays. */
void bench_tnc_start(struct bench *bench);
void bench_tnc_stop(struct bench *bench);
void bench_site_start(struct bench *bench, int index);
void bench_site_stop(struct bench *bench, int index);

/* One verb about one share, by RPC. A call that failed as a whole is told in `why`. */
struct row_have bench_say(struct bench *bench, enum verb verb, uint64_t rid, const char *spec);

/* The spec of a share of the same rate both ways; wish = lines edge=…. */
const char *bench_share(
    struct bench *bench, const char *a, const char *b, int64_t rate_bps, const char *wish);

/* Reserves a share with a new rid; ERR_NONE when it is held. */
enum err_code bench_reserve(struct bench *bench, const char *spec, struct held *held);
bool bench_commit(struct bench *bench, const struct held *held);
bool bench_release(struct bench *bench, const struct held *held);

/* What tncd shows. */
struct tnc_view_result bench_view(struct bench *bench);
const struct tnc_edge *bench_edge(struct bench *bench, const char *name);
struct tnc_path_list_result bench_paths(struct bench *bench);
struct tnc_orphans_result bench_orphans(struct bench *bench);

/* Does a packet to the address, sent to that next hop, take this way: "r1 r2 h2 "? */
bool bench_leads(struct bench *bench, const char *next_hop, const char *address, const char *way);

/* Conditions for eventually(); self is a struct bench. */
bool bench_has_no_paths(void *self);
bool bench_has_no_routes(void *self);
bool bench_has_no_orphans(void *self);
