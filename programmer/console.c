/*
 * Consoles: one thread that reads all, callers that read files and wait for more.
 */
#include "programmer/console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/id.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/base/str.h"
#include "lib/engine/wait.h"
#include "programmer/console_file.h"

enum { READ_SIZE = 8192, EVENTS = 32, WAIT_MAX_MS = 30000, WRITE_MS = 1000, WRITE_STEP_MS = 10 };

struct console {
	uint64_t rid;
	int output; /* -1 = not attached */
	int input;
	struct console_file file;
};

struct console_set {
	const char *folder;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t news; /* output of some console, or it was forgotten */
	struct map *consoles;
	int epoll;
	int stop; /* eventfd: the thread shall end */
};

static void dispose(struct console_set *set);
static void *reader_main(void *self);
static struct console *find(struct console_set *set, uint64_t rid, bool may_make, struct err *err);
static void close_ends(struct console_set *set, struct console *console);
static bool read_some(struct console_set *set, struct console *console);
static int open_end(const char *path, struct err *err);

struct console_set *
console_set_new(const char *folder, struct err *err)
{
	struct console_set *set = xcalloc(1, sizeof(*set));
	struct epoll_event stop = {.events = EPOLLIN};

	pthread_mutex_init(&set->lock, NULL);
	wait_init(&set->news);
	set->folder = folder;
	set->consoles = map_new();
	set->epoll = epoll_create1(EPOLL_CLOEXEC);
	set->stop = eventfd(0, EFD_CLOEXEC);
	if (set->epoll < 0 || set->stop < 0 ||
	    epoll_ctl(set->epoll, EPOLL_CTL_ADD, set->stop, &stop) < 0 ||
	    pthread_create(&set->thread, NULL, reader_main, set) != 0) {
		dispose(set);
		(void)err_set(err, ERR_INTERNAL, "the consoles' thread cannot be started");
		return NULL;
	}
	set->has_thread = true;
	return set;
}

void
console_set_free(struct console_set *set)
{
	if (set)
		dispose(set);
}

static void
dispose(struct console_set *set)
{
	struct console *console;

	if (set->has_thread) {
		(void)eventfd_write(set->stop, 1);
		pthread_join(set->thread, NULL);
	}
	for (size_t at = 0; (console = map_next(set->consoles, &at));) {
		close_ends(set, console);
		console_file_close(&console->file);
		free(console);
	}
	map_free(set->consoles);
	if (set->epoll >= 0)
		close(set->epoll);
	if (set->stop >= 0)
		close(set->stop);
	pthread_cond_destroy(&set->news);
	pthread_mutex_destroy(&set->lock);
	free(set);
}

bool
console_attach(
    struct console_set *set, uint64_t rid, const struct console_ends *ends, struct err *err)
{
	struct console *console;
	bool is_good;

	pthread_mutex_lock(&set->lock);
	console = find(set, rid, true, err);
	is_good = console != NULL;
	if (console && console->output < 0) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = rid};

		console->output = open_end(ends->output, err);
		console->input = console->output < 0 ? -1 : open_end(ends->input, err);
		is_good = console->input >= 0 &&
			  (epoll_ctl(set->epoll, EPOLL_CTL_ADD, console->output, &event) == 0 ||
			      err_set(err, ERR_INTERNAL, "watch a console: %s", strerror(errno)));
		if (!is_good)
			close_ends(set, console);
	}
	pthread_mutex_unlock(&set->lock);
	return is_good;
}

bool
console_begin(struct console_set *set, uint64_t rid, struct err *err)
{
	struct console *console;
	bool is_good;

	pthread_mutex_lock(&set->lock);
	console = find(set, rid, true, err);
	if (console)
		close_ends(set, console);
	is_good = console && console_file_begin(&console->file, err);
	pthread_mutex_unlock(&set->lock);
	return is_good;
}

void
console_detach(struct console_set *set, uint64_t rid)
{
	struct console *console;

	pthread_mutex_lock(&set->lock);
	console = find(set, rid, false, NULL);
	if (console && console->output >= 0) {
		while (read_some(set, console))
			;
		close_ends(set, console);
	}
	pthread_mutex_unlock(&set->lock);
}

void
console_forget(struct console_set *set, uint64_t rid)
{
	struct console *console;

	pthread_mutex_lock(&set->lock);
	console = map_drop_id(set->consoles, rid);
	if (console) {
		close_ends(set, console);
		console_file_close(&console->file);
		free(console);
		pthread_cond_broadcast(&set->news);
	}
	pthread_mutex_unlock(&set->lock);
}

/* Until there is something at or behind the offset, the time is up, or the console is gone. */
static struct console *
wait_for(struct console_set *set, uint64_t rid, const struct console_text *text, struct err *err)
{
	struct console *console = find(set, rid, false, err);
	int64_t wait_ms = text->wait_ms < WAIT_MAX_MS ? text->wait_ms : WAIT_MAX_MS;
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += wait_ms % 1000 * 1000000;
	until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (console && wait_ms > 0 && text->offset >= console->file.end &&
	       pthread_cond_timedwait(&set->news, &set->lock, &until) == 0)
		console = find(set, rid, false, err);
	return console;
}

