/*
 * The cached transport view.
 */
#include "snc/view.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct view {
	pthread_mutex_t asking; /* held from refresh_begin to refresh_end */
	pthread_mutex_t lock;
	struct arena *arena; /* of the graph */
	struct graph *graph; /* NULL = unknown */
	int64_t number;
	int64_t fetched_ms;
	bool is_stale;
};

void
view_free(struct view *view)
{
	if (!view)
		return;
	arena_free(view->arena);
	pthread_mutex_destroy(&view->asking);
	pthread_mutex_destroy(&view->lock);
	free(view);
}

struct view *
view_new(void)
{
	struct view *view = xcalloc(1, sizeof(*view));

	pthread_mutex_init(&view->asking, NULL);
	pthread_mutex_init(&view->lock, NULL);
	view->is_stale = true;
	return view;
}

struct graph *
view_graph(struct view *view, struct arena *arena, int64_t *number)
{
	struct graph *graph = NULL;

	pthread_mutex_lock(&view->lock);
	*number = view->number;
	if (view->graph)
		graph = graph_clone(view->graph, arena);
	pthread_mutex_unlock(&view->lock);
	return graph;
}

void
view_stale(struct view *view)
{
	pthread_mutex_lock(&view->lock);
	view->is_stale = true;
	pthread_mutex_unlock(&view->lock);
}

int64_t
view_refresh_begin(struct view *view, int64_t now_ms)
{
	int64_t number = 0;

	pthread_mutex_lock(&view->asking);
	pthread_mutex_lock(&view->lock);
	if (view->is_stale || !view->graph || now_ms - view->fetched_ms > VIEW_FRESH_MS)
		number = view->number + 1;
	view->is_stale = false; /* what changes while asking makes it stale again */
	pthread_mutex_unlock(&view->lock);
	if (!number)
		pthread_mutex_unlock(&view->asking);
	return number;
}

void
view_refresh_end(struct view *view, const struct graph *graph, int64_t now_ms)
{
	pthread_mutex_lock(&view->lock);
	arena_free(view->arena);
	view->arena = arena_new();
	view->graph = graph ? graph_clone(graph, view->arena) : NULL;
	view->number++;
	view->fetched_ms = now_ms;
	pthread_mutex_unlock(&view->lock);
	pthread_mutex_unlock(&view->asking);
}
