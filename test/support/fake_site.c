#include "test/support/fake_site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/api/peer.h"
#include "lib/api/programmer_api.h"
#include "lib/api/tnc_api.h"
#include "lib/base/id.h"
#include "lib/base/map.h"
#include "snc/slice.h"
#include "test/support/fake_redirector.h"
#include "test/support/fake_tnc.h"
#include "test/support/site.h"
#include "test/support/suite.h"

static const char *const names[FAKE_MANAGERS] = {"redirector@koganei", "programmer@koganei",
    "redirector@nagoya", "programmer@nagoya", "redirector@osaka", "programmer@osaka", "tnc@ctl"};

const char *const fake_hosts[] = {"koganei", "nagoya", "osaka", NULL};

static const char inventory_text[] =
    "<substrate version=\"1.0\">"
    "<host name=\"koganei\" kind=\"vnode\" address=\"10.63.0.11\"/>"
    "<host name=\"nagoya\" kind=\"vnode\" address=\"10.63.0.12\"/>"
    "<host name=\"osaka\" kind=\"vnode\" address=\"10.63.0.13\"/>"
    "</substrate>";

static const char capacity_redirector[] =
    "port.u0.rate_bps=1000000000\nport.u1.rate_bps=1000000000\nport.loop0.rate_bps=10000000000\n"
    "port.loop1.rate_bps=10000000000\n";
static const char capacity_programmer[] =
    "cpu=4\nmemory_bytes=4294967296\ndisk_bytes=10737418240\naccel=tcg\n"
    "image.container-minimal=container:67108864\nimage.vm-minimal=vm:134217728\n";

/* ---- the world of a manager: an object stands or not, is on or off ---- */

static bool
fake_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	struct fake_manager *fake = self;

	(void)txn, (void)book;
	if (fake->refuse_code)
		return err_set(
		    err, (enum err_code)fake->refuse_code, "%s takes no more", fake->name);
	if (strcmp(row->kind, "share") == 0)
		str_addf(result,
		    "path=%s\naddress_a=10.65.0.1\naddress_b=10.65.0.2\nnext_hop_a=10.64.0.1\n"
		    "next_hop_b=10.64.0.2\nlatency_us=2000\n",
		    id_text(row->rid).text);
	return true;
}

enum { ABSENT, OFF, ON };

static void
stand(struct fake_manager *fake, uint64_t rid, int now)
{
	struct fake_site *site = fake->site;
	char *before;
	long was;

	pthread_mutex_lock(&site->lock);
	before = now ? map_put_id(site->standing, rid, &site->levels[now])
		     : map_drop_id(site->standing, rid);
	pthread_mutex_unlock(&site->lock);
	was = before ? before - site->levels : ABSENT;
	fake->n_objects += (now != ABSENT) - (was != ABSENT);
	fake->n_on += (now == ON) - (was == ON);
}

static bool
fake_ensure(void *self, const struct row *row, struct err *err)
{
	struct fake_manager *fake = self;

	if (fake->is_blocked)
		return err_set(err, ERR_WAIT, "%s waits", fake->name);
	if (strstr(row->attr, "${"))
		return err_set(err, ERR_BAD_VALUE, "a reference was not filled in: %s", row->attr);
	stand(fake, row->rid, strstr(row->attr, "=off") ? OFF : ON);
	return true;
}

static bool
fake_remove(void *self, const struct row *row, struct err *err)
{
	(void)err;
	stand(self, row->rid, ABSENT);
	return true;
}

/* ---- services beyond the protocol ---- */

