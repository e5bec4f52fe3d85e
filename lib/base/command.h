/*
 * Child processes: an argument vector, no shell; a deadline, and a limit on what is read.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/str.h"

struct command {
	const char *const *argv; /* ended by NULL; argv[0] is looked for in PATH */
	int timeout_ms;          /* then it is killed with all of its process group */
	size_t output_max;       /* bytes kept of stdout and stderr; more is read and dropped */
	const char *until;       /* it is killed once it has printed this; NULL = runs to its end */
};

struct command_end {
	int exit;         /* exit code; 128 + signal */
	bool is_late;     /* killed by the deadline */
	bool has_printed; /* `until` was seen */
};

/* Runs it without input and appends its output. False: it could not be started. Any thread. */
bool command_run(const struct command *command, struct str *output, struct command_end *end,
    struct err *err) must_check;

/*
 * The same for a child that was made otherwise: leader of its process group, printing into the
 * other end of `fd` (both are finished with). Processes it leaves behind are not waited for.
 */
void command_collect(
    const struct command *command, pid_t pid, int fd, struct str *output, struct command_end *end);
