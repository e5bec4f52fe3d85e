/*
 * Requests of users, each handled by a fiber of the controller, which may die before it answers.
 */
#include "test/support/sim_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/id.h"
#include "test/support/sim.h"

enum { PATIENCE_MS = 8000 /* of a user, for an answer */ };

struct sim_request {
	enum sim_wish wish;
	struct sim_slot *slot;
	char name[20];
	int units, attr;
	bool is_done, is_good;
	bool is_found;
	enum group_state state;
	uint64_t rids[N_SITES];
};

struct sim_slot sim_slots[SIM_SLOTS];
static uint64_t highest_rid;

static bool
change_attr(struct txn *txn, const struct sim_request *request)
{
	char attr[30];

	snprintf(attr, sizeof(attr), "rate=%d\n", request->attr);
	return controller_set_attr(sim_site.bench->controller, txn, request->rids[0], attr, NULL);
}

static bool
change_site(const struct sim_request *request)
{
	struct controller *controller = sim_site.bench->controller;
	auto_txn struct txn *txn = store_begin(sim_site.bench->store);
	bool is_good = (request->wish == WISH_EVICT ? controller_evict : controller_readmit)(
	    controller, txn, request->name, NULL);

	if (!is_good || !txn_commit(&txn, NULL))
		return false;
	controller_wake(controller);
	return true;
}

static bool
change_group(const struct sim_request *request)
{
	struct controller *controller = sim_site.bench->controller;
	auto_txn struct txn *txn = store_begin(sim_site.bench->store);
	bool is_good;

	if (request->wish == WISH_ATTR)
		is_good = change_attr(txn, request);
	else
		is_good = controller_goal(controller, txn, request->name,
		    request->wish == WISH_RUN ? ROW_COMMITTED : ROW_RELEASED, NULL);
	if (!is_good || !txn_commit(&txn, NULL))
		return false;
	controller_wake(controller);
	return true;
}

/* In the controller, as the handler of a request. */
static void
handle(void *self)
{
	struct sim_request *request = self;
	struct bench *bench = sim_site.bench;

	if (!sim_is_controller_up())
		return;
	switch (request->wish) {
	case WISH_ADMIT:
	case WISH_RESERVE:
		request->is_good = bench_try_admit(bench, request->name, request->units,
		    request->wish == WISH_ADMIT ? ROW_COMMITTED : ROW_HELD, request->rids, NULL);
		break;
	case WISH_LOOK:
		request->is_found =
		    controller_group(bench->controller, NULL, request->name, &request->state);
		request->is_good = true;
		break;
	case WISH_EVICT:
	case WISH_READMIT:
		request->is_good = change_site(request);
		break;
	case WISH_RUN:
	case WISH_RELEASE:
	case WISH_ATTR:
	default:
		request->is_good = change_group(request);
	}
	request->is_done = true;
	sim_wake(request);
}

/* What it was answered; is_done is false when that is not known. Never freed: it may come late. */
static const struct sim_request *
send(struct sim_request *request)
{
	sim_spawn(NODE_CONTROLLER, handle, request);
	if (!request->is_done)
		(void)sim_wait(request, PATIENCE_MS);
	return request;
}

static const struct sim_request *
ask(struct sim_slot *slot, enum sim_wish wish)
{
	struct sim_request *request = xcalloc(1, sizeof(*request));

	*request = (struct sim_request){
	    .wish = wish, .slot = slot, .units = 1 + (int)sim_dice(2), .attr = slot->attr_asked};
	snprintf(request->name, sizeof(request->name), "%s", slot->name);
	request->rids[0] = slot->first_rid;
	return send(request);
}

static bool
ask_of_site(int at, enum sim_wish wish)
{
	struct sim_request *request = xcalloc(1, sizeof(*request));
	bool is_good;

	*request = (struct sim_request){.wish = wish};
	snprintf(request->name, sizeof(request->name), "site@%d", at);
	is_good = send(request)->is_good;
	sim_tell("%s site %d: %s\n", wish == WISH_EVICT ? "evict" : "readmit", at,
	    is_good            ? "yes"
	    : request->is_done ? "no"
			       : "?");
	return is_good;
}

void
sim_evict(int at)
{
	if (!sim_is_controller_up())
		return;
	sim_site.is_evicted[at] = true; /* perhaps: it may not have been answered */
	(void)ask_of_site(at, WISH_EVICT);
}

