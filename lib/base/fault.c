/*
 * Dying on demand, for the crash tests.
 */
#include "lib/base/fault.h"

#if VNODE_FAULTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_long passages;

void
fault_point(const char *name)
{
	const char *wanted = getenv("VNODE_CRASH");
	size_t length = strlen(name);

	if (!wanted || strncmp(wanted, name, length) != 0 || wanted[length] != ':')
		return;
	if (atomic_fetch_add(&passages, 1) + 1 == strtol(wanted + length + 1, NULL, 10))
		raise(SIGKILL);
}

void
fault_point_with(const char *name, const char *what)
{
	const char *wanted = getenv("VNODE_CRASH");
	size_t length = strlen(name);

	if (wanted && !strncmp(wanted, name, length) && wanted[length] == '/' &&
	    strstr(what, wanted + length + 1))
		raise(SIGKILL);
}
#else
typedef int fault_points_are_not_compiled_in; /* ISO C wants a declaration */
#endif
