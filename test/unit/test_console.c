/*
 * programmer/console: what guests print is kept, counted, waited for, and outlives the reader.
 */
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "lib/base/str.h"
#include "programmer/console.h"
#include "programmer/console_file.h"
#include "programmer/folder.h"
#include "test/support/suite.h"

enum { RID = 5, WAIT_MS = 20000 };

struct scene {
	struct arena *arena;
	const char *folder;
	struct console_set *set;
	struct console_ends ends;
	int guest_out, guest_in; /* the guest's ends of the FIFOs */
};

static void
console_cleanup(struct console_set **set)
{
	console_set_free(*set);
}

static void
scene_init(struct scene *scene)
{
	static int number;
	struct arena *arena = arena_new();
	const char *node;
	struct err err = {0};

	scene->arena = arena;
	scene->folder = arena_format(arena, "%s/%d", test_dir(), number++);
	node = arena_format(arena, "%s/%s", scene->folder, id_text(RID).text);
	assert_true(folder_make(scene->folder, 0700, getuid(), &err));
	assert_true(folder_make(node, 0700, getuid(), &err));
	scene->ends.output = arena_format(arena, "%s/out", node);
	scene->ends.input = arena_format(arena, "%s/in", node);
	assert_equal(mkfifo(scene->ends.output, 0600), 0);
	assert_equal(mkfifo(scene->ends.input, 0600), 0);
	scene->guest_out = open(scene->ends.output, O_RDWR | O_CLOEXEC);
	scene->guest_in = open(scene->ends.input, O_RDWR | O_CLOEXEC);
	scene->set = console_set_new(scene->folder, &err);
	assert_true(scene->set != NULL);
	assert_true(console_begin(scene->set, RID, &err));
	assert_true(console_attach(scene->set, RID, &scene->ends, &err));
}

static void
scene_done(struct scene *scene)
{
	console_set_free(scene->set);
	close(scene->guest_out);
	close(scene->guest_in);
	arena_free(scene->arena);
}

#define auto_scene __attribute__((cleanup(scene_done)))

static void
print(struct scene *scene, const char *text)
{
	assert_equal(write(scene->guest_out, text, strlen(text)), (ssize_t)strlen(text));
}

/* Reads on until `size` bytes have come; appended to `out`. */
static struct console_text
read_all(struct scene *scene, int64_t offset, size_t size, struct str *out)
{
	struct console_text text = {.offset = offset, .wait_ms = WAIT_MS};
	struct err err = {0};

	for (;;) {
		assert_true(console_read(scene->set, RID, scene->arena, &text, &err));
		str_add_bytes(out, text.bytes, text.size);
		if (out->len >= size || !text.size)
			return text;
		text.offset += (int64_t)text.size;
	}
}

static void
output_is_read_from_any_offset(void)
{
	auto_scene struct scene scene;
	auto_str struct str all = {0}, rest = {0};
	struct console_text text;

	scene_init(&scene);
	print(&scene, "hello world");
	read_all(&scene, 0, 11, &all);
	text = read_all(&scene, 6, 5, &rest);

	assert_text(str_text(&all), "hello world");
	assert_text(str_text(&rest), "world");
	assert_equal(text.offset, 6);
}

static void *
print_later(void *self)
{
	struct scene *scene = self;

	print(scene, "late");
	return NULL;
}

static void
a_reader_waits_for_output(void)
{
	auto_scene struct scene scene;
	auto_str struct str out = {0};
	pthread_t guest;

	scene_init(&scene);
	assert_equal(pthread_create(&guest, NULL, print_later, &scene), 0);
	read_all(&scene, 0, 4, &out);
	pthread_join(guest, NULL);

	assert_text(str_text(&out), "late");
}

static void
the_guest_is_ready_when_it_says_so_even_in_two_pieces(void)
{
	auto_scene struct scene scene;
	auto_str struct str out = {0}, more = {0};

	scene_init(&scene);
	print(&scene, "booting vnode-re");
	assert_true(!read_all(&scene, 0, 16, &out).is_ready);
	print(&scene, "ady\n");

	assert_true(read_all(&scene, 16, 4, &more).is_ready);
	assert_true(console_is_ready(scene.set, RID));
}

static void
a_guest_that_starts_again_is_not_ready_and_offsets_run_on(void)
{
	auto_scene struct scene scene;
	auto_str struct str out = {0}, more = {0};
	struct err err = {0};

	scene_init(&scene);
	print(&scene, "vnode-ready");
	read_all(&scene, 0, 11, &out);
	console_detach(scene.set, RID);
	assert_true(console_begin(scene.set, RID, &err));
	assert_true(!console_is_ready(scene.set, RID));
	assert_true(console_attach(scene.set, RID, &scene.ends, &err));
	print(&scene, "again");

	assert_equal(read_all(&scene, 11, 5, &more).offset, 11);
	assert_text(str_text(&more), "again");
	assert_true(!console_is_ready(scene.set, RID));
}

static void
output_outlives_the_reader_and_goes_on(void)
{
	auto_scene struct scene scene;
	auto_str struct str out = {0}, more = {0};
	struct err err = {0};

	scene_init(&scene);
	print(&scene, "one vnode-ready ");
	read_all(&scene, 0, 16, &out);
	console_set_free(scene.set);
	print(&scene, "two");
	scene.set = console_set_new(scene.folder, &err);
	assert_true(console_is_ready(scene.set, RID));
	assert_true(console_attach(scene.set, RID, &scene.ends, &err));

	read_all(&scene, 0, 19, &more);
	assert_text(str_text(&more), "one vnode-ready two");
}

