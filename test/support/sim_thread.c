/*
 * Fibers, and what stands for the system's threads, clock and random numbers.
 */
#include "test/support/sim_part.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <time.h>
#include <ucontext.h>

#include "lib/base/err.h"
#include "lib/base/vec.h"

enum { STACK_BYTES = 256 * 1024, SWITCH_ODDS = 4 };

enum fiber_state { READY, BLOCKED, ENDED };

struct fiber {
	ucontext_t context;
	const void *stack; /* of the first one known from when it was first left */
	size_t stack_bytes;
	int node;
	enum fiber_state state;
	const void *on;   /* lock, condition or fiber that it waits for; NULL: only for the time */
	int64_t until_ms; /* INT64_MAX = until woken */
	bool is_woken;    /* by somebody, not by the time */
	void *(*body)(void *self);
	void *self;
};

struct sim_counts sim_counts;

static vec_of(void *) fibers; /* struct fiber */
static vec_of(void *) free_stacks;
static struct fiber *first, *current;
static int64_t now_ms = 1000;
static uint64_t random_state;
static struct sim_faults faults[SIM_NODES];
static int64_t paused_until_ms[SIM_NODES];
static int lives[SIM_NODES];

int sim_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *self)
    STANDS_FOR(pthread_create);
int sim_join(pthread_t thread, void **result) STANDS_FOR(pthread_join);
int sim_clock(clockid_t which, struct timespec *time) STANDS_FOR(clock_gettime);
ssize_t sim_random(void *bytes, size_t size, unsigned flags) STANDS_FOR(getrandom);
int sim_flock(int fd, int operation) STANDS_FOR(flock);
_Noreturn void sim_exit(int status) STANDS_FOR(_exit);
void sim_point(const char *name) STANDS_FOR(fault_point);
_Noreturn void system_exit(int status) __asm__("__real__exit");

/* What AddressSanitizer wants to know of fibers; in other builds there is neither. */
void asan_leave(void **frames, const void *stack, size_t bytes) __asm__(
    "__sanitizer_start_switch_fiber") __attribute__((weak));
void asan_arrive(void *frames, const void **stack, size_t *bytes) __asm__(
    "__sanitizer_finish_switch_fiber") __attribute__((weak));

unsigned
sim_dice(unsigned sides)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)((random_state * UINT64_C(2685821657736338717)) >> 33) % sides;
}

int64_t
sim_now_ms(void)
{
	return now_ms;
}

int
sim_node(void)
{
	return current->node;
}

struct sim_faults *
sim_faults_of(int node)
{
	return &faults[node];
}

static bool
is_paused(const struct fiber *fiber)
{
	return paused_until_ms[fiber->node] > now_ms;
}

/* Forgets the ended, wakes those whose time has come; counts who can run. */
static size_t
count_ready(void)
{
	size_t n = 0, n_kept = 0;

	for (size_t i = 0; i < fibers.n; i++) {
		struct fiber *fiber = fibers.items[i];

		if (fiber->state == ENDED)
			continue;
		if (fiber->state == BLOCKED && fiber->until_ms <= now_ms)
			fiber->state = READY;
		fibers.items[n_kept++] = fiber;
		n += fiber->state == READY && !is_paused(fiber);
	}
	fibers.n = n_kept;
	return n;
}

/* To the next moment at which something can happen. */
static void
leap(void)
{
	int64_t next_ms = INT64_MAX;

	vec_each (each, &fibers) {
		const struct fiber *fiber = *each;
		int64_t ms = fiber->state == READY ? now_ms : fiber->until_ms;
		int64_t paused_ms = paused_until_ms[fiber->node];

		ms = ms < paused_ms ? paused_ms : ms;
		next_ms = ms < next_ms ? ms : next_ms;
	}
	if (next_ms == INT64_MAX) {
		fprintf(stderr, "simulator: everybody waits for everybody\n");
		abort();
	}
	now_ms = next_ms;
}

/* A fiber runs again, or for the first time: `frames` are what it has left. */
static void
arrive(void *frames)
{
	const void *stack;
	size_t bytes;

	if (!asan_arrive)
		return;
	asan_arrive(frames, &stack, &bytes);
	if (!first->stack_bytes) {
		first->stack = stack;
		first->stack_bytes = bytes;
	}
}

/* To `current`. What has ended does not come back. */
static void
leave(struct fiber *from)
{
	void *frames = NULL;

	if (asan_leave)
		asan_leave(
		    from->state == ENDED ? NULL : &frames, current->stack, current->stack_bytes);
	swapcontext(&from->context, &current->context);
	arrive(frames);
}

/* Somebody runs, the caller when its turn comes again. */
static void
yield(void)
{
	struct fiber *from = current;
	size_t n_ready, chosen;

	while (!(n_ready = count_ready()))
		leap();
	chosen = sim_dice((unsigned)n_ready);
	vec_each (each, &fibers) {
		struct fiber *fiber = *each;

		if (fiber->state != READY || is_paused(fiber) || chosen--)
			continue;
		current = fiber;
		break;
	}
	sim_counts.switches++;
	if (current != from)
		leave(from);
}

void
sim_maybe_switch(void)
{
	if (current && sim_dice(SWITCH_ODDS) == 0)
		yield();
}

/* True when woken by somebody. */
static bool
block(const void *on, int64_t until_ms)
{
	current->state = BLOCKED;
	current->on = on;
	current->until_ms = until_ms;
	current->is_woken = false;
	yield();
	return current->is_woken;
}

