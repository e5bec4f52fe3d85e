/*
 * The life of a transport path, verb by verb. A path exists because shares use it: the reserve of a
 * share finds or makes one, the last share's release takes it down. What its routers must have is a
 * group of the controller named as the path; what is charged are the rows of `share`.
 *
 *     find      path_find.c, path_candidates.c, path_whynot.c   where one may run, or why not
 *     reserve   path_reserve.c                share -> path with room, in one transaction
 *     setup     path_setup.c                  path -> routes, hop by hop
 *     rate      path_rate.c                   shares -> what the path is guaranteed at each hop
 *     release   path_release.c                share gone; path too when it was the last
 *     watch     path_watch.c                  whatever was interrupted: paths and shares in step
 */
#pragma once

#include "lib/model/graph.h"
#include "lib/model/spec_types.h"
#include "tnc/tnc.h"
#include "tnc/tnc_store.h"

/* ---- find ------------------------------------------------------------------------------------ */

/* The window of this instant. */
struct inventory_window path_now(const struct tnc *tnc);

/* The graph with what the paths' shares leave free; in arena. */
struct graph *path_free(struct tnc *tnc, const struct paths *paths, struct arena *arena);

/* Of each link: is it, or a router at its end, under maintenance at any instant of the window, or
 * down, should the window begin now? In arena. */
bool *path_shut(struct tnc *tnc, const struct inventory_window *window, struct arena *arena);

/* What is free now: nothing on links that are shut. */
struct graph *path_residual(struct tnc *tnc, const struct paths *paths, struct arena *arena);

struct path_demand {
	struct graph_demand demand;
	const struct spec_list *wish; /* edges from a to b */
};

/* The wished edges if they lead from a to b with room and in time, else the quickest that do: sncd
 * places by delay too, so shares of one pair of ports come to lie on one path. */
bool path_find(struct tnc *tnc, const struct graph *residual, const struct path_demand *wanted,
    struct arena *arena, struct graph_path *path, struct err *err) must_check;

struct path_question {
	const char *a, *b; /* a host, HOST:PORT or a router */
	int64_t rate_bps;  /* both ways */
	struct inventory_window window;
	size_t k;
	bool is_pair; /* two ways apart instead of k */
	enum ways_apart apart;
	enum ways_metric metric;
	int64_t latency_max_us; /* 0 = no bound */
	unsigned hops_max;      /* links; 0 = no bound */
};

/* The ways, or why there are none; in arena. ERR_NOT_FOUND, ERR_BAD_VALUE: of the ends. */
bool path_candidates(struct tnc *tnc, const struct paths *paths,
    const struct path_question *question, struct arena *arena,
    struct tnc_path_candidates_result *result, struct err *err) must_check;

/* ---- reserve --------------------------------------------------------------------------------- */

/* manager_kind.admit of a share: charges it and answers share_result. ERR_R03 without room, ERR_R04
 * without addresses, ERR_NOT_FOUND without such a port. */
bool path_reserve(void *self, struct txn *txn, const struct row *row,
    const struct manager_book *book, struct str *result, struct err *err);

/* The lowest free pair of addresses of the pool. ERR_R04 when all are taken. */
bool path_addresses(const struct inventory *inventory, const struct paths *paths,
    struct arena *arena, struct path *path, struct err *err) must_check;

/* ---- setup ----------------------------------------------------------------------------------- */

/* Admits the group of routes that pins the path: on each router one to either end. */
bool path_admit(struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena,
    struct err *err) must_check;

/* manager_kind.ensure of a share: ERR_WAIT until its path is ACTIVE, and, before it is real for the
 * first time, until all hops guarantee what it brings. */
bool path_setup(void *self, const struct row *row, struct err *err);

/* The text of an address, in arena. */
const char *path_address_text(struct arena *arena, uint32_t address);

/* ---- rate ------------------------------------------------------------------------------------ */

/* Each row of the path says its direction's sum and what the port's link carries: new attributes
 * where it does not, and then *has_changed. The controller is woken by the caller, after commit. */
bool path_rate(struct tnc *tnc, struct txn *txn, const struct path *path, struct arena *arena,
    bool *has_changed, struct err *err) must_check;

/* The same of a path whose shares have just changed; of none when it is not there. */
bool path_rate_shares(struct tnc *tnc, struct txn *txn, const char *name, struct arena *arena,
    struct err *err) must_check;

/* Have all routers of the path heard of its last rate? */
bool path_rate_is_told(
    struct tnc *tnc, struct txn *txn, const char *name, bool *is_told, struct err *err) must_check;

/* ---- release --------------------------------------------------------------------------------- */

/* manager_kind.remove of a share. */
bool path_release(void *self, const struct row *row, struct err *err);

/* controller_config.changed. */
void path_changed(
    void *self, struct txn *txn, const char *group, enum group_state state, const struct err *why);

/* controller_config.row_changed: a share may wait for a router to hear of a rate. */
void path_row_changed(
    void *self, struct txn *txn, const char *group, const struct controller_row_state *row);

/* ---- watch ----------------------------------------------------------------------------------- */

/* Releases paths that nobody uses, admits again those that came down but are used; the first time
 * it tells all their rates. True when it has changed something. */
bool path_watch(struct tnc *tnc);
