/*
 * What the files of the daemon share: daemon.c (start, configuration, peers), daemon_serve.c
 * (listeners, signals), daemon_hello.c (the word to the controller).
 */
#pragma once

#include <pthread.h>

#include "lib/api/daemon.h"
#include "lib/base/map.h"
#include "lib/base/vec.h"
#include "lib/http/http_client.h"
#include "lib/http/http_server.h"

struct rids {
	uint64_t *items;
	size_t n;
	size_t cap;
};

/* The word to the controller. Its lock is held for moments only. */
struct hello {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool is_running, is_ending;
	bool is_due;         /* something changed */
	struct rids changed; /* rids since the last hello that was heard */
	int64_t noted;       /* the last note that was heard; of the hello's thread */
	struct manager *manager;
	void (*capacity)(void *self, struct str *lines);
	void *capacity_self;
	const struct rpc_client *controller;
	char controller_name[128];
};

struct daemon_files {
	char ca[512], cert[512], key[512];
};

struct daemon {
	struct daemon_config config;
	struct conf *conf;
	struct store *store;
	struct rpc_server *rpc;
	struct daemon_files files;
	char full_name[80];
	pthread_mutex_t lock; /* of peers */
	struct map *peers;    /* "redirector@koganei 10.63.0.11:7703" -> struct peer */
	struct http_server *servers[2];
	size_t n_expected; /* daemons that may keep a connection */
	struct hello hello;
};

/* Says hello from now on, when there is a controller to say it to. */
void daemon_hello_start(struct daemon *daemon);
void daemon_hello_stop(struct daemon *daemon);
