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

enum { N_ROUTERS = 3 };

static const int64_t mbps = 1000000;

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

struct net {
	char dir[160];
	struct test_clock clock;
	struct inventory *inventory;
	struct site sites[N_ROUTERS];
	struct store *store;
	struct tnc *tnc;
	struct rpc_server *server;
	struct rpc_client client; /* we, as ROLE@ctl */
	const char *role;         /* snc, as long as it is not set to another */
	struct arena *arena;
	uint64_t n_rids;
};

/* What a share was answered. */
struct held {
	uint64_t rid;
	struct share_result_spec result;
};

/* An own folder below the test's; a pool of 32 - pool_bits address bits. Everything runs. */
struct net *net_new(const char *name, int pool_bits);

/* The same with another transport.xml, of the routers r1, r2, r3. */
struct net *net_new_of(const char *name, const char *xml);
void net_free(struct net *net);

/* Ends and starts one daemon; what it has stored stays. */
void net_tnc_start(struct net *net);
void net_tnc_stop(struct net *net);
void net_site_start(struct net *net, int index);
void net_site_stop(struct net *net, int index);

/* One verb about one share, by RPC. A call that failed as a whole is told in `why`. */
struct row_have net_say(struct net *net, enum verb verb, uint64_t rid, const char *spec);

/* The spec of a share of the same rate both ways; wish = lines edge=…. */
const char *net_share(
    struct net *net, const char *a, const char *b, int64_t rate_bps, const char *wish);

/* Reserves a share with a new rid; ERR_NONE when it is held. */
enum err_code net_reserve(struct net *net, const char *spec, struct held *held);
bool net_commit(struct net *net, const struct held *held);
bool net_release(struct net *net, const struct held *held);

/* What tncd shows. */
struct tnc_view_result net_view(struct net *net);
const struct tnc_edge *net_edge(struct net *net, const char *name);
struct tnc_path_list_result net_paths(struct net *net);
struct tnc_orphans_result net_orphans(struct net *net);

/* Does a packet to the address, sent to that next hop, take this way: "r1 r2 h2 "? */
bool net_leads(struct net *net, const char *next_hop, const char *address, const char *way);

/* Conditions for eventually(); self is a struct net. */
bool net_has_no_paths(void *self);
bool net_has_no_routes(void *self);
bool net_has_no_orphans(void *self);
