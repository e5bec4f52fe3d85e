/*
 * lib/base: errors, arena, strings, maps, ids.
 */
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/heap.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/base/vec.h"
#include "test/support/suite.h"

static void
an_error_is_prefixed_on_its_way_up(void)
{
	struct err err = {0};

	assert_true(!err_set(&err, ERR_R01, "cpu: %d wanted", 3));
	assert_true(!err_in(&err, "node '%s'", "n1"));

	assert_equal(err.code, ERR_R01);
	assert_text(err.text, "node 'n1': cpu: 3 wanted");
}

static void
every_code_is_found_by_its_text(void)
{
	for (int code = 0; code < ERR_COUNT; code++)
		assert_equal(
		    err_code_parse(err_code_text((enum err_code)code)), (enum err_code)code);
	assert_equal(err_code_parse("no such"), ERR_INTERNAL);
}

static void
an_arena_keeps_what_it_made(void)
{
	auto_arena struct arena *arena = arena_new();
	char *texts[1000] = {NULL};

	for (int i = 0; i < 1000; i++)
		texts[i] = arena_format(arena, "text %d", i);
	memset(arena_alloc(arena, 100000), 7, 100000);

	assert_text(texts[0], "text 0");
	assert_text(texts[999], "text 999");
}

static void
a_map_finds_puts_and_drops(void)
{
	auto_map struct map *map = map_new();
	int values[500];

	for (uint64_t i = 0; i < 500; i++)
		assert_true(!map_put_id(map, i * 64, &values[i]));
	for (uint64_t i = 0; i < 500; i += 2)
		assert_equal(map_drop_id(map, i * 64), &values[i]);

	assert_equal(map_size(map), 250);
	for (uint64_t i = 0; i < 500; i++)
		assert_equal(map_get_id(map, i * 64), i % 2 ? &values[i] : NULL);
}

static void
a_map_replaces_a_value_and_returns_the_old_one(void)
{
	auto_map struct map *map = map_new();
	int old, new;

	map_put(map, "key", &old);

	assert_equal(map_put(map, "key", &new), &old);
	assert_equal(map_get(map, "key"), &new);
	assert_equal(map_get(map, "other"), NULL);
}

static void
an_id_survives_being_written_and_read(void)
{
	static const uint64_t ids[] = {0, 1, 15, 16, 0xffffffffffu, ~0ull};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		uint64_t back = 77;

		assert_true(id_parse(id_text(ids[i]).text, &back, NULL));
		assert_equal(back, ids[i]);
	}
	assert_equal(strlen(id_port_device(1).name), 15);
}

static void
an_id_of_wrong_form_is_refused(void)
{
	static const char *const wrong[] = {
	    "", "0", "000000000000W", "00000000000000", "0000000000001"};
	struct err err;
	uint64_t id;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_true(!id_parse(wrong[i], &id, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
}

static void
numbers_are_whole_and_in_range(void)
{
	long long value = 5;

	assert_true(str_to_i64("-3", -3, 9, &value));
	assert_equal(value, -3);
	assert_true(!str_to_i64("10", 0, 9, &value));
	assert_true(!str_to_i64("1x", 0, 9, &value));
	assert_true(!str_to_i64(" 1", 0, 9, &value));
	assert_true(!str_to_i64("99999999999999999999", 0, 9, &value));
}

static void
keep_line(void *self, enum log_level level, const char *line)
{
	(void)level;
	str_add(self, line);
}

static void
a_log_line_stays_one_line(void)
{
	auto_str struct str kept = {0};

	log_set_sink(keep_line, &kept);
	log_warn("test", "name=%s", "a\nb");
	log_debug("test", "not shown");
	log_set_sink(NULL, NULL);

	assert_true(strstr(kept.text, "warn test: name=a?b") != NULL);
	assert_true(!strstr(kept.text, "not shown"));
}

/* 200 that are due at 10 times, some moved, some taken out again. */
static void
what_is_due_comes_in_order(void)
{
	static struct due dues[200];
	struct heap heap = {0};
	struct due *due, *last = NULL;
	size_t n = 0;

	for (size_t i = 0; i < 200; i++)
		heap_put(&heap, &dues[i], (int64_t)(i * 7919 % 10));
	for (size_t i = 0; i < 200; i += 3)
		heap_put(&heap, &dues[i], (int64_t)(i * 104729 % 10));
	for (size_t i = 1; i < 200; i += 4)
		heap_drop(&heap, &dues[i]);
	heap_drop(&heap, &dues[1]);

	for (; (due = heap_first(&heap)); n++) {
		assert_true((due - dues) % 4 != 1);
		assert_true(!last || last->at_ms < due->at_ms ||
			    (last->at_ms == due->at_ms && last->turn < due->turn));
		last = due;
		heap_drop(&heap, due);
		assert_equal(due->place, 0);
	}
	assert_equal(n, 150);
	heap_done(&heap);
}

static const struct test tests[] = {
    TEST(an_error_is_prefixed_on_its_way_up),
    TEST(every_code_is_found_by_its_text),
    TEST(an_arena_keeps_what_it_made),
    TEST(a_map_finds_puts_and_drops),
    TEST(a_map_replaces_a_value_and_returns_the_old_one),
    TEST(an_id_survives_being_written_and_read),
    TEST(an_id_of_wrong_form_is_refused),
    TEST(numbers_are_whole_and_in_range),
    TEST(a_log_line_stays_one_line),
    TEST(what_is_due_comes_in_order),
};

suite_main("base", tests)
