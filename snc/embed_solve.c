/*
 * The search of embed_core.h: several starts, each placing node after node with its links; then the
 * best of them is improved by taking a few nodes out and putting them back in another order, as
 * long as that helps and there is time.
 */
#include <string.h>

#include "snc/embed_state.h"

enum { STARTS = 60, RUIN_MAX = 8, ROUNDS = 100 };

/* How much dearer than the best the placing may be that is gone on from, by the mean cost of a
 * node: the way to a better one often leads over worse ones. */
static const double detour = 0.8;

/* A placing, to come back to. */
struct saved {
	unsigned *at;
	struct state_path *paths;
	size_t n_placed;
	double cost;
};

struct solver {
	struct state *state;
	struct saved *kept; /* what is gone on from */
	struct saved *best;
	unsigned *ruined, n_ruined;
	bool *is_given_up; /* nodes that found no place in this round */
	double least;      /* no answer costs less */
	uint64_t until;    /* steps: the search ends */
};

static void solver_init(struct solver *solver, struct state *state);
static void solve_starts(struct solver *solver);
static void solve_improve(struct solver *solver);
static void fill_answer(const struct solver *solver, struct core_answer *answer);

bool
core_solve(const struct core_net *net, const struct core_request *request, struct arena *arena,
    struct core_answer *answer)
{
	struct solver solver;

	solver_init(&solver, state_new(net, request, arena));
	solve_starts(&solver);
	solve_improve(&solver);
	fill_answer(&solver, answer);
	return answer->n_placed == request->n_nodes;
}

/* Nothing placed. */
static struct saved *
saved_new(const struct state *state)
{
	const struct core_request *request = state->request;
	struct saved *saved = arena_new_of(state->arena, struct saved);

	saved->at = arena_alloc(state->arena, request->n_nodes * sizeof(saved->at[0]));
	saved->paths = arena_alloc(state->arena, request->n_links * sizeof(saved->paths[0]));
	for (size_t i = 0; i < request->n_nodes; i++)
		saved->at[i] = CORE_NOWHERE;
	return saved;
}

/*
 * No answer costs less: links between nodes that are never on one host take the shortest way there
 * is. So do those of all machines, if each has a host of its own; else two of them share one.
 */
static double
least_cost(const struct state *state)
{
	const struct core_request *request = state->request;
	unsigned n_hops = core_least_hops(state->net, state->arena);
	double apart = 0, alone = 0;

	for (size_t i = 0; i < request->n_links; i++) {
		const struct core_link *link = &request->links[i];
		const struct core_node *a = &request->nodes[link->a], *b = &request->nodes[link->b];

		if (a->apart & b->apart)
			apart += core_link_cost(link, n_hops);
		else if (!a->is_light && !b->is_light)
			alone += core_link_cost(link, n_hops);
	}
	return apart + (alone < request->share_cost ? alone : request->share_cost);
}

static void
solver_init(struct solver *solver, struct state *state)
{
	const struct core_request *request = state->request;
	struct arena *arena = state->arena;

	*solver = (struct solver){
	    .state = state, .until = request->search_steps * (request->n_nodes + request->n_links)};
	solver->best = saved_new(state);
	solver->ruined = arena_alloc(arena, request->n_nodes * sizeof(solver->ruined[0]));
	solver->is_given_up = arena_alloc(arena, request->n_nodes * sizeof(bool));
	solver->least = least_cost(state);
}

static void
save(const struct state *state, struct saved *saved)
{
	for (size_t i = 0; i < state->request->n_nodes; i++)
		saved->at[i] = state->at[i];
	for (size_t i = 0; i < state->request->n_links; i++) {
		saved->paths[i].is_routed = state->paths[i].is_routed;
		if (state->paths[i].is_routed)
			state_path_arcs(&saved->paths[i], &state->paths[i]);
	}
	saved->n_placed = state->n_placed;
	saved->cost = state->cost;
}