bool
sim_readmit(int at)
{
	if (!sim_is_controller_up() || !ask_of_site(at, WISH_READMIT))
		return false;
	sim_site.is_evicted[at] = false;
	return true;
}

static void
learn_state(struct sim_slot *slot, const struct sim_request *look)
{
	bool is_active = look->is_found && look->state == GROUP_ACTIVE;

	if (look->is_found && slot->was_gone)
		sim_violated("I7 what was gone is back", slot->name);
	if (slot->was_active && !slot->is_release_asked && !is_active)
		sim_violated("I2 what was accepted is lost", slot->name);
	slot->was_active |= is_active;
	slot->was_gone |= slot->is_admitted && !look->is_found;
}

void
sim_look(struct sim_slot *slot)
{
	const struct sim_request *look;

	if (!slot->generation || !sim_is_controller_up())
		return;
	look = ask(slot, WISH_LOOK);
	if (look->is_done)
		learn_state(slot, look);
}

void
sim_admit(struct sim_slot *slot)
{
	const struct sim_request *request;
	int at = (int)(slot - sim_slots), generation = slot->generation + 1;
	bool is_over = slot->was_gone || slot->is_release_asked || !slot->generation;

	if (!is_over || !sim_is_controller_up())
		return;
	*slot = (struct sim_slot){.generation = generation};
	snprintf(slot->name, sizeof(slot->name), "g%d.%d", at, generation);
	request = ask(slot, sim_dice(3) ? WISH_ADMIT : WISH_RESERVE);
	sim_tell("admit %s: %s\n", slot->name,
	    !request->is_done  ? "?"
	    : request->is_good ? "yes"
			       : "no");
	slot->is_admitted = request->is_good;
	slot->was_gone = request->is_done && !request->is_good;
	slot->first_rid = request->rids[0];
	if (!request->is_good)
		return;
	if (request->rids[0] <= highest_rid)
		sim_violated("an id came back", slot->name);
	highest_rid = request->rids[1];
}

uint64_t
sim_highest_counter(void)
{
	return id_counter(highest_rid);
}

void
sim_set_goal(struct sim_slot *slot, enum sim_wish wish)
{
	if (!slot->generation || slot->was_gone || !sim_is_controller_up())
		return;
	slot->is_release_asked |= wish == WISH_RELEASE;
	sim_tell("%s %s\n", wish == WISH_RELEASE ? "release" : "run", slot->name);
	slot->is_release_certain |= ask(slot, wish)->is_good && wish == WISH_RELEASE;
}

void
sim_set_attr(struct sim_slot *slot)
{
	if (!slot->is_admitted || slot->was_gone || !sim_is_controller_up())
		return;
	slot->attr_asked++;
	if (ask(slot, WISH_ATTR)->is_good)
		slot->attr_certain = slot->attr_asked;
	sim_tell("attr %s rate=%d %s\n", slot->name, slot->attr_asked,
	    slot->attr_certain == slot->attr_asked ? "yes" : "?");
}

void
sim_check_slot(struct sim_slot *slot)
{
	auto_arena struct arena *arena = arena_new();
	const struct controller_row_state *rows;
	const struct sim_request *seen = ask(slot, WISH_LOOK);
	size_t n;

	if (!seen->is_done)
		sim_violated("the controller does not answer", slot->name);
	learn_state(slot, seen);
	if (seen->is_found && slot->is_release_certain)
		sim_violated("an accepted release is lost", slot->name);
	if (!seen->is_found ||
	    !controller_rows(sim_site.bench->controller, NULL, slot->name, arena, &rows, &n))
		return;
	for (size_t i = 0; i < n && seen->state == GROUP_ACTIVE; i++) {
		struct world *world = &sim_site.bench->sites[i].world;
		auto_free char *attr = world_attr(world, rows[i].row.rid);

		if (rows[i].is_evicted)
			continue;
		if (!world_has(world, rows[i].row.rid))
			sim_violated("I2 active without its object", slot->name);
		if (i == 0 && strcmp(attr, rows[i].row.attr) != 0)
			sim_violated("I2 its attributes are not those asked for", slot->name);
		if (i == 0 && slot->attr_certain == slot->attr_asked && slot->attr_asked &&
		    strtol(attr + strlen("rate="), NULL, 10) != slot->attr_asked)
			sim_violated("I2 an accepted change is lost", slot->name);
	}
}
