/*
 * The network of the simulator: a transport of struct bench whose calls are lost, doubled, late and
 * out of order, to managers that are dead, cut off or slow.
 */
#pragma once

#include "lib/base/map.h"
#include "test/support/bench.h"

/* Of node 0 is the controller, of nodes 1 and 2 the sites. */
enum { NODE_CONTROLLER = 0, NODE_SITES = 1 };

struct sim_wire {
	bool is_good;            /* nothing is lost, doubled or late */
	int ready_life[N_SITES]; /* the life of its node in which the site was opened; -1 = none */
	long n_lost, n_doubled, n_late, n_calls;
	long n_under_way;            /* doubles that have not arrived yet */
	int64_t epoch[N_SITES];      /* the highest whose call was obeyed */
	struct map *states[N_SITES]; /* by rid: the highest state that was answered */
	/* Says what is wrong with a call that was obeyed, or an answer. */
	void (*violated)(const char *what, const char *about);
};

/* bench->transport; bench->self is the struct sim_wire. */
bool sim_wire_call(
    struct bench *bench, struct site *site, struct manager_call *call, struct err *err);
