/*
 * programmerd's verbs over a hypervisor in memory: admission, start, stop, death, strays.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/id.h"
#include "programmer/folder.h"
#include "programmer/hypervisor_fake.h"
#include "programmer/sliver.h"
#include "test/support/suite.h"

enum { RID = 7 };

struct scene {
	struct arena *arena;
	struct hypervisor_fake *fake;
	struct programmer *programmer;
	const char *folder; /* of the nodes */
	const char *name;   /* of the domain of RID */
};

static void
put_file(const char *path, const char *text)
{
	struct err err = {0};

	assert_true(file_put(path, text, strlen(text), getuid(), &err));
}

static const char *
make_image(struct arena *arena, const char *catalogue, const char *name, const char *conf)
{
	const char *folder = arena_format(arena, "%s/%s", catalogue, name);
	struct err err = {0};

	assert_true(folder_make(folder, 0755, getuid(), &err));
	put_file(arena_format(arena, "%s/image.conf", folder), conf);
	return folder;
}

static void
scene_init(struct scene *scene)
{
	static int number;
	struct arena *arena = arena_new();
	const char *dir = arena_format(arena, "%s/%d", test_dir(), number++);
	const char *images = arena_format(arena, "%s/images", dir), *vm;
	struct node_conf conf = {.instance = xstrdup("here"),
	    .images = xstrdup(images),
	    .folder = xstrdup(arena_format(arena, "%s/nodes", dir)),
	    .kvm = xstrdup("no"),
	    .uid_base = getuid(),
	    .qemu_uid = getuid(),
	    .capacity = {.cpu = 4, .memory_bytes = 1024 << 20, .disk_bytes = 1000 << 20}};
	struct err err = {0};

	assert_true(folder_make(dir, 0755, getuid(), &err));
	assert_true(folder_make(images, 0755, getuid(), &err));
	vm = make_image(arena, images, "vm",
	    "[image]\nkind=vm\nmemory=128MiB\ndisk=100MiB\nkernel=k\ninitrd=i\ncmdline=quiet\n");
	put_file(arena_format(arena, "%s/k", vm), "kernel");
	put_file(arena_format(arena, "%s/i", vm), "initrd");
	make_image(arena, images, "broken", "[image]\nkind=vm\nkernel=none\ninitrd=none\n");
	scene->arena = arena;
	scene->fake = hypervisor_fake_new();
	scene->programmer = programmer_new(&conf, hypervisor_fake(scene->fake), ACCEL_TCG, &err);
	assert_true(scene->programmer != NULL);
	scene->folder = arena_format(arena, "%s/nodes/%s", dir, id_text(RID).text);
	scene->name = arena_format(arena, "here-%s", id_text(RID).text);
}

static void
scene_done(struct scene *scene)
{
	programmer_free(scene->programmer);
	hypervisor_fake_free(scene->fake);
	arena_free(scene->arena);
}

#define auto_scene __attribute__((cleanup(scene_done)))

/* A spec that is good; `last` is put behind it, in place of the line with the same key. */
static const char *
spec_with(struct arena *arena, const char *last)
{
	static const char *const lines[] = {"slice=s", "name=n1", "form=vm", "image=vm", "cpu=1",
	    "cpu_share=0", "memory_bytes=134217728", "disk_bytes=0", "iops=0"};
	auto_str struct str spec = {0};
	size_t key = strcspn(last, "=");

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!*last || strncmp(lines[i], last, key + 1) != 0)
			str_addf(&spec, "%s\n", lines[i]);
	str_add(&spec, last);
	str_add(&spec, *last ? "\n" : "");
	return arena_text(arena, str_text(&spec));
}

static struct row
row_of(struct arena *arena, uint64_t rid, const char *last)
{
	return (struct row){.rid = rid,
	    .kind = "node",
	    .spec = spec_with(arena, last),
	    .attr = "",
	    .state = ROW_COMMITTED};
}

static bool
admit(struct scene *scene, const struct row *row, const struct manager_book *book, struct err *err)
{
	auto_str struct str result = {0};

	return sliver_admit(scene->programmer, NULL, row, book, &result, err);
}

/* ---- admission ------------------------------------------------------------------------------- */