static bool
waits_on(const struct fiber *fiber, const void *on)
{
	return fiber->state == BLOCKED && fiber->on == on;
}

/* Wakes one of those that wait, whichever, or all. */
static void
wake(const void *on, bool is_all)
{
	unsigned n = 0, chosen;

	vec_each (each, &fibers)
		n += waits_on(*each, on);
	if (!n)
		return;
	chosen = sim_dice(n);
	vec_each (each, &fibers) {
		struct fiber *fiber = *each;

		if (!waits_on(fiber, on))
			continue;
		if (!is_all && chosen--)
			continue;
		fiber->state = READY;
		fiber->is_woken = true;
		if (!is_all)
			return;
	}
}

_Noreturn static void
end_fiber(void)
{
	current->state = ENDED;
	wake(current, true);
	yield();
	abort(); /* nobody comes back to it */
}

static void
fiber_main(void)
{
	arrive(NULL);
	current->body(current->self);
	/* Its next owner runs when this one has left. */
	vec_push(&free_stacks, current->context.uc_stack.ss_sp);
	end_fiber();
}

static struct fiber *
make_fiber(int node, void *(*body)(void *self), void *self)
{
	struct fiber *fiber = xcalloc(1, sizeof(*fiber));
	void *stack;

	fiber->node = node;
	fiber->body = body;
	fiber->self = self;
	if (free_stacks.n)
		stack = free_stacks.items[--free_stacks.n];
	else
		stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED || getcontext(&fiber->context))
		abort();
	fiber->stack = stack;
	fiber->stack_bytes = STACK_BYTES;
	fiber->context.uc_stack.ss_sp = stack;
	fiber->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&fiber->context, fiber_main, 0);
	vec_push(&fibers, fiber);
	return fiber;
}

void
sim_begin(uint64_t seed)
{
	random_state = seed * UINT64_C(0x9E3779B97F4A7C15) | 1;
	for (int i = 0; i < 8; i++)
		(void)sim_dice(2);
	first = current = xcalloc(1, sizeof(*current));
	current->node = SIM_USER;
	vec_push(&fibers, current);
	sim_disk_begin();
}

void
sim_sleep_ms(int64_t ms)
{
	(void)block(NULL, now_ms + ms);
}

struct errand {
	void (*body)(void *self);
	void *self;
};

static void *
run_errand(void *self)
{
	struct errand errand = *(struct errand *)self;

	free(self);
	errand.body(errand.self);
	return NULL;
}

void
sim_spawn(int node, void (*body)(void *self), void *self)
{
	struct errand *errand = xcalloc(1, sizeof(*errand));

	*errand = (struct errand){body, self};
	(void)make_fiber(node, run_errand, errand);
}

void
sim_kill(int node, bool is_power)
{
	sim_counts.kills++;
	lives[node]++;
	vec_each (each, &fibers) {
		struct fiber *fiber = *each;

		if (fiber->node == node)
			fiber->state = ENDED;
	}
	faults[node].crash_at = faults[node].io_error_at = 0;
	faults[node].is_disk_frozen = false;
	paused_until_ms[node] = 0;
	sim_disk_crash(node, is_power);
	if (current->node == node)
		end_fiber();
}

int
sim_life(int node)
{
	return lives[node];
}

bool
sim_wait(const void *on, int64_t ms)
{
	return block(on, ms == SIM_FOREVER ? ms : now_ms + ms);
}

void
sim_wake(const void *on)
{
	wake(on, true);
}

void
sim_wake_one(const void *on)
{
	wake(on, false);
}

const void *
sim_self(void)
{
	return current;
}

void
sim_end(int status)
{
	system_exit(status);
}

void
sim_pause(int node, int64_t ms)
{
	paused_until_ms[node] = now_ms + ms;
}

int
sim_create(pthread_t *thread, const pthread_attr_t *attr, void *(*body)(void *), void *self)
{
	(void)attr;
	*thread = (pthread_t)make_fiber(current->node, body, self);
	return 0;
}

int
sim_join(pthread_t thread, void **result)
{
	struct fiber *fiber; /* never freed */

	(void)result;
	memcpy(&fiber, &thread, sizeof(thread));
	while (fiber->state != ENDED)
		(void)block(fiber, INT64_MAX);
	return 0;
}

int
sim_clock(clockid_t which, struct timespec *time)
{
	(void)which;
	time->tv_sec = SIM_EPOCH_S + now_ms / 1000;
	time->tv_nsec = now_ms % 1000 * 1000000;
	return 0;
}

ssize_t
sim_random(void *bytes, size_t size, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < size; i++)
		((unsigned char *)bytes)[i] = (unsigned char)sim_dice(256);
	return (ssize_t)size;
}

/* Who holds a file is dead or of another node: what a second process meets is tested elsewhere. */
int
sim_flock(int fd, int operation)
{
	(void)fd, (void)operation;
	return 0;
}

/* The store gives up: only this node ends. */
void
sim_exit(int status)
{
	(void)status;
	sim_kill(current->node, false);
	abort();
}

void
sim_point(const char *name)
{
	struct sim_faults *fault = &faults[current->node];

	(void)name;
	if (current->node == SIM_USER)
		return;
	sim_counts.points++;
	sim_maybe_switch();
	if (fault->crash_at && --fault->crash_at == 0)
		sim_kill(current->node, fault->is_hard);
}
