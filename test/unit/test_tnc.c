/*
 * tncd and the routerds of a small network in one process: real managers, controller, codec and
 * stores; routers whose routes are entries of a map. We are sncd.
 *
 *     h1:u0 --- r1 --- r2 --- h2:u0      r1-r2 100 Mbps, 1 ms; the others 1 Gbps
 *                `- r3 -´                r1-r3, r3-r2 2 ms each
 *     h3:u0 --- r3
 */
#include "tnc/tnc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/manager_api.h"
#include "lib/api/peer.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/model/spec_types.h"
#include "test/support/route_fake.h"
#include "test/support/suite.h"
#include "test/support/world.h"
#include "tnc/tnc_store.h"

enum { N_ROUTERS = 3, MBPS = 1000000 };

static const char network[] = "<transport version=\"1.0\"><pool prefix=\"10.65.0.0/%d\"/>"
			      "<router name=\"r1\" address=\"10.63.0.21\"/>"
			      "<router name=\"r2\" address=\"10.63.0.22\"/>"
			      "<router name=\"r3\" address=\"10.63.0.23\"/>"
			      "<host name=\"h1\"/><host name=\"h2\"/><host name=\"h3\"/>"
			      "<link name=\"h1-r1\" capacity=\"1Gbps\" latency=\"1ms\">"
			      "<end node=\"h1\" port=\"u0\" address=\"10.64.0.1\"/>"
			      "<end node=\"r1\" port=\"p0\" address=\"10.64.0.2\"/></link>"
			      "<link name=\"h2-r2\" capacity=\"1Gbps\" latency=\"1ms\">"
			      "<end node=\"h2\" port=\"u0\" address=\"10.64.0.5\"/>"
			      "<end node=\"r2\" port=\"p0\" address=\"10.64.0.6\"/></link>"
			      "<link name=\"r1-r2\" capacity=\"100Mbps\" latency=\"1ms\">"
			      "<end node=\"r1\" port=\"p1\" address=\"10.64.0.9\"/>"
			      "<end node=\"r2\" port=\"p1\" address=\"10.64.0.10\"/></link>"
			      "<link name=\"r1-r3\" capacity=\"1Gbps\" latency=\"2ms\">"
			      "<end node=\"r1\" port=\"p2\" address=\"10.64.0.13\"/>"
			      "<end node=\"r3\" port=\"p1\" address=\"10.64.0.14\"/></link>"
			      "<link name=\"r3-r2\" capacity=\"1Gbps\" latency=\"2ms\">"
			      "<end node=\"r3\" port=\"p2\" address=\"10.64.0.17\"/>"
			      "<end node=\"r2\" port=\"p2\" address=\"10.64.0.18\"/></link>"
			      "<link name=\"r3-h3\" capacity=\"1Gbps\" latency=\"1ms\">"
			      "<end node=\"r3\" port=\"p0\" address=\"10.64.0.21\"/>"
			      "<end node=\"h3\" port=\"u0\" address=\"10.64.0.22\"/></link>"
			      "</transport>";

