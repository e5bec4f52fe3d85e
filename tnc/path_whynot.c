/*
 * Why there is no way, and what would do. What is in the way is told of one way: the widest there
 * would be if nothing were shut. Whatever is offered instead has been asked, and has an answer.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "lib/base/when.h"
#include "lib/model/units.h"
#include "tnc/path_scene.h"

enum { KBPS = 1000, INSTANTS_MAX = 64 };

static const char *const apart_words[] = {"link", "node", "risk"};

struct whynot {
	struct path_scene *scene;
	vec_of(struct tnc_hindrance) hindrances;
	vec_of(struct tnc_remedy) remedies;
};

static void say_why(
    const struct path_scene *scene, bool is_connected, struct tnc_path_candidates_result *result);
static bool find_hindered(struct whynot *whynot);
static void find_needed(struct whynot *whynot);
static void try_rate(struct whynot *whynot);
static void try_bounds(struct whynot *whynot);
static void try_apart(struct whynot *whynot);
static void try_later(struct whynot *whynot);

void
path_whynot(struct path_scene *scene, struct tnc_path_candidates_result *result)
{
	struct whynot whynot = {.scene = scene};
	bool is_connected = find_hindered(&whynot);
	struct tnc_hindrance *hindrances;
	struct tnc_remedy *remedies;

	if (is_connected) {
		find_needed(&whynot);
		try_rate(&whynot);
		try_bounds(&whynot);
		try_apart(&whynot);
		try_later(&whynot);
	}
	say_why(scene, is_connected, result);
	hindrances = (void *)arena_copy(
	    scene->arena, whynot.hindrances.items, whynot.hindrances.n * sizeof(hindrances[0]));
	remedies = (void *)arena_copy(
	    scene->arena, whynot.remedies.items, whynot.remedies.n * sizeof(remedies[0]));
	result->hindrances = hindrances;
	result->n_hindrances = whynot.hindrances.n;
	result->remedies = remedies;
	result->n_remedies = whynot.remedies.n;
	vec_done(&whynot.hindrances);
	vec_done(&whynot.remedies);
}

static void
say_why(
    const struct path_scene *scene, bool is_connected, struct tnc_path_candidates_result *result)
{
	const struct path_question *question = scene->question;
	auto_str struct str text = {0};

	if (!is_connected) {
		result->why = arena_format(
		    scene->arena, "'%s' and '%s' are not connected", question->a, question->b);
		return;
	}
	str_addf(&text, "there %s from '%s' to '%s' with %s",
	    question->is_pair ? "are no two ways" : "is no way", question->a, question->b,
	    rate_text(question->rate_bps).text);
	if (question->latency_max_us)
		str_addf(&text, " within %s", time_text(question->latency_max_us).text);
	if (question->hops_max)
		str_addf(&text, " over %u links at most", question->hops_max);
	if (question->is_pair)
		str_addf(&text, " that have no %s in common", apart_words[question->apart]);
	result->why = arena_text(scene->arena, str_text(&text));
}

/* One way, whatever the question wants. */
static bool
ask_one(struct path_scene *scene, const struct ways_question *ask, struct way *way)
{
	struct ways_answer answer = ways_best(scene->ways, ask, 1, scene->arena);

	if (answer.n_ways)
		*way = answer.ways[0];
	return answer.n_ways > 0;
}

/* ---- what is in the way ---------------------------------------------------------------------- */

static void
add_shut(struct whynot *whynot, const char *kind, const char *name,
    const struct inventory_windows *maintenance)
{
	struct path_scene *scene = whynot->scene;
	int64_t until_ms = inventory_until(maintenance, &scene->question->window);

	vec_push(&whynot->hindrances,
	    ((struct tnc_hindrance){.subject = arena_format(scene->arena, "%s %s", kind, name),
		.why = until_ms ? "maintenance" : "down",
		.until_ms = {until_ms != 0, until_ms}}));
}

