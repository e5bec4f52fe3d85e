/*
 * The file behind one console.
 */
#include "programmer/console_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "vnodecon", ready_mark[] = "vnode-ready";

enum { HEAD_SIZE = sizeof(struct console_head), MARK_SIZE = sizeof(ready_mark) - 1 };

static bool write_at(int fd, const void *bytes, size_t size, int64_t at);
static bool shorten(struct console_file *file);
static bool find_mark(const struct console_file *file, size_t n_new);

bool
console_file_open(struct console_file *file, const char *path, bool may_make, struct err *err)
{
	struct console_file found = {.fd = -1};
	struct stat stat;

	found.fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (may_make ? O_CREAT : 0), 0600);
	if (found.fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "open '%s': %s",
		    path, strerror(errno));
	if (pread(found.fd, &found.head, HEAD_SIZE, 0) != HEAD_SIZE ||
	    memcmp(found.head.magic, magic, sizeof(magic)) != 0) {
		/* New, or the process was killed while it made it. */
		found.head = (struct console_head){0};
		memcpy(found.head.magic, magic, sizeof(magic));
		if (ftruncate(found.fd, 0) < 0 || !write_at(found.fd, &found.head, HEAD_SIZE, 0)) {
			close(found.fd);
			return err_set(err, ERR_INTERNAL, "write '%s': %s", path, strerror(errno));
		}
	}
	if (fstat(found.fd, &stat) == 0)
		found.end = found.head.base + stat.st_size - HEAD_SIZE;
	*file = found;
	return true;
}

void
console_file_close(struct console_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

bool
console_file_begin(struct console_file *file, struct err *err)
{
	file->head.start = file->end;
	file->head.ready = 0;
	return write_at(file->fd, &file->head, HEAD_SIZE, 0) ||
	       err_set(err, ERR_INTERNAL, "write a console: %s", strerror(errno));
}

bool
console_file_add(struct console_file *file, const void *bytes, size_t size, struct err *err)
{
	if (!write_at(file->fd, bytes, size, HEAD_SIZE + file->end - file->head.base))
		return err_set(err, ERR_INTERNAL, "write a console: %s", strerror(errno));
	file->end += (int64_t)size;
	if (!file->head.ready && find_mark(file, size)) {
		file->head.ready = 1;
		(void)write_at(file->fd, &file->head, HEAD_SIZE, 0);
	}
	if (file->end - file->head.base > CONSOLE_FILE_MAX && !shorten(file))
		return err_set(err, ERR_INTERNAL, "shorten a console: %s", strerror(errno));
	return true;
}

size_t
console_file_read(const struct console_file *file, int64_t offset, void *bytes, size_t size)
{
	ssize_t n;

	if (offset < file->head.base || offset >= file->end)
		return 0;
	n = pread(file->fd, bytes, size, HEAD_SIZE + offset - file->head.base);
	return n > 0 ? (size_t)n : 0;
}

static bool
write_at(int fd, const void *bytes, size_t size, int64_t at)
{
	while (size) {
		ssize_t n = pwrite(fd, bytes, size, at);

		if (n <= 0)
			return false;
		bytes = (const char *)bytes + n;
		size -= (size_t)n;
		at += n;
	}
	return true;
}

/*
 * Moves the newest bytes to the front. Killed in between, the file has old bytes where new ones
 * should be: an offset then reads wrongly, once, which a console can bear.
 */
static bool
shorten(struct console_file *file)
{
	char bytes[CONSOLE_KEEP];
	int64_t base = file->end - CONSOLE_KEEP;

	if (console_file_read(file, base, bytes, sizeof(bytes)) != sizeof(bytes))
		return false;
	file->head.base = base;
	return write_at(file->fd, bytes, sizeof(bytes), HEAD_SIZE) &&
	       write_at(file->fd, &file->head, HEAD_SIZE, 0) &&
	       ftruncate(file->fd, HEAD_SIZE + CONSOLE_KEEP) == 0;
}

/* The mark may have come in two pieces: looks a little further back than what is new. */
static bool
find_mark(const struct console_file *file, size_t n_new)
{
	char bytes[8192 + MARK_SIZE];
	int64_t at = file->end - (int64_t)n_new - MARK_SIZE;
	size_t n;

	at = at > file->head.start ? at : file->head.start;
	at = at > file->head.base ? at : file->head.base;
	while ((n = console_file_read(file, at, bytes, sizeof(bytes))) >= MARK_SIZE) {
		if (memmem(bytes, n, ready_mark, MARK_SIZE))
			return true;
		at += (int64_t)n - MARK_SIZE + 1;
	}
	return false;
}
