/*
 * What the schedules of the simulator run: a controller and two managers with their users, opened
 * again when they have died, and what must hold of them whatever happens (RELIABILITY.md §3.6).
 */
#pragma once

#include "test/support/sim_wire.h"

#define SIM_REST_MS INT64_C(1000)

struct sim_site {
	unsigned seed;
	bool is_told; /* printed */
	struct bench *bench;
	struct sim_wire wire;
	int controller_life;           /* in which it was opened; -1 = not */
	int started_life[N_SITES + 1]; /* in which its opening has begun */
	int64_t rebooted_ms[N_SITES];
	bool is_evicted[N_SITES];
	int64_t epoch;          /* of the controller opened last */
	bool has_lost_database; /* so that objects may stand without a row */
};

extern struct sim_site sim_site;

/* Begins a simulation with nothing opened yet. */
void sim_site_begin(unsigned seed, int capacity);

/* Printed when the story is told. */
void sim_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what, and ends the simulation. */
_Noreturn void sim_violated(const char *what, const char *about);

bool sim_is_controller_up(void);

/* All objects of a site vanish, as by a reboot, under the feet of its manager. */
void sim_lose_objects(int at);

/* A site dies, and its disk with it; what it has made stands. */
void sim_lose_database(int at);

/* Objects with rids below it are of no controller: what somebody else has left. */
#define SIM_STRAYS_END 1000

/*
 * The database of the controller is put back to what it was when sim_disk_back_up kept it. Until it
 * is confirmed nothing goes that stands; false: nobody has heard of anything newer.
 */
bool sim_restore(void);

/* From now on some rows kill their manager when they are admitted, others when they are made or
 * removed, none more often than it takes to see it; and no more, and what was set aside by then,
 * which is counted, is tried again. */
void sim_poison(void);
size_t sim_cure(void);

/* Kills a node, now and then by its power: then a site's objects are gone, too. */
void sim_strike(int node);

/* Opens again what has died: all of it, or what the dice say. */
void sim_supervise(bool is_sure);

/* Time passes, and who dies is opened at once. */
void sim_pass_ms(int64_t ms);

/* No faults from now on. */
void sim_calm_down(void);

/* Groups in the controller, those too that nobody was told of; -1: it cannot be asked. */
int sim_count_groups(const char *sql);

/* I4: waits until everything rests, and a little more, for what is late. */
void sim_come_to_rest(void);

/* I1, I3: rows and objects of a manager agree with each other and with the controller. */
void sim_check_site(int at);

/* So many rows are left in each manager, tombstones counted. */
void sim_check_rows(int n_rows);
