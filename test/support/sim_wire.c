/*
 * Calls as parcels: what the caller sends and what it is answered are copies, so that either side
 * may die in between.
 */
#include "test/support/sim_wire.h"

#include <stdlib.h>

#include "lib/base/id.h"
#include "test/support/sim.h"

enum {
	LOSS_ODDS = 8,
	DOUBLE_ODDS = 6,
	LATE_ODDS = 8,
	LATE_MS = 60000,
	SOON_MS = 20,
	GRACE_MS = 1000
};

struct parcel {
	struct bench *bench;
	struct site *site;
	int64_t delay_ms;
	struct manager_call call;
	struct err err;
	bool is_done, is_good;
	bool is_double; /* nobody waits for its answer */
};

static char marks[ROW_RELEASED + 1]; /* addresses that stand for states, in a map */

static bool
is_ready(const struct sim_wire *wire, int site)
{
	return wire->ready_life[site] == sim_life(NODE_SITES + site);
}

/* The states that rows had when a call began: what it is answered may be newer, not older. */
static void
remember(const struct map *states, const struct manager_call *call, enum row_state *before)
{
	for (size_t i = 0; i < call->n; i++) {
		const char *mark = map_get_id(states, call->want[i].rid);

		before[i] = mark ? (enum row_state)(mark - marks) : ROW_NONE;
	}
}

/* I7, and that who is replaced is not obeyed. */
static void
check_answer(struct sim_wire *wire, int at, const struct manager_call *call,
    const enum row_state *before, int64_t epoch_before)
{
	if (call->caller.epoch < epoch_before)
		wire->violated("a call of an older epoch was obeyed", "");
	if (call->caller.epoch > wire->epoch[at])
		wire->epoch[at] = call->caller.epoch;
	for (size_t i = 0; i < call->n; i++) {
		const struct row_have *have = &call->have[i];
		const char *mark = map_get_id(wire->states[at], have->rid);

		if (have->state < before[i])
			wire->violated("I7 a row has gone down", id_text(have->rid).text);
		if (!mark || have->state > (enum row_state)(mark - marks))
			map_put_id(wire->states[at], have->rid, &marks[have->state]);
	}
}

static void
serve(void *self)
{
	struct parcel *parcel = self;
	struct sim_wire *wire = parcel->bench->self;
	int at = (int)(parcel->site - parcel->bench->sites);

	enum row_state before[MANAGER_ROWS_MAX] = {ROW_NONE};

	int64_t epoch = wire->epoch[at];

	if (!wire->states[at])
		wire->states[at] = map_new();
	remember(wire->states[at], &parcel->call, before);
	if (is_ready(wire, at))
		parcel->is_good = bench_deliver(parcel->site, &parcel->call, &parcel->err);
	else
		(void)err_set(&parcel->err, ERR_UNAVAILABLE, "nobody listens");
	if (parcel->is_good)
		check_answer(wire, at, &parcel->call, before, epoch);
	parcel->is_done = true;
	sim_wake(parcel);
}

/* On its way, of nobody: it arrives even when the caller has died. */
static void
carry(void *self)
{
	struct parcel *parcel = self;
	struct sim_wire *wire = parcel->bench->self;

	sim_sleep_ms(parcel->delay_ms);
	wire->n_under_way -= parcel->is_double;
	sim_spawn(NODE_SITES + (int)(parcel->site - parcel->bench->sites), serve, parcel);
}

static struct parcel *
send_copy(struct bench *bench, struct site *site, const struct manager_call *call, int64_t delay_ms)
{
	struct parcel *parcel = xcalloc(1, sizeof(*parcel));
	struct arena *arena = arena_new();
	struct row_want *want = arena_alloc(arena, call->n * sizeof(*want));

	*parcel =
	    (struct parcel){.bench = bench, .site = site, .delay_ms = delay_ms, .call = *call};
	for (size_t i = 0; i < call->n; i++) {
		want[i] = call->want[i];
		want[i].kind = arena_text(arena, want[i].kind);
		want[i].spec = arena_text(arena, want[i].spec);
		want[i].attr = arena_text(arena, want[i].attr);
	}
	parcel->call.want = want;
	parcel->call.have = arena_alloc(arena, call->n * sizeof(struct row_have));
	parcel->call.arena = arena;
	sim_spawn(SIM_USER, carry, parcel);
	return parcel;
}

static bool
answer(const struct parcel *parcel, struct manager_call *call, struct err *err)
{
	if (!parcel->is_good) {
		*err = parcel->err;
		return false;
	}
	for (size_t i = 0; i < call->n; i++) {
		call->have[i] = parcel->call.have[i];
		call->have[i].result = arena_text(call->arena, call->have[i].result);
	}
	return true;
}

bool
sim_wire_call(struct bench *bench, struct site *site, struct manager_call *call, struct err *err)
{
	struct sim_wire *wire = bench->self;
	int64_t wait_ms = call->caller.deadline_ms + GRACE_MS;
	bool is_bad = !wire->is_good, is_late;
	struct parcel *parcel;

	wire->n_calls++;
	if (is_bad && sim_dice(DOUBLE_ODDS) == 0) {
		wire->n_doubled++;
		wire->n_under_way++;
		send_copy(bench, site, call, (int64_t)sim_dice(LATE_MS))->is_double = true;
	}
	if (is_bad && sim_dice(LOSS_ODDS) == 0) {
		wire->n_lost++;
		sim_sleep_ms(wait_ms);
		return err_set(err, ERR_TIMEOUT, "the request is lost");
	}
	is_late = is_bad && sim_dice(LATE_ODDS) == 0;
	wire->n_late += is_late;
	parcel = send_copy(bench, site, call, (int64_t)sim_dice(is_late ? LATE_MS : SOON_MS));
	while (!parcel->is_done && sim_wait(parcel, wait_ms))
		;
	if (!parcel->is_done)
		return err_set(err, ERR_TIMEOUT, "no answer");
	if (is_bad && sim_dice(LOSS_ODDS) == 0) {
		wire->n_lost++;
		return err_set(err, ERR_TIMEOUT, "the answer is lost");
	}
	return answer(parcel, call, err);
}
