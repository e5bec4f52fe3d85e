/*
 * Room kept for the day on which the disk is full: a file beside the database that is given up
 * then, and made again when there is room for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/str.h"
#include "lib/store/store_part.h"

enum { LOOK_EVERY_MS = 1000 };

static bool ballast_make(const struct ballast *ballast, struct err *err);

void
ballast_init(struct ballast *ballast, const char *path)
{
	auto_str struct str name = {0};

	str_addf(&name, "%s.ballast", path);
	ballast->path = str_take(&name);
	unlink(ballast->path); /* opening the database may need what it takes */
	pthread_mutex_init(&ballast->lock, NULL);
}

void
ballast_done(struct ballast *ballast)
{
	pthread_mutex_destroy(&ballast->lock);
	free(ballast->path);
}

bool
store_keep_ballast(struct store *store, size_t bytes, struct err *err)
{
	struct ballast *ballast = &store->ballast;
	struct err why = {0};
	bool is_good;

	pthread_mutex_lock(&ballast->lock);
	ballast->bytes = bytes;
	ballast->is_spent = !ballast_make(ballast, &why);
	/* A full disk is no reason not to start: it is what the ballast is for. */
	is_good = !ballast->is_spent || why.code == ERR_LIMIT;
	pthread_mutex_unlock(&ballast->lock);
	if (!is_good)
		*err = why;
	return is_good;
}

bool
store_has_room(struct store *store)
{
	struct ballast *ballast = &store->ballast;
	int64_t now_ms = clock_boot_ms(&clock_real);
	bool has_room;

	pthread_mutex_lock(&ballast->lock);
	if (ballast->is_spent && now_ms - ballast->looked_ms >= LOOK_EVERY_MS) {
		ballast->looked_ms = now_ms;
		ballast->is_spent = !ballast_make(ballast, NULL);
		if (!ballast->is_spent)
			log_info("store", "event=disk_has_room ballast=%s", ballast->path);
	}
	has_room = !ballast->is_spent;
	pthread_mutex_unlock(&ballast->lock);
	return has_room;
}

void
ballast_spend(struct ballast *ballast)
{
	pthread_mutex_lock(&ballast->lock);
	if (ballast->bytes && !ballast->is_spent) {
		ballast->is_spent = true;
		ballast->looked_ms = clock_boot_ms(&clock_real);
		if (unlink(ballast->path) && errno != ENOENT)
			log_error("store", "event=ballast_stuck path=%s why=\"%s\"", ballast->path,
			    strerror(errno));
		log_error("store",
		    "event=disk_full ballast=%s hint=\"make room: until then "
		    "nothing new is accepted\"",
		    ballast->path);
	}
	pthread_mutex_unlock(&ballast->lock);
}

/* As much must be left besides: what has just been given up is not taken again. ERR_LIMIT: there is
 * no room. */
static bool
ballast_make(const struct ballast *ballast, struct err *err)
{
	int fd = open(ballast->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), code;

	if (fd < 0)
		return err_set(err, errno == ENOSPC ? ERR_LIMIT : ERR_UNAVAILABLE, "'%s': %s",
		    ballast->path, strerror(errno));
	code = posix_fallocate(fd, 0, 2 * (off_t)ballast->bytes);
	if (!code && ftruncate(fd, (off_t)ballast->bytes))
		code = errno;
	close(fd);
	if (!code)
		return true;
	unlink(ballast->path);
	return err_set(err, code == ENOSPC ? ERR_LIMIT : ERR_UNAVAILABLE, "'%s': %s", ballast->path,
	    strerror(code));
}