struct site {
	struct route_fake routes;
	struct route_keeper keeper;
	struct store *store;
	struct manager *manager;
	struct rpc_server *server;
	struct rpc_client client;
	atomic_bool is_cut; /* nobody reaches it */
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

static void tnc_start(struct bench *bench);
static void tnc_stop(struct bench *bench);

static struct store *
open_store(const char *dir, const char *name, const struct store_migration *const *parts,
    const size_t *counts, size_t n_parts)
{
	struct store_migration all[16];
	struct err err = {0};
	struct store *store;
	char path[256];
	size_t n = 0;

	for (size_t i = 0; i < n_parts; i++)
		for (size_t k = 0; k < counts[i]; k++)
			all[n++] = parts[i][k];
	snprintf(path, sizeof(path), "%s/%s.db", dir, name);
	store = store_open(path, all, n, &err);
	assert_text(err.text, "");
	return store;
}

static bool
serve(struct rpc_server *server, const char *role, const char *body, size_t size, struct str *reply)
{
	auto_arena struct arena *arena = arena_new();
	struct rpc_call call = {.role = role, .name = "ctl", .arena = arena};

	rpc_server_handle(server, &call, body, size, reply);
	return true;
}

static bool
post_router(
    void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct site *site = self;

	(void)timeout_ms;
	if (site->is_cut)
		return err_set(err, ERR_UNAVAILABLE, "the wire is cut");
	return serve(site->server, "tnc", body, size, reply);
}

static bool
post_tnc(
    void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct bench *bench = self;

	(void)timeout_ms, (void)err;
	return serve(bench->server, "snc", body, size, reply);
}

static struct site *
site_of(struct bench *bench, const char *name)
{
	return &bench->sites[name[1] - '1'];
}

static const struct rpc_client *
peer(void *self, const char *full_name, const char *address, struct err *err)
{
	(void)address, (void)err;
	return &site_of(self, strchr(full_name, '@') + 1)->client;
}

static void
nobody(void *self, uint64_t rid)
{
	(void)self, (void)rid;
}

static void
site_start(struct bench *bench, int index)
{
	const struct store_migration *const parts[] = {manager_migrations, route_migrations};
	const size_t counts[] = {n_manager_migrations, n_route_migrations};
	struct site *site = &bench->sites[index];
	struct err err = {0};
	char name[16];

	snprintf(name, sizeof(name), "r%d", index + 1);
	site->store = open_store(bench->dir, name, parts, counts, 2);
	site->keeper = (struct route_keeper){.store = site->store,
	    .ops = &route_fake_ops,
	    .driver = &site->routes,
	    .changed = nobody};
	site->manager = route_manager_new(&site->keeper, &bench->clock.clock, &err);
	site->server = rpc_server_new();
	assert_true(
	    rpc_server_add(site->server, &manager_service, &peer_manager_ops, site->manager, &err));
	site->client = (struct rpc_client){post_router, site, 5000};
}

static void
site_stop(struct site *site)
{
	rpc_server_free(site->server);
	manager_free(site->manager);
	store_close(site->store);
}

static void
tnc_start(struct bench *bench)
{
	const struct store_migration *const parts[] = {
	    manager_migrations, controller_migrations, tnc_migrations};
	const size_t counts[] = {n_manager_migrations, n_controller_migrations, n_tnc_migrations};
	struct err err = {0};

	bench->store = open_store(bench->dir, "tncd", parts, counts, 3);
	bench->tnc = tnc_new(&(struct tnc_config){.store = bench->store,
				 .clock = &bench->clock.clock,
				 .inventory = bench->inventory,
				 .full_name = "tnc@ctl",
				 .self = bench,
				 .peer = peer,
				 .changed = nobody},
	    &err);
	assert_text(err.text, "");
	bench->server = rpc_server_new();
	assert_true(rpc_server_add(bench->server, &tnc_service, &tnc_ops, bench->tnc, &err));
	assert_true(rpc_server_add(
	    bench->server, &manager_service, &peer_manager_ops, bench->tnc->manager, &err));
	assert_true(rpc_server_add(
	    bench->server, &controller_service, &tnc_controller_ops, bench->tnc, &err));
	bench->client = (struct rpc_client){post_tnc, bench, 5000};
}

static void
tnc_stop(struct bench *bench)
{
	rpc_server_free(bench->server);
	tnc_free(bench->tnc);
	store_close(bench->store);
}

static struct bench *
bench_new(const char *name, int pool_bits)
{
	struct bench *bench = xcalloc(1, sizeof(*bench));
	auto_str struct str xml = {0};
	diagnoses found = {0};

	log_set_level(LOG_LEVEL_ERROR);
	bench->arena = arena_new();
	snprintf(bench->dir, sizeof(bench->dir), "%s/%s", test_dir(), name);
	world_init(&(struct world){0}, bench->dir, 0); /* makes the folder */
	test_clock_init(&bench->clock);
	str_addf(&xml, network, pool_bits);
	bench->inventory = inventory_read(xml.text, xml.len, &found);
	assert_equal(found.n, 0);
	for (int i = 0; i < N_ROUTERS; i++) {
		route_fake_init(&bench->sites[i].routes);
		site_start(bench, i);
	}
	tnc_start(bench);
	return bench;
}

static void
bench_free(struct bench *bench)
{
	tnc_stop(bench);
	for (int i = 0; i < N_ROUTERS; i++) {
		site_stop(&bench->sites[i]);
		route_fake_done(&bench->sites[i].routes);
	}
	inventory_free(bench->inventory);
	arena_free(bench->arena);
	free(bench);
}

/* ---- what sncd would do ---------------------------------------------------------------------- */

static struct row_have
say(struct bench *bench, enum verb verb, uint64_t rid, const char *spec)
{
	struct row_want want = {.rid = rid, .kind = "share", .spec = spec, .attr = "", .rev = 1};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.epoch = 1, .deadline_ms = 5000},
	    .verb = verb,
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = bench->arena};
	struct err err = {0};

	if (!peer_manager_call(&bench->client, &call, &err))
		have.why = err;
	return have;
}

