/*
 * programmer's folders, images and guest files, and lib/base/command.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/command.h"
#include "programmer/folder.h"
#include "programmer/guest.h"
#include "programmer/image.h"
#include "programmer/probe.h"
#include "test/support/suite.h"

static const char *
own_path(struct arena *arena, const char *name)
{
	return arena_format(arena, "%s/%s", test_dir(), name);
}

/* ---- folders --------------------------------------------------------------------------------- */

static void
a_folder_is_removed_however_deep_it_is(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = own_path(arena, "deep");
	struct err err = {0};
	int folder;

	assert_true(folder_make(path, 0700, getuid(), &err));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int depth = 0; depth < 2000; depth++) {
		int next;

		assert_equal(mkdirat(folder, "d", 0700), 0);
		next = openat(folder, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(folder);
		folder = next;
	}
	close(folder);

	assert_true(folder_remove(path, &err));
	assert_true(access(path, F_OK) < 0);
	assert_true(folder_remove(path, &err));
}

static void
removal_follows_no_link_out_of_the_folder(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = own_path(arena, "links"), *outside = own_path(arena, "outside");
	const char *inside = arena_format(arena, "%s/folder", outside);
	struct err err = {0};

	assert_true(folder_make(outside, 0700, getuid(), &err));
	assert_true(folder_make(inside, 0700, getuid(), &err));
	assert_true(folder_make(path, 0700, getuid(), &err));
	assert_equal(symlink(outside, arena_format(arena, "%s/link", path)), 0);

	assert_true(folder_remove(path, &err));
	assert_equal(access(inside, F_OK), 0);
	/* Nor is a link in the place of the folder itself. */
	assert_equal(symlink(outside, path), 0);
	assert_true(!folder_remove(path, &err));
	assert_equal(access(inside, F_OK), 0);
}

