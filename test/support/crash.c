/*
 * Children that die.
 */
#include "test/support/crash.h"

#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "test/support/suite.h"

enum { CHILD_S = 60 };

pid_t
test_fork(unsigned seconds)
{
	pid_t child;

	(void)test_dir();
	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (!child) {
		alarm(seconds);
		test_dir_of_child();
	}
	return child;
}

pid_t
test_wait(pid_t child, int *status)
{
	pid_t ended = waitpid(child, status, 0);
	char path[80];

	snprintf(path, sizeof(path), "%s/%d", test_dir(), (int)ended);
	test_remove(path);
	return ended;
}

int
test_die_at(const char *crash, void (*body)(void))
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child < 0)
		abort();
	if (!child) {
		alarm(CHILD_S);
		log_set_level(LOG_LEVEL_ERROR);
		if (crash)
			setenv("VNODE_CRASH", crash, 1);
		body();
		_exit(3);
	}
	waitpid(child, &status, 0);
	return status;
}

void
child_must(bool is_so, const char *what)
{
	if (is_so)
		return;
	fprintf(stderr, "not so: %s\n", what);
	_exit(1);
}

bool
test_own_disk(const char *dir, const char *size)
{
	char options[40];

	snprintf(options, sizeof(options), "size=%s", size);
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", dir, "tmpfs", 0, options);
}

static int
remove_one(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
	(void)stat, (void)type, (void)walk;
	return remove(path);
}

void
test_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