bool
console_read(struct console_set *set, uint64_t rid, struct arena *arena, struct console_text *text,
    struct err *err)
{
	struct console *console;

	pthread_mutex_lock(&set->lock);
	console = wait_for(set, rid, text, err);
	if (console) {
		const struct console_file *file = &console->file;
		int64_t offset = text->offset < 0 ? file->end - CONSOLE_READ_MAX : text->offset;
		char *bytes;

		if (offset < file->head.base)
			offset = file->head.base;
		if (offset > file->end)
			offset = file->end;
		bytes = arena_alloc(arena, CONSOLE_READ_MAX);
		text->size = console_file_read(file, offset, bytes, CONSOLE_READ_MAX);
		text->bytes = bytes;
		text->offset = offset;
		text->is_ready = file->head.ready != 0;
	}
	pthread_mutex_unlock(&set->lock);
	return console != NULL;
}

bool
console_write(
    struct console_set *set, uint64_t rid, const void *bytes, size_t size, struct err *err)
{
	const struct console *console;
	int input = -1;

	pthread_mutex_lock(&set->lock);
	console = find(set, rid, false, err);
	if (console && console->input >= 0)
		input = fcntl(console->input, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&set->lock);
	if (!console)
		return false;
	if (input < 0)
		return err_set(
		    err, ERR_CONFLICT, "the node's console is closed: it is not running");
	for (int ms = 0; size && ms < WRITE_MS;) {
		ssize_t n = write(input, bytes, size);

		if (n > 0) {
			bytes = (const char *)bytes + n;
			size -= (size_t)n;
		} else if (poll(&(struct pollfd){.fd = input, .events = POLLOUT}, 1,
			       WRITE_STEP_MS) <= 0) {
			ms += WRITE_STEP_MS;
		} else {
			ms++;
		}
	}
	close(input);
	return !size || err_set(err, ERR_TIMEOUT, "the guest does not read its console");
}

bool
console_is_ready(struct console_set *set, uint64_t rid)
{
	const struct console *console;
	bool is_ready;

	pthread_mutex_lock(&set->lock);
	console = find(set, rid, false, NULL);
	is_ready = console && console->file.head.ready;
	pthread_mutex_unlock(&set->lock);
	return is_ready;
}

static void *
reader_main(void *self)
{
	struct console_set *set = self;
	bool is_stopping = false;

	while (!is_stopping) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(set->epoll, events, EVENTS, -1);

		pthread_mutex_lock(&set->lock);
		for (int i = 0; i < n; i++) {
			struct console *console = map_get_id(set->consoles, events[i].data.u64);

			if (!events[i].data.u64)
				is_stopping = true;
			else if (console && console->output >= 0 && !read_some(set, console) &&
				 events[i].events & (EPOLLHUP | EPOLLERR))
				close_ends(set, console);
		}
		pthread_cond_broadcast(&set->news);
		pthread_mutex_unlock(&set->lock);
	}
	return NULL;
}

/* Under `lock`. One that was closed at programmerd's last end is opened from its file. */
static struct console *
find(struct console_set *set, uint64_t rid, bool may_make, struct err *err)
{
	struct console *console = map_get_id(set->consoles, rid);
	struct console_file file;
	auto_str struct str path = {0};

	if (console)
		return console;
	str_addf(&path, "%s/%s/console", set->folder, id_text(rid).text);
	if (!console_file_open(&file, str_text(&path), may_make, err))
		return NULL;
	console = xcalloc(1, sizeof(*console));
	*console = (struct console){.rid = rid, .output = -1, .input = -1, .file = file};
	map_put_id(set->consoles, rid, console);
	return console;
}

/* Under `lock`. */
static void
close_ends(struct console_set *set, struct console *console)
{
	if (console->output >= 0) {
		(void)epoll_ctl(set->epoll, EPOLL_CTL_DEL, console->output, NULL);
		close(console->output);
	}
	if (console->input >= 0)
		close(console->input);
	console->output = console->input = -1;
}

/* Under `lock`: true when something was there to read. */
static bool
read_some(struct console_set *set, struct console *console)
{
	char bytes[READ_SIZE];
	struct err err = {0};
	ssize_t n = read(console->output, bytes, sizeof(bytes));

	if (n <= 0)
		return false;
	/* On a full disk output is dropped: the guest must not stand still for it. */
	if (!console_file_add(&console->file, bytes, (size_t)n, &err))
		log_debug("programmer", "event=console_lost rid=%s why=\"%s\"",
		    id_text(console->rid).text, err.text);
	pthread_cond_broadcast(&set->news);
	return true;
}

/* A FIFO is opened for both directions, so that its other end may come and go; a terminal is made
 * to pass every byte as it is. */
static int
open_end(const char *path, struct err *err)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct termios termios;

	if (fd < 0) {
		(void)err_set(
		    err, ERR_INTERNAL, "open the console '%s': %s", path, strerror(errno));
		return -1;
	}
	if (isatty(fd) && tcgetattr(fd, &termios) == 0) {
		cfmakeraw(&termios);
		(void)tcsetattr(fd, TCSANOW, &termios);
	}
	return fd;
}
