/*
 * Nodes that die and are opened again, and what must hold of them.
 */
#include "test/support/sim_site.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/store/trial.h"
#include "test/support/sim.h"
#include "test/support/suite.h"

enum {
	HELLO_MS = 10000,
	HELLO_LOSS_ODDS = 4,
	REBOOT_MS = 60000, /* in which what stood before may be absent */
	RESTS = 1800,
	POISON_EVERY = 3, /* rows, of which one kills */
	POISON_MS = 100 * 1000
};

struct sim_site sim_site;

void
sim_tell(const char *format, ...)
{
	va_list args;

	if (!sim_site.is_told)
		return;
	va_start(args, format);
	printf("%8lld ms ", (long long)sim_now_ms());
	vprintf(format, args);
	va_end(args);
	fflush(stdout);
}

_Noreturn void
sim_violated(const char *what, const char *about)
{
	printf("\n  seed %u at %lld ms: violated: %s (%s)\n", sim_site.seed,
	    (long long)sim_now_ms(), what, about);
	fflush(stdout);
	sim_end(1);
}

bool
sim_is_controller_up(void)
{
	return sim_site.controller_life == sim_life(NODE_CONTROLLER);
}

static bool
is_site_up(int at)
{
	return sim_site.wire.ready_life[at] == sim_life(NODE_SITES + at);
}

static void
open_controller(void *self)
{
	struct err err = {0};

	(void)self;
	if (bench_open_controller(sim_site.bench, &err)) {
		if (controller_epoch(sim_site.bench->controller) <= sim_site.epoch)
			sim_violated("an epoch came twice", "");
		sim_site.epoch = controller_epoch(sim_site.bench->controller);
		sim_site.controller_life = sim_life(NODE_CONTROLLER);
		sim_tell("controller opened, epoch %lld\n",
		    (long long)controller_epoch(sim_site.bench->controller));
	} else {
		sim_tell("controller not opened: %s\n", err.text);
		sim_kill(NODE_CONTROLLER, false);
	}
}

/* I6: whatever stands must have had its row on the disk before it stood. */
static void
check_rows_precede(struct site *site, struct txn *txn)
{
	auto_arena struct arena *arena = arena_new();
	struct manager_config config;
	struct manager_kind kind;
	const struct manager_object *objects;
	size_t n;

	world_config(&site->world, &kind, &config);
	if (!config.list(config.self, arena, &objects, &n, NULL))
		abort();
	for (size_t i = 0; i < n; i++) {
		auto_rows struct rows *rows = txn_query(txn, NULL,
		    "SELECT eff FROM manager_row WHERE rid = ?", "i", (int64_t)objects[i].rid);

		if (objects[i].rid < SIM_STRAYS_END)
			continue;
		if (!rows)
			return;
		if (!rows_next(rows) || !rows_i64(rows, 0))
			sim_violated("I6 an object whose row is not durable", objects[i].name);
	}
}

/* What a site says of itself, on its way. */
struct hello {
	char manager[20], uuid[40];
	int64_t change;
};

/* In the controller, as the handler of it. */
static void
hear_hello(void *self)
{
	auto_free struct hello *hello = self;

	if (sim_is_controller_up())
		controller_heard(sim_site.bench->controller, hello->manager, hello->uuid,
		    hello->change, NULL, 0);
}

/* As daemons do while they live. */
static void
say_hello(void *self)
{
	const struct site *site = self;

	for (;; sim_sleep_ms(HELLO_MS)) {
		struct hello *hello;

		if (site->is_cut || (!sim_site.wire.is_good && !sim_dice(HELLO_LOSS_ODDS)))
			continue;
		hello = xcalloc(1, sizeof(*hello));
		snprintf(hello->manager, sizeof(hello->manager), "site@%d",
		    (int)(site - sim_site.bench->sites));
		snprintf(hello->uuid, sizeof(hello->uuid), "%s", store_uuid(site->store));
		hello->change = manager_told(site->manager, "test@ctl");
		sim_spawn(NODE_CONTROLLER, hear_hello, hello);
	}
}