/* The link itself, or a router at its end; one that two links share is told once. */
static void
add_hindrance(struct whynot *whynot, unsigned edge, unsigned *told)
{
	struct path_scene *scene = whynot->scene;
	const struct inventory *inventory = scene->tnc->config.inventory;
	const struct inventory_link *link = &inventory->links[edge];
	int64_t lacks_bps =
	    scene->question->rate_bps -
	    (scene->graph->edges[edge].free_ab_bps < scene->graph->edges[edge].free_ba_bps
		    ? scene->graph->edges[edge].free_ab_bps
		    : scene->graph->edges[edge].free_ba_bps);

	if (!scene->is_shut[edge] && lacks_bps > 0)
		vec_push(&whynot->hindrances,
		    ((struct tnc_hindrance){
			.subject = arena_format(scene->arena, "link %s", link->name),
			.why = "full",
			.lacks_bps = lacks_bps}));
	if (!scene->is_shut[edge])
		return;
	if (inventory_until(&link->maintenance, &scene->question->window)) {
		add_shut(whynot, "link", link->name, &link->maintenance);
		return;
	}
	for (int i = 0; i < 2; i++) {
		unsigned vertex = link->ends[i].vertex;
		const struct inventory_router *router;

		if (vertex >= inventory->n_routers || vertex == *told)
			continue;
		router = &inventory->routers[vertex];
		if (!inventory_until(&router->maintenance, &scene->question->window) &&
		    routers_is_up(scene->tnc->routers, vertex))
			continue;
		*told = vertex;
		add_shut(whynot, "router", router->name, &router->maintenance);
	}
}

/* False when the two are not connected at all. */
static bool
find_hindered(struct whynot *whynot)
{
	struct path_scene *scene = whynot->scene;
	struct ways_question ask = scene->ask;
	unsigned told = UINT32_MAX;
	struct way way;

	ask.metric = WAYS_WIDEST;
	ask.rate_ab_bps = ask.rate_ba_bps = 0;
	ask.is_shut = NULL;
	if (!ask_one(scene, &ask, &way)) {
		ask.latency_max_us = 0;
		ask.hops_max = 0;
		if (!ask_one(scene, &ask, &way))
			return false;
	}
	for (size_t i = 0; i < way.n_edges; i++)
		if (path_scene_is_link(scene, way.edges[i]))
			add_hindrance(whynot, way.edges[i], &told);
	return true;
}

/* Of two ways apart: the links without which there is none at all. */
static void
find_needed(struct whynot *whynot)
{
	struct path_scene *scene = whynot->scene;
	struct way way, other;

	if (!scene->question->is_pair || !ask_one(scene, &scene->ask, &way))
		return;
	for (size_t i = 0; i < way.n_edges; i++) {
		if (!path_scene_is_link(scene, way.edges[i]))
			continue;
		scene->is_shut[way.edges[i]] = true;
		if (!ask_one(scene, &scene->ask, &other))
			vec_push(&whynot->hindrances,
			    ((struct tnc_hindrance){.subject = arena_format(scene->arena, "link %s",
							scene->graph->edges[way.edges[i]].name),
				.why = "needed"}));
		scene->is_shut[way.edges[i]] = false;
	}
}

/* ---- what would do --------------------------------------------------------------------------- */

static void
add_remedy(struct whynot *whynot, const char *change, const char *value)
{
	vec_push(&whynot->remedies,
	    ((struct tnc_remedy){change, arena_text(whynot->scene->arena, value)}));
}

/* Does the question have an answer? The worse of its latencies and edges. */
static bool
has_answer(struct path_scene *scene, const struct ways_question *ask, struct way *worst)
{
	struct ways_answer answer = path_scene_ask(scene, ask);
	size_t n = scene->question->is_pair || !answer.n_ways ? answer.n_ways : 1;

	*worst = (struct way){.width_bps = INT64_MAX};
	for (size_t i = 0; i < n; i++) {
		const struct way *way = &answer.ways[i];

		if (way->latency_us > worst->latency_us)
			worst->latency_us = way->latency_us;
		if (way->n_edges > worst->n_edges)
			worst->n_edges = way->n_edges;
		if (way->width_bps < worst->width_bps)
			worst->width_bps = way->width_bps;
	}
	return n > 0;
}

