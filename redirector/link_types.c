/*
 * The registry: types built in, and plug-ins from a folder.
 */
#include "redirector/link_types.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/nearest.h"
#include "lib/base/vec.h"

enum { LOOK_AGAIN_MS = 1000, BUILT_IN = 5 };

static const char suffix[] = ".so";

static const struct link_type *const built_in[BUILT_IN] = {
    &link_type_gre, &link_type_nvgre, &link_type_stt, &link_type_timestamp, &link_type_vxlan};

struct refused {
	char *file, *why;
};

struct known {
	const struct link_type *type;
};

struct link_types {
	char *folder; /* NULL = none */
	const struct clock *clock;
	pthread_mutex_t lock;       /* of all below */
	vec_of(struct known) types; /* built in, then loaded */
	vec_of(struct refused) refused;
	int64_t looked_ms;
};

static void look(struct link_types *types);

/* ---- making ---------------------------------------------------------------------------------- */

static void
refused_clear(struct link_types *types)
{
	vec_each (item, &types->refused) {
		free(item->file);
		free(item->why);
	}
	vec_done(&types->refused);
}

void
link_types_free(struct link_types *types)
{
	if (!types)
		return;
	refused_clear(types);
	vec_done(&types->types);
	pthread_mutex_destroy(&types->lock);
	free(types->folder);
	free(types);
}

struct link_types *
link_types_new(const char *folder, const struct clock *clock)
{
	struct link_types *types = xcalloc(1, sizeof(*types));

	types->folder = folder ? xstrdup(folder) : NULL;
	types->clock = clock;
	pthread_mutex_init(&types->lock, NULL);
	for (size_t i = 0; i < BUILT_IN; i++)
		vec_push(&types->types, (struct known){built_in[i]});
	look(types);
	return types;
}

/* ---- one file -------------------------------------------------------------------------------- */

/* Whoever may write it may run code as us. */
static bool
is_ours(const char *path, mode_t kind, struct err *err)
{
	struct stat found;

	if (lstat(path, &found))
		return err_set(err, ERR_NOT_FOUND, "%s", strerror(errno));
	if ((found.st_mode & S_IFMT) != kind)
		return err_set(
		    err, ERR_BAD_VALUE, "it is no plain %s", kind == S_IFDIR ? "folder" : "file");
	if (found.st_uid != 0 && found.st_uid != geteuid())
		return err_set(err, ERR_BAD_VALUE, "it belongs to user %u, not to root",
		    (unsigned)found.st_uid);
	if (found.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, ERR_BAD_VALUE, "others may write it (mode %04o)",
		    (unsigned)(found.st_mode & ALLPERMS));
	return true;
}

static const struct link_type *
find(const struct link_types *types, const char *name)
{
	for (size_t i = 0; i < types->types.n; i++)
		if (!strcmp(types->types.items[i].type->name, name))
			return types->types.items[i].type;
	return NULL;
}

static bool
check(
    const struct link_types *types, const struct link_type *type, const char *file, struct err *err)
{
	size_t len = strlen(file) - strlen(suffix);

	if (!type)
		return err_set(err, ERR_BAD_VALUE, "it has no symbol " LINK_TYPE_SYMBOL);
	if (!link_type_check(type, err))
		return false;
	if (strlen(type->name) != len || memcmp(type->name, file, len) != 0)
		return err_set(err, ERR_BAD_VALUE, "a type '%s' belongs into a file %s%s",
		    type->name, type->name, suffix);
	if (find(types, type->name))
		return err_set(err, ERR_BAD_VALUE, "the name '%s' is taken", type->name);
	return true;
}

/* What is refused was never used, and goes again. */
static bool
load(struct link_types *types, const char *path, const char *file, struct err *err)
{
	const struct link_type *type;
	void *object;

	if (!is_ours(path, S_IFREG, err))
		return false;
	object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!object)
		return err_set(err, ERR_BAD_VALUE, "%s", dlerror());
	type = dlsym(object, LINK_TYPE_SYMBOL);
	if (!check(types, type, file, err)) {
		dlclose(object);
		return false;
	}
	log_info("redirector", "event=link_type_loaded type=%s file=%s", type->name, path);
	vec_push(&types->types, (struct known){type});
	return true;
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void
refuse(struct link_types *types, const char *file, const char *why)
{
	*vec_add(&types->refused) = (struct refused){xstrdup(file), xstrdup(why)};
}

