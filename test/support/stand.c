/*
 * The manager's stand.
 */
#include "test/support/stand.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/support/suite.h"

void
stand_open(struct stand *stand)
{
	struct manager_config config = {.clock = &stand->clock.clock};
	struct manager_kind kind;
	struct err err = {0};

	stand->store = store_open(stand->path, manager_migrations, n_manager_migrations, &err);
	assert_text(err.text, "");
	config.store = stand->store;
	world_config(&stand->world, &kind, &config);
	stand->manager = manager_new(&config, &err);
	assert_text(err.text, "");
}

void
stand_close(struct stand *stand)
{
	manager_free(stand->manager);
	store_close(stand->store);
}

struct stand *
stand_new(const char *name, int capacity)
{
	struct stand *stand = stand_make(name, capacity);

	stand_open(stand);
	return stand;
}

struct stand *
stand_make(const char *name, int capacity)
{
	struct stand *stand = xcalloc(1, sizeof(*stand));
	char dir[200];

	snprintf(stand->path, sizeof(stand->path), "%s/%s.db", test_dir(), name);
	snprintf(dir, sizeof(dir), "%s/%s", test_dir(), name);
	world_init(&stand->world, dir, capacity);
	test_clock_init(&stand->clock);
	stand->arena = arena_new();
	stand->owner = "snc@ctl";
	stand->epoch = 1;
	stand->deadline_ms = 5000;
	return stand;
}

void
stand_free(struct stand *stand)
{
	stand_close(stand);
	arena_free(stand->arena);
	free(stand);
}

bool
stand_call(struct stand *stand, enum verb verb, const struct row_want *want, struct row_have *have,
    size_t n, struct err *err)
{
	struct manager_call call = {.verb = verb,
	    .want = want,
	    .have = have,
	    .n = n,
	    .arena = stand->arena,
	    .caller = {.owner = stand->owner,
		.epoch = stand->epoch,
		.floor = stand->floor,
		.deadline_ms = stand->deadline_ms}};

	return manager_call(stand->manager, &call, err);
}

struct row_have
stand_reserve(struct stand *stand, uint64_t rid, const char *spec)
{
	struct row_want want = {.rid = rid, .kind = "unit", .spec = spec};
	struct row_have have;

	assert_true(stand_call(stand, VERB_RESERVE, &want, &have, 1, NULL));
	return have;
}

struct row_have
stand_commit(struct stand *stand, uint64_t rid, const char *attr, int64_t rev)
{
	struct row_want want = {.rid = rid, .attr = attr, .rev = rev};
	struct row_have have;

	assert_true(stand_call(stand, VERB_COMMIT, &want, &have, 1, NULL));
	return have;
}

struct row_have
stand_release(struct stand *stand, uint64_t rid)
{
	struct row_want want = {.rid = rid};
	struct row_have have;

	assert_true(stand_call(stand, VERB_RELEASE, &want, &have, 1, NULL));
	return have;
}

void
stand_put(struct stand *stand, uint64_t rid, enum row_state state)
{
	if (state >= ROW_HELD)
		(void)stand_reserve(stand, rid, "units=1");
	if (state >= ROW_COMMITTED)
		(void)stand_commit(stand, rid, "", 1);
	if (state >= ROW_RELEASED)
		(void)stand_release(stand, rid);
}

void
stand_pass_ms(struct stand *stand, int64_t ms)
{
	stand->clock.ahead_ms += ms;
	manager_wake(stand->manager);
}