static const char *
share_text(struct bench *bench, const char *a, const char *b, int64_t rate_bps, const char *wish)
{
	return arena_format(bench->arena,
	    "slice=s\nlink=l\na=%s\nb=%s\nrate_ab_bps=%lld\nrate_ba_bps=%lld\nlatency_us=0\n%s", a,
	    b, (long long)rate_bps, (long long)rate_bps, wish);
}

static enum err_code
reserve(struct bench *bench, const char *spec, struct held *held)
{
	struct row_have have;

	held->rid = id_make(1, ++bench->n_rids);
	have = say(bench, VERB_RESERVE, held->rid, spec);
	if (have.why.code != ERR_NONE)
		return have.why.code;
	assert_equal(have.state, ROW_HELD);
	assert_true(
	    spec_parse(&share_result_spec_table, have.result, bench->arena, &held->result, NULL));
	return ERR_NONE;
}

static bool
is_released(struct bench *bench, const struct held *held)
{
	return say(bench, VERB_RELEASE, held->rid, NULL).is_real;
}

static bool
is_committed(struct bench *bench, const struct held *held)
{
	return say(bench, VERB_COMMIT, held->rid, NULL).is_real;
}

static const struct tnc_edge *
edge_of(struct bench *bench, const char *name)
{
	struct tnc_view_result view;

	assert_true(
	    tnc_view_call(&bench->client, bench->arena, &(struct tnc_view_args){}, &view, NULL));
	for (size_t i = 0; i < view.n_edges; i++)
		if (!strcmp(view.edges[i].name, name))
			return &view.edges[i];
	CU_FAIL_FATAL("no such edge");
	return NULL;
}

static int64_t
revision(struct bench *bench)
{
	struct tnc_view_result view;

	assert_true(
	    tnc_view_call(&bench->client, bench->arena, &(struct tnc_view_args){}, &view, NULL));
	return view.revision;
}

static struct tnc_path_list_result
paths_of(struct bench *bench)
{
	struct tnc_path_list_result list;

	assert_true(tnc_path_list_call(
	    &bench->client, bench->arena, &(struct tnc_path_list_args){}, &list, NULL));
	return list;
}

static size_t
n_orphans(struct bench *bench)
{
	struct tnc_orphans_result list;

	assert_true(tnc_orphans_call(
	    &bench->client, bench->arena, &(struct tnc_orphans_args){}, &list, NULL));
	return list.n_orphans;
}

/*
 * Where a packet goes that is sent to an address by way of a first next hop: the routers' names,
 * and the address where it leaves the network.
 */