/* Puts the ruined nodes and their links back to where they were. */
static void
undo(struct solver *solver)
{
	struct state *state = solver->state;
	const struct saved *kept = solver->kept;

	for (unsigned i = 0; i < solver->n_ruined; i++)
		if (state->at[solver->ruined[i]] != CORE_NOWHERE)
			state_remove(state, solver->ruined[i]);
	for (unsigned i = 0; i < solver->n_ruined; i++)
		if (kept->at[solver->ruined[i]] != CORE_NOWHERE)
			state_place(state, solver->ruined[i], kept->at[solver->ruined[i]]);
	for (unsigned i = 0; i < solver->n_ruined; i++) {
		unsigned node = solver->ruined[i];

		for (unsigned k = state->link_first[node]; k < state->link_first[node + 1]; k++) {
			unsigned link = state->link_of[k];

			if (kept->paths[link].is_routed && !state->paths[link].is_routed)
				state_take(state, link, &kept->paths[link]);
		}
	}
	state->cost = kept->cost;
}

static bool
is_better(const struct state *state, const struct saved *than)
{
	if (state->n_placed != than->n_placed)
		return state->n_placed > than->n_placed;
	return state->cost < than->cost * (1 - 1e-9);
}

/* Is it gone on from this placing? As long as nodes are left over, from any that has no more. */
static bool
is_fair(const struct solver *solver)
{
	const struct state *state = solver->state;

	if (state->n_placed != solver->kept->n_placed)
		return state->n_placed > solver->kept->n_placed;
	return state->n_placed < state->request->n_nodes ||
	       state->cost <= solver->best->cost * (1 + detour / (double)state->request->n_nodes);
}

static bool
is_complete(const struct solver *solver)
{
	return solver->best->n_placed == solver->state->request->n_nodes;
}

/* Nothing more is tried: the answer is as good as can be, or the time is over. */
static bool
is_over(const struct solver *solver)
{
	const struct core_request *request = solver->state->request;

	if (is_complete(solver) && solver->best->cost <= solver->least * (1 + 1e-9))
		return true;
	return solver->state->steps >= solver->until ||
	       clock_boot_ms(request->clock) > request->deadline_ms;
}

/* Rates of the links to nodes that are placed. */
static int64_t
pull_on(const struct state *state, unsigned node)
{
	int64_t pull = 0;

	for (unsigned i = state->link_first[node]; i < state->link_first[node + 1]; i++) {
		const struct core_link *link = &state->request->links[state->link_of[i]];

		if (state->at[state_other(link, node)] != CORE_NOWHERE)
			pull += link->up + link->down + 1;
	}
	return pull;
}

/* Has it one host to choose from, if any? */
static bool
is_bound(const struct state *state, unsigned node)
{
	unsigned together = state->request->nodes[node].together;

	return state->is_pinned[node] || (together && state->lots[together].n_placed);
}

/* The node that goes next: with the fewest hosts to choose from if that is one, then the strongest
 * bound to what is placed, then the largest. */
static unsigned
next_node(const struct solver *solver)
{
	const struct state *state = solver->state;
	unsigned best = CORE_NOWHERE;
	int64_t best_pull = 0;

	for (unsigned i = 0; i < state->request->n_nodes; i++) {
		int64_t pull;

		if (state->at[i] != CORE_NOWHERE || solver->is_given_up[i])
			continue;
		pull = is_bound(state, i) ? INT64_MAX : pull_on(state, i);
		if (best != CORE_NOWHERE &&
		    (pull < best_pull ||
			(pull == best_pull && state->share[i] <= state->share[best])))
			continue;
		best = i;
		best_pull = pull;
	}
	return best;
}

/* Places all nodes that are not placed, as far as there is room. */
static void
fill_up(struct solver *solver, bool is_random)
{
	struct state *state = solver->state;
	unsigned node;

	memset(solver->is_given_up, 0, state->request->n_nodes * sizeof(bool));
	while ((node = next_node(solver)) != CORE_NOWHERE) {
		unsigned nth = is_random && state_draw(state, 4) == 0 ? state_draw(state, 3) : 0;

		if (!state_insert(state, node, nth))
			solver->is_given_up[node] = true;
	}
}

static bool
is_ruined(const struct solver *solver, unsigned node)
{
	for (unsigned i = 0; i < solver->n_ruined; i++)
		if (solver->ruined[i] == node)
			return true;
	return false;
}

static void
ruin_one(struct solver *solver, unsigned node)
{
	solver->ruined[solver->n_ruined++] = node;
	if (solver->state->at[node] != CORE_NOWHERE)
		state_remove(solver->state, node);
}

