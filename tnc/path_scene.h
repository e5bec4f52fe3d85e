/*
 * A question for ways between two places of the network, with what is free in its window: what
 * path_candidates.c (the answer) and path_whynot.c (why there is none) share.
 */
#pragma once

#include "tnc/path.h"

struct path_scene {
	struct tnc *tnc;
	const struct path_question *question;
	struct arena *arena;
	/* The network; behind its own vertices and edges one for each end that is a host, with an
	 * edge to each of its ports. */
	struct graph *graph;
	struct ways *ways;
	bool *is_shut;
	struct ways_question ask;
	unsigned n_steps; /* edges that a way has besides links */
};

/* As the scene asks it: one answer for ways and pairs. */
struct ways_answer path_scene_ask(struct path_scene *scene, const struct ways_question *ask);

/* Into another window. */
void path_scene_turn(struct path_scene *scene, const struct inventory_window *window);

/* Is it a link of the inventory? */
static inline bool
path_scene_is_link(const struct path_scene *scene, unsigned edge)
{
	return edge < scene->tnc->config.inventory->n_links;
}

/* Why there is none, what is in the way, what would do. */
void path_whynot(struct path_scene *scene, struct tnc_path_candidates_result *result);