static void
follow(struct bench *bench, const char *next_hop, const char *address, struct str *way)
{
	char at[16];

	snprintf(at, sizeof(at), "%s", next_hop);
	for (int hops = 0; hops < 8; hops++) {
		const struct inventory_end *here = NULL;

		for (size_t i = 0; i < 2 * bench->inventory->n_links; i++)
			if (!strcmp(bench->inventory->links[i / 2].ends[i % 2].address, at))
				here = &bench->inventory->links[i / 2].ends[i % 2];
		str_addf(way, "%s ", here ? here->node : at);
		if (!here || here->node[0] == 'h' ||
		    !route_fake_next(&site_of(bench, here->node)->routes, address, at))
			return;
	}
}

static bool
leads(struct bench *bench, const char *next_hop, const char *address, const char *way)
{
	auto_str struct str found = {0};

	follow(bench, next_hop, address, &found);
	if (strcmp(found.text, way) != 0)
		printf("\nwanted '%s', got '%s'\n", way, found.text);
	return !strcmp(found.text, way);
}

static bool
has_no_paths(void *self)
{
	return paths_of(self).n_paths == 0;
}

static bool
has_one_path(void *self)
{
	return paths_of(self).n_paths == 1;
}

static bool
is_coming_down(void *self)
{
	struct bench *bench = self;

	tnc_poke(bench->tnc, POKE_PATHS);
	return !strcmp(paths_of(bench).paths[0].state, "RELEASING");
}

static bool
has_no_routes(void *self)
{
	struct bench *bench = self;
	size_t n = 0;

	for (int i = 0; i < N_ROUTERS; i++)
		n += route_fake_count(&bench->sites[i].routes);
	return n == 0;
}

static bool
has_no_orphans(void *self)
{
	return n_orphans(self) == 0;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
a_committed_share_is_pinned_in_both_directions(void)
{
	struct bench *bench = bench_new("pinned", 24);
	struct held held;

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 50 * MBPS, ""), &held), ERR_NONE);
	assert_true(is_committed(bench, &held));

	assert_text(held.result.next_hop_a, "10.64.0.2");
	assert_text(held.result.next_hop_b, "10.64.0.6");
	assert_equal(held.result.latency_us, 3000);
	assert_true(leads(bench, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	assert_true(leads(bench, held.result.next_hop_b, held.result.address_a, "r2 r1 h1 "));
	assert_text(paths_of(bench).paths[0].state, "ACTIVE");
	assert_equal(n_orphans(bench), 0);
	bench_free(bench);
}

static void
a_link_drawn_the_other_way_round_shares_the_path(void)
{
	struct bench *bench = bench_new("turned", 24);
	struct held one, two;
	int64_t before = revision(bench);

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 50 * MBPS, ""), &one), ERR_NONE);
	assert_equal(reserve(bench,
			 "slice=s\nlink=l\na=h2:u0\nb=h1:u0\nrate_ab_bps=20000000\n"
			 "rate_ba_bps=30000000\nlatency_us=0\n",
			 &two),
	    ERR_NONE);

	assert_text(two.result.path, one.result.path);
	assert_text(two.result.address_a, one.result.address_b);
	assert_text(two.result.address_b, one.result.address_a);
	assert_text(two.result.next_hop_a, one.result.next_hop_b);
	assert_equal(paths_of(bench).paths[0].n_shares, 2);
	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 20 * MBPS);
	assert_equal(edge_of(bench, "r1-r2")->free_ba_bps, 30 * MBPS);
	assert_true(revision(bench) != before);
	bench_free(bench);
}

static void
what_is_full_is_gone_around(void)
{
	struct bench *bench = bench_new("around", 24);
	struct held held[3];

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 60 * MBPS, ""), &held[0]), ERR_NONE);
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 60 * MBPS, ""), &held[1]), ERR_NONE);
	assert_true(is_committed(bench, &held[0]) && is_committed(bench, &held[1]));

	assert_equal(held[1].result.latency_us, 6000);
	assert_true(leads(bench, held[0].result.next_hop_a, held[0].result.address_b, "r1 r2 h2 "));
	assert_true(
	    leads(bench, held[1].result.next_hop_a, held[1].result.address_b, "r1 r3 r2 h2 "));
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 950 * MBPS, ""), &held[2]), ERR_R03);
	bench_free(bench);
}

