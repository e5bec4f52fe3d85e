/*
 * The own root of a container: id-mapped image below, its own files above.
 */
#include "programmer/root.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "programmer/folder.h"

enum { UID_COUNT = 65536 };

static bool write_map(pid_t pid, const char *map, uint32_t uid_base);
static bool map_lower(const char *image_root, const char *lower, int idmap, struct err *err);
static bool is_mounted(const char *path, bool *answer, struct err *err);

/* A child in a new user namespace lends it to us: a namespace without processes lives on by its
 * descriptor. */
static int
child_main(void *self)
{
	(void)self;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)close_range(0, ~0u, 0);
	return pause();
}

int
idmap_open(uint32_t uid_base, struct err *err)
{
	_Alignas(16) char stack[8192];
	pid_t pid = clone(child_main, stack + sizeof(stack), CLONE_NEWUSER | SIGCHLD, NULL);
	char path[64];
	int idmap = -1;

	if (pid < 0) {
		(void)err_set(err, ERR_INTERNAL, "make a user namespace: %s", strerror(errno));
		return -1;
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (write_map(pid, "uid_map", uid_base) && write_map(pid, "gid_map", uid_base))
		idmap = open(path, O_RDONLY | O_CLOEXEC);
	if (idmap < 0)
		(void)err_set(
		    err, ERR_INTERNAL, "map user ids from %u: %s", uid_base, strerror(errno));
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return idmap;
}

bool
root_make(const char *folder, const char *image_root, int idmap, uint32_t uid_base, struct err *err)
{
	auto_str struct str root = {0}, lower = {0}, upper = {0}, work = {0}, options = {0};
	bool is_there = false;

	str_addf(&root, "%s/root", folder);
	str_addf(&lower, "%s/lower", folder);
	str_addf(&upper, "%s/upper", folder);
	str_addf(&work, "%s/work", folder);
	/* First of all: the owner of what is mounted is the container's. */
	if (!is_mounted(str_text(&root), &is_there, err))
		return false;
	if (is_there)
		return true;
	if (!folder_make(str_text(&root), 0755, 0, err) ||
	    !folder_make(str_text(&lower), 0755, 0, err) ||
	    !folder_make(str_text(&upper), 0755, uid_base, err) ||
	    !folder_make(str_text(&work), 0700, 0, err) ||
	    !map_lower(image_root, str_text(&lower), idmap, err))
		return false;
	str_addf(&options, "lowerdir=%s,upperdir=%s,workdir=%s", str_text(&lower), str_text(&upper),
	    str_text(&work));
	if (mount("overlay", str_text(&root), "overlay", MS_NODEV, str_text(&options)) < 0)
		(void)err_set(err, ERR_INTERNAL, "mount an overlay at '%s': %s", str_text(&root),
		    strerror(errno));
	else
		is_there = true;
	/* The overlay has its own hold on the lower layer. */
	(void)umount2(str_text(&lower), MNT_DETACH);
	return is_there;
}

bool
root_remove(const char *folder, struct err *err)
{
	static const char *const mounts[] = {"lower", "root"};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		auto_str struct str path = {0};

		str_addf(&path, "%s/%s", folder, mounts[i]);
		/* More than one may lie there, when two processes were killed while they mounted.
		 */
		while (umount2(str_text(&path), MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
			;
		if (errno != EINVAL && errno != ENOENT)
			return err_set(err, ERR_INTERNAL, "unmount '%s': %s", str_text(&path),
			    strerror(errno));
	}
	return true;
}

static bool
write_map(pid_t pid, const char *map, uint32_t uid_base)
{
	char path[64], text[64];
	int size = snprintf(text, sizeof(text), "0 %u %d", uid_base, UID_COUNT), fd;
	bool is_good;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, map);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	is_good = write(fd, text, (size_t)size) == size;
	close(fd);
	return is_good;
}

static bool
map_lower(const char *image_root, const char *lower, int idmap, struct err *err)
{
	struct mount_attr attr = {
	    .attr_set = MOUNT_ATTR_IDMAP | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV,
	    .userns_fd = (uint64_t)idmap};
	int tree = open_tree(AT_FDCWD, image_root, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	bool is_good;

	if (tree < 0)
		return err_set(err, ERR_INTERNAL, "open the image's root '%s': %s", image_root,
		    strerror(errno));
	is_good = mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0 &&
		  move_mount(tree, "", AT_FDCWD, lower, MOVE_MOUNT_F_EMPTY_PATH) == 0;
	if (!is_good)
		(void)err_set(
		    err, ERR_INTERNAL, "map the owners of '%s': %s", image_root, strerror(errno));
	close(tree);
	return is_good;
}

static bool
is_mounted(const char *path, bool *answer, struct err *err)
{
	struct statx at;

	*answer = false;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &at) < 0)
		return errno == ENOENT ||
		       err_set(err, ERR_INTERNAL, "look at '%s': %s", path, strerror(errno));
	*answer = (at.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
	return true;
}
