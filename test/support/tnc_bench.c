/*
 * The network of the tests, and what sncd would say to it.
 */
#include "test/support/tnc_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/api/manager_api.h"
#include "lib/api/peer.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "test/support/suite.h"
#include "tnc/tnc_store.h"

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
	site->n_calls++;
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

void
bench_site_start(struct bench *bench, int index)
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

void
bench_site_stop(struct bench *bench, int index)
{
	struct site *site = &bench->sites[index];

	rpc_server_free(site->server);
	manager_free(site->manager);
	store_close(site->store);
}

void
bench_tnc_start(struct bench *bench)
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

void
bench_tnc_stop(struct bench *bench)
{
	rpc_server_free(bench->server);
	tnc_free(bench->tnc);
	store_close(bench->store);
}

struct bench *
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
		bench_site_start(bench, i);
	}
	bench_tnc_start(bench);
	return bench;
}

void
bench_free(struct bench *bench)
{
	bench_tnc_stop(bench);
	for (int i = 0; i < N_ROUTERS; i++) {
		bench_site_stop(bench, i);
		route_fake_done(&bench->sites[i].routes);
	}
	inventory_free(bench->inventory);
	arena_free(bench->arena);
	free(bench);
}

/* ---- what sncd would do ---------------------------------------------------------------------- */

struct row_have
bench_say(struct bench *bench, enum verb verb, uint64_t rid, const char *spec)
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

const char *
bench_share(struct bench *bench, const char *a, const char *b, int64_t rate_bps, const char *wish)
{
	return arena_format(bench->arena,
	    "slice=s\nlink=l\na=%s\nb=%s\nrate_ab_bps=%lld\nrate_ba_bps=%lld\nlatency_us=0\n%s", a,
	    b, (long long)rate_bps, (long long)rate_bps, wish);
}

enum err_code
bench_reserve(struct bench *bench, const char *spec, struct held *held)
{
	struct row_have have;

	held->rid = id_make(1, ++bench->n_rids);
	have = bench_say(bench, VERB_RESERVE, held->rid, spec);
	if (have.why.code != ERR_NONE)
		return have.why.code;
	assert_equal(have.state, ROW_HELD);
	assert_true(
	    spec_parse(&share_result_spec_table, have.result, bench->arena, &held->result, NULL));
	return ERR_NONE;
}

bool
bench_release(struct bench *bench, const struct held *held)
{
	return bench_say(bench, VERB_RELEASE, held->rid, NULL).is_real;
}

bool
bench_commit(struct bench *bench, const struct held *held)
{
	return bench_say(bench, VERB_COMMIT, held->rid, NULL).is_real;
}

struct tnc_view_result
bench_view(struct bench *bench)
{
	struct tnc_view_result view;

	assert_true(
	    tnc_view_call(&bench->client, bench->arena, &(struct tnc_view_args){}, &view, NULL));
	return view;
}

struct tnc_orphans_result
bench_orphans(struct bench *bench)
{
	struct tnc_orphans_result list;

	assert_true(tnc_orphans_call(
	    &bench->client, bench->arena, &(struct tnc_orphans_args){}, &list, NULL));
	return list;
}

const struct tnc_edge *
bench_edge(struct bench *bench, const char *name)
{
	struct tnc_view_result view = bench_view(bench);

	for (size_t i = 0; i < view.n_edges; i++)
		if (!strcmp(view.edges[i].name, name))
			return &view.edges[i];
	CU_FAIL_FATAL("no such edge");
	return NULL;
}

struct tnc_path_list_result
bench_paths(struct bench *bench)
{
	struct tnc_path_list_result list;

	assert_true(tnc_path_list_call(
	    &bench->client, bench->arena, &(struct tnc_path_list_args){}, &list, NULL));
	return list;
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

bool
bench_leads(struct bench *bench, const char *next_hop, const char *address, const char *way)
{
	auto_str struct str found = {0};

	follow(bench, next_hop, address, &found);
	if (strcmp(found.text, way) != 0)
		printf("\nwanted '%s', got '%s'\n", way, found.text);
	return !strcmp(found.text, way);
}

bool
bench_has_no_paths(void *self)
{
	return bench_paths(self).n_paths == 0;
}

bool
bench_has_no_routes(void *self)
{
	struct bench *bench = self;
	size_t n = 0;

	for (int i = 0; i < N_ROUTERS; i++)
		n += route_fake_count(&bench->sites[i].routes);
	return n == 0;
}

bool
bench_has_no_orphans(void *self)
{
	return bench_orphans(self).n_orphans == 0;
}