static void
a_wish_is_kept_where_it_is_possible(void)
{
	struct bench *bench = bench_new("wish", 24);
	static const char around[] = "edge=h1-r1\nedge=r1-r3\nedge=r3-r2\nedge=h2-r2\n";

	static const struct {
		const char *wish;
		int64_t rate_mbps, latency_us;
	} cases[] = {
	    {around, 10, 6000},
	    {"edge=h1-r1\nedge=r1-r3\nedge=r3-r2\n", 10, 3000},  /* ends too early */
	    {"edge=h1-r1\nedge=r3-r2\nedge=h2-r2\n", 10, 3000},  /* has a gap */
	    {"edge=h1-r1\nedge=nowhere\n", 10, 3000},            /* is not there */
	    {"edge=h1-r1\nedge=r1-r2\nedge=h2-r2\n", 150, 6000}, /* has no room */
	    {"edge=h1-r1\nedge=h1-r1\nedge=h1-r1\nedge=r1-r2\nedge=h2-r2\n", 10, 3000}, /* loops */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held held;
		const char *spec =
		    share_text(bench, "h1:u0", "h2:u0", cases[i].rate_mbps * MBPS, cases[i].wish);

		assert_equal(reserve(bench, spec, &held), ERR_NONE);
		assert_equal(held.result.latency_us, cases[i].latency_us);
		assert_true(is_released(bench, &held));
	}
	bench_free(bench);
}

static void
a_reserve_may_be_repeated_but_not_changed(void)
{
	struct bench *bench = bench_new("repeat", 24);
	const char *spec = share_text(bench, "h1:u0", "h2:u0", 50 * MBPS, "");
	struct row_have first = say(bench, VERB_RESERVE, 77, spec);
	struct row_have again = say(bench, VERB_RESERVE, 77, spec);
	struct row_have other =
	    say(bench, VERB_RESERVE, 77, share_text(bench, "h1:u0", "h2:u0", 60 * MBPS, ""));

	assert_text(first.result, again.result);
	assert_equal(other.why.code, ERR_OP_MISMATCH);
	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 50 * MBPS);
	bench_free(bench);
}

static void
what_is_no_share_is_refused(void)
{
	struct bench *bench = bench_new("refused", 24);

	const struct {
		const char *spec;
		enum err_code code;
	} cases[] = {
	    {share_text(bench, "h1:u1", "h2:u0", 1, ""), ERR_NOT_FOUND},
	    {share_text(bench, "r1", "h2:u0", 1, ""), ERR_NOT_FOUND},
	    {share_text(bench, "h1:u0", "h1:u0", 1, ""), ERR_BAD_VALUE},
	    {share_text(bench, "h1:u0", "h2:u0", -1, ""), ERR_BAD_VALUE},
	    {share_text(bench, "h1:u0", "h2:u0", INT64_MAX, ""), ERR_BAD_VALUE},
	    {"a=h1:u0\n", ERR_BAD_VALUE},
	    {"", ERR_BAD_VALUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct held held;

		assert_equal(reserve(bench, cases[i].spec, &held), cases[i].code);
	}
	assert_equal(paths_of(bench).n_paths, 0);
	bench_free(bench);
}

static void
a_path_goes_with_its_last_share(void)
{
	struct bench *bench = bench_new("last", 24);
	struct held one, two;
	int64_t before = revision(bench);

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 50 * MBPS, ""), &one), ERR_NONE);
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", 50 * MBPS, ""), &two), ERR_NONE);
	assert_true(is_committed(bench, &one) && is_committed(bench, &two));

	assert_true(is_released(bench, &one));
	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 50 * MBPS);
	assert_true(leads(bench, two.result.next_hop_a, two.result.address_b, "r1 r2 h2 "));
	assert_true(is_released(bench, &two));

	assert_true(eventually(has_no_paths, bench) && eventually(has_no_routes, bench));
	assert_equal(revision(bench), before);
	assert_true(eventually(has_no_orphans, bench));
	bench_free(bench);
}