/* And those that are together with it: they move as one. */
static void
ruin(struct solver *solver, unsigned node)
{
	const struct core_request *request = solver->state->request;
	unsigned together = request->nodes[node].together;

	if (!together)
		ruin_one(solver, node);
	for (unsigned i = 0; together && i < request->n_nodes; i++)
		if (request->nodes[i].together == together && !is_ruined(solver, i))
			ruin_one(solver, i);
}

static void
ruin_all(struct solver *solver)
{
	solver->n_ruined = 0;
	for (unsigned i = 0; i < solver->state->request->n_nodes; i++)
		ruin(solver, i);
	solver->state->cost = 0;
}

/* Half of the work to improve, once there is an answer. */
static bool
starts_are_over(const struct solver *solver)
{
	return is_complete(solver) &&
	       solver->until - solver->state->steps < solver->state->request->improve_steps / 2;
}

static void
save_best(struct solver *solver)
{
	bool was_complete = is_complete(solver);

	save(solver->state, solver->best);
	if (is_complete(solver) && !was_complete)
		solver->until = solver->state->steps + solver->state->request->improve_steps;
}

static void
solve_starts(struct solver *solver)
{
	struct state *state = solver->state;
	unsigned n = (unsigned)state->request->n_nodes;

	for (unsigned round = 0; round < STARTS && n && state->net->n_hosts; round++) {
		if (round && (is_over(solver) || starts_are_over(solver)))
			break;
		ruin_all(solver);
		if (round && !state_start(state, state_draw(state, n),
				 state_draw(state, (unsigned)state->net->n_hosts)))
			continue;
		fill_up(solver, false);
		if (!round || is_better(state, solver->best))
			save_best(solver);
	}
	ruin_all(solver);
	solver->kept = solver->best;
	solver->best = saved_new(state);
	undo(solver);
	save(state, solver->best);
}

/* A node, and some that are joined to it or just any; and all that have no place. */
static void
ruin_some(struct solver *solver, unsigned node, unsigned n)
{
	struct state *state = solver->state;
	unsigned n_nodes = (unsigned)state->request->n_nodes;

	solver->n_ruined = 0;
	for (unsigned i = 0; i < n_nodes; i++)
		if (state->at[i] == CORE_NOWHERE)
			ruin(solver, i);
	n += solver->n_ruined;
	for (unsigned tries = 0; solver->n_ruined < n && tries < 4 * n; tries++) {
		if (!is_ruined(solver, node))
			ruin(solver, node);
		node = solver->ruined[state_draw(state, solver->n_ruined)];
		if (state_draw(state, 4) && state->link_first[node] < state->link_first[node + 1])
			node = state_other(
			    &state->request->links
				 [state->link_of[state->link_first[node] +
						 state_draw(state, state->link_first[node + 1] -
								       state->link_first[node])]],
			    node);
		else
			node = state_draw(state, n_nodes);
	}
}

static void
solve_improve(struct solver *solver)
{
	struct state *state = solver->state;
	unsigned n = (unsigned)state->request->n_nodes, n_fruitless = 0;

	for (unsigned round = 0; !is_over(solver) && n_fruitless < ROUNDS * n; round++) {
		unsigned most = n < RUIN_MAX ? n : RUIN_MAX;
		bool is_first = round < n;

		ruin_some(solver, is_first ? round : state_draw(state, n),
		    is_first ? 1 : 1 + state_draw(state, most));
		fill_up(solver, !is_first);
		n_fruitless++;
		if (!is_fair(solver)) {
			undo(solver);
			continue;
		}
		save(state, solver->kept);
		if (!is_better(state, solver->best))
			continue;
		save_best(solver);
		n_fruitless = 0;
	}
}

static void
fill_answer(const struct solver *solver, struct core_answer *answer)
{
	const struct saved *best = solver->best;
	const struct core_request *request = solver->state->request;

	answer->hosts = best->at;
	answer->n_placed = best->n_placed;
	answer->paths =
	    arena_alloc(solver->state->arena, request->n_links * sizeof(answer->paths[0]));
	for (size_t i = 0; i < request->n_links; i++)
		answer->paths[i] = (struct core_path){best->paths[i].arcs, best->paths[i].n_arcs};
}
