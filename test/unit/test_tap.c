/*
 * What a capture is made of: how it begins and ends, and the blocks of its stream.
 */
#include <string.h>

#include "redirector/pcapng.h"
#include "redirector/tap.h"
#include "test/support/suite.h"
#include "test/support/world.h"

static void
print_blocks(const struct str *stream, struct str *out)
{
	for (size_t at = 0; at + 8 <= stream->len;) {
		uint32_t length, word;

		memcpy(&length, stream->text + at + 4, sizeof(length));
		assert_true(length >= 12 && length % 4 == 0 && at + length <= stream->len);
		for (size_t i = 0; i < length; i += 4) {
			memcpy(&word, stream->text + at + i, sizeof(word));
			str_addf(out, "%s%08x", i ? " " : "", word);
		}
		str_add(out, "\n");
		memcpy(&word, stream->text + at + length - 4, sizeof(word));
		CU_ASSERT_EQUAL(word, length);
		at += length;
	}
}

static void
a_stream_is_made_of_whole_blocks(void)
{
	static const struct pcapng_interface ends[] = {
	    {"n1.p1", "link l1 of slice base", 2048}, {"n2.p1", NULL, 64}};
	auto_str struct str stream = {0}, shown = {0};

	pcapng_section(&stream, "VNode");
	pcapng_interface(&stream, &ends[0]);
	pcapng_interface(&stream, &ends[1]);
	for (uint32_t size = 0; size < 5; size++)
		pcapng_frame(&stream, &(struct pcapng_frame){.interface = size % 2,
					  .at_ns = 1700000000123456789 + size,
					  .is_sent = size % 2 == 0,
					  .size = 1500 + size,
					  .bytes = "abcd",
					  .n_bytes = size,
					  .comment = size == 4 ? "in segments" : NULL});
	pcapng_statistics(&stream,
	    &(struct pcapng_statistics){1, 1700000000000000000, 1700000001000000000, 7, 2});
	print_blocks(&stream, &shown);
	test_golden("pcapng.txt", str_text(&shown));
}

/* ---- captures ---------------------------------------------------------------------------------
 */

enum { RID = 7, OTHER = 8 };

struct scene {
	struct test_clock clock;
	struct dataplane dataplane;
	struct taps *taps;
	char id[TAP_ID_SIZE];
	struct tap_reading reading;
};

static void
scene_start(struct scene *scene)
{
	struct dataplane_link link = {.rid = RID}, other = {.rid = OTHER};
	struct err err;

	*scene = (struct scene){.reading.rid = RID};
	test_clock_init(&scene->clock);
	dataplane_fake_open(&scene->dataplane);
	assert_true(scene->dataplane.ops->put(scene->dataplane.self, &link, &err));
	assert_true(scene->dataplane.ops->put(scene->dataplane.self, &other, &err));
	scene->taps = taps_new(&scene->dataplane, &scene->clock.clock, &err);
	assert_true(scene->taps != NULL);
}

static void
scene_end(struct scene *scene)
{
	str_done(&scene->reading.bytes);
	taps_free(scene->taps);
	scene->dataplane.ops->free(scene->dataplane.self);
}

static void
start(struct scene *scene, struct tap_wish wish)
{
	auto_str struct str head = {0};
	struct err err = {0};

	wish.rid = RID;
	wish.name = "n1.p1";
	if (!tap_start(scene->taps, &wish, scene->id, &head, &err))
		printf("\n%s\n", err.text);
	assert_true(head.len > 0);
}

/* A frame of so many bytes, all of them kept. */
static bool
copy(struct scene *scene, uint64_t at_ns, uint32_t size)
{
	static const char bytes[65536];
	struct dataplane_copy copied = {
	    .at_ns = at_ns, .is_sent = true, .size = size, .bytes = bytes, .n_bytes = size};

	return dataplane_fake_copy(&scene->dataplane, RID, &copied);
}

/* Reads until it has ended; all that is read is in reading.bytes then. */
static void
read_all(struct scene *scene)
{
	auto_str struct str whole = {0};
	struct err err = {0};

	scene->reading.wait_ms = 5000;
	do {
		assert_true(tap_read(scene->taps, scene->id, &scene->reading, &err));
		str_add_bytes(&whole, str_text(&scene->reading.bytes), scene->reading.bytes.len);
		str_done(&scene->reading.bytes);
	} while (!scene->reading.is_ended);
	str_add_bytes(&scene->reading.bytes, str_text(&whole), whole.len);
}

