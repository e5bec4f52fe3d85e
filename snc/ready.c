/*
 * Readiness of guests.
 */
#include "snc/ready.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/api/programmer_api.h"
#include "lib/base/id.h"
#include "lib/base/map.h"
#include "snc/peers.h"

enum { STATUS_MS = 2000, KNOWN_MAX = 100000 };

/* A node that was ready at a revision of its row. */
struct known {
	int64_t rev;
};

struct ready {
	pthread_mutex_t lock;
	struct map *known; /* by rid */
};

static void
forget_all(struct ready *ready)
{
	struct known *known;

	for (size_t at = 0; (known = map_next(ready->known, &at));)
		free(known);
	map_free(ready->known);
}

void
ready_free(struct ready *ready)
{
	if (!ready)
		return;
	forget_all(ready);
	pthread_mutex_destroy(&ready->lock);
	free(ready);
}

struct ready *
ready_new(void)
{
	struct ready *ready = xcalloc(1, sizeof(*ready));

	pthread_mutex_init(&ready->lock, NULL);
	ready->known = map_new();
	return ready;
}

static bool
is_known(struct ready *ready, const struct ready_node *node)
{
	const struct known *known;
	bool is;

	pthread_mutex_lock(&ready->lock);
	known = map_get_id(ready->known, node->rid);
	is = known && known->rev == node->rev;
	pthread_mutex_unlock(&ready->lock);
	return is;
}

/* Rows of long ago are forgotten all at once; the living are asked for again. */
static void
learn(struct ready *ready, const struct ready_node *node)
{
	struct known *known = xcalloc(1, sizeof(*known));

	known->rev = node->rev;
	pthread_mutex_lock(&ready->lock);
	if (map_size(ready->known) > KNOWN_MAX) {
		forget_all(ready);
		ready->known = map_new();
	}
	free(map_put_id(ready->known, node->rid, known));
	pthread_mutex_unlock(&ready->lock);
}

struct round {
	struct snc *snc;
	struct ready_node **nodes;
};

static void
ask(void *self, size_t index)
{
	struct round *round = self;
	struct ready_node *node = round->nodes[index];
	auto_arena struct arena *arena = arena_new();
	const char *manager = arena_format(arena, "programmer@%s", node->host);
	struct programmer_node_status_args args = {
	    .rid = arena_text(arena, id_text(node->rid).text)};
	struct programmer_node_status_result result;
	struct rpc_client client;
	struct err err;

	if (!inventory_is_up(round->snc->inventory, manager) ||
	    !peers_client(round->snc, manager, STATUS_MS, &client, &err) ||
	    !peers_note(round->snc, manager,
		programmer_node_status_call(&client, arena, &args, &result, &err), &err))
		return;
	node->node->ready = result.ready;
	if (result.ready)
		learn(round->snc->ready, node);
}

void
ready_fill(struct snc *snc, struct ready_node *nodes, size_t n_nodes)
{
	struct round round = {snc, xcalloc(n_nodes + 1, sizeof(struct ready_node *))};
	size_t n = 0;

	for (size_t i = 0; i < n_nodes; i++) {
		if (!nodes[i].rid)
			continue;
		nodes[i].node->ready = is_known(snc->ready, &nodes[i]);
		if (!nodes[i].node->ready)
			round.nodes[n++] = &nodes[i];
	}
	peers_each(n, ask, &round);
	free(round.nodes);
}
