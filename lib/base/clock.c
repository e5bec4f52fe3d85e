/*
 * The real clock.
 */
#include "lib/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t
read_ms(clockid_t which)
{
	struct timespec now;

	clock_gettime(which, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
real_boot_ms(void *self)
{
	(void)self;
	return read_ms(CLOCK_BOOTTIME);
}

static int64_t
real_wall_ms(void *self)
{
	(void)self;
	return read_ms(CLOCK_REALTIME);
}

const struct clock clock_real = {real_boot_ms, real_wall_ms, NULL};
