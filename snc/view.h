/*
 * The transport view, as tncd published it last. Thread-safe; the call to tncd is made by whoever
 * wants a fresh one, with no lock held but that of asking.
 */
#pragma once

#include "lib/model/graph.h"
#include "lib/rpc/rpc.h"

struct view;

enum { VIEW_FRESH_MS = 1000 };

void view_free(struct view *view);
struct view *view_new(void) malloc_by(view_free) must_check;

/* The graph in arena, NULL when tncd has never answered or does not answer now; *number is its
 * number, counted from 1. */
struct graph *view_graph(struct view *view, struct arena *arena, int64_t *number);

/* Capacity has come back: the next one who asks gets a fresh view. */
void view_stale(struct view *view);

/*
 * One refresh: begin gives the number that the view will have (0: it is fresh enough, do nothing
 * more) and keeps others out; end installs what tncd answered, or with NULL notes that it did not.
 */
int64_t view_refresh_begin(struct view *view, int64_t now_ms);
void view_refresh_end(struct view *view, const struct graph *graph, int64_t now_ms);
