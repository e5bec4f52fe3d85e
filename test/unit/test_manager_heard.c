/*
 * A kind that hears of its rows: of each at start and after every change, and of nothing that was
 * not stored.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/engine/manager.h"
#include "test/support/suite.h"

struct ear {
	pthread_mutex_t lock;
	struct str heard;    /* "RID STATE EFFECT REV" a line */
	struct str admitted; /* "RID ROWS-IN-THE-BOOK" a line */
	struct store *store;
	struct manager *manager;
	struct arena *arena;
};

static bool
admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	struct ear *ear = self;

	(void)txn, (void)result;
	str_addf(&ear->admitted, "%d %zu\n", (int)row->rid, book->n_rows);
	return strcmp(row->spec, "no") != 0 || err_set(err, ERR_CAPACITY, "no");
}

static void
heard(void *self, const struct row *row)
{
	struct ear *ear = self;

	pthread_mutex_lock(&ear->lock);
	str_addf(&ear->heard, "%d %s %d %d\n", (int)row->rid, row_state_text(row->state),
	    row->has_effect, (int)row->rev);
	pthread_mutex_unlock(&ear->lock);
}

static bool
act(void *self, const struct row *row, struct err *err)
{
	(void)self, (void)row, (void)err;
	return true;
}

static void
ear_open(struct ear *ear)
{
	struct manager_kind kind = {.name = "unit",
	    .self = ear,
	    .admit = admit,
	    .ensure = act,
	    .remove = act,
	    .heard = heard};
	struct manager_config config = {.clock = &clock_real, .kinds = &kind, .n_kinds = 1};
	auto_str struct str path = {0};
	struct err err = {0};

	str_addf(&path, "%s/heard.db", test_dir());
	ear->store = store_open(path.text, manager_migrations, n_manager_migrations, &err);
	assert_text(err.text, "");
	config.store = ear->store;
	ear->manager = manager_new(&config, &err);
	assert_text(err.text, "");
}

static void
ear_close(struct ear *ear)
{
	manager_free(ear->manager);
	store_close(ear->store);
	str_clear(&ear->heard);
	str_clear(&ear->admitted);
}

static void
call(struct ear *ear, enum verb verb, const struct row_want *want, size_t n)
{
	struct row_have have[4];
	struct manager_call call = {
	    .caller = {.owner = "snc@ctl", .epoch = 1, .deadline_ms = 5000},
	    .verb = verb,
	    .want = want,
	    .n = n,
	    .have = have,
	    .arena = ear->arena,
	};
	struct err err = {0};

	assert_true(manager_call(ear->manager, &call, &err));
}

static void
a_kind_hears_what_is_stored_and_admits_by_what_is_not(void)
{
	static const struct row_want wants[] = {{.rid = 1, .kind = "unit", .spec = "a"},
	    {.rid = 2, .kind = "unit", .spec = "no"}, {.rid = 3, .kind = "unit", .spec = "b"}};
	struct row_want commit = {.rid = 1, .attr = "x", .rev = 7}, release = {.rid = 1};
	struct ear ear = {.lock = PTHREAD_MUTEX_INITIALIZER, .arena = arena_new()};

	ear_open(&ear);
	call(&ear, VERB_RESERVE, wants, 3);
	assert_text(str_text(&ear.admitted), "1 0\n2 1\n3 1\n");
	assert_text(str_text(&ear.heard), "1 held 1 0\n3 held 1 0\n");
	str_clear(&ear.heard);
	call(&ear, VERB_COMMIT, &commit, 1);
	call(&ear, VERB_RELEASE, &release, 1);
	assert_text(str_text(&ear.heard), "1 committed 1 7\n1 released 1 7\n1 released 0 7\n");
	ear_close(&ear);

	ear_open(&ear);
	assert_text(str_text(&ear.heard), "1 released 0 7\n3 held 1 0\n");
	ear_close(&ear);
	str_done(&ear.heard);
	str_done(&ear.admitted);
	arena_free(ear.arena);
}

static const struct test tests[] = {
    TEST(a_kind_hears_what_is_stored_and_admits_by_what_is_not),
};

suite_main("manager_heard", tests)