static bool
fits_again(void *self)
{
	struct bench *bench = self;
	struct held held;

	return reserve(bench, share_text(bench, "h2:u0", "h3:u0", MBPS, ""), &held) == ERR_NONE;
}

static void
addresses_run_out_and_come_back(void)
{
	struct bench *bench = bench_new("pool", 29); /* three pairs */
	static const char around[] = "edge=h1-r1\nedge=r1-r3\nedge=r3-r2\nedge=h2-r2\n";
	struct held held[3], more;

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", MBPS, ""), &held[0]), ERR_NONE);
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", MBPS, around), &held[1]), ERR_NONE);
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h3:u0", MBPS, ""), &held[2]), ERR_NONE);
	assert_text(held[2].result.address_b, "10.65.0.6");
	assert_equal(reserve(bench, share_text(bench, "h2:u0", "h3:u0", MBPS, ""), &more), ERR_R04);

	assert_true(is_released(bench, &held[1]));
	assert_true(eventually(fits_again, bench));
	bench_free(bench);
}

static void
a_share_waits_for_a_router_that_is_not_reached(void)
{
	struct bench *bench = bench_new("cut", 24);
	struct row_have have;
	struct held held;

	bench->sites[1].is_cut = true;
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", MBPS, ""), &held), ERR_NONE);
	have = say(bench, VERB_COMMIT, held.rid, NULL);
	assert_equal(have.state, ROW_COMMITTED);
	assert_true(!have.is_real);
	assert_equal(have.why.code, ERR_WAIT);

	bench->sites[1].is_cut = false;
	for (int i = 0; i < 4 && !have.is_real; i++)
		have = say(bench, VERB_COMMIT, held.rid, NULL);
	assert_true(have.is_real);
	assert_true(leads(bench, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	bench_free(bench);
}

static void
a_path_that_came_down_is_set_up_again(void)
{
	struct bench *bench = bench_new("again", 24);
	struct row_have have;
	struct held held;

	bench->sites[1].is_cut = true;
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", MBPS, ""), &held), ERR_NONE);
	bench->clock.ahead_ms += 31 * 1000; /* the deadline for all routes to be held */
	assert_true(eventually(is_coming_down, bench));

	bench->sites[1].is_cut = false;
	have = say(bench, VERB_COMMIT, held.rid, NULL);
	for (int i = 0; i < 4 && !have.is_real; i++)
		have = say(bench, VERB_COMMIT, held.rid, NULL);
	assert_true(have.is_real);
	assert_true(leads(bench, held.result.next_hop_a, held.result.address_b, "r1 r2 h2 "));
	bench_free(bench);
}

static void
a_restart_loses_nothing_and_finishes_what_was_begun(void)
{
	struct bench *bench = bench_new("restart", 24);
	struct held stays, goes;

	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h2:u0", MBPS, ""), &stays), ERR_NONE);
	assert_equal(
	    reserve(bench, share_text(bench, "h1:u0", "h3:u0", MBPS, ""), &goes), ERR_NONE);
	assert_true(is_committed(bench, &stays) && is_committed(bench, &goes));
	bench->sites[2].is_cut = true;
	assert_true(is_released(bench, &goes));
	assert_equal(paths_of(bench).n_paths, 2);
	tnc_stop(bench);
	site_stop(&bench->sites[2]);
	site_start(bench, 2);
	tnc_start(bench);
	bench->sites[2].is_cut = false;

	assert_true(eventually(has_no_orphans, bench));
	assert_true(eventually(has_one_path, bench));
	assert_equal(route_fake_count(&bench->sites[2].routes), 0);
	assert_true(leads(bench, stays.result.next_hop_a, stays.result.address_b, "r1 r2 h2 "));
	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 99 * MBPS);
	bench_free(bench);
}

static void
a_router_that_is_silent_is_gone_around(void)
{
	struct bench *bench = bench_new("silent", 24);
	struct controller_hello_args hello = {
	    .manager = "router@r1", .version = "1", .db_uuid = "u"};
	struct controller_hello_result result;
	auto_arena struct arena *arena = arena_new();
	struct rpc_call call = {.role = "router", .name = "r1", .arena = arena};
	struct err err = {0};

	bench->clock.ahead_ms += ROUTER_DEAD_MS;
	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 0);
	assert_true(tnc_controller_ops.hello(bench->tnc, &call, &hello, &result, &err));
	call.name = "r2";
	hello.manager = "router@r2";
	assert_true(tnc_controller_ops.hello(bench->tnc, &call, &hello, &result, &err));

	assert_equal(edge_of(bench, "r1-r2")->free_ab_bps, 100 * MBPS);
	assert_equal(edge_of(bench, "r1-r3")->free_ab_bps, 0);
	bench_free(bench);
}

