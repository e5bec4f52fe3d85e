/*
 * A simulator for programs of several nodes: real code, its threads, locks, waits, clock, random
 * numbers and disk replaced by ones that a seed decides. All runs in one thread, as fibers that
 * change at every lock and wait; time stands still while any of them can run and then leaps to the
 * next wait's end. So hours pass in seconds, and the same seed is the same run.
 *
 * A program takes part by being linked with test_sim, whose linker options put the functions of
 * sim_thread.c in the place of the system's. One simulation a process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIM_NODES = 4, SIM_USER = SIM_NODES - 1 };

/* What may happen to a node by itself; all 0 at the start. */
struct sim_faults {
	bool is_disk_full;   /* what would make a file longer fails */
	bool is_disk_frozen; /* nothing reaches it any more: until it dies of that */
	int64_t crash_at;    /* the passage of a fault point that kills; 0 = none */
	int64_t io_error_at; /* the call of the disk that fails; 0 = none */
	bool is_hard;        /* then: the power fails, too; nothing reaches the disk any more */
};

/* The caller becomes a fiber of SIM_USER, to which no faults happen. */
void sim_begin(uint64_t seed);

struct sim_faults *sim_faults_of(int node);

unsigned sim_dice(unsigned sides); /* 0 ... sides - 1 */
int64_t sim_now_ms(void);
int sim_node(void); /* whose fiber runs */

/* Lets the others run for some time. */
void sim_sleep_ms(int64_t ms);

/* body(self) in a fiber of that node. */
void sim_spawn(int node, void (*body)(void *self), void *self);

/*
 * Ends all fibers of a node where they stand: as SIGKILL, its memory is lost and its files stay
 * (sim_disk.c). With `is_power` as if its power failed: of what was not synced any part is lost.
 * Does not return to a fiber of that node.
 */
void sim_kill(int node, bool is_power);

/* How often it was killed so far: tells what belonged to an earlier life. */
int sim_life(int node);

/* Waits until somebody wakes those who wait for this, true, or the time is over. */
bool sim_wait(const void *on, int64_t ms);
void sim_wake(const void *on);

/* Ends the whole simulation, the process. */
_Noreturn void sim_end(int status);

/* A node that stands still, all its fibers. */
void sim_pause(int node, int64_t ms);

/* What has happened so far, of all nodes. */
struct sim_counts {
	int64_t points, io_calls, kills, io_errors, full_disks, switches;
};

extern struct sim_counts sim_counts;

/* sim_disk.c: files whose path has `name` in it are of that node. */
void sim_disk_begin(void);
void sim_disk_owner(const char *name, int node);
void sim_disk_crash(int node, bool is_power);

/* All files of a node that is dead are lost: a new disk. */
void sim_disk_lose(int node);

/* Keeps the files of a node as they are now; puts them back, when the node is dead. */
void sim_disk_back_up(int node);
void sim_disk_restore(int node);
