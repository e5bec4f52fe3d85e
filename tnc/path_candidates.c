/*
 * Where a path could run: the k best ways or the best two apart, of what is free throughout a
 * window. A host stands for all its ports: it becomes a vertex of its own, joined to each of them,
 * so that two ways may leave it by different ones.
 */
#include <string.h>

#include "lib/base/nearest.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "tnc/path_scene.h"

static bool scene_init(struct path_scene *scene, const struct paths *paths, struct err *err);
static void show_way(const struct path_scene *scene, const struct way *way, struct tnc_way *shown);

bool
path_candidates(struct tnc *tnc, const struct paths *paths, const struct path_question *question,
    struct arena *arena, struct tnc_path_candidates_result *result, struct err *err)
{
	struct path_scene scene = {.tnc = tnc, .question = question, .arena = arena};
	struct ways_answer answer;
	struct tnc_way *shown;

	if (!scene_init(&scene, paths, err))
		return false;
	answer = path_scene_ask(&scene, &scene.ask);
	shown = arena_alloc(arena, answer.n_ways * sizeof(shown[0]));
	for (size_t i = 0; i < answer.n_ways; i++)
		show_way(&scene, &answer.ways[i], &shown[i]);
	*result = (struct tnc_path_candidates_result){
	    .ways = shown, .n_ways = answer.n_ways, .proven = answer.is_proven, .why = ""};
	if (!answer.n_ways)
		path_whynot(&scene, result);
	ways_free(scene.ways);
	return true;
}

struct ways_answer
path_scene_ask(struct path_scene *scene, const struct ways_question *ask)
{
	const struct path_question *question = scene->question;

	if (question->is_pair)
		return ways_pair(scene->ways, ask, question->apart, scene->arena);
	return ways_best(scene->ways, ask, question->k, scene->arena);
}

void
path_scene_turn(struct path_scene *scene, const struct inventory_window *window)
{
	const bool *is_shut = path_shut(scene->tnc, window, scene->arena);

	memcpy(scene->is_shut, is_shut, scene->tnc->config.inventory->n_links * sizeof(is_shut[0]));
}

/* ---- the network with its two ends ----------------------------------------------------------- */

static bool
fail_unknown(const struct inventory *inventory, const char *name, struct err *err)
{
	struct nearest nearest = {.word = name};

	for (size_t i = 0; i < inventory->n_hosts; i++)
		nearest_offer(&nearest, inventory->hosts[i]);
	for (size_t i = 0; i < inventory->graph.n_vertices; i++)
		nearest_offer(&nearest, inventory->graph.vertices[i]);
	err_set(err, ERR_NOT_FOUND, "'%.80s' is no host, port or router of the transport network",
	    name);
	if (nearest.best)
		err_hint(err, "%s", nearest.best);
	return false;
}

/* Is the vertex a port of the host? */
static bool
is_port_of(const char *vertex, const char *host)
{
	size_t length = strlen(host);

	return strncmp(vertex, host, length) == 0 && vertex[length] == ':';
}

/* The same, or a port of that host. */
static bool
is_at(const char *end, const char *other)
{
	return strcmp(end, other) == 0 || is_port_of(end, other);
}

/* A vertex for the host, and an edge to each of its ports; paths may lead through these. */
static void
add_host(struct path_scene *scene, const char *host)
{
	const struct inventory *inventory = scene->tnc->config.inventory;
	struct graph *graph = scene->graph;
	unsigned vertex = (unsigned)graph->n_vertices++;

	graph->vertices[vertex] = host;
	for (unsigned v = 0; v < inventory->graph.n_vertices; v++) {
		if (!is_port_of(graph->vertices[v], host))
			continue;
		graph->is_transit[v] = true;
		graph->edges[graph->n_edges++] = (struct graph_edge){.name = host,
		    .a = vertex,
		    .b = v,
		    .free_ab_bps = INT64_MAX,
		    .free_ba_bps = INT64_MAX,
		    .capacity_bps = INT64_MAX};
	}
	scene->n_steps++;
}

static bool
find_end(struct path_scene *scene, const char *name, unsigned *vertex, struct err *err)
{
	const struct inventory *inventory = scene->tnc->config.inventory;
	long found = graph_vertex(&inventory->graph, name);

	if (found >= 0) {
		*vertex = (unsigned)found;
		return true;
	}
	for (size_t i = 0; i < inventory->n_hosts; i++) {
		if (strcmp(inventory->hosts[i], name) != 0)
			continue;
		*vertex = (unsigned)scene->graph->n_vertices;
		add_host(scene, inventory->hosts[i]);
		return true;
	}
	return fail_unknown(inventory, name, err);
}

