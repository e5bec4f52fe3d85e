/*
 * Calls to other daemons.
 */
#include "snc/peers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/api/peer.h"
#include "lib/base/id.h"

enum { PING_MS = 3000, STATUS_MS = 10000, ANSWER_MS = 2000, THREADS_MAX = 16 };

bool
peers_client(struct snc *snc, const char *manager, int timeout_ms, struct rpc_client *client,
    struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	const struct rpc_client *peer;
	const char *address = snc->tnc_address;

	if (!str_equal(manager, snc->tnc))
		address = inventory_address(snc->inventory, manager, arena, err);
	if (!address)
		return false;
	peer = snc->peer(snc->peer_self, manager, address, err);
	if (!peer)
		return false;
	*client = *peer;
	client->timeout_ms = timeout_ms;
	return true;
}

bool
peers_note(struct snc *snc, const char *manager, bool is_good, const struct err *err)
{
	bool is_silent = !is_good && (err->code == ERR_UNAVAILABLE || err->code == ERR_TIMEOUT ||
					 err->code == ERR_UNAUTHENTICATED);

	if (is_silent)
		inventory_failed(snc->inventory, manager);
	else
		inventory_heard(snc->inventory, manager);
	return is_good;
}

bool
peers_manager_call(void *self, const char *manager, struct manager_call *call, struct err *err)
{
	struct snc *snc = self;
	struct rpc_client client;

	if (!peers_client(snc, manager, call->caller.deadline_ms + ANSWER_MS, &client, err))
		return false;
	return peers_note(snc, manager, peer_manager_call(&client, call, err), err);
}

bool
peers_manager_status(
    void *self, const char *manager, uint64_t after, struct manager_call *call, struct err *err)
{
	struct snc *snc = self;
	struct rpc_client client;

	if (!peers_client(snc, manager, STATUS_MS, &client, err))
		return false;
	return peers_note(snc, manager, peer_manager_status(&client, after, call, err), err);
}

bool
peers_ping(struct snc *snc, const char *manager, struct err *err)
{
	auto_arena struct arena *arena = arena_new();
	struct rpc_client client;
	struct manager_status_args args = {.after = arena_text(arena, id_text(INT64_MAX).text)};
	struct manager_status_result result;

	if (!peers_client(snc, manager, PING_MS, &client, err))
		return false;
	return peers_note(
	    snc, manager, manager_status_call(&client, arena, &args, &result, err), err);
}

struct crew {
	atomic_size_t next;
	size_t n;
	peers_job *job;
	void *self;
};

static void *
crew_main(void *self)
{
	struct crew *crew = self;
	size_t index;

	while ((index = atomic_fetch_add(&crew->next, 1)) < crew->n)
		crew->job(crew->self, index);
	return NULL;
}

/* The caller is one of the crew: it gets done even where no thread can be had. */
void
peers_each(size_t n, peers_job *job, void *self)
{
	struct crew crew = {.n = n, .job = job, .self = self};
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;

	while (n_threads + 1 < n && n_threads < THREADS_MAX &&
	       pthread_create(&threads[n_threads], NULL, crew_main, &crew) == 0)
		n_threads++;
	crew_main(&crew);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}