/* Whole blocks of type FRAME in what was read; *sorted: by time. */
static size_t
count_frames(const struct scene *scene, bool *sorted)
{
	const struct str *stream = &scene->reading.bytes;
	uint32_t words[5], before = 0;
	size_t n = 0;

	*sorted = true;
	for (size_t at = 0; at < stream->len; at += words[1]) {
		memcpy(words, stream->text + at, sizeof(words));
		if (words[0] != 6)
			continue;
		*sorted = *sorted && words[4] > before;
		before = words[4];
		n++;
	}
	return n;
}

static void
a_capture_ends_with_as_many_frames_as_were_asked_for(void)
{
	struct scene scene;
	bool is_sorted;

	scene_start(&scene);
	start(&scene, (struct tap_wish){.frames = 3});
	/* As they come from several processors. */
	for (uint64_t i = 0; i < 5; i++)
		assert_true(copy(&scene, 1000 * (i ^ 3), 60));
	read_all(&scene);
	CU_ASSERT_EQUAL(count_frames(&scene, &is_sorted), 3);
	CU_ASSERT_TRUE(is_sorted);
	CU_ASSERT_EQUAL(scene.reading.n_seen, 3);
	CU_ASSERT_STRING_EQUAL(scene.reading.why, "as many frames as were asked for");
	CU_ASSERT_FALSE(copy(&scene, 1, 60));
	scene_end(&scene);
}

static void
a_capture_ends_with_its_bytes(void)
{
	struct scene scene;
	bool is_sorted;

	scene_start(&scene);
	start(&scene, (struct tap_wish){.bytes = 250});
	for (uint64_t i = 1; i < 5; i++)
		copy(&scene, i, 100);
	read_all(&scene);
	CU_ASSERT_EQUAL(count_frames(&scene, &is_sorted), 2);
	scene_end(&scene);
}

static void
a_capture_ends_with_its_time(void)
{
	struct scene scene;

	scene_start(&scene);
	start(&scene, (struct tap_wish){.ms = 4000});
	scene.clock.ahead_ms = 4001;
	read_all(&scene);
	CU_ASSERT_STRING_EQUAL(scene.reading.why, "its time is over");
	scene_end(&scene);
}

static bool
is_untapped(void *self)
{
	return !copy(self, 1, 60);
}

static void
a_capture_without_its_reader_is_gone(void)
{
	struct scene scene;
	struct err err;

	scene_start(&scene);
	start(&scene, (struct tap_wish){0});
	assert_true(copy(&scene, 1, 60));
	scene.clock.ahead_ms = 10500;
	CU_ASSERT_TRUE(eventually(is_untapped, &scene));
	CU_ASSERT_FALSE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	scene_end(&scene);
}

static void
a_capture_ends_with_its_link_end(void)
{
	struct scene scene;
	struct err err;

	scene_start(&scene);
	start(&scene, (struct tap_wish){0});
	assert_true(scene.dataplane.ops->drop(scene.dataplane.self, RID, &err));
	scene.clock.ahead_ms = 1500;
	read_all(&scene);
	CU_ASSERT_STRING_EQUAL(scene.reading.why, "the link end is gone");
	scene_end(&scene);
}

/* 4 MiB wait for a reader, not more. */
static void
what_nobody_reads_in_time_is_dropped_and_counted(void)
{
	enum { FRAMES = 400, SIZE = 30000 };

	struct scene scene;
	bool is_sorted;
	size_t n;

	scene_start(&scene);
	start(&scene, (struct tap_wish){.snaplen = TAP_SNAPLEN_MAX, .ms = 3000});
	for (uint64_t i = 1; i <= FRAMES; i++)
		assert_true(copy(&scene, i, SIZE));
	scene.clock.ahead_ms = 3001;
	read_all(&scene);
	n = count_frames(&scene, &is_sorted);
	CU_ASSERT_TRUE(n > 100 && n <= (4 << 20) / SIZE);
	CU_ASSERT_EQUAL(scene.reading.n_seen, FRAMES);
	CU_ASSERT_EQUAL(scene.reading.n_dropped, FRAMES - (int64_t)n);
	CU_ASSERT_EQUAL((size_t)scene.reading.cursor, scene.reading.bytes.len);
	scene_end(&scene);
}