static void
a_file_keeps_the_newest_output_only(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = arena_format(arena, "%s/file", test_dir());
	struct console_file file = {.fd = -1};
	char line[1000];
	struct err err = {0};

	assert_true(console_file_open(&file, path, true, &err));
	for (int i = 0; i < 1000; i++) {
		memset(line, 'a' + i % 26, sizeof(line));
		assert_true(console_file_add(&file, line, sizeof(line), &err));
		assert_true(file.end - file.head.base <= CONSOLE_FILE_MAX + (int64_t)sizeof(line));
		assert_true(file.end < CONSOLE_KEEP || file.end - file.head.base >= CONSOLE_KEEP);
	}

	assert_equal(file.end, 1000000);
	assert_equal(console_file_read(&file, 999000, line, sizeof(line)), 1000);
	assert_equal(line[0], 'a' + 999 % 26);
	assert_equal(line[999], 'a' + 999 % 26);
	assert_equal(console_file_read(&file, file.head.base - 1, line, 1), 0);
	console_file_close(&file);
}

static void
the_newest_output_is_read_where_no_offset_is_given(void)
{
	auto_scene struct scene scene;
	struct console_text text = {.offset = -1};
	int64_t total = 0;
	struct err err = {0};

	scene_init(&scene);
	for (int i = 0; i < 100; i++) {
		auto_str struct str drain = {0};
		char line[1000];

		memset(line, 'a' + i % 26, sizeof(line));
		assert_equal(write(scene.guest_out, line, sizeof(line)), 1000);
		read_all(&scene, total, 1000, &drain);
		total += 1000;
	}

	assert_true(console_read(scene.set, RID, scene.arena, &text, &err));
	assert_equal(text.size, CONSOLE_READ_MAX);
	assert_equal(text.offset, total - CONSOLE_READ_MAX);
	assert_equal(((const char *)text.bytes)[text.size - 1], 'a' + 99 % 26);
}

static void
what_is_typed_reaches_the_guest(void)
{
	auto_scene struct scene scene;
	char typed[8] = "";
	struct err err = {0};

	scene_init(&scene);
	assert_true(console_write(scene.set, RID, "ls\n", 3, &err));

	assert_equal(read(scene.guest_in, typed, sizeof(typed)), 3);
	assert_text(typed, "ls\n");
}

static void
typing_is_refused_when_the_guest_does_not_read_or_is_off(void)
{
	auto_scene struct scene scene;
	static char much[CONSOLE_WRITE_MAX];
	struct err err = {0};
	int n = 0;

	scene_init(&scene);
	while (n < 64 && console_write(scene.set, RID, much, sizeof(much), &err))
		n++;
	assert_true(n < 64);
	assert_equal(err.code, ERR_TIMEOUT);
	console_detach(scene.set, RID);
	assert_true(!console_write(scene.set, RID, "x", 1, &err));
	assert_equal(err.code, ERR_CONFLICT);
}

static void
a_console_that_never_was_is_not_found(void)
{
	auto_scene struct scene scene;
	struct console_text text = {.offset = 0};
	struct err err = {0};

	scene_init(&scene);
	assert_true(!console_read(scene.set, RID + 1, scene.arena, &text, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!console_write(scene.set, RID + 1, "x", 1, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
	assert_true(!console_is_ready(scene.set, RID + 1));
}

static void
a_broken_file_is_begun_anew(void)
{
	__attribute__((cleanup(console_cleanup))) struct console_set *set = NULL;
	auto_arena struct arena *arena = arena_new();
	const char *folder = arena_format(arena, "%s/broken", test_dir());
	const char *node = arena_format(arena, "%s/%s", folder, id_text(RID).text);
	struct console_text text = {.offset = -1};
	struct err err = {0};

	assert_true(folder_make(folder, 0700, getuid(), &err));
	assert_true(folder_make(node, 0700, getuid(), &err));
	assert_true(file_put(arena_format(arena, "%s/console", node), "vnod", 4, getuid(), &err));
	assert_equal(chmod(arena_format(arena, "%s/console", node), 0600), 0);
	set = console_set_new(folder, &err);

	assert_true(console_begin(set, RID, &err));
	assert_true(console_read(set, RID, arena, &text, &err));
	assert_equal(text.size, 0);
	assert_equal(text.offset, 0);
}

static const struct test tests[] = {
    TEST(output_is_read_from_any_offset),
    TEST(a_reader_waits_for_output),
    TEST(the_guest_is_ready_when_it_says_so_even_in_two_pieces),
    TEST(a_guest_that_starts_again_is_not_ready_and_offsets_run_on),
    TEST(output_outlives_the_reader_and_goes_on),
    TEST(a_file_keeps_the_newest_output_only),
    TEST(the_newest_output_is_read_where_no_offset_is_given),
    TEST(what_is_typed_reaches_the_guest),
    TEST(typing_is_refused_when_the_guest_does_not_read_or_is_off),
    TEST(a_console_that_never_was_is_not_found),
    TEST(a_broken_file_is_begun_anew),
};

suite_main("console", tests)
