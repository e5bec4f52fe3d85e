/*
 * Child processes: start, collect, end.
 */
#include "lib/base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

extern char **environ;

/* DRAIN_READS: of all that the largest pipe (1 MiB) can hold. */
enum { READ_SIZE = 16384, POLL_MS = 100, DRAIN_READS = 64 };

static int spawn(const char *const *argv, int out, pid_t *pid);
static bool read_some(
    const struct command *command, int fd, struct str *output, struct command_end *end);

bool
command_run(
    const struct command *command, struct str *output, struct command_end *end, struct err *err)
{
	int ends[2], error;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(
		    err, ERR_INTERNAL, "run '%s': %s", command->argv[0], strerror(errno));
	error = spawn(command->argv, ends[1], &pid);
	close(ends[1]);
	if (error) {
		close(ends[0]);
		return err_set(err, error == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "run '%s': %s",
		    command->argv[0], strerror(error));
	}
	command_collect(command, pid, ends[0], output, end);
	return true;
}

void
command_collect(
    const struct command *command, pid_t pid, int fd, struct str *output, struct command_end *end)
{
	int64_t ends_ms = clock_boot_ms(&clock_real) + command->timeout_ms, left_ms;
	int pidfd = pidfd_open(pid, 0), status = 0;
	bool is_open = true, is_alive = true;

	*end = (struct command_end){0};
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	while (is_alive && !end->has_printed) {
		struct pollfd fds[2] = {
		    {.fd = pidfd, .events = POLLIN}, {.fd = is_open ? fd : -1, .events = POLLIN}};

		left_ms = ends_ms - clock_boot_ms(&clock_real);
		end->is_late = left_ms <= 0;
		if (end->is_late)
			break;
		/* Without a pidfd the child is asked for now and then. */
		if (pidfd < 0 && left_ms > POLL_MS)
			left_ms = POLL_MS;
		(void)poll(fds, 2, (int)left_ms);
		is_alive = waitpid(pid, &status, WNOHANG) == 0;
		if (is_open && fds[1].revents)
			is_open = read_some(command, fd, output, end);
	}
	if (is_alive) {
		(void)kill(-pid, SIGKILL);
		(void)waitpid(pid, &status, 0);
	}
	/* What is left in the pipe, but no more: a process left behind may go on writing for ever.
	 */
	for (int i = 0; i < DRAIN_READS && is_open && !end->has_printed; i++)
		is_open = read_some(command, fd, output, end);
	close(fd);
	if (pidfd >= 0)
		close(pidfd);
	end->exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The child leads a process group and has the signals of a fresh process. 0 or errno. */
static int
spawn(const char *const *argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, defaults;
	char *const *words; /* never written to, whatever posix_spawn's type says */
	int error;

	memcpy(&words, &argv, sizeof(words));
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &defaults);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawnp(pid, argv[0], &actions, &attr, words, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* False when there is nothing to read now and the writers are gone, or nothing at all. */
static bool
read_some(const struct command *command, int fd, struct str *output, struct command_end *end)
{
	char bytes[READ_SIZE];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	size_t room = output->len < command->output_max ? command->output_max - output->len : 0;

	if (n < 0)
		return errno == EINTR;
	if (n == 0)
		return false;
	str_add_bytes(output, bytes, (size_t)n < room ? (size_t)n : room);
	if (command->until && output->len)
		end->has_printed =
		    memmem(output->text, output->len, command->until, strlen(command->until));
	return true;
}
