/*
 * The network of the tests, and what sncd would say to it.
 */
#include "test/support/tnc_net.h"

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
	struct net *net = self;

	(void)timeout_ms, (void)err;
	return serve(net->server, net->role, body, size, reply);
}

static struct site *
site_of(struct net *net, const char *name)
{
	return &net->sites[name[1] - '1'];
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
net_site_start(struct net *net, int index)
{
	const struct store_migration *const parts[] = {manager_migrations, route_migrations};
	const size_t counts[] = {n_manager_migrations, n_route_migrations};
	struct site *site = &net->sites[index];
	struct err err = {0};
	char name[16];

	snprintf(name, sizeof(name), "r%d", index + 1);
	site->store = open_store(net->dir, name, parts, counts, 2);
	site->keeper = (struct route_keeper){.store = site->store,
	    .ops = &route_fake_ops,
	    .driver = &site->routes,
	    .changed = nobody};
	site->manager = route_manager_new(&site->keeper, &net->clock.clock, &err);
	site->server = rpc_server_new();
	assert_true(
	    rpc_server_add(site->server, &manager_service, &peer_manager_ops, site->manager, &err));
	site->client = (struct rpc_client){post_router, site, 5000};
}

void
net_site_stop(struct net *net, int index)
{
	struct site *site = &net->sites[index];

	rpc_server_free(site->server);
	manager_free(site->manager);
	store_close(site->store);
}

void
net_tnc_start(struct net *net)
{
	const struct store_migration *const parts[] = {
	    manager_migrations, controller_migrations, tnc_migrations};
	const size_t counts[] = {n_manager_migrations, n_controller_migrations, n_tnc_migrations};
	struct err err = {0};

	net->store = open_store(net->dir, "tncd", parts, counts, 3);
	net->tnc = tnc_new(&(struct tnc_config){.store = net->store,
			       .clock = &net->clock.clock,
			       .inventory = net->inventory,
			       .full_name = "tnc@ctl",
			       .self = net,
			       .peer = peer,
			       .changed = nobody},
	    &err);
	assert_text(err.text, "");
	net->server = rpc_server_new();
	assert_true(rpc_server_add(net->server, &tnc_service, &tnc_ops, net->tnc, &err));
	assert_true(rpc_server_add(
	    net->server, &manager_service, &peer_manager_ops, net->tnc->manager, &err));
	assert_true(
	    rpc_server_add(net->server, &controller_service, &tnc_controller_ops, net->tnc, &err));
	net->client = (struct rpc_client){post_tnc, net, 5000};
}

void
net_tnc_stop(struct net *net)
{
	rpc_server_free(net->server);
	tnc_free(net->tnc);
	store_close(net->store);
}

struct net *
net_new(const char *name, int pool_bits)
{
	auto_str struct str xml = {0};

	str_addf(&xml, network, pool_bits);
	return net_new_of(name, xml.text);
}

struct net *
net_new_of(const char *name, const char *xml)
{
	struct net *net = xcalloc(1, sizeof(*net));
	diagnoses found = {0};

	log_set_level(LOG_LEVEL_ERROR);
	net->arena = arena_new();
	net->role = "snc";
	snprintf(net->dir, sizeof(net->dir), "%s/%s", test_dir(), name);
	world_init(&(struct world){0}, net->dir, 0); /* makes the folder */
	test_clock_init(&net->clock);
	net->inventory = inventory_read(xml, strlen(xml), &found);
	assert_equal(found.n, 0);
	for (int i = 0; i < N_ROUTERS; i++) {
		route_fake_init(&net->sites[i].routes);
		net_site_start(net, i);
	}
	net_tnc_start(net);
	return net;
}

void
net_free(struct net *net)
{
	net_tnc_stop(net);
	for (int i = 0; i < N_ROUTERS; i++) {
		net_site_stop(net, i);
		route_fake_done(&net->sites[i].routes);
	}
	inventory_free(net->inventory);
	arena_free(net->arena);
	free(net);
}

/* ---- what sncd would do ---------------------------------------------------------------------- */

struct row_have
net_say(struct net *net, enum verb verb, uint64_t rid, const char *spec)
{
	struct row_want want = {.rid = rid, .kind = "share", .spec = spec, .attr = "", .rev = 1};
	struct row_have have = {0};
	struct manager_call call = {.caller = {.epoch = 1, .deadline_ms = 5000},
	    .verb = verb,
	    .want = &want,
	    .n = 1,
	    .have = &have,
	    .arena = net->arena};
	struct err err = {0};

	if (!peer_manager_call(&net->client, &call, &err))
		have.why = err;
	return have;
}

const char *
net_share(struct net *net, const char *a, const char *b, int64_t rate_bps, const char *wish)
{
	return arena_format(net->arena,
	    "slice=s\nlink=l\na=%s\nb=%s\nrate_ab_bps=%lld\nrate_ba_bps=%lld\nlatency_us=0\n%s", a,
	    b, (long long)rate_bps, (long long)rate_bps, wish);
}

enum err_code
net_reserve(struct net *net, const char *spec, struct held *held)
{
	struct row_have have;

	held->rid = id_make(1, ++net->n_rids);
	have = net_say(net, VERB_RESERVE, held->rid, spec);
	if (have.why.code != ERR_NONE)
		return have.why.code;
	assert_equal(have.state, ROW_HELD);
	assert_true(
	    spec_parse(&share_result_spec_table, have.result, net->arena, &held->result, NULL));
	return ERR_NONE;
}

bool
net_release(struct net *net, const struct held *held)
{
	return net_say(net, VERB_RELEASE, held->rid, NULL).is_real;
}

bool
net_commit(struct net *net, const struct held *held)
{
	return net_say(net, VERB_COMMIT, held->rid, NULL).is_real;
}

struct tnc_view_result
net_view(struct net *net)
{
	struct tnc_view_result view;

	assert_true(
	    tnc_view_call(&net->client, net->arena, &(struct tnc_view_args){}, &view, NULL));
	return view;
}

struct tnc_orphans_result
net_orphans(struct net *net)
{
	struct tnc_orphans_result list;

	assert_true(
	    tnc_orphans_call(&net->client, net->arena, &(struct tnc_orphans_args){}, &list, NULL));
	return list;
}

const struct tnc_edge *
net_edge(struct net *net, const char *name)
{
	struct tnc_view_result view = net_view(net);

	for (size_t i = 0; i < view.n_edges; i++)
		if (!strcmp(view.edges[i].name, name))
			return &view.edges[i];
	CU_FAIL_FATAL("no such edge");
	return NULL;
}

struct tnc_path_list_result
net_paths(struct net *net)
{
	struct tnc_path_list_result list;

	assert_true(tnc_path_list_call(
	    &net->client, net->arena, &(struct tnc_path_list_args){}, &list, NULL));
	return list;
}

/*
 * Where a packet goes that is sent to an address by way of a first next hop: the routers' names,
 * and the address where it leaves the network.
 */
static void
follow(struct net *net, const char *next_hop, const char *address, struct str *way)
{
	char at[16];

	snprintf(at, sizeof(at), "%s", next_hop);
	for (int hops = 0; hops < 8; hops++) {
		const struct inventory_end *here = NULL;

		for (size_t i = 0; i < 2 * net->inventory->n_links; i++)
			if (!strcmp(net->inventory->links[i / 2].ends[i % 2].address, at))
				here = &net->inventory->links[i / 2].ends[i % 2];
		str_addf(way, "%s ", here ? here->node : at);
		if (!here || here->node[0] == 'h' ||
		    !route_fake_next(&site_of(net, here->node)->routes, address, at))
			return;
	}
}

bool
net_leads(struct net *net, const char *next_hop, const char *address, const char *way)
{
	auto_str struct str found = {0};

	follow(net, next_hop, address, &found);
	if (strcmp(found.text, way) != 0)
		printf("\nwanted '%s', got '%s'\n", way, found.text);
	return !strcmp(found.text, way);
}

bool
net_has_no_paths(void *self)
{
	return net_paths(self).n_paths == 0;
}

bool
net_has_no_routes(void *self)
{
	struct net *net = self;
	size_t n = 0;

	for (int i = 0; i < N_ROUTERS; i++)
		n += route_fake_count(&net->sites[i].routes);
	return n == 0;
}

bool
net_has_no_orphans(void *self)
{
	return net_orphans(self).n_orphans == 0;
}
