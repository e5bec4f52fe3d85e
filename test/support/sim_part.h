/*
 * What the files of the simulator share; nobody else includes this.
 */
#pragma once

#include "test/support/sim.h"

enum { SIM_EPOCH_S = 1700000000 }; /* at which all clocks begin */

#define SIM_FOREVER INT64_MAX

/* The names that the linker gives to calls of the system (ld --wrap). */
#define STANDS_FOR(name) __asm__("__wrap_" #name)

/* The fiber that runs; NULL before the beginning. */
const void *sim_self(void);

/* Another one may run now. */
void sim_maybe_switch(void);

/* One of those who wait for this, whichever. */
void sim_wake_one(const void *on);
