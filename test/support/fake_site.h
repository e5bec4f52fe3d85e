/*
 * A site without hosts: sncd's real code against real managers (lib/engine) over the real RPC
 * codec, whose objects are flags in memory. Hosts koganei, nagoya, osaka with a redirector and a
 * programmer each, and tnc@ctl, which publishes the graph of test/support/site.h.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "lib/engine/manager.h"
#include "lib/rpc/rpc.h"
#include "snc/snc_service.h"

enum { FAKE_MANAGERS = 7 };

struct fake_manager {
	struct fake_site *site;
	const char *name; /* "programmer@koganei" */
	struct store *store;
	struct manager *manager;
	struct rpc_server *server;
	struct rpc_client client;
	atomic_bool is_away;    /* calls to it fail */
	atomic_int refuse_code; /* enum err_code that admit answers; 0 = takes all */
	atomic_bool is_blocked; /* objects wait for something */
	atomic_int n_objects;   /* that stand */
	atomic_int n_on;        /* of those, switched on */
	atomic_int n_asked;     /* calls for counters */
};

struct fake_site {
	char dir[200];
	struct store *store;
	struct snc *snc;
	struct rpc_server *server; /* sncd's */
	struct fake_manager managers[FAKE_MANAGERS];
	struct arena *arena;                             /* of the test */
	struct clock clock;                              /* sncd's */
	atomic_llong wall_ahead_ms;                      /* of it, against the machine's */
	struct rpc_client developer, other, noc, viewer; /* clients of sncd */

	struct fake_caller {
		struct fake_site *site;
		const char *role, *name;
	} callers[4];

	pthread_mutex_t lock;
	struct map *standing; /* rid to one of `levels`: its object stands, off or on */
	char levels[3];       /* absent, off, on */
};

extern const char *const fake_hosts[]; /* names, NULL at the end */

/* Starts everything and has all managers say hello. Fails the test when it cannot. */
struct fake_site *fake_site_new(void);

/* The same on what an earlier one has left in a folder; its objects are gone. */
struct fake_site *fake_site_open(const char *dir);
void fake_site_free(struct fake_site *site);

struct fake_manager *fake_manager(struct fake_site *site, const char *name);

/* It says hello, as it is. */
void fake_hello(struct fake_site *site, const char *manager);

/* Moves sncd's wall clock ahead. A minute or more at once is a jump. */
void fake_site_pass(struct fake_site *site, int64_t ms);

/* Ends sncd as a kill does for its memory, and starts it again on the same database. */
void fake_site_restart_snc(struct fake_site *site);

/* The two halves of that. */
void fake_site_stop_snc(struct fake_site *site);
void fake_site_start_snc(struct fake_site *site);

/* (fake_slice.c) Keeps sncd's database as it is now; ends sncd, and starts it on what was kept. */
void fake_site_back_up(struct fake_site *site);
void fake_site_restore(struct fake_site *site);

/* Creates from a document (see site_document) and gives the id; the test fails when refused. */
const char *fake_create(struct fake_site *site, const char *document, const char *goal);

/* The same, expecting to be refused. */
struct err fake_create_refused(struct fake_site *site, const char *document);

/* Waits until it is decided, at most 10 s; the slice as it stands, NULL = gone. */
const struct snc_slice *fake_wait(struct fake_site *site, const char *slice, const char *state);

/* Objects that stand at all managers. */
int fake_objects(struct fake_site *site);