#define FAKE_EMPTY(service, method)                                                                \
	static bool service##_##method##_empty(void *self, const struct rpc_call *call,            \
	    const struct service##_##method##_args *args,                                          \
	    struct service##_##method##_result *result, struct err *err)                           \
	{                                                                                          \
		(void)self;                                                                        \
		(void)call;                                                                        \
		(void)args;                                                                        \
		(void)err;                                                                         \
		*result = (struct service##_##method##_result){};                                  \
		return true;                                                                       \
	}

FAKE_EMPTY(tnc, path_list)
FAKE_EMPTY(tnc, router_list)
FAKE_EMPTY(tnc, orphans)
FAKE_EMPTY(programmer, console_read)
FAKE_EMPTY(programmer, console_write)
FAKE_EMPTY(programmer, doctor)

static bool
programmer_exec_echo(void *self, const struct rpc_call *call,
    const struct programmer_exec_args *args, struct programmer_exec_result *result, struct err *err)
{
	struct fake_manager *fake = self;

	(void)err;
	result->output.bytes =
	    arena_format(call->arena, "%s on %s", args->argv[0].word, fake->name);
	result->output.size = strlen(result->output.bytes);
	result->exit = 7;
	return true;
}

static bool
programmer_node_ready(void *self, const struct rpc_call *call,
    const struct programmer_node_status_args *args, struct programmer_node_status_result *result,
    struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct programmer_node_status_result){"running", true, "lxc"};
	return true;
}

static bool
tnc_restore_never(void *self, const struct rpc_call *call, const struct tnc_restore_args *args,
    struct tnc_restore_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_restore_result){.why = ""};
	return true;
}

static bool
tnc_retry_three(void *self, const struct rpc_call *call, const struct tnc_retry_args *args,
    struct tnc_retry_result *result, struct err *err)
{
	(void)self, (void)call, (void)args, (void)err;
	*result = (struct tnc_retry_result){3};
	return true;
}

static const struct tnc_ops tnc_fake_ops = {fake_tnc_view, tnc_path_list_empty,
    tnc_router_list_empty, tnc_orphans_empty, tnc_retry_three, tnc_restore_never};
static const struct programmer_ops programmer_fake_ops = {
    .console_read = programmer_console_read_empty,
    .console_write = programmer_console_write_empty,
    .exec = programmer_exec_echo,
    .node_status = programmer_node_ready,
    .doctor = programmer_doctor_empty,
};

/* ---- wires ---- */

static bool
post_to_manager(
    void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct fake_manager *fake = self;
	auto_arena struct arena *arena = arena_new();
	struct rpc_call call = {"snc", "ctl", arena};

	(void)timeout_ms;
	if (fake->is_away)
		return err_set(err, ERR_UNAVAILABLE, "%s is away", fake->name);
	rpc_server_handle(fake->server, &call, body, size, reply);
	return true;
}

static bool
post_to_snc(
    void *self, const char *body, size_t size, struct str *reply, int timeout_ms, struct err *err)
{
	struct fake_caller *caller = self;
	auto_arena struct arena *arena = arena_new();
	struct rpc_call call = {caller->role, caller->name, arena};

	(void)timeout_ms, (void)err;
	rpc_server_handle(caller->site->server, &call, body, size, reply);
	return true;
}

static const struct rpc_client *
find_peer(void *self, const char *manager, const char *address, struct err *err)
{
	(void)address, (void)err;
	return &fake_manager(self, manager)->client;
}

struct fake_manager *
fake_manager(struct fake_site *site, const char *name)
{
	for (int i = 0; i < FAKE_MANAGERS; i++)
		if (strcmp(site->managers[i].name, name) == 0)
			return &site->managers[i];
	CU_FAIL_FATAL("no such manager");
	abort();
}

/* ---- making and ending ---- */

static void
must(bool is_good, const struct err *err)
{
	if (!is_good)
		printf("\n%s: %s\n", err_code_text(err->code), err->text);
	CU_ASSERT_FATAL(is_good);
}

