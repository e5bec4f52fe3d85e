/*
 * Reads the image catalogue.
 */
#include "programmer/image.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/conf.h"
#include "lib/base/log.h"
#include "lib/base/vec.h"
#include "lib/model/units.h"

enum { IMAGE_NAME_MAX = 64 };

typedef vec_of(struct image) image_vec;

static bool read_conf(const struct conf *conf, const char *folder, struct arena *arena,
    struct image *image, struct err *err);

/* A name is one folder of the catalogue: no way up, no way across. */
static bool
is_name(const char *name)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	return len && len <= IMAGE_NAME_MAX && name[0] != '.' && strspn(name, letters) == len;
}

bool
image_find(const char *catalogue, const char *name, struct arena *arena, struct image *image,
    struct err *err)
{
	const char *folder, *file;
	struct image found = {.name = arena_text(arena, name)};
	auto_conf struct conf *conf = NULL;
	struct err why = {0};

	if (!is_name(name))
		return err_set(err, ERR_S13, "'%.64s' is no image name", name);
	folder = arena_format(arena, "%s/%s", catalogue, name);
	file = arena_format(arena, "%s/image.conf", folder);
	if (access(file, R_OK) < 0)
		return err_set(err, ERR_S13, "there is no image '%s' on this host", name);
	conf = conf_read(file, &why);
	if (!conf || !read_conf(conf, folder, arena, &found, &why))
		return err_set(err, ERR_S13, "image '%s' is broken: %s", name, why.text);
	*image = found;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct image *)a)->name, ((const struct image *)b)->name);
}

void
image_list(const char *catalogue, struct arena *arena, const struct image **images, size_t *n)
{
	DIR *folder = opendir(catalogue);
	const struct dirent *member;
	image_vec found = {0};

	while (folder && (member = readdir(folder))) {
		struct image image;
		struct err why = {0};

		if (!is_name(member->d_name))
			continue;
		if (image_find(catalogue, member->d_name, arena, &image, &why))
			vec_push(&found, image);
		else
			log_debug("programmer", "event=image_refused why=\"%s\"", why.text);
	}
	if (folder)
		closedir(folder);
	*n = found.n;
	*images = NULL;
	if (found.n) {
		struct image *copy = arena_alloc(arena, found.n * sizeof(*copy));

		qsort(found.items, found.n, sizeof(*found.items), by_name);
		memcpy(copy, found.items, found.n * sizeof(*copy));
		*images = copy;
	}
	vec_done(&found);
}

/* A size may be zero here: an image that needs no disk says 0MiB. */
static bool
read_size(const struct conf *conf, const char *key, int64_t *bytes, struct err *err)
{
	const char *text = conf_text(conf, "image", key);

	*bytes = 0;
	if (!text || text[strspn(text, "0")] == '\0' || !strcmp(text, "0MiB"))
		return true;
	return unit_size(text, bytes, err) || err_in(err, "%s", key);
}

static bool
read_path(const struct conf *conf, const char *folder, const char *key, struct arena *arena,
    const char **path, struct err *err)
{
	const char *text = conf_text(conf, "image", key);

	if (!text)
		return err_set(err, ERR_BAD_VALUE, "it has no '%s'", key);
	*path = arena_format(arena, "%s/%s", folder, text);
	if (access(*path, R_OK) < 0)
		return err_set(err, ERR_NOT_FOUND, "'%s' cannot be read", *path);
	return true;
}

static bool
read_conf(const struct conf *conf, const char *folder, struct arena *arena, struct image *image,
    struct err *err)
{
	const char *cmdline = conf_text(conf, "image", "cmdline");

	if (!node_form_parse(conf_text(conf, "image", "kind"), &image->form, err) ||
	    !read_size(conf, "memory", &image->memory_bytes, err) ||
	    !read_size(conf, "disk", &image->disk_bytes, err))
		return false;
	if (image->form == NODE_CONTAINER)
		return read_path(conf, folder, "root", arena, &image->root, err);
	image->cmdline = arena_text(arena, cmdline ? cmdline : "console=ttyS0");
	return read_path(conf, folder, "kernel", arena, &image->kernel, err) &&
	       read_path(conf, folder, "initrd", arena, &image->initrd, err);
}
