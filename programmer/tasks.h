/*
 * How many tasks (processes and threads) a container may have. libvirt sets no such limit, and
 * without one a container can use up the process ids of the whole host.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"

/*
 * Limits the container whose first process is `init`, 1024 tasks a virtual CPU, in the controller
 * `pids` of either version of control groups; a host without it has no limit. `name` is the
 * domain's. May be repeated.
 */
bool tasks_limit(pid_t init, const char *name, int64_t cpu, struct err *err) must_check;

/* Removes what was made for `name`. Absent is success; ERR_WAIT while its processes still end. */
bool tasks_forget(const char *name, struct err *err) must_check;