static bool
add_services(struct fake_manager *fake, struct err *err)
{
	if (!rpc_server_add(fake->server, &manager_service, &peer_manager_ops, fake->manager, err))
		return false;
	if (strncmp(fake->name, "tnc", 3) == 0)
		return rpc_server_add(fake->server, &tnc_service, &tnc_fake_ops, fake, err);
	if (strncmp(fake->name, "redirector", 10) == 0)
		return rpc_server_add(
		    fake->server, &redirector_service, &redirector_fake_ops, fake, err);
	return rpc_server_add(fake->server, &programmer_service, &programmer_fake_ops, fake, err);
}

static const char *
kind_of(const char *name)
{
	return name[0] == 't' ? "share" : name[0] == 'r' ? "link_end" : "node";
}

static void
start_manager(struct fake_site *site, int index)
{
	struct fake_manager *fake = &site->managers[index];
	struct manager_kind kinds[] = {
	    {
		.name = kind_of(names[index]),
		.self = fake,
		.admit = fake_admit,
		.ensure = fake_ensure,
		.remove = fake_remove,
	    },
	    {
		.name = "hub",
		.self = fake,
		.admit = fake_admit,
		.ensure = fake_ensure,
		.remove = fake_remove,
	    },
	};
	char path[300];
	struct err err = {0};

	fake->site = site;
	fake->name = names[index];
	snprintf(path, sizeof(path), "%s/%s.db", site->dir, fake->name);
	fake->store = store_open(path, manager_migrations, n_manager_migrations, &err);
	must(fake->store, &err);
	fake->manager = manager_new(
	    &(struct manager_config){
		.store = fake->store,
		.clock = &clock_real,
		.kinds = kinds,
		.n_kinds = names[index][0] == 'r' ? 2 : 1,
		.self = fake,
		.n_workers = 2,
	    },
	    &err);
	must(fake->manager, &err);
	fake->server = rpc_server_new();
	must(add_services(fake, &err), &err);
	fake->client = (struct rpc_client){post_to_manager, fake, 5000};
}

void
fake_hello(struct fake_site *site, const char *manager)
{
	bool is_programmer = strncmp(manager, "programmer", 10) == 0;
	char role[32];
	struct fake_caller caller = {site, role, strchr(manager, '@') + 1};
	struct rpc_client client = {post_to_snc, &caller, 5000};
	struct controller_hello_args args = {
	    .manager = manager,
	    .version = "0",
	    .db_uuid = manager,
	    .capacity = is_programmer ? capacity_programmer : capacity_redirector,
	    .change = manager_told(fake_manager(site, manager)->manager, "snc@ctl"),
	};
	struct controller_hello_result result;
	struct err err = {0};

	snprintf(role, sizeof(role), "%.*s", (int)strcspn(manager, "@"), manager);
	must(controller_hello_call(&client, site->arena, &args, &result, &err), &err);
}

static int64_t
site_wall_ms(void *self)
{
	struct fake_site *site = self;

	return clock_wall_ms(&clock_real) + site->wall_ahead_ms;
}

void
fake_site_pass(struct fake_site *site, int64_t ms)
{
	site->wall_ahead_ms += ms;
	lease_watch_wake(site->snc->lease_watch);
}

void
fake_site_start_snc(struct fake_site *site)
{
	struct store_migration migrations[16];
	size_t n = 0;
	char path[300];
	struct err err = {0};

	n = store_migrations_add(migrations, 0, snc_migrations, n_snc_migrations);
	n = store_migrations_add(migrations, n, controller_migrations, n_controller_migrations);
	snprintf(path, sizeof(path), "%s/sncd.db", site->dir);
	site->store = store_open(path, migrations, n, &err);
	must(site->store, &err);
	site->snc = snc_new(
	    &(struct snc_config){
		.store = site->store,
		.clock = &site->clock,
		.inventory =
		    inventory_read(inventory_text, sizeof(inventory_text) - 1, &site->clock, &err),
		.tnc = "tnc@ctl",
		.tnc_address = "",
		.peer = find_peer,
		.self = site,
	    },
	    &err);
	must(site->snc, &err);
	site->server = rpc_server_new();
	must(snc_serve(site->snc, site->server, &err), &err);
	for (int i = 0; i < FAKE_MANAGERS; i++)
		if (!site->managers[i].is_away)
			fake_hello(site, names[i]);
}