static void
a_hello_is_believed_from_its_router_alone(void)
{
	struct bench *bench = bench_new("hello", 24);

	static const struct {
		const char *role, *name, *manager;
		enum err_code code;
	} cases[] = {
	    {"router", "r1", "router@r1", ERR_NONE},
	    {"router", "r1", "router@r2", ERR_FORBIDDEN},
	    {"redirector", "r1", "redirector@r1", ERR_FORBIDDEN},
	    {"router", "r9", "router@r9", ERR_NOT_FOUND},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_arena struct arena *arena = arena_new();
		struct controller_hello_args hello = {
		    .manager = cases[i].manager, .version = "1", .db_uuid = "u"};
		struct rpc_call call = {cases[i].role, cases[i].name, arena};
		struct controller_hello_result result;
		struct err err = {0};

		(void)!tnc_controller_ops.hello(bench->tnc, &call, &hello, &result, &err);
		assert_equal(err.code, cases[i].code);
	}
	bench_free(bench);
}

static void
orphans_are_named(void)
{
	struct bench *bench = bench_new("orphans", 24);
	struct row_want want = {.rid = 99,
	    .kind = "route",
	    .spec = "path=x\ndestination=10.65.0.99\nnext_hop=10.64.0.9\ndevice=p1\n"};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.epoch = 1 << 20, .owner = "tnc@ctl"},
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = bench->arena};
	struct tnc_orphans_result list;

	assert_true(manager_call(bench->sites[1].manager, &call, NULL));
	bench->sites[2].is_cut = true;

	assert_true(tnc_orphans_call(
	    &bench->client, bench->arena, &(struct tnc_orphans_args){}, &list, NULL));
	assert_equal(list.n_orphans, 2);
	assert_text(list.orphans[0].manager, "router@r2");
	assert_true(strstr(list.orphans[0].line, "of no path") != NULL);
	assert_text(list.orphans[1].manager, "router@r3");
	assert_true(strstr(list.orphans[1].line, "the wire is cut") != NULL);
	bench_free(bench);
}

static void
a_route_has_one_row_and_one_address(void)
{
	struct bench *bench = bench_new("route", 24);

	static const struct {
		const char *spec;
		enum err_code code;
	} cases[] = {
	    {"path=x\ndestination=10.65.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_NONE},
	    {"path=y\ndestination=10.65.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_CONFLICT},
	    {"path=x\ndestination=0.0.0.0\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.0/24\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=default\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=224.0.0.1\nnext_hop=10.64.0.9\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=\ndevice=p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=10.64.0.9\ndevice=../p1\n", ERR_BAD_VALUE},
	    {"path=x\ndestination=10.65.0.2\nnext_hop=10.64.0.9\n", ERR_BAD_VALUE},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row_want want = {.rid = 100 + i, .kind = "route", .spec = cases[i].spec};
		struct row_have have = {0};
		struct manager_call call = {.caller = {.epoch = 1, .owner = "tnc@other"},
		    .want = &want,
		    .n = 1,
		    .have = &have,
		    .arena = bench->arena};

		assert_true(manager_call(bench->sites[0].manager, &call, NULL));
		assert_equal(have.why.code, cases[i].code);
	}
	bench_free(bench);
}

/* ---- churn ----------------------------------------------------------------------------------- */

static unsigned
dice(uint64_t *seed, unsigned sides)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*seed >> 33) % sides;
}