static void
open_site(void *self)
{
	struct site *site = self;
	int at = (int)(site - sim_site.bench->sites);
	struct err err = {0};

	if (site_open(sim_site.bench, site, &err)) {
		sim_site.wire.ready_life[at] = sim_life(NODE_SITES + at);
		sim_tell("site %d opened\n", at);
		sim_spawn(NODE_SITES + at, say_hello, site);
	} else {
		sim_tell("site %d not opened: %s\n", at, err.text);
		sim_kill(NODE_SITES + at, false);
	}
}

static void
peek_site(void *self)
{
	struct site *site = self;
	struct store *store =
	    store_open(site->path, manager_migrations, n_manager_migrations, NULL);

	if (store && !sim_site.has_lost_database) {
		auto_txn struct txn *txn = store_begin(store);

		check_rows_precede(site, txn);
	}
	store_close(store);
	open_site(site);
}

void
sim_lose_objects(int at)
{
	auto_arena struct arena *arena = arena_new();
	struct world *world = &sim_site.bench->sites[at].world;
	struct manager_config config;
	struct manager_kind kind;
	const struct manager_object *objects;
	size_t n;

	world_config(world, &kind, &config);
	if (!config.list(world, arena, &objects, &n, NULL))
		abort();
	for (size_t i = 0; i < n; i++)
		world_drop(world, objects[i].rid);
	sim_site.rebooted_ms[at] = sim_now_ms();
}

void
sim_lose_database(int at)
{
	struct sim_wire *wire = &sim_site.wire;

	sim_kill(NODE_SITES + at, true);
	sim_disk_lose(NODE_SITES + at);
	wire->epoch[at] = 0;
	map_free(take(wire->states[at]));
	sim_site.rebooted_ms[at] = sim_now_ms();
	sim_site.has_lost_database = true;
}

/* Objects that stand at all sites. */
static int
count_objects(void)
{
	int n = 0;

	for (int i = 0; i < N_SITES; i++)
		n += world_count(&sim_site.bench->sites[i].world);
	return n;
}

/* How often a row has killed with these attributes. */
static unsigned char deaths_of[1 << 16];

static void
die_of(const struct row *row)
{
	uint64_t count = id_counter(row->rid);
	uint64_t rev = row->state == ROW_COMMITTED ? (uint64_t)row->rev : 0;
	unsigned char *deaths = &deaths_of[(count * 64 + rev) % sizeof(deaths_of)];

	if (row->rid < SIM_STRAYS_END || count % POISON_EVERY != 0 ||
	    count / POISON_EVERY % ROW_RELEASED + 1 != (uint64_t)row->state)
		return;
	if (++*deaths > TRIAL_COMPANY + TRIAL_ALONE)
		sim_violated("a row kills for ever", id_text(row->rid).text);
	sim_tell("node %d dies of %s\n", sim_node(), id_text(row->rid).text);
	sim_kill(sim_node(), false);
}

void
sim_poison(void)
{
	for (int i = 0; i < N_SITES; i++)
		sim_site.bench->sites[i].world.poison = die_of;
}

size_t
sim_cure(void)
{
	size_t n = 0;

	sim_pass_ms(POISON_MS);
	for (int i = 0; i < N_SITES; i++)
		sim_site.bench->sites[i].world.poison = NULL;
	for (int i = 0; i < N_SITES; i++) {
		while (!is_site_up(i))
			sim_pass_ms(SIM_REST_MS);
		n += manager_retry(sim_site.bench->sites[i].manager);
	}
	sim_tell("%zu rows were set aside\n", n);
	return n;
}

bool
sim_restore(void)
{
	int n_objects = count_objects();
	struct err err = {0};

	sim_kill(NODE_CONTROLLER, false);
	sim_disk_restore(NODE_CONTROLLER);
	sim_site.epoch = 0;
	sim_tell("restore\n");
	sim_pass_ms(200 * SIM_REST_MS);
	if (!sim_is_controller_up() || !bench_is_quarantined(sim_site.bench))
		return false;
	if (count_objects() < n_objects)
		sim_violated("I2 what stood was taken away by older books", "");
	if (!bench_resume(sim_site.bench, &err))
		sim_violated("the quarantine does not end", err.text);
	sim_tell("resumed\n");
	return true;
}

