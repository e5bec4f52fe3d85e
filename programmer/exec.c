/*
 * Runs a command inside a container. The child that enters the namespaces stays outside of the
 * container's process namespace, waits for the command and passes its exit code on; it leads the
 * process group that a deadline kills.
 */
#include "programmer/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programmer/folder.h"

extern char **environ;

enum { GROUPS_MAX = 32, CGROUP_FILE_MAX = 16384, EXIT_NOT_FOUND = 127, EXIT_CANNOT = 126 };

/* All that the child needs: between fork and exec it may only make system calls. */
struct entry {
	int init;               /* pidfd */
	int groups[GROUPS_MAX]; /* cgroup.procs of each hierarchy */
	size_t n_groups;
	int in, out;
	char *const *argv;
	char **environment;
};

static bool open_groups(pid_t init, struct entry *entry, struct err *err);
static void entry_done(const struct entry *entry);
static _Noreturn void enter(const struct entry *entry);

bool
exec_in(pid_t init, const struct command *command, struct str *output, struct command_end *end,
    struct err *err)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		    home[] = "HOME=/root", term[] = "TERM=dumb";
	char *environment[] = {path, home, term, NULL};
	struct entry entry = {.init = pidfd_open(init, 0),
	    .in = open("/dev/null", O_RDONLY | O_CLOEXEC),
	    .out = -1,
	    .environment = environment};
	int ends[2] = {-1, -1};
	pid_t pid = -1;

	memcpy(&entry.argv, &command->argv, sizeof(entry.argv)); /* exec does not write to it */
	if (entry.init < 0)
		(void)err_set(err, ERR_CONFLICT, "the container has ended");
	else if (pipe2(ends, O_CLOEXEC) < 0)
		(void)err_set(err, ERR_INTERNAL, "pipe: %s", strerror(errno));
	else if (open_groups(init, &entry, err)) {
		entry.out = ends[1];
		pid = fork();
		if (pid == 0)
			enter(&entry);
		if (pid < 0)
			(void)err_set(err, ERR_INTERNAL, "fork: %s", strerror(errno));
		else
			(void)setpgid(pid, pid); /* the child does too: whoever is first */
	}
	if (ends[1] >= 0)
		close(ends[1]);
	entry_done(&entry);
	if (pid > 0)
		command_collect(command, pid, ends[0], output, end);
	else if (ends[0] >= 0)
		close(ends[0]);
	return pid > 0;
}

/* A line of /proc/PID/cgroup: "N:CONTROLLERS:PATH"; "0::PATH" is the unified hierarchy. */
static int
open_group(char *line)
{
	char *rest = NULL, *controllers, *group;
	auto_str struct str path = {0};
	int fd;

	controllers = strchr(line, ':');
	group = controllers ? strchr(controllers + 1, ':') : NULL;
	if (!group)
		return -1;
	*group++ = '\0';
	controllers++;
	rest = strchr(controllers, '=');
	str_addf(&path, "/sys/fs/cgroup/%s%s/cgroup.procs", rest ? rest + 1 : controllers, group);
	fd = open(str_text(&path), O_WRONLY | O_CLOEXEC);
	return fd;
}

/* A command without the container's limits is not run: one hierarchy at least must be found. */
static bool
open_groups(pid_t init, struct entry *entry, struct err *err)
{
	char path[64], *text, *rest = NULL;
	size_t size;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", init);
	text = file_get(path, CGROUP_FILE_MAX, &size, err);
	if (!text)
		return false;
	for (char *line = strtok_r(text, "\n", &rest); line && entry->n_groups < GROUPS_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		int fd = open_group(line);

		if (fd >= 0)
			entry->groups[entry->n_groups++] = fd;
	}
	free(text);
	return entry->n_groups ||
	       err_set(err, ERR_INTERNAL, "the container's control groups cannot be opened");
}

static void
entry_done(const struct entry *entry)
{
	for (size_t i = 0; i < entry->n_groups; i++)
		close(entry->groups[i]);
	if (entry->init >= 0)
		close(entry->init);
	if (entry->in >= 0)
		close(entry->in);
}

/* ---- in the child ---------------------------------------------------------------------------- */

static _Noreturn void
fail(const char *what)
{
	const char *why = strerrordesc_np(errno);

	(void)!write(STDERR_FILENO, what, strlen(what));
	(void)!write(STDERR_FILENO, ": ", 2);
	(void)!write(STDERR_FILENO, why ? why : "failed", strlen(why ? why : "failed"));
	(void)!write(STDERR_FILENO, "\n", 1);
	_exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT);
}

/* Second child, inside: uid 0 of the container, then the command. */
static _Noreturn void
become(const struct entry *entry)
{
	sigset_t none;

	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		fail("become the container's root");
	/* When programmerd dies, nobody is left who wants the answer or watches the time. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir("/root") < 0 && chdir("/") < 0)
		fail("chdir");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	environ = entry->environment;
	execvp(entry->argv[0], entry->argv);
	fail(entry->argv[0]);
}

static _Noreturn void
enter(const struct entry *entry)
{
	enum {
		ALL = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWIPC |
		      CLONE_NEWUTS
	};

	int status = 0;
	pid_t pid;

	if (setpgid(0, 0) < 0 || dup2(entry->in, STDIN_FILENO) < 0 ||
	    dup2(entry->out, STDOUT_FILENO) < 0 || dup2(entry->out, STDERR_FILENO) < 0)
		_exit(EXIT_CANNOT);
	for (size_t i = 0; i < entry->n_groups; i++)
		if (write(entry->groups[i], "0", 1) != 1 && errno != ENODEV)
			fail("join the container's control group");
	/* No process inside may look into this one, which has programmerd's memory and, until
	 * `become`, its user id; nor may the command get a descriptor that some library left open.
	 */
	if (prctl(PR_SET_DUMPABLE, 0) < 0 || close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fail("close off the container");
	if (setns(entry->init, ALL) < 0)
		fail("enter the container");
	/* The daemon's locks and sockets must not live on in here. */
	(void)close_range(STDERR_FILENO + 1, ~0u, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	if (pid == 0)
		become(entry);
	if (pid < 0)
		fail("fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}
