/*
 * Runs a command inside a container: in its namespaces, its root and its limits, as its uid 0.
 */
#pragma once

#include "lib/base/command.h"

/* `init` is the container's first process. Like command_run; `until` is not used. ERR_CONFLICT: the
 * container has ended. */
bool exec_in(pid_t init, const struct command *command, struct str *output, struct command_end *end,
    struct err *err) must_check;
