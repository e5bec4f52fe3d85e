/*
 * The limit of tasks. In version 2 of control groups it is a file in the container's own group; in
 * version 1 a group in the hierarchy `pids`, into which the container's processes are moved: those
 * that they start later are born there.
 */
#include "programmer/tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/str.h"
#include "programmer/folder.h"

#define GROUPS "/sys/fs/cgroup"
#define PIDS_V1 GROUPS "/pids"
#define OURS PIDS_V1 "/machine"

enum { TASKS_A_CPU = 1024, FILE_MAX = 1 << 20, PASSES = 16, TRIES = 50, TRY_US = 10000 };

static bool put(const char *path, const char *text, struct err *err);
static bool enclose(pid_t init, const char *procs, const char *group, struct err *err);

/* The paths of the container's group: in version 2, and in some hierarchy of version 1. */
static void
find_groups(char *lines, struct str *unified, struct str *legacy)
{
	char *rest = NULL;

	for (char *line = strtok_r(lines, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		names++;
		if (!*names)
			str_addf(unified, GROUPS "%s/pids.max", path);
		else if (!legacy->len && path[1] && strcmp(names, "pids") != 0 &&
			 !strchr(names, '='))
			str_addf(legacy, GROUPS "/%s%s/cgroup.procs", names, path);
	}
}

bool
tasks_limit(pid_t init, const char *name, int64_t cpu, struct err *err)
{
	auto_str struct str path = {0}, unified = {0}, legacy = {0}, group = {0}, limit = {0};
	auto_free char *lines = NULL;
	size_t size;

	str_addf(&path, "/proc/%d/cgroup", init);
	lines = file_get(str_text(&path), FILE_MAX, &size, err);
	if (!lines)
		return false;
	find_groups(lines, &unified, &legacy);
	str_addf(&limit, "%lld", (long long)(cpu > 1 ? cpu : 1) * TASKS_A_CPU);
	if (unified.len && access(unified.text, W_OK) == 0)
		return put(unified.text, str_text(&limit), err);
	if (access(PIDS_V1 "/cgroup.procs", W_OK) < 0 || !legacy.len)
		return true;
	str_addf(&group, OURS "/%s", name);
	if ((mkdir(OURS, 0755) < 0 && errno != EEXIST) ||
	    (mkdir(str_text(&group), 0755) < 0 && errno != EEXIST))
		return err_set(
		    err, ERR_INTERNAL, "make '%s': %s", str_text(&group), strerror(errno));
	path.len = 0;
	str_addf(&path, "%s/pids.max", str_text(&group));
	return put(str_text(&path), str_text(&limit), err) &&
	       enclose(init, legacy.text, str_text(&group), err);
}

bool
tasks_forget(const char *name, struct err *err)
{
	auto_str struct str group = {0};

	str_addf(&group, OURS "/%s", name);
	for (int i = 0; i < TRIES; i++) {
		if (rmdir(str_text(&group)) == 0 || errno == ENOENT)
			return true;
		if (errno != EBUSY)
			break;
		(void)usleep(TRY_US);
	}
	return err_set(err, errno == EBUSY ? ERR_WAIT : ERR_INTERNAL, "remove '%s': %s",
	    str_text(&group), strerror(errno));
}

static bool
put(const char *path, const char *text, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!is_good)
		(void)err_set(err, ERR_INTERNAL, "write '%s': %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return is_good;
}

/* libvirt's own process of the container: outside of it, and it ends a little later. */
static long
keeper_of(pid_t init)
{
	auto_str struct str path = {0};
	auto_free char *status = NULL;
	const char *line;
	size_t size;

	str_addf(&path, "/proc/%d/status", init);
	status = file_get(str_text(&path), FILE_MAX, &size, NULL);
	line = status ? strstr(status, "\nPPid:\t") : NULL;
	return line ? strtol(line + strlen("\nPPid:\t"), NULL, 10) : 0;
}

/* True when the list, a number a line, has the number. */
static bool
has(const char *list, const char *number)
{
	size_t len = strlen(number);

	for (; list; list = strchr(list, '\n')) {
		list += *list == '\n';
		if (!strncmp(list, number, len) && (list[len] == '\n' || !list[len]))
			return true;
	}
	return false;
}

/* Moves what is not there yet; until nothing new was born outside meanwhile. */
static bool
enclose(pid_t init, const char *procs, const char *group, struct err *err)
{
	auto_str struct str to = {0};
	long keeper = keeper_of(init);
	bool is_done = false;

	str_addf(&to, "%s/cgroup.procs", group);
	for (int pass = 0; pass < PASSES && !is_done; pass++) {
		size_t size;
		auto_free char *all = file_get(procs, FILE_MAX, &size, err);
		auto_free char *there = all ? file_get(str_text(&to), FILE_MAX, &size, err) : NULL;
		char *rest = NULL;

		if (!there)
			return false;
		is_done = true;
		for (char *pid = strtok_r(all, "\n", &rest); pid;
		     pid = strtok_r(NULL, "\n", &rest)) {
			if (has(there, pid) || strtol(pid, NULL, 10) == keeper)
				continue;
			is_done = false;
			(void)put(str_text(&to), pid, NULL); /* it may have ended */
		}
	}
	return is_done || err_set(err, ERR_WAIT, "the container starts processes too fast");
}