static void
a_file_too_large_is_refused(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *path = own_path(arena, "file");
	auto_free char *text = NULL;
	struct err err = {0};
	size_t size;

	assert_true(file_put(path, "12345", 5, getuid(), &err));
	text = file_get(path, 5, &size, &err);
	assert_text(text, "12345");
	assert_true(!file_get(path, 4, &size, &err));
	assert_equal(err.code, ERR_LIMIT);
	assert_true(!file_get(own_path(arena, "none"), 4, &size, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
}

/* ---- guest ----------------------------------------------------------------------------------- */

static const struct guest guest = {.files = {{"ports", "02:00:00:00:00:01 east 1500\n"},
				       {"hostname", "n1\n"}, {"user-data", "echo 12\n"}},
    .n_files = 3};

/* Both archives as the kernel would: the second one begins at a multiple of four. */
static void
an_initrd_is_the_images_with_the_guests_files_behind(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *image = own_path(arena, "initrd"), *made = own_path(arena, "initrd.made");
	const char *script = arena_format(arena,
	    "cd %s && tail -c +9 initrd.made | busybox cpio -idm && cat vnode/ports vnode/hostname "
	    "vnode/user-data",
	    test_dir());
	const char *const argv[] = {"sh", "-c", script, NULL};
	const struct command command = {.argv = argv, .timeout_ms = 20000, .output_max = 4096};
	auto_str struct str output = {0};
	auto_free char *bytes = NULL;
	struct command_end end;
	struct err err = {0};
	size_t size;

	assert_true(file_put(image, "image", 5, getuid(), &err));
	assert_true(guest_initrd(&guest, image, made, getuid(), &err));
	bytes = test_read(made, &size);
	assert_true(size > 8 && !memcmp(bytes,
				    "image\0\0\0"
				    "070701",
				    14));
	assert_true(command_run(&command, &output, &end, &err));
	assert_equal(end.exit, 0);
	assert_true(
	    strstr(str_text(&output), "02:00:00:00:00:01 east 1500\nn1\necho 12\n") != NULL);
}

static void
a_guests_folder_has_its_files(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *folder = own_path(arena, "vnode.folder");
	auto_free char *text = NULL;
	struct err err = {0};
	size_t size;

	assert_true(guest_folder(&guest, folder, getuid(), &err));
	assert_true(guest_folder(&guest, folder, getuid(), &err));
	text = test_read(arena_format(arena, "%s/ports", folder), &size);
	assert_text(text, "02:00:00:00:00:01 east 1500\n");
}

/* ---- images ---------------------------------------------------------------------------------- */

static void
a_catalogue_is_listed_by_name_without_what_is_broken(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *catalogue = own_path(arena, "images");
	const struct image *images;
	struct err err = {0};
	size_t n;

	assert_true(folder_make(catalogue, 0700, getuid(), &err));
	for (int i = 0; i < 3; i++) {
		const char *folder = arena_format(arena, "%s/%c", catalogue, 'c' - i);

		assert_true(folder_make(folder, 0700, getuid(), &err));
		assert_true(file_put(arena_format(arena, "%s/image.conf", folder),
		    "[image]\nkind=container\nmemory=1MiB\nroot=.\n", i == 1 ? 7 : 42, getuid(),
		    &err));
	}
	image_list(catalogue, arena, &images, &n);

	assert_equal(n, 2);
	assert_text(images[0].name, "a");
	assert_text(images[1].name, "c");
	assert_equal(images[1].memory_bytes, 1 << 20);
	assert_equal(images[1].disk_bytes, 0);
	image_list(own_path(arena, "nowhere"), arena, &images, &n);
	assert_equal(n, 0);
}

static void
the_answer_about_kvm_is_remembered(void)
{
	auto_arena struct arena *arena = arena_new();
	const char *cache = own_path(arena, "kvm"), *catalogue = own_path(arena, "no-images");
	auto_str struct str why = {0};

	/* Without an image there is nothing to try it with, and nothing is remembered. */
	assert_equal(probe_cached(catalogue, cache, &why), ACCEL_TCG);
	assert_text(str_text(&why), "no image of a VM to try it with");
	assert_true(access(cache, F_OK) < 0);
}

/* ---- commands -------------------------------------------------------------------------------- */

static struct command_end
run(const char *script, struct command command, struct str *output)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct command_end end;
	struct err err = {0};

	command.argv = argv;
	if (!command.timeout_ms)
		command.timeout_ms = 20000;
	if (!command.output_max)
		command.output_max = 1000;
	assert_true(command_run(&command, output, &end, &err));
	return end;
}

static void
a_command_gives_its_output_and_exit_code(void)
{
	auto_str struct str output = {0}, killed = {0};
	struct command_end end =
	    run("echo out; echo err >&2; exit 3", (struct command){0}, &output);

	assert_equal(end.exit, 3);
	assert_text(str_text(&output), "out\nerr\n");
	assert_equal(run("kill -9 $$", (struct command){0}, &killed).exit, 128 + SIGKILL);
}

static void
a_command_without_program_is_not_found(void)
{
	const char *const argv[] = {"vnode-no-such-program", NULL};
	auto_str struct str output = {0};
	struct command_end end;
	struct err err = {0};

	assert_true(
	    !command_run(&(struct command){.argv = argv, .timeout_ms = 1000}, &output, &end, &err));
	assert_equal(err.code, ERR_NOT_FOUND);
}

static void
a_command_too_slow_is_killed_with_its_children(void)
{
	auto_str struct str output = {0}, alive = {0};
	struct command_end end =
	    run("sleep 1000 & echo $!; wait", (struct command){.timeout_ms = 200}, &output);
	auto_arena struct arena *arena = arena_new();

	assert_true(end.is_late);
	assert_equal(end.exit, 128 + SIGKILL);
	/* A zombie, which nobody has reaped yet, is as dead as can be. */
	assert_equal(run(arena_format(arena,
			     "for i in $(seq 200); do grep -qs '^State:[[:space:]]*[^ZX]' "
			     "/proc/%ld/status || exit 7; sleep 0.05; done",
			     strtol(str_text(&output), NULL, 10)),
			 (struct command){0}, &alive)
			 .exit,
	    7);
}

static void
what_a_command_prints_is_limited(void)
{
	auto_str struct str output = {0};
	struct command_end end = run("head -c 300000 /dev/zero | tr '\\0' x; exit 2",
	    (struct command){.output_max = 1234}, &output);

	assert_equal(end.exit, 2);
	assert_equal(output.len, 1234);
}

static void
a_command_is_ended_by_what_it_prints(void)
{
	auto_str struct str output = {0};
	struct command_end end = run("printf 'rea'; printf 'dy\\n'; sleep 1000",
	    (struct command){.until = "ready"}, &output);

	assert_true(end.has_printed);
	assert_true(!end.is_late);
}

static void
processes_left_behind_are_not_waited_for(void)
{
	auto_str struct str output = {0};
	int64_t before_ms = clock_boot_ms(&clock_real);
	struct command_end end = run("setsid sleep 30 & echo done", (struct command){0}, &output);

	assert_equal(end.exit, 0);
	assert_text(str_text(&output), "done\n");
	assert_true(clock_boot_ms(&clock_real) - before_ms < 20000);
}

static const struct test tests[] = {
    TEST(a_folder_is_removed_however_deep_it_is),
    TEST(removal_follows_no_link_out_of_the_folder),
    TEST(a_file_too_large_is_refused),
    TEST(an_initrd_is_the_images_with_the_guests_files_behind),
    TEST(a_guests_folder_has_its_files),
    TEST(a_catalogue_is_listed_by_name_without_what_is_broken),
    TEST(the_answer_about_kvm_is_remembered),
    TEST(a_command_gives_its_output_and_exit_code),
    TEST(a_command_without_program_is_not_found),
    TEST(a_command_too_slow_is_killed_with_its_children),
    TEST(what_a_command_prints_is_limited),
    TEST(a_command_is_ended_by_what_it_prints),
    TEST(processes_left_behind_are_not_waited_for),
};

suite_main("node_files", tests)
