/*
 * Children that die.
 */
#include "test/support/crash.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/log.h"

enum { CHILD_S = 60 };

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
