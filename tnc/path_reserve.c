/*
 * The reserve of a share: a path with room for it, and the charge. Runs inside the manager's
 * reserve transaction, so that what is found free cannot be given away meanwhile, and so that
 * share, path and the rows of its routes become durable together.
 *
 * A path is kept in one direction, its end a being the port whose name sorts first; links that are
 * drawn the other way round use it too.
 */
#include <string.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "tnc/path.h"

/* A share on its way: what was asked for, in the direction of the path. */
struct wanted {
	struct tnc *tnc;
	struct txn *txn;
	struct arena *arena;
	struct paths paths;
	bool is_turned; /* the link's end a is the path's end b */
	struct graph_demand demand;
	struct spec_list wish;
	uint64_t instead; /* the share that it takes the place of; 0 = none */
};

/* Where it may run. */
struct choice {
	struct path *path;        /* as it would be made */
	const struct path *alike; /* that is there already; NULL = none */
};

static const int64_t RATE_MAX_BPS = 1000000000000000;

static bool wanted_init(
    struct wanted *wanted, const struct graph *graph, struct share_spec *spec, struct err *err);
static struct path *describe(
    struct wanted *wanted, const struct graph *graph, const struct graph_path *route);
static const struct path *find_alike(struct wanted *wanted, const struct path *path);
static bool make_path(struct wanted *wanted, struct path *path, struct err *err);
static void answer(const struct wanted *wanted, const struct path *path, struct str *result);

/* The way that it likes best, and the path that runs there, if one does. */
static bool
choose(struct wanted *wanted, const struct graph *graph, const struct graph_demand *demand,
    struct choice *choice, struct err *err)
{
	const struct path_demand asked = {*demand, &wanted->wish};
	struct graph_path route;

	if (!path_find(wanted->tnc, graph, &asked, wanted->arena, &route, err))
		return false;
	choice->path = describe(wanted, graph, &route);
	choice->alike = find_alike(wanted, choice->path);
	return true;
}

/* On the path of the share that it takes the place of, room for what it has more will do. */
static bool
choose_same(struct wanted *wanted, const struct graph *graph, struct choice *choice)
{
	struct share before = {.rid = wanted->instead};
	struct graph_demand less = wanted->demand;
	const char *name;
	struct err why;

	if (!wanted->instead ||
	    !store_share_path(wanted->txn, before.rid, wanted->arena, &name, &why) || !name ||
	    !store_share_rates(wanted->txn, name, &before, &why))
		return false;
	less.rate_ab_bps -=
	    before.rate_ab_bps < less.rate_ab_bps ? before.rate_ab_bps : less.rate_ab_bps;
	less.rate_ba_bps -=
	    before.rate_ba_bps < less.rate_ba_bps ? before.rate_ba_bps : less.rate_ba_bps;
	return choose(wanted, graph, &less, choice, &why) && choice->alike &&
	       str_equal(choice->alike->name, name);
}

bool
path_reserve(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct wanted wanted = {.tnc = self, .txn = txn, .arena = arena};
	struct choice choice;
	struct share_spec spec;
	struct graph *graph;
	const struct path *path;

	(void)book; /* every charged row has its share in our own table, removed by path_release */
	if (!spec_parse(&share_spec_table, row->spec, arena, &spec, err) ||
	    !store_paths(txn, arena, &wanted.paths, err))
		return false;
	graph = path_residual(wanted.tnc, &wanted.paths, arena);
	if (!wanted_init(&wanted, graph, &spec, err) ||
	    (!choose_same(&wanted, graph, &choice) &&
		!choose(&wanted, graph, &wanted.demand, &choice, err)))
		return false;
	if (!choice.alike && !make_path(&wanted, choice.path, err))
		return false;
	path = choice.alike ? choice.alike : choice.path;
	answer(&wanted, path, result);
	tnc_poke(wanted.tnc, POKE_PATHS);
	return store_share_add(txn,
		   &(struct share){row->rid, path->name, wanted.demand.rate_ab_bps,
		       wanted.demand.rate_ba_bps, wanted.instead},
		   err) &&
	       path_rate_shares(wanted.tnc, txn, path->name, arena, err);
}

bool
path_addresses(const struct inventory *inventory, const struct paths *paths, struct arena *arena,
    struct path *path, struct err *err)
{
	uint32_t first = inventory->pool_first, n = (inventory->pool_last - first + 1) / 2;
	bool *is_taken = arena_alloc(arena, n * sizeof(*is_taken));

	for (size_t i = 0; i < paths->n; i++) {
		uint32_t pair_a = (paths->items[i].address_a - first) / 2;
		uint32_t pair_b = (paths->items[i].address_b - first) / 2;

		if (pair_a < n)
			is_taken[pair_a] = true;
		if (pair_b < n)
			is_taken[pair_b] = true;
	}
	for (uint32_t pair = 0; pair < n; pair++) {
		if (is_taken[pair])
			continue;
		path->address_a = first + 2 * pair;
		path->address_b = path->address_a + 1;
		return true;
	}
	return err_set(err, ERR_R04, "all %u pairs of path addresses are in use", n);
}

static bool
find_port(const struct graph *graph, const char *name, unsigned *vertex, struct err *err)
{
	long found = name ? graph_vertex(graph, name) : -1;

	if (found < 0 || graph->is_transit[found])
		return err_set(
		    err, ERR_NOT_FOUND, "'%.80s' is no port of a host", name ? name : "");
	*vertex = (unsigned)found;
	return true;
}