static void
a_reader_moves_on_and_not_back(void)
{
	struct scene scene;
	struct err err;
	int64_t end;

	scene_start(&scene);
	start(&scene, (struct tap_wish){.frames = 1});
	copy(&scene, 1, 60);
	read_all(&scene);
	end = scene.reading.cursor;
	/* The last answer may be asked for again, until it is said to have come. */
	scene.reading.cursor = 0;
	CU_ASSERT_TRUE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	CU_ASSERT_EQUAL(scene.reading.cursor, end);
	CU_ASSERT_TRUE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	scene.reading.cursor = 0;
	CU_ASSERT_FALSE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	CU_ASSERT_EQUAL(err.code, ERR_BAD_VALUE);
	scene.reading.cursor = INT64_MIN;
	CU_ASSERT_FALSE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	scene.reading.cursor = end + 1;
	CU_ASSERT_FALSE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	scene_end(&scene);
}

static void
nobody_reads_the_capture_of_another_link_end(void)
{
	struct scene scene;
	struct err err;

	scene_start(&scene);
	start(&scene, (struct tap_wish){0});
	scene.reading.rid = OTHER;
	CU_ASSERT_FALSE(tap_read(scene.taps, scene.id, &scene.reading, &err));
	CU_ASSERT_EQUAL(err.code, ERR_NOT_FOUND);
	tap_stop(scene.taps, OTHER, scene.id);
	CU_ASSERT_TRUE(copy(&scene, 1, 60));
	tap_stop(scene.taps, RID, scene.id);
	CU_ASSERT_FALSE(copy(&scene, 1, 60));
	scene_end(&scene);
}

static void
wishes_that_cannot_be_are_refused(void)
{
	static const struct {
		struct tap_wish wish;
		enum err_code code;
	} cases[] = {
	    {{.rid = RID, .snaplen = TAP_SNAPLEN_MAX + 1}, ERR_BAD_VALUE},
	    {{.rid = RID, .ms = TAP_MS_MAX + 1}, ERR_BAD_VALUE},
	    {{.rid = RID, .bytes = -1}, ERR_BAD_VALUE},
	    {{.rid = RID, .frames = -1}, ERR_BAD_VALUE},
	    {{.rid = RID, .filter = "imcp"}, ERR_BAD_VALUE},
	    {{.rid = 9}, ERR_NOT_FOUND},
	};
	struct scene scene;

	scene_start(&scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_str struct str head = {0};
		struct err err;

		CU_ASSERT_FALSE(tap_start(scene.taps, &cases[i].wish, scene.id, &head, &err));
		CU_ASSERT_EQUAL(err.code, cases[i].code);
	}
	scene_end(&scene);
}

static enum err_code
start_by(struct scene *scene, const char *by)
{
	auto_str struct str head = {0};
	struct err err = {0};

	struct tap_wish wish = {.rid = RID, .by = by};

	return tap_start(scene->taps, &wish, scene->id, &head, &err) ? (enum err_code)0 : err.code;
}

static void
one_user_gets_half_of_the_captures(void)
{
	struct scene scene;

	scene_start(&scene);
	for (int i = 0; i < TAPS_OF_ONE; i++)
		CU_ASSERT_EQUAL(start_by(&scene, "ann"), 0);
	CU_ASSERT_EQUAL(start_by(&scene, "ann"), ERR_LIMIT);
	for (int i = TAPS_OF_ONE; i < TAPS_MAX - 1; i++)
		CU_ASSERT_EQUAL(start_by(&scene, "ben"), 0);
	CU_ASSERT_EQUAL(start_by(&scene, "eve"), 0);
	CU_ASSERT_EQUAL(start_by(&scene, "eve"), ERR_LIMIT);
	tap_stop(scene.taps, RID, scene.id);
	CU_ASSERT_EQUAL(start_by(&scene, "ann"), ERR_LIMIT);
	CU_ASSERT_EQUAL(start_by(&scene, "eve"), 0);
	scene_end(&scene);
}

static const struct test tests[] = {
    TEST(a_stream_is_made_of_whole_blocks),
    TEST(a_capture_ends_with_as_many_frames_as_were_asked_for),
    TEST(a_capture_ends_with_its_bytes),
    TEST(a_capture_ends_with_its_time),
    TEST(a_capture_without_its_reader_is_gone),
    TEST(a_capture_ends_with_its_link_end),
    TEST(what_nobody_reads_in_time_is_dropped_and_counted),
    TEST(a_reader_moves_on_and_not_back),
    TEST(nobody_reads_the_capture_of_another_link_end),
    TEST(wishes_that_cannot_be_are_refused),
    TEST(one_user_gets_half_of_the_captures),
};

suite_main("tap", tests)