/* Of a plug-in that was loaded before, its file is not looked at again. */
static bool
is_loaded(const struct link_types *types, const char *file)
{
	size_t len = strlen(file) - strlen(suffix);

	for (size_t i = BUILT_IN; i < types->types.n; i++)
		if (strlen(types->types.items[i].type->name) == len &&
		    !memcmp(types->types.items[i].type->name, file, len))
			return true;
	return false;
}

static void
look_at(struct link_types *types, const char *file)
{
	size_t len = strlen(file);
	auto_str struct str path = {0};
	struct err err = {0};

	if (len <= strlen(suffix) || strcmp(file + len - strlen(suffix), suffix) != 0 ||
	    is_loaded(types, file))
		return;
	str_addf(&path, "%s/%s", types->folder, file);
	if (!load(types, path.text, file, &err))
		refuse(types, file, err.text);
}

static void
look(struct link_types *types)
{
	struct err err = {0};
	struct dirent *entry;
	DIR *folder;

	types->looked_ms = clock_boot_ms(types->clock);
	refused_clear(types);
	if (!types->folder)
		return;
	if (!is_ours(types->folder, S_IFDIR, &err)) {
		/* A folder that is not there has no plug-ins, that is all. */
		if (err.code != ERR_NOT_FOUND)
			refuse(types, types->folder, err.text);
		return;
	}
	folder = opendir(types->folder);
	if (!folder) {
		refuse(types, types->folder, strerror(errno));
		return;
	}
	while ((entry = readdir(folder)))
		look_at(types, entry->d_name);
	closedir(folder);
}

static void
look_again(struct link_types *types)
{
	if (clock_boot_ms(types->clock) - types->looked_ms >= LOOK_AGAIN_MS)
		look(types);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void
unknown(const struct link_types *types, const char *name, struct err *err)
{
	struct nearest nearest = {.word = name};
	auto_str struct str file = {0};

	str_addf(&file, "%.40s%s", name, suffix);
	err_set(err, ERR_S05, "this host has no link type '%.40s'", name);
	for (size_t i = 0; i < types->types.n; i++)
		nearest_offer(&nearest, types->types.items[i].type->name);
	if (nearest.best)
		err_hint(err, "did you mean '%s'?", nearest.best);
	vec_each (item, &types->refused)
		if (!strcmp(item->file, str_text(&file)) ||
		    (types->folder && !strcmp(item->file, types->folder)))
			err_set(err, ERR_S05, "link type '%.40s': plug-in %s is refused: %s", name,
			    item->file, item->why);
}

const struct link_type *
link_types_find(struct link_types *types, const char *name, struct err *err)
{
	const struct link_type *type;

	pthread_mutex_lock(&types->lock);
	type = find(types, name);
	if (!type) {
		look_again(types);
		type = find(types, name);
	}
	if (!type)
		unknown(types, name, err);
	pthread_mutex_unlock(&types->lock);
	return type;
}

size_t
link_types_list(struct link_types *types, struct arena *arena, const struct link_type **list)
{
	struct link_type *copies;
	size_t n;

	pthread_mutex_lock(&types->lock);
	look_again(types);
	n = types->types.n;
	copies = arena_alloc(arena, n * sizeof(*copies));
	for (size_t i = 0; i < n; i++)
		copies[i] = *types->types.items[i].type;
	pthread_mutex_unlock(&types->lock);
	*list = copies;
	return n;
}

size_t
link_types_refused(
    struct link_types *types, struct arena *arena, const struct link_type_refused **refused)
{
	struct link_type_refused *list;
	size_t n;

	pthread_mutex_lock(&types->lock);
	look_again(types);
	n = types->refused.n;
	list = arena_alloc(arena, n * sizeof(*list));
	for (size_t i = 0; i < n; i++)
		list[i] =
		    (struct link_type_refused){arena_text(arena, types->refused.items[i].file),
			arena_text(arena, types->refused.items[i].why)};
	pthread_mutex_unlock(&types->lock);
	*refused = list;
	return n;
}