void
sim_strike(int node)
{
	bool is_power = sim_dice(3) == 0;

	sim_tell("kill node %d%s\n", node, is_power ? ", power" : "");
	sim_kill(node, is_power);
	if (is_power && node != NODE_CONTROLLER)
		sim_lose_objects(node - NODE_SITES);
}

/* Starts again what has died; all at once at the end. */
void
sim_supervise(bool is_sure)
{
	for (int node = 0; node <= N_SITES; node++) {
		if (sim_site.started_life[node] == sim_life(node) || (!is_sure && !sim_dice(3)))
			continue;
		sim_site.started_life[node] = sim_life(node);
		if (node == NODE_CONTROLLER)
			sim_spawn(node, open_controller, NULL);
		else
			sim_spawn(node, peek_site, &sim_site.bench->sites[node - NODE_SITES]);
	}
}

void
sim_calm_down(void)
{
	sim_site.wire.is_good = true;
	for (int i = 0; i <= N_SITES; i++) {
		*sim_faults_of(i) =
		    (struct sim_faults){.is_disk_frozen = sim_faults_of(i)->is_disk_frozen};
		sim_pause(i, 0);
	}
	for (int i = 0; i < N_SITES; i++) {
		struct site *site = &sim_site.bench->sites[i];

		site->is_cut = false;
		if (sim_site.rebooted_ms[i] && site->world.ensure_code)
			sim_site.rebooted_ms[i] = sim_now_ms();
		site->world.ensure_code = site->world.remove_code = ERR_NONE;
	}
}

/* Groups in the controller, those too that nobody was told of; -1: it cannot be asked. */
int
sim_count_groups(const char *sql)
{
	auto_txn struct txn *txn = store_begin(sim_site.bench->store);
	auto_rows struct rows *rows = txn_query(txn, NULL, sql, "");

	return rows && rows_next(rows) ? (int)rows_i64(rows, 0) : -1;
}

static bool
is_at_rest(void)
{
	for (int i = 0; i < N_SITES; i++)
		if (!is_site_up(i))
			return false;
	if (!sim_is_controller_up() || sim_site.wire.n_under_way > 0)
		return false;
	return sim_count_groups(
		   "SELECT count(*) FROM controller_group WHERE state NOT IN (1, 3)") == 0;
}

/* I4: everything comes to rest. Then a little more, for what is late. */
void
sim_come_to_rest(void)
{
	int n = 0;

	for (; n < RESTS && !is_at_rest(); n++) {
		sim_supervise(true);
		sim_sleep_ms(SIM_REST_MS);
	}
	if (n == RESTS)
		sim_violated("I4 it does not come to rest", "");
	sim_sleep_ms(130 * SIM_REST_MS); /* what has ended before is noticed by a renewal */
	n = sim_count_groups("SELECT count(*) FROM controller_group WHERE state = 1");
	sim_sleep_ms(130 * SIM_REST_MS);
	if (!is_at_rest())
		sim_violated("I4 it does not stay at rest", "");
	if (n != sim_count_groups("SELECT count(*) FROM controller_group WHERE state = 1"))
		sim_violated("a reservation is not kept alive", "");
}

/* Rows that the site has to have: of active groups, or that were so before older books. */
static int
count_active(const char *manager)
{
	auto_txn struct txn *txn = store_begin(sim_site.bench->store);
	auto_rows struct rows *rows = txn_query(txn, NULL,
	    "SELECT count(*) FROM controller_row JOIN controller_group ON name = grp "
	    "WHERE state IN (1, 3) AND evicted = 0 AND have = 2 AND manager = ?",
	    "t", manager);

	return rows && rows_next(rows) ? (int)rows_i64(rows, 0) : -1;
}

