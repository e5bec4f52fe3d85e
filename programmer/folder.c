/*
 * Folders and files of nodes: made, written, removed.
 */
#include "programmer/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"

/* Folders below this depth are first moved up, so that no tree exhausts descriptors or the stack.
 */
enum { DEPTH_MAX = 32 };

/* One removal: where the tree begins, and how many folders were moved up. */
struct removal {
	int top;
	dev_t device;
	unsigned n_moved;
	int error; /* the last errno that kept something in place */
};

static void remove_members(struct removal *removal, int folder, int depth);

bool
folder_make(const char *path, mode_t mode, uint32_t owner, struct err *err)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_set(err, ERR_INTERNAL, "mkdir '%s': %s", path, strerror(errno));
	if (lchown(path, owner, owner) < 0 || chmod(path, mode) < 0)
		return err_set(err, ERR_INTERNAL, "chmod '%s': %s", path, strerror(errno));
	return true;
}

bool
folder_remove(const char *path, struct err *err)
{
	struct removal removal = {
	    .top = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
	struct stat stat;

	if (removal.top < 0)
		return errno == ENOENT ||
		       err_set(err, ERR_INTERNAL, "open '%s': %s", path, strerror(errno));
	if (fstat(removal.top, &stat) == 0) {
		unsigned n_before;

		removal.device = stat.st_dev;
		do {
			n_before = removal.n_moved;
			removal.error = 0;
			remove_members(&removal, removal.top, 0);
		} while (removal.n_moved != n_before);
	}
	close(removal.top);
	if (rmdir(path) < 0 && errno != ENOENT)
		return err_set(err, ERR_INTERNAL, "remove '%s': %s", path,
		    strerror(removal.error ? removal.error : errno));
	return true;
}

bool
file_put(const char *path, const void *bytes, size_t size, uint32_t owner, struct err *err)
{
	auto_str struct str beside = {0};
	bool is_good;
	int fd;

	str_addf(&beside, "%s.new", path);
	(void)unlink(str_text(&beside));
	fd = open(str_text(&beside), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return err_set(err, ERR_INTERNAL, "make '%s': %s", path, strerror(errno));
	is_good = fchown(fd, owner, owner) == 0;
	for (size_t at = 0; is_good && at < size;) {
		ssize_t n = write(fd, (const char *)bytes + at, size - at);

		is_good = n > 0;
		at += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (!is_good || rename(str_text(&beside), path) < 0)
		return err_set(err, ERR_INTERNAL, "write '%s': %s", path, strerror(errno));
	return true;
}

char *
file_get(const char *path, size_t limit, size_t *size, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *bytes;

	if (!file) {
		(void)err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "open '%s': %s",
		    path, strerror(errno));
		return NULL;
	}
	bytes = xmalloc(limit + 2);
	*size = fread(bytes, 1, limit + 1, file);
	(void)fclose(file);
	bytes[*size] = '\0';
	if (*size <= limit)
		return bytes;
	free(bytes);
	(void)err_set(err, ERR_LIMIT, "'%s' has more than %zu bytes", path, limit);
	return NULL;
}

/* A folder too deep is moved to the top, and removed in the next round. */
static void
move_up(struct removal *removal, int folder, const char *name)
{
	char aside[32];

	(void)snprintf(aside, sizeof(aside), ".moved-%u", removal->n_moved);
	if (renameat(folder, name, removal->top, aside) == 0)
		removal->n_moved++;
	else
		removal->error = errno;
}

static void
remove_folder(struct removal *removal, int parent, const char *name, int depth)
{
	int folder;
	struct stat stat;

	if (depth >= DEPTH_MAX) {
		move_up(removal, parent, name);
		return;
	}
	folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0) {
		removal->error = errno;
		return;
	}
	if (fstat(folder, &stat) == 0 && stat.st_dev == removal->device)
		remove_members(removal, folder, depth);
	close(folder);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		removal->error = errno;
}

static void
remove_members(struct removal *removal, int folder, int depth)
{
	int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
	DIR *members = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *member;

	if (!members) {
		if (copy >= 0)
			close(copy);
		return;
	}
	rewinddir(members);
	while ((member = readdir(members))) {
		if (!strcmp(member->d_name, ".") || !strcmp(member->d_name, ".."))
			continue;
		if (unlinkat(folder, member->d_name, 0) == 0 || errno == ENOENT)
			continue;
		if (errno == EISDIR || errno == EPERM)
			remove_folder(removal, folder, member->d_name, depth + 1);
		else
			removal->error = errno;
	}
	closedir(members);
}
