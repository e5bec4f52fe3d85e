/*
 * The users of the simulated site: what they ask for, and what they were told, which must stay
 * true.
 */
#pragma once

#include "test/support/sim_site.h"

enum { SIM_SLOTS = 8 };

/* What the user knows of one group. Names are never used again. */
struct sim_slot {
	char name[20];
	int generation;
	bool is_admitted;                          /* for certain */
	bool is_release_asked, is_release_certain; /* certain: it was accepted */
	bool was_active, was_gone;
	uint64_t first_rid;
	int attr_asked,
	    attr_certain; /* numbers of the last change; attr_certain: it was accepted */
};

extern struct sim_slot sim_slots[SIM_SLOTS];

enum sim_wish {
	WISH_ADMIT,
	WISH_RESERVE,
	WISH_RUN,
	WISH_RELEASE,
	WISH_ATTR,
	WISH_LOOK,
	WISH_EVICT,
	WISH_READMIT
};

/* Each asks the controller, unless there is no sense in it now, and notes the answer. */
void sim_admit(struct sim_slot *slot);
void sim_set_goal(struct sim_slot *slot, enum sim_wish wish);
void sim_set_attr(struct sim_slot *slot);
void sim_look(struct sim_slot *slot);

/* A site is given up, however well it is; is asked for again: true when it was said yes to. */
void sim_evict(int at);
bool sim_readmit(int at);

/* No counter of an id that was given is higher. */
uint64_t sim_highest_counter(void);

/* At the end: I2 and I7 of its group, and that each accepted change has come about. */
void sim_check_slot(struct sim_slot *slot);
