/*
 * The world of files.
 */
#include "test/support/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/fault.h"
#include "lib/base/id.h"
#include "lib/base/str.h"

enum { EVENTUALLY_MS = 60 * 1000 };

static void
object_path(struct world *world, uint64_t rid, char path[256])
{
	snprintf(path, 256, "%s/%s", world->dir, id_text(rid).text);
}

static char *
object_read(struct world *world, uint64_t rid)
{
	char path[256], text[1000] = "";
	FILE *file;

	object_path(world, rid, path);
	file = fopen(path, "re");
	if (!file)
		return xstrdup("");
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return xstrdup(text);
}

static int
spec_units(const char *spec)
{
	return strncmp(spec, "units=", 6) ? 0 : (int)strtol(spec + 6, NULL, 10);
}

static bool
unit_admit(void *self, struct txn *txn, const struct row *row, const struct manager_book *book,
    struct str *result, struct err *err)
{
	struct world *world = self;
	int used = 0, wanted = spec_units(row->spec);

	(void)txn;
	if (world->poison)
		world->poison(row);
	if (wanted < 1)
		return err_set(err, ERR_BAD_VALUE, "spec '%s'", row->spec);
	for (size_t i = 0; i < book->n_rows; i++)
		used += spec_units(book->rows[i].spec);
	if (used + wanted > world->capacity)
		return err_set(
		    err, ERR_CAPACITY, "%d wanted, %d left", wanted, world->capacity - used);
	str_addf(result, "name=u%s\nunits=%d\n", id_text(row->rid).text, wanted);
	return true;
}

static bool
unit_ensure(void *self, const struct row *row, struct err *err)
{
	struct world *world = self;
	auto_str struct str text = {0};

	if (world->poison)
		world->poison(row);
	if (world->ensure_code)
		return err_set(err, (enum err_code)(int)world->ensure_code, "told to fail");
	str_addf(&text, "%s\n%s", row->spec, row->attr);
	world_put(world, row->rid, text.text);
	if (world->told)
		manager_wake_row(world->told, row->rid);
	if (world_units(world) > world->capacity)
		world->is_overfull = true;
	return true;
}

static bool
unit_remove(void *self, const struct row *row, struct err *err)
{
	struct world *world = self;

	if (world->poison)
		world->poison(row);
	if (world->remove_code)
		return err_set(err, (enum err_code)(int)world->remove_code, "told to fail");
	world_drop(world, row->rid);
	return true;
}

static bool
unit_is_there(void *self, const struct row *row, struct err *err)
{
	return world_has(self, row->rid) || err_set(err, ERR_NOT_FOUND, "no such object");
}

static bool
world_list(void *self, struct arena *arena, const struct manager_object **objects,
    size_t *n_objects, struct err *err)
{
	struct world *world = self;
	struct manager_object *found = arena_alloc(arena, 1000 * sizeof(*found));
	DIR *dir = opendir(world->dir);
	struct dirent *entry;
	size_t n = 0;

	if (!dir)
		return err_set(err, ERR_UNAVAILABLE, "%s: %s", world->dir, strerror(errno));
	while ((entry = readdir(dir)) && n < 1000) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(found[n].name, sizeof(found[n].name), "%.60s", entry->d_name);
		if (!id_parse(entry->d_name, &found[n].rid, NULL))
			found[n].rid = 0;
		n++;
	}
	closedir(dir);
	*objects = found;
	*n_objects = n;
	return true;
}

static bool
world_sweep(void *self, const struct manager_object *object, struct err *err)
{
	struct world *world = self;
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", world->dir, object->name);
	return !unlink(path) || errno == ENOENT ||
	       err_set(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
}

void
world_init(struct world *world, const char *dir, int capacity)
{
	*world = (struct world){.capacity = capacity};
	snprintf(world->dir, sizeof(world->dir), "%s", dir);
	if (mkdir(dir, 0700) && errno != EEXIST)
		abort();
}

static void
count_change(void *self, uint64_t rid)
{
	struct world *world = self;

	(void)rid;
	world->n_changed++;
}

void
world_config(struct world *world, struct manager_kind *kind, struct manager_config *config)
{
	*kind = (struct manager_kind){.name = "unit",
	    .self = world,
	    .admit = unit_admit,
	    .ensure = unit_ensure,
	    .remove = unit_remove,
	    .is_there = unit_is_there};
	config->kinds = kind;
	config->n_kinds = 1;
	config->self = world;
	config->list = world_list;
	config->changed = count_change;
	config->sweep = world_sweep;
}

int
world_count(struct world *world)
{
	auto_arena struct arena *arena = arena_new();
	const struct manager_object *objects;
	size_t n = 0;

	return world_list(world, arena, &objects, &n, NULL) ? (int)n : -1;
}

bool
world_has(struct world *world, uint64_t rid)
{
	char path[256];

	object_path(world, rid, path);
	return access(path, F_OK) == 0;
}

int
world_units(struct world *world)
{
	auto_arena struct arena *arena = arena_new();
	const struct manager_object *objects;
	size_t n = 0;
	int units = 0;

	if (!world_list(world, arena, &objects, &n, NULL))
		abort();
	for (size_t i = 0; i < n; i++) {
		auto_free char *text = object_read(world, objects[i].rid);

		units += spec_units(text);
	}
	return units;
}

char *
world_attr(struct world *world, uint64_t rid)
{
	auto_free char *text = object_read(world, rid);
	const char *line_end = strchr(text, '\n');

	return xstrdup(line_end ? line_end + 1 : "");
}

void
world_put(struct world *world, uint64_t rid, const char *text)
{
	char path[256], temporary[256];
	int fd;

	object_path(world, rid, path);
	snprintf(temporary, sizeof(temporary), "%s/.%s", world->dir, id_text(rid).text);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd))
		abort();
	FAULT_POINT("world.put.before");
	if (rename(temporary, path))
		abort();
}

void
world_drop(struct world *world, uint64_t rid)
{
	char path[256];

	object_path(world, rid, path);
	if (unlink(path) && errno != ENOENT)
		abort();
}

static int64_t
moved_boot_ms(void *self)
{
	struct test_clock *clock = self;

	return clock_boot_ms(&clock_real) + clock->ahead_ms;
}

static int64_t
moved_wall_ms(void *self)
{
	struct test_clock *clock = self;

	return clock_wall_ms(&clock_real) + clock->ahead_ms;
}

void
test_clock_init(struct test_clock *clock)
{
	clock->clock = (struct clock){moved_boot_ms, moved_wall_ms, clock};
	clock->ahead_ms = 0;
}

bool
eventually(bool (*holds)(void *self), void *self)
{
	int64_t end_ms = clock_boot_ms(&clock_real) + EVENTUALLY_MS;

	while (!holds(self)) {
		if (clock_boot_ms(&clock_real) > end_ms)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}
