/*
 * Two ways that have nothing in common, under whatever else is asked. A flow answers for edges and
 * vertices without bounds; where its answer does not hold (bounds, risk groups: NP-hard), branch
 * and bound on what the two would share: one of them must do without. Each branch is two ways found
 * on their own, their sum is its bound; the least bound goes first, so the first pair with nothing
 * in common is the best. The number of branches is bounded.
 */
#include <stdlib.h>

#include "lib/base/vec.h"
#include "lib/model/ways_part.h"

enum { BRANCHES_MAX = 2000, NOTHING = -1 };

/* What one of the two must do without, in addition to what it inherits. */
struct branch {
	const struct branch *from;
	int side;
	long without;
	struct way ways[2];
	struct ways_key bound;
	struct branch *next; /* among those that are open */
};

struct search {
	struct ways *ways;
	const struct ways_ask *ask;
	enum ways_apart apart;
	struct arena *arena;
	struct branch *open;
	struct way best[2];
	struct ways_key least; /* of the best */
	bool has_best, is_given_up;
	size_t n_branches;
};

static void add_branch(struct search *search, const struct branch *from, int side, long without);
static struct branch *take_least(struct search *search);
static void complete(struct search *search, const struct branch *branch, int kept);

/* ---- what ways have in common ---------------------------------------------------------------- */

struct things {
	vec_of(unsigned) vertices; /* those between the ends */
	vec_of(unsigned) risks;
};

static void
add_risks(struct things *things, const struct ways_groups *groups, unsigned thing)
{
	if (!groups->first)
		return;
	for (unsigned i = groups->first[thing]; i < groups->first[thing + 1]; i++)
		vec_push(&things->risks, groups->items[i]);
}

static void
read_things(const struct ways *ways, unsigned at, const struct way *way, struct things *things)
{
	for (size_t i = 0; i < way->n_edges; i++) {
		const struct graph_edge *edge = &ways->net.graph->edges[way->edges[i]];

		add_risks(things, &ways->net.edge_risks, way->edges[i]);
		at = edge->a == at ? edge->b : edge->a;
		if (i + 1 == way->n_edges)
			continue;
		vec_push(&things->vertices, at);
		add_risks(things, &ways->net.vertex_risks, at);
	}
}

static void
things_done(struct things *things)
{
	vec_done(&things->vertices);
	vec_done(&things->risks);
}

static long
first_common(const unsigned *x, size_t n_x, const unsigned *y, size_t n_y)
{
	for (size_t i = 0; i < n_x; i++)
		for (size_t k = 0; k < n_y; k++)
			if (x[i] == y[k])
				return x[i];
	return NOTHING;
}

long
ways_common(
    struct ways *ways, const struct ways_ask *ask, enum ways_apart apart, const struct way pair[2])
{
	const struct graph *graph = ways->net.graph;
	struct things x = {0}, y = {0};
	long edge = first_common(pair[0].edges, pair[0].n_edges, pair[1].edges, pair[1].n_edges);
	long vertex, risk;

	read_things(ways, ask->a, &pair[0], &x);
	read_things(ways, ask->a, &pair[1], &y);
	vertex = first_common(x.vertices.items, x.vertices.n, y.vertices.items, y.vertices.n);
	risk = first_common(x.risks.items, x.risks.n, y.risks.items, y.risks.n);
	things_done(&x);
	things_done(&y);
	if (risk != NOTHING && apart == WAYS_RISK)
		return (long)(graph->n_edges + graph->n_vertices) + risk;
	if (vertex != NOTHING && apart != WAYS_LINK)
		return (long)graph->n_edges + vertex;
	return edge;
}

/* ---- bans ------------------------------------------------------------------------------------ */

static void
ban(struct ways *ways, unsigned long thing)
{
	const struct graph *graph = ways->net.graph;

	if (thing < graph->n_edges)
		ways_ban_edge(ways, (unsigned)thing);
	else if (thing < graph->n_edges + graph->n_vertices)
		ways_ban_vertex(ways, (unsigned)(thing - graph->n_edges));
	else
		ways_ban_risk(ways, (unsigned)(thing - graph->n_edges - graph->n_vertices));
}

/* The ends are never banned, whatever risks they have. */
static void
spare_ends(struct search *search)
{
	struct ways *ways = search->ways;

	ways->vertex_bans[search->ask->a] = ways->vertex_bans[search->ask->b] = ways->ban - 1;
}

static void
ban_inherited(struct search *search, const struct branch *branch, int side)
{
	ways_ban_clear(search->ways);
	for (; branch; branch = branch->from)
		if (branch->without != NOTHING && branch->side == side)
			ban(search->ways, (unsigned long)branch->without);
	spare_ends(search);
}

static void
ban_way(struct search *search, const struct way *way)
{
	struct things things = {0};

	read_things(search->ways, search->ask->a, way, &things);
	for (size_t i = 0; i < way->n_edges; i++)
		ways_ban_edge(search->ways, way->edges[i]);
	if (search->apart != WAYS_LINK)
		vec_each (vertex, &things.vertices)
			ways_ban_vertex(search->ways, *vertex);
	if (search->apart == WAYS_RISK)
		vec_each (risk, &things.risks)
			ways_ban_risk(search->ways, *risk);
	things_done(&things);
	spare_ends(search);
}

/* ---- the search ------------------------------------------------------------------------------ */

static bool
find(struct search *search, struct way *way)
{
	enum ways_found found;

	*way = (struct way){0};
	found = ways_one(search->ways, search->ask, search->arena, way);
	search->is_given_up |= found == WAYS_GIVEN_UP;
	return found != WAYS_NONE && way->n_edges;
}