static void
admit_refuses_what_does_not_fit_with_its_code(void)
{
	static const struct {
		const char *line;
		enum err_code code;
		const char *text; /* in the sentence */
	} cases[] = {
	    {"cpu=5", ERR_R01, "cpu: 5 wanted, 4 of 4 free"},
	    {"memory_bytes=2147483648", ERR_R01, "memory: 2 GiB wanted, 1 GiB of 1 GiB free"},
	    {"disk_bytes=2097152000", ERR_R01, "disk: "},
	    {"image=nosuch", ERR_S13, "no image 'nosuch'"},
	    {"image=broken", ERR_S13, "broken"},
	    {"image=../images/vm", ERR_S13, "no image name"},
	    {"image=.", ERR_S13, "no image name"},
	    {"image=", ERR_S13, "no image name"},
	    {"form=container", ERR_S08, "made for a vm"},
	    {"memory_bytes=1048576", ERR_S08, "needs 128 MiB"},
	    {"form=zone", ERR_BAD_VALUE, "zone"},
	    {"cpu=0", ERR_BAD_VALUE, "cpu=0"},
	    {"cpu=-1", ERR_BAD_VALUE, "cpu=-1"},
	    {"cpu=many", ERR_BAD_VALUE, "cpu"},
	    {"cpu_share=1001", ERR_BAD_VALUE, "cpu_share"},
	    {"memory_bytes=0", ERR_BAD_VALUE, "memory_bytes"},
	    {"memory_bytes=9223372036854775807", ERR_BAD_VALUE, "memory_bytes"},
	    {"port=x", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"port=0000000000002 p1", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"port=0000000000002 p1 67", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"port=0000000000002 p1 1500 x", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"port=0000000000002 p%0A1 1500", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"port=0000000000002 a/b 1500", ERR_BAD_VALUE, "ID NAME MTU"},
	    {"colour=red", ERR_BAD_VALUE, "colour"},
	};
	auto_scene struct scene scene;
	struct manager_book book = {0};

	scene_init(&scene);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct row row = row_of(scene.arena, RID, cases[i].line);
		struct err err = {0};

		assert_true(!admit(&scene, &row, &book, &err));

		if (err.code != cases[i].code || !strstr(err.text, cases[i].text))
			printf("%s: %s %s\n", cases[i].line, err_code_text(err.code), err.text);
		assert_equal(err.code, cases[i].code);
		assert_true(strstr(err.text, cases[i].text) != NULL);
	}
}

static void
admit_answers_the_disk_that_is_charged(void)
{
	auto_scene struct scene scene;
	auto_str struct str result = {0};
	struct manager_book book = {0};
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");

	assert_true(sliver_admit(scene.programmer, NULL, &row, &book, &result, &err));
	assert_text(str_text(&result), "disk_bytes=104857600\n");
}

static void
admit_counts_all_nodes_that_are_charged(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row rows[3], row;
	struct manager_book book = {.rows = rows, .n_rows = 3};

	scene_init(&scene);
	rows[0] = row_of(scene.arena, 1, "cpu=2");
	rows[1] = row_of(scene.arena, 2, "cpu=1");
	rows[1].state = ROW_RELEASED;
	rows[1].has_effect = true;
	rows[2] = row_of(scene.arena, 3, "cpu=4");
	rows[2].kind = "another";
	row = row_of(scene.arena, RID, "cpu=1");
	assert_true(admit(&scene, &row, &book, &err));

	row = row_of(scene.arena, RID, "cpu=2");
	assert_true(!admit(&scene, &row, &book, &err));
	assert_equal(err.code, ERR_R01);
	assert_true(strstr(err.text, "2 wanted, 1 of 4 free") != NULL);
}