void
fake_site_stop_snc(struct fake_site *site)
{
	snc_free(site->snc);
	rpc_server_free(site->server);
	store_close(site->store);
}

void
fake_site_restart_snc(struct fake_site *site)
{
	fake_site_stop_snc(site);
	fake_site_start_snc(site);
}

static struct rpc_client
client_of(struct fake_site *site, int index, const char *role, const char *name)
{
	site->callers[index] = (struct fake_caller){site, role, name};
	return (struct rpc_client){post_to_snc, &site->callers[index], 5000};
}

struct fake_site *
fake_site_new(void)
{
	static atomic_int n_sites;
	char dir[200];

	snprintf(dir, sizeof(dir), "%s/site%d", test_dir(), ++n_sites);
	CU_ASSERT_FATAL(mkdir(dir, 0700) == 0);
	return fake_site_open(dir);
}

struct fake_site *
fake_site_open(const char *dir)
{
	struct fake_site *site = xcalloc(1, sizeof(*site));

	snprintf(site->dir, sizeof(site->dir), "%s", dir);
	pthread_mutex_init(&site->lock, NULL);
	site->clock = (struct clock){clock_real.boot_ms, site_wall_ms, site};
	site->standing = map_new();
	site->arena = arena_new();
	for (int i = 0; i < FAKE_MANAGERS; i++)
		start_manager(site, i);
	fake_site_start_snc(site);
	site->developer = client_of(site, 0, "developer", "dev1");
	site->other = client_of(site, 1, "developer", "dev2");
	site->noc = client_of(site, 2, "noc", "noc1");
	site->viewer = client_of(site, 3, "viewer", "eye");
	return site;
}

void
fake_site_free(struct fake_site *site)
{
	fake_site_stop_snc(site);
	for (int i = 0; i < FAKE_MANAGERS; i++) {
		manager_free(site->managers[i].manager);
		rpc_server_free(site->managers[i].server);
		store_close(site->managers[i].store);
	}
	map_free(site->standing);
	arena_free(site->arena);
	pthread_mutex_destroy(&site->lock);
	free(site);
}

/* ---- what tests do ---- */

static bool
create(struct fake_site *site, const char *document, const char *goal,
    struct snc_slice_create_result *result, struct err *err)
{
	static atomic_int n_ops;
	struct snc_slice_create_args args = {
	    .document = {document, strlen(document)},
	    .op_id = arena_format(site->arena, "op%d", ++n_ops),
	    .goal = goal,
	};

	return snc_slice_create_call(&site->developer, site->arena, &args, result, err);
}

const char *
fake_create(struct fake_site *site, const char *document, const char *goal)
{
	struct snc_slice_create_result result;
	struct err err = {0};

	must(create(site, document, goal, &result, &err), &err);
	return result.id;
}

struct err
fake_create_refused(struct fake_site *site, const char *document)
{
	struct snc_slice_create_result result;
	struct err err = {0};

	CU_ASSERT_FATAL(!create(site, document, NULL, &result, &err));
	return err;
}

const struct snc_slice *
fake_wait(struct fake_site *site, const char *slice, const char *state)
{
	struct snc_slice_wait_args args = {.slice = slice, .state = state, .wait_ms = 60000};
	struct snc_slice_wait_result result;
	struct err err = {0};

	must(snc_slice_wait_call(&site->developer, site->arena, &args, &result, &err), &err);
	CU_ASSERT_FATAL(result.done);
	return result.n_slices ? result.slices : NULL;
}

int
fake_objects(struct fake_site *site)
{
	int n = 0;

	for (int i = 0; i < FAKE_MANAGERS; i++)
		n += site->managers[i].n_objects;
	return n;
}