static struct ways_key
sum(const struct search *search, const struct way pair[2])
{
	return ways_add(ways_key_of(search->ways, search->ask->metric, &pair[0]),
	    ways_key_of(search->ways, search->ask->metric, &pair[1]));
}

enum ways_found
ways_branch(struct ways *ways, const struct ways_ask *ask, enum ways_apart apart,
    struct arena *arena, struct way pair[2])
{
	struct search search = {ways, ask, apart, arena, .least = WAYS_NEVER};
	struct branch *branch;

	add_branch(&search, NULL, 0, NOTHING);
	while ((branch = take_least(&search))) {
		long common = ways_common(ways, ask, apart, branch->ways);

		if (common == NOTHING) {
			search.best[0] = branch->ways[0];
			search.best[1] = branch->ways[1];
			search.has_best = true;
			break;
		}
		if (search.n_branches >= BRANCHES_MAX || !ways->effort) {
			search.is_given_up = true;
			break;
		}
		complete(&search, branch, 0);
		complete(&search, branch, 1);
		if (branch->from) /* at the root one is as good as the other */
			add_branch(&search, branch, 0, common);
		add_branch(&search, branch, 1, common);
	}
	pair[0] = search.best[0];
	pair[1] = search.best[1];
	if (search.is_given_up)
		return WAYS_GIVEN_UP;
	return search.has_best ? WAYS_FOUND : WAYS_NONE;
}

static void
add_branch(struct search *search, const struct branch *from, int side, long without)
{
	struct branch *branch = arena_new_of(search->arena, struct branch);

	search->n_branches++;
	*branch = (struct branch){.from = from, .side = side, .without = without};
	for (int i = 0; i < 2; i++) {
		if (from && i != side) {
			branch->ways[i] = from->ways[i];
			continue;
		}
		ban_inherited(search, branch, i);
		if (!find(search, &branch->ways[i]))
			return;
	}
	branch->bound = sum(search, branch->ways);
	if (ways_compare(branch->bound, search->least) >= 0)
		return;
	branch->next = search->open;
	search->open = branch;
}

/* The open branch with the least bound; NULL when none can be better than the best there is. */
static struct branch *
take_least(struct search *search)
{
	struct branch **at = &search->open, *least;

	if (!*at)
		return NULL;
	for (struct branch **other = &(*at)->next; *other; other = &(*other)->next)
		if (ways_compare((*other)->bound, (*at)->bound) < 0)
			at = other;
	least = *at;
	*at = least->next;
	return ways_compare(least->bound, search->least) < 0 ? least : NULL;
}

/* A pair at once: one way is kept, the other is found besides it. */
static void
complete(struct search *search, const struct branch *branch, int kept)
{
	struct way pair[2];
	struct ways_key key;

	pair[kept] = branch->ways[kept];
	ban_inherited(search, branch, 1 - kept);
	ban_way(search, &pair[kept]);
	if (!find(search, &pair[1 - kept]))
		return;
	key = sum(search, pair);
	if (ways_compare(key, search->least) >= 0)
		return;
	search->least = key;
	search->best[0] = pair[0];
	search->best[1] = pair[1];
	search->has_best = true;
}

/* ---- pairs ----------------------------------------------------------------------------------- */

struct attempt {
	struct ways *ways;
	struct ways_ask ask;
	enum ways_apart apart;
	struct arena *arena;
	struct way *pair;
	bool is_given_up;
};

/* Two ways of least sum: by flow, and if these do not do, by branches. */
static bool
try_width(void *self, int64_t width_bps)
{
	struct attempt *attempt = self;
	struct ways *ways = attempt->ways;
	struct ways_ask *ask = &attempt->ask;
	enum ways_found found;

	ask->width_bps = width_bps;
	ways_ban_clear(ways);
	if (!ways_flow(ways, ask, attempt->apart, attempt->arena, attempt->pair))
		return false;
	if (ways_is_within(ask, &attempt->pair[0]) && ways_is_within(ask, &attempt->pair[1]) &&
	    ways_common(ways, ask, attempt->apart, attempt->pair) == NOTHING)
		return true;
	found = ways_branch(ways, ask, attempt->apart, attempt->arena, attempt->pair);
	attempt->is_given_up |= found == WAYS_GIVEN_UP;
	return found == WAYS_FOUND || (found == WAYS_GIVEN_UP && attempt->pair[0].n_edges);
}

struct ways_answer
ways_pair(struct ways *ways, const struct ways_question *question, enum ways_apart apart,
    struct arena *arena)
{
	struct way *pair = arena_alloc(arena, 2 * sizeof(pair[0])), first;
	struct attempt attempt = {ways, ways_ask_of(question), apart, arena, pair, false};
	struct ways_answer answer = {.ways = pair};
	bool is_found;

	ways->effort = WAYS_EFFORT;
	if (question->metric == WAYS_WIDEST) {
		attempt.ask.metric = WAYS_DELAY;
		is_found = ways_widest(ways, &attempt.ask, try_width, &attempt) >= 0;
	} else {
		is_found = try_width(&attempt, 0);
	}
	answer.n_ways = is_found ? 2 : 0;
	answer.is_proven = !attempt.is_given_up;
	if (is_found && ways_compare(ways_key_of(ways, attempt.ask.metric, &pair[0]),
			    ways_key_of(ways, attempt.ask.metric, &pair[1])) > 0) {
		first = pair[1];
		pair[1] = pair[0];
		pair[0] = first;
	}
	return answer;
}