static void
admit_counts_the_disk_that_was_answered(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row held, row;
	struct manager_book book = {.rows = &held, .n_rows = 1};

	scene_init(&scene);
	held = row_of(scene.arena, 1, "");
	held.result = "disk_bytes=1000000000\n";
	row = row_of(scene.arena, RID, "");

	assert_true(!admit(&scene, &row, &book, &err));
	assert_equal(err.code, ERR_R01);
	assert_true(strstr(err.text, "disk: 100 MiB wanted") != NULL);
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool
exists(struct scene *scene, const char *name)
{
	return access(arena_format(scene->arena, "%s/%s", scene->folder, name), F_OK) == 0;
}

static void
a_vm_has_all_it_needs_when_it_starts(void)
{
	auto_scene struct scene scene;
	auto_free char *initrd = NULL;
	struct err err = {0};
	struct stat fifo;
	struct row row;
	size_t size;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "user_data=echo hello%0Atrue");
	assert_true(sliver_start(scene.programmer, &row, &err));

	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_RUNNING);
	initrd = test_read(arena_format(scene.arena, "%s/initrd", scene.folder), &size);
	assert_true(memmem(initrd, size, "echo hello\ntrue", 15) != NULL);
	assert_true(memmem(initrd, size, "vnode/hostname\0", 15) != NULL);
	assert_equal(stat(arena_format(scene.arena, "%s/console.out", scene.folder), &fifo), 0);
	assert_true(S_ISFIFO(fifo.st_mode));
	assert_true(sliver_is_there(scene.programmer, &row, &err));
}

static void
a_start_repeated_starts_nothing_twice(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	assert_true(sliver_start(scene.programmer, &row, &err));
	assert_true(sliver_start(scene.programmer, &row, &err));

	assert_equal(hypervisor_fake_starts(scene.fake), 1);
}

static void
a_vm_found_paused_is_resumed(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	assert_true(sliver_start(scene.programmer, &row, &err));
	hypervisor_fake_set(scene.fake, NODE_VM, scene.name, DOMAIN_PAUSED);
	assert_true(!sliver_is_there(scene.programmer, &row, &err));

	assert_true(sliver_start(scene.programmer, &row, &err));
	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_RUNNING);
	assert_equal(hypervisor_fake_starts(scene.fake), 1);
}

static void
a_port_whose_device_is_missing_is_waited_for(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "port=0000000000002 p1 1500");

	assert_true(!sliver_start(scene.programmer, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_PAUSED);
}

static void
off_stops_a_node_and_keeps_its_disk(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "disk_bytes=1048576");
	assert_true(sliver_start(scene.programmer, &row, &err));
	row.attr = "power=off\n";
	assert_true(!sliver_is_there(scene.programmer, &row, &err));
	assert_true(sliver_start(scene.programmer, &row, &err));

	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_ABSENT);
	assert_true(exists(&scene, "disk"));
	assert_true(sliver_is_there(scene.programmer, &row, &err));

	row.attr = "power=on\n";
	assert_true(sliver_start(scene.programmer, &row, &err));
	assert_equal(hypervisor_fake_starts(scene.fake), 2);
}

static void
a_power_that_is_neither_on_nor_off_is_refused(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	row.attr = "power=high\n";

	assert_true(!sliver_start(scene.programmer, &row, &err));
	assert_equal(err.code, ERR_BAD_VALUE);
}

static void
a_node_that_died_is_started_again_but_not_at_once_for_ever(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	assert_true(sliver_start(scene.programmer, &row, &err));
	hypervisor_fake_set(scene.fake, NODE_VM, scene.name, DOMAIN_ABSENT);
	assert_true(!sliver_is_there(scene.programmer, &row, &err));
	assert_true(sliver_start(scene.programmer, &row, &err));
	hypervisor_fake_set(scene.fake, NODE_VM, scene.name, DOMAIN_ABSENT);

	assert_true(!sliver_start(scene.programmer, &row, &err));
	assert_equal(err.code, ERR_WAIT);
	assert_true(strstr(err.text, "console") != NULL);
	assert_equal(hypervisor_fake_starts(scene.fake), 2);
}

static void
a_domain_that_hangs_is_ended_and_started_anew(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	hypervisor_fake_set(scene.fake, NODE_VM, scene.name, DOMAIN_OTHER);

	assert_true(sliver_start(scene.programmer, &row, &err));
	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_RUNNING);
	assert_equal(hypervisor_fake_starts(scene.fake), 1);
}

static void
a_node_removed_leaves_nothing_and_may_be_removed_again(void)
{
	auto_scene struct scene scene;
	struct err err = {0};
	struct row row;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "disk_bytes=1048576");
	assert_true(sliver_start(scene.programmer, &row, &err));
	assert_true(sliver_stop(scene.programmer, &row, &err));

	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_ABSENT);
	assert_true(access(scene.folder, F_OK) < 0);
	assert_true(sliver_stop(scene.programmer, &row, &err));
}