/* What is free on the links of a path's hops must be capacity less all shares: counted here from
 * the list of paths, which says hops, not links. */
static void
books_agree(struct bench *bench)
{
	struct tnc_path_list_result list = paths_of(bench);
	struct tnc_view_result view;

	assert_true(
	    tnc_view_call(&bench->client, bench->arena, &(struct tnc_view_args){}, &view, NULL));
	for (size_t i = 0; i < view.n_edges; i++) {
		const struct tnc_edge *edge = &view.edges[i];
		int64_t used = 0;

		for (size_t k = 0; k < list.n_paths; k++) {
			char *way = arena_format(bench->arena, "%s %s %s", list.paths[k].a,
			    list.paths[k].hops, list.paths[k].b);
			char *there = arena_format(bench->arena, "%s %s", edge->a, edge->b);
			char *back = arena_format(bench->arena, "%s %s", edge->b, edge->a);

			if (strstr(way, there) || strstr(way, back))
				used += list.paths[k].rate_ab_bps;
		}
		assert_true(edge->free_ab_bps >= 0);
		assert_equal(edge->free_ab_bps, edge->capacity_bps - used);
		assert_equal(edge->free_ba_bps, edge->free_ab_bps);
	}
}

static void
capacity_is_never_exceeded(void)
{
	static const char *const ports[] = {"h1:u0", "h2:u0", "h3:u0"};
	struct bench *bench = bench_new("churn", 24);
	struct held held[24] = {{0}};
	int n_taken = 0, n_refused = 0;
	uint64_t seed = 5;

	for (int i = 0; i < 200; i++) {
		struct held *one = &held[dice(&seed, 24)];
		unsigned a = dice(&seed, 3);
		const char *b = ports[(a + 1 + dice(&seed, 2)) % 3];
		int64_t rate_bps = (int64_t)(1 + dice(&seed, 200)) * MBPS;

		if (one->rid) {
			assert_true(is_released(bench, one));
			one->rid = 0;
		} else if (reserve(bench, share_text(bench, ports[a], b, rate_bps, ""), one) ==
			   ERR_NONE) {
			n_taken++;
		} else {
			one->rid = 0;
			n_refused++;
		}
		books_agree(bench);
	}
	assert_true(n_taken > 40 && n_refused > 10);
	for (int i = 0; i < 24; i++)
		assert_true(!held[i].rid || is_released(bench, &held[i]));
	assert_true(eventually(has_no_paths, bench) && eventually(has_no_routes, bench));
	assert_true(eventually(has_no_orphans, bench));
	bench_free(bench);
}

static const struct test tests[] = {
    TEST(a_committed_share_is_pinned_in_both_directions),
    TEST(a_link_drawn_the_other_way_round_shares_the_path),
    TEST(what_is_full_is_gone_around),
    TEST(a_wish_is_kept_where_it_is_possible),
    TEST(a_reserve_may_be_repeated_but_not_changed),
    TEST(what_is_no_share_is_refused),
    TEST(a_path_goes_with_its_last_share),
    TEST(addresses_run_out_and_come_back),
    TEST(a_share_waits_for_a_router_that_is_not_reached),
    TEST(a_path_that_came_down_is_set_up_again),
    TEST(a_restart_loses_nothing_and_finishes_what_was_begun),
    TEST(a_router_that_is_silent_is_gone_around),
    TEST(a_hello_is_believed_from_its_router_alone),
    TEST(orphans_are_named),
    TEST(a_route_has_one_row_and_one_address),
    TEST(capacity_is_never_exceeded),
};

suite_main("tnc", tests)
