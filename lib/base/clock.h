/*
 * Time as an interface, so that tests and the fault simulator need not sleep.
 */
#pragma once

#include <stdint.h>

struct clock {
	int64_t (*boot_ms)(void *self); /* CLOCK_BOOTTIME: all deadlines and durations */
	int64_t (*wall_ms)(void *self); /* since 1970: shown to people, ends of slices */
	void *self;
};

/* The machine's clocks. */
extern const struct clock clock_real;

static inline int64_t
clock_boot_ms(const struct clock *clock)
{
	return clock->boot_ms(clock->self);
}

static inline int64_t
clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock->self);
}