static void
a_hypervisor_out_of_reach_is_waited_for(void)
{
	auto_scene struct scene scene;
	const struct manager_object *objects;
	struct row row;
	size_t n_objects;

	scene_init(&scene);
	row = row_of(scene.arena, RID, "");
	hypervisor_fake_cut(scene.fake, true);
	for (int verb = 0; verb < 4; verb++) {
		struct err err = {0};
		bool is_done = verb == 0   ? sliver_start(scene.programmer, &row, &err)
			       : verb == 1 ? sliver_is_there(scene.programmer, &row, &err)
			       : verb == 2 ? sliver_stop(scene.programmer, &row, &err)
					   : sliver_list(scene.programmer, scene.arena, &objects,
						 &n_objects, &err);

		assert_true(!is_done);
		assert_equal(err.code, ERR_WAIT);
	}
}

/* ---- strays ---------------------------------------------------------------------------------- */

static void
strays_of_this_host_are_found_and_swept(void)
{
	auto_scene struct scene scene;
	const struct manager_object *objects;
	struct err err = {0};
	size_t n_objects;

	scene_init(&scene);
	hypervisor_fake_set(scene.fake, NODE_VM, scene.name, DOMAIN_RUNNING);
	hypervisor_fake_set(scene.fake, NODE_CONTAINER, "here-odd", DOMAIN_RUNNING);
	hypervisor_fake_set(scene.fake, NODE_VM, "there-0000000000002", DOMAIN_RUNNING);
	hypervisor_fake_set(scene.fake, NODE_VM, "here2-0000000000002", DOMAIN_RUNNING);
	assert_true(folder_make(scene.folder, 0711, getuid(), &err));
	assert_true(sliver_list(scene.programmer, scene.arena, &objects, &n_objects, &err));
	assert_equal(n_objects, 3);
	for (size_t i = 0; i < n_objects; i++)
		assert_true(sliver_sweep(scene.programmer, &objects[i], &err));

	assert_equal(hypervisor_fake_get(scene.fake, scene.name), DOMAIN_ABSENT);
	assert_equal(hypervisor_fake_get(scene.fake, "here-odd"), DOMAIN_ABSENT);
	assert_equal(hypervisor_fake_get(scene.fake, "there-0000000000002"), DOMAIN_RUNNING);
	assert_equal(hypervisor_fake_get(scene.fake, "here2-0000000000002"), DOMAIN_RUNNING);
	assert_true(access(scene.folder, F_OK) < 0);
}

static void
the_host_tells_what_it_has(void)
{
	auto_scene struct scene scene;
	auto_str struct str lines = {0};

	scene_init(&scene);
	programmer_capacity(scene.programmer, &lines);

	assert_text(str_text(&lines), "cpu=4\nmemory_bytes=1073741824\ndisk_bytes=1048576000\n"
				      "accel=tcg\nimage.vm=vm:134217728\n");
}

static const struct test tests[] = {
    TEST(admit_refuses_what_does_not_fit_with_its_code),
    TEST(admit_answers_the_disk_that_is_charged),
    TEST(admit_counts_all_nodes_that_are_charged),
    TEST(admit_counts_the_disk_that_was_answered),
    TEST(a_vm_has_all_it_needs_when_it_starts),
    TEST(a_start_repeated_starts_nothing_twice),
    TEST(a_vm_found_paused_is_resumed),
    TEST(a_port_whose_device_is_missing_is_waited_for),
    TEST(off_stops_a_node_and_keeps_its_disk),
    TEST(a_power_that_is_neither_on_nor_off_is_refused),
    TEST(a_node_that_died_is_started_again_but_not_at_once_for_ever),
    TEST(a_domain_that_hangs_is_ended_and_started_anew),
    TEST(a_node_removed_leaves_nothing_and_may_be_removed_again),
    TEST(a_hypervisor_out_of_reach_is_waited_for),
    TEST(strays_of_this_host_are_found_and_swept),
    TEST(the_host_tells_what_it_has),
};

suite_main("programmer", tests)