/* As much as there is, rounded down to what can be written. */
static void
try_rate(struct whynot *whynot)
{
	struct ways_question ask = whynot->scene->ask;
	struct way worst;

	ask.metric = WAYS_WIDEST;
	ask.rate_ab_bps = ask.rate_ba_bps = 0;
	if (!has_answer(whynot->scene, &ask, &worst) || worst.width_bps < KBPS ||
	    worst.width_bps >= whynot->scene->question->rate_bps)
		return;
	ask.metric = whynot->scene->ask.metric;
	ask.rate_ab_bps = ask.rate_ba_bps = worst.width_bps / KBPS * KBPS;
	if (has_answer(whynot->scene, &ask, &worst))
		add_remedy(whynot, "rate",
		    arena_format(
			whynot->scene->arena, "%lldkbps", (long long)ask.rate_ab_bps / KBPS));
}

/* More time, or more links. */
static void
try_bounds(struct whynot *whynot)
{
	struct path_scene *scene = whynot->scene;
	struct ways_question ask = scene->ask;
	struct way worst;

	ask.metric = WAYS_DELAY;
	ask.latency_max_us = 0;
	if (scene->ask.latency_max_us && has_answer(scene, &ask, &worst))
		add_remedy(whynot, "latency",
		    arena_format(scene->arena, "%lldus", (long long)worst.latency_us));
	ask.latency_max_us = scene->ask.latency_max_us;
	ask.hops_max = 0;
	if (scene->ask.hops_max && has_answer(scene, &ask, &worst))
		add_remedy(whynot, "hops",
		    arena_format(scene->arena, "%zu", worst.n_edges - scene->n_steps));
}

/* Ways that are less far apart, or one alone. */
static void
try_apart(struct whynot *whynot)
{
	struct path_scene *scene = whynot->scene;
	struct way way;

	if (!scene->question->is_pair)
		return;
	for (int apart = (int)scene->question->apart - 1; apart >= 0; apart--) {
		if (!ways_pair(scene->ways, &scene->ask, (enum ways_apart)apart, scene->arena)
			 .n_ways)
			continue;
		add_remedy(whynot, "disjoint", apart_words[apart]);
		return;
	}
	if (ask_one(scene, &scene->ask, &way))
		add_remedy(whynot, "disjoint", "none");
}

static int
compare_instants(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

typedef vec_of(int64_t) instants;

static void
add_ends(instants *found, const struct inventory_windows *windows, int64_t after_ms)
{
	for (size_t i = 0; i < windows->n; i++)
		if (windows->items[i].until_ms > after_ms)
			vec_push(found, windows->items[i].until_ms);
}

/* As soon as some maintenance has ended, the whole window later. */
static void
try_later(struct whynot *whynot)
{
	struct path_scene *scene = whynot->scene;
	const struct inventory *inventory = scene->tnc->config.inventory;
	struct inventory_window window = scene->question->window;
	int64_t length_ms = window.until_ms - window.from_ms;
	bool is_found = false;
	instants found = {0};
	struct way worst;

	for (size_t i = 0; i < inventory->n_routers; i++)
		add_ends(&found, &inventory->routers[i].maintenance, window.from_ms);
	for (size_t i = 0; i < inventory->n_links; i++)
		add_ends(&found, &inventory->links[i].maintenance, window.from_ms);
	if (found.n)
		qsort(found.items, found.n, sizeof(found.items[0]), compare_instants);
	for (size_t i = 0; i < found.n && i < INSTANTS_MAX && !is_found; i++) {
		window.from_ms = found.items[i];
		window.until_ms = window.from_ms + length_ms;
		path_scene_turn(scene, &window);
		is_found = has_answer(scene, &scene->ask, &worst);
	}
	if (is_found)
		add_remedy(whynot, "from", when_text(window.from_ms).text);
	path_scene_turn(scene, &scene->question->window);
	vec_done(&found);
}