void
sim_check_site(int at)
{
	auto_arena struct arena *arena = arena_new();
	struct site *site = &sim_site.bench->sites[at];
	struct manager_call status = {.arena = arena, .caller = {.owner = "test@ctl"}};
	auto_str struct str orphans = {0};
	char manager[20];

	snprintf(manager, sizeof(manager), "site@%d", at);
	if (!manager_status(site->manager, 0, &status, NULL))
		sim_violated("status", manager);
	for (size_t i = 0; i < status.n; i++)
		if (status.have[i].state != ROW_RELEASED &&
		    !controller_expects(sim_site.bench->controller, manager, status.want[i].rid))
			sim_violated("I3 a row that nobody has", id_text(status.want[i].rid).text);
	if (!manager_orphans(site->manager, &orphans, NULL) || orphans.len)
		sim_violated("I3 rows and objects", str_text(&orphans));
	if (world_count(&site->world) != count_active(manager))
		sim_violated("I3 an object too many or too few", manager);
	if (site->world.is_overfull)
		sim_violated("I1 more than there is", manager);
}

/* Tombstones go when nobody can ask for them any more: n_rows are left. */
void
sim_check_rows(int n_rows)
{
	for (int i = 0; i < N_SITES; i++) {
		auto_txn struct txn *txn = store_begin(sim_site.bench->sites[i].store);
		auto_rows struct rows *rows =
		    txn_query(txn, NULL, "SELECT count(*) FROM manager_row", "");

		if (!rows || !rows_next(rows) || rows_i64(rows, 0) != n_rows)
			sim_violated("tombstones stay for ever", sim_site.bench->sites[i].path);
	}
}

void
sim_pass_ms(int64_t ms)
{
	for (int64_t passed = 0; passed < ms; passed += SIM_REST_MS) {
		sim_supervise(true);
		sim_sleep_ms(SIM_REST_MS);
	}
}

/* I2, I3, when it is about to be stored that a group is active or gone: its objects stand, or do
 * not. */
static void
check_group(struct bench *bench, struct txn *txn, const char *group, enum group_state state)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	size_t n;

	sim_tell("%s %s\n", group, group_state_text(state));
	if ((state != GROUP_ACTIVE && state != GROUP_GONE) ||
	    !controller_rows(bench->controller, txn, group, arena, &rows, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		/* Then it takes as long as what has to be made cannot be. */
		bool is_rebooted = sim_site.rebooted_ms[i] &&
				   (bench->sites[i].world.ensure_code ||
				       sim_now_ms() - sim_site.rebooted_ms[i] < REBOOT_MS);
		bool stands = world_has(&bench->sites[i].world, rows[i].row.rid);

		if (rows[i].is_evicted)
			continue;
		if (state == GROUP_GONE && stands)
			sim_violated("I3 gone, but something stands", group);
		if (state == GROUP_ACTIVE && !is_rebooted && !stands)
			sim_violated("I2 active, but nothing stands", group);
	}
}

void
sim_site_begin(unsigned seed, int capacity)
{
	char dir[200];

	sim_site.seed = seed;
	sim_site.is_told = getenv("VNODE_SEED") != NULL;
	sim_site.controller_life = -1;
	snprintf(dir, sizeof(dir), "%s/%u", test_dir(), seed);
	sim_begin(seed);
	sim_disk_owner("controller.db", NODE_CONTROLLER);
	sim_disk_owner("site0.db", NODE_SITES);
	sim_disk_owner("site1.db", NODE_SITES + 1);
	sim_site.bench = bench_make(dir, capacity);
	sim_site.bench->self = &sim_site.wire;
	sim_site.wire.violated = sim_violated;
	sim_site.bench->transport = sim_wire_call;
	sim_site.bench->changed = check_group;
	for (int i = 0; i < N_SITES; i++)
		sim_site.wire.ready_life[i] = -1;
	for (int i = 0; i <= N_SITES; i++)
		sim_site.started_life[i] = -1;
	log_set_level(getenv("VNODE_SEED") ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR);
}