static struct spec_list
turn_list(struct spec_list list, struct arena *arena)
{
	const char **items = arena_alloc(arena, list.n * sizeof(*items));

	for (size_t i = 0; i < list.n; i++)
		items[i] = list.items[list.n - 1 - i];
	return (struct spec_list){items, list.n};
}

static bool
wanted_init(
    struct wanted *wanted, const struct graph *graph, struct share_spec *spec, struct err *err)
{
	struct graph_demand *demand = &wanted->demand;

	if (!find_port(graph, spec->a, &demand->a, err) ||
	    !find_port(graph, spec->b, &demand->b, err))
		return false;
	if (demand->a == demand->b)
		return err_set(err, ERR_BAD_VALUE, "both ends are '%s'", spec->a);
	if (spec->rate_ab_bps < 0 || spec->rate_ba_bps < 0 || spec->latency_us < 0 ||
	    spec->rate_ab_bps > RATE_MAX_BPS || spec->rate_ba_bps > RATE_MAX_BPS)
		return err_set(err, ERR_BAD_VALUE, "a rate or the latency is out of range");
	if (spec->instead && !id_parse(spec->instead, &wanted->instead, err))
		return false;
	demand->latency_max_us = spec->latency_us;
	wanted->is_turned = strcmp(spec->a, spec->b) > 0;
	if (wanted->is_turned) {
		unsigned a = demand->a;

		demand->a = demand->b;
		demand->b = a;
	}
	demand->rate_ab_bps = wanted->is_turned ? spec->rate_ba_bps : spec->rate_ab_bps;
	demand->rate_ba_bps = wanted->is_turned ? spec->rate_ab_bps : spec->rate_ba_bps;
	wanted->wish = wanted->is_turned ? turn_list(spec->edge, wanted->arena) : spec->edge;
	return true;
}

/* The route as a path that has no name and no addresses yet. */
static struct path *
describe(struct wanted *wanted, const struct graph *graph, const struct graph_path *route)
{
	const struct inventory *inventory = wanted->tnc->config.inventory;
	struct path *path = arena_new_of(wanted->arena, struct path);
	unsigned at = wanted->demand.a;
	size_t n = route->n_edges;

	path->n_edges = n;
	path->rate_ab_bps = wanted->demand.rate_ab_bps;
	path->rate_ba_bps = wanted->demand.rate_ba_bps;
	path->latency_us = route->latency_us;
	path->vertices = arena_alloc(wanted->arena, (n + 1) * sizeof(*path->vertices));
	path->edges = arena_alloc(wanted->arena, n * sizeof(*path->edges));
	path->vertices[0] = graph->vertices[at];
	for (size_t i = 0; i < n; i++) {
		const struct inventory_link *link = &inventory->links[route->edges[i]];

		if (i == 0)
			path->next_hop_a = inventory_far(link, at)->address;
		if (i == n - 1)
			path->next_hop_b = inventory_near(link, at)->address;
		path->edges[i] = link->name;
		at = inventory_far(link, at)->vertex;
		path->vertices[i + 1] = graph->vertices[at];
	}
	return path;
}

static bool
is_same_route(const struct path *x, const struct path *y)
{
	if (x->n_edges != y->n_edges || strcmp(x->vertices[0], y->vertices[0]) != 0)
		return false;
	for (size_t i = 0; i < x->n_edges; i++)
		if (strcmp(x->edges[i], y->edges[i]) != 0 ||
		    strcmp(x->vertices[i + 1], y->vertices[i + 1]) != 0)
			return false;
	return true;
}

/* A path on the same hops that is there to stay. One without shares is on its way out. */
static const struct path *
find_alike(struct wanted *wanted, const struct path *path)
{
	for (size_t i = 0; i < wanted->paths.n; i++) {
		const struct path *other = &wanted->paths.items[i];
		enum group_state state;

		if (other->n_shares && is_same_route(other, path) &&
		    controller_group(wanted->tnc->controller, wanted->txn, other->name, &state) &&
		    state <= GROUP_ACTIVE)
			return other;
	}
	return NULL;
}

static bool
make_path(struct wanted *wanted, struct path *path, struct err *err)
{
	struct tnc *tnc = wanted->tnc;
	uint64_t id;

	if (!path_addresses(tnc->config.inventory, &wanted->paths, wanted->arena, path, err) ||
	    !controller_next_id(tnc->controller, wanted->txn, &id, err))
		return false;
	path->name = arena_text(wanted->arena, id_text(id).text);
	FAULT_POINT("tnc.path.before");
	if (!store_path_add(wanted->txn, path, err) ||
	    !path_admit(tnc, wanted->txn, path, wanted->arena, err))
		return err_in(err, "path %s", path->name);
	FAULT_POINT("tnc.path.after");
	return true;
}

static void
answer(const struct wanted *wanted, const struct path *path, struct str *result)
{
	const char *address_a = path_address_text(wanted->arena, path->address_a);
	const char *address_b = path_address_text(wanted->arena, path->address_b);
	bool is_turned = wanted->is_turned;

	spec_print(&share_result_spec_table,
	    &(struct share_result_spec){.path = path->name,
		.address_a = is_turned ? address_b : address_a,
		.address_b = is_turned ? address_a : address_b,
		.next_hop_a = is_turned ? path->next_hop_b : path->next_hop_a,
		.next_hop_b = is_turned ? path->next_hop_a : path->next_hop_b,
		.latency_us = path->latency_us},
	    result);
}