/* Room for two vertices more, and the edges of two hosts: no more than there are vertices. */
static void
widen(struct path_scene *scene)
{
	struct graph *graph = scene->graph;
	size_t n = graph->n_vertices, m = graph->n_edges;
	const char **vertices = arena_alloc(scene->arena, (n + 2) * sizeof(vertices[0]));
	bool *is_transit = arena_alloc(scene->arena, (n + 2) * sizeof(is_transit[0]));
	struct graph_edge *edges = arena_alloc(scene->arena, (m + n) * sizeof(edges[0]));

	memcpy(vertices, graph->vertices, n * sizeof(vertices[0]));
	memcpy(is_transit, graph->is_transit, n * sizeof(is_transit[0]));
	if (m)
		memcpy(edges, graph->edges, m * sizeof(edges[0]));
	graph->vertices = vertices;
	graph->is_transit = is_transit;
	graph->edges = edges;
}

/* The groups of n things, and none of those added behind them. */
static struct ways_groups
widen_groups(
    const struct path_scene *scene, const struct ways_groups *groups, size_t n, size_t n_wide)
{
	unsigned *first = arena_alloc(scene->arena, (n_wide + 1) * sizeof(first[0]));

	for (size_t i = 0; i <= n_wide; i++)
		first[i] = groups->first[i < n ? i : n];
	return (struct ways_groups){first, groups->items};
}

static bool
scene_init(struct path_scene *scene, const struct paths *paths, struct err *err)
{
	const struct inventory *inventory = scene->tnc->config.inventory;
	const struct path_question *question = scene->question;
	struct ways_question *ask = &scene->ask;
	struct ways_net net = {.n_risks = (unsigned)inventory->n_risks};
	struct graph *graph = scene->graph = path_free(scene->tnc, paths, scene->arena);
	int64_t *costs;

	if (is_at(question->a, question->b) || is_at(question->b, question->a))
		return err_set(err, ERR_BAD_VALUE, "both ends are '%s'", question->a);
	widen(scene);
	if (!find_end(scene, question->a, &ask->a, err) ||
	    !find_end(scene, question->b, &ask->b, err))
		return false;
	costs = arena_alloc(scene->arena, graph->n_edges * sizeof(costs[0]));
	memcpy(costs, inventory->costs, inventory->n_links * sizeof(costs[0]));
	net.graph = graph;
	net.costs = costs;
	net.edge_risks =
	    widen_groups(scene, &inventory->link_risks, inventory->n_links, graph->n_edges);
	net.vertex_risks = widen_groups(
	    scene, &inventory->vertex_risks, inventory->graph.n_vertices, graph->n_vertices);
	scene->is_shut = arena_alloc(scene->arena, graph->n_edges * sizeof(scene->is_shut[0]));
	path_scene_turn(scene, &question->window);
	scene->ways = ways_new(&net);
	ask->rate_ab_bps = ask->rate_ba_bps = question->rate_bps;
	ask->latency_max_us = question->latency_max_us;
	ask->hops_max = question->hops_max ? question->hops_max + scene->n_steps : 0;
	ask->metric = question->metric;
	ask->is_shut = scene->is_shut;
	return true;
}

/* ---- what is shown --------------------------------------------------------------------------- */

static void
add_word(struct str *out, const char *word)
{
	str_addf(out, "%s%s", out->len ? " " : "", word);
}

/* The names of a thing's risk groups that are not in the list yet. */
static void
add_risks(struct str *out, const struct inventory *inventory, const struct ways_groups *groups,
    unsigned thing)
{
	for (unsigned i = groups->first[thing]; i < groups->first[thing + 1]; i++) {
		auto_str struct str list = {0}, word = {0};

		str_addf(&list, " %s ", str_text(out));
		str_addf(&word, " %s ", inventory->risks[groups->items[i]]);
		if (!strstr(list.text, word.text))
			add_word(out, inventory->risks[groups->items[i]]);
	}
}

static void
show_way(const struct path_scene *scene, const struct way *way, struct tnc_way *shown)
{
	const struct inventory *inventory = scene->tnc->config.inventory;
	auto_str struct str hops = {0}, links = {0}, risks = {0};
	unsigned at = scene->ask.a;

	for (size_t i = 0; i < way->n_edges; i++) {
		const struct graph_edge *edge = &scene->graph->edges[way->edges[i]];

		if (at < inventory->n_routers) {
			add_word(&hops, scene->graph->vertices[at]);
			add_risks(&risks, inventory, &inventory->vertex_risks, at);
		}
		if (path_scene_is_link(scene, way->edges[i])) {
			add_word(&links, edge->name);
			add_risks(&risks, inventory, &inventory->link_risks, way->edges[i]);
		}
		at = edge->a == at ? edge->b : edge->a;
	}
	if (at < inventory->n_routers) {
		add_word(&hops, scene->graph->vertices[at]);
		add_risks(&risks, inventory, &inventory->vertex_risks, at);
	}
	*shown = (struct tnc_way){.hops = arena_text(scene->arena, str_text(&hops)),
	    .links = arena_text(scene->arena, str_text(&links)),
	    .risks = arena_text(scene->arena, str_text(&risks)),
	    .latency_us = way->latency_us,
	    .cost = way->cost,
	    .free_bps = way->width_bps};
}
