/*
 * What does a link cost in the kernel's shaper? In a network namespace of its own, on a veth pair:
 * making N leaves with their queues (100 slices), changing the rate of each, removing them; one
 * request in a system call against 64; and taking N from a pool of parked ones. Medians of 5.
 *     shaper_scale [N…]      (1000 10000)
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/str.h"
#include "lib/net/device.h"
#include "redirector/shaper.h"

enum { RUNS = 5, SLICES = 100, N_MAX = 14000 };

static const uint64_t port_bps = 100000000000, link_bps = 1000000;

struct field {
	struct netlink *netlink;
	uint32_t device;
	uint32_t n;
	struct tc_class *classes; /* slices first */
	size_t n_classes;
};

/* What one run took, in ms. */
struct run {
	double make, change_one, change, take, remove;
};

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
must(bool is_good, const struct err *err)
{
	if (is_good)
		return;
	fprintf(stderr, "shaper_scale: %s\n", err->text);
	exit(EXIT_FAILURE);
}

/* The classes of n link ends at a rate, as redirectord would have them. */
static void
describe(struct field *field, uint64_t rate_bps)
{
	struct shaper_link link = {
	    .device = field->device,
	    .is_wanted = true,
	    .is_slice_wanted = true,
	    .rate_bps = rate_bps,
	    .ceil_bps = rate_bps,
	    .port_bps = port_bps,
	};
	struct tc_class classes[SHAPER_CLASSES_MAX];
	uint32_t n_below = (field->n + SLICES - 1) / SLICES;

	field->n_classes = SLICES + field->n;
	for (uint32_t i = 0; i < field->n; i++) {
		link.slice_number = SHAPER_FIRST + i % SLICES;
		link.number = SHAPER_FIRST + SLICES + i;
		link.slice_bps = n_below * rate_bps;
		(void)shaper_classes(&link, classes);
		field->classes[i % SLICES] = classes[0];
		field->classes[SLICES + i] = classes[1];
	}
}

/* Changes alone: queues stay as they are. */
static double
change(const struct field *field, bool is_one_by_one)
{
	double start = now_ms();
	struct err err;

	if (!is_one_by_one) {
		must(tc_class_put_many(field->netlink, field->device, field->classes + SLICES,
			 field->n, NULL, &err),
		    &err);
		return now_ms() - start;
	}
	for (uint32_t i = 0; i < field->n; i++)
		must(tc_class_put(field->netlink, field->device, &field->classes[SLICES + i], &err),
		    &err);
	return now_ms() - start;
}

static void
keep_queues(struct field *field)
{
	for (size_t i = 0; i < field->n_classes; i++)
		field->classes[i].queue_bytes = 0;
}

/* Parked classes become link ends with a queue of their own size: two requests each. */
static double
take_parked(struct field *field)
{
	double start;

	describe(field, 8000);
	(void)change(field, false);
	describe(field, link_bps);
	start = now_ms();
	(void)change(field, false);
	return now_ms() - start;
}

static double
remove_all(const struct field *field)
{
	uint32_t *minors = xcalloc(field->n_classes, sizeof(*minors));
	double start = now_ms();
	struct err err;

	for (size_t i = 0; i < field->n_classes; i++)
		minors[i] = field->classes[field->n_classes - 1 - i].minor;
	must(tc_class_remove_many(field->netlink, field->device, minors, field->n_classes, &err),
	    &err);
	free(minors);
	return now_ms() - start;
}

static struct run
run_once(struct field *field)
{
	struct shaper_root root = {.device = field->device, .rate_bps = port_bps};
	struct run run;
	struct err err;
	double start;

	must(shaper_root_ensure(field->netlink, &root, &err), &err);
	describe(field, link_bps);
	start = now_ms();
	must(tc_class_put_many(
		 field->netlink, field->device, field->classes, field->n_classes, NULL, &err),
	    &err);
	run.make = now_ms() - start;
	describe(field, 2 * link_bps);
	keep_queues(field);
	run.change_one = change(field, true);
	describe(field, 3 * link_bps);
	keep_queues(field);
	run.change = change(field, false);
	run.take = take_parked(field);
	run.remove = remove_all(field);
	return run;
}

static int
by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void
print_row(const char *what, uint32_t n, const struct run *runs, size_t offset)
{
	double ms[RUNS];

	for (int i = 0; i < RUNS; i++)
		memcpy(&ms[i], (const char *)&runs[i] + offset, sizeof(ms[i]));
	qsort(ms, RUNS, sizeof(ms[0]), by_size);
	printf("%6u  %-34s %9.2f ms  (%.2f to %.2f)\n", n, what, ms[RUNS / 2], ms[0], ms[RUNS - 1]);
}

static void
measure(struct field *field, uint32_t n)
{
	struct run runs[RUNS];

	field->n = n;
	for (int i = 0; i < RUNS; i++)
		runs[i] = run_once(field);
	print_row("make, 64 requests a call", n, runs, offsetof(struct run, make));
	print_row("change rates, 1 request a call", n, runs, offsetof(struct run, change_one));
	print_row("change rates, 64 requests a call", n, runs, offsetof(struct run, change));
	print_row("take from a pool, with queues", n, runs, offsetof(struct run, take));
	print_row("remove, 64 requests a call", n, runs, offsetof(struct run, remove));
}

int
main(int argc, char **argv)
{
	static const char *const otherwise[] = {"1000", "10000", NULL};
	const char *const *sizes = argc > 1 ? (const char *const *)argv + 1 : otherwise;
	struct field field = {.classes = xcalloc(N_MAX + SLICES, sizeof(struct tc_class))};
	struct device device;
	struct err err = {0};
	long long n;

	if (unshare(CLONE_NEWNET)) {
		fprintf(stderr, "shaper_scale: needs root for a network namespace\n");
		return EXIT_FAILURE;
	}
	field.netlink = netlink_new(&err);
	must(field.netlink != NULL, &err);
	must(device_make_pair(field.netlink, "u0", "r0", &err), &err);
	must(device_find(field.netlink, "u0", &device, &err), &err);
	must(device_up(field.netlink, &device, 1600, &err), &err);
	field.device = device.index;
	for (; *sizes; sizes++) {
		must(str_to_i64(*sizes, SLICES, N_MAX, &n) ||
			 err_set(&err, ERR_USAGE, "N is %d to %d", SLICES, N_MAX),
		    &err);
		measure(&field, (uint32_t)n);
	}
	netlink_free(field.netlink);
	free(field.classes);
	return EXIT_SUCCESS;
}
